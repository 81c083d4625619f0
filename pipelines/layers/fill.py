"""How do rows get into tables that GDAL has declared?

GDAL holds the interpreter for as long as it writes. So rows of tables without places and times, of which SQLite stores
the values as they are, are written meanwhile into a file of their own, and taken over from there as they stand.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from geo import tables
from pipelines.layers.schema import SQL_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pyarrow as pa

    from geo.tables import Kind, Table

ASIDE: Final = ".rows"
"""What is added to a map's name for the file of its rows."""
_PLAIN: Final[frozenset[Kind]] = frozenset({"text", "int", "real", "bool"})


def takes(table: Table) -> bool:
    """Tell whether the rows of a table are written so."""
    return table.geometry is None and all(column.kind in _PLAIN for column in table.columns)


def put_aside(path: Path, rows: Mapping[str, pa.Table]) -> None:
    """Write rows of declared tables, by name, into a new file; they are numbered from 1, in order.

    Raises
    ------
    sqlite3.Error
        If they cannot be written.
    """
    import adbc_driver_manager  # noqa: PLC0415 -- who only reads what was published waits for no writer
    import adbc_driver_sqlite.dbapi as adbc  # noqa: PLC0415

    path.unlink(missing_ok=True)
    try:
        with adbc.connect(path.absolute().as_uri(), autocommit=True) as file, file.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode = OFF")
            cursor.execute("PRAGMA synchronous = OFF")
            for name, some in rows.items():
                columns = ", ".join(
                    f'"{column.name}" {SQL_TYPE[column.kind]}' for column in tables.BY_NAME[name].columns
                )
                cursor.execute(f'CREATE TABLE "{name}" ("fid" INTEGER PRIMARY KEY NOT NULL, {columns})')
                cursor.adbc_ingest(name, some, mode="append")
    except adbc_driver_manager.Error as fault:
        raise sqlite3.OperationalError(str(fault)) from fault


def take_over(path: Path, aside: Path, names: Iterable[str]) -> None:
    """Take rows over into a GeoPackage in which these tables are declared and empty; what they lay in is removed."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA synchronous = OFF")
        file.execute("ATTACH ? AS aside", (str(aside),))
        with file:
            for name in names:
                _take_over(file, name)
    aside.unlink()


def _take_over(file: sqlite3.Connection, name: str) -> None:
    """Take over a table's rows at once, without the triggers that would count them one by one."""
    asked = "SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger' AND tbl_name = ? ORDER BY rowid"
    triggers = file.execute(asked, (name,)).fetchall()
    for trigger, _ in triggers:
        file.execute(f'DROP TRIGGER "{trigger}"')
    taken = file.execute(f'INSERT INTO main."{name}" SELECT * FROM aside."{name}"')  # noqa: S608 -- our own names
    file.execute("UPDATE gpkg_ogr_contents SET feature_count = ? WHERE table_name = ?", (taken.rowcount, name))
    for _, made in triggers:
        file.execute(made)
