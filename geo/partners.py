"""With whom may a report still be put together, and who comes first?

The loops of ``agreement``, compiled; importing this module takes numba's start-up time: import it late. Pairs are
joined in one order, the least first, as long as everybody agrees, and what no longer agrees never does again. So two
groups of which each is the other's next partner may be joined at once, whatever the rest does: the answer is that of
going through all pairs in order, and no pair is ever listed.

``things`` are earth-centred coordinates (n, 3), begins and ends (µs), in the order of their trees. ``traits`` are
radius (m), family (-1: any), cell, voice, origin, site (where coordinates are the same) and the place in order of
content. ``woods`` are trees of ``halves``: box, what is most in each half (``plant``), the number alive in it, the
voices that all of these have in their groups, and rows of (side, low, high), one for each tree. ``groups`` are by thing
its group (one of its members) and the next member of that, in a circle; and by group the latest begin, the earliest
end, bits of voices and of origins, and whether it is open, closed or waits for a distance. ``rules`` are the tolerances
(m, µs), whether bits tell all voices and origins apart, and the radius of the sharpest bend of a geodesic. ``known``
are measured distances: keys of two sites in order, metres, and the number of sites. What is not known is noted in
``wanted``. The best so far is (span, least and greatest square of the distance, the two things).
"""

from __future__ import annotations

import math

import numpy as np

from geo.descents import inner, outer
from geo.halves import DEPTH, LEAF, apart, build, square
from geo.sweeps import note

OPEN, CLOSED, WAITING = 0, 1, 2
SLACK_M = 2e-6  # more than what rounding makes of coordinates and distances


@inner
def _arc(square_m, radius):
    """Return the greatest distance that things at a straight distance can have, m."""
    chord = math.sqrt(square_m)
    if chord >= 2.0 * radius:
        return np.inf
    return 2.0 * radius * math.asin(chord / (2.0 * radius)) * (1.0 + 1e-12) + SLACK_M


@inner
def _metres(known, site, i, j):
    """Return the distance of two things; below zero where it is not known."""
    keys, metres, sites = known
    one, two = min(site[i], site[j]), max(site[i], site[j])
    if one == two:
        return 0.0
    k = np.searchsorted(keys, one * sites + two)
    if k < len(keys) and keys[k] == one * sites + two:
        return metres[k]
    return -1.0


@inner
def _near(things, traits, rules, known, i, j):
    """Return whether two discs agree in place: 1 if so, 0 if not, -1 where it must be measured."""
    limit = rules[0] + traits[0][i] + traits[0][j]
    square_m, far = square(things[0], i, j), limit * (1.0 + 1e-12) + SLACK_M
    if square_m > far * far:
        return 0
    if _arc(square_m, rules[3]) <= limit * (1.0 - 1e-12) - SLACK_M:
        return 1
    metres = _metres(known, traits[5], i, j)
    if metres < 0.0:
        return -1
    return 1 if metres - traits[0][i] - traits[0][j] <= rules[0] else 0


@inner
def _alike(traits, i, j):
    """Return whether two things are of one kind and of independent origins."""
    family, cell, voice, origin = traits[1], traits[2], traits[3], traits[4]
    kind = family[i] == family[j] or family[i] < 0 or family[j] < 0
    return kind and cell[i] == cell[j] and voice[i] != voice[j] and origin[i] != origin[j]


@inner
def _shut_out(groups, rules, a, b):
    """Return whether two groups surely do not agree, by what is known of all their members."""
    _, _, latest, earliest, voices, origins, _ = groups
    if latest[a] - earliest[b] > rules[1] or latest[b] - earliest[a] > rules[1]:
        return True
    return rules[2] and (voices[a] & voices[b] != 0 or origins[a] & origins[b] != 0)


@inner
def _agree(things, traits, groups, rules, known, a, b, wanted):
    """Return whether all members of two groups agree (1, 0; -1 where that must be measured), and what to measure."""
    follow = groups[1]
    found, i = 1, a
    while True:
        j = b
        while True:
            if not _alike(traits, i, j):
                return 0, wanted
            near = _near(things, traits, rules, known, i, j)
            if near == 0:
                return 0, wanted
            if near < 0:
                found, wanted = -1, note(wanted, i, j)
            j = follow[j]
            if j == b:
                break
        i = follow[i]
        if i == a:
            return found, wanted


@inner
def _span(things, i, j):
    return max(things[2][i], things[2][j]) - min(things[1][i], things[1][j])


