"""Who could have seen the quiet at a scene's place, and when could nobody?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pandas as pd

from geo.crs import distance_m
from pipelines.simulator.rows import COLUMNS, coordinate, instant, stamp
from pipelines.simulator.sites import points

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from geo.fronts import Baseline
    from pipelines.simulator.sites import Site

    Span = tuple[datetime, datetime]

_SLICE: Final = timedelta(hours=24)
_MARGIN_M: Final = 500.0


@dataclass(frozen=True)
class Watch:
    """A disc somebody could see (``sees``) or could not, from ``begin`` to ``end``, aware UTC."""

    ref: str
    sees: bool
    begin: datetime
    end: datetime
    lon: float
    lat: float
    radius_m: float


def watches(site: Site, begin: datetime, period: Span, baseline: Baseline) -> list[Watch]:
    """Return what is declared for a scene: daily slices over the whole period, broken by its outage."""
    if not site.scene.watched:
        return []
    where = points(site.scene, site.chainage_m, baseline)
    lon, lat = (coordinate(value) for value in where.mean(axis=0))
    radius = round(float(distance_m(lon, lat, where[:, 0], where[:, 1]).max()) + _MARGIN_M)
    hours = site.scene.outage
    outage = None if hours is None else (instant(begin, hours[0]), instant(begin, hours[1]))
    seen = [piece for day in _days(period) for piece in without(day, [outage] if outage else [])]
    spans = [(True, *span) for span in seen] + ([(False, *outage)] if outage else [])
    return [
        Watch(f"{site.scene.name}-watch-{number:03d}", sees, first, last, lon, lat, radius)
        for number, (sees, first, last) in enumerate(spans, start=1)
    ]


def declared(found: Iterable[Watch], source: str) -> pd.DataFrame:
    """Return the rows that declare it, in the plain columns and ``source``."""
    rows = [
        {
            "source": source,
            "source_ref": watch.ref,
            "observed_from": stamp(watch.begin),
            "observed_to": stamp(watch.end),
            "lon": f"{watch.lon:.6f}",
            "lat": f"{watch.lat:.6f}",
            "uncertainty_m": f"{watch.radius_m:.0f}",
            "act": "heartbeat" if watch.sees else "outage",
            "reported_at": stamp(watch.end + timedelta(minutes=30)),
            "text": "simulated: observers on duty" if watch.sees else "simulated: nobody could see",
        }
        for watch in found
    ]
    return pd.DataFrame(rows, columns=["source", *COLUMNS], dtype="str")


def without(span: Span, holes: Iterable[Span]) -> list[Span]:
    """Return what is left of ``span``, in order; touching ends leave nothing between them."""
    left, begin = [], span[0]
    for first, last in sorted(holes):
        if first > begin:
            left.append((begin, min(first, span[1])))
        begin = max(begin, last)
        if begin >= span[1]:
            return left
    return [*left, (begin, span[1])]


def verdict(quiet: Span, near: Sequence[Watch]) -> str:
    """Return how an incident ended whose quiet is ``quiet``, with what was declared within its reach."""
    dark = without(quiet, [(watch.begin, watch.end) for watch in near if watch.sees])
    outages = [watch for watch in near if not watch.sees]
    if any(watch.begin < last and first < watch.end for first, last in dark for watch in outages):
        return "unresolved"
    return "assumed" if dark else "ceased"


def _days(period: Span) -> Iterable[Span]:
    first, end = period
    while first < end:
        yield first, min(first + _SLICE, end)
        first += _SLICE
