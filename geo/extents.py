"""What ground does a breach cover, in all and day by day?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo import crs, nearness, rims, tables
from geo.course import DAY_US
from geo.threads import mapped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.breaches import Breach

    Rows = NDArray[np.int64]
    Shapes = NDArray[np.object_]

_NOTHING: Final = np.empty(0, object)
_CROWD: Final = 200  # of so many discs of a day it is asked which lie among the others; no ground depends on it
_SLACK: Final = 1.01  # an edge straight in degrees may pass a little outside the circle
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Day(NamedTuple):
    """What began on a UTC day (days since 1970; rows of violations), and the ground covered by its end."""

    number: int
    begun: tuple[int, ...]
    ground: shapely.MultiPolygon


class Ground(NamedTuple):
    """The ground that a breach covers, in all and by the end of each day from its first to its last."""

    whole: shapely.MultiPolygon
    days: list[Day]


class Discs(NamedTuple):
    """The geodesic discs of violations, by position: drawn when they are asked for, since corners take much room."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    radius_m: NDArray[np.float64]

    @classmethod
    def of(cls, violations: pd.DataFrame, least_m: float) -> Self:
        """Take each violation's place and its own radius, but at least ``least_m``.

        Whoever knows his place to a few thousand kilometres is drawn no wider than degrees can say; the radius that he
        stated stays what is published.
        """
        lon, lat, radius = (violations[name].to_numpy(float) for name in ("lon", "lat", "uncertainty_m"))
        return cls(lon, lat, np.clip(radius, least_m, np.maximum(crs.widest_m(lon, lat), least_m)))

    def widest(self, rows: Rows) -> Rows:
        """Return the rows without those about the place of another whose disc holds theirs."""
        order = np.lexsort((-self.radius_m[rows], self.lat[rows], self.lon[rows]))
        lon, lat = self.lon[rows[order]], self.lat[rows[order]]
        first = np.append(True, (np.diff(lon) != 0.0) | (np.diff(lat) != 0.0))  # of each place
        kept: Rows = rows[np.sort(order[first])]
        return kept

    def covered(self, rows: Rows) -> NDArray[np.bool_]:
        """Return of which violations, at different places, the rim lies in the discs of others (``geo.rims``)."""
        return rims.covered(self.lon[rows], self.lat[rows], self.radius_m[rows])

    def holding(self, rows: Rows, places: Shapes) -> Rows:
        """Return of which places, by position, a disc of the violations holds each."""
        tree = cKDTree(crs.ecef(self.lon[rows], self.lat[rows]))
        at = crs.ecef(shapely.get_x(places), shapely.get_y(places))
        near = tree.query_ball_point(at, _SLACK * self.radius_m[rows].max())
        discs = self.drawn(rows[np.unique(np.concatenate(near).astype(np.int64))])
        return np.unique(shapely.STRtree(discs).query(places, predicate="intersects")[0])

    def drawn(self, rows: Rows | pd.Index) -> Shapes:
        """Return the discs of some violations; WGS 84."""
        at = np.asarray(rows, np.int64)
        return crs.discs(self.lon[at], self.lat[at], self.radius_m[at])


def union(discs: Shapes) -> shapely.MultiPolygon:
    """Return the ground that discs cover together, as a MultiPolygon."""
    return shapely.MultiPolygon(list(_parts(discs)))


def _parts(discs: Shapes) -> Shapes:
    """Return the polygons that discs make together; each lies apart from the others."""
    return discs if len(discs) == 1 else shapely.get_parts(shapely.union_all(discs))


def grow(breaches: list[Breach], discs: Discs, as_of: datetime) -> dict[str, Ground]:
    """Return by name the ground of each breach, as its violations began."""
    grounds = mapped(partial(_ground, discs=discs, as_of=as_of), breaches)
    return {breach.name: ground for breach, ground in zip(breaches, grounds, strict=True)}


