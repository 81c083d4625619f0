"""What people decide comes in whole, is answered, and no earlier answer hears of it."""

from __future__ import annotations

import csv
import itertools
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import cells
import pytest
from cells import Clock, at
from commandline import ceasewatch, told
from pandas.testing import assert_frame_equal

from geo import tables
from pipelines import commands, reviews
from pipelines.audit import audit
from pipelines.layers import read_table
from pipelines.ledger import raw_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipelines.workspace import Workspace

ANNA, BORIS = "First Reviewer", "Second Reviewer"


@pytest.fixture(autouse=True)
def _late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command line run long after everything in these tests."""
    monkeypatch.setattr("pipelines.edge.utc_now", Clock(60))


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace that learnt at hour 40 of a shelling from hour 1 to hour 31."""
    return cells.shelled(tmp_path)


def row(command: str, target: str, value: str = "", hours: float = 41, **more: str) -> dict[str, str]:
    plain = {"command": command, "target": target, "value": value, "reviewer": ANNA, "reason": "seen the site"}
    return {**plain, "at": at(hours).isoformat(), **more}


def write(path: Path, rows: Iterable[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, commands.COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def first(place: Workspace) -> str:
    """Return the name of the only incident."""
    return str(cells.run(place, Clock(40)).incidents["incident_id"].iloc[0])


def layers_of(file: Path) -> dict[str, Any]:
    return {name: read_table(file, name) for name in tables.BY_NAME}


# --- The command ---


def test_commands_are_recorded_answered_and_published(place: Workspace, tmp_path: Path) -> None:
    name = first(place)
    file = write(
        tmp_path / "d.csv", [row("declare", name, "1"), row("confirm", "V-99999"), row("declare", name, "2", 42)]
    )
    done = ceasewatch("review", place.path, file, "--json")
    assert done.exit_code == 3
    assert (told(done)["rows"], told(done)["new"]) == (3, 3)
    assert [one["answer"] for one in told(done)["answers"]] == ["applied", "rejected", "waits"]
    assert "unknown: V-99999" in told(done)["answers"][1]["why"]
    assert ANNA not in done.stdout

    outcome = cells.run(place, Clock(61))
    table = read_table(outcome.file, "reviews")
    assert list(table["answer"]) == ["applied", "rejected", "waits"]
    assert set(table["reviewer"]) == {ANNA}
    assert read_table(outcome.file, "incidents")["tier_declared"].tolist() == [1]


def test_a_file_without_rejected_commands_is_done_and_run_and_explain_tell_them(
    place: Workspace, tmp_path: Path
) -> None:
    name = first(place)
    done = ceasewatch(
        "review", place.path, write(tmp_path / "d.csv", [row("end", name)]), "--as-of", at(41).isoformat()
    )
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("d.csv: 1 commands, 1 new\n")
    ran = ceasewatch("run", place.path, "--plain", "--as-of", at(45).isoformat())
    assert "What people decided" in ran.stdout
    assert " applied" in ran.stdout
    assert ANNA not in ran.stdout
    why = ceasewatch("explain", place.path, name).stdout
    assert f"{ANNA}: seen the site" in why
    assert "RULE 6 decided" in why


def test_a_decision_is_explained_with_the_step_that_rests_on_it(place: Workspace, tmp_path: Path) -> None:
    name = first(place)
    listed = [row("declare", name, "2"), row("declare", name, "2", 42, reviewer=BORIS), row("confirm", "V-99999")]
    given = told(ceasewatch("review", place.path, write(tmp_path / "d.csv", listed), "--json"))["answers"]
    one, other, lost = (each["review_id"] for each in given)
    tree = told(ceasewatch("explain", place.path, one, "--json", "--as-of", at(45).isoformat()))
    assert (tree["kind"], tree["decision"]["answer"], tree["decision"]["incident_id"]) == ("decision", "applied", name)
    assert [(step["kind"], step["tier_to"]) for step in tree["steps"]] == [("declared", 2)]
    assert [each["review_id"] for each in tree["others"]] == [other]
    text = ceasewatch("explain", place.path, lost, "--as-of", at(45).isoformat()).stdout
    assert "confirm V-99999" in text
    assert "rejected: unknown: V-99999" in text
    assert "bears on   nothing now" in text
    assert "Steps that rest on it" in ceasewatch("explain", place.path, one, "--as-of", at(45).isoformat()).stdout


def test_the_same_rows_again_add_nothing_whatever_the_file_and_the_spelling_of_the_name(
    place: Workspace, tmp_path: Path
) -> None:
    rows = [row("confirm", "V-5"), row("confirm", "V-5", reviewer=BORIS)]
    ceasewatch("review", place.path, write(tmp_path / "a.csv", rows))
    with place.ledger() as ledger:
        head = ledger.head()
    rows[0]["reviewer"] = "  FIRST   reviewer"
    again = ceasewatch("review", place.path, write(tmp_path / "b.csv", rows[::-1]), "--json")
    assert (told(again)["rows"], told(again)["new"]) == (2, 0)
    with place.ledger() as ledger:
        assert ledger.head() == head
    more = ceasewatch(
        "review", place.path, write(tmp_path / "c.csv", [*rows, row("refute", "V-5", hours=43)]), "--json"
    )
    assert told(more)["new"] == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("command,target\n", "has no column reviewer, reason, at"),
        ("", "has no column command"),
        ("command,target,reviewer,reason,at,at\n", "names a column twice"),
        ('command,target,reviewer,reason,at\n"confirm', "check its quotes"),
    ],
)
def test_a_file_that_is_no_file_of_commands_is_refused(
    place: Workspace, tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "d.csv").write_text(text)
    done = ceasewatch("review", place.path, tmp_path / "d.csv")
    assert done.exit_code == 2
    assert sentence in done.stderr
    with place.ledger() as ledger:
        assert ledger.documents("review") == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"at": "yesterday"}, "at 'yesterday' is no time"),
        ({"at": "2026-06-03T12:00"}, "write 2026-06-03T12:00Z"),
        ({"expires": "soon"}, "expires 'soon' is no time"),
        ({"reviewer": ""}, "it names no reviewer"),
        ({"at": at(80).isoformat()}, "its time lies after the moment when it was recorded"),
    ],
)
def test_a_row_that_cannot_be_read_is_recorded_and_rejected(
    place: Workspace, tmp_path: Path, change: dict[str, str], why: str
) -> None:
    file = write(tmp_path / "d.csv", [{**row("confirm", "V-5"), **change}])
    done = ceasewatch("review", place.path, file, "--json")
    assert done.exit_code == 3
    assert why in told(done)["answers"][0]["why"]
    assert len(read_table(cells.run(place, Clock(61)).file, "reviews")) == 1


