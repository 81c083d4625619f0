"""Is what is read from what was published, value by value, what an assessment of the same moment gives again?"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import strategies
from hypothesis import given
from test_ticks import DAY, EVENTS, PAUSES_H, Cell, copy, everything

from geo.errors import PolicyError
from pipelines import edge, explain, hashes, watch
from pipelines.explain import filed, whole
from pipelines.explain.answers import BEARS
from pipelines.explain.filed import published
from pipelines.layers import read_table, some, swap
from pipelines.outcome import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.explain.filed import Filed

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


def standing(cell: Cell, name: str | None = None) -> Filed | None:
    """Return the last publication as its files tell of a name, by default of one in the map, where they can be read."""
    return published(cell.place, names(cell)[0] if name is None else name, 1, at=cell.clock())


def held(cell: Cell) -> Iterator[str]:
    """Yield everything that was published; what is told of it is held against the whole."""
    again = whole.assess(cell.place, "R-1", 1, as_of=None, known_at=None, at=cell.clock())
    past = names(cell, PAST) if (cell.published / PAST).is_file() else []
    for name in dict.fromkeys([*names(cell), *past]):
        read = standing(cell, name)
        assert read is not None, name
        assert (read.as_of, read.known_at, read.up_to_no) == (again.as_of, again.known_at, again.up_to_no)
        assert explain.told(read, name) == explain.told(again, name), name
        yield name


def test_everything_that_was_published_is_told_from_it(cell: Cell) -> None:
    assert set(held(cell)) == {*names(cell), *names(cell, PAST)}
    assert {name[0] for name in names(cell)} == set("BCVRD")
    assert {name[0] for name in names(cell, PAST)} >= set("BVR")


def test_nothing_is_assessed_for_what_was_published(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(name: str) -> str:
        return str(explain.explain(cell.place, name, as_of=None, known_at=None, at=cell.clock())["kind"])

    monkeypatch.setattr(whole, "judge", lambda *_: pytest.fail("it is assessed"))
    kinds = {name[0]: told(name) for name in names(cell)}
    assert kinds == {"B": "incident", "C": "candidate", "V": "violation", "R": "report", "D": "decision"}
    past = {name[0]: told(name) for name in names(cell, PAST)}
    assert past.items() <= kinds.items()
    with pytest.raises(pytest.fail.Exception):
        told("R-1")  # the theatre's own entry
    with pytest.raises(PolicyError, match="no entry 1000000"):
        told("R-1000000")


def test_what_takes_up_something_past_is_told_of_both(cell: Cell) -> None:
    old, new = names(cell, PAST)[0], next(name for name in names(cell) if name[0] == "B")
    for name in (old, new):
        read = standing(cell, name)
        assert read is not None
        assert [(row["from_id"], row["to_id"]) for row in explain.told(read, name)["lineage"]] == [(old, new)]


@pytest.mark.parametrize("remembered", [False, True])
@pytest.mark.parametrize("title", ["monitor.gpkg", PAST])
def test_a_file_that_is_not_what_was_published_is_not_believed(
    cell: Cell, monkeypatch: pytest.MonkeyPatch, title: str, *, remembered: bool
) -> None:
    file, name = cell.published / title, names(cell, title)[0]
    if remembered:
        for kept in (cell.kept, cell.window):
            kept.unlink()  # else the files of the past are left as they are
        cells.run(cell.place, cell.clock)
        assert hashes.FILE in {each.name for each in (cell.place.path / hashes.FOLDER).iterdir()}
        with monkeypatch.context() as patch:
            patch.setattr(swap, "digest", lambda _: pytest.fail("it is read"))
            assert standing(cell, name) is not None
    assert standing(cell, name) is not None
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.chmod(0o644)
    with file.open("r+b") as out:
        out.seek(-1, 2)
        out.write(b"\x00" if file.read_bytes()[-1] else b"\x01")
    os.utime(file, ns=times)
    assert standing(cell, name) is None
    file.unlink()
    assert published(cell.place, name, 1, at=cell.clock()) is None


@pytest.mark.parametrize("held_there", [b"", b"[]", b'{"published/monitor.gpkg": []}', b"\xff"])
def test_where_nothing_is_remembered_files_are_read(cell: Cell, held_there: bytes) -> None:
    (cell.place.path / hashes.FOLDER / hashes.FILE).unlink()
    assert standing(cell) is not None
    (cell.place.path / hashes.FOLDER / hashes.FILE).write_bytes(held_there)
    assert standing(cell) is not None


def test_what_is_changed_after_it_was_hashed_is_not_remembered(cell: Cell) -> None:
    file = cell.published / "monitor.gpkg"
    (cell.place.path / hashes.FOLDER / hashes.FILE).unlink()
    state = swap.state(file)
    hashes.remember(cell.place, {file: ("0" * 64, state._replace(changed=state.changed - 1))})
    assert hashes.computed(cell.place, [file]) == {file: swap.digest(file)}
    hashes.remember(cell.place, {file: ("0" * 64, state)})
    assert hashes.computed(cell.place, [file]) == {file: "0" * 64}


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
    assert published(cell.place, names(cell)[0], last, at=cell.clock()) is None
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


def test_of_what_may_have_been_taken_up_by_something_past_all_files_are_asked(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision keeps an old breach in the map, and the one that took it up is in the files of the past."""
    name = next(name for name in names(cell) if name.startswith("B-"))
    alone, rows = standing(cell, name), some.stored
    assert alone is not None
    assert len(alone.files) == 1

    def ended(path: Path, asked: str, by: str, wanted: Iterable[str]) -> pd.DataFrame:
        found = rows(path, asked, by, wanted)
        return found.assign(kind="ended", at=cells.at(0.0)) if asked == "transitions" else found

    with monkeypatch.context() as patch:
        patch.setattr(filed.some, "stored", ended)
        every = standing(cell, name)
    assert every is not None
    assert len(every.files) > 1
    assert explain.told(every, name) == explain.told(alone, name)


