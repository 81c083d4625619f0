"""What does a feature of a GeoJSON file say?

A FeatureCollection, a list of features or a single one, each a Point whose properties are the plain table's columns, a
Polygon or MultiPolygon (the place's outline), or without geometry (an observer with a bearing, in the properties).
The same reports as CSV and as GeoJSON give the same rows. Numbers stay the text that the file has, so that none is
rounded, and none that JSON does not know (``NaN``) takes more than its own row down. A third coordinate, a height, is
not read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from geo.errors import InputError
from pipelines.sources.features import DUPLICATE, Constant, Number, features
from pipelines.sources.plain import COLUMNS, interpret
from pipelines.sources.reading import Records, Refusal, shown
from pipelines.sources.records import clean, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.sources.reading import Context, Reading

FORMAT: Final = "geojson"
PLACE: Final = ("lon", "lat", "footprint")  # come from the geometry; properties of these names are not read
_UNTEXT: Final = re.compile("[\0\ud800-\udfff]")
_AXES: Final = (2, 3)
_NESTED: Final = {"Polygon": 1, "MultiPolygon": 2}  # how deep their rings are


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each feature of a file.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: codes ``encoding``, ``empty``, ``json``, ``crs``.
    """
    return interpret(_records(decode(data, context.file_name), context.file_name), context)


def _records(text: str, file_name: str) -> Records:
    rows: list[dict[str, str]] = []
    row_nos: list[int] = []
    spans: list[tuple[int, int]] = []
    broken: list[Refusal] = []
    extra: dict[str, None] = {}
    for row_no, (feature, start, stop) in enumerate(features(text, file_name), 1):
        try:
            rows.append(_row(feature, extra))
        except InputError as error:
            broken.append(Refusal(row_no, text[start:stop].encode(), error.code, str(error)))
        else:
            row_nos.append(row_no)
            spans.append((start, stop))
    return Records(
        columns={name: clean(pa.array([row.get(name, "") for row in rows], pa.string())) for name in COLUMNS},
        row_no=np.array(row_nos, dtype=np.int64),
        raw=lambda at: text[slice(*spans[at])].encode(),
        broken=tuple(broken),
        notes=tuple(_notes(extra, file_name)),
    )


def _row(feature: Any, extra: dict[str, None]) -> dict[str, str]:  # noqa: ANN401 -- whatever the file holds
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        msg = "The item is no Feature: it must be an object of type Feature, with a Point and properties."
        raise InputError(code="not_a_feature", message=msg)
    geometry, properties = feature.get("geometry"), feature.get("properties") or {}
    for part in (feature, geometry, properties):
        _once(part)
    if not isinstance(properties, dict):
        msg = "The feature's properties are no object: they must be names with values."
        raise InputError(code="not_a_feature", message=msg)
    row = dict(zip(PLACE, _position(geometry), strict=True))
    for name, value in _named(properties).items():
        if name in COLUMNS and name not in PLACE:
            row[name] = cell(name, value)
        else:
            extra[name] = None
    return row


def _named(properties: dict[str, Any]) -> dict[str, Any]:
    named = {name.strip().lower(): value for name, value in properties.items()}
    if len(named) != len(properties):
        msg = "Two properties differ only by case or white space: rename or remove one."
        raise InputError(code="duplicate_key", message=msg)
    return named


def _once(part: Any) -> None:  # noqa: ANN401 -- whatever the file holds
    if isinstance(part, dict) and DUPLICATE in part:
        msg = (
            f"The key {shown(part[DUPLICATE])} stands twice in one object: which one holds cannot be told; remove one."
        )
        raise InputError(code="duplicate_key", message=msg)


def _position(geometry: Any) -> tuple[str, str, str]:  # noqa: ANN401 -- whatever the file holds
    """Return longitude, latitude and outline; what is not there is empty."""
    if geometry is None:
        return "", "", ""
    if isinstance(geometry, dict) and geometry.get("type") in ("Polygon", "MultiPolygon"):
        outline = str(geometry["type"])
        return "", "", f"{outline.upper()} {_rings(geometry.get('coordinates'), _NESTED[outline])}"
    if not isinstance(geometry, dict) or geometry.get("type") != "Point":
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        said = shown(kind) if isinstance(kind, str) else "no geometry"
        msg = f"The geometry is {said}, and must be a Point, with how sure it is in uncertainty_m, or a Polygon."
        raise InputError(code="geometry", message=msg)
    return (*_axes(geometry.get("coordinates")), "")


def _rings(nested: Any, depth: int) -> str:  # noqa: ANN401 -- whatever the file holds
    """Return a polygon's coordinates as WKT has them."""
    if not isinstance(nested, list) or not nested:
        msg = "The Polygon's coordinates must be rings of positions, each two numbers, longitude then latitude."
        raise InputError(code="geometry", message=msg)
    if depth < 0:
        return " ".join(_axes(nested))
    return f"({', '.join(_rings(part, depth - 1) for part in nested)})"


def _axes(axes: Any) -> tuple[str, str]:  # noqa: ANN401 -- whatever the file holds
    if not isinstance(axes, list) or len(axes) not in _AXES or not all(isinstance(axis, Number) for axis in axes):
        msg = "A position must be two numbers, longitude then latitude (a height may follow)."
        raise InputError(code="geometry", message=msg)
    return axes[0], axes[1]


def cell(name: str, value: Any) -> str:  # noqa: ANN401 -- whatever the file holds
    """Return the text of a decoded value; raise ``InputError`` if it is none (``value``, ``nul``)."""
    if value is None:
        return ""
    if not isinstance(value, str) or isinstance(value, Constant):
        said = str(value) if isinstance(value, Constant | bool) else f"a {type(value).__name__}"
        msg = f"{name} is {said}, and must be a text, a number or null."
        raise InputError(code="value", message=msg)
    if not value.isascii() and _UNTEXT.search(value):
        msg = f"{name} says {shown(value)}, with half of a surrogate pair in it, which is no text: export it again."
        raise InputError(code="value", message=msg)
    if "\0" in value:
        msg = "The record contains a NUL character, which no text has: the file is damaged; export it again."
        raise InputError(code="nul", message=msg)
    return value


def _notes(extra: Iterable[str], file_name: str) -> Iterator[str]:
    if extra:
        yield f"{file_name}: properties that are not read: {', '.join(shown(name) for name in extra)}."
