"""How long could somebody see the ground of each segment, on each side, and what was seen there an hour?

RULE 1  The ground of a segment on a side is what lies nearer to it than to any other segment, within ``depth_m`` of the
        line. ``STATIONS`` places stand for it, evenly along the segment and away from it; those which a bend brings
        nearer to another segment are left out, unless that leaves none.
RULE 2  A station is watched while some declaration of sight holds it, and unseen while one of not seeing does and none
        of sight: where several declare, hours count once.
RULE 3  Covered and unseen hours of a segment or side are the mean of its stations'. What is left of the span was not
        declared, and is only *assumed*.
RULE 4  A span is *declared* where all of it was covered at all stations, *assumed* where nothing of it was declared,
        *unseen* where nothing was covered and some of it declared unseen, else *partly*.
RULE 5  A violation was watched when some declaration of sight held its place at its begin. Watched violations by
        covered hour compare places and times that were not watched alike; counts alone do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from geo import nearness, tables
from geo.nearness import HOUR_US
from geo.sights import NOTHING, Sights, Spans

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from geo.fronts import Baseline
    from geo.theatre import Theatre

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

ALONG, DEEP = 8, 6  # stations along a segment, and away from it; they stand for shares of ground and are no thresholds
STATIONS: Final = ALONG * DEEP
SPANS_H: Final = {"24h": 24, "72h": 72, "7d": 168}
LENGTH_US: Final = max(SPANS_H.values()) * HOUR_US
_SIGNS: Final = {"left": 1, "right": -1}


@dataclass(frozen=True, eq=False)
class Stations:
    """Places that stand for the ground of segments: degrees, the segment's position, +1 left and -1 right."""

    lon: Floats
    lat: Floats
    segment: Ints
    sign: Ints


@lru_cache(maxsize=16)  # a baseline is frozen
def stations(baseline: Baseline, depth_m: float) -> Stations:
    """Return the stations of every segment (RULE 1)."""
    table = baseline.segments
    low, high = (table[name].to_numpy(float) for name in ("chainage_from_m", "chainage_to_m"))
    segment, along, deep, sign = (
        part.ravel()
        for part in np.meshgrid(np.arange(len(table)), np.arange(ALONG), np.arange(DEEP), [1, -1], indexing="ij")
    )
    chainage = low[segment] + (high - low)[segment] * (along + 0.5) / ALONG
    lon, lat = baseline.at(chainage, sign * depth_m * (deep + 0.5) / DEEP)
    found = baseline.locate(lon, lat)
    own = (found.segment == segment) & (found.side == sign)
    ground = 2 * segment + (sign < 0)
    own |= (np.bincount(ground, own, minlength=2 * len(table)) == 0)[ground]
    return Stations(lon[own], lat[own], segment[own], sign[own])


def measure(
    violations: pd.DataFrame, settled: pd.DataFrame, theatre: Theatre, depth_m: float, as_of: datetime
) -> pd.DataFrame:
    """Return the table ``coverage``: one row per segment, side and span that ends at ``as_of``.

    Parameters
    ----------
    violations
        With ``qualifying``, ``segment_id``, ``side``, ``lon``, ``lat`` and ``observed_from``.
    settled
        Declarations, as ``geo.sights.settle`` returns them.
    """
    until = nearness.instant(as_of)
    sights = Sights.of(settled, until - LENGTH_US, until)
    baseline = theatre.baselines[0]
    ground = stations(baseline, depth_m)
    watched = _watched(ground, sights, LENGTH_US)
    ids = baseline.segments["segment_id"]
    recent = _recent(violations, sights, ids, until)
    parts = [(side, short) for short in SPANS_H for side in (*_SIGNS, "both")]
    told = [_figures(side, SPANS_H[short], (ground, *watched), recent) for side, short in parts]
    whole = {name: np.stack([each[name] for each in told], axis=1).ravel() for name in told[0]}
    named = {"segment_id": np.repeat(ids.to_numpy(object), len(parts)), "side": [side for side, _ in parts] * len(ids)}
    frame = pd.DataFrame({**named, "span": [short for _, short in parts] * len(ids), **whole})
    return tables.conform(frame, tables.COVERAGE)


