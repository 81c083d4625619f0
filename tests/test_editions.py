"""Does a new edition of a data set take back what it no longer holds, and nothing where that cannot be told?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cells
import pytest
from commandline import ceasewatch, told

from pipelines import editions
from pipelines.audit import audit
from pipelines.intake import COUNTS

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a workspace in which two sources have spoken of a, b and c."""
    made = cells.workspace(tmp_path / "ws")
    for source in ("mission", "media"):
        rows = [cells.row(ref, 1.0 + n) for n, ref in enumerate("abc")]
        cells.bring(made, cells.write(tmp_path / f"{source}.csv", rows), cells.Clock(10), source=source)
    return made


def stands(place: Workspace, source: str) -> list[str]:
    with place.ledger() as ledger:
        found = ledger.reports()
    return sorted(found.loc[found["source"] == source, "source_ref"])


def bring(place: Workspace, file: Path, hours: float = 12.0) -> list[tuple[int, int, int, int]]:
    done = editions.bring(place, file, source_id="mission", clock=cells.Clock(hours))
    return [(one.batch.new, one.batch.revision, one.batch.duplicate, one.batch.retraction) for one in done]


def test_what_a_new_edition_repeats_changes_adds_and_drops_is_each_what_it_is(place: Workspace, tmp_path: Path) -> None:
    rows = [cells.row("a", 1.0), cells.row("b", 2.0, km=31.0), cells.row("d", 4.0)]
    file = cells.write(tmp_path / "second.csv", rows)
    assert bring(place, file) == [(1, 1, 1, 0), (0, 0, 0, 1)]
    assert (stands(place, "mission"), stands(place, "media")) == (["a", "b", "d"], ["a", "b", "c"])
    assert bring(place, file, 13.0) == [(1, 1, 1, 0)], "nothing is left to take back: the counts are of the first time"
    assert stands(place, "mission") == ["a", "b", "d"]
    assert audit(place).problems == ()


def test_a_row_that_waits_and_a_file_of_nothing_take_nothing_back(place: Workspace, tmp_path: Path) -> None:
    waits = cells.write(tmp_path / "waits.csv", [cells.row("a", 1.0), cells.row("b", 2.0) | {"lon": "east"}])
    empty = cells.write(tmp_path / "empty.csv", [])
    for file, why in ((waits, "wait in quarantine"), (empty, "no edition of anything")):
        (done,) = editions.bring(place, file, source_id="mission", clock=cells.Clock(12))
        assert why in done.notes[-1]
    assert stands(place, "mission") == ["a", "b", "c"]


def test_the_command_tells_of_both_and_what_was_taken_back_says_by_which_edition(
    place: Workspace, tmp_path: Path
) -> None:
    file = cells.write(tmp_path / "second.csv", [cells.row("a", 1.0)])
    (one,) = told(ceasewatch("ingest", place.path, file, "--source", "mission", "--whole", "--json"))["files"]
    assert (one["duplicate"], one["lacked"]["retraction"]) == (1, 2)
    assert "row 1 of second.csv, what it lacks" in ceasewatch("explain", place.path, "R-5").stdout
    wrong = ceasewatch("ingest", place.path, file, file, "--whole")
    assert (wrong.exit_code, "--whole goes with one FILE" in wrong.stderr) == (2, True)


def test_a_dry_run_tells_of_both_what_the_real_thing_then_does_and_writes_nothing(
    place: Workspace, tmp_path: Path
) -> None:
    rows = [cells.row("a", 1.0), cells.row("b", 2.0, act="retraction"), cells.row("d", 4.0)]
    file = cells.write(tmp_path / "second.csv", rows)
    words = ("ingest", place.path, file, "--source", "mission", "--whole")
    (dry,) = told(ceasewatch(*words, "--dry-run", "--json"))["files"]
    assert "second.csv, what it lacks (mission): 1 rows would be 1 retraction" in ceasewatch(*words, "--dry-run").stdout
    assert stands(place, "mission") == ["a", "b", "c"]
    (real,) = told(ceasewatch(*words, "--json"))["files"]
    assert (dry["lacked"]["retraction"], dry["retraction"], dry["new"]) == (1, 1, 1)
    for one, other in ((dry, real), (dry["lacked"], real["lacked"])):
        assert [one[kind] for kind in COUNTS] == [other[kind] for kind in COUNTS]
    assert stands(place, "mission") == ["a", "d"]
    (again,) = told(ceasewatch(*words, "--dry-run", "--json"))["files"]
    assert again["lacked"] is None


def test_a_dry_run_says_why_nothing_would_be_taken_back(place: Workspace, tmp_path: Path) -> None:
    waits = cells.write(tmp_path / "waits.csv", [cells.row("a", 1.0), cells.row("b", 2.0) | {"lon": "east"}])
    empty = cells.write(tmp_path / "empty.csv", [])
    for file, why in ((waits, "wait in quarantine"), (empty, "no edition of anything")):
        (found,) = editions.foresee(place, file, source_id="mission", clock=cells.Clock(12))
        assert why in found.notes[-1]
