"""Is this file what it was meant to be?

GDAL can report success on a file that reads as empty, and SQLite's own check passes it. So the file is read back as a
stranger would read it, and compared with what was to be written.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from geo import tables
from pipelines.layers import looks, schema
from pipelines.layers.fault import PublicationError
from pipelines.layers.rows import AT_ONCE, ROWS_AT_ONCE, boxes, written_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.tables import Table
    from pipelines.cartography import Cartography

APPLICATION_ID: Final = int.from_bytes(b"GPKG")
USER_VERSION: Final = 10300
SIDECARS: Final = ("-journal", "-wal", "-shm")
_CACHE_KB: Final = 65536  # a spatial index is looked through out of order

_TRIGGERS: Final = ("trigger_insert_feature_count_{0}", "trigger_delete_feature_count_{0}")
_TRIGGERS_OF_PLACES: Final = tuple(
    f"rtree_{{0}}_geom_{event}" for event in ("insert", "update1", "update2", "update3", "update4", "delete")
)


def prove(path: Path, rows: Mapping[str, pa.Table], look: Cartography, instant: str) -> None:
    """Raise unless ``path`` is a sound GeoPackage that holds exactly ``rows``, and says so wherever it says how many.

    Parameters
    ----------
    path
        A file that nobody writes to.
    rows
        Rows of every declared table, as ``rows.prepare`` gives them.
    look, instant
        How it was to look, and the time of its last change.

    Raises
    ------
    PublicationError
        With everything that was found.
    """
    _require_none(path, _problems(path, rows, look, instant))


def prove_table(path: Path, table: Table, rows: pa.Table) -> None:
    """Raise ``PublicationError`` unless ``path`` is a sound GeoPackage with this table, and as many rows."""
    _require_none(path, _problems_of_table(path, table, rows))


def _require_none(path: Path, found: Iterator[str]) -> None:
    problems: list[str] = []
    try:
        problems.extend(found)
    except (sqlite3.Error, RuntimeError, OSError) as fault:
        problems.append(f"it cannot be read: {fault}")
    if problems:
        message = f"{path.name} is not fit to be published: " + "; ".join(problems) + "."
        raise PublicationError(message)


def _problems_of_table(path: Path, table: Table, rows: pa.Table) -> Iterator[str]:
    yield from _header(path)
    with closing(connect(path)) as file:
        yield from _kind(file)
        yield from _integrity(file)
        yield from _layer(file, table, rows)


def _problems(path: Path, rows: Mapping[str, pa.Table], look: Cartography, instant: str) -> Iterator[str]:
    yield from _header(path)
    with ThreadPoolExecutor(max_workers=1) as beside, closing(connect(path)) as file:
        file.execute(f"PRAGMA cache_size = {-_CACHE_KB}")
        if strange := list(_kind(file)):
            yield from strange
            return
        read = beside.submit(_read_back, path, rows)  # neither holds the interpreter for long
        if broken := list(_integrity(file)):
            yield from broken
            return
        yield from _contents(file)
        yield from looks.differences(file, rows, look, instant)
        for table in tables.TABLES:
            yield from _layer(file, table, rows[table.name])
        yield from read.result()


def _read_back(path: Path, rows: Mapping[str, pa.Table]) -> list[str]:
    """Return what differs in the layers that have rows: of the others, their columns and their count say all."""
    full = [table for table in tables.TABLES if rows[table.name].num_rows]
    return [problem for table in full for problem in _values(path, table, rows[table.name])]


def connect(path: Path) -> sqlite3.Connection:
    """Open the file itself: as it stands, without locks, and whatever logs lie beside it."""
    file = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    file.execute("PRAGMA trusted_schema = OFF")
    return file


def _header(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        versions = tuple(file.read(20)[18:])
    if versions != (1, 1):
        yield f"its header asks for a write-ahead log ({versions}), which a reader without write access cannot open"
    for suffix in SIDECARS:
        if (beside := path.with_name(path.name + suffix)).exists():
            yield f"{beside.name} lies beside it"


def _kind(file: sqlite3.Connection) -> Iterator[str]:
    for pragma, wanted in (("application_id", APPLICATION_ID), ("user_version", USER_VERSION)):
        if (found := file.execute(f"PRAGMA {pragma}").fetchone()[0]) != wanted:
            yield f"{pragma} is {found}, not {wanted}"


def _integrity(file: sqlite3.Connection) -> Iterator[str]:
    for (line,) in file.execute("PRAGMA integrity_check(5)"):
        if line != "ok":
            yield f"integrity: {line}"
    for table, rowid, parent, _ in file.execute("PRAGMA foreign_key_check"):
        yield f"row {rowid} of {table} points to nothing in {parent}"


def _contents(file: sqlite3.Connection) -> Iterator[str]:
    wanted = [(table.name, "features" if table.geometry else "attributes") for table in tables.TABLES]
    wanted.append((looks.STYLES, "attributes"))
    found = file.execute("SELECT table_name, data_type FROM gpkg_contents ORDER BY rowid").fetchall()
    if found != wanted:
        yield f"its contents are {found}, not {wanted}"
    places = file.execute("SELECT * FROM gpkg_geometry_columns ORDER BY rowid").fetchall()
    if places != [
        (table.name, "geom", table.geometry.upper(), 4326, 0, 0) for table in tables.TABLES if table.geometry
    ]:
        yield "its geometry columns are not those declared"
    described = file.execute("SELECT table_name, column_name FROM gpkg_data_columns ORDER BY rowid").fetchall()
    if described != [(table.name, name) for table in tables.TABLES for name in table.names]:
        yield "its columns are not described as declared"


def _layer(file: sqlite3.Connection, table: Table, rows: pa.Table) -> Iterator[str]:
    found = [(name, kind) for _, name, kind, *_ in file.execute(f'PRAGMA table_info("{table.name}")')]
    if found != (wanted := _columns(table)):
        yield f"columns of {table.name} are {found}, not {wanted}"
    counts = {
        "rows": _one(file, f'SELECT COUNT(*) FROM "{table.name}"'),  # noqa: S608 - names come from the declaration
        "counted rows": _one(file, "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", table.name),
    }
    for what, count in counts.items():
        if count != rows.num_rows:
            yield f"{table.name} has {count} {what}, not {rows.num_rows}"
    wanted_triggers = {name.format(table.name) for name in _TRIGGERS + (_TRIGGERS_OF_PLACES if table.geometry else ())}
    triggers = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    if lost := sorted(wanted_triggers - triggers):
        yield f"{table.name} has lost {', '.join(lost)}"
    wanted_indexes = {schema.index(table.name, column) for column in schema.INDEXED.get(table.name, ())}
    indexes = {name for _, name, *_ in file.execute(f'PRAGMA index_list("{table.name}")')}
    if indexes != wanted_indexes:
        yield f"the indexes of {table.name} are {sorted(indexes)}, not {sorted(wanted_indexes)}"
    if table.geometry:
        yield from _places(file, table.name, boxes(rows["geometry"], table.geometry))


def _columns(table: Table) -> list[tuple[str, str]]:
    geometry = [("geom", table.geometry.upper())] if table.geometry else []
    return [("fid", "INTEGER"), *geometry, *((column.name, schema.SQL_TYPE[column.kind]) for column in table.columns)]


def _one(file: sqlite3.Connection, query: str, *values: str) -> object:
    row = file.execute(query, values).fetchone()
    return row[0] if row else None


def _places(file: sqlite3.Connection, name: str, bounds: NDArray[np.float64]) -> Iterator[str]:
    """Compare the spatial index and the extent with those of the shapes."""
    indexed = _one(file, f'SELECT COUNT(*) FROM "rtree_{name}_geom"')  # noqa: S608 - names come from the declaration
    if indexed != len(bounds):
        yield f"the spatial index of {name} holds {indexed} shapes, not {len(bounds)}"
    if (verdict := _one(file, "SELECT rtreecheck(?)", f"rtree_{name}_geom")) != "ok":
        yield f"the spatial index of {name} is broken: {verdict}"
    query = "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = ?"
    extent = file.execute(query, (name,)).fetchone()
    wanted = (*bounds[:, :2].min(axis=0).tolist(), *bounds[:, 2:].max(axis=0).tolist()) if len(bounds) else (None,) * 4
    if not _same_extent(extent, wanted):
        yield f"the extent of {name} is {extent}, not {wanted}"


def _same_extent(found: tuple[float | None, ...] | None, wanted: tuple[float | None, ...]) -> bool:
    """Compare to a billionth of a degree: GDAL writes extents with 16 digits."""
    if found is None or None in found or None in wanted:
        return found == wanted
    return bool(np.allclose(np.array(found, float), np.array(wanted, float), rtol=0, atol=1e-9))


def _values(path: Path, table: Table, rows: pa.Table) -> Iterator[str]:
    """Read the layer as any GIS would, and compare every value."""
    from pipelines import gdal  # noqa: PLC0415 -- who only connects need not wait for it

    names = ["geom" if name == "geometry" else name for name in rows.column_names]
    read, differing, meant = 0, set[str](), written_out(rows)
    with gdal.opened(path, table.name, ROWS_AT_ONCE if table.geometry in {None, "Point"} else AT_ONCE) as found:
        columns = found.schema.names
        for batch in found if columns == names else ():
            there = pa.Table.from_batches([batch]).rename_columns(rows.column_names)
            differing.update(_differing(there, rows.slice(read, batch.num_rows).cast(meant)))
            read += batch.num_rows
    if columns != names or read != rows.num_rows:
        yield f"{table.name} is read as {read} rows of {columns}"
    elif differing:
        yield f"{table.name} is read with other values in {', '.join(sorted(differing))}"


def _differing(found: pa.Table, wanted: pa.Table) -> Iterator[str]:
    return (name for name in wanted.column_names if not found[name].equals(wanted[name]))
