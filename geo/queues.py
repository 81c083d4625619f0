"""Which face of a group may know the next partner?

Each group has a heap of its faces, in order of a bound: the least span, and for that the least straight distance, at
which a face can still find a partner. Partners are only ever lost, so a bound once found holds, and two heaps melt into
one when their groups unite. Compiled; importing this module takes numba's start-up time: import it late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.descents import tight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


class Queues(NamedTuple):
    """Skew heaps of faces; -1 where there is nobody."""

    top: Ints  # by group
    left: Ints  # by face, and so are the others
    right: Ints
    span: Ints  # µs
    square: NDArray[np.float64]  # m²
    partner: Ints  # the thing that was the next partner when it was asked for


@tight
def _before(queues, f, g):
    if queues.span[f] != queues.span[g]:
        return queues.span[f] < queues.span[g]
    return queues.square[f] < queues.square[g]


@tight
def meld(queues, f, g):
    """Return the top of two heaps made one."""
    if f < 0 or g < 0:
        return max(f, g)
    if _before(queues, g, f):
        f, g = g, f
    top = f
    while True:
        rest = queues.right[f]
        queues.right[f] = queues.left[f]
        if rest < 0:
            queues.left[f] = g
            return top
        if _before(queues, g, rest):
            rest, g = g, rest
        queues.left[f] = rest
        f = rest


@tight
def put(queues, a, f):
    """Put a face into the heap of a group."""
    queues.left[f], queues.right[f] = -1, -1
    queues.top[a] = meld(queues, queues.top[a], f)


@tight
def take(queues, a):
    """Take the top off the heap of a group."""
    f = queues.top[a]
    queues.top[a] = meld(queues, queues.left[f], queues.right[f])
    return f


def bare(n: int) -> Queues:
    """Return no queue for each of n groups."""
    none = np.full(n, -1)
    return Queues(none, none.copy(), none.copy(), none.copy(), np.zeros(n), none.copy())
