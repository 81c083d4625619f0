"""What does a file say about its own columns?

The GeoPackage schema extension: a title and a description of every column and the closed lists of values, out of the
one declaration, so that a GIS shows them without this project at hand.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from geo import tables, terms

if TYPE_CHECKING:
    from pathlib import Path

    from geo.tables import Column, Kind, Table

SQL_TYPE: Final[dict[Kind, str]] = {
    "text": "TEXT", "int": "INTEGER", "real": "REAL", "bool": "BOOLEAN", "time": "DATETIME", "date": "DATE",
}  # fmt: skip
_DEFINITION: Final = "http://www.geopackage.org/spec121/#extension_schema"
_MAKE: Final = (
    """CREATE TABLE gpkg_data_columns (
        table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
        constraint_name TEXT,
        CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name))""",
    """CREATE TABLE gpkg_data_column_constraints (
        constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
        max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
        CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value))""",
)
_ENUM: Final = "INSERT INTO gpkg_data_column_constraints VALUES (?, 'enum', ?, NULL, NULL, NULL, NULL, ?)"
_COLUMN: Final = "INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, ?)"
_EXTENSION: Final = "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_schema', ?, 'read-write')"
_LABELS: Final[dict[tuple[str | int, ...], tuple[str, ...]]] = {terms.TIERS: terms.TIER_LABELS}


INDEXED: Final = {"violations": ("violation_id", "incident_id")}
"""By which columns rows are looked for, by ``explain`` as by the forms of a GIS; more of them make publishing slow."""


def index(name: str, column: str) -> str:
    """Return what the index of a column is called."""
    return f"index_{name}_{column}"


def title(column: Column) -> str:
    """Return a column's meaning in short: its description up to the first pause."""
    return re.split(r"[,;:(]", column.doc, maxsplit=1)[0].strip()


def heading(table: Table) -> str:
    """Return a table's title: its name in words."""
    return table.name.replace("_", " ").capitalize()


def description(table: Table) -> str:
    """Return what a row of a table is and what its columns are, in short."""
    columns = "; ".join(f"{column.name}: {title(column)}" for column in table.columns)
    return f"One row is {table.row}. Times are UTC. {columns}."


def constraints() -> dict[tuple[str | int, ...], str]:
    """Return the name of every closed list of values: that of the first column that uses it."""
    names: dict[tuple[str | int, ...], str] = {}
    for table in tables.TABLES:
        for column in table.columns:
            if column.allowed:
                names.setdefault(column.allowed, f"{table.name}_{column.name}")
    return names


def arrange(path: Path) -> None:
    """Put the layers of a GeoPackage into the order of the declaration: a GIS lists and draws them as they stand."""
    numbers = [(number, table.name) for number, table in enumerate(tables.TABLES, 1)]
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA synchronous = OFF")
        for listed in ("gpkg_contents", "gpkg_geometry_columns"):
            file.execute(f"UPDATE {listed} SET rowid = -rowid")  # noqa: S608 - names stand above
            file.executemany(f"UPDATE {listed} SET rowid = ? WHERE table_name = ?", numbers)  # noqa: S608


def index_columns(path: Path) -> None:
    """Make what lets the few rows of a name be found in a GeoPackage without reading all the others."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA synchronous = OFF")
        file.execute("PRAGMA temp_store = MEMORY")
        for name, columns in INDEXED.items():
            for column in columns:
                file.execute(f'CREATE INDEX "{index(name, column)}" ON "{name}" ("{column}")')


def describe(path: Path) -> None:
    """Write the declaration's words into a GeoPackage that has all its layers and no schema tables yet."""
    lists = constraints()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA synchronous = OFF")
        for statement in _MAKE:
            file.execute(statement)
        file.executemany(_ENUM, _values(lists))
        file.executemany(_COLUMN, _columns(lists))
        extended = ("gpkg_data_columns", "gpkg_data_column_constraints")
        file.executemany(_EXTENSION, [(name, _DEFINITION) for name in extended])


def _values(lists: dict[tuple[str | int, ...], str]) -> list[tuple[str, str, str]]:
    return [
        (name, str(value), str(label))
        for allowed, name in lists.items()
        for value, label in zip(allowed, _LABELS.get(allowed, allowed), strict=True)
    ]


def _columns(lists: dict[tuple[str | int, ...], str]) -> list[tuple[str, str, str, str, str, str | None]]:
    return [
        (table.name, column.name, column.name, column.title, column.doc, lists.get(column.allowed))
        for table in tables.TABLES
        for column in table.columns
    ]
