"""How does a stage's table become the rows that are written, and rows that are read a table again?

Everything that a file must not contain is settled here, once, so that what is written can be compared with what is
read, value by value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geo import tables
from geo.crs import WGS84
from geo.threads import mapped
from pipelines.layers.fault import PublicationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from geo.tables import Column, Geometry, Kind, Table

    Shapes = npt.NDArray[np.object_]

ARROW: Final[dict[Kind, pa.DataType]] = {
    "text": pa.string(),
    "int": pa.int64(),
    "real": pa.float64(),
    "bool": pa.bool_(),
    "time": pa.timestamp("ms", tz="UTC"),
    "date": pa.date32(),
}

# C0 and C1 controls but tab and line feed, and the marks that turn or isolate the direction of writing: they cut texts
# short in GDAL, and make a text on a screen read otherwise than it was written.
_CONTROLS: Final = (
    "[\\x00-\\x08\\x0B-\\x1F\\x7F-\\x{9F}\\x{61C}\\x{200E}\\x{200F}\\x{202A}-\\x{202E}\\x{2066}-\\x{2069}\\x{FEFF}]"
)
_SURROGATES: Final = re.compile("[\ud800-\udfff]")

_ACCEPTED: Final[dict[Geometry, tuple[shapely.GeometryType, ...]]] = {
    "Point": (shapely.GeometryType.POINT,),
    "LineString": (shapely.GeometryType.LINESTRING,),
    "MultiLineString": (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING),
    "MultiPolygon": (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON),
}


AT_ONCE: Final = 25
"""So many shapes are looked at together: each step makes them anew, and they may have many corners."""
ROWS_AT_ONCE: Final = 65_536
"""So many rows are written, or read back, together, where none has many corners."""
POINT: Final = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
"""A point as WKB has it."""


def prepare(frames: Mapping[str, pd.DataFrame]) -> dict[str, pa.Table]:
    """Return the rows of every declared table, in drawing order, as they shall stand in the file.

    Columns are the declared ones, in order, then ``geometry`` (WKB) where declared. Texts are NFC without control
    characters, lone surrogates replaced, never empty, in a dictionary where they were categorical; times are UTC, cut
    to milliseconds; shapes are two-dimensional, of the declared type, polygons valid with outer rings
    counter-clockwise; empty shapes are missing.

    Raises
    ------
    PublicationError
        If a table or column is missing or not declared, a value is not allowed, or a shape cannot stand on the globe.
    """
    _all_declared(set(frames))
    return {table.name: prepared(frames[table.name], table) for table in tables.TABLES}


def _all_declared(names: set[str]) -> None:
    if missing := [name for name in tables.BY_NAME if name not in names]:
        message = f"tables are missing: {', '.join(missing)}; the run must give each, if need be without rows."
        raise PublicationError(message)
    if unknown := sorted(names - set(tables.BY_NAME)):
        message = f"tables are not declared: {', '.join(unknown)}; declare them in geo/tables.py or leave them out."
        raise PublicationError(message)


def prepared(frame: pd.DataFrame, table: Table) -> pa.Table:
    """Return what ``prepare`` makes of one table."""
    wanted = _conform(frame, table)
    arrays = {column.name: _values(wanted[column.name], column, table) for column in table.columns}
    if table.geometry:
        arrays["geometry"] = _wkb(wanted["geometry"], table.name, table.geometry)
    return pa.table(arrays)


def _conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Conform; a table without rows may come without a geometry column."""
    if table.geometry and "geometry" not in frame and frame.empty:
        frame = frame.assign(geometry=None)
    texts = [c.name for c in table.columns if c.kind == "text" and c.name in frame and frame[c.name].dtype == object]
    frame = frame.assign(**{name: frame[name].map(_without_surrogates) for name in texts})
    try:
        return tables.conform(frame, table)
    except (KeyError, TypeError, ValueError) as fault:
        message = f"table {table.name} is not as declared: {fault}"
        raise PublicationError(message) from fault


def _without_surrogates(value: object) -> object:
    return _SURROGATES.sub("\ufffd", value) if isinstance(value, str) else value


