"""Which violations are one breach, since when, and is it over?

Numbered rules, mirrored in the code and in the tests:

RULE 1  Two qualifying violations are linked when they lie within ``link_m`` (geodesic, inclusive) and ``link_gap`` (the
        smallest pause that both intervals allow, inclusive) of each other, inside a common ceasefire window.
RULE 2  Linked violations are one component, transitively. It is never cut by machine.
RULE 3  A component of at least ``open_n`` violations is an incident, B-n after its lowest anchor.
RULE 4  Any other violation in reach of an incident's attaches to the nearest in time, then place, then name.
RULE 5  What attaches to nothing, and smaller components, form candidates by the same links, C-n after the lowest ledger
        number of their reports; refuted, exempt and public-only violations form none.
RULE 6  An incident has ended when more than ``link_gap`` has passed since its last qualifying observation: *ceased*
        where the gap was watched at every place of the incident, *unresolved* where a part of it was declared unseen at
        any of them, else *assumed*. One that is still going when its last window ends is *lapsed*.
RULE 7  It recurs when its first violation lies within ``link_m`` of an incident that had ended before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd
import rustworkx as rx
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import nearness
from geo.nearness import Near, Things, micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from geo.policy import Policy
    from geo.theatre import Window

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

HOUR_US: Final = 3600 * 10**6
FOREVER: Final = int(np.iinfo(np.int64).max // 4)


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


@dataclass(frozen=True, eq=False)
class Grouping:
    """The outcome of grouping.

    ``violations`` has ``incident_id`` and ``attached`` added, in order of name; ``links`` pairs positions in it.
    """

    violations: pd.DataFrame
    links: Near


def group(violations: pd.DataFrame, policy: Policy, arrange: Callable[[Ints], Ints] | None = None) -> Grouping:
    """Group violations into incidents and candidates.

    Every located violation is linked into exactly one incident, attached to one, or part of one candidate; refuted,
    exempt and public-only ones that attach to nothing are in none. Neither coverage nor the order of rows matters.
    ``arrange`` gives the components as people put them together or apart.
    """
    qualifying = np.flatnonzero(violations["qualifying"].to_numpy(bool))
    reach = policy.grouping.link_m, policy.grouping.link_gap_h * HOUR_US
    links = _linked(violations, qualifying, "inside", *reach)
    component = _components(len(violations), links)
    if arrange is not None:
        component = arrange(component)
        links = links.where(component[links.left] == component[links.right])
    big = _is_incident(component, qualifying, policy.ladder.open_n)
    name = np.full(len(violations), None, object)
    name[big] = _named("B", component[big], violations["anchor"].to_numpy("int64", na_value=0)[big])
    rest = np.setdiff1d(np.arange(len(violations)), big)
    attached = _attach(violations, rest, big, name, *reach)
    name[list(attached)] = list(attached.values())
    loose = _loose(violations, np.setdiff1d(rest, np.fromiter(attached, np.int64)))
    component = _components(len(violations), _linked(violations, loose, "touched", *reach))
    name[loose] = _named("C", component[loose], violations["number"].to_numpy("int64")[loose])
    is_attached = np.zeros(len(violations), bool)
    is_attached[list(attached)] = True
    out = violations.assign(incident_id=pd.array(name, dtype="str"), attached=is_attached)
    within = np.isin(links.left, big)
    return Grouping(out, links.where(within))


def _linked(violations: pd.DataFrame, rows: Ints, mask: str, link_m: float, gap_us: float) -> Near:
    """Return the links among some violations (RULE 1), as positions in the whole frame."""
    near = nearness.within(Things.of(violations.iloc[rows]), link_m, gap_us)
    near = Near(rows[near.left], rows[near.right], near.distance_m, near.pause_us)
    windows = violations[mask].to_numpy(np.int64)
    return near.where((windows[near.left] & windows[near.right]) != 0)


def _components(n: int, links: Near) -> Ints:
    graph = coo_array((np.ones(len(links.left), bool), (links.left, links.right)), shape=(n, n))
    label: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return label


def _is_incident(component: Ints, qualifying: Ints, open_n: int) -> Ints:
    """Return the qualifying violations whose component is large enough (RULE 3)."""
    size = np.bincount(component[qualifying], minlength=int(component.max(initial=0)) + 1)
    return qualifying[size[component[qualifying]] >= open_n]


def _named(letter: str, component: Ints, number: Ints) -> list[str]:
    least = pd.Series(number).groupby(component).transform("min")
    return [f"{letter}-{n}" for n in least]


def number_of(name: str) -> int:
    """Return n of B-n, C-n, V-n or R-n."""
    return int(name.split("-", 1)[1])


def _attach(
    violations: pd.DataFrame, rest: Ints, big: Ints, name: NDArray[np.object_], link_m: float, gap_us: float
) -> dict[int, str]:
    """Return the incident that each of the other violations attaches to (RULE 4)."""
    others = violations.iloc[rest]
    radius = np.where(others["coarse"], others["uncertainty_m"], 0.0)
    near = nearness.between(Things.of(others, radius), Things.of(violations.iloc[big]), link_m, gap_us)
    near = Near(rest[near.left], big[near.right], near.distance_m, near.pause_us)
    touched, inside = violations["touched"].to_numpy(np.int64), violations["inside"].to_numpy(np.int64)
    near = near.where((touched[near.left] & inside[near.right]) != 0)
    number = np.array([number_of(name[i]) for i in near.right], np.int64)
    order = np.lexsort((number, near.distance_m, near.pause_us, near.left))
    _, first = np.unique(near.left[order], return_index=True)
    return {int(near.left[i]): name[near.right[i]] for i in order[first]}


def _loose(violations: pd.DataFrame, rows: Ints) -> Ints:
    """Return which of the violations that attach to nothing may form candidates (RULE 5)."""
    some = violations.iloc[rows]
    return rows[(~some["public_only"] & ~some["status"].isin(["refuted", "exempt"])).to_numpy(bool)]


def ending(last: int, inside: Iterable[int], windows: tuple[Window, ...], policy: Policy, as_of: int) -> End:
    """Return how an incident stands at ``as_of`` (RULE 6); how its silence was watched is left to ``Watch.verdict``.

    ``last`` is the end of its last qualifying observation, ``inside`` the window masks of its qualifying violations.
    """
    over = last + round(policy.grouping.link_gap_h * HOUR_US)
    closes = closing(inside, windows)
    if as_of > over and over < closes:
        return End("ended", over)
    if as_of >= closes:
        return End("ended", closes, "lapsed")
    quiet = as_of - last > policy.ladder.quiet_h * HOUR_US
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
            _left_over([(max(a, begin), min(b, end)) for a, b in place.unseen if a <= end and b >= begin], place.seen)
            for place in self.places
        )

    def verdict(self, begin: int, end: int) -> str:
        """Return how an incident ends whose silence lasted from ``begin`` to ``end``."""
        if self.blind(begin, end):
            return "unresolved"
        return "ceased" if self.covered(begin, end) else "assumed"


def _left_over(spans: list[tuple[int, int]], seen: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Return the parts of the spans that the seen intervals leave over; instants of no length do not count."""
    for a, b in seen:
        spans = [part for x, y in spans for part in ((x, min(y, a)), (max(x, b), y)) if part[0] < part[1]]
    return [span for span in spans if span[0] < span[1]]


