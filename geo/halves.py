"""Which of many things over time can be near a place and an interval?

Things are halved again and again, by place or by time, each half wrapped in a box: what a box cannot hold need not be
looked at. Compiled; importing this module takes numba's start-up time: import it late.

``things`` are earth-centred coordinates (n, 3), begins, ends (µs). A tree is ``order``, the things in order of the
halves, and ``box``, shape (n, 8): the least and the greatest of each coordinate, the first begin and the last end. The
box of the half from ``low`` to ``high`` is that of their middle, which no other half of a tree has. ``scale`` is what
makes metres and microseconds alike: reach and pause. No result depends on it.
"""

from __future__ import annotations

import numpy as np

from geo.descents import inner

LEAF = 4  # things of the smallest half; no result depends on it
DEPTH = 512  # no stack of halves of halves is half as deep


@inner
def _key(things, thing, way):
    if way == 0:
        return things[0][thing, 0]
    if way == 1:
        return things[0][thing, 1]
    if way == 2:  # noqa: PLR2004 -- the third coordinate
        return things[0][thing, 2]
    return things[1][thing] * 1.0


@inner
def _part(things, order, low, high, way):
    """Put in order so far that no thing before the middle comes after one behind it."""
    middle = (low + high) // 2
    a, b = low, high - 1
    while a < b:
        pivot = _key(things, order[(a + b) // 2], way)
        i, j = a, b
        while i <= j:
            while _key(things, order[i], way) < pivot:
                i += 1
            while _key(things, order[j], way) > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            b = j
        elif middle >= i:
            a = i
        else:
            return


@inner
def _wrap(things, order, box, low, high):
    xyz, start, end = things
    one, first = box[(low + high) // 2], order[low]
    for k in range(3):
        one[2 * k], one[2 * k + 1] = xyz[first, k], xyz[first, k]
    one[6], one[7] = start[first], end[first]
    for n in range(low + 1, high):
        t = order[n]
        for k in range(3):
            one[2 * k] = min(one[2 * k], xyz[t, k])
            one[2 * k + 1] = max(one[2 * k + 1], xyz[t, k])
        one[6] = min(one[6], start[t])
        one[7] = max(one[7], end[t])
    return one


@inner
def build(things, order, box, low, high, scale):
    """Halve the things of ``order`` from ``low`` to ``high``."""
    stack = np.empty((DEPTH, 2), np.int64)
    stack[0, 0], stack[0, 1] = low, high
    size = 1
    while size:
        size -= 1
        low, high = stack[size, 0], stack[size, 1]
        one = _wrap(things, order, box, low, high)
        if high - low <= LEAF:
            continue
        way, widest = 3, (one[7] - one[6]) / scale[1]
        for k in range(3):
            width = (one[2 * k + 1] - one[2 * k]) / scale[0]
            if width > widest:
                way, widest = k, width
        _part(things, order, low, high, way)
        middle = (low + high) // 2
        stack[size, 0], stack[size, 1] = low, middle
        stack[size + 1, 0], stack[size + 1, 1] = middle, high
        size += 2


@inner
def apart(one, two):
    """Return the square of the least straight distance that things of two boxes can have."""
    total = 0.0
    for k in range(3):
        gap = max(one[2 * k] - two[2 * k + 1], two[2 * k] - one[2 * k + 1])
        if gap > 0.0:
            total += gap * gap
    return total


@inner
def pause(one, two):
    """Return the least pause that things of two boxes can have, µs; below zero where they may overlap."""
    return max(one[6] - two[7], two[6] - one[7])


@inner
def single(box):
    """Return whether all of a box is at one place."""
    return box[0] == box[1] and box[2] == box[3] and box[4] == box[5]


@inner
def square(xyz, one, two):
    """Return the square of the straight distance of two things."""
    x, y, z = xyz[one, 0] - xyz[two, 0], xyz[one, 1] - xyz[two, 1], xyz[one, 2] - xyz[two, 2]
    return x * x + y * y + z * z


@inner
def put(stack, at, low, high, start, stop):
    """Put a pair of halves on a stack."""
    stack[at, 0], stack[at, 1], stack[at, 2], stack[at, 3] = low, high, start, stop
