"""Is a run that leaves out what is settled the whole run, whatever comes in, and does it ever leave anything out?"""

from __future__ import annotations

import csv
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import builders
import cells
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import strategies
from cells import Clock
from commandline import ceasewatch
from hypothesis import given

from geo import tables
from geo.incidents import Former
from geo.policy import Readings
from geo.said import Before
from pipelines import audit as audits
from pipelines import commands, edge, hashes, layers, recheck, reuse, reviews, watch
from pipelines import recall as recalls
from pipelines.audit import audit
from pipelines.cli.run import tell
from pipelines.layers import Published, read_run, read_table, swap
from pipelines.layers import check as sound
from pipelines.outcome import markdown
from pipelines.publications import Question
from pipelines.watch import judge
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

DAY = 24.0
WINDOW_D = 7


class Cell:
    """A workspace whose map has a window, and what happens to it; hours count from ``cells.START``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.hour, self.files = folder, Clock(), 0.0, 0
        self.place = cells.workspace(folder / "ws")
        self.edit(
            ("spans_h = [24, 72, 168, 720]", "spans_h = [24, 72, 168]"),
            ("alert_age_h = 1\n", f"alert_age_h = 1\nwindow_d = {WINDOW_D}\n"),
        )

    def edit(self, *changes: tuple[str, str]) -> None:
        """Edit the policy."""
        file = self.place.theatre / "policy.toml"
        text = file.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")

    def turn(self, hours: float) -> None:
        """Let time pass."""
        self.hour += hours
        self.clock.turn(self.hour)

    def send(self, *rows: dict[str, str], source: str = "mission") -> None:
        """Take in a file of rows."""
        self.files += 1
        cells.bring(self.place, cells.write(self.folder / f"{self.files}.csv", rows), self.clock, source=source)

    def decide(self, command: str, target: str, value: str = "") -> None:
        """Take in a command of a person."""
        file = self.folder / f"decided {self.hour} {command} {target}.csv"
        plain = {"command": command, "target": target, "value": value, "reviewer": "First Reviewer", "reason": "seen"}
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, commands.COLUMNS)
            writer.writeheader()
            writer.writerow({**plain, "at": self.clock.now.isoformat()})
        reviews.bring(self.place, file, decided=False, clock=self.clock)

    def left_out(self, region: str | None = None) -> int | None:
        """Return how many reports a run leaves out now, which is held against the whole one."""
        question = Question(self.clock.now, region=region)
        self.place.remember(self.clock)
        return recheck.check(self.place, question, version="test", clock=self.clock)

    def tick(self, hours: float = 1.0) -> int | None:
        """Let time pass, hold a run against the whole one, and publish it."""
        self.turn(hours)
        found = self.left_out()
        cells.run(self.place, self.clock)
        return found

    @property
    def published(self) -> Path:
        """Folder of the map."""
        return self.place.path / "published"

    @property
    def kept(self) -> Path:
        """Return where it is kept what is settled of the past."""
        return reuse.place(self.place)

    @property
    def window(self) -> Path:
        """Return where it is kept what is settled, also of what the map holds."""
        return reuse.place(self.place, reuse.WINDOW)


def window_from(cell: Cell) -> datetime:
    """Return where the map's window begins now."""
    found = builders.policy(**{"publication.window_d": WINDOW_D, "intensity.spans_h": [24, 72, 168]}).publication
    since = found.window_from(cell.clock.now)
    assert since is not None
    return since


def shelled(cell: Cell) -> Cell:
    """Let a shelling of 30 hours, and a strike elsewhere, be over for weeks, and another one go on; publish it all."""
    cell.turn(40.0)
    cells.bring(cell.place, cells.shelling(cell.folder / "mission.csv"), cell.clock)
    cell.send(cells.row("far", 20.0, km=90.0), cells.row("heat", 21.0, km=90.0, act="heat"), source="media")
    cell.turn(20 * DAY)
    cell.send(cells.row("fresh", cell.hour - 3.0, km=31.0), cells.row("other", cell.hour - 2.0, km=60.0))
    cells.run(cell.place, cell.clock)
    return cell


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """Return a cell that has published, for copies of it."""
    return shelled(Cell(tmp_path_factory.mktemp("start")))


@pytest.fixture
def cell(start: Cell, tmp_path: Path) -> Cell:
    """Return a cell that has published."""
    return copy(start, tmp_path)


def copy(start: Cell, folder: Path) -> Cell:
    """Return a copy of a cell."""
    shutil.copytree(start.folder, folder / "cell")
    made = Cell.__new__(Cell)
    made.folder, made.clock, made.hour, made.files = folder / "cell", Clock(start.hour), start.hour, start.files
    made.place = Workspace(folder / "cell" / "ws", start.place.name)
    return made


