"""Is what a file draws a line that can be measured from?

It need not be tidy: parts may touch, cross or stand alone. It must lie on the globe, near the baseline, and be a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np
import shapely
from shapely import MultiLineString

from geo.errors import InputError
from geo.lines import tidy
from pipelines.settings.shapes import POLE_DEG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.crs import Reals

    Bounds = tuple[float, float, float, float]
    Position = tuple[float, float]

MOST_PARTS: Final = 20_000  # each is looked at by itself; the line of a day has a few
NEAR_DEG: Final = 3.0  # a line farther from the baseline is another's, or has its axes swapped
_AREAS: Final = frozenset({"Polygon", "MultiPolygon", "LinearRing"})


@dataclass(frozen=True, eq=False)
class Drawn:
    """A line that can be used, WGS 84 degrees; ``notes`` are sentences about what was left out of it."""

    geometry: MultiLineString
    notes: tuple[str, ...]


def refuse(code: str, sentence: str) -> NoReturn:
    """Raise the error that makes a line unusable."""
    raise InputError(code, sentence)


def refuse_kind(kind: object, where: str) -> NoReturn:
    """Refuse a shape that is no line, and say what to do instead."""
    if kind in _AREAS:
        refuse(
            "area",
            f"{where} is a {kind}, an area and no line; the border of a control area is coast, state border and front "
            "together: cut the front out of it (in QGIS: Polygons to lines, then Split with lines, and delete the "
            "rest) and give it as a LineString or MultiLineString",
        )
    named = kind if isinstance(kind, str) else "shape without a type"
    refuse("geometry", f"{where} is a {named:.40}; give LineStrings or MultiLineStrings only")


def judge(parts: Sequence[Sequence[Position] | Reals], near: Bounds) -> Drawn:
    """Return the line that these parts make.

    Parameters
    ----------
    parts
        Positions of each part, longitude first.
    near
        West, south, east and north of the baseline, degrees.

    Raises
    ------
    InputError
        If it cannot be used: codes ``empty``, ``position``, ``axes``, ``antimeridian``, ``far``.
    """
    drawn = [np.array(part, dtype=float).reshape(-1, 2) for part in parts]
    if not sum(map(len, drawn)):
        refuse("empty", "it draws nothing; give the line as a LineString or MultiLineString")
    for number, part in enumerate(drawn, start=1):
        _check(part, number)
    whole = MultiLineString([part for part in drawn if len(part) > 1])
    usable = tidy(whole)
    if not usable:
        refuse("empty", "it has a single place; a line needs two")
    line = MultiLineString(usable)
    _check_near(line, near)
    lost = len(drawn) - len(usable)
    notes = (f"{lost} of {len(drawn)} parts are empty or a single place, and left out",) if lost else ()
    return Drawn(line, notes)


def _check(part: Reals, number: int) -> None:
    lon, lat = part.T
    known = np.isfinite(part).all(axis=1)
    faults = (
        (~known, "position", "has a coordinate that is no number; give degrees, or leave the position out"),
        ((np.abs(lat) > 90) & (np.abs(lon) <= 90), "axes", "has a latitude out of range; longitude comes first"),  # noqa: PLR2004 -- degrees
        ((np.abs(lon) > 180) | (np.abs(lat) > 90), "position", "is not in degrees of WGS 84; reproject it"),  # noqa: PLR2004 -- degrees
        (np.abs(lat) > POLE_DEG, "position", "lies near a pole, which is not supported"),
        (np.abs(np.diff(lon, append=lon[-1:])) > 180, "antimeridian", "crosses the antimeridian; cut the part there"),  # noqa: PLR2004 -- half a turn
    )
    for wrong, code, sentence in faults:
        if wrong.any():
            at = int(wrong.argmax())
            refuse(code, f"part {number}, position {at + 1} ({lon[at]:g}, {lat[at]:g}) {sentence}")


def _check_near(line: MultiLineString, near: Bounds) -> None:
    west, south, east, north = line.bounds
    ground = shapely.box(*near).buffer(NEAR_DEG)
    if ground.intersects(shapely.box(west, south, east, north)):
        return
    place = f"it lies from {west:.2f} to {east:.2f} E and {south:.2f} to {north:.2f} N"
    if ground.intersects(shapely.box(south, west, north, east)):
        refuse("axes", f"{place}, and near the baseline if latitude came first; longitude comes first, swap them")
    refuse("far", f"{place}, more than {NEAR_DEG:g} degrees from the baseline; it belongs to another theatre")
