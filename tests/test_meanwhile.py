"""Is what stands beside a map made while the map is written, and does nothing of it stand where either fails?"""

from __future__ import annotations

import resource
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import cells
import pandas as pd
import pytest
from cells import Clock
from publishable import hidden, publish, world

from geo import tables
from pipelines import gdal, layers, watch, yearly
from pipelines.layers import PublicationError, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

WAIT_S = 30.0
OLD = {"page.html": b"old", "cap/a.xml": b"old"}
NEW = {"page.html": b"new", "cap/a.xml": None, "cap/b.xml": b"new"}


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Return what says that a map is being written."""
    begun, written = threading.Event(), gdal.write

    def write(*given: object, **more: object) -> None:
        begun.set()
        written(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(gdal, "write", write)
    return begun


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return where an old map stands with what belongs beside it."""
    target = tmp_path / "published" / "monitor.gpkg"
    publish(world("old", n=5), target, companions=OLD.copy)
    return target


def standing(target: Path) -> dict[str, bytes]:
    """Return every file of a publication but those that locks are."""
    found = {path.relative_to(target.parent).as_posix(): path for path in target.parent.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.endswith(".lock")}


@pytest.mark.usefixtures("few")
def test_what_stands_beside_is_made_while_the_map_is_written(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there, written = threading.Event(), threading.Event(), gdal.write

    def write(*given: object, **more: object) -> None:
        here.set()
        assert there.wait(WAIT_S), "nothing is made meanwhile"
        written(*given, **more)  # type: ignore[arg-type]

    def beside() -> dict[str, bytes | None]:
        there.set()
        assert here.wait(WAIT_S), "no map is written meanwhile"
        return NEW

    monkeypatch.setattr(gdal, "write", write)
    publish(world("new", seed=1, n=5), target, companions=beside)
    layers.check(target, world("new", seed=1, n=5))
    assert {name: data for name, data in standing(target).items() if name in {*OLD, *NEW}} == {
        name: data for name, data in NEW.items() if data
    }


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("kind", [ZeroDivisionError, RuntimeError, OSError])
def test_where_what_stands_beside_cannot_be_made_all_is_as_it_was_and_its_own_fault_is_told(
    target: Path, writing: threading.Event, kind: type[Exception]
) -> None:
    before, fault = standing(target), kind("the raster")
    writing.clear()

    def fails() -> dict[str, bytes | None]:
        assert writing.wait(WAIT_S)
        raise fault

    with pytest.raises(kind, match="the raster") as told:
        publish(world("new", seed=1, n=5), target, companions=fails)
    assert told.value is fault
    assert standing(target) == before
    assert publish(world("new", seed=1, n=5), target, companions=NEW.copy).replaced


@pytest.mark.usefixtures("few")
def test_where_the_map_cannot_be_written_nothing_beside_it_changes(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = standing(target)

    def fails(*_: object) -> None:
        raise sqlite3.OperationalError(words)

    words = "no such thing"
    monkeypatch.setattr(fill, "put_aside", fails)
    with pytest.raises(PublicationError, match="could not be written: no such thing"):
        publish(world("new", seed=1, n=5), target, companions=NEW.copy)
    assert standing(target) == before
    assert hidden(target.parent) == []


def test_a_run_whose_raster_fails_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = cells.shelled(tmp_path)
    cells.run(place, Clock(41))
    target = place.target(None)
    before = standing(target)

    def fails(*_: object) -> bytes:
        raise ZeroDivisionError("the raster")  # noqa: EM101, TRY003 -- any fault of ours

    monkeypatch.setattr("pipelines.intensity.raster", fails)
    with pytest.raises(ZeroDivisionError, match="the raster"):
        cells.run(place, Clock(60))
    assert standing(target) == before


def test_nothing_of_the_past_takes_its_place_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, put = cells.shelled(tmp_path), []
    monkeypatch.setattr(yearly, "filed", lambda _: True)
    monkeypatch.setattr(yearly, "years", lambda *_: {2026: {}})
    monkeypatch.setattr(yearly, "before", lambda *_: put.append("the past"))

    def fails(*_: object) -> dict[str, bytes | None]:
        raise ZeroDivisionError("the page")  # noqa: EM101, TRY003 -- any fault of ours

    monkeypatch.setattr(watch, "companions", fails)
    with pytest.raises(ZeroDivisionError, match="the page"):
        cells.run(place, Clock(41))
    assert put == []


# --- rows that GDAL does not write


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    """Return a GeoPackage with the tables that are filled so, all empty."""
    path = tmp_path / "new.gpkg"
    for table in filter(fill.takes, tables.TABLES):
        gdal.write(held(table.name, 0), path, table, title=table.name, description=table.row)
    return path


def held(name: str, n: int) -> pa.Table:
    """Return so many rows of a table."""
    frame = world(n=n)[name] if n else tables.empty(tables.BY_NAME[name])
    return layers._rows.prepared(frame, tables.BY_NAME[name])  # noqa: SLF001


def test_filled_tables_hold_what_gdal_would_have_written(declared: Path, tmp_path: Path) -> None:
    names = [table.name for table in tables.TABLES if fill.takes(table)]
    assert "evidence" in names
    whole, rows = tmp_path / "whole.gpkg", {name: held(name, 40) for name in names}
    for name in names:
        gdal.write(rows[name], whole, tables.BY_NAME[name], title=name, description=tables.BY_NAME[name].row)
    fill.put_aside(tmp_path / "aside", rows)
    fill.take_over(declared, tmp_path / "aside", rows)
    assert not (tmp_path / "aside").exists()
    with closing(sqlite3.connect(declared)) as file, closing(sqlite3.connect(whole)) as wanted:
        for asked in everything(names):
            assert file.execute(asked).fetchall() == wanted.execute(asked).fetchall(), asked


def everything(names: list[str]) -> Iterator[str]:
    """Yield questions after all that a file holds but the time of its last change."""
    yield "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    yield "SELECT * FROM sqlite_sequence ORDER BY name"
    yield "SELECT * FROM gpkg_ogr_contents ORDER BY table_name"
    for name in names:
        columns = ", ".join(f'"{column}", typeof("{column}")' for column in tables.BY_NAME[name].names)
        yield f'SELECT fid, {columns} FROM "{name}" ORDER BY fid'  # noqa: S608 -- names come from the declaration


def test_a_disk_that_fills_up_meanwhile_is_told_of_and_the_old_map_stands(tmp_path: Path) -> None:
    target = tmp_path / "published" / "monitor.gpkg"
    old, new = world("old", n=5), world("new", n=5)
    publish(old, target)
    before = standing(target)
    new["evidence"] = pd.concat([new["evidence"]] * 20_000, ignore_index=True)
    room = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before["monitor.gpkg"]) + 100_000, room[1]))
    try:
        with pytest.raises(OSError, match="what stands there is whole"):
            publish(new, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, room)
    assert standing(target) == before
