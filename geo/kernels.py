"""How are many points measured at once?

Points that lie close together are looked at together, and cells of them side by side. Every number is the one that
numpy gives on arrays, to the last bit. Importing this module takes numba's start-up time: import it late.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from geo import arcs
from geo.descents import (
    DEPTH,
    MOST,
    aside,
    beside,
    copy,
    frontier,
    gap,
    inner,
    least_of,
    metres_of,
    outer,
    root,
    rough_metres,
    row_of,
    scan,
    settle,
    share_along,
    side_of,
    slack,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from geo.crs import Reals
    from geo.pieces import Indices, Pieces
    from geo.trees import Tree

SPARE: Final = 1e-6  # for rounding: what can be nearest is never left out
CHUNK: Final = 16_384  # points a thread takes at a time
WARM: Final[set[str]] = set()  # what is compiled already
FEW: Final = 8  # pieces kept for a point before they are measured; where there are more, they are measured at once


@inner
def _measure(point, row, pairs, j):
    share = settle(point, row)
    pairs[j, 0], pairs[j, 1] = share, metres_of(point, row, min(max(share, 0.0), 1.0))


@inner
def _sweep(search, point, reach, limit, table, pairs):
    """Return the least geodesic distance within reach, or the first piece where it is at most ``limit``."""
    tree, nodes, count, chord, stack, found = search
    least, skip = np.inf, count - count
    while True:
        size = within(tree, point, nodes, count, chord, reach, stack, found, skip)
        for j in range(size):
            _measure(point, row_of(table, found[j]), pairs, 0)
            if pairs[0, 1] <= limit:
                return pairs[0, 1], found[j]
            least = min(least, pairs[0, 1])
        if size < len(found):
            return least, count - count
        skip += size


@inner
def _distance(point, border):
    x, y, z = point[0] - border[0], point[1] - border[1], point[2] - border[2]
    return root(x * x + y * y + z * z)


@inner
def _bound(point, borders, own):
    """Return the distance to the nearer border of a segment."""
    one = _distance(point, (borders[own, 0], borders[own, 1], borders[own, 2]))
    return min(one, _distance(point, (borders[own, 3], borders[own, 4], borders[own, 5])))


@inner
def _ball(xyz, order, begin, end):
    """Return a centre of points, and twice the distance of the farthest from it."""
    x, y, z = 0.0, 0.0, 0.0
    for i in order[begin:end]:
        x, y, z = x + xyz[i, 0], y + xyz[i, 1], z + xyz[i, 2]
    centre = (x / (end - begin), y / (end - begin), z / (end - begin))
    far = 0.0
    for i in order[begin:end]:
        far = max(far, _distance((xyz[i, 0], xyz[i, 1], xyz[i, 2]), centre))
    return centre, 2.0 * far + 0.001


@inner
def _candidates(tree, cell, limits, answers, work):
    """Find the least straight distance of a cell's points, and the few pieces that are worth measuring."""
    xyz, order, begin, end, centre, extra = cell
    nodes, chord, here, stack, found, first, candidate = work
    best = answers[4]
    count = frontier(tree, centre, extra, limits[2], np.inf, nodes, chord)
    copy(tree[0], nodes, count, here)
    pairs = 0
    for at in range(begin, end):
        i = order[at]
        point = (xyz[i, 0], xyz[i, 1], xyz[i, 2])
        scan(point, here, count, chord)
        best[i] = least_of(tree, point, nodes, count, chord, limits[2], np.inf, stack)
        first[at - begin] = pairs
        if best[i] > limits[1]:
            continue
        reach = best[i] + slack(best[i], tree[3])
        size = within(tree, point, nodes, count, chord, reach, stack, found, 0 * count)
        if size == len(found):
            search = (tree, nodes, count, chord, stack, found)
            least, _ = _sweep(search, point, reach, -1.0, answers[6], answers[7])
            _, found[0] = _sweep(search, point, reach, least + limits[0], answers[6], answers[7])
            size = 1
        for j in range(size):
            candidate[pairs + j] = found[j]
        pairs += size
    first[end - begin] = pairs
    return pairs


@inner
def _choose(line, cell, tie, answers, first, candidate, pairs):
    """Choose the first piece that is nearest or as near; return the least and the greatest segment chosen."""
    table, before, after, segment, _ = line
    xyz, order, begin, end, _, _ = cell
    piece, share, metres, side = answers[:4]
    for at in range(begin, end):
        i = order[at]
        for j in range(first[at - begin], first[at - begin + 1]):
            _measure((xyz[i, 0], xyz[i, 1], xyz[i, 2]), row_of(table, candidate[j]), pairs, j)
    lowest, highest = np.int64(1 << 62), np.int64(-1)
    for at in range(begin, end):
        i, j, stop = order[at], first[at - begin], first[at - begin + 1]
        piece[i] = -1
        if j == stop:
            continue
        least = pairs[j, 1]
        for more in range(j + 1, stop):
            least = min(least, pairs[more, 1])
        while pairs[j, 1] > least + tie:
            j += 1
        k, found = candidate[j], pairs[j, 0]
        piece[i], share[i], metres[i] = k, min(max(found, 0.0), 1.0), pairs[j, 1]
        point = (xyz[i, 0], xyz[i, 1], xyz[i, 2])
        side[i] = side_of(point, row_of(table, k), row_of(table, before[k]), row_of(table, after[k]), found)
        lowest, highest = min(lowest, segment[k]), max(highest, segment[k])
    return lowest, highest


