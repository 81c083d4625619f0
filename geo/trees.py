"""Which pieces of a line can be nearest to a place?

Pieces in order of chainage are halved again and again. Each half is wrapped in a capsule: the straight way between its
ends, and how far from that way it strays. What a capsule cannot hold need not be looked at, so that the work grows with
the logarithm of the number of pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from geo import arcs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.arcs import Vector
    from geo.crs import Reals
    from geo.pieces import Indices, Pieces

MARGIN_M: Final = 1e-6  # for rounding: a capsule is never too small
STRAY, WITHIN = 7, 8
BLOCK: Final = 4_096  # points looked at together


@dataclass(frozen=True, eq=False)
class Tree:
    """Capsules in heap order: node i has the halves 2 i and 2 i + 1, the root is 1, piece k is node ``leaves`` + k.

    ``rows``, shape (2 leaves, 9), begin as in ``arcs``. Column 7 is how far a piece of a node lies from its straight
    way at most, minus infinity where there is no piece. Column 8 is the same where a node is unbroken, else infinity:
    no place of the way is farther than that from a piece. ``owner``, shape (2 leaves, 2), is its least and its greatest
    segment.
    ``sag`` is how far a piece rises above its straight way at most, metres.
    """

    rows: Reals
    owner: Indices
    leaves: int
    sag: float

    @classmethod
    def build(cls, pieces: Pieces) -> Self:
        """Wrap pieces."""
        count = len(pieces)
        leaves = 1 << (count - 1).bit_length()
        rows = np.tile(np.append(np.zeros(arcs.STRAIGHT), [-np.inf, np.inf]), (2 * leaves, 1))
        owner = np.tile(np.array([0, -1], np.intp), (2 * leaves, 1))
        begins, ends = pieces.start, pieces.start + pieces.span
        broken = pieces.after[:-1] != np.arange(1, count)
        nodes, width = leaves, 1
        while nodes:
            first = np.arange(0, count, width)
            last = np.minimum(first + width, count) - 1
            here = slice(nodes, nodes + len(first))
            span = ends[last] - begins[first]
            square = (span * span).sum(axis=-1)
            inverse = np.divide(1.0, square, out=np.zeros(len(first)), where=square > 0)
            rows[here, : arcs.STRAIGHT] = np.column_stack([begins[first], span, inverse])
            own = rows[nodes + np.arange(count) // width].T
            far = np.maximum(arcs.gap(_vector(begins), own), arcs.gap(_vector(ends), own))
            rows[here, STRAY] = np.sqrt(np.maximum.reduceat(far, first)) + MARGIN_M
            gaps = np.add.reduceat(np.append(broken & (np.arange(1, count) % width != 0), False), first)
            rows[here, WITHIN] = np.where(gaps == 0, rows[here, STRAY], np.inf)
            owner[here, 0] = np.minimum.reduceat(pieces.segment, first)
            owner[here, 1] = np.maximum.reduceat(pieces.segment, first)
            nodes, width = nodes // 2, width * 2
        sag = float(np.sqrt((pieces.rows[:, 7:10] ** 2).sum(axis=-1).max())) / 4.0 + MARGIN_M
        return cls(rows, owner, leaves, sag)

    def near(self, xyz: Reals, radius_m: Reals) -> Iterator[tuple[slice, Indices, Indices, Reals]]:
        """Yield blocks of points with pairs (point in the block, piece), ascending, and the least straight distance.

        The pairs hold every piece that is nearest to any place within ``radius_m`` of its point.
        """
        for start in range(0, len(xyz), BLOCK):
            block = slice(start, min(start + BLOCK, len(xyz)))
            point, piece, chord = self._descend(xyz[block], radius_m[block])
            best = np.minimum.reduceat(chord, np.flatnonzero(np.diff(point, prepend=-1)))
            keep = chord <= (best + arcs.slack(best, self.sag) + 2.0 * radius_m[block])[point]
            yield block, point[keep], piece[keep], best

    def _descend(self, xyz: Reals, radius_m: Reals) -> tuple[Indices, Indices, Reals]:
        point, node = np.arange(len(xyz)), np.ones(len(xyz), np.intp)
        while True:
            metres = np.sqrt(arcs.gap(_vector(xyz[point]), self.rows[node].T))
            if node[0] >= self.leaves:
                real = self.rows[node, STRAY] > 0
                return point[real], node[real] - self.leaves, metres[real]
            first = np.flatnonzero(np.diff(point, prepend=-1))
            bound = np.minimum.reduceat(metres + self.rows[node, WITHIN], first)
            reach = bound + arcs.slack(bound, self.sag) + 2.0 * radius_m
            keep = metres - self.rows[node, STRAY] <= reach[point]
            point, node = _halves(point[keep], node[keep])

    def others(self, xyz: Reals, own: Indices, bound: Reals) -> Reals:
        """Return the least straight distance to a piece of another segment, or ``bound`` where that is less."""
        least = bound.copy()
        for start in range(0, len(xyz), BLOCK):
            block = slice(start, min(start + BLOCK, len(xyz)))
            self._lower(xyz[block], own[block], least[block])
        return least

    def _lower(self, xyz: Reals, own: Indices, least: Reals) -> None:
        point, node = np.arange(len(xyz)), np.ones(len(xyz), np.intp)
        while point.size:
            metres = np.sqrt(arcs.gap(_vector(xyz[point]), self.rows[node].T))
            if node[0] >= self.leaves:
                foreign = (self.owner[node, 0] != own[point]) & (self.rows[node, STRAY] > 0)
                np.minimum.at(least, point[foreign], metres[foreign])
                return
            foreign = (self.owner[node, 0] > own[point]) | (self.owner[node, 1] < own[point])
            bound = least.copy()
            np.minimum.at(bound, point[foreign], (metres + self.rows[node, WITHIN])[foreign])
            other = (self.owner[node, 0] != own[point]) | (self.owner[node, 1] != own[point])
            keep = other & (metres - self.rows[node, STRAY] <= bound[point])
            point, node = _halves(point[keep], node[keep])


def _halves(point: Indices, node: Indices) -> tuple[Indices, Indices]:
    return np.repeat(point, 2), (2 * node[:, None] + np.array([0, 1])).ravel()


def _vector(xyz: Reals) -> Vector:
    """Return the columns of vectors (n, 3)."""
    return xyz[:, 0], xyz[:, 1], xyz[:, 2]
