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
    leaves_within,
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

ROOM: Final = 512  # pieces that are looked at for all of a disc
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
def _winners(here, nodes, count, leaves, points, tie, square, winner):
    """Fill ``winner`` with the first piece that is nearest to each of some points, or as near; all are leaves."""
    size = len(winner)
    least = square[count]
    least[:] = np.inf
    for j in range(count):
        row = (here[0, j], here[1, j], here[2, j], here[3, j], here[4, j], here[5, j], here[6, j])
        for k in range(size):
            square[j, k] = gap((points[0, k], points[1, k], points[2, k]), row)
            least[k] = min(least[k], square[j, k])
    for k in range(size):
        least[k] = (root(least[k]) + tie) * (root(least[k]) + tie)
    for j in range(count - 1, -1, -1):
        for k in range(size):
            winner[k] = j if square[j, k] <= least[k] else winner[k]
    for k in range(size):
        winner[k] = nodes[winner[k]] - leaves


@outer
def _spread(tree, line, discs, pattern, limits, answers):
    """Measure the samples of discs."""
    table, before, after, segment = line
    xyz, frames, radius, drop = discs
    tie, nobody = limits
    nearest, metres, side = answers
    size = pattern.shape[1]
    nodes, chord, here = np.empty(2 * ROOM, np.int64), np.empty(2 * ROOM), np.empty((7, 2 * ROOM))
    stack, found, points = np.empty(DEPTH, np.int64), np.empty(1, np.int64), np.empty((3, size))
    square, winner = np.empty((2 * ROOM + 1, size)), np.empty(size, np.int64)
    for i in range(len(xyz)):
        point = (xyz[i, 0], xyz[i, 1], xyz[i, 2])
        count = frontier(tree, point, 2.0 * radius[i], nobody, np.inf, nodes, chord)
        copy(tree[0], nodes, count, here)
        for k in range(size):
            east, north, down = radius[i] * pattern[0, k], radius[i] * pattern[1, k], drop[i] * pattern[2, k]
            points[0, k], points[1, k], points[2, k] = aside(point, frames[i], east, north, down)
        if nodes[0] >= tree[2]:
            _winners(here, nodes, count, tree[2], points, tie, square, winner)
        else:
            for k in range(size):
                sample = (points[0, k], points[1, k], points[2, k])
                scan(sample, here, count, chord)
                least = least_of(tree, sample, nodes, count, chord, nobody, np.inf, stack)
                leaves_within(tree, sample, nodes, count, chord, least + tie, stack, found, 0 * count)
                winner[k] = found[0]
        for k in range(size):
            sample, own = (points[0, k], points[1, k], points[2, k]), winner[k]
            row = row_of(table, own)
            at = share_along(sample, row)
            held = min(max(at, 0.0), 1.0)
            nearest[i, k], metres[i, k] = segment[own], rough_metres(sample, row, held)
            if held * row[10] > arcs.SAME_M and (1.0 - held) * row[10] > arcs.SAME_M:
                side[i, k] = beside(sample, row, held)
            else:
                side[i, k] = side_of(sample, row, row_of(table, before[own]), row_of(table, after[own]), at)


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
        _spread(ground, line, own, pattern, (tie_m, -1), parts)

    _run(work, np.append(np.arange(0, shape[0], CHUNK // 16), shape[0]))
    WARM.add("spread")
    return answers


@outer
def _count(codes, place, code, count):
    """Count the codes of each row, the largest count first (ties: the lowest code); return how many parts there are."""
    size = 0
    for i in range(len(codes)):
        begin, last = size, size
        for k in range(codes.shape[1]):
            own = codes[i, k]
            if last == size or code[last] != own:
                last = begin
                while last < size and code[last] != own:
                    last += 1
                if last == size:
                    place[size], code[size], count[size] = i, own, 0
                    size += 1
            count[last] += 1
        for j in range(begin + 1, size):
            own, many, k = code[j], count[j], j
            while k > begin and (count[k - 1] < many or (count[k - 1] == many and code[k - 1] > own)):
                code[k], count[k] = code[k - 1], count[k - 1]
                k -= 1
            code[k], count[k] = own, many
    return size


def count(codes: npt.NDArray[np.integer[Any]]) -> tuple[Indices, Indices, Indices]:
    """Return place of the row, code and count of every different code of every row; ``codes`` of shape (n, samples)."""
    parts = (np.empty(codes.size, np.intp), np.empty(codes.size, np.intp), np.empty(codes.size, np.intp))
    size = _count(codes, *parts)
    WARM.add("count")
    return parts[0][:size].copy(), parts[1][:size].copy(), parts[2][:size].copy()


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
