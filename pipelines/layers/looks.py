"""What does a file know of how it is shown, and of where it comes from?

Default styles as QGIS keeps them (``layer_styles``), the project (``qgis_projects``), and the run's own row as
metadata, so that a reader of the standard finds it. Drivers that write metadata for themselves make readers leave files
beside the one they read; a row of our own does not.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from geo import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from pipelines.cartography import Cartography

STYLES: Final = "layer_styles"
STANDARD: Final = "urn:ceasewatch:run"
_MAKE: Final = (
    """CREATE TABLE layer_styles (
        id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
        f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
        useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
        update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))""",
    "CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)",
    """CREATE TABLE gpkg_metadata (
        id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, md_scope TEXT NOT NULL DEFAULT 'dataset',
        md_standard_uri TEXT NOT NULL, mime_type TEXT NOT NULL DEFAULT 'text/xml',
        metadata TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE gpkg_metadata_reference (
        reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
        timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), md_file_id INTEGER NOT NULL,
        md_parent_id INTEGER,
        CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
        CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id))""",
)
_EXTENSION: Final = "http://www.geopackage.org/spec121/#extension_metadata"
_STYLE: Final = "INSERT INTO layer_styles VALUES (NULL, '', '', ?, ?, ?, ?, '', 1, ?, '', NULL, ?)"
_SELECT: Final = (
    (
        "SELECT f_table_name, f_geometry_column, styleName, styleQML, description, update_time FROM layer_styles"
        " ORDER BY id"
    ),
    "SELECT name, CAST(metadata AS TEXT), CAST(content AS TEXT) FROM qgis_projects",
    "SELECT md_standard_uri, mime_type, metadata FROM gpkg_metadata",
)


def dress(path: Path, rows: Mapping[str, pa.Table], look: Cartography, instant: str) -> None:
    """Write styles, project and provenance into a GeoPackage that has its layers and none of these yet."""
    styles, project, origin = _wanted(rows, look, instant)
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("PRAGMA synchronous = OFF")
        for statement in _MAKE:
            file.execute(statement)
        file.executemany(_STYLE, [(table, place, name, qml, said, at) for table, place, name, qml, said, at in styles])
        file.executemany("INSERT INTO qgis_projects VALUES (?, ?, ?)", project)
        file.executemany("INSERT INTO gpkg_metadata VALUES (1, 'dataset', ?, ?, ?)", origin)
        file.execute(
            "INSERT INTO gpkg_metadata_reference VALUES ('geopackage', NULL, NULL, NULL, ?, 1, NULL)", (instant,)
        )
        file.executemany(
            "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_metadata', ?, 'read-write')",
            [(name, _EXTENSION) for name in ("gpkg_metadata", "gpkg_metadata_reference")],
        )
        said = "Default styles of the layers, as QGIS keeps them."
        file.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)"
            " VALUES (?, 'attributes', 'Default styles', ?, ?)",
            (STYLES, said, instant),
        )
        file.execute("INSERT INTO gpkg_ogr_contents VALUES (?, ?)", (STYLES, len(styles)))


def differences(
    file: sqlite3.Connection, rows: Mapping[str, pa.Table], look: Cartography, instant: str
) -> Iterator[str]:
    """Yield what an open file says of its look or its origin that is not what was meant, a sentence each."""
    names = ("default styles", "project", "provenance")
    for name, wanted, query in zip(names, _wanted(rows, look, instant), _SELECT, strict=True):
        if file.execute(query).fetchall() != wanted:
            yield f"its {name} are not those meant" if name.endswith("s") else f"its {name} is not the one meant"


def _wanted(
    rows: Mapping[str, pa.Table], look: Cartography, instant: str
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return the rows of the three tables, as far as they are ours to say."""
    styles: list[tuple[str, ...]] = [
        (table.name, "geom" if table.geometry else "", "default", look.styles[table.name], table.row, instant)
        for table in tables.TABLES
    ]
    run: dict[str, Any] = rows["run"].to_pylist()[0]
    told = json.dumps(run, default=lambda moment: moment.isoformat(), ensure_ascii=False, separators=(",", ":"))
    return styles, [look.embedded(instant)], [(STANDARD, "application/json", told)]
