"""How are many points measured at once?

Points that lie close together are looked at together, and cells of them side by side. Every number is the one that
numpy gives on arrays, to the last bit. Importing this module takes numba's start-up time: import it late.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from geo import arcs
from geo.descents import (
    MOST,
    aside,
    beside,
    copy,
    frontier,
    gap,
    outer,
    root,
    rough_metres,
    row_of,
    scan,
    share_along,
    side_of,
    slack,
    tight,
    under,
)
from geo.threads import mapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from geo.crs import Reals
    from geo.pieces import Indices, Pieces
    from geo.trees import Tree

    Cells = npt.NDArray[np.uint16]

SPARE: Final = 1e-6  # for rounding: what can be nearest is never left out
CHUNK: Final = 65_536  # points a thread takes at a time


class Part(NamedTuple):
    """The points that a thread takes at a time, in order of their cells; where each cell begins and ends, its ball."""

    order: Indices
    begins: Indices
    ends: Indices
    balls: Reals


@tight
def _distance(point, border):
    x, y, z = point[0] - border[0], point[1] - border[1], point[2] - border[2]
    return root(x * x + y * y + z * z)


@tight
def _bound(point, borders, own):
    """Return the distance to the nearer border of a segment."""
    one = _distance(point, (borders[own, 0], borders[own, 1], borders[own, 2]))
    return min(one, _distance(point, (borders[own, 3], borders[own, 4], borders[own, 5])))


@outer
def _search(tree, xyz, part, limits, pairs, work):
    """Find what can be nearest to the points of some cells: fill ``pairs``, return how many, -1 if there is no room."""
    order, begins, ends, balls = part
    which, piece = pairs
    wide, narrow = work
    nodes, size = wide[0], 0
    for c in range(len(begins)):
        begin, end = begins[c], ends[c]
        centre, extra = (balls[c, 0], balls[c, 1], balls[c, 2]), balls[c, 3]
        nodes[0] = 1
        count = frontier(tree, centre, extra, limits[1], math.inf, nodes, nodes[0], wide[1])
        copy(tree[0], nodes, count, wide[2])
        for at in range(begin, end):
            i = order[at]
            point, near, many = (xyz[i, 0], xyz[i, 1], xyz[i, 2]), wide, count
            if nodes[0] < tree[2]:
                near, many = narrow, under(tree, point, limits[1], math.inf, nodes, count, narrow)
            least = scan(point, near[2], many, near[1])
            if least > limits[0]:
                continue
            if size + many > len(piece):
                return -1
            reach = least + slack(least, tree[3])
            for j in range(many):
                if near[1][j] <= reach:
                    which[size], piece[size] = i, near[0][j] - tree[2]
                    size += 1
    return size


@outer
def _others(tree, borders, own, xyz, part, other, work):
    """Find the straight distance to the nearest piece of another segment, for the points of some cells."""
    order, begins, ends, balls = part
    wide, narrow = work
    nodes = wide[0]
    for c in range(len(begins)):
        begin, end = begins[c], ends[c]
        centre, extra = (balls[c, 0], balls[c, 1], balls[c, 2]), balls[c, 3]
        mine, following = -1, 0
        while following < len(borders):
            mine, following = following, len(borders)
            many = 0
            for at in range(begin, end):
                if own[order[at]] == mine:
                    many += 1
                elif own[order[at]] > mine:
                    following = min(following, own[order[at]])
            if many == 0:
                continue
            nodes[0] = 1
            count = frontier(tree, centre, extra, mine, _bound(centre, borders, mine) + extra, nodes, nodes[0], wide[1])
            copy(tree[0], nodes, count, wide[2])
            for at in range(begin, end):
                i = order[at]
                if own[i] != mine:
                    continue
                point, near, many = (xyz[i, 0], xyz[i, 1], xyz[i, 2]), wide, count
                other[i] = _bound(point, borders, mine)
                if nodes[0] < tree[2]:
                    near, many = narrow, under(tree, point, mine, other[i], nodes, count, narrow)
                other[i] = min(other[i], scan(point, near[2], many, near[1]))


def _room(size: int) -> tuple[Any, ...]:
    """Return space for so many nodes, straight distances to them, and what is copied of them."""
    return np.empty(size, np.intp), np.empty(size), np.empty((7, size))


@tight
def _rival(here, count, point, radius, apart, close):
    """Fill ``close`` with what can be nearest to any place within a radius of a point; return how many.

    Of a way with its nearest place b, seen from there, all lies on the far side of the plane through b across the
    line of sight. So to a place moved by u the way comes no nearer than its distance plus u along that line, while the
    nearest way of all goes no farther than the place of it that was nearest before.
    """
    first = 0
    for j in range(count):
        x, y, z = point[0] - here[0, j], point[1] - here[1, j], point[2] - here[2, j]
        share = min(max((x * here[3, j] + y * here[4, j] + z * here[5, j]) * here[6, j], 0.0), 1.0)
        x, y, z = x - share * here[3, j], y - share * here[4, j], z - share * here[5, j]
        metres = root(x * x + y * y + z * z)
        apart[0, j], apart[1, j], apart[2, j], apart[3, j] = x / metres, y / metres, z / metres, metres
    for j in range(count):
        first = j if apart[3, j] < apart[3, first] else first
    x, y, z, least = apart[0, first], apart[1, first], apart[2, first], apart[3, first]
    spare, kept = SPARE * (1.0 + radius), 0
    for j in range(count):
        e, n, u = apart[0, j] - x, apart[1, j] - y, apart[2, j] - z
        more = apart[3, j] - least - spare
        turned = radius * root(e * e + n * n + u * u) + radius * radius / (2.0 * least)
        if not (more > 2.0 * radius or more > turned):
            close[kept] = j
            kept += 1
    return kept


@tight
def _winners(here, close, kept, places, tie, least, winner):
    """Fill ``winner`` with the first of what is close that is nearest to each of some places, or as near."""
    px, py, pz = places
    for k in range(len(px)):
        least[k] = math.inf
    for m in range(kept):
        j = close[m]
        row = (here[0, j], here[1, j], here[2, j], here[3, j], here[4, j], here[5, j], here[6, j])
        for k in range(len(px)):
            least[k] = min(least[k], gap((px[k], py[k], pz[k]), row))
    for k in range(len(px)):
        least[k] = (root(least[k]) + tie) * (root(least[k]) + tie)
    for m in range(kept - 1, -1, -1):
        j = close[m]
        row = (here[0, j], here[1, j], here[2, j], here[3, j], here[4, j], here[5, j], here[6, j])
        for k in range(len(px)):
            winner[k] = j if gap((px[k], py[k], pz[k]), row) <= least[k] else winner[k]


@tight
def _between(places, own, at, metres, edge, side):
    """Measure places as if to none an end of its piece were nearest, and how far from there the nearest place is."""
    px, py, pz = places
    for k in range(len(px)):
        row = (
            own[0, k], own[1, k], own[2, k], own[3, k], own[4, k], own[5, k], own[6, k], own[7, k], own[8, k],
            own[9, k], own[10, k],
        )  # fmt: skip
        sample = (px[k], py[k], pz[k])
        at[k] = share_along(sample, row)
        held = min(max(at[k], 0.0), 1.0)
        metres[k], side[k] = rough_metres(sample, row, held), beside(sample, row, held)
        edge[k] = min(held, 1.0 - held) * row[10]


@outer
def _spread(tree, line, discs, pattern, limits, answers, work):
    """Measure the samples of discs."""
    table, before, after, segment = line
    xyz, frames, radius, drop = discs
    nearest, metres, side = answers
    nodes, chord, here, apart, close, places, winner, own, at, edge = work
    px, py, pz = places
    size = len(px)
    for i in range(len(xyz)):
        point, wide, deep = (xyz[i, 0], xyz[i, 1], xyz[i, 2]), radius[i], drop[i]
        nodes[0] = 1
        count = frontier(tree, point, 2.0 * wide, limits[1], math.inf, nodes, nodes[0], chord)
        copy(tree[0], nodes, count, here)
        kept = _rival(here, count, point, wide + deep, apart, close)
        for k in range(size):
            px[k], py[k], pz[k] = aside(
                point, frames[i], wide * pattern[0, k], wide * pattern[1, k], deep * pattern[2, k]
            )
        _winners(here, close, kept, places, limits[0], edge, winner)
        for k in range(size):
            winner[k] = nodes[winner[k]] - tree[2]
            nearest[i, k] = segment[winner[k]]
            for column in range(11):
                own[column, k] = table[winner[k], column]
        _between(places, own, at, metres[i], edge, side[i])
        for k in range(size):
            if not edge[k] > arcs.SAME_M:
                own_row, ends = row_of(table, winner[k]), (before[winner[k]], after[winner[k]])
                sample = (px[k], py[k], pz[k])
                side[i, k] = side_of(sample, own_row, row_of(table, ends[0]), row_of(table, ends[1]), at[k])


def spread(tree: Tree, pieces: Pieces, discs: tuple[Reals, ...], pattern: Reals, tie_m: float) -> tuple[Any, ...]:
    """Return segment, metres and side of the samples of discs, shape (n, samples) each.

    ``discs`` are earth-centred centres (n, 3), the directions there (n, 9), radii and drops (n,); ``pattern`` is east,
    north and down of the samples, shape (3, samples).
    """
    shape = (len(discs[0]), pattern.shape[1])
    answers = (np.empty(shape, np.intp), np.empty(shape), np.empty(shape, np.int8))
    line = (pieces.rows, pieces.before, pieces.after, pieces.segment)

    room, size = _room(2 * tree.leaves + 2), pattern.shape[1]
    some = (np.empty((4, len(room[0]))), np.empty(len(room[0]), np.intp))
    places = (np.empty(size), np.empty(size), np.empty(size))
    each = (np.empty(size, np.intp), np.empty((11, size)), np.empty(size), np.empty(size))
    _spread(_ground(tree), line, discs, pattern, (tie_m, -1), answers, (*room, *some, places, *each))
    return answers


def search(tree: Tree, xyz: Reals, cell: Cells, found: Callable[[Indices, Indices], None]) -> None:
    """Tell ``found`` pairs (point, piece) that hold every piece that can be nearest, those of a point together.

    Points of one ``cell`` lie close together: they are looked at together. Of a point that is too far away for the
    formulas of ``arcs`` there is no pair. ``found`` is called by several threads.
    """

    def work(part: Part) -> None:
        most, size = max(2 * tree.leaves + 2, 2 * MOST), -1
        room = 2 * len(part.order) + most
        while size < 0:
            pairs = (np.empty(room, np.intp), np.empty(room, np.intp))
            size = _search(_ground(tree), xyz, part, (arcs.FAR_M, -1), pairs, (_room(2 * MOST), _room(most)))
            room *= 2
        found(pairs[0][:size], pairs[1][:size])

    mapped(work, _parts(xyz, cell))


def others(tree: Tree, borders: Reals, xyz: Reals, cell: Cells, own: Indices) -> Reals:
    """Return straight distances to the nearest piece of another segment than ``own``, or border of that one."""
    other = np.empty(len(xyz))

    def work(part: Part) -> None:
        rooms = (_room(2 * MOST), _room(max(2 * tree.leaves + 2, 2 * MOST)))
        _others(_ground(tree), borders, own, xyz, part, other, rooms)

    mapped(work, _parts(xyz, cell))
    return other


def _ground(tree: Tree) -> tuple[Any, ...]:
    return (tree.rows, tree.owner, tree.leaves, tree.sag)


def _parts(xyz: Reals, cell: Cells) -> Iterator[Part]:
    """Part points by their cells, some whole cells for each thread."""
    order = np.argsort(cell, kind="stable")
    begins = np.flatnonzero(np.diff(cell[order].astype(np.int64), prepend=-1))
    marks = np.append(np.unique(np.searchsorted(begins, np.arange(0, len(cell), CHUNK))), len(begins))
    ends = np.append(begins[1:], len(cell))
    for first, last in itertools.pairwise(marks):
        start = begins[first]
        own, own_begins, own_ends = order[start : ends[last - 1]], begins[first:last] - start, ends[first:last] - start
        yield Part(own, own_begins, own_ends, _balls(xyz[own], own_begins, own_ends - own_begins))


def _balls(xyz: Reals, begins: Indices, counts: Indices) -> Reals:
    """Return a centre of the points of each cell, and twice the distance of the farthest from it; shape (cells, 4)."""
    centre = np.add.reduceat(xyz, begins) / counts[:, None]
    apart = xyz - np.repeat(centre, counts, axis=0)
    far = np.sqrt(np.maximum.reduceat((apart * apart).sum(axis=1), begins))
    return np.column_stack([centre, 2.0 * far + 0.001])
