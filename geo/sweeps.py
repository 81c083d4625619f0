"""Which things hang together, found without listing every pair of them?

The loops of ``linking``, compiled, for what hangs together (``most`` is 1) and for what one link alone holds (2).
Importing this module takes numba's start-up time: import it late.

Things of one cell are surely near in place; cells whose things may be near are looked at side by side. ``things`` are
earth-centred coordinates (n, 3), begins, ends (µs), the latest end so far in their block, and their own numbers. They
come block by block, in order of begin; a block is what hangs together within a cell; blocks come cell by cell, in order
of begin. ``limits`` are the square of the straight distance within which things surely are near, that of the one beyond
which they surely are not, the longest pause, how many pairs of two blocks are tried one by one, and ``most``. Lists, of
which row 0 counts the rows, keep what is left to be done: ``odd`` pairs of things lie between the two limits and must
be measured, ``hard`` pairs of blocks need trees.
"""

from __future__ import annotations

import numpy as np

from geo.bonds import joined, link
from geo.descents import inner, outer
from geo.halves import DEPTH, LEAF, apart, build, pause, put, single, square


@outer
def chain(known, things, cells, gap, most):
    """Link the things of each cell, which come in order of begin; return where runs begin.

    Of what comes before it in its cell, a thing is linked to the one that ended last and, with ``most`` 2, to the one
    before that: those two and any other that it is near are near each other, so that no other link is needed.
    """
    start, end, own = things
    fresh = np.empty(len(start), np.bool_)
    last = np.zeros(2, np.int64)
    for i in range(len(start)):
        fresh[i] = i == 0 or cells[i] != cells[i - 1] or start[i] - end[last[0]] > gap
        if fresh[i]:
            last[0], last[1] = i, i
            continue
        for k in range(most):
            if (k == 0 or last[1] != last[0]) and start[i] - end[last[k]] <= gap:
                link(known, own[i], own[last[k]], most)
        if end[i] > end[last[0]]:
            last[0], last[1] = i, last[0]
        elif last[1] == last[0] or end[i] > end[last[1]]:
            last[1] = i
    return fresh


@outer
def latest(end, fresh):
    """Return the latest end so far in each block."""
    top = np.empty_like(end)
    for i in range(len(end)):
        top[i] = end[i] if fresh[i] else max(end[i], top[i - 1])
    return top


@inner
def note(rows, p, q):
    """Return a list with one more row."""
    n = rows[0, 0] + 1
    if n == len(rows):
        wider = np.empty((2 * n, 2), np.int64)
        for k in range(n):
            wider[k, 0], wider[k, 1] = rows[k, 0], rows[k, 1]
        rows = wider
    rows[0, 0] = n
    rows[n, 0], rows[n, 1] = p, q
    return rows


@inner
def attempt(known, things, odd, p, q, limits):
    """Link two things if they are near."""
    xyz, start, end, own = things[0], things[1], things[2], things[4]
    if start[q] - end[p] > limits[2] or start[p] - end[q] > limits[2]:
        return odd
    far = square(xyz, p, q)
    if far <= limits[0]:
        link(known, own[p], own[q], limits[4])
        return odd
    return note(odd, p, q) if far <= limits[1] else odd


@inner
def reaching(top, low, high, since):
    """Return the first place from ``low`` on at which something has not ended before ``since``."""
    while low < high:
        middle = (low + high) // 2
        if top[middle] < since:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def probe(known, things, odd, spans, limits):
    """Try the pairs of two blocks in order of time, up to some; return whether that was all that was needed."""
    start, end, top, own = things[1], things[2], things[3], things[4]
    a, b = spans
    low, tried = b[0], 0
    for p in range(reaching(top, a[0], a[1], start[b[0]] - limits[2]), a[1]):
        if start[p] > top[b[1] - 1] + limits[2]:
            break
        while low < b[1] and top[low] < start[p] - limits[2]:
            low += 1
        for q in range(low, b[1]):
            if start[q] > end[p] + limits[2]:
                break
            tried += 1
            if tried > limits[3]:
                return False, odd
            odd = attempt(known, things, odd, p, q, limits)
            if joined(known, own[a[0]], own[b[0]], limits[4]):
                return True, odd
    return True, odd


@inner
def beside(known, things, lists, blocks, sides, active, limits):
    """Look at all blocks of two cells that may reach each other in time."""
    first, begin, close = blocks
    odd, hard = lists
    at, stop, count = sides[0], sides[1], np.zeros(2, np.int64)
    while at[0] < stop[0] or at[1] < stop[1]:
        turn = 0 if at[1] == stop[1] or (at[0] < stop[0] and begin[at[0]] <= begin[at[1]]) else 1
        other, mine, kept = 1 - turn, at[turn], 0
        at[turn] += 1
        for k in range(count[other]):
            theirs = active[other, k]
            if begin[mine] - close[theirs] > limits[2]:
                continue
            active[other, kept] = theirs
            kept += 1
            if joined(known, things[4][first[mine]], things[4][first[theirs]], limits[4]):
                continue
            spans = ((first[mine], first[mine + 1]), (first[theirs], first[theirs + 1]))
            done, odd = probe(known, things, odd, spans, limits)
            if not done:
                hard = note(hard, mine, theirs)
        count[other] = kept
        active[turn, count[turn]] = mine
        count[turn] += 1
        if at[other] == stop[other] and kept == 0:
            break
    return odd, hard