@inner
def _sooner(traits, known, mixed, pair, best):
    """Return whether a pair of the same span comes before the best so far: 1, 0; -1 where that must be measured.

    Of equal distances the pair with the lesser thing comes first; where sides differ, that of the first side counts.
    """
    (i, j), (p, q) = pair, best
    site, rank = traits[5], traits[6]
    one, two = _metres(known, site, i, j), _metres(known, site, p, q)
    same = min(site[i], site[j]) == min(site[p], site[q]) and max(site[i], site[j]) == max(site[p], site[q])
    if not same:
        if one < 0.0 or two < 0.0:
            return -1
        if one != two:
            return 1 if one < two else 0
    i, j, p, q = rank[i], rank[j], rank[p], rank[q]
    if not mixed:
        i, j, p, q = min(i, j), max(i, j), min(p, q), max(p, q)
    return 1 if i < p or (i == p and j < q) else 0


@inner
def _least(most, query):
    """Return the least span that a thing and one of a half can have."""
    return max(query[7], most[1]) - min(query[6], most[2])


@inner
def _hopeless(one, most, query, rules, window, span, edge, reach):
    """Return whether nothing in a half can agree with a group's window and come before the best so far."""
    if one[6] - window[1] > rules[1] or window[0] - one[7] > rules[1]:
        return True
    least = _least(most, query)
    if least > span:
        return True
    far, limit = apart(one, query), (reach + most[0]) * (1.0 + 1e-12) + SLACK_M
    return far > limit * limit or (least == span and far > edge)


@inner
def _better(things, traits, groups, rules, known, sides, pair, best, wanted):
    """Return the better of a pair and the best so far, whether that is sure, and what must be measured."""
    label, state = groups[0], groups[6]
    side, own, other = sides
    i, j = pair
    span, close, edge, p, q = best
    long, a, b = _span(things, i, j), label[i], label[j]
    if b == a or side[b] != other or state[b] == CLOSED or _shut_out(groups, rules, a, b):
        return best, True, wanted
    square_m = square(things[0], i, j)
    if long == span and square_m > edge:
        return best, True, wanted
    first, arc = 1, _arc(square_m, rules[3])
    pair = (i, j) if own >= other else (j, i)
    if long == span and arc * arc >= close:
        first = _sooner(traits, known, own != other, pair, (p, q))
    if first == 0:
        return best, True, wanted
    found, wanted = _agree(things, traits, groups, rules, known, a, b, wanted)
    if found == 0:
        return best, True, wanted
    if first < 0:
        wanted = note(note(wanted, i, j), p, q)
    if found < 0 or first < 0:
        return best, False, wanted
    return (long, square_m, arc * arc, pair[0], pair[1]), True, wanted


