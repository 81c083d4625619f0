"""Which lines does a GeoPackage draw?

SQLite alone opens the file, as a copy in memory: it never reaches GDAL, and nothing is written beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import shapely

from geo.errors import InputError
from pipelines.linework.drawn import refuse, refuse_kind
from pipelines.sources import gpkg

if TYPE_CHECKING:
    import sqlite3

    from pipelines.linework.drawn import Position

_LINES: Final = ("LineString", "MultiLineString")


def read(data: bytes, file_name: str) -> list[list[Position]]:
    """Return the positions of each part of its only layer, longitude first; heights are dropped.

    Raises
    ------
    InputError
        If it is no GeoPackage, has several layers, is in another reference system, or draws something that is no line.
    """
    try:
        with gpkg.opened(data, file_name) as file:
            layer, geometry = _only_layer(file)
            file.text_factory = bytes
            stored = [row[0] for row in gpkg.rows(file, layer, [geometry], file_name)]
        return [part for number, value in enumerate(stored, 1) for part in _parts(value, f"row {number}")]
    except InputError as error:
        refuse(error.code, str(error).removeprefix(f"{file_name}: "))


def _only_layer(file: sqlite3.Connection) -> tuple[str, str]:
    """Return the names of the only layer and of its column of shapes."""
    layers = file.execute(gpkg.CATALOGUE).fetchall()
    if len(layers) != 1:
        named = ", ".join(str(name) for name, *_ in layers) or "none"
        refuse("layers", f"it must hold one layer and holds {len(layers)} ({named:.120}); export the line alone")
    name, geometry, authority, code = layers[0]
    if (str(authority).upper(), code) != gpkg.WGS84:
        refuse("crs", f"it is in {authority} {code}; reproject it to WGS 84 (EPSG:4326)")
    return str(name), str(geometry)


def _parts(value: object, where: str) -> list[list[Position]]:
    if value is None:
        return [[]]
    try:
        shape = shapely.from_wkb(gpkg.wkb_of(value))
    except (shapely.errors.GEOSException, NotImplementedError):  # the second: a curve
        return refuse("geometry", f"{where} is a curve or no shape at all; give LineStrings or MultiLineStrings only")
    if shape.geom_type not in _LINES:
        refuse_kind(shape.geom_type, where)
    return [[(lon, lat) for lon, lat in shapely.get_coordinates(part)] for part in shapely.get_parts(shape)] or [[]]
