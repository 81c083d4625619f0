"""How does a run's answer become one GeoPackage?"""

from __future__ import annotations

import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

import pyarrow as pa

from geo import tables
from pipelines import gdal
from pipelines.layers import fill, looks, schema
from pipelines.layers.fault import unwritten
from pipelines.layers.proof import SIDECARS
from pipelines.layers.rows import ROWS_AT_ONCE, written_out

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from geo.tables import Table
    from pipelines.cartography import Cartography

_Made = TypeVar("_Made")
_log: Final = logging.getLogger(__name__)


def twice(path: Path, make: Callable[[Path], _Made]) -> _Made:
    """Make a file and return what its maker does, and once more where that fails in a way that does not name the disk.

    A disk that fails for a moment makes GDAL write less than it says. What is wrong with us is wrong again.
    """
    try:
        return make(path)
    except (RuntimeError, sqlite3.Error) as fault:
        if isinstance(unwritten(path, fault), OSError):
            raise  # and says so
        _log.warning("%s is made again: %s", path.name, fault)
        for left in (path, *(path.with_name(path.name + end) for end in SIDECARS)):
            left.unlink(missing_ok=True)
        return make(path)


def build(path: Path, rows: Mapping[str, pa.Table], look: Cartography, instant: str) -> None:
    """Write every declared layer, in drawing order, what the columns mean, and how it all looks.

    Parameters
    ----------
    path
        A file that does not exist yet.
    rows
        Rows of every declared table, as ``rows.prepare`` gives them.
    look
        Styles and project.
    instant
        What the file gives as the time of its last change. The same rows, look and instant give the same bytes.
    """
    plain = {table.name: rows[table.name] for table in tables.TABLES if fill.takes(table) and rows[table.name].num_rows}
    beside = path.with_name(path.name + fill.ASIDE)
    with ThreadPoolExecutor(max_workers=1) as aside, gdal.dated(instant):
        put_aside = aside.submit(fill.put_aside, beside, plain)
        for table in _biggest_first(rows):
            mine = rows[table.name]
            gdal.write(
                _batches(mine.slice(0, 0) if table.name in plain else mine),
                path,
                table,
                title=schema.heading(table),
                description=schema.description(table),
            )
        put_aside.result()
    fill.take_over(path, beside, plain)
    schema.arrange(path)
    schema.describe(path)
    schema.index_columns(path)
    looks.dress(path, rows, look, instant)


def _batches(rows: pa.Table) -> pa.RecordBatchReader:
    """Return rows as they are written, some at a time: texts in a dictionary take little room, written out much."""
    plain = written_out(rows)
    some = rows.to_batches(max_chunksize=ROWS_AT_ONCE)
    return pa.RecordBatchReader.from_batches(plain, (batch.cast(plain) for batch in some))


def _biggest_first(rows: Mapping[str, pa.Table]) -> list[Table]:
    """Return the declared tables, first the one with most places: GDAL indexes the first of a file as it writes it.

    To index any other it reads it all again.
    """
    first = max(tables.TABLES, key=lambda table: rows[table.name].num_rows if table.geometry else 0)
    return sorted(tables.TABLES, key=lambda table: table is not first)
