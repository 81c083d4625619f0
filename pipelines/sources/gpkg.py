"""What does a row of a GeoPackage's layers say?

Every layer of features with the plain table's column ``observed_from`` is read: Points, or outlines (Polygon and
MultiPolygon), in WGS 84. SQLite alone opens the file, as a copy in memory that nothing is written to; a file that could
make its reader run something (a view, a virtual table that is no spatial index) is refused. Rows are counted by
themselves: what the file says of its counts is not believed.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import struct
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

import shapely

from geo.errors import InputError
from pipelines.sources.cells import Gathered, number, refuse_file
from pipelines.sources.plain import interpret
from pipelines.sources.reading import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.sources.reading import Context, Reading

FORMAT: Final = "gpkg"
MAGIC: Final = b"SQLite format 3\0"
IDS: Final = (b"GPKG", b"GP10", b"GP11")
PLACE: Final = ("lon", "lat", "footprint")  # come from the geometry
STEPS: Final = 400_000_000  # of SQLite's machine: no file that is read takes a tenth of it
LONGEST: Final = 2**24  # bytes of a cell
_RTREE: Final = re.compile(r'CREATE VIRTUAL TABLE (?:\w+|"(?:[^"]|"")+") USING rtree\b', re.IGNORECASE)
_TRIGGERS: Final = re.compile(r"(rtree_|gpkg_|trigger_(insert|delete|update)_feature_count_).*", re.DOTALL)
_HEADER: Final = struct.Struct(">16sHBB")
_ENVELOPES: Final = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
_POINT, _OUTLINES = 1, (3, 6)
WGS84: Final = ("EPSG", 4326)
CATALOGUE: Final = """
    SELECT contents.table_name, columns.column_name, systems.organization, systems.organization_coordsys_id
    FROM gpkg_contents AS contents
    JOIN gpkg_geometry_columns AS columns ON columns.table_name = contents.table_name
    LEFT JOIN gpkg_spatial_ref_sys AS systems ON systems.srs_id = columns.srs_id
    WHERE contents.data_type = 'features' ORDER BY contents.table_name"""


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each row of each layer.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: codes ``geopackage``, ``crs``, ``header``.
    """
    name = context.file_name
    found = Gathered()
    with opened(data, name) as file:
        _take(file, found, name)
    return interpret(found.records(name), context)


@contextmanager
def opened(data: bytes, file_name: str) -> Iterator[sqlite3.Connection]:
    """Give a GeoPackage as a copy in memory that nothing is written to, and that can run nothing.

    Raises
    ------
    InputError
        If it is none, is damaged, or holds what could run; also for what SQLite meets while it is being read.
    """
    _check_header(data, file_name)
    with closing(sqlite3.connect(":memory:")) as file:
        try:
            file.deserialize(data)
            secure(file, file_name)
            _require_no_trigger(file, file_name)
            yield file
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:  # the last: what SQLite says of a bent name
            refuse_file("geopackage", f"it cannot be read ({error}): export it again", file_name)


def _check_header(data: bytes, file_name: str) -> None:
    if not data.startswith(MAGIC) or data[68:72] not in IDS:
        refuse_file("geopackage", "it is no GeoPackage: save it as one, or send it as what it is", file_name)
    _, page, _, reading = _HEADER.unpack_from(data)
    size, pages = 65_536 if page == 1 else page, int.from_bytes(data[28:32], "big")
    if reading != 1:
        sentence = "it was copied while open, and rows may stand in a file beside it: close it, export it again"
        refuse_file("geopackage", sentence, file_name)
    if len(data) != size * pages:
        refuse_file("geopackage", "it is not as long as it says: it was cut; send it again", file_name)