def _ground(breach: Breach, discs: Discs, as_of: datetime) -> Ground:
    rows = np.asarray(breach.course.rows, np.int64)
    day = [start // DAY_US for start in breach.course.starts]
    now = nearness.instant(as_of)
    last = (now if breach.end.at is None else min(now, breach.end.at)) // DAY_US
    parts, ground, days = _NOTHING, shapely.MultiPolygon(), []
    for number in sorted({*range(day[0], last + 1), *day}):
        begin, end = bisect_left(day, number), bisect_right(day, number)
        if begin < end:
            grown = _grown(parts, discs, rows[begin:end])
            if grown is not parts:
                parts, ground = grown, shapely.MultiPolygon(list(grown))
        days.append(Day(number, breach.course.rows[begin:end], ground))
    return Ground(days[-1].ground, [day for day in days if day.number <= last])


def _grown(parts: Shapes, discs: Discs, rows: Rows) -> Shapes:
    """Return the polygons of a ground with the discs of violations added; they are the same where nothing is."""
    if len(rows) < _CROWD:
        return _joined(parts, discs.drawn(rows))
    rows = discs.widest(rows)
    left = discs.covered(rows)
    grown = _joined(parts, discs.drawn(rows[~left]))
    return _filled(grown, discs, rows[left]) if left.any() else grown


def _joined(parts: Shapes, discs: Shapes) -> Shapes:
    """Return the polygons of a ground with discs added, each of them; they are the same where nothing is.

    Most of a shelling falls on ground that it had covered before, and near few of its polygons. Discs are put together
    before these are touched: they have more corners than all of them.
    """
    near = np.zeros(len(parts), bool)
    near[shapely.STRtree(parts).query(discs)[1]] = True
    if not near.any():
        return np.concatenate([parts, _parts(discs)])
    ground = shapely.MultiPolygon(list(parts[near]))
    shapely.prepare(ground)
    bare = discs[~shapely.covers(ground, discs)]
    if not len(bare):
        return parts
    grown = shapely.get_parts(shapely.union(ground, union(bare)))
    return np.concatenate([parts[~near], grown])


def _filled(parts: Shapes, discs: Discs, left: Rows) -> Shapes:
    """Return polygons without the gaps that discs leave which were left out (``geo.rims``)."""
    rings, owner = shapely.get_rings(parts, return_index=True)
    false = discs.holding(left, shapely.get_point(rings, 0))
    if not len(false):
        return parts
    torn = np.isin(owner, owner[false])
    torn[false] = False
    mended = shapely.build_area(shapely.MultiLineString(list(rings[torn])))
    return np.concatenate([np.delete(parts, owner[false]), shapely.get_parts(mended)])


def layer(
    breaches: list[Breach], grounds: dict[str, Ground], violations: pd.DataFrame, as_of: datetime
) -> gpd.GeoDataFrame:
    """Return the layer ``incident_days``: one row per incident and UTC day from its first to its last.

    The footprint is the one so far; a day without a new violation repeats the one before.
    """
    reports = violations["reports"].to_numpy("int64")
    rows = [_row(breach, day, reports, as_of) for breach in breaches for day in grounds[breach.name].days]
    frame = gpd.GeoDataFrame(
        rows, columns=[*tables.INCIDENT_DAYS.names, "geometry"], geometry="geometry", crs=crs.WGS84
    )
    return tables.conform(frame, tables.INCIDENT_DAYS)


def _row(breach: Breach, day: Day, reports: NDArray[np.int64], as_of: datetime) -> tuple[object, ...]:
    begin = _EPOCH + timedelta(days=day.number)
    close = begin + timedelta(days=1, seconds=-1)  # of the second that time sliders step by
    last = begin + timedelta(days=1, microseconds=-1)
    return (
        breach.name, begin.date().isoformat(), pd.Timestamp(begin), pd.Timestamp(close),
        len(day.begun), int(reports[list(day.begun)].sum()), _tier_at(breach, min(last, as_of)), day.ground,
    )  # fmt: skip


def _tier_at(breach: Breach, at: datetime) -> int:
    """Return the tier in effect at an instant; 0 once the incident has ended."""
    now = nearness.instant(at)
    if breach.end.at is not None and breach.end.at <= now:
        return 0
    return max((step.tier_to for step in breach.steps if step.kind == "effective" and step.at <= now), default=0)
