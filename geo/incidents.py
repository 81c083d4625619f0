"""Which violations are one breach, since when, and is it over?

Numbered rules, mirrored in the code and in the tests:

RULE 1  Two qualifying violations are linked when they lie within ``link_m`` (geodesic, inclusive) and ``link_gap`` (the
        smallest pause that both intervals allow, inclusive) of each other, inside a common ceasefire window.
RULE 2  Linked violations are one component, transitively. It is never cut by machine.
RULE 3  A component of at least ``open_n`` violations is an incident, B-n after its lowest anchor.
RULE 4  A violation that does not qualify attaches to the nearest of the incidents in reach: in time, place, name.
RULE 5  What attaches to nothing, and smaller components, form candidates by the same links, C-n after the lowest ledger
        number of their reports; refuted, exempt and public-only violations form none.
RULE 6  An incident has ended when more than ``link_gap`` has passed since its last qualifying observation: *ceased*
        where the gap was watched at every place of the incident, *unresolved* where a part of it was declared unseen at
        any of them, else *assumed*. One that is still going when its last window ends is *lapsed*.
RULE 7  It recurs when its first violation lies within ``link_m`` of an incident that had ended before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from geo import crs, linking, nearness, sights
from geo.nearest import nearest
from geo.nearness import HOUR_US, Things, micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from geo.policy import Ladder, Policy
    from geo.theatre import Window

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

_PLACE: Final = ["lon", "lat"]
_DISC: Final = ["lon", "lat", "uncertainty_m"]
FOREVER: Final = int(np.iinfo(np.int64).max // 4)
_DEGREE_M: Final = 110_000.0  # less than any degree of latitude has
_PAIRS: Final = 1_000_000  # pairs of a disc and a place that are looked at together; no result depends on it


@dataclass(frozen=True)
class End:
    """How an incident stands at ``as_of``: going on until proved otherwise. Instants are µs since 1970 UTC.

    ``known_at`` waits for all its qualifying violations: an end is that of the whole incident, in every scenario.
    """

    state: str
    at: int | None = None
    how: str | None = None
    known_at: int | None = None
    why: str | None = None


class Former(NamedTuple):
    """Places of incidents that had ended and are not looked at again: one element a place, degrees, µs since 1970 UTC.

    ``name`` is B-n; ``ended`` is its end, ``last`` the end of its last qualifying observation.
    """

    name: NDArray[np.object_]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    ended: Ints
    last: Ints


@dataclass(frozen=True, eq=False)
class Grouping:
    """The outcome of grouping: the violations with ``incident_id`` and ``attached`` added, in order of name.

    ``former`` are ended incidents of which no violation is among them; ``None``: there are none.
    """

    violations: pd.DataFrame
    former: Former | None = None


def group(violations: pd.DataFrame, policy: Policy, arrange: Callable[[Ints], Ints] | None = None) -> Grouping:
    """Group violations into incidents and candidates.

    Every located violation is linked into exactly one incident, attached to one, or part of one candidate; refuted,
    exempt and public-only ones that attach to nothing are in none. Neither coverage nor the order of rows matters.
    ``arrange`` gives the components as people put them together or apart.
    """
    counts = violations["qualifying"].to_numpy(bool)
    qualifying = np.flatnonzero(counts)
    component = _components(violations, qualifying, "inside", policy)
    if arrange is not None:
        component = arrange(component)
    big = _is_incident(component, qualifying, policy.ladder.open_n)
    named = _least(component[big], violations["anchor"].iloc[big].to_numpy("int64"))
    name = np.full(len(violations), None, object)
    name[big] = _names("B", named)
    # What counts is linked or alone: people may have set it apart from what it would else be in reach of.
    left, right = _attach(violations, np.flatnonzero(~counts), big, named, policy)
    name[left] = name[right]
    is_attached = np.zeros(len(violations), bool)
    is_attached[left] = True
    free = ~is_attached
    free[big] = False
    loose = _loose(violations, np.flatnonzero(free))
    component = _components(violations, loose, "touched", policy)
    name[loose] = _names("C", _least(component[loose], violations["number"].to_numpy("int64")[loose]))
    return Grouping(violations.assign(incident_id=pd.array(name, dtype="str"), attached=is_attached))


def _components(violations: pd.DataFrame, rows: Ints, mask: str, policy: Policy) -> Ints:
    """Return for every violation a number that it shares with those it hangs together with (RULES 1 and 2)."""
    component = np.arange(len(violations))
    windows = violations[mask].to_numpy(np.int64)[rows]
    found = linking.components(Things.of(violations.iloc[rows]), windows, *_reach(policy))
    component[rows] = len(violations) + found
    return component


def _is_incident(component: Ints, qualifying: Ints, open_n: int) -> Ints:
    """Return the qualifying violations whose component is large enough (RULE 3)."""
    size = np.bincount(component[qualifying])
    return qualifying[size[component[qualifying]] >= open_n]


def _reach(policy: Policy) -> tuple[float, float]:
    """Return the longest distance (m) and the longest pause (µs) of a link."""
    return policy.grouping.link_m, policy.grouping.link_gap_h * HOUR_US


def _least(component: Ints, number: Ints) -> Ints:
    """Return the least number of each one's component."""
    return pd.Series(number).groupby(component).transform("min").to_numpy(np.int64)


