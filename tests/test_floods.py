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


def release(place: Workspace, hours: float) -> quarantine.Caught:
    return quarantine.release_deferred(place, "crowd", PERSON, cells.Clock(hours))


def fill(place: Workspace, hours: float = 10.0) -> None:
    bring(place, hours, *(cells.row(f"full{hours}-{n}", 1.0) for n in range(3)))


def gone(ref: str) -> dict[str, str]:
    return cells.row(ref, 1.0, act="retraction")


def standing(place: Workspace) -> list[str]:
    return [ref for ref in refs(place) if not ref.startswith("full")]


def test_what_was_taken_back_while_it_waited_does_not_come_in(place: Workspace) -> None:
    fill(place)
    bring(place, 10.1, cells.row("x", 1.0))
    assert bring(place, 10.2, gone("x"), gone("y"))["reasons"] == {"deferred": 1, "unknown_item": 1}
    done = release(place, 10.3)
    assert [(one.batch.new, one.batch.retraction) for one in done.released] == [(1, 0), (0, 1)]
    assert (standing(place), done.left, done.overtaken) == ([], (), ())


def test_what_was_said_otherwise_and_taken_back_since_does_not_come_in(place: Workspace) -> None:
    about = place.theatre / "theatre.toml"
    about.write_text(about.read_text().replace(CAPPED, CAPPED.replace("true", "false")))
    fill(place)
    bring(place, 10.1, cells.row("x", 1.0))
    bring(place, 12.0, cells.row("x", 1.0, km=35.0))
    bring(place, 12.1, gone("x"))
    done = release(place, 12.2)
    assert (done.released, done.overtaken, standing(place)) == ((), (1,), [])


def test_a_correction_that_its_own_file_takes_back_does_not_come_in(place: Workspace) -> None:
    bring(place, 10.0, cells.row("x", 1.0))
    fill(place, 12.0)
    bring(place, 12.1, cells.row("x", 1.0, km=35.0), gone("x"))
    done = release(place, 12.2)
    assert (done.released, done.overtaken, standing(place)) == ((), (1,), [])


def test_a_retraction_of_what_was_taken_back_before_waits_behind_what_states_it_again(place: Workspace) -> None:
    bring(place, 10.0, cells.row("x", 1.0), gone("x"))
    fill(place, 12.0)
    bring(place, 12.1, cells.row("x", 1.0, km=35.0))
    assert bring(place, 12.2, gone("x"))["reasons"] == {"deferred": 1}
    release(place, 12.3)
    assert standing(place) == []


def test_a_retraction_that_waits_does_not_take_back_what_its_file_says_behind_it(place: Workspace) -> None:
    fill(place)
    bring(place, 10.1, cells.row("x", 1.0))
    bring(place, 12.0, gone("x"), cells.row("x", 1.0, km=35.0))
    done = release(place, 12.1)
    assert (done.overtaken, standing(place)) == ((1, 2), ["x"])


def test_a_file_that_is_gone_keeps_nobody_elses_rows_and_is_named(place: Workspace) -> None:
    fill(place)
    sent = [bring(place, 10.1 + n / 10, cells.row(f"d{n}", 1.0))["sha256"] for n in range(3)]
    quarantine.erase(place, str(sent[1]), PERSON, cells.Clock(11))
    named = ("--who", PERSON.who, "--why", PERSON.why, "--source", "crowd")
    done = ceasewatch("quarantine", place.path, "deferred", *named)
    assert done.exit_code == 3
    assert "Released Q-1: 1 new" in done.stdout
    assert "Released Q-3: 1 new" in done.stdout
    assert "Q-2: left: " in done.stdout
    assert "erased" in done.stdout
    assert standing(place) == ["d0", "d2"]
    again = told(ceasewatch("quarantine", place.path, "deferred", *named, "--json"))
    assert (again["released"], [one["rows"] for one in again["left"]]) == ([], [["Q-2"]])


@pytest.mark.parametrize("number", [1, 2])
def test_retractions_of_what_is_gone_are_left_be_they_one_or_more(place: Workspace, number: int) -> None:
    fill(place)
    sent = bring(place, 10.1, cells.row("d0", 1.0), cells.row("d1", 1.0))["sha256"]
    bring(place, 10.2, *(gone(f"d{n}") for n in range(number)), cells.row("e", 1.0))
    quarantine.erase(place, str(sent), PERSON, cells.Clock(11))
    done = release(place, 11.1)
    assert ([one.batch.new for one in done.released], done.released[0].batch.quarantined) == ([1], 0)
    assert [one.rows for one in done.left] == [(1, 2), *((3 + n,) for n in range(number))]
    assert all("unknown_item" in one.reason for one in done.left[1:])


def test_what_was_taken_back_waits_while_the_file_that_took_it_back_cannot_be_read(place: Workspace) -> None:
    fill(place)
    bring(place, 10.1, cells.row("x", 1.0))
    sha256 = str(bring(place, 10.2, gone("x"))["sha256"])
    (place.raw / sha256[:2] / sha256).unlink()
    done = release(place, 10.3)
    assert (done.released, done.overtaken, [one.rows for one in done.left]) == ((), (1,), [(2,)])


def test_what_was_taken_back_waits_while_the_reader_refuses_the_row_that_took_it_back(place: Workspace) -> None:
    about = place.theatre / "theatre.toml"
    zoneless = about.read_text()
    about.write_text(zoneless.replace(CAPPED, f'{CAPPED}time_zone = "UTC"\n'))
    fill(place)
    bring(place, 10.1, cells.row("x", 1.0), cells.row("y", 1.0))
    bring(place, 10.2, gone("x") | {"reported_at": "2026-06-02T03:00"})
    about.write_text(zoneless)
    done = release(place, 10.3)
    assert (standing(place), done.overtaken, [one.rows for one in done.left]) == (["y"], (1,), [(3,)])


def test_ingest_says_what_to_do_with_deferred_rows(place: Workspace, tmp_path: Path) -> None:
    rows = [cells.row(f"a{n}", 1.0) for n in range(5)]
    said = ceasewatch("ingest", place.path, cells.write(tmp_path / "crowd.csv", rows)).stdout
    assert ("deferred --source crowd" in said, "Mend" in said) == (True, False)
