"""Which ground does a row mean, where that is no point with a radius?

Either what an observer saw or heard, ``observer_lon, observer_lat, bearing`` with ``distance_near_m`` (0 where empty)
and ``distance_far_m`` (undetermined where empty), or a place's outline, ``footprint`` (WKT). Such a row states no
``lon``, ``lat`` and ``uncertainty_m`` beside it: two places would be two statements.

``bearing`` is one of the 16 wind words (``SW``, ``south-west``), which stands for 11.25 degrees to either side; a
number of degrees clockwise from north, as sure as the policy says; or a span clockwise from one to the other (``S-W``,
``from 200 to 230``) of at most 180 degrees: a wider one would tell where the observer stood.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import shapely

from geo.shapes import Area, Sector
from pipelines.sources.fields import decimal, given
from pipelines.sources.places import FARTHEST_M, PAD_DEG, ground, positions

if TYPE_CHECKING:
    from geo.theatre import Theatre
    from pipelines.sources.reading import Mask, Sieve, Text

WINDS: Final = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
WIND_DEG: Final = 360.0 / len(WINDS)
WIDEST_DEG: Final = 180.0
CIRCLE_DEG: Final = 360.0
MOST_CORNERS: Final = 1_000
OBSERVER: Final = ("observer_lon", "observer_lat", "bearing", "distance_near_m", "distance_far_m")
POINT: Final = ("lon", "lat", "uncertainty_m")
_WORDS: Final = {"NORTH": "N", "EAST": "E", "SOUTH": "S", "WEST": "W"}
_IN_WORDS: Final = re.compile(r"(NORTH|EAST|SOUTH|WEST)([-\s]?(NORTH|EAST|SOUTH|WEST))*")
_SPAN: Final = re.compile(r"(?:from )?(.*[^-\u2013\s])(?:\s*[-\u2013]\s*| to )([^-\u2013\s].*)", re.IGNORECASE)
_DEGREES: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?°?")
_WKT: Final = re.compile(r"\s*(MULTI)?POLYGON\s*\(\s*\([-+0-9.eE,()\s]*\)\s*\)\s*", re.IGNORECASE)


def footprints(sieve: Sieve, theatre: Theatre, only: Mask) -> Text:
    """Return the footprint of each row that states one, as ``geo.shapes`` writes it, and refuse what is none.

    Rows not in ``only`` (retractions) must state none.
    """
    seen, outlined = _stated(sieve, OBSERVER), given(sieve.records.text("footprint"))
    sentence = "A retraction has no bearing and no footprint: leave them empty."
    sieve.refuse((seen | outlined) & ~only, "not_a_report", sentence)
    both = (seen & outlined) | ((seen | outlined) & _stated(sieve, POINT))
    sentence = "Where it was is stated twice: give lon and lat, or an observer with a bearing, or a footprint."
    sieve.refuse(both, "two_places", sentence)
    if not (seen | outlined).any():
        return pa.nulls(len(sieve.records), pa.string())
    told = _sectors(sieve, theatre, seen & only)
    for row, text in _outlines(sieve, theatre, outlined & only & ~both).items():
        told[row] = text
    return pa.array([told.get(row) for row in range(len(sieve.records))], pa.string())


def _stated(sieve: Sieve, names: tuple[str, ...]) -> Mask:
    stated = np.zeros(len(sieve.records), dtype=bool)
    for name in names:
        stated |= given(sieve.records.text(name))
    return stated


def _sectors(sieve: Sieve, theatre: Theatre, seen: Mask) -> dict[int, str]:
    lon, lat = positions(sieve, theatre, OBSERVER[:2], needless=~seen)
    text = sieve.records.text("bearing")
    named = sieve.records.name("bearing")
    sentence = f"{named} is empty: state in which direction it was seen or heard, such as SW, 225 or 200-230."
    sieve.refuse(seen & ~given(text), "no_bearing", sentence)
    bearings = [None if word is None else bearing(word) for word in text.to_pylist()]
    unknown = np.array([found is None for found in bearings], dtype=bool) & given(text)
    sentence = (
        f"{named} says {{value}}, and must be one of the 16 winds (SW, south-west), degrees from 0 to 360, or two of "
        "them clockwise (S-W, 200-230), at most 180 degrees apart."
    )
    sieve.refuse(seen & unknown, "bearing", sentence, value=text)
    near, far = _band(sieve, seen)
    told = {}
    for row in np.flatnonzero(seen):
        where, found = (float(lon[row]), float(lat[row])), bearings[row]
        if found is not None and np.isfinite([*where, near[row]]).all():
            reach = None if np.isnan(far[row]) else float(far[row])
            told[int(row)] = str(Sector(*where, *found, float(near[row]), reach))
    return told


def _band(sieve: Sieve, seen: Mask) -> tuple[np.ndarray, np.ndarray]:
    """Return the near and the far distance in metres; the far one is NaN where it is undetermined."""
    metres = []
    for name in ("distance_near_m", "distance_far_m"):
        text = sieve.records.text(name)
        value, bad = decimal(text, sieve.records.point)
        sentence = (
            f"{sieve.records.name(name)} says {{value}}, and must be a number of metres from 0 to {FARTHEST_M:.0f}."
        )
        sieve.refuse(seen & (bad | (value < 0) | (value > FARTHEST_M)), "distance", sentence, value=text)
        metres.append(value)
    near, far = metres
    names = [sieve.records.name(name) for name in OBSERVER[-2:]]
    sentence = f"{names[0]} is {{near}} and {names[1]} is {{far}}: state both, the far one larger, or neither."
    said = {"near": sieve.records.text("distance_near_m"), "far": sieve.records.text("distance_far_m")}
    lone = given(said["near"]) & ~given(said["far"])
    near = np.where(given(said["near"]), near, 0.0)
    sieve.refuse(seen & (lone | (near >= far)), "distance", sentence, **said)
    return near, far


@lru_cache(maxsize=4_096)
def bearing(said: str) -> tuple[float, float | None] | None:
    """Return the middle and the half width of a bearing, degrees; the half ``None``: not said; ``None``: no bearing."""
    one = _direction(said)
    if one is not None:
        return one
    span = _SPAN.fullmatch(said)
    ends = [_direction(word) for word in span.groups()] if span else []
    if len(ends) != 2 or ends[0] is None or ends[1] is None:  # noqa: PLR2004 -- from and to
        return None
    width = (ends[1][0] - ends[0][0]) % CIRCLE_DEG
    middle = (ends[0][0] + width / 2) % CIRCLE_DEG
    return (middle, width / 2) if 0 < width <= WIDEST_DEG else None


def _direction(said: str) -> tuple[float, float | None] | None:
    if _DEGREES.fullmatch(said):
        degrees = float(said.rstrip("°"))
        return (degrees % CIRCLE_DEG, None) if degrees <= CIRCLE_DEG else None
    word = said.upper()
    if _IN_WORDS.fullmatch(word):  # south-west is one direction, S-W is from one to another
        for name, letter in _WORDS.items():
            word = word.replace(name, letter)
        word = re.sub(r"[-\s]", "", word)
    return (WINDS.index(word) * WIND_DEG, WIND_DEG / 2) if word in WINDS else None


def _outlines(sieve: Sieve, theatre: Theatre, outlined: Mask) -> dict[int, str]:
    text = sieve.records.text("footprint")
    told, wrong, away = {}, np.zeros(len(text), dtype=bool), np.zeros(len(text), dtype=bool)
    box = ground(theatre)
    for row in np.flatnonzero(outlined):
        shape = outline(text[int(row)].as_py())
        wrong[row] = shape is None
        if shape is None:
            continue
        away[row] = box is not None and not shapely.box(*box).intersects(shape)
        told[int(row)] = str(Area(shapely.to_wkt(shapely.normalize(shape), rounding_precision=-1)))
    sentence = (
        f"{sieve.records.name('footprint')} says {{value}}, and must be a valid POLYGON or MULTIPOLYGON in WKT, "
        "longitude first, in degrees, of "
        f"at most {MOST_CORNERS} corners and less than {2 * PAD_DEG:g} degrees across."
    )
    sieve.refuse(wrong, "footprint", sentence, value=text)
    sentence = "footprint lies outside the theatre: correct it (longitude comes first), or send it to another theatre."
    sieve.refuse(away, "outside_theatre", sentence)
    return told


def outline(said: str) -> shapely.Polygon | shapely.MultiPolygon | None:
    """Return the polygon that WKT draws, without heights; ``None`` if it is no plain, valid one on the globe."""
    if not _WKT.fullmatch(said) or said.count(",") > MOST_CORNERS:
        return None
    shape = shapely.force_2d(shapely.from_wkt(said, on_invalid="ignore"))
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon) or shape.is_empty:
        return None
    west, south, east, north = shape.bounds
    on_globe = west >= -180 and east <= 180 and south >= -90 and north <= 90  # noqa: PLR2004 -- degrees
    small = max(east - west, north - south) < 2 * PAD_DEG
    return shape if on_globe and small and shape.is_valid and shape.area > 0 else None
