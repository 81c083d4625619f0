"""What ground does a breach cover, in all and day by day?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import crs, nearness, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.breaches import Breach

    Shapes = NDArray[np.object_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shapes(violations: pd.DataFrame, least_m: float) -> Shapes:
    """Return each violation's geodesic disc, of its own radius but at least ``least_m``; WGS 84."""
    radius = np.maximum(violations["uncertainty_m"].to_numpy(float), least_m)
    return crs.discs(violations["lon"].to_numpy(float), violations["lat"].to_numpy(float), radius)


def union(discs: Shapes) -> shapely.MultiPolygon:
    """Return the ground that discs cover together, as a MultiPolygon."""
    whole: Any = discs[0] if len(discs) == 1 else shapely.union_all(discs)
    return whole if isinstance(whole, shapely.MultiPolygon) else shapely.MultiPolygon([whole])


def days(breaches: list[Breach], violations: pd.DataFrame, discs: Shapes, as_of: datetime) -> gpd.GeoDataFrame:
    """Return the layer ``incident_days``: one row per incident and UTC day from its first to its last.

    The footprint is the one so far; a day without a new violation repeats the one before.
    """
    reports = violations["reports"].to_numpy("int64")
    rows = [row for breach in breaches for row in _days_of(breach, reports, discs, as_of)]
    frame = gpd.GeoDataFrame(
        rows, columns=[*tables.INCIDENT_DAYS.names, "geometry"], geometry="geometry", crs=crs.WGS84
    )
    return tables.conform(frame, tables.INCIDENT_DAYS)


def _days_of(
    breach: Breach, reports: NDArray[np.int64], discs: Shapes, as_of: datetime
) -> Iterator[tuple[object, ...]]:
    begun: dict[datetime, list[int]] = {}
    for violation in breach.course:
        begun.setdefault(_midnight(violation.start), []).append(violation.row)
    until = as_of if breach.end.at is None else min(as_of, _EPOCH + timedelta(microseconds=breach.end.at))
    day, ground = min(begun), None
    while day <= until:
        new = begun.get(day, [])
        ground = _grown(ground, discs[new])
        close = day + timedelta(days=1, seconds=-1)
        yield (
            breach.name, day.date().isoformat(), pd.Timestamp(day), pd.Timestamp(close),
            len(new), int(reports[new].sum()), _tier_at(breach, min(close, as_of)), ground,
        )  # fmt: skip
        day += timedelta(days=1)


def _grown(ground: shapely.MultiPolygon | None, discs: Shapes) -> shapely.MultiPolygon | None:
    """Return the ground with discs added; most of a shelling falls on ground that it had covered before."""
    if ground is not None:
        shapely.prepare(ground)
        discs = np.array([ground, *discs[~shapely.covered_by(discs, ground)]])
    return union(discs) if len(discs) > 1 or ground is None else ground


def _midnight(instant_us: int) -> datetime:
    return (_EPOCH + timedelta(microseconds=instant_us)).replace(hour=0, minute=0, second=0, microsecond=0)


def _tier_at(breach: Breach, at: datetime) -> int:
    """Return the tier in effect at an instant; 0 once the incident has ended."""
    now = nearness.instant(at)
    if breach.end.at is not None and breach.end.at <= now:
        return 0
    return max((step.tier_to for step in breach.steps if step.kind == "effective" and step.at <= now), default=0)
