"""Can a person let in a row that was refused, so that everybody can see who did it, and when it became known?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cells
import pytest
import readings
from commandline import ceasewatch, told

from geo.errors import InputError, PolicyError
from pipelines import intake, mending, quarantine, sources
from pipelines.ledger import canonical
from pipelines.quarantine import Person

if TYPE_CHECKING:
    from pathlib import Path

    from geo.theatre import Source
    from pipelines.workspace import Workspace

PERSON = Person("First Reviewer", "asked the patrol")
NAMED = ("--who", "First Reviewer", "--why", "asked the patrol")


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace that at hour 10 refused two rows of a mission and one of a GeoJSON file."""
    made = cells.workspace(tmp_path / "ws")
    rows = [cells.row("a", 1.0), cells.row("b", 2.0, lat="47,9"), cells.row("c", 3.0, act="tea \x1b[2J")]
    cells.bring(made, cells.write(tmp_path / "mission.csv", rows), cells.Clock(10))
    feature = {
        "type": "Feature",
        "properties": {"source_ref": "g", "observed_from": "2026-06-02T05:00Z", "act": "shelling"},
        "geometry": {"type": "Point", "coordinates": [37.4, 99]},
    }
    (tmp_path / "geojson.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    cells.bring(made, tmp_path / "geojson.geojson", cells.Clock(10))
    return made


def release(place: Workspace, number: int, *, row: str | None = None, hours: float = 12.0, **changes: str) -> object:
    clock = cells.Clock(hours)
    return quarantine.release(place, number, PERSON, row=row, changes=changes, known="recorded", clock=clock).as_dict()


def line(row: dict[str, str]) -> str:
    return ",".join(row[name] for name in cells.COLUMNS)


def refs(place: Workspace, hours: float | None = None) -> list[str]:
    with place.ledger() as ledger:
        return sorted(ledger.reports(None if hours is None else cells.at(hours))["source_ref"])


def waiting(place: Workspace, hours: float | None = None) -> list[str]:
    with place.ledger() as ledger:
        found = ledger.quarantine(None if hours is None else cells.at(hours))
    return found.loc[found["released_no"].isna(), "quarantine_id"].tolist()


def test_a_mended_row_is_a_report_of_its_source_from_its_release_on(place: Workspace) -> None:
    assert release(place, 1, lat="47.9")["new"] == 1  # type: ignore[index]
    assert (refs(place, 11.9), refs(place)) == (["a"], ["a", "b"])
    assert (waiting(place, 11.9), waiting(place)) == (["Q-1", "Q-2", "Q-3"], ["Q-2", "Q-3"])
    with place.ledger() as ledger:
        mended = ledger.reports().set_index("source_ref").loc["b"]
        assert (mended["source"], mended["lat"]) == ("mission", 47.9)
        assert ledger.counts() | {"rows": 5, "new": 2, "quarantined": 3} == ledger.counts()
        assert ledger.verify(place.raw) == []
        order = ledger.documents("release")[0]
        assert json.loads(order.body) | {"who": "First Reviewer", "why": "asked the patrol", "rows": [1]} == json.loads(
            order.body
        )
        assert ledger.item(order.ledger_no + 1)["report_id"] == mended["report_id"]  # type: ignore[index]


def test_a_row_can_be_given_whole_and_a_feature_be_moved(place: Workspace) -> None:
    with place.ledger() as ledger:
        raw = ledger.quarantined(2).raw
    assert raw is not None
    assert release(place, 2, row=raw.decode().replace("tea \x1b[2J", "shelling"))["new"] == 1  # type: ignore[index]
    assert release(place, 3, lon="37.4", lat="48.01")["new"] == 1  # type: ignore[index]
    assert refs(place) == ["a", "c", "g"]
    assert waiting(place) == ["Q-1"]


@pytest.mark.parametrize(
    ("number", "row", "changes", "sentence"),
    [
        (1, None, {}, "is no number: write decimal degrees"),
        (1, None, {"lat": "97.9"}, "coordinate_range"),
        (1, None, {"latitude": "47.9"}, "the file has no column latitude; it has: source_ref"),
        (1, "x,y", {}, "still refused; nothing was recorded"),
        (1, "x,y", {"lat": "47.9"}, "the row has 2 fields and the header 8"),
        (3, None, {"lat": "47.9"}, "set both lon and lat"),
        (3, "{", {}, "cannot be read"),
        (4, None, {}, "no such row is in quarantine"),
    ],
)
def test_what_is_still_wrong_is_refused_with_the_reason_and_leaves_no_trace(
    place: Workspace, number: int, row: str | None, changes: dict[str, str], sentence: str
) -> None:
    with place.ledger() as ledger:
        head = ledger.head()
    with pytest.raises((InputError, PolicyError), match=sentence):
        release(place, number, row=row, **changes)
    with place.ledger() as ledger:
        assert ledger.head() == head
    assert waiting(place) == ["Q-1", "Q-2", "Q-3"]


def test_a_row_that_the_ledger_itself_refuses_takes_its_order_back_with_it(place: Workspace, tmp_path: Path) -> None:
    rows = [cells.row("unknown", 3.0, act="retraction")]
    cells.bring(place, cells.write(tmp_path / "csv.csv", rows), cells.Clock(11))
    with place.ledger() as ledger:
        head = ledger.head()
    with pytest.raises(InputError, match="has not reported here"):
        release(place, 4, row=line(rows[0]))
    with place.ledger() as ledger:
        assert ledger.head() == head


def test_what_the_ledger_refuses_again_leaves_no_bytes(place: Workspace, tmp_path: Path) -> None:
    rows = [cells.row("unknown", 3.0, act="retraction")]
    cells.bring(place, cells.write(tmp_path / "csv.csv", rows), cells.Clock(11))
    kept = sorted(place.raw.rglob("*"))
    with pytest.raises(InputError, match="has not reported here"):
        release(place, 4, source_ref="nobody either")
    assert sorted(place.raw.rglob("*")) == kept


def test_the_sha256_of_what_was_mended_is_told_so_that_it_can_be_erased(place: Workspace) -> None:
    done = ceasewatch("quarantine", place.path, "release", "Q-1", "--set", "lat=47.9", *NAMED)
    sha256 = done.stdout.rsplit("Kept as ", 1)[1].strip()
    assert b"47.9" in (place.raw / sha256[:2] / sha256).read_bytes()
    assert quarantine.erase(place, sha256, PERSON, cells.Clock(13)) > 0
    assert len(release(place, 2, act="shelling")["sha256"]) == 64  # type: ignore[index]


def test_a_row_that_only_the_ledger_refused_is_shown_and_mended_in_plain_columns(
    place: Workspace, tmp_path: Path
) -> None:
    gone = cells.write(tmp_path / "gone.csv", [cells.row("A", 3.0, act="retraction")])
    cells.bring(place, gone, cells.Clock(11), source="mission")
    shown = ceasewatch("quarantine", place.path, "show", "Q-4").stdout
    assert "    source_ref," in shown
    assert "x1f" not in shown
    assert release(place, 4, source_ref="a")["retraction"] == 1  # type: ignore[index]
    assert refs(place) == []


def test_what_plain_columns_say_of_an_understood_row_is_what_it_said(place: Workspace) -> None:
    source, side = cells.theatre().source("csv"), cells.theatre().parties[0].id
    assert source is not None
    header = "source_ref,observed_from,observed_to,lon,lat,uncertainty_m,act,weapon,count,party,origin,text,killed"
    ref, times = "ö|1:2", "2026-06-02T01:00:00.25Z,2026-06-02T02:00Z"
    rows = [
        f'{ref},{times},37.5,47.9,75.5,shelling,mortar,{count},{side},-,"a, ""b""",4'
        for count in ("3", "2-5", "~60", ">10", "")
    ]
    with place.ledger() as ledger:
        settings = place.settings(ledger)

    def said(data: bytes, read_as: Source) -> list[bytes]:
        reading = intake.read(data, read_as, settings, "x", "", received_at=None)
        assert reading.refused["reason"].tolist() == []
        return [line.encode() for line in canonical.lines(reading.intake, canonical.SAID).to_pylist()]

    first = said("\n".join([header, *rows, ""]).encode(), source)
    assert len(set(first)) == len(rows)
    for text in first:
        assert said(*mending.restated(mending.columns(canonical.stated(text)), source, {})) == [text]


def test_a_row_is_released_once(place: Workspace) -> None:
    release(place, 1, lat="47.9")
    with pytest.raises(PolicyError, match=r"Q-1 was released before, by order \d+"):
        release(place, 1, lat="47.8")


def test_a_row_that_says_what_is_known_already_is_counted_as_duplicate(place: Workspace) -> None:
    assert release(place, 1, row=line(cells.row("a", 1.0)))["duplicate"] == 1  # type: ignore[index]
    assert waiting(place) == ["Q-2", "Q-3"]


def test_who_and_why_must_be_said() -> None:
    for who, why in (("", "x"), ("x", " "), ("x\n", "y")):
        with pytest.raises(PolicyError, match="must say something"):
            Person(who, why)


def test_the_row_of_a_file_that_is_no_text_is_said_in_plain_columns() -> None:
    source = cells.theatre().source("ucdp")
    assert source is not None
    data, read_as = mending.mended(b"PK\x03\x04\xff", b"x", source, row=None, changes={"lon": "1", "lat": "2"})
    assert (data, read_as.format, read_as.id) == (b"lon,lat\r\n1,2\r\n", "csv", "ucdp")
    with pytest.raises(PolicyError, match="say all of it in the columns of the plain table"):
        mending.mended(b"PK\x03\x04\xff", b"x", source, row="1,2", changes={})


@pytest.mark.parametrize("sign", ["a\rb", "a\nb", "a\r\nb"])
def test_a_text_with_line_ends_is_mended_into_one_row(sign: str) -> None:
    writer = readings.source()
    file = b"observed_from,lon,lat,text\n2026-02-03,37.5,98.1,x\n"
    told, _ = mending.mended(file, b"2026-02-03,37.5,98.1,x", writer, row=None, changes={"lat": "48.1", "text": sign})
    said = {"observed_from": "2026-02-03", "lon": "37.5", "lat": "48.1", "text": sign}
    whole, plain = mending.mended(b"PK\x03\x04\xff", b"x", writer, row=None, changes=said)
    for data, each in ((told, writer), (whole, plain)):
        reading = sources.read(data, each, readings.THEATRE, readings.POLICY, "file.csv")
        assert (reading.intake["text"].tolist(), len(reading.refused)) == ([sign], 0)


def test_an_explanation_tells_who_let_a_report_in_and_what_it_was_before(place: Workspace, tmp_path: Path) -> None:
    release(place, 1, lat="47.9")
    cells.bring(place, cells.write(tmp_path / "later.csv", [cells.row("b", 2.5)]), cells.Clock(14), source="mission")
    with place.ledger() as ledger:
        name = ledger.reports().set_index("source_ref").loc["b", "report_id"]
    now, then = ((name, "--known-at", cells.at(hours).isoformat()) for hours in (14, 12))
    career = told(ceasewatch("explain", place.path, *now, "--json"))["career"]
    files = [(each["kind"], each["file_name"]) for each in career]
    assert files == [("new", "mission.csv, row 2, mended"), ("revision", "later.csv")]
    assert [each["released"] and each["released"]["rows"] for each in career] == [["Q-1"], None]
    text = ceasewatch("explain", place.path, *then).stdout
    assert "released from quarantine (Q-1) by First Reviewer: asked the patrol" in text
    assert "later.csv" not in text


def test_the_explanation_of_a_withdrawn_report_tells_by_which_row(place: Workspace, tmp_path: Path) -> None:
    with place.ledger() as ledger:
        name = ledger.reports().set_index("source_ref").loc["a", "report_id"]
    gone = cells.write(tmp_path / "gone.csv", [cells.row("a", 1.0, act="retraction")])
    cells.bring(place, gone, cells.Clock(11), source="mission")
    tree = told(ceasewatch("explain", place.path, name, "--json"))
    assert (tree["kind"], [each["kind"] for each in tree["career"]]) == ("lost", ["new", "retraction"])
    assert "retraction: row 1 of gone.csv" in ceasewatch("explain", place.path, name).stdout


def test_an_explanation_tells_of_contradiction_and_of_what_took_back_both(place: Workspace, tmp_path: Path) -> None:
    for hours, name, row in (
        (11, "one\x1b[2J\nentry 99, new: forged.csv", cells.row("x", 3.0)),
        (12, "two.csv", cells.row("x", 4.0)),
        (13, "gone.csv", cells.row("x", 4.0, act="retraction")),
    ):
        cells.bring(place, cells.write(tmp_path / name, [row]), cells.Clock(hours), source="media")
    with place.ledger() as ledger:
        stood = ledger.reports(cells.at(12)).set_index("source_ref").loc["x", "report_id"].tolist()
    for report in stood:
        careers = [
            [
                each["kind"]
                for each in told(ceasewatch("explain", place.path, report, "--known-at", when, "--json"))["career"]
            ]
            for when in (cells.at(12).isoformat(), cells.at(13).isoformat())
        ]
        assert careers[1] == ["new", "conflict", "retraction"][-len(careers[1]) :]
        assert careers[0] == careers[1][:-1]
        assert "\x1b" not in ceasewatch("explain", place.path, report).stdout
        assert "\nentry 99" not in ceasewatch("explain", place.path, report).stdout
    early = ceasewatch("explain", place.path, stood[-1], "--known-at", cells.at(11).isoformat())
    assert (early.exit_code, "that was known at" in early.stderr) == (2, True)


def test_the_next_publication_shows_what_was_released_and_what_waits(place: Workspace) -> None:
    release(place, 1, lat="47.9")
    outcome = cells.run(place, cells.Clock(13))
    assert sum(outcome.quarantine.values()) == 2
    assert outcome.counts["rows_quarantined"] == 3
    earlier = cells.run(place, cells.Clock(13), known_at=11.0)
    assert (sum(earlier.quarantine.values()), earlier.counts["rows"]) == (3, 4)


def test_the_commands_list_show_and_release(place: Workspace) -> None:
    listed = ceasewatch("quarantine", place.path, "list", "--source", "mission")
    assert "Q-2  mission  mission.csv  4      3          unknown_act" in listed.stdout
    assert "2 rows" in listed.stdout
    shown = ceasewatch("quarantine", place.path, "show", "q-2")
    assert "tea \\x1b[2J" in shown.stdout
    assert "\x1b" not in shown.stdout + listed.stdout
    done = ceasewatch("quarantine", place.path, "release", "Q-1", "--set", "lat=47.9", *NAMED)
    assert (done.exit_code, "Released Q-1: 1 new" in done.stdout) == (0, True)
    every = told(ceasewatch("quarantine", place.path, "list", "--all", "--json"))["rows"]
    assert [row["released_no"] is None for row in every] == [False, True, True]
    again = ceasewatch("quarantine", place.path, "release", "Q-1", "--set", "lat=47.9", *NAMED)
    assert (again.exit_code, "released before" in again.stderr) == (2, True)
    unnamed = ceasewatch("quarantine", place.path, "release", "Q-2", "--why", "x")
    assert (unnamed.exit_code, "--who" in unnamed.stderr) == (2, True)