class Shelf:
    """Takes what is published, and leaves of it no more than a file that tells its run: what is tried is not that."""

    def __init__(self) -> None:
        self.frames: dict[Path, Mapping[str, pd.DataFrame]] = {}
        self.stood: list[tuple[str, set[str]]] = []  # what was put there, and the reports that stood then, in order

    def publish(self, frames: Mapping[str, pd.DataFrame], target: Path, *, run_id: str, **_: object) -> Published:
        """Take tables as ``layers.publish`` does."""
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        with closing(sqlite3.connect(target)) as file:
            run = frames["run"].astype(object)
            run.where(run.notna(), None).map(
                lambda cell: cell.isoformat() if hasattr(cell, "isoformat") else cell
            ).to_sql("run", file, index=False)
            frames["reports"][["report_id"]].to_sql("reports", file, index=False)
        self.frames[target] = frames
        self.stood.append((target.stem, set(self.told("reports")["report_id"])))
        return Published(target, run_id, replaced=True, state=swap.state(target))

    def told(self, name: str) -> pd.DataFrame:
        """Return a table of everything that stands."""
        return pd.concat([frames[name] for path, frames in self.frames.items() if path.is_file()])


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Return a shelf that everything is published on."""
    made = Shelf()
    monkeypatch.setattr(layers, "publish", made.publish)
    monkeypatch.setattr(watch, "companions", lambda *_: {})
    return made


def everything(cell: Cell) -> dict[str, pd.DataFrame]:
    """Return the whole answer of a run that leaves out nothing and has no window."""
    recalled = recalls.recall(cell.place, Question(cell.clock.now), version="test", at=cell.clock(), anew=True)
    return dict(judge(recalled.now, cell.clock.now).tables)


def plain(frame: pd.DataFrame) -> list[str]:
    """Return the rows as text, in order."""
    rows = frame.astype(object)
    return sorted(map(str, rows.where(rows.notna(), None).to_numpy().tolist()))


def on_disk(cell: Cell, name: str) -> pd.DataFrame:
    files = [cell.published / "monitor.gpkg", *sorted((cell.published / "past").glob("*.gpkg"))]
    return pd.concat([read_table(file, name) for file in files], ignore_index=True)


def test_map_and_files_of_the_past_hold_the_whole_answer(cell: Cell) -> None:
    whole = everything(cell)
    for name in ("incidents", "incident_points", "violations", "reports", "incident_days", "transitions", "evidence"):
        ours, theirs = on_disk(cell, name), whole[name]
        columns = [column for column in tables.BY_NAME[name].names if theirs[column].dtype.kind != "M"]
        assert plain(ours[columns]) == plain(theirs[columns]), name
        assert len(read_table(cell.published / "monitor.gpkg", name)) < len(theirs)
    assert read_table(cell.published / "monitor.gpkg", "incidents")["recurrence_of"].notna().any()
    file = cell.published / "past" / "2026.gpkg"
    run = read_run(file)
    assert run is not None
    assert (run["past_year"], run["reports"]) == (2026, len(read_table(file, "reports")))
    stands = read_run(cell.published / "monitor.gpkg")
    assert stands is not None
    assert stands["window_from"] == window_from(cell)
    sound(file, {name: read_table(file, name) for name in tables.BY_NAME})
    assert audit(cell.place).problems == ()


def test_days_at_one_point_are_those_of_the_window_whether_or_not_the_others_are_settled(
    cell: Cell, shelf: Shelf
) -> None:
    cell.edit(("same_point_days = 5", "same_point_days = 1"))
    cell.send(*(cells.row(f"day {day}", 24.0 * day, km=90.0) for day in range(3, 20)), source="media")
    cell.tick()
    cell.send(cells.row("today", cell.hour - 0.7, km=90.0), source="media")
    assert cell.tick(0.1) is not None
    assert shelf.told("reports")["same_point_days"].max() == 7


def test_a_tick_leaves_out_what_is_settled_and_writes_no_file_of_the_past(cell: Cell, shelf: Shelf) -> None:
    cell.turn(1.0)
    cell.send(cells.row("again", cell.hour - 0.7, km=32.0), cells.row("more", cell.hour - 0.7, km=61.0))
    assert cell.tick(0.1) == 13
    [(file, frames)] = shelf.frames.items()
    assert file == cell.published / "monitor.gpkg"
    assert sorted(frames["reports"]["source_ref"]) == ["again", "fresh", "more", "other"]
    assert frames["incidents"]["recurrence_of"].notna().sum() == 1
    assert cell.left_out("west") == 13


@pytest.mark.usefixtures("shelf")
def test_nothing_changes_when_the_cache_is_deleted_or_damaged(cell: Cell) -> None:
    cell.window.unlink()
    data = cell.kept.read_bytes()
    for spoiled in (None, b"", data[: len(data) // 2], data[:-9], bytes([*data[:300], data[300] ^ 1, *data[301:]])):
        cell.kept.unlink(missing_ok=True)
        if spoiled is not None:
            cell.kept.write_bytes(spoiled)
        kept = reuse.Kept.read(cell.kept)
        assert kept is None or kept.packed() == data
    assert cell.tick() is None
    assert recalled(cell).kept is not None


@pytest.fixture(scope="module")
def ended(start: Cell, tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """Return a cell whose map holds a breach that is over for days, a candidate, and a report that is in neither."""
    cell = copy(start, tmp_path_factory.mktemp("ended"))
    ago = cell.hour - 4 * DAY
    cell.send(cells.row("over", ago, km=106.0), cells.row("same", ago + 1.0, km=106.0))
    cell.send(cells.row("lone", ago, km=5.0), cells.row("heat of late", ago, km=75.0, act="heat"), source="media")
    cells.run(cell.place, cell.clock)
    return cell


@pytest.fixture
def lately(ended: Cell, tmp_path: Path, shelf: Shelf) -> Cell:
    """Return a copy of it that publishes on the shelf."""
    assert not shelf.frames
    return copy(ended, tmp_path)


LATELY = {"over", "same", "lone", "heat of late"}


def test_what_is_over_stays_in_the_map_and_is_not_looked_at_again(lately: Cell, shelf: Shelf) -> None:
    lately.send(cells.row("new", lately.hour - 0.5, km=107.0))
    assert lately.tick(0.1) == 17
    assert sorted(recalled(lately).now.reports["source_ref"]) == ["fresh", "new", "other"]
    told = shelf.frames[lately.published / "monitor.gpkg"]
    assert set(told["reports"]["source_ref"]) > LATELY
    home = told["reports"].set_index("source_ref")["incident_id"]
    assert told["incidents"].set_index("incident_id")["recurrence_of"][home["new"]] == home["over"] == home["same"]
    assert home["over"] in set(told["lineage"]["from_id"])


def test_segments_and_regions_count_what_is_not_looked_at_again(lately: Cell, shelf: Shelf) -> None:
    assert lately.tick() == 17
    told = shelf.frames[lately.published / "monitor.gpkg"]
    for ground in ("segments", "regions"):
        assert told[ground]["violations_7d"].sum() - told[ground]["violations_72h"].sum() >= 2
        assert told[ground]["tier_7d"].max() >= 1
    assert told["counts"]["violations"].sum() == told["violations"]["qualifying"].sum()


def test_days_at_a_point_are_counted_with_those_that_are_not_looked_at_again(lately: Cell, shelf: Shelf) -> None:
    lately.edit(("same_point_days = 5", "same_point_days = 1"))
    lately.send(*(cells.row(f"day {day}", lately.hour - 24.0 * day, km=5.0) for day in range(5, 8)), source="media")
    cells.run(lately.place, lately.clock)
    lately.send(cells.row("today", lately.hour - 0.7, km=5.0), source="media")
    assert lately.tick(0.1) == 20
    reports = shelf.frames[lately.published / "monitor.gpkg"]["reports"].set_index("source_ref")
    assert reports.loc[["lone", "day 5", "day 6", "day 7", "today"], "same_point_days"].tolist() == [5] * 5


def test_what_a_person_decides_of_an_incident_changes_what_recurred_from_it(lately: Cell) -> None:
    lately.send(cells.row("older", lately.hour - 6 * DAY, km=106.0))
    cells.run(lately.place, lately.clock)
    older = everything(lately)["reports"].set_index("source_ref").loc["older"]
    lately.decide("declare", older["incident_id"], "2")
    lately.turn(0.1)
    cells.run(lately.place, lately.clock)
    lately.turn(0.1)
    assert older["incident_id"] in set(recalled(lately).now.before.rows["incidents"]["recurrence_of"])
    lately.decide("refute", older["violation_id"])
    assert lately.tick(0.1) == 13


def test_a_day_at_a_point_counts_that_only_another_report_of_its_candidate_dates_before_the_window(
    lately: Cell,
) -> None:
    lately.edit(("same_point_days = 5", "same_point_days = 1"))
    midnight = (window_from(lately) - cells.START) / timedelta(hours=1)
    dating = cells.row("dating", midnight - 0.7, km=15.0)
    lately.send(dating, source="media")
    beside, today = cells.row("beside", midnight + 0.1, km=15.0), cells.row("today", lately.hour - 1.7, km=15.0)
    lately.send(beside, today, source="public")
    cells.run(lately.place, lately.clock)
    reports = everything(lately)["reports"].set_index("source_ref")
    assert reports.loc["dating", "violation_id"] == reports.loc["beside", "violation_id"]
    lately.turn(0.1)
    assert "beside" not in set(recalled(lately).now.reports["source_ref"])
    assert lately.tick(0.1) == 19


@pytest.mark.parametrize("away", [{"act": "retraction", "observed_from": "", "observed_to": ""}, {"km": 15.0}])
def test_news_of_an_incident_that_is_looked_at_changes_what_recurred_from_it(
    lately: Cell, away: dict[str, Any]
) -> None:
    lately.send(cells.row("older", lately.hour - 6 * DAY, km=106.0))
    cells.run(lately.place, lately.clock)
    lately.decide("declare", everything(lately)["reports"].set_index("source_ref").loc["older", "incident_id"], "2")
    lately.turn(0.1)
    cells.run(lately.place, lately.clock)
    lately.turn(0.1)
    assert recalled(lately).now.before.rows["incidents"]["recurrence_of"].notna().any()
    lately.send(cells.row("older", lately.hour - 0.6, **away))
    assert lately.tick(0.1) == 13


def test_news_of_heat_that_is_looked_at_changes_what_it_was_seen_with(lately: Cell) -> None:
    ago = lately.hour - 4 * DAY
    lately.send(*(cells.row(f"going {n}", ago - 6 + 6.0 * n, km=5.0) for n in range(17)))
    lately.send(cells.row("hot", ago + 1.2, km=106.0, act="heat"), source="media")
    cells.run(lately.place, lately.clock)
    lately.turn(0.1)
    assert recalled(lately).now.before.rows["violations"]["heat_consistent"].any()
    assert "hot" in set(recalled(lately).now.reports["source_ref"])
    taken_back = cells.row("hot", ago, act="retraction", observed_from="", observed_to="")
    lately.send(taken_back, source="media")
    assert lately.tick(0.1) == 13


def test_what_a_person_decides_twice_of_an_incident_of_the_past_changes_what_recurred_from_it(
    cell: Cell, shelf: Shelf
) -> None:
    first, again = (cell.hour - days * DAY for days in (12.0, 10.0))
    cell.send(cells.row("older", first, km=106.0), cells.row("newer", again, km=106.0))
    cells.run(cell.place, cell.clock)
    reports = everything(cell)["reports"].set_index("source_ref")
    assert reports.loc["newer", "incident_id"] in set(shelf.told("lineage")["to_id"])
    cell.decide("declare", reports.loc["older", "incident_id"], "2")
    cell.turn(0.1)
    cells.run(cell.place, cell.clock)
    assert cell.tick(0.1) is not None
    assert {"older", "newer"} & set(recalled(cell).now.reports["source_ref"]) == {"older"}
    cell.decide("refute", reports.loc["older", "violation_id"])
    cell.tick(0.1)
    recurred = shelf.told("incidents").set_index("incident_id")["recurrence_of"]
    assert pd.isna(recurred[reports.loc["newer", "incident_id"]])


def test_what_was_said_before_the_others_were_over_is_not_compared_with_that(lately: Cell) -> None:
    cells.run(lately.place, lately.clock, region="west")
    question = Question(lately.clock.now, region="west")
    for wait in (0.0, 1.0):  # the region's last publication is of the same moment, and of an earlier one
        lately.turn(wait)
        lately.window.unlink()
        cells.run(lately.place, lately.clock)
        found = recalls.recall(
            lately.place, replace(question, as_of=lately.clock.now), version="test", at=lately.clock()
        )
        assert found.kept is not None
        assert bool(found.kept.before.rows) is (wait == 0.0)
        assert (set(found.now.reports["source_ref"]) >= LATELY) is (wait > 0.0)


NEWS = {
    "late": lambda cell: cell.send(cells.row("late", cell.hour - 4 * DAY, km=107.0)),
    "corrected": lambda cell: cell.send(cells.row("over", cell.hour - 0.5, km=106.0)),
    "an outage then": lambda cell: cell.send(cells.row("blind", cell.hour - 4 * DAY, act="outage")),
    "decided": lambda cell: cell.decide("refute", "V-21"),
    "damaged": lambda cell: cell.window.write_bytes(cell.window.read_bytes()[:-1]),
}


@pytest.mark.parametrize("what", NEWS)
def test_news_of_what_is_over_lets_the_map_be_looked_at_again_and_no_more(lately: Cell, what: str) -> None:
    lately.turn(0.1)
    assert recalled(lately).now.before.rows["violations"]["violation_id"].tolist() == ["V-21", "V-22", "V-23"]
    NEWS[what](lately)
    lately.turn(0.1)
    found = recalled(lately)
    assert found.kept is not None
    assert not found.kept.before.rows
    assert set(found.now.reports["source_ref"]) >= LATELY


def test_the_run_that_looked_at_the_map_again_writes_down_what_is_over(lately: Cell) -> None:
    NEWS["late"](lately)
    assert lately.tick(0.1) == 13
    lately.turn(0.1)
    found = recalled(lately)
    assert {*LATELY, "late"} == set(found.now.before.rows["reports"]["source_ref"])
    assert sorted(found.now.reports["source_ref"]) == ["fresh", "other"]


def test_a_file_of_the_past_that_nobody_touched_is_not_read_again_and_one_that_is_damaged_is_made_anew(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, proved = cell.published / "past" / "2026.gpkg", list[str]()
    whole, prove = swap.digest(file), layers.prove
    monkeypatch.setattr(layers, "prove", lambda path, *more: (proved.append(path.name), prove(path, *more)))
    for spoiled in (None, False, True):  # at first what is known is of the files that these are copies of
        if spoiled:
            data = file.read_bytes()
            file.chmod(0o644)
            file.write_bytes(data.replace(b"shelling", b"shellinG"))
        proved.clear()
        cell.turn(0.1)
        for kept in (cell.kept, cell.window):
            kept.unlink(missing_ok=True)
        cells.run(cell.place, cell.clock)
        assert spoiled is None or any("2026" in name for name in proved) == spoiled
        assert swap.digest(file) == whole


def test_whatever_bit_of_the_cache_flips_it_is_not_believed_and_stops_no_run(tmp_path: Path) -> None:
    none = np.empty(0)
    former = Former(none.astype(object), none, none, none.astype(np.int64), none.astype(np.int64))
    some = np.arange(5)
    names = pd.DataFrame({"side": ["left"]})
    kept = reuse.Kept(
        "rules",
        "since",
        "until",
        "as_of",
        7,
        0,
        "head",
        "rest",
        {"2026.gpkg": "run"},
        some,
        some,
        some,
        names,
        Before(former),
    )
    data, file = kept.packed(), tmp_path / "kept.npz"
    file.write_bytes(data)
    assert (whole := reuse.Kept.read(file)) is not None
    assert whole.packed() == data
    for bit in range(0, 8 * len(data), 7):
        bent = bytearray(data)
        bent[bit // 8] ^= 1 << bit % 8
        file.write_bytes(bent)
        assert reuse.Kept.read(file) is None


def test_a_copy_of_somebodys_own_beside_the_files_of_the_past_is_left_alone_and_keeps_nobody(cell: Cell) -> None:
    shutil.copy(cell.published / "past" / "2026.gpkg", cell.published / "past" / "2026 mine.gpkg")
    cell.turn(0.1)
    assert recalled(cell).kept is not None
    assert audit(cell.place).problems == ()


def test_verify_finds_a_file_of_the_past_that_is_not_what_was_published_and_says_what_helps(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "_PAUSES_S", ())
    file, other = (cell.published / "past" / name for name in ("2026.gpkg", "2025.gpkg"))
    cell.turn(0.1)
    cells.run(cell.place, cell.clock)  # leaves the files of the past as they are
    assert audit(cell.place).problems == ()
    shutil.copy(file, other)
    _change(other, "UPDATE run SET past_year = 2025")
    no_such = "published/past/2025.gpkg: the last publication has no such file; remove it"
    assert audit(cell.place).problems == (no_such,)
    _change(file, "UPDATE transitions SET reason = 'unheard of'")
    altered = "is not the file that was published last; remove it, and run the whole theatre again"
    assert audit(cell.place).problems == (f"published/past/2026.gpkg: {altered}", no_such)
    file.unlink()
    gone = "what was over in that year is gone; run the whole theatre again"
    assert audit(cell.place).problems == (f"published/past/2026.gpkg: {gone}", no_such)
    cell.turn(0.1)
    cells.run(cell.place, cell.clock)
    assert audit(cell.place).problems == ()


def _change(file: Path, statement: str) -> None:
    file.chmod(0o644)
    with closing(sqlite3.connect(file)) as opened, opened:
        opened.execute(statement)


def test_a_full_disk_costs_the_next_run_its_time_and_leaves_no_half_cache(
    cell: Cell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    kept, data = reuse.Kept.read(cell.kept), cell.kept.read_bytes()
    assert kept is not None
    monkeypatch.setattr(swap, "settle", full)
    reuse.write(cell.place, replace(kept, head="another"))
    assert {path.name for path in cell.kept.parent.iterdir()} == {cell.kept.name, cell.window.name, hashes.FILE}
    assert cell.kept.read_bytes() == data
    assert "cannot be written (No space left on device): the next run assesses everything anew" in caplog.text


LATE = {
    "a report of the time before": lambda cell: cell.send(cells.row("late", 3.0, km=60.0)),
    "an outage then": lambda cell: cell.send(cells.row("blind", 30.0, act="outage")),
    "a retraction": lambda cell: cell.send({**cells.row("s1", 4.0), "act": "retraction"}),
    "a correction to a later time": lambda cell: cell.send(cells.row("s1", cell.hour - 3.0)),
    "a decision": lambda cell: cell.decide("refute", "V-5"),
    "a changed policy": lambda cell: cell.edit(("keep = 5", "keep = 4")),
    "another day": lambda cell: cell.turn(DAY),
    "a file of the past that is gone": lambda cell: (cell.published / "past" / "2026.gpkg").unlink(),
}  # fmt: skip


@pytest.mark.parametrize("what", LATE)
def test_everything_is_assessed_anew_where_the_past_may_have_changed(cell: Cell, what: str) -> None:
    assert recalled(cell).kept is not None
    LATE[what](cell)
    cell.turn(0.1)
    assert recalled(cell).kept is None


@pytest.mark.usefixtures("shelf")
def test_once_everything_was_assessed_anew_the_next_run_leaves_out_what_is_settled(cell: Cell) -> None:
    LATE["a report of the time before"](cell)
    cell.turn(0.1)
    cells.run(cell.place, cell.clock)
    cell.turn(0.1)
    found = recalled(cell)
    assert found.kept is not None
    assert sorted(found.now.reports["source_ref"]) == ["fresh", "other"]


@pytest.mark.usefixtures("shelf")
def test_what_a_source_contradicts_later_is_not_settled_without_that(cell: Cell) -> None:
    """A part of an item cannot be looked at alone: each later run would find something else and assess everything."""
    cell.send(cells.row("far", cell.hour - 2.0, km=10.0), source="media")
    cell.turn(0.1)
    cells.run(cell.place, cell.clock)
    cell.turn(0.1)
    assert sorted(recalled(cell).now.reports["source_ref"]) == ["far", "far", "fresh", "heat", "other"]
    assert cell.left_out() == 11


def recalled(cell: Cell, moment: float | None = None) -> recalls.Recalled:
    question = Question(cell.clock.now if moment is None else cells.at(moment))
    cell.place.remember(cell.clock)
    return recalls.recall(cell.place, question, version="test", at=cell.clock())


def test_an_earlier_moment_another_folder_and_earlier_knowledge_leave_out_nothing(cell: Cell, tmp_path: Path) -> None:
    assert recalled(cell).kept is not None
    assert recalled(cell, cell.hour - 1.0).kept is None
    known = Question(cell.clock.now, cell.clock.now)
    assert recalls.recall(cell.place, known, version="test", at=cell.clock()).kept is None
    assert recalls.recall(cell.place, Question(cell.clock.now), version="other", at=cell.clock()).kept is None
    cells.run(cell.place, cell.clock, out=tmp_path / "out")
    assert len(read_table(tmp_path / "out" / "past" / "2026.gpkg", "reports")) == 13


def test_another_reading_of_the_plan_leaves_out_nothing(cell: Cell) -> None:
    asked = Question(cell.clock.now, readings=Readings(persist_reading="literal"))
    assert recalls.recall(cell.place, asked, version="test", at=cell.clock()).kept is None
    assert recalled(cell).kept is not None


def test_news_that_moves_an_end_out_of_the_window_writes_the_files_of_the_past_anew(cell: Cell, shelf: Shelf) -> None:
    """What was not settled may be over all of a sudden."""
    since = window_from(cell)
    hour = (since - cells.START).total_seconds() / 3600
    cell.send(cells.row("edge", hour - 26.0, km=100.0), cells.row("late", hour - 2.0, km=100.0))
    cells.run(cell.place, cell.clock)
    assert "edge" in set(shelf.frames[cell.published / "monitor.gpkg"]["reports"]["source_ref"])
    cell.send({**cells.row("late", cell.hour - 1.0), "act": "retraction"})
    cell.turn(0.1)
    assert recalled(cell).kept is None  # the news are of an item of the time before the window
    cells.run(cell.place, cell.clock)
    assert "edge" in set(shelf.frames[cell.published / "past" / "2026.gpkg"]["reports"]["source_ref"])
    assert [name for name, _ in shelf.stood[-2:]] == ["2026", "monitor"]  # what leaves the map is there already
    assert sorted(shelf.told("reports")["report_id"]) == sorted(everything(cell)["reports"]["report_id"])


def test_what_comes_back_stands_in_the_map_before_it_leaves_the_past(cell: Cell, shelf: Shelf) -> None:
    cell.send(cells.row("then", 10 * DAY, km=100.0))
    cells.run(cell.place, cell.clock)
    before = shelf.stood[-1][1]
    shelf.stood.clear()
    cell.edit((f"window_d = {WINDOW_D}\n", "window_d = 14\n"))
    cell.send(cells.row("old", 9 * DAY, km=60.0))
    cell.turn(DAY)
    cells.run(cell.place, cell.clock)
    assert [name for name, _ in shelf.stood] == ["monitor", "2026"]
    assert all(before <= stood for _, stood in shelf.stood)
    assert shelf.stood[-1][1] == set(everything(cell)["reports"]["report_id"]) > before


def test_without_a_window_the_map_holds_everything_and_the_files_of_the_past_go(cell: Cell) -> None:
    cell.edit((f"window_d = {WINDOW_D}\n", ""))
    cell.turn(0.1)
    shutil.copy(cell.published / "past" / "2026.gpkg", cell.published / "past" / "2026 mine.gpkg")
    cells.run(cell.place, cell.clock)
    assert [path.name for path in (cell.published / "past").glob("*.gpkg")] == ["2026 mine.gpkg"]
    assert len(read_table(cell.published / "monitor.gpkg", "reports")) == len(everything(cell)["reports"])
    stands = read_run(cell.published / "monitor.gpkg")
    assert stands is not None
    assert stands["window_from"] is None


@pytest.mark.usefixtures("shelf")
def test_an_incident_that_leaves_the_map_is_not_gone(tmp_path: Path) -> None:
    cell = Cell(tmp_path)
    cell.turn(40.0)
    cells.bring(cell.place, cells.shelling(cell.folder / "mission.csv"), cell.clock)
    cells.run(cell.place, cell.clock)
    cell.turn(20 * DAY)
    told = cells.run(cell.place, cell.clock)
    assert told.incidents.empty
    assert told.changes.gone == ()
    assert {row[1] for row in told.alerts} == {"ended"}
    cell.send(*({**cells.row(f"s{n}", 0.0), "act": "retraction"} for n in range(11)))
    cell.turn(1.0)
    gone = cells.run(cell.place, cell.clock)
    assert {row[5] for row in gone.alerts} == {"Cancel"}
    assert len(gone.notices) == 1


def test_a_name_of_the_past_that_another_policy_takes_away_still_resolves(cell: Cell, shelf: Shelf) -> None:
    """Also where the run that records the policy is about a moment before it is in force."""
    cell.send(cells.row("one", 300.0, km=10.0), cells.row("next", 301.0, km=21.0))
    cells.run(cell.place, cell.clock)
    before = set(shelf.told("incidents")["incident_id"])
    cell.turn(1.0)
    cell.edit(("link_m = 10000\n", "link_m = 12000\n"))
    cells.run(cell.place, cell.clock, as_of=cell.hour - 0.1)
    assert set(shelf.told("incidents")["incident_id"]) == before
    cell.turn(1.0)
    cells.run(cell.place, cell.clock)
    merged = shelf.frames[cell.published / "monitor.gpkg"]["lineage"].query("kind == 'merge'")
    assert set(merged["from_id"]) == before - set(shelf.told("incidents")["incident_id"]) != set()


def test_the_whole_run_is_held_against_it_and_a_difference_stops_everything(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = recheck.judge

    def wrong(known: recalls.Memory, as_of: Any) -> Any:  # noqa: ANN401 -- as the real one
        answer = plain(known, as_of)
        if known.before.former is None:
            return answer
        points = answer.tables["incidents"].assign(weapons="unheard of")
        return type(answer)(answer.tables.also("incidents", lambda: points))

    monkeypatch.setattr(recheck, "judge", wrong)
    cell.turn(0.5)
    with pytest.raises(recheck.MismatchError, match=r"layer incidents, row 1 \(.-\d+\), column weapons: 'unheard of'"):
        cell.left_out()
    monkeypatch.setattr(edge, "utc_now", cell.clock)
    monkeypatch.setattr(edge, "version", lambda: "test")
    stood = (cell.published / "monitor.gpkg").read_bytes()
    done = ceasewatch("run", cell.place.path, "--plain", "--check-full")
    assert done.exit_code == 1
    assert "layer incidents, row 1" in done.stderr
    assert (cell.published / "monitor.gpkg").read_bytes() == stood
    monkeypatch.setattr(recheck, "judge", plain)
    monkeypatch.setattr(watch, "watch", lambda *_, **__: 1 / 0)  # it goes on to publish
    done = ceasewatch("run", cell.place.path, "--plain", "--check-full")
    assert "ZeroDivisionError" in done.stderr
    assert "without 13 settled reports a run says, value by value, what the whole one says" in done.stderr


def test_a_run_says_from_when_on_the_map_holds_everything_and_where_the_rest_is(
    cell: Cell, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = cells.run(cell.place, cell.clock)
    assert outcome.window_from == window_from(cell)
    tell(outcome)
    sentence = f"not over by {window_from(cell):%Y-%m-%dT%H:%M:%SZ}. What was stands in past/"
    assert sentence in capsys.readouterr().out
    assert sentence in markdown(outcome)
    assert shelf.frames


def test_a_difference_is_told_by_layer_row_and_column() -> None:
    one = pd.DataFrame({"name": ["a", "b"], "n": pd.array([1, None], "Int64"), "x": [np.nan, 1.0]})
    assert list(recheck.differences({"t": one}, {"t": one.copy()})) == []
    assert list(recheck.differences({"t": one}, {"t": one.assign(x=[np.nan, 2.0])})) == [
        "layer t, row 2 (b), column x: 1.0, the whole run 2.0"
    ]
    assert list(recheck.differences({"t": one.iloc[:1]}, {"t": one})) == ["layer t has 1 rows, the whole run 2"]
    assert list(recheck.differences({"t": one}, {"t": one.astype({"n": "float64"})})) == [
        "layer t, row 1 (a), column n: is of another type"
    ]


# --- Any sequence of ticks ---

PLACES = (30.0, 38.0, 60.0, 100.0)
AGO_H = (0.5, 0.5, 3.0, 26.0, 5 * DAY, 7.5 * DAY, 9 * DAY, 20 * DAY)
SOURCES = ("mission", "media", "satellite", "public")
PAUSES_H = (0.1, 0.5, 6.0, 26.0, 9 * DAY)


def _report(draw: Callable[..., Any], cell: Cell) -> None:
    rows = [
        cells.row(f"{cell.files}-{n}", cell.hour - draw(st.sampled_from(AGO_H)), km=draw(st.sampled_from(PLACES)))
        for n in range(draw(st.integers(1, 3)))
    ]
    cell.send(*rows, source=draw(st.sampled_from(SOURCES)))


def _again(draw: Callable[..., Any], cell: Cell) -> None:
    row = cells.row(f"s{draw(st.integers(0, 5))}", cell.hour - draw(st.sampled_from(AGO_H)))
    cell.send(row if draw(st.booleans()) else {**row, "act": "retraction"})


def _watch(draw: Callable[..., Any], cell: Cell) -> None:
    row = cells.row(
        f"w{cell.files}", cell.hour - draw(st.sampled_from(AGO_H)), act=draw(st.sampled_from(["heartbeat", "outage"]))
    )
    cell.send(row)


def _decide(draw: Callable[..., Any], cell: Cell) -> None:
    names = everything(cell)["incident_points"]["incident_id"].tolist()
    name = draw(st.sampled_from([one for one in names if one.startswith("B-")] or ["B-5"]))
    what = draw(st.sampled_from(["refute", "declare", "end", "merge"]))
    values = {"declare": "2", "merge": draw(st.sampled_from(names or ["B-5"]))}
    cell.decide(what, f"V{name[1:]}" if what == "refute" else name, values.get(what, ""))


def _edit(draw: Callable[..., Any], cell: Cell) -> None:
    text = (cell.place.theatre / "policy.toml").read_text(encoding="utf-8")
    wide = "link_m = 10000\n" in text
    if draw(st.booleans()):
        cell.edit(("link_m = 10000\n", "link_m = 9000\n") if wide else ("link_m = 9000\n", "link_m = 10000\n"))
    else:
        draw(st.sampled_from([cell.kept, cell.window])).unlink(missing_ok=True)


EVENTS = (_report, _report, _report, _again, _watch, _decide, _edit)


def walk(data: st.DataObject, start: Cell, steps: int) -> int:
    """Take so many ticks, each held against the whole run; return how many left anything out."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        cell, reused = copy(start, Path(folder)), 0
        shelf = Shelf()
        patch.setattr(layers, "publish", shelf.publish)
        patch.setattr(watch, "companions", lambda *_: {})
        for _ in range(steps):
            for event in data.draw(st.lists(st.sampled_from(EVENTS), max_size=2)):
                event(data.draw, cell)
            reused += cell.tick(data.draw(st.sampled_from(PAUSES_H))) is not None
        shutil.rmtree(cell.kept.parent)
        cells.run(cell.place, cell.clock)
        assert sorted(shelf.told("reports")["report_id"]) == sorted(everything(cell)["reports"]["report_id"])
    return reused


