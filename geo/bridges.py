"""What holds the violations of one incident together, and since when was that known?

Two are linked as ``geo.incidents`` says (RULE 1). The pairs of one incident are tried one by one, in the order of their
begin, by the straight way between them; only where that leaves it open is the geodesic measured.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np
import rustworkx as rx
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from geo import crs, linking, nearness
from geo.course import Course, by_begin
from geo.nearness import HOUR_US, Things

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from geo.course import Violation
    from geo.policy import Grouping
    from geo.throngs import Throng

    Ints = NDArray[np.int64]
    Forest = dict[int, tuple[int, float]]

FEW: Final = 100  # violations whose links are tried one by one to tell when they were known; no result depends on it
_MOST: Final = 10  # a violation of so many is made by itself, of more all at once; no result depends on it
_NEVER: Final = float("inf")


class Placed(NamedTuple):
    """A qualifying violation with the place and the windows that its links depend on."""

    violation: Violation
    lon: float
    lat: float
    inside: int
    xyz: tuple[float, float, float]  # the place again, earth-centred, metres (``geo.crs.ecef``)


class Reach(NamedTuple):
    """How far a link reaches: metres, µs, and the squares of the straight ways that surely and that may suffice, m²."""

    link_m: float
    gap_us: float
    surely: float
    possibly: float

    @classmethod
    def of(cls, rules: Grouping) -> Self:
        """Take it from the policy."""
        surely, possibly = crs.chords(rules.link_m)
        return cls(rules.link_m, rules.link_gap_h * HOUR_US, float(surely) ** 2, float(possibly) ** 2)


def linked(one: Placed, other: Placed, reach: Reach) -> bool:
    """Return whether two violations are linked."""
    a, b = one.violation, other.violation
    if max(a.start, b.start) - min(a.end, b.end) > reach.gap_us or not one.inside & other.inside:
        return False
    (x, y, z), (u, v, w) = one.xyz, other.xyz
    chord = (x - u) * (x - u) + (y - v) * (y - v) + (z - w) * (z - w)
    if chord <= reach.surely:
        return True
    return chord <= reach.possibly and crs.distance_m(one.lon, one.lat, other.lon, other.lat).item() <= reach.link_m


class Sites(NamedTuple):
    """Violations as things, with the windows of each, and when it was known (µs); one array item each."""

    things: Things
    inside: Ints
    known_at: Ints

    def where(self, kept: NDArray[np.bool_] | slice) -> Sites:
        """Return some of them."""
        things = Things(*(each[kept] for each in vars(self.things).values()))
        return Sites(things, self.inside[kept], self.known_at[kept])


class Places(Mapping[int, Placed]):
    """The violations of a throng with their places, by row: each made when somebody asks for it."""

    def __init__(self, course: Throng, sites: Sites) -> None:
        self._course, self._sites = course, sites
        self._made: dict[int, Placed] = {}

    @cached_property
    def _place(self) -> dict[int, int]:
        return {row: n for n, row in enumerate(self._course.rows)}

    def __getitem__(self, row: int) -> Placed:
        """Return the violation of a row."""
        if row not in self._made and _MOST * len(self._made) > len(self):
            self._made = self._all()  # whoever asks for so many asks for more
        if row not in self._made:
            n, (things, inside, _) = self._place[row], self._sites
            lon, lat = things.lon[n].item(), things.lat[n].item()
            self._made[row] = Placed(self._course[n], lon, lat, inside[n].item(), tuple(crs.ecef(lon, lat).tolist()))
        return self._made[row]

    def _all(self) -> dict[int, Placed]:
        things, inside, _ = self._sites
        xyz = map(tuple, crs.ecef(things.lon, things.lat).tolist())
        every = map(Placed, self._course, things.lon.tolist(), things.lat.tolist(), inside.tolist(), xyz)
        return dict(zip(self._course.rows, every, strict=True))

    def __iter__(self) -> Iterator[int]:
        """Yield the rows."""
        return iter(self._course.rows)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._course)


class Web:
    """The qualifying violations of one incident by row, and the links between them."""

    def __init__(self, placed: Mapping[int, Placed], reach: Reach) -> None:
        self.placed = placed
        self._reach = reach

    @classmethod
    def of(cls, course: Throng, sites: Sites, reach: Reach) -> Self:
        """Take the violations of a throng, in its order."""
        web = cls(Places(course, sites), reach)
        web.course, web.sites, web.masks = course, sites, set(np.unique(sites.inside).tolist())
        return web

    @cached_property
    def course(self) -> Course:
        """The violations in order of their begin."""
        return Course([each.violation for each in self.placed.values()])

    @cached_property
    def sites(self) -> Sites:
        """Where and when they are, in order of ``placed``."""
        return _sites(self.placed.values())

    @cached_property
    def masks(self) -> set[int]:
        """The different windows in which they lie."""
        return {each.inside for each in self.placed.values()}

    @cached_property
    def links(self) -> dict[int, set[int]]:
        """What each violation is linked to; looked up only where it is asked for, since these may be all pairs."""
        links: dict[int, set[int]] = {row: set() for row in self.placed}
        order = sorted(self.placed.items(), key=lambda each: each[1].violation.start)
        for n, (row, one) in enumerate(order, 1):
            until = one.violation.end + self._reach.gap_us
            for other_row, other in order[n:]:
                if other.violation.start > until:
                    break  # so do all that begin later
                if linked(one, other, self._reach):
                    links[row].add(other_row)
                    links[other_row].add(row)
        return links

    @cached_property
    def joints(self) -> set[int]:
        """The violations without which the incident falls apart."""
        rows = list(self.placed)
        if len(rows) < 3:  # noqa: PLR2004 -- two ends and what is between
            return set()
        place = {row: n for n, row in enumerate(rows)}
        graph: rx.PyGraph[None, None] = rx.PyGraph()
        graph.add_nodes_from([None] * len(rows))
        graph.add_edges_from_no_data([(place[i], place[j]) for i in rows for j in self.links[i] if i < j])
        return {rows[n] for n in rx.articulation_points(graph)}

    def parts(self, without: int) -> list[set[int]]:
        """Return what hangs together when one violation is left out, part by part."""
        left = set(self.placed)
        left.discard(without)
        if without not in self.joints:
            return [left] if left else []
        return self.hanging(left)

    def hanging(self, left: set[int]) -> list[set[int]]:
        """Return what hangs together of some violations, part by part."""
        found = []
        while left:
            part = [left.pop()]
            for row in part:  # grows while it is walked
                new = self.links[row] & left
                left -= new
                part.extend(new)
            found.append(set(part))
        return found

    def pieces(self, placed: Mapping[int, Placed]) -> list[dict[int, Placed]]:
        """Return what hangs together of violations that the same links would hold, piece by piece."""
        if len(placed) <= FEW:
            parts = Web(placed, self._reach).hanging(set(placed))
            return [{row: placed[row] for row in part} for part in parts]
        sites = _sites(placed.values())
        label = linking.components(sites.things, sites.inside, self._reach.link_m, self._reach.gap_us)
        found: dict[int, dict[int, Placed]] = {}
        for piece, row in zip(label.tolist(), placed, strict=True):
            found.setdefault(piece, {})[row] = placed[row]
        return list(found.values())

    def touches(self, moved: Placed, rows: set[int]) -> bool:
        """Return whether a violation that moved is linked to any of these."""
        near = self.links[moved.violation.row] & rows  # most stay linked to what they were linked to
        return any(linked(moved, self.placed[row], self._reach) for some in (near, rows - near) for row in some)

    def known_together(self, needs: Collection[int], known_at: int) -> int | None:
        """Return the earliest knowledge, not before ``known_at``, in which some violations hang together.

        A step needs violations, and also those without which they would be apart: until these are known, nobody can
        tell two breaches from one. So a step waits for the earliest knowledge in which its violations hang together,
        through whatever else of the incident was known by then.

        Parameters
        ----------
        needs
            Rows of those that must hang together, all known at ``known_at``.
        known_at
            µs since 1970 UTC.

        Returns
        -------
        int or None
            µs since 1970 UTC; ``None`` where links never hold them together, so that people put them together.
        """
        some = sorted((self.placed[row] for row in needs), key=lambda each: by_begin(each.violation))
        if all(linked(one, other, self._reach) for one, other in pairwise(some)):
            return known_at
        if self._forest is None:
            return self._searched(set(needs), known_at)
        first, *others = needs
        latest = max([_met(self._forest, first, other) for other in others])
        return None if latest == _NEVER else max(known_at, int(latest))

    @cached_property
    def _forest(self) -> Forest | None:
        """Of what each violation became a part, and when that was known; ``None``: too many links to be listed.

        Of two parts that met, the smaller one's root hangs on the larger one's; so all ways up are short, and the
        moments on them only grow.
        """
        links = self._by_knowledge()
        if links is None:
            return None
        up: Forest = {row: (row, _NEVER) for row in self.placed}
        size = dict.fromkeys(self.placed, 1)

        def root(row: int) -> int:
            while up[row][0] != row:
                row = up[row][0]
            return row

        for known, one, other in links:
            small, large = sorted((root(one), root(other)), key=size.__getitem__)
            if small != large:
                up[small] = large, known
                size[large] += size[small]
        return up

    def _by_knowledge(self) -> list[tuple[int, int, int]] | None:
        """Return enough of the links to tell what hangs together at any time, in the order in which they became known.

        Each is the moment when both its ends were known, and its ends.
        """
        if len(self.placed) <= FEW:
            known = {row: each.violation.known_at for row, each in self.placed.items()}
            return sorted((max(known[i], known[j]), i, j) for i, near in self.links.items() for j in near if i < j)
        things, inside, moment = self.sites
        if nearness.crowded(things, things, self._reach.link_m, self._reach.gap_us, linking.FEW):
            return None
        rows = list(self.placed)
        left, right = nearness.linked(things, self._reach.link_m, self._reach.gap_us)
        left, right = (side[(inside[left] & inside[right]) != 0] for side in (left, right))
        known = np.maximum(moment[left], moment[right])
        order = np.argsort(known, kind="stable")
        # The least tree over the links keeps, between any two, the way that was known first.
        graph = coo_array((order.argsort() + 1.0, (left, right)), shape=(len(rows), len(rows)))
        nth = np.sort(minimum_spanning_tree(graph).data).astype(np.int64) - 1
        kept = order[nth]
        return [(known[n].item(), rows[left[n]], rows[right[n]]) for n in kept.tolist()]

    def _searched(self, rows: set[int], known_at: int) -> int | None:
        """Return the same where the links are too many to be listed; it is seldom much later than ``known_at``."""
        moment = self.sites.known_at
        moments, end = [known_at, *np.unique(moment[moment > known_at]).tolist()], 1
        while end <= len(moments) and not self._one(rows, moments[end - 1]):
            end *= 2
        between = end // 2, min(end - 1, len(moments))
        n = bisect_left(moments, True, *between, key=lambda moment: self._one(rows, moment))  # noqa: FBT003 -- sought
        return moments[n] if n < len(moments) else None

    def _one(self, rows: set[int], moment: int) -> bool:
        """Return whether violations hang together through those that were known at a moment."""
        known = self.sites.known_at <= moment
        things, inside, _ = self.sites.where(known)
        component = linking.components(things, inside, self._reach.link_m, self._reach.gap_us)
        needed = np.array([row in rows for row in self.placed], bool)
        return len(np.unique(component[needed[known]])) == 1


def _sites(placed: Collection[Placed]) -> Sites:
    """Return where and when violations are."""
    start, end = (np.array([getattr(each.violation, name) for each in placed], np.int64) for name in ("start", "end"))
    lon, lat = (np.array([getattr(each, name) for each in placed], np.float64) for name in ("lon", "lat"))
    inside = np.array([each.inside for each in placed], np.int64)
    known = np.array([each.violation.known_at for each in placed], np.int64)
    return Sites(Things(lon, lat, np.zeros(len(placed)), start, end), inside, known)


def _met(up: Forest, one: int, other: int) -> float:
    """Return when it was known that two violations hang together; infinite: never."""
    met = 0.0
    while one != other and met < _NEVER:
        if up[one][1] > up[other][1]:
            one, other = other, one
        one, met = up[one]
    return met