@inner
def _next(things, traits, woods, groups, rules, known, sides, a, wanted):
    """Return the pair by which a group is joined next (-1: none), whether it is sure, and what must be measured."""
    xyz, start, end = things
    box, most, alive, shared, roots = woods
    follow, window, (side, own, other) = groups[1], (groups[2][a], groups[3][a]), sides
    sure, best = True, (np.int64(2**62), np.inf, np.inf, np.int64(-1), np.int64(-1))
    stack, query = np.empty((DEPTH, 2), np.int64), np.empty(8)
    i = a
    while True:
        if side[i] == own:
            for k in range(3):
                query[2 * k], query[2 * k + 1] = xyz[i, k], xyz[i, k]
            query[6], query[7] = start[i], end[i]
            reach, size = rules[0] + traits[0][i], 0
            for r in range(len(roots)):
                if roots[r, 0] == other:
                    stack[size, 0], stack[size, 1] = roots[r, 1], roots[r, 2]
                    size += 1
            while size:
                size -= 1
                low, high = stack[size, 0], stack[size, 1]
                middle = (low + high) // 2
                if not alive[middle] or (rules[2] and shared[middle] & groups[4][a] != 0):
                    continue
                if _hopeless(box[middle], most[middle], query, rules, window, best[0], best[2], reach):
                    continue
                if high - low <= LEAF:
                    for j in range(low, high):
                        if _span(things, i, j) <= best[0] and _alike(traits, i, j):
                            pair = i, j
                            best, told, wanted = _better(
                                things, traits, groups, rules, known, sides, pair, best, wanted
                            )
                            sure = sure and told
                    continue
                one, two = _least(most[(low + middle) // 2], query), _least(most[(middle + high) // 2], query)
                near, later = (size + 1, size) if one < two else (size, size + 1)
                stack[near, 0], stack[near, 1] = low, middle
                stack[later, 0], stack[later, 1] = middle, high
                size += 2
        i = follow[i]
        if i == a or (side[i] == own and best[3] < 0 and sure):  # whom one member does not meet, the group does not
            return best[3], best[4], sure, wanted


@inner
def _leaf(woods, groups, side, low, high):
    """Count what is alive in a smallest half, and tell which voices all of that have already."""
    label, voices, state = groups[0], groups[4], groups[6]
    middle = (low + high) // 2
    woods[2][middle], woods[3][middle] = 0, -1
    for i in range(low, high):
        b = label[i]
        if state[b] != CLOSED and side[b] == side[i]:
            woods[2][middle] += 1
            woods[3][middle] &= voices[b]


@inner
def _refresh(woods, groups, side, i, path):
    """Count anew in all halves that hold a thing."""
    _, _, alive, shared, roots = woods
    low, high, size = np.int64(0), np.int64(0), 0
    for r in range(len(roots)):
        if roots[r, 1] <= i < roots[r, 2]:
            low, high = roots[r, 1], roots[r, 2]
    while high - low > LEAF:
        path[size, 0], path[size, 1] = low, high
        size += 1
        middle = (low + high) // 2
        if i < middle:
            high = middle
        else:
            low = middle
    _leaf(woods, groups, side, low, high)
    while size:
        size -= 1
        low, high = path[size, 0], path[size, 1]
        middle = (low + high) // 2
        one, two = (low + middle) // 2, (middle + high) // 2
        alive[middle], shared[middle] = alive[one] + alive[two], shared[one] & shared[two]


@inner
def _refresh_all(woods, groups, side, a, path):
    """Count anew in all halves that hold a member of a group."""
    i = a
    while True:
        _refresh(woods, groups, side, i, path)
        i = groups[1][i]
        if i == a:
            return


@inner
def _unite(groups, a, b):
    """Put the members of one group into another."""
    label, follow, latest, earliest, voices, origins, _ = groups
    i = b
    while True:
        label[i] = a
        i = follow[i]
        if i == b:
            break
    follow[a], follow[b] = follow[b], follow[a]
    latest[a], earliest[a] = max(latest[a], latest[b]), min(earliest[a], earliest[b])
    voices[a] |= voices[b]
    origins[a] |= origins[b]


@outer
def plant(things, radius, order, roots, scale):
    """Return the trees of things: boxes; the widest radius, earliest end and latest begin; room for two more."""
    box, most = np.empty((len(order), 8)), np.empty((len(order), 3))
    stack = np.empty((DEPTH, 2), np.int64)
    for r in range(len(roots)):
        build(things, order, box, roots[r, 1], roots[r, 2], scale)
        stack[0, 0], stack[0, 1] = roots[r, 1], roots[r, 2]
        size = 1
        while size:
            size -= 1
            low, high = stack[size, 0], stack[size, 1]
            middle, one = (low + high) // 2, most[(low + high) // 2]
            one[0], one[1], one[2] = radius[order[low]], things[2][order[low]], things[1][order[low]]
            for n in range(low + 1, high):
                one[0] = max(one[0], radius[order[n]])
                one[1], one[2] = min(one[1], things[2][order[n]]), max(one[2], things[1][order[n]])
            if high - low > LEAF:
                stack[size, 0], stack[size, 1] = low, middle
                stack[size + 1, 0], stack[size + 1, 1] = middle, high
                size += 2
    return box, most, np.zeros(len(order), np.int64), np.zeros(len(order), np.int64)


@outer
def awake(woods, groups, side, which):
    """Open the groups of some things, and of no others."""
    groups[6][:] = CLOSED
    path = np.empty((DEPTH, 2), np.int64)
    for i in which:
        groups[6][groups[0][i]] = OPEN
    for i in range(len(side)):
        _refresh(woods, groups, side, i, path)


@outer
def join(things, traits, woods, groups, rules, known, sides):
    """Join all groups that may be; return, as a list of things, the pairs whose distances it lacked.

    ``sides`` are the side of each thing, the one whose groups look for partners, and the one where they look. Where
    these differ, a group of the second side takes single things of the first.
    """
    side, own, other = sides
    label, state = groups[0], groups[6]
    wanted = np.zeros((64, 2), np.int64)
    chain, path = np.empty(len(label) + 1, np.int64), np.empty((DEPTH, 2), np.int64)
    for seed in range(len(label)):
        if side[seed] != own or label[seed] != seed or state[seed] != OPEN:
            continue
        chain[0], size = seed, 1
        while size:
            a = chain[size - 1]
            if state[a] != OPEN:
                break  # it waits, and so must who waits for it
            way = (side, own, other) if own == other or side[a] == own else (side, other, own)
            p, q, sure, wanted = _next(things, traits, woods, groups, rules, known, way, a, wanted)
            if not sure:
                state[a] = WAITING
                break
            if p < 0:
                state[a] = CLOSED
                _refresh_all(woods, groups, side, a, path)
                size -= 1
                continue
            b = label[q] if label[p] == a else label[p]
            if size < 2 or b != chain[size - 2]:  # noqa: PLR2004 -- the last two
                chain[size] = b
                size += 1
                continue
            taker, taken = a, b
            if own != other:
                taker, taken = (b, a) if side[a] == own else (a, b)
            _unite(groups, taker, taken)
            _refresh_all(woods, groups, side, taker, path)
            # Whoever led here may have lost its partner, and is asked anew.
            size -= 2
            if not size:
                chain[0], size = taker, 1
    for i in range(len(state)):
        if state[i] == WAITING:
            state[i] = OPEN
    return wanted[1 : wanted[0, 0] + 1]
