"""Who declared to see which ground, and when?

A declaration says that a source could see (a heartbeat, a patrol, a satellite's pass) or could not (an outage), over an
interval, on the ground that it names:

RULE 1  a disc: what lies within its radius, geodesic and inclusive;
RULE 2  a footprint: what the outline or the sector holds; a bearing or distance left open is as the policy has it;
RULE 3  no place at all: the regions that its source covers, as the theatre declares them.
RULE 4  What a public source declares is not heard, nor what a source declares that the theatre does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo import nearness, shapes
from geo.crs import chords, distance_m, ecef
from geo.reports import voiced
from geo.shapes import Area, Sector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.policy import Policy
    from geo.theatre import Theatre

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_BLOCK: Final = 4_000_000  # pairs looked at together, to bound the memory
_ALIKE: Final = 1.2  # radii of one search differ by no larger factor: this only trades speed for speed


def settle(coverage: pd.DataFrame, theatre: Theatre, policy: Policy) -> pd.DataFrame:
    """Return the declarations that are heard, with the ``ground`` of each: a shape, or ``None`` for a disc.

    Parameters
    ----------
    coverage
        ``geo.reports.COVERAGE``.
    """
    trusted = {source.id for source in theatre.sources if source.trust != "public"}
    coverage = voiced(coverage, theatre)
    heard = coverage.loc[coverage["source"].isin(trusted)].reset_index(drop=True)
    disc = heard["lon"].notna() & heard["lat"].notna()
    regions = theatre.regions.set_index("region_id").geometry
    covered = {source.id: _area(regions, source.covers) for source in theatre.sources if source.covers}
    drawn: dict[str, Area | Sector] = {}
    grounds: list[Area | Sector | None] = [None] * len(heard)
    for row in np.flatnonzero(~disc):
        text, source = heard["footprint"].iloc[row], heard["source"].iloc[row]
        if not pd.isna(text):
            shape = drawn.get(text) or shapes.settled(shapes.parse(text), None, policy)
            grounds[row] = drawn[text] = shape if isinstance(shape, Area | Sector) else Area(str(shape))
        else:
            grounds[row] = covered.get(source)
    ground = pd.Series(grounds, heard.index, dtype=object)
    return heard.assign(ground=ground).loc[disc | ground.notna()].reset_index(drop=True)


def _area(regions: pd.Series, names: tuple[str, ...]) -> Area:
    whole = shapely.union_all(regions.loc[[name for name in names if name in regions.index]].to_numpy())
    return Area(shapely.to_wkt(whole, rounding_precision=-1))


def outlined(settled: pd.DataFrame, lon: Floats, lat: Floats) -> Iterator[tuple[list[int], list[int]]]:
    """Yield, for every ground that is no disc, its declarations and the places that it holds, by position."""
    rows: dict[int, list[int]] = {}
    grounds = settled["ground"].tolist()
    for row, ground in enumerate(grounds):
        if ground is not None:
            rows.setdefault(id(ground), []).append(row)
    for mine in rows.values():
        yield mine, np.flatnonzero(grounds[mine[0]].holds(lon, lat)).tolist()


@dataclass(frozen=True, eq=False)
class Spans:
    """Intervals, each of one thing; ``start`` and ``end`` in µs from the begin of some span of time."""

    key: Ints
    start: Ints
    end: Ints

    def union(self, length_us: int) -> Spans:
        """Return for each thing the disjoint intervals that its intervals cover; all lie within ``length_us``."""
        if not len(self.key):
            return self
        shift = self.key * (length_us + 1)
        order = np.argsort(self.start + shift)  # what is sorted together gives the same union
        key, start, end = self.key[order], (self.start + shift)[order], (self.end + shift)[order]
        high = np.maximum.accumulate(end)
        first = np.flatnonzero(np.append(True, start[1:] > high[:-1]))
        last, back = np.append(first[1:], len(order)) - 1, key[first] * (length_us + 1)
        return Spans(key[first], start[first] - back, high[last] - back)

    def spread(self, key: Ints, to: Ints) -> Spans:
        """Return the intervals that other things have from these: ``to`` (n,) from ``key`` (n,), pair by pair."""
        order = np.argsort(self.key, kind="stable")
        low, high = (np.searchsorted(self.key[order], key, side=side) for side in ("left", "right"))
        count = high - low
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        rows = order[np.repeat(low, count) + within]
        return Spans(np.repeat(to, count), self.start[rows], self.end[rows])

    def and_(self, other: Spans) -> Spans:
        """Return the intervals of both."""
        return Spans(*(np.concatenate([getattr(each, name) for each in (self, other)]) for name in _SPANS))

    def within(self, begin: int, count: int) -> Floats:
        """Return how long the (disjoint) intervals of each of ``count`` things last from ``begin`` on, µs."""
        lasts = np.maximum(self.end - np.maximum(self.start, begin), 0)
        return np.bincount(self.key, lasts, minlength=count).astype(float)


_SPANS: Final = ("key", "start", "end")
NOTHING: Final = Spans(*(np.empty(0, np.int64) for _ in _SPANS))


@dataclass(frozen=True, eq=False)
class Sights:
    """Declarations that touch a span of time, cut to it, by the ground that they are about.

    ``place`` is that of each declaration; ``times`` are keyed by declaration. The other fields are of places: a disc
    (degrees, metres) or else a shape.
    """

    place: Ints
    sees: Bools
    times: Spans
    lon: Floats
    lat: Floats
    radius_m: Floats
    ground: list[Area | Sector | None]

    @classmethod
    def of(cls, settled: pd.DataFrame, begin: int, until: int) -> Self:
        """Take what was declared between two instants (µs since 1970 UTC)."""
        start, end = nearness.micros(settled["observed_from"]), nearness.micros(settled["observed_to"])
        some = np.flatnonzero((end >= begin) & (start <= until))
        mine = settled.iloc[some]
        code = np.array([-1 if ground is None else id(ground) for ground in mine["ground"]], np.int64)
        keys = mine[["lon", "lat", "uncertainty_m"]].where(pd.Series(code < 0, mine.index), np.nan).assign(code=code)
        place = keys.groupby(list(keys.columns), sort=False, dropna=False).ngroup().to_numpy(np.int64)
        first = np.unique(place, return_index=True)[1]
        lon, lat, radius = (keys[name].to_numpy(float)[first] for name in ("lon", "lat", "uncertainty_m"))
        times = Spans(
            np.arange(len(some)), np.maximum(start[some], begin) - begin, np.minimum(end[some], until) - begin
        )
        ground = mine["ground"].to_numpy(object)[first].tolist()
        return cls(place.astype(np.int64), mine["sees"].to_numpy(bool), times, lon, lat, radius, ground)

    def spans(self, length_us: int, *, sees: bool) -> Spans:
        """Return, by place, the disjoint intervals in which it was declared seen, or unseen."""
        rows = np.flatnonzero(self.sees == sees)
        return Spans(self.place[rows], self.times.start[rows], self.times.end[rows]).union(length_us)

    def holding(self, lon: Floats, lat: Floats) -> Iterator[tuple[Ints, Ints]]:
        """Yield blocks of pairs: each place beside every point (WGS 84 degrees) that lies on its ground."""
        yield from self._discs(lon, lat)
        for place, ground in enumerate(self.ground):
            if ground is not None:
                held = np.flatnonzero(ground.holds(lon, lat))
                yield np.full(len(held), place, np.int64), held.astype(np.int64)

    def _discs(self, lon: Floats, lat: Floats) -> Iterator[tuple[Ints, Ints]]:
        discs = np.flatnonzero([ground is None for ground in self.ground])
        discs = discs[np.argsort(self.radius_m[discs], kind="stable")]
        if not len(lon) or not len(discs):
            return
        points, centres = cKDTree(ecef(lon, lat)), ecef(self.lon[discs], self.lat[discs])
        reach = chords(self.radius_m[discs])[1]
        counts = np.asarray(points.query_ball_point(centres, reach, return_length=True), np.int64)
        for rows in _blocks(reach, counts):
            found = cKDTree(centres[rows]).sparse_distance_matrix(points, reach[rows[-1]], output_type="ndarray")
            place, point = discs[rows][found["i"]], found["j"].astype(np.int64)
            keep = self._within(place, point, found["v"], lon, lat)
            yield place[keep], point[keep]

    def _within(self, place: Ints, point: Ints, chord: Floats, lon: Floats, lat: Floats) -> Bools:
        """Return which pairs are truly within the radius; only those that the chord leaves open are measured."""
        radius = self.radius_m[place]
        surely, possibly = chords(radius)
        inside: Bools = chord <= surely
        rest = np.flatnonzero(~inside & (chord <= possibly))
        one, two = place[rest], point[rest]
        inside[rest] = distance_m(self.lon[one], self.lat[one], lon[two], lat[two]) <= radius[rest]
        return inside


def _blocks(reach: Floats, counts: Ints) -> Iterator[Ints]:
    """Yield discs, in order of radius, that are of similar size and hold not too many points together."""
    size = np.floor(np.log(reach) / np.log(_ALIKE))
    full = np.cumsum(counts) // _BLOCK
    yield from np.split(np.arange(len(reach)), np.flatnonzero((np.diff(size) > 0) | (np.diff(full) > 0)) + 1)
