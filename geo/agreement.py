"""Which reports are put together?

RULES 2, 3, 4 and 9 of ``geo.violations``. All rows come in order of content, so that the place in that order breaks
every tie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from geo import copies, nearness
from geo.nearness import Near, Things

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from geo.copies import Sign
    from geo.policy import Policy

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

MINUTE_US: Final = 60 * 10**6


def join(material: pd.DataFrame, policy: Policy) -> tuple[Ints, Ints, list[Sign | None]]:
    """Return the group of each report, its original (-1: none) and its sign; the rows come in order of content."""
    public = (material["trust"] == "public").to_numpy()
    near = _agreeing(material, policy)
    sign = copies.signs(material, policy.corroboration)
    leader = copies.leaders(sign, copies.alike(sign, near))
    copied = leader >= 0
    near = near.where(_independent(material, near) & ~copied[near.left] & ~copied[near.right])
    crowd = public[near.left].astype(int) + public[near.right]
    times = nearness.micros(material["observed_from"]), nearness.micros(material["observed_to"])
    groups = _Groups(len(material), _in_order(near, *times))
    # RULE 4: first all others among themselves, then public ones to them, then what is left of the public ones.
    groups.merge(_in_order(near.where(crowd == 0), *times))
    groups.adopt(_in_order(_public_first(near.where(crowd == 1), public), *times))
    groups.merge(_in_order(near.where(crowd == 2), *times), free=public)  # noqa: PLR2004 -- both
    group = np.array(groups.group, np.int64)
    return np.where(copied, group[leader], group), leader, sign


def _independent(material: pd.DataFrame, near: Near) -> Bools:
    """Return which pairs have independent origins."""
    keep = np.ones(len(near.left), bool)
    for name in ("voice", "origin"):
        code = pd.factorize(material[name])[0]
        keep &= code[near.left] != code[near.right]
    return keep


def _in_order(near: Near, start: Ints, end: Ints) -> list[tuple[int, int]]:
    """Return pairs in order of span, distance and content: of the lesser and the greater, or of left and right."""
    span = np.maximum(end[near.left], end[near.right]) - np.minimum(start[near.left], start[near.right])
    order = np.lexsort((near.right, near.left, near.distance_m, span))
    return list(zip(near.left[order].tolist(), near.right[order].tolist(), strict=True))


def _public_first(near: Near, public: Bools) -> Near:
    """Return mixed pairs with the public report on the left."""
    turn = public[near.right]
    left, right = np.where(turn, near.right, near.left), np.where(turn, near.left, near.right)
    return Near(left, right, near.distance_m, near.pause_us)


def _agreeing(material: pd.DataFrame, policy: Policy) -> Near:
    """Return the pairs that agree in time, place and act, the lesser first, but for two items of one origin and source.

    Coarse and disputed reports have none (RULE 3).
    """
    rules = policy.corroboration
    single = np.flatnonzero(~(material["coarse"] | material["disputed"]).to_numpy(bool))
    things = Things.of(material.iloc[single], material["uncertainty_m"].to_numpy()[single])
    near = nearness.within(things, rules.agree_m, rules.agree_min * MINUTE_US)
    left, right = single[np.minimum(near.left, near.right)], single[np.maximum(near.left, near.right)]
    near = Near(left, right, near.distance_m, near.pause_us)
    source, origin, cell = (pd.factorize(material[name])[0] for name in ("source", "origin", "cell"))
    keep = (source[near.left] != source[near.right]) | (origin[near.left] != origin[near.right])
    keep &= cell[near.left] == cell[near.right]
    family = material["family"].to_numpy(object)
    a, b = family[near.left], family[near.right]
    return near.where(keep & ((a == b) | (a == "any") | (b == "any")))


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
            if free is None or free[self._members[self.group[i]] + self._members[self.group[j]]].all():
                self._unite(i, j)

    def adopt(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Add each left report that still stands alone to the group of the right one."""
        for i, j in pairs:
            if len(self._members[self.group[i]]) == 1:
                self._unite(i, j)
