"""Who is the next partner of a group?

Pairs are joined in one order, the least first, as long as everybody agrees, and what no longer agrees never does again.
So two groups of which each is the other's next partner may be joined at once, whatever the rest does: the answer is
that of going through all pairs in order, and no pair is ever listed. Compiled; importing this module takes numba's
start-up time: import it late.

Things come in the order of their trees. Where two sides meet, groups of the second take single things of the first.
What is not known of distances is noted in ``wanted``, and whoever needs it waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.arcs import SAME_M
from geo.crowds import CLOSED, OPEN, WAITING, Body, Crowd, Rules, Traits, agree, note, unite
from geo.descents import outer, tight
from geo.halves import DEPTH, LEAF, apart, square
from geo.queues import Queues, meld, put, take
from geo.spacing import SLACK_M, arc, fewest, millimetres, most
from geo.woods import Woods, count, count_all, count_faces, count_members, shut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

FEW = 64  # faces of a group that are counted anew whenever it grows; no result depends on it
NEVER = 2**62
ROOM = 2**16  # pairs that are asked for at a time; no result depends on it


class World(NamedTuple):
    """All that is asked about."""

    body: Body
    traits: Traits
    woods: Woods
    crowd: Crowd
    queues: Queues
    rules: Rules


class Way(NamedTuple):
    """Who asks whom: a group, its side, the side of those it may find, and the number of the question."""

    group: int
    own: int
    other: int
    number: int


class Best(NamedTuple):
    """The best pair so far (-1: none), in the order of the two sides; from where on another one is surely further."""

    span: int
    square: float
    edge: float
    one: int
    two: int


@tight
def _span(body, i, j):
    return max(body.end[i], body.end[j]) - min(body.start[i], body.start[j])


@tight
def _earlier(way, i, j, p, q):
    """Return whether a pair of places in the order of content comes before another one.

    The one with the lesser thing does; where sides differ, that of the first side counts.
    """
    if way.own == way.other:
        i, j, p, q = min(i, j), max(i, j), min(p, q), max(p, q)
    return i < p or (i == p and j < q)


@tight
def _alike(site, i, j, p, q):
    """Return whether two pairs are of the same two sites."""
    return min(site[i], site[j]) == min(site[p], site[q]) and max(site[i], site[j]) == max(site[p], site[q])


@tight
def _sooner(world, way, pair, best):
    """Return whether a pair of the same span comes before the best so far: 1, 0; -1 where that must be measured."""
    (i, j), p, q = pair, best.one, best.two
    site, rank = world.traits.site, world.traits.rank
    if not _alike(site, i, j, p, q):
        one = millimetres(world.body, world.rules, site, i, j)
        two = millimetres(world.body, world.rules, site, p, q)
        if one < 0.0 or two < 0.0:
            return -1
        if one != two:
            return 1 if one < two else 0
    return 1 if _earlier(way, rank[i], rank[j], rank[p], rank[q]) else 0


@tight
def _better(world, way, i, j, best, wanted):
    """Return the better of a pair and the best so far, and whether that is sure."""
    body, crowd, traits = world.body, world.crowd, world.traits
    a, b = way.group, crowd.group[j]
    if crowd.face[j] < 0 or b == a or traits.side[b] != way.other:
        return best, True
    if crowd.state[b] == CLOSED or crowd.refused[b] == way.number:
        return best, True
    span, square_m = _span(body, i, j), square(body.xyz, i, j)
    if span > best.span or (span == best.span and square_m > best.edge):
        return best, True
    first, far = 1, arc(square_m, world.rules.sharpest_m) + SAME_M
    edge = far * far
    pair = (i, j) if way.own >= way.other else (j, i)
    if span == best.span and best.one >= 0 and edge >= best.square:
        first = _sooner(world, way, pair, best)
    found = 0
    if first != 0:
        found = agree(crowd, body, traits, world.rules, a, b, wanted)
        crowd.refused[b] = way.number if found == 0 else crowd.refused[b]
    if found == 0:
        return best, True
    if first < 0:
        note(wanted, i, j)
        note(wanted, best.one, best.two)
    if found < 0 or first < 0:
        return best, False
    return Best(span, square_m, edge, pair[0], pair[1]), True


@tight
def _least(woods, half, query):
    """Return the least span that a thing and one of a half can have."""
    return max(query[1], woods.ends[half, 0]) - min(query[0], woods.ends[half, 1])


@tight
def _barred(world, way, half):
    """Return whether no group with somebody in a half can agree with the one that asks."""
    woods, crowd, rules, a = world.woods, world.crowd, world.rules, way.group
    if not woods.alive[half] or woods.only[half] == a or shut(woods, crowd, half, a):
        return True
    box = woods.box[half]
    if box[6] - crowd.earliest[a] > rules.reach_us or crowd.latest[a] - box[7] > rules.reach_us:
        return True
    limit = (rules.reach_m + crowd.most[a] + woods.radius[half]) * (1.0 + 1e-12) + SLACK_M
    beyond = False
    for k in range(3):
        beyond = beyond or crowd.high[a, k] - box[2 * k + 1] > limit or box[2 * k] - crowd.low[a, k] > limit
    return beyond


@tight
def _outranked(world, way, half, i, far, best):
    """Return whether the pairs of a thing and a half, at least as far apart as the best so far, come after it."""
    rank, p, q = world.traits.rank, best.one, best.two
    if fewest(far) < most(best.square, world.rules.sharpest_m):
        return False
    least = world.woods.rank[half]
    if way.own >= way.other:
        return not _earlier(way, rank[i], least, rank[p], rank[q])
    return not _earlier(way, least, rank[i], rank[p], rank[q])


@tight
def _worse(world, way, half, i, query, place, best):
    """Return whether nobody in a half can agree with a thing and come before the best so far."""
    woods, traits = world.woods, world.traits
    far, least = apart(woods.box[half], place), _least(woods, half, query)
    limit = (world.rules.reach_m + traits.radius[i] + woods.radius[half]) * (1.0 + 1e-12) + SLACK_M
    if far > limit * limit or least > best.span:
        return True
    if best.one < 0 or least < best.span:
        return False
    return far > best.edge or _outranked(world, way, half, i, far, best)


@tight
def _nearer(woods, one, two, place):
    """Return whether the first of two halves is to be looked at first."""
    here, there = apart(woods.box[one], place), apart(woods.box[two], place)
    return here < there or (here == there and woods.rank[one] < woods.rank[two])


@tight
def _descend(world, way, i, best, work, wanted):
    """Return the better of all pairs of a thing and the best so far, and whether that is sure."""
    body, woods, sure = world.body, world.woods, True
    (place, stack), query = work, (body.start[i], body.end[i])
    for k in range(3):
        place[2 * k], place[2 * k + 1] = body.xyz[i, k], body.xyz[i, k]
    gates = 2 * woods.plot[i] + way.other
    for g in range(woods.first[gates], woods.first[gates + 1]):
        stack[0, 0], stack[0, 1] = woods.gates[g, 0], woods.gates[g, 1]
        size = 1
        while size:
            size -= 1
            low, high = stack[size, 0], stack[size, 1]
            middle = (low + high) // 2
            if _barred(world, way, middle) or _worse(world, way, middle, i, query, place, best):
                continue
            if high - low <= LEAF:
                for j in range(low, high):
                    best, told = _better(world, way, i, j, best, wanted)
                    sure = sure and told
                continue
            one, two = (low + middle) // 2, (middle + high) // 2
            before, after = _least(woods, one, query), _least(woods, two, query)
            first = before < after or (before == after and _nearer(woods, one, two, place))
            near, later = (size + 1, size) if first else (size, size + 1)
            stack[near, 0], stack[near, 1] = low, middle
            stack[later, 0], stack[later, 1] = middle, high
            size += 2
    return best, sure


@tight
def _ask(world, way, f, best, work, wanted):
    """Return the better of what a face finds and the best so far, and whether that is sure."""
    queues, i, sure = world.queues, world.crowd.speaker[f], True
    nobody = Best(NEVER, np.inf, np.inf, -1, -1)
    found = nobody
    if queues.partner[f] >= 0:
        # Its old partner, if that agrees still, is the best that it can find.
        found, sure = _better(world, way, i, queues.partner[f], nobody, wanted)
    if found.one < 0 and sure:
        found, sure = _descend(world, way, i, nobody, work, wanted)
    if not sure or found.one < 0:
        return nobody, sure
    queues.partner[f] = found.two if way.own >= way.other else found.one
    queues.span[f], queues.square[f] = found.span, found.square
    return _better(world, way, i, queues.partner[f], best, wanted)


@tight
def _next(world, way, asked, work, wanted):
    """Return the pair by which a group is joined next (-1: none), and whether it is sure."""
    queues, a = world.queues, way.group
    best, sure, size = Best(NEVER, np.inf, np.inf, -1, -1), True, 0
    while queues.top[a] >= 0 and sure:
        f = queues.top[a]
        if queues.span[f] > best.span or (queues.span[f] == best.span and queues.square[f] > best.edge):
            break
        f = take(queues, a)
        if world.crowd.speaker[f] < 0:
            continue
        asked[size] = f
        size += 1
        best, sure = _ask(world, way, f, best, work, wanted)
        if best.one < 0:
            break  # whom one member does not meet, the group does not
    while size:
        size -= 1
        put(queues, a, asked[size])
    return best.one, best.two, sure


@outer
def awake(world, which):
    """Open the groups of some things, and of no others; each asks anew."""
    crowd, traits, queues, body = world.crowd, world.traits, world.queues, world.body
    crowd.state[:] = CLOSED
    queues.top[:] = -1
    for i in which:
        crowd.state[crowd.group[i]] = OPEN
    for f in range(len(crowd.speaker)):
        i = crowd.speaker[f]
        if i < 0 or crowd.state[crowd.group[i]] != OPEN or traits.side[i] != traits.side[crowd.group[i]]:
            continue
        queues.partner[f], queues.span[f], queues.square[f] = -1, body.end[i] - body.start[i], 0.0
        put(queues, crowd.group[i], f)
    count_all(world.woods, crowd, traits)


@tight
def _grow(world, a, b, idle, path, melt):
    """Put a group into another, and count anew what has changed."""
    crowd, woods, traits, queues = world.crowd, world.woods, world.traits, world.queues
    for n in range(unite(crowd, traits, a, b, idle)):
        count(woods, crowd, traits, idle[n], path)
    count_members(woods, crowd, traits, b, path)
    if crowd.faces[a] <= FEW:
        count_faces(woods, crowd, traits, a, path)
    if melt:
        queues.top[a] = meld(queues, queues.top[a], queues.top[b])
    crowd.after[a], crowd.after[b] = crowd.after[b], crowd.after[a]


@tight
def _close(world, a, path):
    """Let a group that has no partner left be found no more."""
    crowd = world.crowd
    crowd.state[a] = CLOSED
    count_faces(world.woods, crowd, world.traits, a, path)


@outer
def join(world, own, other):
    """Join all groups that may be; return, as a list of things, the pairs whose distances it lacked.

    Groups of the side ``own`` look for partners among those of the side ``other``. Where these differ, a group of the
    latter takes single things of the former.
    """
    crowd, side = world.crowd, world.traits.side
    n, number = len(crowd.group), 0
    wanted, work = np.zeros((ROOM, 2), np.int64), (np.empty(8), np.empty((DEPTH, 2), np.int64))
    chain, asked = np.empty(n + 1, np.int64), np.empty(n, np.int64)
    crowd.refused[:] = -1
    for seed in range(n):
        if side[seed] != own or crowd.group[seed] != seed or crowd.state[seed] != OPEN:
            continue
        chain[0], size = seed, 1
        while size:
            a = chain[size - 1]
            if crowd.state[a] != OPEN:
                break  # it waits, and so must who waits for it
            number += 1
            way = Way(a, own, other, number) if own == other or side[a] == own else Way(a, other, own, number)
            p, q, sure = _next(world, way, asked, work, wanted)
            if not sure:
                crowd.state[a] = WAITING
                break
            if p < 0:
                _close(world, a, work[1])
                size -= 1
                continue
            b = crowd.group[q] if crowd.group[p] == a else crowd.group[p]
            if size < 2 or b != chain[size - 2]:  # noqa: PLR2004 -- the last two
                chain[size] = b
                size += 1
                continue
            turn = crowd.size[a] < crowd.size[b] if own == other else side[a] == own
            taker, taken = (b, a) if turn else (a, b)
            _grow(world, taker, taken, asked, work[1], own == other)
            # Whoever led here may have lost its partner, and is asked anew.
            size -= 2
            if not size:
                chain[0], size = taker, 1
    for i in range(n):
        if crowd.state[i] == WAITING:
            crowd.state[i] = OPEN
    return wanted[1 : wanted[0, 0] + 1]
