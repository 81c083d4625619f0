"""Which reports are put together?

RULES 2, 3, 4 and 9 of ``geo.violations``. All rows come in order of content, so that the place in that order breaks
every tie. Where pairs are few they are listed; where they are many, only the next partner of each is searched for
(``geo.partners``), with the same result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from operator import add
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from geo import arcs, copies, crs, nearness
from geo.nearness import Near, Things

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from geo.crowds import Body, Crowd, Traits
    from geo.policy import Policy

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MINUTE_US: Final = 60 * 10**6
FEW: Final = 1_000_000  # pairs that are listed rather than compiled for; no result depends on it
MANY: Final = 50_000  # statements of which a tenth as many are listed: loading what is compiled pays sooner
ANY: Final = -1  # a family that agrees with all
_ASKED: Final = [
    "lon", "lat", "uncertainty_m", "observed_from", "observed_to", "family", "cell", "voice", "origin", "trust",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Statements:
    """What of reports decides whether they are put together, one array item each, in order of content.

    Families, cells, voices and origins are numbers, equal where these are.
    """

    things: Things
    family: Ints
    cell: Ints
    voice: Ints
    origin: Ints
    public: Bools

    @classmethod
    def of(cls, material: pd.DataFrame, rows: Ints) -> Statements:
        """Take some rows of a frame of reports."""
        some = material[_ASKED] if len(rows) == len(material) else material[_ASKED].iloc[rows]
        code = {name: pd.factorize(some[name])[0].astype(np.int64) for name in ("family", "cell", "voice", "origin")}
        code["family"][(some["family"] == "any").to_numpy(bool)] = ANY
        things = Things.of(some, some["uncertainty_m"].to_numpy())
        return cls(things, **code, public=(some["trust"] == "public").to_numpy(bool))

    def meeting(self, reach_m: float, reach_us: int) -> Near:
        """Return the pairs that agree in time, place and act, the lesser first."""
        near = nearness.within(self.things, reach_m, reach_us)
        near = Near(np.minimum(near.left, near.right), np.maximum(near.left, near.right), *near[2:])
        return near.where(self._of_one_kind(near.left, near.right))

    def met(self, left: Ints, right: Ints, reach_m: float, reach_us: int) -> Near:
        """Return which of some pairs agree in time, place and act."""
        kind = self._of_one_kind(left, right)
        return nearness.verdict(self.things, self.things, left[kind], right[kind], reach_m, reach_us)

    def _of_one_kind(self, left: Ints, right: Ints) -> Bools:
        a, b = self.family[left], self.family[right]
        found: Bools = ((a == b) | (a == ANY) | (b == ANY)) & (self.cell[left] == self.cell[right])
        return found

    def independent(self, near: Near) -> Near:
        """Return the pairs that have independent origins."""
        keep = self.voice[near.left] != self.voice[near.right]
        return near.where(keep & (self.origin[near.left] != self.origin[near.right]))


def join(material: pd.DataFrame, policy: Policy) -> tuple[Ints, Ints, NDArray[np.object_]]:
    """Return the group of each report, its original (-1: none) and its sign; the rows come in order of content."""
    rules = policy.corroboration
    reach = float(rules.agree_m), int(rules.agree_min * MINUTE_US)
    alone = (material["coarse"] | material["disputed"]).to_numpy(bool)  # RULE 3
    sign = copies.signs(material, rules)
    signed = np.flatnonzero(sign.astype(bool) & ~alone)
    leader = np.full(len(material), -1)
    if len(signed):
        ground = Ground(Statements.of(material, signed), *reach)
        found = copies.leaders(sign[signed].tolist(), ground)
        leader[signed] = np.where(found < 0, -1, signed[found])
    group, copied = np.arange(len(material)), leader >= 0
    single = np.flatnonzero(~alone & ~copied)
    group[single] = single[_together(Statements.of(material, single), *reach)]
    return np.where(copied, group[leader], group), leader, sign


class Ground:
    """Space and time cut into parts, so that what meets a statement lies in its part or beside it."""

    def __init__(self, said: Statements, reach_m: float, reach_us: int) -> None:
        things = said.things
        self._said, self._reach = said, (reach_m, reach_us)
        width_m = max(reach_m + 2.0 * float(things.radius_m.max()), 1.0) * (1.0 + 1e-9)
        width_us = reach_us + int((things.end - things.start).max()) + 1
        cell = np.floor(crs.ecef(things.lon, things.lat) / width_m).astype(np.int64)
        cells, part = np.unique(cell, axis=0, return_inverse=True)
        self._part, self._slot = part.ravel().tolist(), (things.start // width_us).tolist()
        number = {tuple(place): n for n, place in enumerate(cells.tolist())}
        steps = list(product((-1, 0, 1), repeat=3))
        self._beside = [
            [number[near] for step in steps if (near := tuple(map(add, place, step))) in number]
            for place in cells.tolist()
        ]

    def spot(self, row: int) -> tuple[int, int]:
        """Return the part that a statement lies in: of the ground, and of time."""
        return self._part[row], self._slot[row]

    def around(self, row: int) -> list[tuple[int, int]]:
        """Return that part and those beside it."""
        slot = self._slot[row]
        return [(part, time) for part in self._beside[self._part[row]] for time in (slot - 1, slot, slot + 1)]

    def meeting(self, row: int, others: Sequence[int]) -> list[tuple[float, int]]:
        """Return the distance (m) and the position of those that agree with one in time, place and act."""
        if not others:
            return []
        right = np.array(others, np.int64)
        near = self._said.met(np.full(len(right), row), right, *self._reach)
        return list(zip(near.distance_m.tolist(), near.right.tolist(), strict=True))


def _together(said: Statements, reach_m: float, reach_us: int) -> Ints:
    """Return for each statement one that it is put together with, the same for all of a group."""
    few = FEW if len(said.things) < MANY else FEW // 10
    if nearness.crowded(said.things, said.things, reach_m, reach_us, few):
        return searched(said, reach_m, reach_us)
    return listed(said, reach_m, reach_us)


def listed(said: Statements, reach_m: float, reach_us: int) -> Ints:
    """Return for each statement one of its group, by a list of all pairs."""
    near = said.independent(said.meeting(reach_m, reach_us))
    crowd = said.public[near.left].astype(int) + said.public[near.right]
    groups = _Groups(len(said.public), _in_order(said, near))
    # RULE 4: first all others among themselves, then public ones to them, then what is left of the public ones.
    groups.merge(_in_order(said, near.where(crowd == 0)))
    groups.adopt(_in_order(said, _public_first(near.where(crowd == 1), said.public)))
    groups.merge(_in_order(said, near.where(crowd == 2)), free=said.public)  # noqa: PLR2004 -- both
    return np.array(groups.group, np.int64)


def _in_order(said: Statements, near: Near) -> list[tuple[int, int]]:
    """Return pairs in order of span, distance and content: of the lesser and the greater, or of left and right."""
    start, end = said.things.start, said.things.end
    span = np.maximum(end[near.left], end[near.right]) - np.minimum(start[near.left], start[near.right])
    order = np.lexsort((near.right, near.left, arcs.millimetres(near.distance_m), span))
    return list(zip(near.left[order].tolist(), near.right[order].tolist(), strict=True))


def _public_first(near: Near, public: Bools) -> Near:
    """Return mixed pairs with the public report on the left."""
    turn = public[near.right]
    left, right = np.where(turn, near.right, near.left), np.where(turn, near.left, near.right)
    return Near(left, right, near.distance_m, near.pause_us)


class _Groups:
    """Reports that are put together as far as all members agree pairwise."""

    def __init__(self, n: int, pairs: Iterable[tuple[int, int]]) -> None:
        self.group = list(range(n))
        self._members = [[i] for i in range(n)]
        self._agree: list[set[int]] = [set() for _ in range(n)]  # what all members of a group agree with
        for i, j in pairs:
            self._agree[i].add(j)
            self._agree[j].add(i)

    def _unite(self, i: int, j: int) -> None:
        a, b = self.group[i], self.group[j]
        if a == b or not self._agree[a].issuperset(self._members[b]):
            return
        for member in self._members[b]:
            self.group[member] = a
        self._members[a] += self._members[b]
        self._agree[a] &= self._agree[b]

    def merge(self, pairs: Iterable[tuple[int, int]], free: Bools | None = None) -> None:
        """Join groups along the pairs, in their order; with ``free``, only groups all of whose members are free."""
        for i, j in pairs:
            a, b = self.group[i], self.group[j]
            if a != b and (free is None or free[self._members[a] + self._members[b]].all()):
                self._unite(i, j)

    def adopt(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add each left report that still stands alone to the group of the right one."""
        for i, j in pairs:
            if len(self._members[self.group[i]]) == 1:
                self._unite(i, j)


