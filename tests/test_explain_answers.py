"""Is what is read from the map, value by value, what an assessment of the same moment gives again?"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import hypothesis.strategies as st
import pytest
import strategies
from hypothesis import given
from test_ticks import DAY, EVENTS, PAUSES_H, Cell, copy, everything

from pipelines import edge, explain, watch
from pipelines.explain import whole
from pipelines.explain.answers import BEARS, published
from pipelines.layers import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from pipelines.explain.answers import Map

PAST = "past/2026.gpkg"


@pytest.fixture(autouse=True)
def _the_version_that_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "version", lambda: "test")


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """Return a cell that has published what is over, what goes on, and decisions of people, for copies of it."""
    cell = Cell(tmp_path_factory.mktemp("start"))
    cell.turn(40.0)
    cells.bring(cell.place, cells.shelling(cell.folder / "mission.csv"), cell.clock)
    cell.turn(20 * DAY)
    fresh = [cells.row(f"fresh {km}", cell.hour - 3.0, km=km) for km in (31.0, 60.0, 100.0)]
    cell.send(*fresh, cells.row("alone", cell.hour - 2.0, km=80.0, act="overflight"))
    cell.send(cells.row("rumour", cell.hour - 3.0, km=45.0), source="media")
    found = everything(cell)["violations"]["violation_id"].tolist()
    cell.decide("declare", f"B{found[-4][1:]}", "2")
    cell.decide("refute", found[-3])
    cell.turn(1.0)
    cells.run(cell.place, cell.clock)
    return cell


@pytest.fixture
def cell(start: Cell, tmp_path: Path) -> Cell:
    """Return a cell that has published."""
    return copy(start, tmp_path)


def names(cell: Cell, file: str = "monitor.gpkg") -> list[str]:
    """Return every name in a file of a publication."""
    return [
        name for table, key in dict(BEARS.values()).items() for name in read_table(cell.published / file, table)[key]
    ]


def standing(cell: Cell) -> Map | None:
    """Return the last publication, where it can be read."""
    return published(cell.place, 1, at=cell.clock())


def held(cell: Cell) -> Iterator[str]:
    """Yield what of everything that was published can be told from the map; what is told is held against the whole."""
    read, again = standing(cell), whole.assess(cell.place, 1, as_of=None, known_at=None, at=cell.clock())
    assert read is not None
    assert (read.as_of, read.known_at, read.up_to_no) == (again.as_of, again.known_at, again.up_to_no)
    past = names(cell, PAST) if (cell.published / PAST).is_file() else []
    for name in dict.fromkeys([*names(cell), *past]):
        if read.holds(name):
            assert explain.told(read, name) == explain.told(again, name), name
            yield name


def test_everything_in_the_map_is_told_from_it_and_nothing_of_the_past(cell: Cell) -> None:
    assert set(held(cell)) == set(names(cell))
    assert {name[0] for name in names(cell)} == set("BCVRD")
    assert names(cell, PAST)


def test_nothing_is_assessed_for_what_the_map_holds(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(name: str) -> str:
        return str(explain.explain(cell.place, name, as_of=None, known_at=None, at=cell.clock())["kind"])

    monkeypatch.setattr(whole, "judge", lambda *_: pytest.fail("it is assessed"))
    kinds = {name[0]: told(name) for name in names(cell)}
    assert kinds == {"B": "incident", "C": "candidate", "V": "violation", "R": "report", "D": "decision"}
    with pytest.raises(pytest.fail.Exception):
        told(names(cell, PAST)[0])


def test_a_map_that_is_not_what_was_published_is_not_believed(cell: Cell) -> None:
    file = cell.published / "monitor.gpkg"
    assert standing(cell) is not None
    file.chmod(0o644)
    with file.open("r+b") as out:
        out.seek(-1, 2)
        out.write(b"\x00" if file.read_bytes()[-1] else b"\x01")
    assert standing(cell) is None
    file.unlink()
    assert standing(cell) is None


def test_what_another_version_published_is_not_read(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert standing(cell) is not None
    monkeypatch.setattr(edge, "version", lambda: "later")
    assert standing(cell) is None


def test_what_a_region_alone_was_told_is_assessed(cell: Cell) -> None:
    cell.send(cells.row("new", cell.hour - 2.0))
    cell.turn(0.5)
    number = cells.run(cell.place, cell.clock, region="west").incidents["incident_id"]
    with cell.place.ledger() as ledger:
        last = ledger.head(None).inputs_no
    assert len(number)
    assert published(cell.place, last, at=cell.clock()) is None
    assert standing(cell) is not None


def test_a_map_that_is_replaced_meanwhile_is_not_told_from_and_the_new_one_tells_each_descent_once(cell: Cell) -> None:
    read = standing(cell)
    assert read is not None
    assert read.stands()
    one, other, *_ = (name for name in names(cell) if name.startswith("B-"))
    cell.decide("merge", one, other)
    cell.turn(0.5)
    cells.run(cell.place, cell.clock)
    assert not read.stands()
    assert read_table(cell.published / "monitor.gpkg", "lineage")["kind"].eq("merge").any()
    assert {one, other} & set(held(cell))


def test_what_may_have_been_taken_up_by_something_past_is_assessed(cell: Cell) -> None:
    """A decision keeps an old breach in the map, and the one that took it up is in the files of the past."""
    read = standing(cell)
    assert read is not None
    name = next(name for name in names(cell) if name.startswith("B-"))
    assert read.holds(name)
    rows = read.rows

    def ended(asked: str, by: str, wanted: Iterable[str]) -> pd.DataFrame:
        found = rows(asked, by, wanted)
        return found.assign(kind="ended", at=cells.at(0.0)) if asked == "transitions" else found

    assert not replace(read, rows=ended).holds(name)


def walk(data: st.DataObject, start: Cell, steps: int) -> None:
    """Let any few things happen, publish, and hold everything that is read against an assessment."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "companions", lambda *_: ({}, None))
        cell = copy(start, Path(folder))
        for _ in range(steps):
            for event in data.draw(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=3)):
                event(data.draw, cell)
            cell.turn(data.draw(st.sampled_from(PAUSES_H)))
            cells.run(cell.place, cell.clock)
        assert sum(1 for _ in held(cell)) or cell.hour > start.hour + DAY


@strategies.tries(1)
@given(st.data())
def test_what_is_read_is_what_an_assessment_says_whatever_has_happened(start: Cell, data: st.DataObject) -> None:
    walk(data, start, 1)


@pytest.mark.slow
@strategies.tries(20)
@given(st.data())
def test_what_is_read_is_what_an_assessment_says_whatever_goes_on_happening(start: Cell, data: st.DataObject) -> None:
    walk(data, start, 5)
