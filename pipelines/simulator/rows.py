"""Which rows of which file does a scene become, at its place and in its time?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pandas as pd

from pipelines.simulator.sites import points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.fronts import Baseline
    from geo.theatre import Theatre
    from pipelines.simulator.script import Statement
    from pipelines.simulator.sites import Site

COLUMNS: Final = (
    "source_ref",
    "observed_from",
    "observed_to",
    "lon",
    "lat",
    "uncertainty_m",
    "act",
    "weapon",
    "direction",
    "count",
    "party",
    "origin",
    "reported_at",
    "text",
    "url",
)
_DAY_H: Final = 24.0


def instant(begin: datetime, hour: float) -> datetime:
    """Return ``begin`` + ``hour`` hours, to the second."""
    return begin + timedelta(seconds=round(hour * 3600))


def stamp(at: datetime) -> str:
    """Return ISO 8601 in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def coordinate(degrees: float) -> float:
    """Return a coordinate as it is written: six decimals, a decimetre."""
    return round(float(degrees), 6)


def realise(site: Site, begin: datetime, baseline: Baseline, theatre: Theatre) -> pd.DataFrame:
    """Return the rows of a scene: ``COLUMNS`` and the column ``source``, all text, missing = NaN."""
    zones = {source.id: ZoneInfo(source.time_zone) for source in theatre.sources if source.time_zone}
    where = points(site.scene, site.chainage_m, baseline)
    rows = [
        _row(statement, begin, lon, lat, zones)
        for statement, (lon, lat) in zip(site.scene.statements, where, strict=True)
    ]
    return pd.DataFrame(rows, columns=["source", *COLUMNS], dtype="str")


def _row(
    said: Statement, begin: datetime, lon: float, lat: float, zones: Mapping[str, ZoneInfo]
) -> dict[str, str | None]:
    first, last = _observed(said, begin, zones)
    ends = said.hour_from + _DAY_H if said.hour_to is None else said.hour_to
    return {
        "source": said.witness.source,
        "source_ref": said.ref,
        "observed_from": first,
        "observed_to": last,
        "lon": f"{lon:.6f}",
        "lat": f"{lat:.6f}",
        "uncertainty_m": f"{said.radius_m:.0f}",
        "act": said.act,
        "weapon": said.weapon,
        "direction": None,
        "count": str(said.count),
        "party": said.claims,
        "origin": said.witness.origin,
        "reported_at": stamp(instant(begin, ends + said.delay_h)),
        "text": said.text,
        "url": None,
    }


def _observed(said: Statement, begin: datetime, zones: Mapping[str, ZoneInfo]) -> tuple[str, str | None]:
    """Write a date without an hour where the source has a time zone, a UTC day where it has none."""
    start = instant(begin, said.hour_from)
    if said.hour_to is not None:
        return stamp(start), stamp(instant(begin, said.hour_to))
    zone = zones.get(said.witness.source)
    if zone is not None:
        return start.astimezone(zone).date().isoformat(), None
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return stamp(midnight), stamp(midnight + timedelta(hours=_DAY_H) - timedelta(seconds=1))
