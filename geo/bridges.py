"""Since when was it known that what a step needs is one breach?

A step needs violations, and also those without which they would be apart: until these are known, nobody can tell two
breaches from one. So a step waits for the earliest knowledge in which its violations hang together, through whatever
else of the incident was known by then.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from math import cos, hypot, radians
from typing import TYPE_CHECKING, Final

import numpy as np

from geo import linking
from geo.course import by_begin, us
from geo.nearness import Things

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from geo.evidence import Placed
    from geo.policy import Grouping

WIDEST_M: Final = 6_399_594.0  # the largest radius of curvature of WGS 84, at the poles


def known_together(placed: Mapping[int, Placed], needs: Collection[int], known_at: int, rules: Grouping) -> int | None:
    """Return the earliest knowledge, not before ``known_at``, in which some violations of an incident hang together.

    Parameters
    ----------
    placed
        Every qualifying violation of the incident, by row.
    needs
        Rows of those that must hang together, all known at ``known_at``.
    known_at
        µs since 1970 UTC.

    Returns
    -------
    int or None
        µs since 1970 UTC; ``None`` where links never hold them together, so that people put them together.
    """
    some = sorted((placed[row] for row in needs), key=lambda each: by_begin(each.violation))
    if all(_surely_linked(one, other, rules) for one, other in pairwise(some)):
        return known_at
    every = list(placed.values())
    moments = [known_at, *sorted({each.violation.known_at for each in every if each.violation.known_at > known_at})]
    rows = {each.violation.row for each in some}
    n = bisect_left(moments, True, key=lambda moment: _one(every, rows, moment, rules))  # noqa: FBT003 -- sought
    return moments[n] if n < len(moments) else None


def _surely_linked(one: Placed, other: Placed, rules: Grouping) -> bool:
    """Return whether two violations are linked, told cheaply: no where it is not plain."""
    a, b = one.violation, other.violation
    pause = max(a.start, b.start) - min(a.end, b.end)
    if pause > us(rules.link_gap_h) or not one.inside & other.inside:
        return False
    north, east = radians(one.lat - other.lat), radians(one.lon - other.lon)
    return WIDEST_M * hypot(north, east * cos(radians(min(abs(one.lat), abs(other.lat))))) <= rules.link_m


def _one(every: Sequence[Placed], rows: set[int], moment: int, rules: Grouping) -> bool:
    """Return whether violations hang together through those that were known at a moment."""
    known = [each for each in every if each.violation.known_at <= moment]
    start, end = (np.array([getattr(each.violation, name) for each in known], np.int64) for name in ("start", "end"))
    lon, lat = (np.array([getattr(each, name) for each in known], np.float64) for name in ("lon", "lat"))
    things = Things(lon, lat, np.zeros(len(known)), start, end)
    inside = np.array([each.inside for each in known], np.int64)
    component = linking.components(things, inside, rules.link_m, us(rules.link_gap_h))
    return len({int(component[n]) for n, each in enumerate(known) if each.violation.row in rows}) == 1
