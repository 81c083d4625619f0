"""How are many points measured at once?

The formulas of ``arcs``, compiled, and the descent through a ``Tree``, one point at a time. Every number is the one that
numpy gives on arrays, to the last bit. Importing this module takes numba's start-up time: import it late.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numba
import numpy as np

from geo import arcs

if TYPE_CHECKING:
    from collections.abc import Callable

    from geo.crs import Reals
    from geo.pieces import Indices, Pieces
    from geo.trees import Tree

Function = TypeVar("Function", bound="Callable[..., Any]")
CHUNK: Final = 16_384  # points a thread takes at a time
DEPTH: Final = 128  # no tree is half as deep
FEW: Final = 8  # pieces kept for a point before they are measured; where there are more, they are measured at once
MOST: Final = 64  # nodes that are looked at for a whole cell


def _jit(function: Function) -> Function:
    """Compile a function without the liberties that would change a bit, to run beside others."""
    compiled = numba.njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return cast("Function", compiled)


@_jit
def _lesser(one, two):  # type: ignore[no-untyped-def]
    return one if one < two else two


@_jit
def _greater(one, two):  # type: ignore[no-untyped-def]
    return one if one > two else two


@_jit
def _where(which, one, two):  # type: ignore[no-untyped-def]
    return one if which else two


@_jit
def _root(one):  # type: ignore[no-untyped-def]
    return math.sqrt(one)


def _compiled() -> dict[str, Callable[..., Any]]:
    """Return the formulas of ``arcs``, compiled; each calls those before it."""
    names = (
        "dot", "minus", "upward", "triple", "share_along", "gap", "place", "way", "curvature", "settle", "metres",
        "rough_metres", "aside", "left", "choose", "side", "slack",
    )  # fmt: skip
    done: dict[str, Callable[..., Any]] = {"lesser": _lesser, "greater": _greater, "where": _where, "root": _root}
    for name in names:
        source = getattr(arcs, name)
        done[name] = _jit(FunctionType(source.__code__, {**vars(arcs), **done}, name))
    return done


_ARCS: Final = _compiled()
_gap, _settle, _metres, _slack = _ARCS["gap"], _ARCS["settle"], _ARCS["metres"], _ARCS["slack"]
_side, _share_along, _rough_metres = _ARCS["side"], _ARCS["share_along"], _ARCS["rough_metres"]
_aside = _ARCS["aside"]


@_jit
def _way(rows, k):  # type: ignore[no-untyped-def]
    return (rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3], rows[k, 4], rows[k, 5], rows[k, 6])


@_jit
def _row(rows, k):  # type: ignore[no-untyped-def]
    """Return a row of ``COLUMNS`` items; negative places count from the end, as in numpy."""
    return (
        rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3], rows[k, 4], rows[k, 5], rows[k, 6], rows[k, 7], rows[k, 8],
        rows[k, 9], rows[k, 10], rows[k, 11], rows[k, 12],
    )  # fmt: skip


@_jit
def _frontier(tree, centre, extra, own, bound, nodes, floor):  # type: ignore[no-untyped-def]
    """Fill ``nodes``, ascending, with all that can hold what is nearest to a place within ``extra`` / 2 of a centre.

    With ``own`` not negative, nearest of the pieces of other segments and within ``bound``. Returns how many.
    """
    rows, owner, leaves, sag = tree
    count, nodes[0] = 1, 1
    while count and nodes[0] < leaves and 2 * count <= MOST:
        for j in range(count - 1, -1, -1):
            nodes[2 * j + 1], nodes[2 * j] = 2 * nodes[j] + 1, 2 * nodes[j]
        for j in range(2 * count):
            node = nodes[j]
            metres = _root(_gap(centre, _way(rows, node)))
            floor[j] = metres - rows[node, 7]
            if own < 0 or owner[node, 0] > own or owner[node, 1] < own:
                bound = min(bound, metres + rows[node, 8])
        reach, kept = bound + _slack(bound, sag) + extra, 0
        for j in range(2 * count):
            node = nodes[j]
            if floor[j] <= reach and rows[node, 7] > 0.0 and (own < 0 or owner[node, 0] != own or owner[node, 1] != own):
                nodes[kept] = node
                kept += 1
        count = kept
    return count


@_jit
def _copy(rows, nodes, count, here):  # type: ignore[no-untyped-def]
    for j in range(count):
        for column in range(7):
            here[column, j] = rows[nodes[j], column]


@_jit
def _scan(point, here, count, chord):  # type: ignore[no-untyped-def]
    """Fill ``chord`` with the straight distances to what was copied."""
    for j in range(count):
        row = (here[0, j], here[1, j], here[2, j], here[3, j], here[4, j], here[5, j], here[6, j])
        chord[j] = _root(_gap(point, row))


@_jit
def _least(tree, point, nodes, count, chord, own, bound, stack):  # type: ignore[no-untyped-def]
    """Return the least straight distance to a piece under ``nodes``, of segments other than ``own``, up to ``bound``."""
    rows, owner, leaves, sag = tree
    least = bound
    if nodes[0] >= leaves:
        for j in range(count):
            if owner[nodes[j], 0] != own:
                least = min(least, chord[j])
        return least
    near = 0
    for j in range(1, count):
        if chord[j] - rows[nodes[j], 7] < chord[near] - rows[nodes[near], 7]:
            near = j
    for j in range(count):
        pick = near if j == 0 else (j - 1 if j <= near else j)
        if chord[pick] - rows[nodes[pick], 7] > least:
            continue
        top, stack[0] = 1, nodes[pick]
        while top:
            top -= 1
            node = stack[top]
            metres = _root(_gap(point, _way(rows, node)))
            if metres - rows[node, 7] > least or (owner[node, 0] == own and owner[node, 1] == own):
                continue
            if node >= leaves:
                least = min(least, metres)
                continue
            one, two = 2 * node, 2 * node + 1
            floor_one = _gap(point, _way(rows, one))
            floor_two = _gap(point, _way(rows, two))
            if floor_one > floor_two:
                one, two = two, one
            stack[top], stack[top + 1] = two, one
            top += 2
    return least


@_jit
def _leaves_within(tree, point, nodes, count, chord, reach, stack, found, skip):  # type: ignore[no-untyped-def]
    """Fill ``found`` with pieces within a straight ``reach``, ascending, after the first ``skip``; return how many."""
    rows, owner, leaves, sag = tree
    size, seen = 0, 0
    for j in range(count):
        if chord[j] - rows[nodes[j], 7] > reach:
            continue
        top, stack[0] = 1, nodes[j]
        while top:
            top -= 1
            node = stack[top]
            metres = _root(_gap(point, _way(rows, node)))
            if metres - rows[node, 7] > reach:
                continue
            if node < leaves:
                stack[top], stack[top + 1] = 2 * node + 1, 2 * node
                top += 2
            elif metres <= reach:
                seen += 1
                if seen > skip:
                    found[size] = node - leaves
                    size += 1
                if size == len(found):
                    return size
    return size


@_jit
def _within(tree, point, nodes, count, chord, reach, stack, found, skip):  # type: ignore[no-untyped-def]
    """Fill ``found`` with pieces within a straight ``reach``, ascending, after the first ``skip``; return how many."""
    if nodes[0] < tree[2]:
        return _leaves_within(tree, point, nodes, count, chord, reach, stack, found, skip)
    size, seen = 0, 0
    for j in range(count):
        if chord[j] <= reach:
            seen += 1
            if seen > skip:
                found[size] = nodes[j] - tree[2]
                size += 1
                if size == len(found):
                    return size
    return size


@_jit
def _measure(point, row, pairs, j):  # type: ignore[no-untyped-def]
    share = _settle(point, row)
    pairs[j, 0], pairs[j, 1] = share, _metres(point, row, min(max(share, 0.0), 1.0))


@_jit
def _sweep(search, point, reach, limit, row_of, pairs):  # type: ignore[no-untyped-def]
    """Return the least geodesic distance within reach, or the first piece where it is at most ``limit``."""
    tree, nodes, count, chord, stack, found = search
    least, skip = np.inf, count - count
    while True:
        size = _within(tree, point, nodes, count, chord, reach, stack, found, skip)
        for j in range(size):
            _measure(point, _row(row_of, found[j]), pairs, 0)
            if pairs[0, 1] <= limit:
                return pairs[0, 1], found[j]
            least = min(least, pairs[0, 1])
        if size < len(found):
            return least, count - count
        skip += size


@_jit
def _distance(point, border):  # type: ignore[no-untyped-def]
    x, y, z = point[0] - border[0], point[1] - border[1], point[2] - border[2]
    return _root(x * x + y * y + z * z)


@_jit
def _bound(point, borders, own):  # type: ignore[no-untyped-def]
    """Return the distance to the nearer border of a segment."""
    one = _distance(point, (borders[own, 0], borders[own, 1], borders[own, 2]))
    return min(one, _distance(point, (borders[own, 3], borders[own, 4], borders[own, 5])))


@_jit
def _ball(xyz, order, begin, end):  # type: ignore[no-untyped-def]
    """Return a centre of points, and twice the distance of the farthest from it."""
    x, y, z = 0.0, 0.0, 0.0
    for i in order[begin:end]:
        x, y, z = x + xyz[i, 0], y + xyz[i, 1], z + xyz[i, 2]
    centre = (x / (end - begin), y / (end - begin), z / (end - begin))
    far = 0.0
    for i in order[begin:end]:
        far = max(far, _distance((xyz[i, 0], xyz[i, 1], xyz[i, 2]), centre))
    return centre, 2.0 * far + 0.001


@_jit
def _candidates(tree, cell, limits, answers, work):  # type: ignore[no-untyped-def]
    """Find the least straight distance of a cell's points, and the few pieces that are worth measuring."""
    xyz, order, begin, end, centre, extra = cell
    nodes, chord, here, stack, found, first, candidate = work
    best = answers[4]
    count = _frontier(tree, centre, extra, limits[2], np.inf, nodes, chord)
    _copy(tree[0], nodes, count, here)
    pairs = 0
    for at in range(begin, end):
        i = order[at]
        point = (xyz[i, 0], xyz[i, 1], xyz[i, 2])
        _scan(point, here, count, chord)
        best[i] = _least(tree, point, nodes, count, chord, limits[2], np.inf, stack)
        first[at - begin] = pairs
        if best[i] > limits[1]:
            continue
        reach = best[i] + _slack(best[i], tree[3])
        size = _within(tree, point, nodes, count, chord, reach, stack, found, 0 * count)
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


