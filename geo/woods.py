"""In which half of which tree may somebody still be found?

Trees of ``halves`` over a crowd, one for each length and side, that keep count of the faces that still look for others.
Compiled; importing this module takes numba's start-up time: import it late. What is kept of a half may lag behind what
its groups have become (they only ever lose partners): then it is looked at for nothing, and no result depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.crowds import CLOSED, bars, signs
from geo.descents import inner, outer, tight
from geo.halves import DEPTH, LEAF, apart, build
from geo.spacing import SLACK_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

SETS = 4  # sets of bits that are kept of a half; no result depends on it
PLOT = 16  # things at most that look for others from the same halves on; no result depends on it
GATES = 24  # halves at most of one side from which on a plot looks, but for whole trees; no result depends on it


class Woods(NamedTuple):
    """Trees, and what is true of each half: by its middle, which no other half of a tree has."""

    roots: Ints  # rows of (side, low, high), one a tree
    tree: Ints  # by thing: its tree
    box: Floats
    radius: Floats  # the widest, m
    ends: Ints  # the earliest end and the latest begin, µs
    alive: Ints  # 1 where there is a face of an open group, else 0
    sets: Ints  # bits (n, SETS): each of their groups has all of one of the first ``known``
    known: Ints
    only: Ints  # the group of them all; -1 where there are several
    rank: Ints  # the least
    plot: Ints  # by thing: the plot that it lies in
    first: Ints  # by plot and side: where its gates begin, and the end
    gates: Ints  # rows of (low, high): halves that hold all of a side that may be in reach of a plot, the nearest first


@outer
def plant(body, radius, order, roots, scale):
    """Return the trees of things, with nobody alive."""
    n = len(order)
    box, widest, ends = np.empty((n, 8)), np.empty(n), np.empty((n, 2), np.int64)
    tree = np.empty(n, np.int64)
    stack = np.empty((DEPTH, 2), np.int64)
    for r in range(len(roots)):
        tree[roots[r, 1] : roots[r, 2]] = r
        build(body, order, box, roots[r, 1], roots[r, 2], scale)
        stack[0, 0], stack[0, 1] = roots[r, 1], roots[r, 2]
        size = 1
        while size:
            size -= 1
            low, high = stack[size, 0], stack[size, 1]
            middle, first = (low + high) // 2, order[low]
            widest[middle], ends[middle, 0], ends[middle, 1] = radius[first], body[2][first], body[1][first]
            for n in range(low + 1, high):
                i = order[n]
                widest[middle] = max(widest[middle], radius[i])
                ends[middle, 0], ends[middle, 1] = min(ends[middle, 0], body[2][i]), max(ends[middle, 1], body[1][i])
            if high - low > LEAF:
                stack[size, 0], stack[size, 1] = low, middle
                stack[size + 1, 0], stack[size + 1, 1] = middle, high
                size += 2
    return tree, box, widest, ends


@tight
def _meet(box, widest, one, two, reach):
    """Return whether things of two halves may be in reach of each other."""
    a, b = box[one], box[two]
    if a[6] - b[7] > reach[1] or b[6] - a[7] > reach[1]:
        return False
    limit = (reach[0] + widest[one] + widest[two]) * (1.0 + 1e-12) + SLACK_M
    return apart(a, b) <= limit * limit


@tight
def _opened(box, widest, plot, gates, begin, count, room, reach):
    """Replace gates of a plot by halves of them while there is room; return how many there are."""
    while True:
        best = -1
        for g in range(begin, begin + count):
            size = gates[g, 1] - gates[g, 0]
            if size > PLOT and gates[g, 2] == 0 and (best < 0 or size > gates[best, 1] - gates[best, 0]):
                best = g
        if best < 0:
            return count
        low, high = gates[best, 0], gates[best, 1]
        middle = (low + high) // 2
        left = _meet(box, widest, plot, (low + middle) // 2, reach)
        right = _meet(box, widest, plot, (middle + high) // 2, reach)
        if left and right:
            if count == room:
                gates[best, 2] = 1  # stays whole
                continue
            gates[begin + count, 0], gates[begin + count, 1], gates[begin + count, 2] = middle, high, 0
            gates[best, 1] = middle
            count += 1
        elif left or right:
            gates[best, 0], gates[best, 1] = (low, middle) if left else (middle, high)
        else:
            count -= 1
            for k in range(3):
                gates[best, k] = gates[begin + count, k]


@tight
def _nearest_first(box, plot, gates, begin, count):
    for g in range(begin + 1, begin + count):
        low, high = gates[g, 0], gates[g, 1]
        far, at = apart(box[plot], box[(low + high) // 2]), g
        while at > begin and apart(box[plot], box[(gates[at - 1, 0] + gates[at - 1, 1]) // 2]) > far:
            gates[at, 0], gates[at, 1] = gates[at - 1, 0], gates[at - 1, 1]
            at -= 1
        gates[at, 0], gates[at, 1] = low, high


@outer
def enclose(roots, box, widest, reach_m, reach_us):
    """Return the plots of things, and where the gates of each begin, and these (``Woods``)."""
    n, room, reach = len(box), GATES + len(roots), (reach_m, reach_us)
    plot, first = np.empty(n, np.int64), np.empty(4 * n // PLOT + 2 * len(roots) + 1, np.int64)
    gates, end, plots = np.empty((4 * room, 3), np.int64), 0, 0
    stack = np.empty((DEPTH, 2), np.int64)
    for r in range(len(roots)):
        stack[0, 0], stack[0, 1] = roots[r, 1], roots[r, 2]
        size = 1
        while size:
            size -= 1
            low, high = stack[size, 0], stack[size, 1]
            middle = (low + high) // 2
            if high - low > PLOT:
                stack[size, 0], stack[size, 1] = low, middle
                stack[size + 1, 0], stack[size + 1, 1] = middle, high
                size += 2
                continue
            plot[low:high] = plots
            for side in range(2):
                if end + room > len(gates):
                    gates = np.concatenate((gates, np.empty_like(gates)))
                count = 0
                for k in range(len(roots)):
                    first_of, last_of = roots[k, 1], roots[k, 2]
                    if roots[k, 0] == side and _meet(box, widest, middle, (first_of + last_of) // 2, reach):
                        at = end + count
                        gates[at, 0], gates[at, 1], gates[at, 2] = first_of, last_of, 0
                        count += 1
                count = _opened(box, widest, middle, gates, end, count, room, reach)
                _nearest_first(box, middle, gates, end, count)
                first[2 * plots + side] = end
                end += count
            plots += 1
    first[2 * plots] = end
    return plot, first[: 2 * plots + 1], gates[:end, :2].copy()


@tight
def _clear(woods, half):
    woods.alive[half], woods.known[half] = 0, 0
    woods.only[half], woods.rank[half] = -1, len(woods.tree)


@tight
def _learn(woods, half, bits):
    """Note what a group of a half has: where there is no room, what it shares with another one."""
    sets, known = woods.sets[half], woods.known[half]
    for k in range(known):
        if sets[k] & ~bits == 0:
            return
    if known == SETS:
        sets[SETS - 1] &= bits
        return
    sets[known] = bits
    woods.known[half] += 1


@tight
def _kept(woods, half):
    """Return all that is kept of a half."""
    sets = woods.sets[half]
    bits = sets[0], sets[1], sets[2], sets[3]
    return woods.alive[half], woods.known[half], woods.only[half], woods.rank[half], bits


@tight
def _leaf(woods, crowd, traits, low, high):
    """Count anew in a smallest half."""
    half = (low + high) // 2
    _clear(woods, half)
    for i in range(low, high):
        a = crowd.group[i]
        if crowd.face[i] < 0 or crowd.state[a] == CLOSED or traits.side[a] != traits.side[i]:
            continue
        woods.only[half] = a if woods.alive[half] == 0 or woods.only[half] == a else -1
        woods.alive[half] = 1
        _learn(woods, half, signs(crowd, a))
        woods.rank[half] = min(woods.rank[half], traits.rank[i])


@tight
def _add(woods, half, other):
    """Add to the count of a half that of one within it."""
    if woods.alive[other] == 0:
        return
    woods.only[half] = woods.only[other] if woods.alive[half] == 0 or woods.only[half] == woods.only[other] else -1
    woods.alive[half] = 1
    for k in range(woods.known[other]):
        _learn(woods, half, woods.sets[other, k])
    woods.rank[half] = min(woods.rank[half], woods.rank[other])


@tight
def _sum(woods, low, high):
    """Count anew in a half that has halves."""
    half = (low + high) // 2
    one, two = (low + half) // 2, (half + high) // 2
    _clear(woods, half)
    _add(woods, half, one)
    _add(woods, half, two)


@tight
def shut(woods, crowd, half, a):
    """Return whether everybody in a half has what bars another group from them."""
    barred, all_do = bars(crowd, a), True
    for k in range(woods.known[half]):
        all_do = all_do and woods.sets[half, k] & barred != 0
    return all_do


@tight
def count(woods, crowd, traits, i, path):
    """Count anew in all halves that hold a thing, up to the first of which nothing else is true now."""
    size = 0
    low, high = woods.roots[woods.tree[i], 1], woods.roots[woods.tree[i], 2]
    while high - low > LEAF:
        path[size, 0], path[size, 1] = low, high
        size += 1
        middle = (low + high) // 2
        if i < middle:
            high = middle
        else:
            low = middle
    half = (low + high) // 2
    before = _kept(woods, half)
    _leaf(woods, crowd, traits, low, high)
    while size and _kept(woods, half) != before:
        size -= 1
        half = (path[size, 0] + path[size, 1]) // 2
        before = _kept(woods, half)
        _sum(woods, path[size, 0], path[size, 1])


@inner
def count_all(woods, crowd, traits):
    """Count anew in all trees, the smallest halves first."""
    for r in range(len(woods.roots)):
        _count_tree(woods, crowd, traits, woods.roots[r, 1], woods.roots[r, 2])


@inner
def _count_tree(woods, crowd, traits, low, high):
    todo, size = [(low, high)], 0
    while size < len(todo):
        low, high = todo[size]
        size += 1
        if high - low > LEAF:
            middle = (low + high) // 2
            todo.append((low, middle))
            todo.append((middle, high))
    while size:
        size -= 1
        low, high = todo[size]
        if high - low > LEAF:
            _sum(woods, low, high)
        else:
            _leaf(woods, crowd, traits, low, high)


@tight
def count_members(woods, crowd, traits, a, path):
    """Count anew in all halves that hold a member of a group."""
    i = a
    while True:
        count(woods, crowd, traits, i, path)
        i = crowd.after[i]
        if i == a:
            return


@tight
def count_faces(woods, crowd, traits, a, path):
    """Count anew in all halves that hold a face of a group."""
    f = a
    while True:
        count(woods, crowd, traits, crowd.speaker[f], path)
        f = crowd.beside[f]
        if f == a:
            return


def bare(roots: Ints, halves: tuple[Ints, Floats, Floats, Ints], reach_m: float, reach_us: float) -> Woods:
    """Return woods with nobody counted; ``halves`` are as ``plant`` returns them."""
    tree, box, radius, _ = halves
    alive, known, only, rank = np.zeros((4, len(tree)), np.int64)
    sets = np.zeros((len(tree), SETS), np.int64)
    return Woods(roots, *halves, alive, sets, known, only, rank, *enclose(roots, box, radius, reach_m, reach_us))
