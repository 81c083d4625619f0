"""Does a flood of one source wait, whole and in sight, without holding up anybody else?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cells
import pytest
from commandline import ceasewatch, told

from pipelines import quarantine
from pipelines.quarantine import Person

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workspace import Workspace

PERSON = Person("First Reviewer", "looked through them")
CAPPED = """
[[sources]]
id = "crowd"
format = "csv"
trust = "public"
origin = "source"
authoritative = true
radius_m = 500
per_hour = 3
"""


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace with a source that may say three rows an hour."""
    made = cells.workspace(tmp_path / "ws")
    about = made.theatre / "theatre.toml"
    about.write_text(about.read_text() + CAPPED)
    return made


def bring(place: Workspace, hours: float, *rows: dict[str, str], source: str = "crowd") -> dict[str, object]:
    file = cells.write(place.path.parent / f"{source}{hours}.csv", rows)
    return cells.bring(place, file, cells.Clock(hours), source=source).as_dict()


def refs(place: Workspace) -> list[str]:
    with place.ledger() as ledger:
        return sorted(ledger.reports()["source_ref"])


def test_what_is_beyond_the_cap_waits_and_the_hour_after_there_is_room(place: Workspace) -> None:
    first = bring(place, 10.0, *(cells.row(f"a{n}", 1.0) for n in range(5)))
    assert (first["new"], first["quarantined"], first["reasons"]) == (3, 2, {"deferred": 2})
    second = bring(place, 10.5, cells.row("b", 1.0))
    assert (second["new"], second["quarantined"]) == (0, 1)
    third = bring(place, 11.01, cells.row("c", 1.0))
    assert (third["new"], third["quarantined"]) == (1, 0)
    assert refs(place) == ["a0", "a1", "a2", "c"]


def test_nobody_else_waits_and_duplicates_take_no_room(place: Workspace) -> None:
    bring(place, 10.0, *(cells.row(f"a{n}", 1.0) for n in range(5)))
    assert bring(place, 10.1, *(cells.row(f"m{n}", 1.0) for n in range(9)), source="mission")["new"] == 9
    again = bring(place, 11.5, *(cells.row(f"a{n % 3}", 1.0) for n in range(9)), cells.row("d", 1.0))
    assert (again["duplicate"], again["new"], again["quarantined"]) == (9, 1, 0)


def test_behind_the_cap_only_what_adds_nothing_or_takes_back_is_taken(place: Workspace) -> None:
    rows = [cells.row(f"a{n}", 1.0) for n in range(4)]
    gone = [cells.row("a0", 1.0, act="retraction"), cells.row("a3", 1.0, act="retraction")]
    found = bring(place, 10.0, *rows, rows[1], rows[3], *gone, cells.row("x", 1.0, act="retraction"))
    assert {kind: found[kind] for kind in ("new", "duplicate", "retraction", "quarantined")} == {
        "new": 3, "duplicate": 1, "retraction": 1, "quarantined": 4,
    }  # fmt: skip
    assert found["reasons"] == {"deferred": 3, "unknown_item": 1}
    assert refs(place) == ["a1", "a2"]


def test_released_rows_are_as_if_no_cap_had_been(place: Workspace) -> None:
    rows = [cells.row(f"a{n}", 1.0) for n in range(6)]
    bring(place, 10.0, *rows[:5], cells.row("a4", 1.0, km=31.0))
    bring(place, 10.2, rows[5])
    done = quarantine.release_deferred(place, "crowd", PERSON, cells.Clock(10.3))
    assert ([one.batch.new for one in done.released], done.overtaken) == ([2, 1], ())
    assert done.released[0].batch.revision == 1
    assert refs(place) == [f"a{n}" for n in range(6)]
    assert len(quarantine.waiting(place)) == 0
    with place.ledger() as ledger:
        counts = ledger.counts()
        assert counts["rows"] == sum(counts[kind] for kind in counts if kind != "rows") == 7 + 4
        assert ledger.verify(place.raw) == []
        assert sorted(ledger.reports(cells.at(10.25))["source_ref"]) == ["a0", "a1", "a2"]
    assert bring(place, 11.01, cells.row("c", 1.0))["new"] == 1, "what a person released takes no room"


def test_a_row_about_which_its_source_said_more_since_is_left_to_be_looked_at(place: Workspace) -> None:
    bring(place, 10.0, *(cells.row(f"a{n}", 1.0) for n in range(5)))
    bring(place, 12.0, cells.row("a4", 1.0, km=35.0))
    done = quarantine.release_deferred(place, "crowd", PERSON, cells.Clock(13))
    assert (done.released[0].batch.new, done.overtaken) == (1, (2,))
    with place.ledger() as ledger:
        found = ledger.reports().set_index("source_ref").loc["a4"]
    assert (found["revision"], round(found["lon"], 3)) == (1, round(float(cells.row("x", 1.0, km=35.0)["lon"]), 3))
    assert quarantine.waiting(place)["quarantine_id"].tolist() == ["Q-2"]


def test_the_dry_run_and_the_command_tell_the_same(place: Workspace, tmp_path: Path) -> None:
    file = cells.write(tmp_path / "crowd.csv", [cells.row(f"a{n}", 1.0) for n in range(5)])
    ahead = told(ceasewatch("ingest", place.path, file, "--dry-run", "--json"))["files"][0]
    assert [row["becomes"] for row in ahead["each"]] == ["new"] * 3 + ["quarantined"] * 2
    assert ceasewatch("ingest", place.path, file).exit_code == 3
    named = ("--who", PERSON.who, "--why", PERSON.why)
    done = ceasewatch("quarantine", place.path, "deferred", "--source", "crowd", *named)
    assert (done.exit_code, "Released Q-1, Q-2: 2 new" in done.stdout) == (0, True)
    none = ceasewatch("quarantine", place.path, "deferred", "--source", "crowd", *named)
    assert "No row of 'crowd'" in none.stdout