@_jit
def _choose(line, cell, tie, answers, first, candidate, pairs):  # type: ignore[no-untyped-def]
    """Choose the first piece that is nearest or as near; return the least and the greatest segment chosen."""
    table, before, after, segment, borders = line
    xyz, order, begin, end, centre, extra = cell
    piece, share, metres, side, best, other, _, _ = answers
    for at in range(begin, end):
        i = order[at]
        for j in range(first[at - begin], first[at - begin + 1]):
            _measure((xyz[i, 0], xyz[i, 1], xyz[i, 2]), _row(table, candidate[j]), pairs, j)
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
        side[i] = _side(point, _row(table, k), _row(table, before[k]), _row(table, after[k]), found)
        lowest, highest = min(lowest, segment[k]), max(highest, segment[k])
    return lowest, highest


@_jit
def _others(tree, line, cell, span, answers, work):  # type: ignore[no-untyped-def]
    """Find the nearest piece of another segment, for all points of one segment after the other."""
    segment, borders = line[3], line[4]
    xyz, order, begin, end, centre, extra = cell
    nodes, chord, here, stack, found, first, candidate = work
    piece, other = answers[0], answers[5]
    own, highest = span
    while own <= highest:
        count = _frontier(tree, centre, extra, own, _bound(centre, borders, own) + extra, nodes, chord)
        _copy(tree[0], nodes, count, here)
        following = highest + 1
        for at in range(begin, end):
            i = order[at]
            mine = segment[piece[i]] if piece[i] >= 0 else own - 1
            if mine == own:
                point = (xyz[i, 0], xyz[i, 1], xyz[i, 2])
                other[i] = _bound(point, borders, own)
                if count:
                    _scan(point, here, count, chord)
                    other[i] = _least(tree, point, nodes, count, chord, own, other[i], stack)
            elif mine > own:
                following = min(following, mine)
        own = following