def _legible(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


def secure(file: sqlite3.Connection, file_name: str) -> None:
    """Let a database run nothing while it is read; raise ``InputError`` if it is damaged, or made to run something."""
    file.text_factory = _legible  # names may be anything
    file.set_progress_handler(lambda: 1, STEPS)
    file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    for setting in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON", "temp_store = MEMORY"):
        file.execute(f"PRAGMA {setting}")
    for kind, named, sql in _schema(file):
        virtual = kind == "table" and re.match(r"\s*CREATE\s+VIRTUAL", sql, re.IGNORECASE)
        if kind == "view" or (virtual and not _RTREE.match(sql)):
            sentence = f"it holds {shown(named)}, a view or virtual table: export its layers into a new file"
            refuse_file("geopackage", sentence, file_name)
    checked = file.execute("PRAGMA quick_check(1)").fetchone()
    if checked != ("ok",):
        refuse_file("geopackage", f"it is damaged ({checked[0]:.80}): export it again", file_name)


def _require_no_trigger(file: sqlite3.Connection, file_name: str) -> None:
    """Refuse a file that somebody has taught to act; in one that is only read nothing would, but who sent it knows."""
    for kind, named, _ in _schema(file):
        if kind == "trigger" and not _TRIGGERS.fullmatch(named):
            refuse_file(
                "geopackage", f"it holds {shown(named)}, a trigger: export its layers into a new file", file_name
            )


def _schema(file: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Return kind, name and definition of all that a database declares."""
    found = file.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return [(str(kind), str(named), str(sql)) for kind, named, sql in found]


def _take(file: sqlite3.Connection, found: Gathered, file_name: str) -> None:
    layers = file.execute(CATALOGUE).fetchall()
    columns = {layer: [row[1] for row in file.execute(f"PRAGMA table_info({_quoted(layer)})")] for layer, *_ in layers}
    read = [each for each in layers if "observed_from" in map(_plain, columns[each[0]])]
    if not read:
        refuse_file("header", "no layer has the column observed_from: add what is missing", file_name)
    file.text_factory = bytes
    for layer, geometry, authority, code in read:
        if (str(authority).upper(), code) != WGS84:
            sentence = f"layer {shown(layer)} is in {authority} {code}: reproject it to WGS 84 (EPSG:4326)"
            refuse_file("crs", sentence, file_name)
        first = len(found) + 1
        for row in rows(file, layer, columns[layer], file_name):
            _add(columns[layer], row, geometry, found)
        found.notes.append(f"{file_name}: layer {shown(layer)} is rows {first} to {len(found)}.")
    others = [shown(layer) for layer, *_ in layers if layer not in {each[0] for each in read}]
    if others:
        found.notes.append(f"{file_name}: layers without observed_from, not read: {', '.join(others)}.")


def rows(file: sqlite3.Connection, layer: str, columns: Sequence[str], file_name: str) -> Iterator[Sequence[object]]:
    """Yield some columns of a layer; raise ``InputError`` if it has other rows than it counts."""
    counted = file.execute(f"SELECT count(*) FROM {_quoted(layer)}").fetchone()[0]  # noqa: S608 -- quoted as SQL wants
    met = 0
    # By name, since * would compute generated columns too.
    for row in file.execute(f"SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(layer)}"):  # noqa: S608 -- likewise
        met += 1
        yield row
    if met != counted:
        sentence = f"layer {shown(layer)} counts {counted} rows and gives {met}: it is damaged; export it again"
        refuse_file("geopackage", sentence, file_name)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _add(names: Sequence[str], row: Sequence[object], geometry: str, found: Gathered) -> None:
    raw = json.dumps({name: _shown(value) for name, value in zip(names, row, strict=True)}).encode()
    cells: dict[str, str] = {}
    try:
        _once(names)
        for name, value in zip(names, row, strict=True):
            plain = _plain(name)
            if name == geometry:
                cells.update(_position(value))
            elif plain not in (*PLACE, "fid"):
                cells[plain] = _text(name, value)
    except InputError as error:
        found.refuse(error.code, str(error), raw)
    else:
        found.add(cells, raw)


def _plain(name: str) -> str:
    return name.strip().lower()


def _once(names: Sequence[str]) -> None:
    if len(set(map(_plain, names))) != len(names):
        msg = "Two columns of the layer differ only by case or white space: rename or remove one."
        raise InputError(code="duplicate_key", message=msg)


def _shown(value: object) -> str | None:
    if value is None:
        return None
    return _legible(value) if isinstance(value, bytes) else repr(value)


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            msg = f"{name} holds bytes that are no text: export it again."
            raise InputError(code="encoding", message=msg) from None
    return number(value) if isinstance(value, float) and math.isfinite(value) else str(value)


def wkb_of(value: object) -> bytes:
    """Return the WKB of a geometry as GeoPackage stores it; raise ``InputError`` if it is none."""
    if not isinstance(value, bytes) or value[:2] != b"GP" or len(value) < 8 or (value[3] >> 1) & 7 not in _ENVELOPES:  # noqa: PLR2004 -- its fixed head
        raise InputError(code="geometry", message="The geometry is none that a GeoPackage stores: export it again.")
    return value[8 + _ENVELOPES[(value[3] >> 1) & 7] :]


def _position(value: object) -> dict[str, str]:
    """Return longitude and latitude, or the outline, of a geometry as GeoPackage stores it."""
    if value is None:
        return {}
    body = wkb_of(value)
    order = "<" if body[:1] == b"\1" else ">"
    kind = struct.unpack_from(f"{order}I", body, 1)[0] if len(body) >= 5 else 0  # noqa: PLR2004 -- order and kind
    if kind % 1000 == _POINT and len(body) >= 21 and kind < 4000:  # noqa: PLR2004 -- and two coordinates; with heights
        lon, lat = struct.unpack_from(f"{order}dd", body, 5)
        return {} if math.isnan(lon) and math.isnan(lat) else {"lon": repr(lon), "lat": repr(lat)}
    if kind % 1000 in _OUTLINES and kind < 4000:  # noqa: PLR2004 -- with heights and measures
        try:
            return {"footprint": shapely.to_wkt(shapely.force_2d(shapely.from_wkb(body)), rounding_precision=-1)}
        except shapely.errors.GEOSException:
            pass
    msg = "The geometry is no whole Point, Polygon or MultiPolygon: give the place as one of them."
    raise InputError(code="geometry", message=msg)