@strategies.tries(1)
@given(st.data())
def test_any_few_ticks_are_the_whole_run(start: Cell, data: st.DataObject) -> None:
    walk(data, start, 2)


@pytest.mark.slow
@strategies.tries(10)
@given(st.data())
def test_any_ticks_are_the_whole_run(start: Cell, data: st.DataObject) -> None:
    walk(data, start, 12)


@pytest.mark.parametrize("region", [None, "west"])
def test_what_ended_while_nobody_ran_for_longer_than_the_window_is_told_once(
    tmp_path: Path, region: str | None
) -> None:
    cell = Cell(tmp_path)
    cell.turn(30.0)
    cell.send(*(cells.row(f"n{hour}", hour, km=31.0) for hour in (22.0, 26.0, 29.0)))
    [name] = cells.run(cell.place, cell.clock, region=region).incidents["incident_id"]
    cell.turn(20 * DAY)
    over = cells.run(cell.place, cell.clock, region=region)
    assert over.incidents.empty
    assert over.changes.ended == (name,)
    assert over.changes.gone == ()
    folder = cell.place.target(region).parent / "cap"
    sent = {path.name: path.read_text() for path in folder.glob(f"*{over.as_of:%Y%m%dT%H}*.xml")}
    assert [file.split(".")[-3] for file in sent] == ["ended-0"]
    assert all(f"{name}: Ceasefire breach ended" in text and "<msgType>Update" in text for text in sent.values())
    assert {row[1] for row in over.alerts} == {"ended"}
    cell.turn(1.0)
    after = cells.run(cell.place, cell.clock, region=region)
    assert (after.changes.ended, after.changes.gone, after.alerts) == ((), (), ())