@numba.njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _locate(tree, line, points, limits, answers):  # type: ignore[no-untyped-def]
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


@_jit
def _winners(here, nodes, count, leaves, points, tie, chords, winner):  # type: ignore[no-untyped-def]
    """Fill ``winner`` with the first piece that is nearest to each of some points, or as near; all are leaves."""
    size = len(winner)
    least = chords[count]
    least[:] = np.inf
    for j in range(count):
        row = (here[0, j], here[1, j], here[2, j], here[3, j], here[4, j], here[5, j], here[6, j])
        for k in range(size):
            chords[j, k] = _root(_gap((points[0, k], points[1, k], points[2, k]), row))
            least[k] = chords[j, k] if chords[j, k] < least[k] else least[k]
    for j in range(count - 1, -1, -1):
        for k in range(size):
            winner[k] = j if chords[j, k] <= least[k] + tie else winner[k]
    for k in range(size):
        winner[k] = nodes[winner[k]] - leaves


@numba.njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True)
def _spread(tree, line, discs, pattern, limits, answers):  # type: ignore[no-untyped-def]
    """Measure the samples of discs."""
    table, before, after = line
    xyz, frames, radius, drop = discs
    tie, nobody = limits
    piece, share, metres, side = answers
    size = pattern.shape[1]
    nodes, chord, here = np.empty(2 * MOST, np.int64), np.empty(2 * MOST), np.empty((7, 2 * MOST))
    stack, found, points = np.empty(DEPTH, np.int64), np.empty(1, np.int64), np.empty((3, size))
    chords = np.empty((2 * MOST + 1, size))
    for i in range(len(xyz)):
        point = (xyz[i, 0], xyz[i, 1], xyz[i, 2])
        count = _frontier(tree, point, 2.0 * radius[i], nobody, np.inf, nodes, chord)
        _copy(tree[0], nodes, count, here)
        for k in range(size):
            east, north, down = radius[i] * pattern[0, k], radius[i] * pattern[1, k], drop[i] * pattern[2, k]
            points[0, k], points[1, k], points[2, k] = _aside(point, frames[i], east, north, down)
        if nodes[0] >= tree[2]:
            _winners(here, nodes, count, tree[2], points, tie, chords, piece[i])
        else:
            for k in range(size):
                sample = (points[0, k], points[1, k], points[2, k])
                _scan(sample, here, count, chord)
                least = _least(tree, sample, nodes, count, chord, nobody, np.inf, stack)
                _leaves_within(tree, sample, nodes, count, chord, least + tie, stack, found, 0 * count)
                piece[i, k] = found[0]
        for k in range(size):
            sample, own = (points[0, k], points[1, k], points[2, k]), piece[i, k]
            row = _row(table, own)
            at = _share_along(sample, row)
            share[i, k] = min(max(at, 0.0), 1.0)
            metres[i, k] = _rough_metres(sample, row, share[i, k])
            side[i, k] = _side(sample, row, _row(table, before[own]), _row(table, after[own]), at)


