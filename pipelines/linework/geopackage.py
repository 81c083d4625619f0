"""Which lines does a GeoPackage draw?

SQLite looks first: a file with views or foreign virtual tables can make its reader run what it holds, so that it never
reaches GDAL. The count of what GDAL read is compared with the table's own.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import shapely

from pipelines import gdal
from pipelines.linework.drawn import refuse, refuse_kind

if TYPE_CHECKING:
    from pipelines.linework.drawn import Position

MAGIC: Final = b"SQLite format 3\0"
_STEPS: Final = 50_000_000  # of SQLite's machine, some seconds: no honest catalogue takes a thousandth of it
_RTREE: Final = re.compile(r"CREATE VIRTUAL TABLE \S+ USING rtree\b", re.IGNORECASE)
_WGS84: Final = ("EPSG", 4326)
_LINES: Final = ("LineString", "MultiLineString")
_CATALOGUE: Final = """
    SELECT table_name, organization, organization_coordsys_id FROM gpkg_contents
    JOIN gpkg_geometry_columns USING (table_name)
    JOIN gpkg_spatial_ref_sys ON gpkg_spatial_ref_sys.srs_id = gpkg_geometry_columns.srs_id
    WHERE data_type = 'features'"""


def read(data: bytes) -> list[list[Position]]:
    """Return the positions of each part of its only layer, longitude first; heights are dropped.

    Raises
    ------
    InputError
        If it is no GeoPackage, has several layers, is in another reference system, or draws something that is no line.
    """
    if not data.startswith(MAGIC):
        refuse("geopackage", "it is no GeoPackage; save it as one, or give it the extension of what it is")
    with tempfile.TemporaryDirectory(prefix="ceasewatch-") as folder:
        path = Path(folder) / "line.gpkg"  # a copy under a name of ours: nothing beside the raw file is touched
        path.write_bytes(data)
        try:
            layer, rows = _look(path)
            found = gdal.read(path, layer)
            shapes = found.column(found.num_columns - 1).to_pylist()  # whatever its name
        except (sqlite3.Error, RuntimeError, KeyError) as error:
            refuse("geopackage", f"it cannot be read: {error}")
    if len(shapes) != rows:
        refuse("geopackage", f"it says {rows} rows and gives {len(shapes)}: it is damaged; export it again")
    return [part for number, shape in enumerate(shapes, 1) for part in _parts(shape, f"row {number}")]


def require_plain(file: sqlite3.Connection) -> None:
    """Refuse a database that can make its reader run what it holds.

    Raises
    ------
    InputError
        If it holds a view, or a virtual table that is no spatial index.
    """
    file.set_progress_handler(lambda: 1, _STEPS)
    file.execute("PRAGMA trusted_schema = OFF")
    for kind, sql in file.execute("SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall():
        virtual = kind == "table" and re.match(r"\s*CREATE\s+VIRTUAL", str(sql), re.IGNORECASE)
        if kind == "view" or (virtual and not _RTREE.match(str(sql))):
            refuse("geopackage", "it holds a view or a virtual table; export the one layer into a new file")


def _look(path: Path) -> tuple[str, int]:
    """Return the only layer and its number of rows."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as file:
        require_plain(file)
        layers = file.execute(_CATALOGUE).fetchall()
        if len(layers) != 1:
            named = ", ".join(sorted(str(name) for name, *_ in layers)) or "none"
            refuse("layers", f"it must hold one layer and holds {len(layers)} ({named:.120}); export the line alone")
        name, authority, code = layers[0]
        if (str(authority).upper(), code) != _WGS84:
            refuse("crs", f"it is in {authority} {code}; reproject it to WGS 84 (EPSG:4326)")
        quoted = str(name).replace('"', '""')
        return str(name), int(file.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])  # noqa: S608 -- quoted as SQL wants


def _parts(wkb: bytes | None, where: str) -> list[list[Position]]:
    if wkb is None:
        return [[]]
    try:
        shape = shapely.from_wkb(wkb)
    except shapely.errors.GEOSException:
        return refuse("geometry", f"{where} is a curve or no shape at all; give LineStrings or MultiLineStrings only")
    if shape.geom_type not in _LINES:
        refuse_kind(shape.geom_type, where)
    return [[(lon, lat) for lon, lat in shapely.get_coordinates(part)] for part in shapely.get_parts(shape)] or [[]]