def unseen(ground: Stations, settled: pd.DataFrame, as_of: datetime, hours: int) -> Bools:
    """Return which stations were declared unseen within so many hours up to ``as_of``, and seen at no time (RULE 2)."""
    until, length_us = nearness.instant(as_of), hours * HOUR_US
    sights = Sights.of(settled, until - length_us, until)
    watched, said = (spans.within(0, len(ground.lon)) > 0 for spans in _watched(ground, sights, length_us))
    return said & ~watched


def _watched(ground: Stations, sights: Sights, length_us: int) -> tuple[Spans, Spans]:
    """Return by station when it was watched, and when anything was declared of it (RULE 2)."""
    seen = sights.spans(length_us, sees=True)
    said = seen.and_(sights.spans(length_us, sees=False)).union(length_us)
    watched, declared = NOTHING, NOTHING
    for place, station in sights.holding(ground.lon, ground.lat):
        watched = watched.and_(seen.spread(place, station)).union(length_us)
        declared = declared.and_(said.spread(place, station)).union(length_us)
    return watched, declared


def _recent(violations: pd.DataFrame, sights: Sights, ids: pd.Series, until: int) -> pd.DataFrame:
    """Return segment (position), side, begin and whether watched (RULE 5) of violations of the longest span."""
    begin = nearness.micros(violations["observed_from"]) - (until - LENGTH_US)
    fresh = violations["qualifying"].to_numpy(bool) & (begin > 0) & (begin <= LENGTH_US)
    some, at = violations.loc[fresh], begin[fresh]
    seen, watched = sights.spans(LENGTH_US, sees=True), np.zeros(len(some), bool)
    for place, row in sights.holding(some["lon"].to_numpy(float), some["lat"].to_numpy(float)):
        spans = seen.spread(place, row)
        watched[spans.key[(spans.start <= at[spans.key]) & (at[spans.key] <= spans.end)]] = True
    position = some["segment_id"].map({name: n for n, name in enumerate(ids)}).fillna(-1).astype(int)
    return pd.DataFrame({"segment": position, "side": some["side"], "at": at, "watched": watched}).query("segment >= 0")


def _figures(
    side: str, hours: int, watching: tuple[Stations, Spans, Spans], recent: pd.DataFrame
) -> dict[str, NDArray[np.generic]]:
    """Return what is told of all segments, in order, for one side and span (RULES 3 and 4)."""
    ground, watched, declared = watching
    mine = np.ones(len(ground.sign), bool) if side == "both" else ground.sign == _SIGNS[side]
    count = int(ground.segment.max()) + 1
    begin = LENGTH_US - hours * HOUR_US
    stood = np.bincount(ground.segment[mine], minlength=count)
    hour, full = stood * float(HOUR_US), stood * float(hours * HOUR_US)
    covered, said = (
        np.bincount(ground.segment[mine], spans.within(begin, len(mine))[mine], minlength=count)
        for spans in (watched, declared)
    )
    fresh = recent.loc[(recent["at"] > begin) & (recent["side"].eq(side) | (side == "both"))]
    seen = np.bincount(fresh["segment"], fresh["watched"], minlength=count)
    word = np.select([covered >= full, said == 0, covered == 0], ["declared", "assumed", "unseen"], "partly")
    return {
        "covered_h": covered / hour,
        "unseen_h": (said - covered) / hour,
        "undeclared_h": (full - said) / hour,
        "coverage": word.astype(object),
        "violations": np.bincount(fresh["segment"], minlength=count),
        "violations_watched": seen.astype(np.int64),
        "per_covered_h": np.divide(seen * hour, covered, out=np.full(count, np.nan), where=covered > 0),
    }


def beside(segments: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return segments with what the table says of both sides together, a set of columns for each span.

    The table has the same segments in the same order.
    """
    both = table.loc[table["side"] == "both"]
    spans = {short: both.loc[both["span"] == short].set_axis(segments.index) for short in SPANS_H}
    names = ("covered_h", "unseen_h", "per_covered_h", "coverage")
    return segments.assign(**{f"{name}_{short}": each[name] for short, each in spans.items() for name in names})
