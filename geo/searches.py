"""Which of many things is nearest to a place and an interval, in time first?

The loops of ``nearest``, compiled; importing this module takes numba's start-up time: import it late.

``things`` are earth-centred coordinates (n, 3), begins and ends (µs), as in ``halves``; ``extra`` are their masks and
ranks. A ``query`` is a box of one thing; ``asked`` are its mask, and the squares of the straight distances within which
things surely are near, and beyond which they surely are not. Of equal pauses the nearer wins, of equal places the
lesser rank; with ``earlier`` only things that end before the query begins count, and place has no say.
"""

from __future__ import annotations

import math

import numpy as np

from geo.descents import inner, outer
from geo.halves import DEPTH, LEAF, apart, build, pause, square
from geo.sweeps import note


@inner
def _distance(query, xyz, t):
    """Return the square of the straight distance."""
    x, y, z = query[0] - xyz[t, 0], query[2] - xyz[t, 1], query[4] - xyz[t, 2]
    return x * x + y * y + z * z


@inner
def _wait(query, things, t, earlier):
    """Return the pause between the query and a thing; below zero where the thing does not count."""
    if earlier and things[2][t] >= query[6]:
        return things[2][t] * 0 - 1
    return np.int64(max(0, things[1][t] - np.int64(query[7]), np.int64(query[6]) - things[2][t]))


@inner
def _beyond(square_m, radius):
    """Return the square of the straight distance beyond which all is surely farther away than at another."""
    chord = math.sqrt(square_m)
    if chord >= 2.0 * radius:
        return np.inf
    far = 2.0 * radius * math.asin(chord / (2.0 * radius)) * (1.0 + 1e-12) + 1e-6
    return far * far


@inner
def _children(stack, size, box, query):
    """Halve what was taken last, and put the half that may be nearer, in time first, on top."""
    low, high = stack[size, 0], stack[size, 1]
    middle = (low + high) // 2
    one, two = box[(low + middle) // 2], box[(middle + high) // 2]
    a, b = max(0.0, pause(one, query)), max(0.0, pause(two, query))
    first = a < b or (a == b and apart(one, query) < apart(two, query))
    near, far = (size + 1, size) if first else (size, size + 1)
    stack[near, 0], stack[near, 1] = low, middle
    stack[far, 0], stack[far, 1] = middle, high
    return size + 2


@inner
def _best(things, extra, tree, query, asked, earlier):
    """Return pause, square of the distance and rank of the nearest of what is surely near."""
    order, box = tree
    mask, surely, longest = asked
    least, close, rank = longest + 1, np.inf, extra[1][order[0]]
    stack = np.empty((DEPTH, 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, len(order)
    size = 1
    while size:
        size -= 1
        low, high = stack[size, 0], stack[size, 1]
        one = box[(low + high) // 2]
        wait, far = pause(one, query), apart(one, query)
        own = 0.0 if earlier else far
        if far > surely or wait > least or (wait >= least and own > close) or (earlier and one[6] >= query[6]):
            continue
        if high - low > LEAF:
            size = _children(stack, size, box, query)
            continue
        for n in range(low, high):
            t = order[n]
            apart_m, gap = _distance(query, things[0], t), _wait(query, things, t, earlier)
            if gap < 0 or gap > least or apart_m > surely or extra[0][t] & mask == 0:
                continue
            own = 0.0 if earlier else apart_m
            if gap < least or own < close or (own == close and extra[1][t] < rank):
                least, close, rank = gap, own, extra[1][t]
    return least, close, rank


@inner
def _keep(rows, since, query, t, things, ranks, earlier):
    """Note a thing, or put it in the stead of one at the same place, after the same pause, with a greater rank."""
    gap = _wait(query, things, t, earlier)
    for n in range(since, rows[0, 0] + 1):
        other = rows[n, 1]
        if square(things[0], t, other) == 0.0 and _wait(query, things, other, earlier) == gap:
            if ranks[t] < ranks[other]:
                rows[n, 1] = t
            return rows
    return note(rows, 0, t)


@inner
def _shortlist(things, extra, tree, query, asked, best, earlier, rows):
    """Note what may be the nearest once it is measured."""
    order, box = tree
    mask, surely, possibly, edge = asked
    least, rank = best
    since, settled = rows[0, 0] + 1, False
    stack = np.empty((DEPTH, 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, len(order)
    size = 1
    while size:
        size -= 1
        low, high = stack[size, 0], stack[size, 1]
        one = box[(low + high) // 2]
        wait, far = pause(one, query), apart(one, query)
        if far > possibly or wait > least or (wait >= least and far > edge) or (earlier and one[6] >= query[6]):
            continue
        if high - low > LEAF:
            size = _children(stack, size, box, query)
            continue
        for n in range(low, high):
            t = order[n]
            apart_m, gap = _distance(query, things[0], t), _wait(query, things, t, earlier)
            if gap < 0 or gap > least or apart_m > possibly or extra[0][t] & mask == 0:
                continue
            if earlier and apart_m <= surely:
                if not settled and gap == least and extra[1][t] == rank:
                    settled, rows = True, note(rows, 0, t)
            elif gap < least or apart_m <= edge:
                rows = _keep(rows, since, query, t, things, extra[1], earlier)
    return rows


@outer
def nearest(queries, masks, limits, things, extra, rules):
    """Return for each query what may be the nearest thing once it is measured, as a list of (query, thing).

    ``queries`` are boxes of one thing each, ``limits`` the squares of their two distances, ``rules`` the longest pause,
    whether only what ended earlier counts, the radius of the sharpest bend of a geodesic, and the scale of a tree.
    """
    longest, earlier, radius, scale = rules
    order, box = np.arange(len(things[1])), np.empty((len(things[1]), 8))
    build(things, order, box, 0, len(order), scale)
    rows = np.zeros((64, 2), np.int64)
    for i in range(len(queries)):
        query, begun = queries[i], rows[0, 0] + 1
        least, close, rank = _best(things, extra, (order, box), query, (masks[i], limits[i, 0], longest), earlier)
        edge = np.inf if earlier else _beyond(close, radius)
        asked = (masks[i], limits[i, 0], limits[i, 1], edge)
        rows = _shortlist(things, extra, (order, box), query, asked, (min(least, longest), rank), earlier, rows)
        for n in range(begun, rows[0, 0] + 1):
            rows[n, 0] = i
    return rows[1 : rows[0, 0] + 1]
