"""Was what happened notified beforehand: an exercise, a demining, works?

RULE 1  A violation is exempt when its whole interval lies in the exemption's [start, end), its whole footprint in its
        area, and every report that describes it states an act that the exemption names, by itself or by its family.
RULE 2  One that may lie in time and area, with an act that is named, and is not exempt, is only noted: it counts.
RULE 3  Of several exemptions the one with the least id is named. Whoever notified it, all are judged alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import shapely

from geo import crs
from geo.nearness import instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from shapely import MultiPolygon

    from geo.nearness import Things

    Bools = NDArray[np.bool_]
    Kinds = frozenset[tuple[str, str]]

_QUARTER: Final = 16  # corners of a quarter of the ring that stands for a disc
_AROUND: Final = 1 / np.cos(np.pi / (4 * _QUARTER))  # makes the ring lie around the disc, never within it


class Disc(NamedTuple):
    """Ground within ``radius_m`` (inclusive) of a place, WGS 84 degrees."""

    lon: float
    lat: float
    radius_m: float


@dataclass(frozen=True, eq=False)
class Exemption:
    """Something that would be a violation, had it not been notified.

    ``area`` is a disc, or polygons (WGS 84, edges straight in degrees, borders included); ``acts`` are acts of the
    policy or families of them. In force from ``start`` (inclusive) to ``end`` (exclusive), aware UTC.
    """

    id: str
    kind: Literal["training", "demining", "works"]
    area: Disc | MultiPolygon
    acts: frozenset[str]
    start: datetime
    end: datetime
    notified_by: str
    reference: str


class Verdict(NamedTuple):
    """By thing: the exemption that covers it, and what is to be noted of one that does not; ``None``: none, nothing."""

    exemption: list[str | None]
    note: list[str | None]


def judge(things: Things, kinds: Sequence[Kinds], exemptions: Sequence[Exemption]) -> Verdict:
    """Judge violations: ``kinds`` are the acts, with their families, of the reports that describe each."""
    found = Verdict([None] * len(things), [None] * len(things))
    for exemption in sorted(exemptions, key=lambda each: each.id):
        named = [{bool(exemption.acts & set(kind)) for kind in each} for each in kinds]
        whole, touched = _in_time(things, exemption)
        place = np.flatnonzero(touched & np.array([True in each for each in named], bool))
        inside, near = _in_area(things, exemption.area, place)
        for i, within, by in zip(place.tolist(), inside.tolist(), near.tolist(), strict=True):
            doubts = [
                what
                for what, sure in (("time", whole[i]), ("area", within), ("acts", False not in named[i]))
                if not sure
            ]
            if by and not doubts:
                found.exemption[i] = found.exemption[i] or exemption.id
            elif by:
                said = f"touches exemption {exemption.id}, not wholly within its {' and '.join(doubts)}"
                found.note[i] = said if found.note[i] is None else f"{found.note[i]}; {said}"
    return found


def _in_time(things: Things, exemption: Exemption) -> tuple[Bools, Bools]:
    start, end = instant(exemption.start), instant(exemption.end)
    return (things.start >= start) & (things.end < end), (things.end >= start) & (things.start < end)


def _in_area(things: Things, area: Disc | MultiPolygon, rows: NDArray[np.intp]) -> tuple[Bools, Bools]:
    """Return which discs surely lie in the area, and which may reach into it."""
    lon, lat, radius = things.lon[rows], things.lat[rows], things.radius_m[rows]
    if isinstance(area, Disc):
        metres = crs.distance_m(area.lon, area.lat, lon, lat)
        return metres + radius <= area.radius_m, metres - radius <= area.radius_m
    rings = crs.discs(lon, lat, radius * _AROUND, _QUARTER)
    ground = np.where(radius > 0, rings, np.asarray(shapely.points(lon, lat), object))
    return np.asarray(shapely.covers(area, ground)), np.asarray(shapely.intersects(area, ground))
