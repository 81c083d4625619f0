"""Who is together so far, and which two groups may still become one?

Compiled; importing this module takes numba's start-up time: import it late. A group is named by one of its members.
Its members are a circle (``after``). Members of one block (``Traits``) behave alike in time and place, so that one of
them, the first in order of content, is the face of them all: a group asks, and is found, by its faces only, and its
faces are a circle too. What all members have in common is kept by group, so that most questions take one look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from geo.descents import tight
from geo.halves import square
from geo.spacing import SLACK_M, arc, distance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

BITS, KINDS = 48, 14  # that tell voices and families apart, of the 63 that an integer has to spare
OPEN, CLOSED, WAITING = 0, 1, 2


class Body(NamedTuple):
    """Where and when things are, one item a thing: earth-centred metres (n, 3), and µs."""

    xyz: Floats
    start: Ints
    end: Ints


class Listed(NamedTuple):
    """A number of each thing, from 0 without a gap, and the things of each number, one number after another."""

    of: Ints
    things: Ints
    first: Ints  # where those of each number begin, and the end


class Traits(NamedTuple):
    """What else decides, one item a thing."""

    radius: Floats  # m
    family: Ints  # -1: any
    cell: Ints
    side: Ints  # 1 for public
    site: Ints  # equal where coordinates are
    rank: Ints  # the place in order of content
    voice: Listed  # the more frequent a voice, the less its number
    origin: Listed  # likewise
    block: Listed  # equal where site, radius, interval and side are


class Rules(NamedTuple):
    """The tolerances, and what is known of distances between sites."""

    reach_m: float
    reach_us: int
    sharpest_m: float  # the radius of the sharpest bend of a geodesic
    keys: Ints  # pairs of sites whose distance was measured, in order: lesser * number of sites + greater
    metres: Floats
    sites: int


class Crowd(NamedTuple):
    """Groups. By thing: its group and who follows; by group what is true of all members; by face who follows."""

    group: Ints
    after: Ints
    size: Ints
    latest: Ints  # begin, µs
    earliest: Ints  # end, µs
    family: Ints  # -1 while all are of any
    voices: Ints  # bits of those below BITS
    origins: Ints
    rare: Bools  # whether any voice or origin has no bit
    low: Floats  # least coordinates of members (n, 3)
    high: Floats
    least: Floats  # radius, m
    most: Floats
    state: Ints
    refused: Ints  # the last question to which a group was no answer
    face: Ints  # by thing: the face that it is, -1 where another one of its block stands for it
    beside: Ints  # by face: the next face of its group; the thing that names a group names one of its faces
    speaker: Ints  # by face: the thing that it is; -1 for none
    faces: Ints  # by group: their number


@tight
def signs(crowd, a):
    """Return bits of what a group has: its voices and its family."""
    kind = crowd.family[a]
    return crowd.voices[a] | (1 << (BITS + kind) if 0 <= kind < KINDS else 0)


@tight
def bars(crowd, a):
    """Return bits of what no group may have that agrees with a group: its voices, and other families than its own."""
    kind = crowd.family[a]
    if kind < 0:
        return crowd.voices[a]
    others = ((1 << KINDS) - 1) << BITS
    return crowd.voices[a] | (others & ~(1 << (BITS + kind)) if kind < KINDS else others)


@tight
def _near(body, traits, rules, i, j):
    """Return whether two discs agree in place: 1 if so, 0 if not, -1 where it must be measured."""
    limit = rules.reach_m + traits.radius[i] + traits.radius[j]
    square_m, far = square(body.xyz, i, j), limit * (1.0 + 1e-12) + SLACK_M
    if square_m > far * far:
        return 0
    if arc(square_m, rules.sharpest_m) <= limit * (1.0 - 1e-12) - SLACK_M:
        return 1
    metres = distance(rules, traits.site, i, j)
    if metres < 0.0:
        return -1
    return 1 if metres - traits.radius[i] - traits.radius[j] <= rules.reach_m else 0


@tight
def note(wanted, i, j):
    """Note a pair that must be measured, while there is room; row 0 counts the rows."""
    n = wanted[0, 0] + 1
    if n < len(wanted):
        wanted[0, 0], wanted[n, 0], wanted[n, 1] = n, i, j


@tight
def _has(crowd, listed, a, number):
    """Return whether a group has a member of a number, looking through the fewer."""
    if listed.first[number + 1] - listed.first[number] <= crowd.size[a]:
        found = False
        for k in range(listed.first[number], listed.first[number + 1]):
            found = found or crowd.group[listed.things[k]] == a
        return found
    i = a
    while True:
        if listed.of[i] == number:
            return True
        i = crowd.after[i]
        if i == a:
            return False


@tight
def _strangers(crowd, traits, a, b):
    """Return whether no voice and no origin is in both groups."""
    if crowd.voices[a] & crowd.voices[b] != 0 or crowd.origins[a] & crowd.origins[b] != 0:
        return False
    if not (crowd.rare[a] and crowd.rare[b]):
        return True
    few, many = (a, b) if crowd.size[a] < crowd.size[b] else (b, a)
    i = few
    while True:
        voice, origin = traits.voice.of[i], traits.origin.of[i]
        if voice >= BITS and _has(crowd, traits.voice, many, voice):
            return False
        if origin >= BITS and _has(crowd, traits.origin, many, origin):
            return False
        i = crowd.after[i]
        if i == few:
            return True


@tight
def _at_one_place(crowd, body, traits, rules, a, b, wanted):
    """Return whether all members of two groups agree in place (1, 0; -1 where it must be measured)."""
    wide, longest = 0.0, 0.0
    for k in range(3):
        gap = max(crowd.high[a, k] - crowd.low[b, k], crowd.high[b, k] - crowd.low[a, k])
        wide, longest = wide + gap * gap, max(longest, gap)
    if longest > (rules.reach_m + crowd.most[a] + crowd.most[b]) * (1.0 + 1e-12) + SLACK_M:
        return 0
    limit = rules.reach_m + crowd.least[a] + crowd.least[b]
    if arc(wide, rules.sharpest_m) <= limit * (1.0 - 1e-12) - SLACK_M:
        return 1
    found, f = 1, a
    while True:
        g = b
        while True:
            i, j = crowd.speaker[f], crowd.speaker[g]
            near = _near(body, traits, rules, i, j)
            if near == 0:
                return 0
            if near < 0:
                found = -1
                note(wanted, i, j)
            g = crowd.beside[g]
            if g == b:
                break
        f = crowd.beside[f]
        if f == a:
            return found


@tight
def agree(crowd, body, traits, rules, a, b, wanted):
    """Return whether all members of two groups agree (1, 0; -1 where that must be measured)."""
    one, two = crowd.family[a], crowd.family[b]
    if traits.cell[a] != traits.cell[b] or (one != two and one >= 0 and two >= 0):
        return 0
    if crowd.latest[a] - crowd.earliest[b] > rules.reach_us or crowd.latest[b] - crowd.earliest[a] > rules.reach_us:
        return 0
    if not _strangers(crowd, traits, a, b):
        return 0
    return _at_one_place(crowd, body, traits, rules, a, b, wanted)


@tight
def _twin(crowd, block, a, f):
    """Return the face that a group already has of the block of another face; -1 for none."""
    number = block.of[f]
    if block.first[number + 1] - block.first[number] <= crowd.faces[a]:
        for k in range(block.first[number], block.first[number + 1]):
            i = block.things[k]
            if crowd.group[i] == a and crowd.face[i] >= 0:
                return crowd.face[i]
        return -1
    g = a
    while True:
        if block.of[g] == number:
            return g
        g = crowd.beside[g]
        if g == a:
            return -1


@tight
def _settle(crowd, traits, a, f):
    """Give a group a face that another one had; return the thing that stands for nothing any more, or -1."""
    twin, thing = _twin(crowd, traits.block, a, f), crowd.speaker[f]
    if twin < 0:
        crowd.beside[f] = crowd.beside[a]
        crowd.beside[a] = f
        crowd.faces[a] += 1
        return -1
    crowd.speaker[f], other = -1, crowd.speaker[twin]
    if traits.rank[thing] < traits.rank[other]:
        crowd.speaker[twin], crowd.face[thing] = thing, twin
        thing = other
    crowd.face[thing] = -1
    return thing


@tight
def unite(crowd, traits, a, b, idle):
    """Put the members of one group into another; return how many things stand for nothing now (``idle``)."""
    f, count = b, 0
    while True:
        following = crowd.beside[f]
        thing = _settle(crowd, traits, a, f)
        if thing >= 0:
            idle[count] = thing
            count += 1
        f = following
        if f == b:
            break
    i = b
    while True:
        crowd.group[i] = a
        i = crowd.after[i]
        if i == b:
            break
    crowd.size[a] += crowd.size[b]
    crowd.latest[a], crowd.earliest[a] = (
        max(crowd.latest[a], crowd.latest[b]),
        min(crowd.earliest[a], crowd.earliest[b]),
    )
    crowd.family[a] = max(crowd.family[a], crowd.family[b])
    crowd.voices[a] |= crowd.voices[b]
    crowd.origins[a] |= crowd.origins[b]
    crowd.rare[a] |= crowd.rare[b]
    crowd.least[a], crowd.most[a] = min(crowd.least[a], crowd.least[b]), max(crowd.most[a], crowd.most[b])
    for k in range(3):
        crowd.low[a, k], crowd.high[a, k] = (
            min(crowd.low[a, k], crowd.low[b, k]),
            max(crowd.high[a, k], crowd.high[b, k]),
        )
    return count