def spread(tree: Tree, pieces: Pieces, discs: tuple[Reals, ...], pattern: Reals, tie_m: float) -> tuple[Any, ...]:
    """Return piece, share, metres and side of the samples of discs, shape (n, samples) each.

    ``discs`` are earth-centred centres (n, 3), the directions there (n, 9), radii and drops (n,); ``pattern`` is east,
    north and down of the samples, shape (3, samples).
    """
    shape = (len(discs[0]), pattern.shape[1])
    answers = (np.empty(shape, np.intp), np.empty(shape), np.empty(shape), np.empty(shape, np.int8))
    ground = (tree.rows, tree.owner, tree.leaves, tree.sag)
    line = (pieces.rows, pieces.before, pieces.after)

    def work(first: int, last: int) -> None:
        own = (discs[0][first:last], discs[1][first:last], discs[2][first:last], discs[3][first:last])
        parts = (answers[0][first:last], answers[1][first:last], answers[2][first:last], answers[3][first:last])
        _spread(ground, line, own, pattern, (tie_m, -1), parts)

    _run(work, np.append(np.arange(0, shape[0], CHUNK // 16), shape[0]))
    return answers


def locate(tree: Tree, pieces: Pieces, borders: Reals, xyz: Reals, cell: Indices, tie_m: float) -> tuple[Any, ...]:
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
    return answers