def _names(letter: str, number: Ints) -> NDArray[np.object_]:
    """Return the name of each number; many are the same."""
    code, different = pd.factorize(number)
    return np.array([f"{letter}-{n}" for n in different.tolist()], object)[code]


def number_of(name: str) -> int:
    """Return n of B-n, C-n, V-n or R-n."""
    return int(name.split("-", 1)[1])


def _attach(violations: pd.DataFrame, rest: Ints, big: Ints, named: Ints, policy: Policy) -> tuple[Ints, Ints]:
    """Return which of the other violations attach, and to which of the incidents' violations (RULE 4)."""
    others = violations.iloc[rest]
    radius = np.where(others["coarse"], others["uncertainty_m"], 0.0)
    masks = others["touched"].to_numpy(np.int64), violations["inside"].to_numpy(np.int64)[big]
    near = nearest(Things.of(others, radius), Things.of(violations.iloc[big]), masks, named, *_reach(policy))
    return rest[near.left], big[near.right]


def _loose(violations: pd.DataFrame, rows: Ints) -> Ints:
    """Return which of the violations that attach to nothing may form candidates (RULE 5)."""
    some = violations.iloc[rows]
    return rows[(~some["public_only"] & ~some["status"].isin(["refuted", "exempt"])).to_numpy(bool)]


def _numbers(names: NDArray[np.object_]) -> Ints:
    """Return n of each name; many are the same."""
    code, different = pd.factorize(names)
    return np.array([number_of(name) for name in different.tolist()], np.int64)[code]


def ending(last: int, closes: int, policy: Policy, ladder: Ladder, as_of: int) -> End:
    """Return how an incident stands at ``as_of`` (RULE 6); how its silence was watched is left to ``Watch.verdict``.

    ``last`` is the end of its last qualifying observation, ``closes`` when the last of its windows does (``closing``).
    ``policy`` is the one in force at ``as_of``, ``ladder`` that of its T0, which says after how long it is quiet.
    """
    over = last + round(policy.grouping.link_gap_h * HOUR_US)
    if as_of > over and over < closes:
        return End("ended", over)
    if as_of >= closes:
        return End("ended", closes, "lapsed")
    quiet = as_of - last > ladder.quiet_h * HOUR_US
    return End("quiet" if quiet else "active")


def closing(inside: Iterable[int], windows: tuple[Window, ...]) -> int:
    """Return the latest end of the windows that any of the violations lies in, µs; far future where one is open."""
    mask = reduce(or_, inside)
    ends = [window.end for bit, window in enumerate(windows) if mask >> bit & 1]
    return max(FOREVER if end is None else nearness.instant(end) for end in ends)


class Sight(NamedTuple):
    """When somebody could see one place, and when it was declared that somebody could not (µs, closed)."""

    seen: tuple[tuple[int, int], ...] = ()
    unseen: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Watch:
    """How well every place was watched at which an incident has a violation; alike ones are listed once."""

    places: tuple[Sight, ...] = (Sight(),)

    def covered(self, begin: int, end: int) -> bool:
        """Return whether somebody could see all of the span at every place."""
        return not any(_left_over([(begin, end)], place.seen) for place in self.places)

    def blind(self, begin: int, end: int) -> bool:
        """Return whether at some place a moment of the span was declared unseen and nobody else could see it."""
        return any(
            _left_over([(max(a, begin), min(b, end)) for a, b in place.unseen], place.seen) for place in self.places
        )

    def verdict(self, begin: int, end: int) -> str:
        """Return how an incident ends whose silence lasted from ``begin`` to ``end``."""
        if self.blind(begin, end):
            return "unresolved"
        return "ceased" if self.covered(begin, end) else "assumed"