def searched(said: Statements, reach_m: float, reach_us: int) -> Ints:
    """Return for each statement one of its group, without a list of pairs."""
    from geo import crowds, partners, queues, woods  # noqa: PLC0415 -- numba takes a while to load

    order, roots = _sorted(said)
    site, sites = pd.factorize(said.things.lon + 1j * said.things.lat)
    everybody, scale = np.arange(len(order)), (max(reach_m, 1.0), reach_us + 1.0)
    halves = woods.plant(_body(said, everybody), said.things.radius_m.copy(), order, roots, scale)
    # From here on things come in the order of their trees: what is looked at together lies together.
    body, traits = _body(said, order), _traits(said, site, order)
    crowd, known = _crowd(body, traits), (np.empty(0, np.int64), np.empty(0))
    parts = body, traits, woods.bare(roots, halves, reach_m, reach_us), crowd, queues.bare(len(order))
    for own, other in ((0, 0), (1, 0), (1, 1)):  # RULE 4: as above
        side = traits.side[crowd.group]
        free = (side == traits.side) & ((side == own) | (side == other))
        rules = crowds.Rules(reach_m, reach_us, crs.SHARPEST_M, *known, len(sites))
        partners.awake(partners.World(*parts, rules), np.flatnonzero(free))
        while len(wanted := partners.join(partners.World(*parts, rules), own, other)):
            known = _measured(known, site[order[wanted]], sites)
            rules = rules._replace(keys=known[0], metres=known[1])
    group = np.empty_like(order)
    group[order] = order[crowd.group]
    return group