def test_rows_are_told_as_plain_values() -> None:
    moments = pd.to_datetime(["2026-03-01T12:00:59.999+02:00", None], utc=True, format="ISO8601")
    frame = pd.DataFrame(
        {
            "at": moments,
            "odd": pd.Series([pd.Timestamp("2026-03-01T12:00Z"), pd.NaT], dtype="object"),
            "text": pd.array(["é", None], "str"),
            "count": pd.array([1, None], "Int64"),
            "sure": pd.array([True, None], "boolean"),
            "real": [0.5, float("nan")],
            "kind": pd.Series([np.int64(3), np.False_], dtype="object"),
        }
    )
    first, second = records(frame)
    assert (
        json.dumps(list(first.values()))
        == '["2026-03-01T10:00:59Z", "2026-03-01T12:00:00Z", "\\u00e9", 1, true, 0.5, 3]'
    )
    assert list(second.values()) == [None] * 6 + [False]
    assert type(second["kind"]) is bool
    assert records(frame.iloc[:0]) == []


def walk(data: st.DataObject, start: Cell, steps: int) -> None:
    """Let any few things happen, publish, and hold everything that is read against an assessment."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "companions", lambda *_: {})
        cell = copy(start, Path(folder))
        for _ in range(steps):
            for event in data.draw(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=3)):
                event(data.draw, cell)
            cell.turn(data.draw(st.sampled_from(PAUSES_H)))
            cells.run(cell.place, cell.clock)
        assert sum(1 for _ in held(cell))


@strategies.tries(1)
@given(st.data())
def test_what_is_read_is_what_an_assessment_says_whatever_has_happened(start: Cell, data: st.DataObject) -> None:
    walk(data, start, 1)


@pytest.mark.slow
@strategies.tries(20)
@given(st.data())
def test_what_is_read_is_what_an_assessment_says_whatever_goes_on_happening(start: Cell, data: st.DataObject) -> None:
    walk(data, start, 5)
