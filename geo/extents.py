"""What ground does a breach cover, in all and day by day?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import crs, nearness, tables
from geo.course import DAY_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.breaches import Breach

    Shapes = NDArray[np.object_]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Day(NamedTuple):
    """What began on a UTC day (days since 1970; rows of violations), and the ground covered by its end."""

    number: int
    begun: list[int]
    ground: shapely.MultiPolygon


class Ground(NamedTuple):
    """The ground that a breach covers, in all and by the end of each day from its first to its last."""

    whole: shapely.MultiPolygon
    days: list[Day]


def shapes(violations: pd.DataFrame, least_m: float) -> Shapes:
    """Return each linked violation's geodesic disc, of its own radius but at least ``least_m``; WGS 84.

    Whoever knows his place to a few thousand kilometres is drawn no wider than degrees can say; the radius that he
    stated stays what is published. There is no disc (``None``) for what is part of no incident or candidate, or only
    attached to it.
    """
    linked = (violations["incident_id"].notna() & ~violations["attached"]).to_numpy(bool)
    lon, lat, radius = (violations[name].to_numpy(float)[linked] for name in ("lon", "lat", "uncertainty_m"))
    drawn = np.full(len(violations), None, object)
    drawn[linked] = crs.discs(lon, lat, np.clip(radius, least_m, np.maximum(crs.widest_m(lon, lat), least_m)))
    return drawn


def union(discs: Shapes) -> shapely.MultiPolygon:
    """Return the ground that discs cover together, as a MultiPolygon."""
    return _multi(discs[0] if len(discs) == 1 else shapely.union_all(discs))


def _multi(whole: Any) -> shapely.MultiPolygon:  # noqa: ANN401 -- what shapely returns
    return whole if isinstance(whole, shapely.MultiPolygon) else shapely.MultiPolygon([whole])


def grow(breaches: list[Breach], discs: Shapes, as_of: datetime) -> dict[str, Ground]:
    """Return by name the ground of each breach, as its violations began; ``discs`` are those of ``shapes``."""
    return {breach.name: _ground(breach, discs, as_of) for breach in breaches}


def _ground(breach: Breach, discs: Shapes, as_of: datetime) -> Ground:
    begun: dict[int, list[int]] = {}
    for violation in breach.course:
        begun.setdefault(violation.start // DAY_US, []).append(violation.row)
    now = nearness.instant(as_of)
    last = (now if breach.end.at is None else min(now, breach.end.at)) // DAY_US
    ground, days = None, []
    for number in sorted({*range(min(begun), last + 1), *begun}):
        new = begun.get(number, [])
        ground = _grown(ground, discs[new])
        days.append(Day(number, new, ground))
    return Ground(days[-1].ground, [day for day in days if day.number <= last])


def _grown(ground: shapely.MultiPolygon | None, discs: Shapes) -> shapely.MultiPolygon:
    """Return the ground with discs added; most of a shelling falls on ground that it had covered before.

    Discs are put together before the ground is touched: it has more corners than all of them.
    """
    if ground is None:
        return union(discs)
    if len(discs):
        shapely.prepare(ground)
        discs = discs[~shapely.covered_by(discs, ground)]
    return _multi(shapely.union(ground, union(discs))) if len(discs) else ground


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
        len(day.begun), int(reports[day.begun].sum()), _tier_at(breach, min(last, as_of)), day.ground,
    )  # fmt: skip


def _tier_at(breach: Breach, at: datetime) -> int:
    """Return the tier in effect at an instant; 0 once the incident has ended."""
    now = nearness.instant(at)
    if breach.end.at is not None and breach.end.at <= now:
        return 0
    return max((step.tier_to for step in breach.steps if step.kind == "effective" and step.at <= now), default=0)