def watches(violations: pd.DataFrame, coverage: pd.DataFrame, policy: Policy) -> dict[str, Watch]:
    """Return for every incident what was declared of seeing its places: discs within ``link_m`` of each violation."""
    linked = violations.loc[violations["qualifying"] & ~violations["attached"]]
    near = nearness.between(
        Things.of(coverage, coverage["uncertainty_m"].to_numpy()), Things.of(linked), policy.grouping.link_m, FOREVER
    )
    declared: list[list[int]] = [[] for _ in range(len(linked))]
    for c, v in zip(near.left.tolist(), near.right.tolist(), strict=True):
        declared[v].append(c)
    alike: dict[str, set[tuple[int, ...]]] = {}
    for name, rows in zip(linked["incident_id"], declared, strict=True):
        alike.setdefault(name, set()).add(tuple(sorted(rows)))
    spans = list(zip(micros(coverage["observed_from"]).tolist(), micros(coverage["observed_to"]).tolist(), strict=True))
    sees = coverage["sees"].to_numpy(bool)
    return {name: Watch(tuple(_sight(rows, spans, sees) for rows in sorted(each))) for name, each in alike.items()}


def _sight(rows: tuple[int, ...], spans: list[tuple[int, int]], sees: Bools) -> Sight:
    seen, unseen = ({spans[row] for row in rows if sees[row] == sight} for sight in (True, False))
    return Sight(tuple(sorted(seen)), tuple(sorted(unseen)))


