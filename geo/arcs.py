"""Where on a short geodesic is the place nearest to a point, how far is it, and on which side does the point lie?

Closed formulas in earth-centred space. They use nothing but sums, products, quotients and square roots, which every
machine rounds alike, so that the same source gives the same bits on arrays (numpy) and compiled for single numbers.

A vector is a tuple of three items. A row describes one piece (or the pieces of an array): see ``COLUMNS``.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np

from geo.crs import GEOD

Real: TypeAlias = Any  # an array of float64; compiled, a number
Vector: TypeAlias = tuple[Real, Real, Real]

# 0-2 where it starts; 3-5 the straight way to its end; 6 one over the square of that way's length; 7-9 four times how
# far its middle rises above that way; 10 its length along the ground, metres; 11 and 12 are 1 where the line begins
# with it and ends with it.
COLUMNS: Final = 13
STRAIGHT: Final = 7  # the columns that ``gap`` reads
SAME_M: Final = 0.001  # what is nearer than this is one place
FAR_M: Final = 500_000.0  # up to here the formulas are right to a millimetre, and to a micrometre within 100 km
_A: Final = GEOD.a
_STRETCH: Final = 1.0 / (1.0 - GEOD.es)
_R2: Final = GEOD.a * GEOD.b

lesser, greater, where, root = np.minimum, np.maximum, np.where, np.sqrt


def millimetres(metres: Real) -> Real:
    """Return distances in whole millimetres."""
    return np.floor(metres * 1000.0 + 0.5)


def dot(one: Vector, two: Vector) -> Real:
    """Return the product of two vectors."""
    return one[0] * two[0] + one[1] * two[1] + one[2] * two[2]


def minus(one: Vector, two: Vector) -> Vector:
    """Return the difference of two vectors."""
    return (one[0] - two[0], one[1] - two[1], one[2] - two[2])


def upward(at: Vector) -> Vector:
    """Return a vector that points up from a place on the ellipsoid; its length is about the earth's radius."""
    return (at[0], at[1], at[2] * _STRETCH)


def triple(one: Vector, two: Vector, three: Vector) -> Real:
    """Return the triple product: positive if the third lies left of the second, seen from where the first points."""
    x = two[1] * three[2] - two[2] * three[1]
    y = two[2] * three[0] - two[0] * three[2]
    z = two[0] * three[1] - two[1] * three[0]
    return one[0] * x + one[1] * y + one[2] * z


def share_along(point: Vector, row: Real) -> Real:
    """Return where the perpendicular meets a piece's straight way: 0 at its start, 1 at its end, or beyond them."""
    x, y, z = point[0] - row[0], point[1] - row[1], point[2] - row[2]
    return (x * row[3] + y * row[4] + z * row[5]) * row[6]


def gap(point: Vector, row: Real) -> Real:
    """Return the square of the straight distance from a point to a piece's straight way."""
    x, y, z = point[0] - row[0], point[1] - row[1], point[2] - row[2]
    share = lesser(greater((x * row[3] + y * row[4] + z * row[5]) * row[6], 0.0), 1.0)
    x, y, z = x - share * row[3], y - share * row[4], z - share * row[5]
    return x * x + y * y + z * z


def place(row: Real, share: Real) -> Vector:
    """Return the place of a piece at a share of its length."""
    rise = share * (1.0 - share)
    return (
        row[0] + share * row[3] + rise * row[7],
        row[1] + share * row[4] + rise * row[8],
        row[2] + share * row[5] + rise * row[9],
    )


def way(row: Real, share: Real) -> Vector:
    """Return the direction of a piece at a share of its length; its length is about the piece's."""
    lean = 1.0 - 2.0 * share
    return (row[3] + lean * row[7], row[4] + lean * row[8], row[5] + lean * row[9])


def curvature(foot: Vector, offset: Vector) -> tuple[Real, Real, Vector, Vector, Real]:
    """Return what bends a geodesic from a place by a straight offset: chord squared, curvature, and their parts.

    The curvature is that of the ellipsoid's section along the chord, at the place above the chord's middle.
    """
    heavy = upward(offset)
    middle = upward((foot[0] + offset[0] * 0.5, foot[1] + offset[1] * 0.5, foot[2] + offset[2] * 0.5))
    square = greater(dot(offset, offset), 1e-12)
    weight = dot(offset, heavy)
    radius = root(dot(middle, middle))
    bent = weight / square * root(1.0 - weight / (4.0 * _A * _A)) / radius
    return square, bent, heavy, middle, radius