def test_signs_that_steer_a_screen_and_line_breaks_are_dropped(place: Workspace, tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv", [row("confirm", "V-5", reason="seen\n\x1b[2J it")])
    ceasewatch("review", place.path, file)
    assert read_table(cells.run(place, Clock(61)).file, "reviews")["reason"].tolist() == ["seen [2J it"]


# --- Knowledge ---


def test_no_earlier_answer_hears_of_a_decision_and_the_next_one_says_what_it_changed(
    place: Workspace, tmp_path: Path
) -> None:
    name = first(place)
    before = layers_of(cells.run(place, Clock(41), known_at=40).file)
    reviews.bring(place, write(tmp_path / "d.csv", [row("end", name, hours=39)]), decided=False, clock=Clock(50))
    after = layers_of(cells.run(place, Clock(52), known_at=40, out=tmp_path / "again").file)
    for title, table in before.items():
        assert_frame_equal(table, after[title], obj=title)
    now = cells.run(place, Clock(53))
    assert list(now.notices["kind"]) == ["tier", "end"]
    assert now.notices["says"].iloc[1] == f"ended by a person at {cells.at(39):%Y-%m-%dT%H:%M:%SZ}"


def test_an_incident_that_a_person_opened_is_called_after_the_command_and_resolves(
    place: Workspace, tmp_path: Path
) -> None:
    (place.path / "theatre" / "policy.toml").write_text(
        (place.path / "theatre" / "policy.toml")
        .read_text()
        .replace('qualifying_status = "alleged"', 'qualifying_status = "confirmed"')
    )
    cells.bring(place, cells.write(tmp_path / "media.csv", [cells.row("m", 40, km=90)]), Clock(42), source="csv")
    table = read_table(cells.run(place, Clock(43)).file, "violations")
    (alleged,) = table.loc[table["status"] == "alleged", "violation_id"]
    reviews.bring(place, write(tmp_path / "a.csv", [row("confirm", alleged, hours=44)]), decided=False, clock=Clock(45))
    table = read_table(cells.run(place, Clock(46)).file, "violations")
    (name,) = table.loc[table["violation_id"] == alleged, "incident_id"]
    with place.ledger() as ledger:
        assert ledger.item(int(name[2:]))["kind"] == "review"  # type: ignore[index]
    reviews.bring(place, write(tmp_path / "b.csv", [row("declare", name, "1", 46)]), decided=False, clock=Clock(47))
    found = cells.run(place, Clock(48))
    assert list(read_table(found.file, "reviews")["answer"]) == ["applied", "applied"]


def test_in_a_replay_a_command_may_be_known_from_its_decision_on(tmp_path: Path) -> None:
    made = cells.workspace(tmp_path / "ws", replay=True)
    cells.bring(made, cells.shelling(tmp_path / "mission.csv"), Clock(900), known="reported")
    file = write(tmp_path / "d.csv", [row("refute", "V-5", hours=20)])
    earlier = cells.run(made, Clock(900), known_at=30)
    assert ceasewatch("review", made.path, file, "--known-at", "decided", "--as-of", at(30).isoformat()).exit_code == 0
    assert read_table(cells.run(made, Clock(901), known_at=19).file, "reviews").empty
    later = cells.run(made, Clock(901), known_at=30)
    assert later.run_id != earlier.run_id
    assert list(read_table(later.file, "reviews")["answer"]) == ["applied"]


def test_history_is_imported_into_a_replay_only(place: Workspace, tmp_path: Path) -> None:
    done = ceasewatch("review", place.path, write(tmp_path / "d.csv", [row("refute", "V-5")]), "--known-at", "decided")
    assert done.exit_code == 2
    assert "only a replay workspace takes" in done.stderr


# --- The workspace's own GeoPackage ---


def fill(file: Path, rows: Iterable[dict[str, str]]) -> None:
    """Write commands as another program would."""
    with closing(sqlite3.connect(file)) as opened, opened:
        for one in rows:
            names, marks = ", ".join(one), ", ".join("?" * len(one))
            opened.execute(f"INSERT INTO commands ({names}) VALUES ({marks})", list(one.values()))  # noqa: S608 -- our own


def test_a_new_workspace_has_an_empty_file_for_commands(place: Workspace) -> None:
    assert commands.read_geopackage(place.path / "reviews.gpkg") == []
    assert read_table(cells.run(place, Clock(42)).file, "reviews").empty


def test_the_workspaces_geopackage_is_read_before_every_run(place: Workspace) -> None:
    fill(place.path / "reviews.gpkg", [row("declare", first(place), "1")])
    for hours in (42, 43):
        table = read_table(cells.run(place, Clock(hours)).file, "reviews")
        assert list(table["answer"]) == ["applied"]
        assert list(table["at"]) == [at(41)]
    with place.ledger() as ledger:
        assert len(ledger.documents("review")) == 1
    (place.path / "reviews.gpkg").unlink()
    assert len(read_table(cells.run(place, Clock(44)).file, "reviews")) == 1


def test_a_run_of_the_present_uses_what_was_edited_and_decided_just_before(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.theatre / "policy.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('version = "', 'version = "edited ', 1), "utf-8")
    fill(place.path / "reviews.gpkg", [row("confirm", "V-5")])
    ticks = itertools.count(1)
    monkeypatch.setattr("pipelines.edge.utc_now", lambda: at(60) + timedelta(milliseconds=next(ticks)))
    (done,) = told(ceasewatch("run", place.path, "--plain", "--json"))["runs"]
    assert (done["as_of"], done["hindsight"]) == ("2026-06-04T12:00:01Z", False)
    assert done["reviews"][0]["answer"] == "applied"
    assert read_table(place.target(None), "run")["policy_version"].str.startswith("edited ").all()


@pytest.mark.parametrize(
    ("stated", "answer"), [("2026-06-03T17:00:00Z", "applied"), ("2026-06-03T17:00:00", "rejected")]
)
def test_a_column_of_times_needs_the_offset_too(place: Workspace, stated: str, answer: str) -> None:
    file, name = place.path / "reviews.gpkg", first(place)
    with closing(sqlite3.connect(file)) as opened, opened:
        opened.executescript("ALTER TABLE commands DROP COLUMN at; ALTER TABLE commands ADD COLUMN at DATETIME;")
    fill(file, [{**row("declare", name, "1"), "at": stated}])
    assert list(read_table(cells.run(place, Clock(42)).file, "reviews")["answer"]) == [answer]


def test_what_another_program_has_committed_and_not_yet_written_through_is_read(place: Workspace) -> None:
    with closing(sqlite3.connect(place.path / "reviews.gpkg")) as editor:
        editor.execute("PRAGMA journal_mode = WAL")
        fill(place.path / "reviews.gpkg", [row("confirm", "V-5")])
        assert list(read_table(cells.run(place, Clock(42)).file, "reviews")["command"]) == ["confirm"]


def test_a_trigger_of_the_analysts_own_is_no_reason_not_to_read(place: Workspace) -> None:
    file = place.path / "reviews.gpkg"
    with closing(sqlite3.connect(file)) as opened, opened:
        opened.execute("CREATE TRIGGER mine AFTER INSERT ON commands BEGIN UPDATE commands SET expires = NULL; END")
    fill(file, [row("confirm", "V-5")])
    assert [entry.row["command"] for entry in commands.read_geopackage(file)] == ["confirm"]


@pytest.mark.parametrize("harm", ["text", "view", "no table"])
def test_a_geopackage_that_cannot_be_read_does_not_stop_the_watch(
    place: Workspace, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = place.path / "reviews.gpkg"
    if harm == "text":
        file.write_text("no database")
    else:
        fill(file, [row("confirm", "V-5")])
        harmful = {"view": "CREATE VIEW trap AS SELECT load_extension('x');", "no table": "DROP TABLE commands;"}
        with closing(sqlite3.connect(file)) as opened, opened:
            opened.executescript(harmful[harm])
    assert read_table(cells.run(place, Clock(42)).file, "reviews").empty
    assert "reviews.gpkg: its commands cannot be read" in caplog.text


@pytest.mark.parametrize("region", [None, "west"])
def test_a_file_for_commands_lies_beside_every_map_is_heard_and_never_replaced(
    place: Workspace, region: str | None
) -> None:
    beside = place.target(region).with_name("reviews.gpkg")
    reviews.offer(place, region)
    assert commands.read_geopackage(beside) == []
    fill(beside, [row("confirm", "V-3")])
    before = beside.read_bytes()
    assert [done.new for hours in (43, 44) if (done := reviews.heed(place, Clock(hours)))] == [1, 0]
    reviews.offer(place, region)
    commands.create(beside)
    assert beside.read_bytes() == before
    assert [file.name for file in beside.parent.glob(".*")] == [".publish.lock"]  # no draft is left


def test_the_same_command_in_two_files_is_one_and_a_broken_file_does_not_silence_the_others(place: Workspace) -> None:
    reviews.offer(place, None)
    beside, own = place.target(None).with_name("reviews.gpkg"), place.path / "reviews.gpkg"
    for file in (beside, own):
        fill(file, [row("confirm", "V-3")])
    done = reviews.heed(place, Clock(43))
    assert done is not None
    assert done.new == 1
    own.write_text("no database")
    fill(beside, [row("confirm", "V-4")])
    done = reviews.heed(place, Clock(44))
    assert done is not None
    assert done.new == 1


# --- The ledger ---


def test_commands_are_chained_and_their_raw_file_is_watched(place: Workspace, tmp_path: Path) -> None:
    file = write(tmp_path / "d.csv", [row("confirm", "V-5")])
    reviews.bring(place, file, decided=False, clock=Clock(42))
    assert audit(place).problems == ()
    with place.ledger() as ledger:
        ((_, entry),) = commands.entries(ledger)
    assert entry.raw is not None
    raw = raw_path(place.raw, entry.raw)
    raw.chmod(0o644)
    raw.write_bytes(b"something else")
    assert audit(place).problems == (f"commands of d.csv: its raw file {entry.raw} is damaged",)