def _left_over(spans: list[tuple[int, int]], seen: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Return the parts of the spans that the seen intervals leave over; what ends no later than it begins is none."""
    for a, b in seen:
        spans = [part for x, y in spans for part in ((x, min(y, a)), (max(x, b), y)) if part[0] < part[1]]
    return [span for span in spans if span[0] < span[1]]


def watches(violations: pd.DataFrame, coverage: pd.DataFrame, policy: Policy) -> dict[str, Watch]:
    """Return for every incident what was declared of seeing its places, as ``geo.sights.settle`` returns it.

    Discs within ``link_m`` of a violation, and other grounds that hold it.
    """
    linked = violations.loc[violations["qualifying"]]
    if coverage.empty:
        return dict.fromkeys(linked["incident_id"], Watch())
    place = linked.groupby(_PLACE, sort=False).ngroup().tolist()
    grounds, told = _told(coverage, linked.drop_duplicates(_PLACE), policy)
    spans = list(zip(micros(coverage["observed_from"]).tolist(), micros(coverage["observed_to"]).tolist(), strict=True))
    sees = coverage["sees"].to_numpy(bool)
    views = {own: _sight([row for ground in own for row in grounds[ground]], spans, sees) for own in set(told)}
    alike: dict[str, dict[Sight, None]] = {}
    for name, at in dict.fromkeys(zip(linked["incident_id"], place, strict=True)):
        alike.setdefault(name, {})[views[told[at]]] = None
    return {name: Watch(tuple(sorted(each))) for name, each in alike.items()}


def _told(
    coverage: pd.DataFrame, places: pd.DataFrame, policy: Policy
) -> tuple[list[list[int]], list[tuple[int, ...]]]:
    """Return the declarations of each different ground, and for each place the grounds that speak of it."""
    discs = coverage.loc[coverage["ground"].isna(), _DISC]
    disc = discs.groupby(_DISC, sort=False, dropna=False).ngroup().to_numpy()
    rows = pd.Series(np.flatnonzero(coverage["ground"].isna())).groupby(disc).agg(list)
    grounds, told = rows.tolist(), _within(discs.drop_duplicates(_DISC), places, policy)
    for mine, held in sights.outlined(coverage, places["lon"].to_numpy(float), places["lat"].to_numpy(float)):
        for at in held:
            told[at] += (len(grounds),)
        grounds.append(mine)
    return grounds, told


def _within(discs: pd.DataFrame, places: pd.DataFrame, policy: Policy) -> list[tuple[int, ...]]:
    """Return for each place the discs within ``link_m`` of it, by position."""
    seen = _still(discs["lon"], discs["lat"], discs["uncertainty_m"])
    told: list[tuple[int, ...]] = []
    block = 1 + _PAIRS // (1 + len(discs))
    for begin in range(0, len(places), block):
        some = places.iloc[begin : begin + block]
        near = nearness.between(seen, _still(some["lon"], some["lat"]), policy.grouping.link_m, 0)
        order = np.lexsort((near.left, near.right))
        edges = np.searchsorted(near.right[order], np.arange(len(some) + 1)).tolist()
        left = near.left[order].tolist()
        told.extend(tuple(left[a:b]) for a, b in pairwise(edges))
    return told


def _still(lon: pd.Series, lat: pd.Series, radius_m: pd.Series | float = 0.0) -> Things:
    """Return discs of which no time is asked."""
    at = np.zeros(len(lon), np.int64)
    radius = np.broadcast_to(np.asarray(radius_m, np.float64), (len(lon),))
    return Things(lon.to_numpy(np.float64), lat.to_numpy(np.float64), radius, at, at)


def _sight(rows: Iterable[int], spans: list[tuple[int, int]], sees: Bools) -> Sight:
    seen, unseen = ({spans[row] for row in rows if sees[row] == sight} for sight in (True, False))
    return Sight(tuple(sorted(seen)), tuple(sorted(unseen)))


def weak(grouping: Grouping, policy: Policy) -> set[str]:
    """Return the incidents that one link alone holds together: without it, two parts of at least ``part_n`` remain."""
    violations, part_n = grouping.violations, policy.grouping.weak_part_n
    linked = violations.loc[violations["qualifying"] & violations["incident_id"].str.startswith("B-", na=False)]
    large = linked.groupby("incident_id")["incident_id"].transform("size") >= 2 * part_n
    linked = linked.loc[large.to_numpy(bool)]
    part = pd.factorize(linked["incident_id"])[0]
    found = linking.blocks(Things.of(linked), linked["inside"].to_numpy(np.int64), *_reach(policy), part)
    size = np.bincount(found.label)
    forest: dict[int, list[int]] = {}
    for i, j in zip(found.left.tolist(), found.right.tolist(), strict=True):
        forest.setdefault(i, []).append(j)
        forest.setdefault(j, []).append(i)
    cut = {b for b, part, whole in _parts(forest, size) if min(part, whole - part) >= part_n}
    return set(linked.loc[np.isin(found.label, list(cut)), "incident_id"])


def _parts(forest: dict[int, list[int]], size: Ints) -> Iterator[tuple[int, int, int]]:
    """Yield (block, violations on its side of a bridge, violations in all) for every bridge of a forest of blocks."""
    seen: set[int] = set()
    for root in forest:
        if root in seen:
            continue
        trail = [(root, root)]
        for block, parent in trail:  # grows while it is walked: breadth first
            seen.add(block)
            trail.extend((far, block) for far in forest[block] if far != parent)
        weight = {block: int(size[block]) for block, _ in trail}
        for block, parent in reversed(trail[1:]):
            weight[parent] += weight[block]
        yield from ((block, weight[block], weight[root]) for block, _ in trail[1:])


def near(former: Former, violations: pd.DataFrame, policy: Policy) -> Former:
    """Return the places of former incidents from which any of the violations' incidents may recur (RULE 7).

    Of those that surely are in reach only the latest count; of what is left out nothing is measured.
    """
    order = np.argsort(former.lat)
    lon, lat, ended = former.lon[order], former.lat[order], former.ended[order]
    first = firsts(violations.loc[violations["qualifying"] & violations["incident_id"].notna()])
    apart, (surely, possibly) = policy.grouping.link_m / _DEGREE_M, crs.chords(policy.grouping.link_m)
    found = np.zeros(len(order), bool)
    for start, *place in zip(micros(first["observed_from"]), *(first[one] for one in _PLACE), strict=True):
        x, y = place
        some = np.arange(*np.searchsorted(lat, (y - apart, y + apart)))
        wide = apart / max(np.cos(np.radians(min(abs(y) + apart, 90.0))), apart / 180)
        some = some[(np.abs((lon[some] - x + 180) % 360 - 180) <= wide) & (ended[some] < start)]
        chord = np.linalg.norm(crs.ecef(lon[some], lat[some]) - crs.ecef(*place), axis=1)
        latest = ended[some][chord <= surely].max(initial=-FOREVER)
        found[some[(chord <= possibly) & (ended[some] >= latest)]] = True
    return Former._make(each[order[found]] for each in former)


def firsts(linked: pd.DataFrame) -> pd.DataFrame:
    """Return the first violation of each incident, in order of begin."""
    began = linked["observed_from"]
    some = linked.loc[began == began.groupby(linked["incident_id"]).transform("min")]
    return some.sort_values(["observed_from", "content"]).drop_duplicates("incident_id")


def recurrences(
    violations: pd.DataFrame, ends: dict[str, End], policy: Policy, former: Former | None = None
) -> dict[str, str]:
    """Return the latest incident that had ended before at the place of each one's first violation (RULE 7).

    ``former`` are ended incidents of which no violation is among ``violations``.
    """
    linked = violations.loc[violations["qualifying"] & violations["incident_id"].isin(list(ends))]
    first = firsts(linked)
    over = {name: end.at for name, end in ends.items() if end.at is not None}
    past = linked.loc[linked["incident_id"].isin(list(over))]
    old, new = past["incident_id"].to_numpy(object), first["incident_id"].to_numpy(object)
    lon, lat = (past[name].to_numpy(np.float64) for name in _PLACE)
    ended = np.array([over[name] for name in old], np.int64)
    if former is not None:
        old, ended = np.concatenate([old, former.name]), np.concatenate([ended, former.ended])
        lon, lat = np.concatenate([lon, former.lon]), np.concatenate([lat, former.lat])
    begin = Things.of(first)
    near = nearest(
        replace(begin, end=begin.start),
        Things(lon, lat, np.zeros(len(lon)), ended, ended),
        (np.ones(len(new), np.int64), np.ones(len(old), np.int64)),
        -_numbers(old),
        policy.grouping.link_m,
        FOREVER,
        earlier=True,
    )
    return dict(zip(new[near.left].tolist(), old[near.right].tolist(), strict=True))