def _values(series: pd.Series[Any], column: Column, table: Table) -> pa.Array:
    try:
        values = _CASTS.get(column.kind, _plain)(series, ARROW[column.kind])
    except pa.ArrowException as fault:
        message = f"{table.name}.{column.name} does not hold {column.kind}: {fault}"
        raise PublicationError(message) from fault
    _refuse_values(values, column, table)
    return values


def _plain(series: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    return _whole(pa.Array.from_pandas(series, type=kind))


def _text(series: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    if isinstance(series.dtype, pd.CategoricalDtype):
        code = series.cat.codes.to_numpy()
        each = _text(pd.Series(series.cat.categories), kind)
        return pa.DictionaryArray.from_arrays(pa.array(code, mask=code < 0), each)
    values = _whole(pa.Array.from_pandas(series, type=pa.large_string()))
    if not _is_plain(values):
        values = pc.replace_substring_regex(pc.replace_substring(values, "\r\n", "\n"), _CONTROLS, "")
        if not pc.all(pc.string_is_ascii(values), min_count=0).as_py():
            values = pc.utf8_normalize(values, form="NFC")
    empty = pc.equal(values, "")
    return (pc.if_else(empty, None, values) if pc.any(empty).as_py() else values).cast(kind)


def _is_plain(values: pa.Array) -> bool:
    """Tell whether texts are of printable ASCII alone, as most are: there is nothing to settle in them."""
    held = values.buffers()[2]
    signs = np.frombuffer(held or b"", np.uint8)
    return bool(
        (signs - np.uint8(ord(" ")) <= ord("~") - ord(" ")).all()
    )  # what lies before the blank is wrapped round


def _time(series: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    return _plain(series.dt.as_unit("ms"), kind)


def _date(series: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    return _text(series, pa.string()).cast(kind)


_CASTS: Final[dict[Kind, Callable[[pd.Series[Any], pa.DataType], pa.Array]]] = {
    "text": _text,
    "time": _time,
    "date": _date,
}


def _whole(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _refuse_values(values: pa.Array, column: Column, table: Table) -> None:
    """Refuse what no reader could make sense of: endless numbers, and values outside a closed list."""
    where = f"{table.name}.{column.name}"
    if column.kind == "real" and pc.any(pc.is_inf(values)).as_py():
        message = f"{where} holds an infinite number; give no value where none is known."
        raise PublicationError(message)
    if column.allowed and (odd := sorted(set(pc.unique(values).drop_null().to_pylist()) - set(column.allowed))):
        allowed = ", ".join(map(str, column.allowed))
        message = f"{where} holds {', '.join(map(repr, odd))}; declared are: {allowed}."
        raise PublicationError(message)


def _wkb(series: pd.Series[Any], name: str, geometry: Geometry) -> pa.Array | pa.ChunkedArray:
    if (crs := getattr(series, "crs", None)) not in (None, WGS84):
        message = f"the shapes of {name} are in {crs.name}, not in WGS 84; nothing is reprojected on the way out."
        raise PublicationError(message)
    shapes = np.array(series, dtype=object)
    shapes[pd.isna(shapes)] = None
    if geometry == "Point":
        return _points(_accepted(_on_the_globe(shapes, np.arange(len(shapes)), name), name, geometry))

    def made(start: int) -> pa.Array:
        some = shapes[start : start + AT_ONCE]
        # A shape that stands in several rows, one below the other, is made ready once.
        which = pd.factorize(np.fromiter(map(id, some), np.int64, len(some)))[0]
        first = np.unique(which, return_index=True)[1]
        ready = _accepted(_tidy(_on_the_globe(some[first], start + first, name)), name, geometry)
        wkb = shapely.to_wkb(_promote(ready, geometry))[which]
        return pa.array(wkb, pa.binary(), memory_pool=pa.system_memory_pool())  # it gives back what it does not need

    return pa.chunked_array(mapped(made, range(0, len(shapes), AT_ONCE)), pa.binary())


def _accepted(shapes: Shapes, name: str, geometry: Geometry) -> Shapes:
    """Return the shapes if they are of the declared type."""
    odd = set(np.unique(shapely.get_type_id(shapes)).tolist()) - {-1, *_ACCEPTED[geometry]}
    if odd:
        found = ", ".join(sorted(shapely.GeometryType(kind).name for kind in odd))
        message = f"{name} is declared as {geometry} and holds {found}."
        raise PublicationError(message)
    return shapes


def _on_the_globe(shapes: Shapes, rows: npt.NDArray[np.intp], name: str) -> Shapes:
    """Return shapes that stand in some rows, empty ones missing."""
    if not (np.abs(shapely.get_coordinates(shapes)) <= (180, 90)).all():
        places, at = shapely.get_coordinates(shapes, return_index=True)
        off = at[~(np.abs(places) <= (180, 90)).all(axis=1)]
        message = f"row {rows[off[0]] + 1} of {name} has a place that is not on the globe: {shapes[off[0]]}"
        raise PublicationError(message[:300])
    shapes[shapely.is_empty(shapes)] = None
    return shapes


def _tidy(shapes: Shapes) -> Shapes:
    """Return the shapes in two dimensions, polygons valid."""
    shapes = shapely.force_2d(shapes)
    broken = (shapely.get_dimensions(shapes) == 2) & ~shapely.is_valid(shapes)  # noqa: PLR2004 - surfaces have two
    shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
    shapes[shapely.is_empty(shapes)] = None
    return shapes


def _points(shapes: Shapes) -> pa.Array:
    """Return points as WKB: of one length, so that it is laid out at once."""
    places, at = shapely.get_coordinates(shapes, return_index=True)
    held = np.zeros(len(at), POINT)
    held["order"], held["kind"] = 1, shapely.GeometryType.POINT + 1
    held["x"], held["y"] = places.T
    there = np.zeros(len(shapes), bool)
    there[at] = True
    ends = np.append(0, np.cumsum(there) * POINT.itemsize).astype(np.int32)
    seen = None if there.all() else pa.array(there).buffers()[1]
    return pa.Array.from_buffers(pa.binary(), len(shapes), [seen, pa.py_buffer(ends), pa.py_buffer(held)])


def written_out(rows: pa.Table) -> pa.Schema:
    """Return the schema of rows in which every text stands where it belongs."""
    kinds = ((f.name, f.type.value_type if pa.types.is_dictionary(f.type) else f.type) for f in rows.schema)
    return pa.schema(list(kinds))


def boxes(wkb: pa.ChunkedArray, geometry: Geometry) -> npt.NDArray[np.float64]:
    """Return the bounds of the shapes that are there, shape (n, 4): west, south, east, north."""
    if geometry != "Point":
        blocks = (wkb.slice(start, AT_ONCE).drop_null() for start in range(0, len(wkb), AT_ONCE))
        return np.concatenate([np.empty((0, 4)), *(shapely.bounds(shapely.from_wkb(block)) for block in blocks)])
    present = _whole(wkb.drop_null())
    if not len(present):
        return np.empty((0, 4))
    _, ends, held = present.buffers()
    begin = np.frombuffer(ends, np.int32)[present.offset]
    points = np.frombuffer(held, POINT, len(present), begin)
    return np.stack([points["x"], points["y"], points["x"], points["y"]], axis=1)


def _promote(shapes: Shapes, geometry: Geometry) -> Shapes:
    kinds = shapely.get_type_id(shapes)
    if geometry == "MultiPolygon":
        single = kinds == shapely.GeometryType.POLYGON
        shapes[single] = shapely.multipolygons(shapes[single, np.newaxis])
        return shapely.orient_polygons(shapes)
    if geometry == "MultiLineString":
        single = kinds == shapely.GeometryType.LINESTRING
        shapes[single] = shapely.multilinestrings(shapes[single, np.newaxis])
    return shapes


_NULLABLE: Final = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


def frame(rows: pa.Table, table: Table) -> pd.DataFrame | gpd.GeoDataFrame:
    """Return rows as read from a file as a frame of the declared columns, with ``geometry`` (WGS 84) where declared."""
    data = rows.cast(written_out(rows)).to_pandas(types_mapper=_NULLABLE.get, date_as_object=True)
    if not table.geometry:
        return tables.conform(data, table)
    data["geometry"] = shapely.from_wkb(data.pop("geom").to_numpy())
    return gpd.GeoDataFrame(tables.conform(data, table), geometry="geometry", crs=WGS84)
