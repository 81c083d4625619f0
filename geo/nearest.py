"""Which thing is nearest, in time first?

A thing is in reach of another when the gap between their discs is at most ``reach_m`` (geodesic, inclusive), the
smallest pause that both intervals allow at most ``reach_us`` (inclusive), and their masks have a bit in common. Few
pairs are listed; where they are many, a tree is searched, with the same result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from geo import crs, nearness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.nearness import Near, Things

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Sides = tuple[Ints, Ints]

FEW: Final = 1_000_000  # pairs that are listed rather than compiled for; no result depends on it


def nearest(
    a: Things, b: Things, masks: Sides, rank: Ints, reach_m: float, reach_us: float, *, earlier: bool = False
) -> Near:
    """Return for each of ``a`` the one of ``b`` that is nearest, if any is in reach, in order of ``a``.

    Nearest in time; of equal pauses, in place; of equal distances, by the lesser rank. With ``earlier`` only what ended
    before ``a`` begins counts, and place has no say. ``masks`` are those of ``a`` and of ``b``; centres of ``b`` count.
    """
    if not len(a) or not len(b):
        return nearness.NONE
    if nearness.crowded(a, b, reach_m, reach_us, FEW):
        left, right = _searched(a, b, masks, rank, reach_m, reach_us, earlier=earlier)
        near = nearness.verdict(a, b, left, right, reach_m, reach_us)
    else:
        near = nearness.between(a, b, reach_m, reach_us)
    counts = (masks[0][near.left] & masks[1][near.right]) != 0
    if earlier:
        counts &= b.end[near.right] < a.start[near.left]
    near = near.where(counts)
    place = np.zeros(len(near.left)) if earlier else near.distance_m
    order = np.lexsort((rank[near.right], place, near.pause_us, near.left))
    _, first = np.unique(near.left[order], return_index=True)
    return near.where(order[first])


def _searched(
    a: Things, b: Things, masks: Sides, rank: Ints, reach_m: float, reach_us: float, *, earlier: bool
) -> Sides:
    """Return the pairs that may be the nearest, found in a tree."""
    from geo import searches  # noqa: PLC0415 -- numba takes a while to load, and few things do not need it

    longest = int(min(reach_us, np.iinfo(np.int64).max // 4))
    rules = longest, earlier, crs.SHARPEST_M, (max(reach_m, 1.0), float(longest) + 1.0)
    limits = np.stack(crs.chords(reach_m + a.radius_m), axis=-1) ** 2
    # pandas hands out arrays that nobody may write to: numba would compile it all anew for each mixture of such.
    start, end, mask, other, rank = (np.array(each) for each in (b.start, b.end, *masks, rank))
    queries = np.column_stack([np.repeat(crs.ecef(a.lon, a.lat), 2, axis=1), a.start, a.end])
    found = searches.nearest(queries, mask, limits, (crs.ecef(b.lon, b.lat), start, end), (other, rank), rules)
    return found[:, 0], found[:, 1]
