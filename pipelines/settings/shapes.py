"""What does a GeoJSON file draw, if it is read to the letter?

Read with the ``json`` module and checked by hand: no guess of format, axis order or reference system. Longitude comes
first (RFC 7946). A shape across the antimeridian or near a pole is refused, since every later step draws in degrees.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import shapely
from shapely.geometry import LineString, MultiLineString, MultiPolygon, Polygon
from shapely.validation import explain_validity

from pipelines.settings.mistakes import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.settings.mistakes import Mistakes

LINES: Final = ("LineString", "MultiLineString")
AREAS: Final = ("Polygon", "MultiPolygon")
POLE_DEG: Final = 85.0
_WGS84: Final = frozenset(
    {
        "urn:ogc:def:crs:ogc:1.3:crs84",
        "urn:ogc:def:crs:ogc::crs84",
        "http://www.opengis.net/def/crs/ogc/1.3/crs84",
        "ogc:crs84",
        "epsg:4326",
        "urn:ogc:def:crs:epsg::4326",
    }
)
_DIMENSIONS: Final = (2, 3)
_RING: Final = 4


@dataclass(frozen=True)
class Feature:
    """One feature: its number in the file (from 1), its properties (with a top-level ``id``, if any) and its shape."""

    number: int
    properties: dict[str, Any]
    geometry: LineString | MultiLineString | Polygon | MultiPolygon


class _RefusedError(Exception):
    """A shape that cannot be used: what is wrong, what to do."""

    def __init__(self, wrong: str, todo: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.todo = todo


def read_features(data: bytes, file: str, kinds: tuple[str, ...], mistakes: Mistakes) -> list[Feature]:
    """Return the features of a GeoJSON file, longitude and latitude in degrees (WGS 84); heights are dropped.

    Every feature must have a geometry of one of the ``kinds``. What cannot be used is noted, once a feature, and left
    out.
    """
    features = []
    for number, member in enumerate(read_members(data, file, kinds[0], mistakes), start=1):
        try:
            features.append(_feature(number, member, kinds))
        except _RefusedError as error:
            mistakes.add(file, f"feature {number}", error.wrong, error.todo)
    return features


def read_members(data: bytes, file: str, wanted: str, mistakes: Mistakes) -> list[Any]:
    """Return the features of a GeoJSON file as they stand, unjudged; none, with the mistake noted, if there are none.

    A bare geometry counts as one feature. ``wanted`` is the kind of shape that a sentence asks for.
    """
    try:
        found = list(_members(_parse(data)))
    except _RefusedError as error:
        mistakes.add(file, "", error.wrong, error.todo)
        return []
    if not found:
        mistakes.add(file, "", "holds no feature", f"give it at least one {wanted}")
    return found


def _parse(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_constant, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        wrong = f"is not UTF-8 (byte {error.start + 1})"
        raise _RefusedError(wrong, "save the file as UTF-8") from None
    except (ValueError, RecursionError) as error:
        wrong = f"is no valid JSON: {error}"
        raise _RefusedError(wrong, "correct the file") from None
    if not isinstance(document, dict):
        wrong = "is no GeoJSON object"
        raise _RefusedError(wrong, "give a FeatureCollection")
    _check_crs(document)
    return document


def _constant(name: str) -> float:
    wrong = f"holds {name}, which is no number in JSON"
    raise _RefusedError(wrong, "give a coordinate, or remove the position")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        wrong = f"has an object with a key twice (keys: {shown([key for key, _ in pairs])})"
        raise _RefusedError(wrong, "keep one of them")
    return result


def _check_crs(document: dict[str, Any]) -> None:
    if "crs" not in document:
        return
    crs = document["crs"]
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else crs
    if not isinstance(name, str) or name.lower() not in _WGS84:
        wrong = f"is in another reference system ({shown(name)})"
        raise _RefusedError(wrong, "convert it to WGS 84, longitude first, and remove the crs member")


def _members(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            wrong = "has no list of features"
            raise _RefusedError(wrong, "give a FeatureCollection with its features")
        yield from features
    elif kind == "Feature":
        yield document
    elif kind in (*LINES, *AREAS):
        yield {"type": "Feature", "properties": {}, "geometry": document}
    else:
        wrong = f"is a GeoJSON object of type {shown(kind)}"
        raise _RefusedError(wrong, "give a FeatureCollection")


def _feature(number: int, member: object, kinds: tuple[str, ...]) -> Feature:
    geometry = member.get("geometry") if isinstance(member, dict) else None
    if not isinstance(member, dict) or not isinstance(geometry, dict):
        wrong = "has no geometry"
        raise _RefusedError(wrong, f"give it a {kinds[0]}, or remove it")
    _check_crs(member)
    _check_crs(geometry)
    if geometry.get("type") not in kinds:
        wrong = f"is a {geometry.get('type')}"
        raise _RefusedError(wrong, f"draw it as {' or '.join(kinds)}")
    properties = member.get("properties") or {}
    if not isinstance(properties, dict):
        wrong = "has properties that are no object"
        raise _RefusedError(wrong, "give names and values")
    if "id" in member:
        properties = {"id": member["id"], **properties}
    return Feature(number, properties, _geometry(geometry))


def _geometry(geometry: dict[str, Any]) -> LineString | MultiLineString | Polygon | MultiPolygon:
    kind, coordinates = geometry["type"], geometry.get("coordinates")
    if kind == "LineString":
        return LineString(_line(coordinates))
    if kind == "MultiLineString":
        return MultiLineString([_line(line) for line in _items(coordinates)])
    polygons = [coordinates] if kind == "Polygon" else _items(coordinates)
    shape = MultiPolygon([_polygon(polygon) for polygon in polygons])
    if not shapely.is_valid(shape):
        wrong = f"is no valid polygon ({explain_validity(shape)})"
        raise _RefusedError(wrong, "redraw it so that its edges neither cross nor overlap")
    return shape


def _items(value: object) -> list[Any]:
    if not isinstance(value, list) or not value:
        wrong = "has no coordinates"
        raise _RefusedError(wrong, "draw it, or remove it")
    return value


def _line(value: object) -> list[tuple[float, float]]:
    line = [_position(item, number) for number, item in enumerate(_items(value), start=1)]
    if len(line) < len(_DIMENSIONS):
        wrong = "is a line with a single position"
        raise _RefusedError(wrong, "give at least two")
    for number, (here, there) in enumerate(itertools.pairwise(line), start=1):
        if abs(here[0] - there[0]) > 180:  # noqa: PLR2004 -- half a turn
            wrong = f"crosses the antimeridian after position {number}"
            raise _RefusedError(wrong, "this is not supported: cut it there")
    return line


def _polygon(value: object) -> Polygon:
    shell, *holes = [_ring(ring) for ring in _items(value)]
    return Polygon(shell, holes)


def _ring(value: object) -> list[tuple[float, float]]:
    ring = _line(value)
    if len(ring) < _RING or ring[0] != ring[-1]:
        wrong = "has a ring that is not closed or has fewer than four positions"
        raise _RefusedError(wrong, "repeat the first position at its end")
    return ring


def _position(value: object, number: int) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) not in _DIMENSIONS or not all(map(is_number, value)):
        wrong = f"position {number} is {shown(value)}"
        raise _RefusedError(wrong, "give longitude and latitude in degrees, as numbers")
    lon, lat = float(value[0]), float(value[1])
    if abs(lat) > 90 >= abs(lon):  # noqa: PLR2004 -- degrees of latitude
        wrong = f"position {number} ({lon:g}, {lat:g}) has a latitude out of range, as if latitude came first"
        raise _RefusedError(wrong, "swap them: longitude comes first")
    if abs(lon) > 180 or abs(lat) > 90:  # noqa: PLR2004 -- degrees of longitude and latitude
        wrong = f"position {number} ({lon:g}, {lat:g}) is out of range"
        raise _RefusedError(wrong, "give longitude and latitude in degrees (WGS 84), not metres")
    if abs(lat) > POLE_DEG:
        wrong = f"position {number} ({lon:g}, {lat:g}) lies near a pole"
        raise _RefusedError(wrong, f"this is not supported beyond {POLE_DEG:g} degrees of latitude")
    return lon, lat


def is_number(value: object) -> bool:
    """Tell whether a parsed value is a number that can be a coordinate."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