def weak(grouping: Grouping, part_n: int) -> set[str]:
    """Return the incidents that one link alone holds together: without it, two parts of at least ``part_n`` remain."""
    links, names = grouping.links, grouping.violations["incident_id"].to_numpy(object)
    bridge = _bridges(len(names), links)
    block = _components(len(names), links.where(~bridge))
    size = np.bincount(block)
    forest: dict[int, list[int]] = {}
    for i, j in zip(block[links.left[bridge]].tolist(), block[links.right[bridge]].tolist(), strict=True):
        forest.setdefault(i, []).append(j)
        forest.setdefault(j, []).append(i)
    member = {int(b): v for v, b in enumerate(block)}
    cut = {member[b] for b, part, whole in _parts(forest, size) if min(part, whole - part) >= part_n}
    return {str(names[v]) for v in cut}


def _bridges(n: int, links: Near) -> Bools:
    """Return which links are the only way between what they join."""
    graph: rx.PyGraph[None, None] = rx.PyGraph(multigraph=False)
    graph.add_nodes_from([None] * n)
    graph.add_edges_from_no_data(list(zip(links.left.tolist(), links.right.tolist(), strict=True)))
    found = {frozenset(pair) for pair in rx.bridges(graph)}
    pairs = zip(links.left.tolist(), links.right.tolist(), strict=True)
    return np.fromiter((frozenset(pair) in found for pair in pairs), bool, len(links.left))


def _parts(forest: dict[int, list[int]], size: Ints) -> Iterator[tuple[int, int, int]]:
    """Yield (block, violations on its side of a bridge, violations in all) for every bridge of a forest of blocks."""
    seen: set[int] = set()
    for root in forest:
        if root in seen:
            continue
        trail = [(root, -1)]
        for block, parent in trail:  # grows while it is walked: breadth first
            seen.add(block)
            trail.extend((far, block) for far in forest[block] if far != parent)
        weight = {block: int(size[block]) for block, _ in trail}
        for block, parent in reversed(trail[1:]):
            weight[parent] += weight[block]
        yield from ((block, weight[block], weight[root]) for block, _ in trail[1:])


def recurrences(violations: pd.DataFrame, ends: dict[str, End], policy: Policy) -> dict[str, str]:
    """Return the latest incident that had ended before at the place of each one's first violation (RULE 7)."""
    linked = violations.loc[
        violations["qualifying"] & ~violations["attached"] & violations["incident_id"].isin(list(ends))
    ]
    first = linked.sort_values(["observed_from", "content"]).drop_duplicates("incident_id")
    near = nearness.between(Things.of(first), Things.of(linked), policy.grouping.link_m, FOREVER)
    begin, old = micros(first["observed_from"]), linked["incident_id"].to_numpy(object)
    new = first["incident_id"].to_numpy(object)
    best: dict[str, tuple[int, int, str]] = {}
    for i, j in zip(near.left.tolist(), near.right.tolist(), strict=True):
        over = ends[old[j]].at
        if over is not None and over < begin[i]:
            best[new[i]] = max(best.get(new[i], (0, 0, "")), (over, number_of(old[j]), old[j]))
    return {name: latest for name, (_, _, latest) in best.items()}