@inner
def order(cells, one, two, step):
    """Return how a cell and a step from it compare to another cell: below zero where it comes before."""
    for k in range(3):
        difference = cells[one, k] + step[k] - cells[two, k]
        if difference != 0:
            return difference
    return 0 * cells[one, 0]


@outer
def sweep(known, things, blocks, cells, steps, limits):
    """Link the blocks of cells that lie one of the steps apart; return what is left to be done. Cells come in order.

    ``cells`` are whole coordinates and each one's first block.
    """
    places, own = cells
    lists = np.zeros((64, 2), np.int64), np.zeros((64, 2), np.int64)
    widest = 1
    for i in range(len(places)):
        widest = max(widest, own[i + 1] - own[i])
    active, sides = np.empty((2, widest + 1), np.int64), np.empty((2, 2), np.int64)
    for n in range(len(steps)):
        j = 0
        for i in range(len(places)):
            while j < len(places) and order(places, i, j, steps[n]) > 0:
                j += 1
            if j == len(places):
                break
            if order(places, i, j, steps[n]) == 0:
                sides[0, 0], sides[0, 1], sides[1, 0], sides[1, 1] = own[i], own[j], own[i + 1], own[j + 1]
                lists = beside(known, things, lists, blocks, sides, active, limits)
    return lists


@inner
def told(xyz, odd, p, q, most):
    """Return whether the last odd pair was one of the same two places, and one is enough."""
    n = odd[0, 0]
    return n > 0 and most == 1 and square(xyz, p, odd[n, 0]) == 0.0 and square(xyz, q, odd[n, 1]) == 0.0


@inner
def descend(known, things, odd, trees, spans, limits):
    """Try the pairs of two blocks that their trees leave over, the nearest first."""
    along, box = trees
    (low, high), (start, stop) = spans
    head, tail = things[4][low], things[4][start]
    stack = np.empty((DEPTH, 4), np.int64)
    put(stack, 0, low, high, start, stop)
    size = 1
    while size:
        size -= 1
        low, high, start, stop = stack[size, 0], stack[size, 1], stack[size, 2], stack[size, 3]
        one, two = box[(low + high) // 2], box[(start + stop) // 2]
        far = apart(one, two)
        if far > limits[1] or pause(one, two) > limits[2]:
            continue
        if (
            far > limits[0]
            and single(one)
            and single(two)
            and told(things[0], odd, along[low], along[start], limits[4])
        ):
            continue
        if max(high - low, stop - start) > LEAF:
            size = push(stack, size, box)
            continue
        for m in range((high - low) * (stop - start)):
            p, q = along[low + m // (stop - start)], along[start + m % (stop - start)]
            odd = attempt(known, things, odd, p, q, limits)
            if joined(known, head, tail, limits[4]):
                return odd
    return odd


@inner
def push(stack, size, box):
    """Halve the larger of the two that were taken last, and put the pair that may be nearer on top."""
    low, high, start, stop = stack[size, 0], stack[size, 1], stack[size, 2], stack[size, 3]
    longer = high - low > stop - start
    middle = (low + high) // 2 if longer else (start + stop) // 2
    other = box[(start + stop) // 2] if longer else box[(low + high) // 2]
    left, right = (low, high) if longer else (start, stop)
    nearer = apart(box[(left + middle) // 2], other) < apart(box[(middle + right) // 2], other)
    one, two = (size + 1, size) if nearer else (size, size + 1)
    if longer:
        put(stack, one, low, middle, start, stop)
        put(stack, two, middle, high, start, stop)
    else:
        put(stack, one, low, high, start, middle)
        put(stack, two, low, high, middle, stop)
    return size + 2


@outer
def resolve(known, things, hard, first, limits):
    """Link the hard pairs of blocks; return the odd pairs among them."""
    size = len(things[1])
    along, box = np.arange(size), np.empty((size, 8))
    built, odd = np.zeros(len(first), np.bool_), np.zeros((64, 2), np.int64)
    where = (things[0], things[1], things[2])
    scale = (np.sqrt(limits[0]), limits[2] + 1.0)
    for n in range(1, hard[0, 0] + 1):
        a, b = hard[n, 0], hard[n, 1]
        if joined(known, things[4][first[a]], things[4][first[b]], limits[4]):
            continue
        for k in range(2):
            if not built[hard[n, k]]:
                built[hard[n, k]] = True
                build(where, along, box, first[hard[n, k]], first[hard[n, k] + 1], scale)
        spans = ((first[a], first[a + 1]), (first[b], first[b + 1]))
        odd = descend(known, things, odd, (along, box), spans, limits)
    return odd


@outer
def link_all(known, left, right, most):
    """Take note of links."""
    for n in range(len(left)):
        link(known, left[n], right[n], most)