@inner
def _others(tree, line, cell, span, answers, work):
    """Find the nearest piece of another segment, for all points of one segment after the other."""
    segment, borders = line[3], line[4]
    xyz, order, begin, end, centre, extra = cell
    nodes, chord, here, stack, _, _, _ = work
    piece, other = answers[0], answers[5]
    own, highest = span
    while own <= highest:
        count = frontier(tree, centre, extra, own, _bound(centre, borders, own) + extra, nodes, chord)
        copy(tree[0], nodes, count, here)
        following = highest + 1
        for at in range(begin, end):
            i = order[at]
            mine = segment[piece[i]] if piece[i] >= 0 else own - 1
            if mine == own:
                point = (xyz[i, 0], xyz[i, 1], xyz[i, 2])
                other[i] = _bound(point, borders, own)
                if count:
                    scan(point, here, count, chord)
                    other[i] = least_of(tree, point, nodes, count, chord, own, other[i], stack)
            elif mine > own:
                following = min(following, mine)
        own = following


@outer
def _locate(tree, line, points, limits, answers):
    """Answer the points of some cells."""
    xyz, order, begins, ends = points
    most = 0
    for c in range(len(begins)):
        most = max(most, ends[c] - begins[c])
    first, candidate, pairs = np.empty(most + 1, np.int64), np.empty(FEW * most, np.int64), np.empty((FEW * most, 2))
    nodes, chord, here = np.empty(2 * MOST, np.int64), np.empty(2 * MOST), np.empty((7, 2 * MOST))
    work = (nodes, chord, here, np.empty(DEPTH, np.int64), np.empty(FEW, np.int64), first, candidate)
    every = (*answers, line[0], np.empty((1, 2)))
    for c in range(len(begins)):
        begin, end = begins[c], ends[c]
        centre, extra = _ball(xyz, order, begin, end)
        cell = (xyz, order, begin, end, centre, extra)
        _candidates(tree, cell, limits, every, work)
        span = _choose(line, cell, limits[0], every, first, candidate, pairs)
        _others(tree, line, cell, span, every, work)


def _run(work: Callable[[int, int], None], marks: Indices) -> None:
    """Do work between successive marks, side by side."""
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(work, marks[:-1].tolist(), marks[1:].tolist()):
            pass


@inner
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


@inner
def _winners(here, close, kept, places, tie, least, winner):
    """Fill ``winner`` with the first of what is close that is nearest to each of some places, or as near."""
    px, py, pz = places
    least[:] = np.inf
    winner[:] = 0
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


@inner
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
def _spread(tree, line, discs, pattern, tie, answers):
    """Measure the samples of discs."""
    table, before, after, segment = line
    xyz, frames, radius, drop = discs
    nearest, metres, side = answers
    size, most = pattern.shape[1], 2 * tree[2]
    nodes, chord, here = np.empty(most + 1, np.int64), np.empty(most + 1), np.empty((7, most + 1))
    apart, close = np.empty((4, most)), np.empty(most, np.int64)
    px, py, pz = np.empty(size), np.empty(size), np.empty(size)
    winner, own, at, edge = np.empty(size, np.int64), np.empty((11, size)), np.empty(size), np.empty(size)
    for i in range(len(xyz)):
        point, wide, deep = (xyz[i, 0], xyz[i, 1], xyz[i, 2]), radius[i], drop[i]
        count = frontier(tree, point, 2.0 * wide, -1, np.inf, nodes, chord)
        copy(tree[0], nodes, count, here)
        kept = _rival(here, count, point, wide + deep, apart, close)
        for k in range(size):
            px[k], py[k], pz[k] = aside(
                point, frames[i], wide * pattern[0, k], wide * pattern[1, k], deep * pattern[2, k]
            )
        _winners(here, close, kept, (px, py, pz), tie, edge, winner)
        for k in range(size):
            winner[k] = nodes[winner[k]] - tree[2]
            nearest[i, k] = segment[winner[k]]
            for column in range(11):
                own[column, k] = table[winner[k], column]
        _between((px, py, pz), own, at, metres[i], edge, side[i])
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
    ground = (tree.rows, tree.owner, tree.leaves, tree.sag)
    line = (pieces.rows, pieces.before, pieces.after, pieces.segment)

    def work(first: int, last: int) -> None:
        own = (discs[0][first:last], discs[1][first:last], discs[2][first:last], discs[3][first:last])
        parts = (answers[0][first:last], answers[1][first:last], answers[2][first:last])
        _spread(ground, line, own, pattern, tie_m, parts)

    _run(work, np.append(np.arange(0, shape[0], CHUNK // 16), shape[0]))
    WARM.add("spread")
    return answers


def locate(
    tree: Tree, pieces: Pieces, borders: Reals, xyz: Reals, cell: npt.NDArray[np.uint16], tie_m: float
) -> tuple[Any, ...]:
    """Return piece, share, metres, side, least straight distance and that to another segment, shape (n,) each.

    Points of one ``cell`` lie close together: they are looked at together. A piece of -1 means: too far away.
    """
    count = len(xyz)
    answers = (
        np.empty(count, np.intp), np.zeros(count), np.zeros(count), np.zeros(count, np.int8), np.zeros(count),
        np.zeros(count),
    )  # fmt: skip
    order = np.argsort(cell, kind="stable")
    begins = np.flatnonzero(np.diff(cell[order].astype(np.int64), prepend=-1))
    ends = np.append(begins[1:], count)
    ground = (tree.rows, tree.owner, tree.leaves, tree.sag)
    line = (pieces.rows, pieces.before, pieces.after, pieces.segment, borders)

    def work(first: int, last: int) -> None:
        points = (xyz, order, begins[first:last], ends[first:last])
        _locate(ground, line, points, (tie_m, arcs.FAR_M, -1), answers)

    marks = np.append(np.unique(np.searchsorted(begins, np.arange(0, count, CHUNK))), len(begins))
    _run(work, marks)
    WARM.add("locate")
    return answers