def settle(point: Vector, row: Real) -> Real:
    """Return where the geodesic perpendicular from a point meets a piece, as a share; outside 0 to 1 beyond it.

    A step of Newton's method finds the place nearest in a straight line; where the ellipsoid bends more in one
    direction than in another the place nearest over the ground lies a little aside (14 mm, seen from 100 km).
    """
    share = lesser(greater(share_along(point, row), 0.0), 1.0)
    offset, onward = minus(point, place(row, share)), way(row, share)
    fall = offset[0] * row[7] + offset[1] * row[8] + offset[2] * row[9]
    share = share + dot(offset, onward) / (dot(onward, onward) + 2.0 * fall)
    foot, onward = place(row, share), way(row, share)
    square, bent, heavy, middle, radius = curvature(foot, minus(point, foot))
    length = root(dot(onward, onward))
    change = -2.0 * dot(heavy, onward) / (length * square * radius)
    change = change - bent * dot(middle, upward(onward)) / (2.0 * length * radius * radius)
    return share - square * square * bent * change / (12.0 * row[10])


def metres(point: Vector, row: Real, share: Real) -> Real:
    """Return the geodesic distance from a point to the place of a piece at a share of its length."""
    foot = place(row, share)
    square, bent, _, _, _ = curvature(foot, minus(point, foot))
    half = square * bent * bent / 4.0
    series = 1.0 + half * (1 / 6 + half * (3 / 40 + half * (15 / 336 + half * (105 / 3456))))
    return root(square) * series


def rough_metres(point: Vector, row: Real, share: Real) -> Real:
    """Return the same within a part in a million up to 100 km, for points that may lie some metres off the ground."""
    offset = minus(point, place(row, share))
    chord = root(dot(offset, offset))
    return chord + chord * chord * chord / (24.0 * _R2)


def aside(point: Vector, frame: Real, east: Real, north: Real, down: Real) -> Vector:
    """Return the place some metres aside from a point; ``frame`` holds the directions east, north and up there."""
    return (
        point[0] + east * frame[0] + north * frame[3] - down * frame[6],
        point[1] + east * frame[1] + north * frame[4] - down * frame[7],
        point[2] + east * frame[2] + north * frame[5] - down * frame[8],
    )


def left(offset: Vector, up: Vector, inward: Vector, onward: Vector) -> Real:
    """Return whether an offset lies left of a path that comes in one direction and goes on in another."""
    of_in, of_on = triple(up, inward, offset) > 0.0, triple(up, onward, offset) > 0.0
    return (of_in & of_on) | ((of_in | of_on) & (triple(up, inward, onward) <= 0.0))


def choose(which: Real, one: Vector, two: Vector) -> Vector:
    """Return the one vector where something holds, the other elsewhere."""
    return (where(which, one[0], two[0]), where(which, one[1], two[1]), where(which, one[2], two[2]))


def side(point: Vector, row: Real, before: Real, after: Real, share: Real) -> Real:
    """Return 1 left of the line, -1 right of it, 0 beyond its ends, for a point whose nearest place is on a piece.

    ``before`` and ``after`` are the rows of the adjoining pieces; ``share`` is as ``settle`` gives it.
    """
    held = lesser(greater(share, 0.0), 1.0)
    foot, own = place(row, held), way(row, held)
    at_start, at_end = held * row[10] <= SAME_M, (1.0 - held) * row[10] <= SAME_M
    begins, ends = row[11] > 0.0, row[12] > 0.0
    inward = choose(at_start & (row[11] == 0.0), way(before, 1.0), own)
    onward = choose(at_end & (row[12] == 0.0), way(after, 0.0), own)
    past = (share - held) * row[10]
    beyond = (at_start & begins & (past < -SAME_M)) | (at_end & ends & (past > SAME_M))
    sign = where(left(minus(point, foot), upward(foot), inward, onward), 1, -1)
    return where(beyond, 0, sign)


def beside(point: Vector, row: Real, share: Real) -> Real:
    """Return the same where the nearest place is neither the start nor the end of the piece."""
    foot = place(row, share)
    return where(triple(upward(foot), way(row, share), minus(point, foot)) > 0.0, 1, -1)


def slack(chord: Real, sag: Real) -> Real:
    """Return by how much straight distances can rank two pieces wrongly, metres, with room to spare.

    A piece rises at most ``sag`` above its straight way. Straight distances c fall short of geodesic ones by about
    c³ / 24 R², and R varies by one part in a hundred with place and azimuth.
    """
    return 2.0 * sag + 0.01 * chord * lesser(1.0, (chord / _A) * (chord / _A))