def _sorted(said: Statements) -> tuple[Ints, Ints]:
    """Return things by length and side, and rows of (side, low, high): which of these places each of both has."""
    alike = nearness.classes(replace(said.things, radius_m=np.zeros(len(said.public))))
    parts = [(own, members[said.public[members] == bool(own)]) for members in alike for own in (0, 1)]
    parts = [(own, members) for own, members in parts if len(members)]
    high = np.cumsum([len(members) for _, members in parts])
    rows = np.column_stack([[own for own, _ in parts], np.append(0, high[:-1]), high])
    return np.concatenate([members for _, members in parts]), rows


def _body(said: Statements, order: Ints) -> Body:
    from geo.crowds import Body  # noqa: PLC0415 -- as above

    things = said.things
    return Body(crs.ecef(things.lon[order], things.lat[order]), things.start[order], things.end[order])


def _traits(said: Statements, site: Ints, order: Ints) -> Traits:
    from geo.crowds import Listed, Traits  # noqa: PLC0415 -- as above

    things, side = said.things, said.public * 1
    block = site
    for part in (things.start, things.end, things.radius_m, side):
        code, each = pd.factorize(part)
        block = pd.factorize(block * len(each) + code)[0]
    lists = []
    for code in (_by_number(said.voice), _by_number(said.origin), block):
        of = code[order]
        lists.append(Listed(of, np.argsort(of, kind="stable"), np.append(0, np.cumsum(np.bincount(of)))))
    radius = things.radius_m[order]
    return Traits(radius, said.family[order], said.cell[order], side[order], site[order], order, *lists)


def _by_number(code: Ints) -> Ints:
    """Return codes anew, the most frequent first."""
    _, of, count = np.unique(code, return_inverse=True, return_counts=True)
    new = np.empty_like(count)
    new[np.argsort(-count, kind="stable")] = np.arange(len(count))
    return new[of]


def _crowd(body: Body, traits: Traits) -> Crowd:
    from geo.crowds import BITS, Crowd  # noqa: PLC0415 -- as above

    n, own = len(traits.rank), np.arange(len(traits.rank))
    voices, origins = (
        np.where(each.of < BITS, np.int64(1) << (each.of % BITS), 0) for each in (traits.voice, traits.origin)
    )
    return Crowd(
        group=own, after=own.copy(), size=np.ones(n, np.int64),
        latest=body.start.copy(), earliest=body.end.copy(), family=traits.family.copy(),
        voices=voices, origins=origins, rare=(traits.voice.of >= BITS) | (traits.origin.of >= BITS),
        low=body.xyz.copy(), high=body.xyz.copy(), least=traits.radius.copy(), most=traits.radius.copy(),
        state=np.zeros(n, np.int64), refused=np.full(n, -1),
        face=own.copy(), beside=own.copy(), speaker=own.copy(), faces=np.ones(n, np.int64),
    )  # fmt: skip


def _measured(known: tuple[Ints, Floats], wanted: Ints, places: NDArray[np.complex128]) -> tuple[Ints, Floats]:
    """Return what is known of distances, with those between more pairs of sites."""
    keys = np.unique(wanted.min(axis=1) * len(places) + wanted.max(axis=1))
    a, b = places[keys // len(places)], places[keys % len(places)]
    keys = np.append(known[0], keys)
    keys, first = np.unique(keys, return_index=True)
    metres = np.append(known[1], crs.distance_m(a.real, a.imag, b.real, b.imag))
    return keys, metres[first]
