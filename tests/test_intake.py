"""Is a file read while the one before it is appended, and does that change nothing?"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

import cells
import pytest

from geo.errors import InputError, PolicyError
from pipelines import intake
from pipelines.jail import door

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines.intake import Ingested
    from pipelines.workspace import Workspace

WAIT_S = 60


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a new workspace."""
    return cells.workspace(tmp_path / "w")


def files(folder: Path, refs: str) -> list[Path]:
    """Return a file of one report for each letter."""
    return [cells.write(folder / f"{ref}.csv", [cells.row(ref, 1.0)]) for ref in refs]


def in_turn(place: Workspace, some: list[Path]) -> Iterator[Callable[[], Ingested]]:
    """Yield what ingests each file."""
    return intake.in_turn(place, some, source_id="mission", known="recorded", clock=cells.Clock(40.0))


def test_in_turn_files_give_the_chain_that_they_give_one_by_one(place: Workspace, tmp_path: Path) -> None:
    some, alone = files(tmp_path, "abcb"), cells.workspace(tmp_path / "alone")
    heads = [cells.bring(alone, file, cells.Clock(40.0), source="mission").head for file in some]
    assert [ingest().head for ingest in in_turn(place, some)] == heads
    assert len(set(heads)) == 3, "the last file came before"


def test_the_next_file_is_read_while_one_is_appended(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, appended, begun, waited = door.read, intake.enter, Event(), []

    def reading(*words: Any, **more: Any) -> object:  # noqa: ANN401 -- whatever it takes
        if "b.csv" in words:
            begun.set()
        return read(*words, **more)

    def appending(*words: Any) -> Ingested:  # noqa: ANN401 -- likewise
        if "a.csv" in words:
            waited.append(begun.wait(WAIT_S))
        return appended(*words)

    monkeypatch.setattr(door, "read", reading)
    monkeypatch.setattr(intake, "enter", appending)
    assert [ingest().batch.new for ingest in in_turn(place, files(tmp_path, "ab"))] == [1, 1]
    assert waited == [True]


def test_what_was_read_by_the_settings_of_before_is_read_again(place: Workspace, tmp_path: Path) -> None:
    turns = in_turn(place, files(tmp_path, "ab"))
    next(turns)()
    declared = place.theatre / "theatre.toml"
    declared.write_bytes(declared.read_bytes().replace(b'id = "mission"', b'id = "monitors"'))
    second = next(turns)
    with pytest.raises(PolicyError, match="'mission' is not declared"):
        second()


def test_each_file_has_its_own_fault(place: Workspace, tmp_path: Path) -> None:
    some = files(tmp_path, "ac")
    odd = tmp_path / "b.csv"
    odd.write_bytes(b"\xff\xfe\x00nothing")
    turns = in_turn(place, [some[0], odd, some[1]])
    assert next(turns)().batch.new == 1
    wrong = next(turns)
    with pytest.raises(InputError, match=r"b\.csv"):
        wrong()
    assert next(turns)().batch.new == 1
