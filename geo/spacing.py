"""How far are two things apart, as far as that can be told without measuring?

The straight distance of two things bounds the geodesic one so closely that this must seldom be measured. Compiled;
importing this module takes numba's start-up time: import it late.
"""

from __future__ import annotations

import math

import numpy as np

from geo import arcs
from geo.descents import tight
from geo.halves import square

SLACK_M = 2e-6  # more than what rounding makes of coordinates and distances

_millimetres = tight(arcs.millimetres)


@tight
def arc(square_m, radius):
    """Return the greatest distance that things at a straight distance can have, m."""
    chord = math.sqrt(square_m)
    if chord >= 2.0 * radius:
        return np.inf
    return 2.0 * radius * math.asin(chord / (2.0 * radius)) * (1.0 + 1e-12) + SLACK_M


@tight
def distance(rules, site, i, j):
    """Return the distance of two things, m; below zero where it is not known."""
    one, two = min(site[i], site[j]), max(site[i], site[j])
    if one == two:
        return 0.0
    key = one * rules.sites + two
    k = np.searchsorted(rules.keys, key)
    if k < len(rules.keys) and rules.keys[k] == key:
        return rules.metres[k]
    return -1.0


@tight
def fewest(square_m):
    """Return the least distance, in whole millimetres, that things at a straight distance can have."""
    return _millimetres(max(math.sqrt(square_m) - SLACK_M, 0.0))


@tight
def most(square_m, radius):
    """Return the greatest one."""
    return _millimetres(arc(square_m, radius))


@tight
def millimetres(body, rules, site, i, j):
    """Return the distance of two things in whole millimetres; below zero where it is not known."""
    square_m = square(body.xyz, i, j)
    least = fewest(square_m)
    if least == most(square_m, rules.sharpest_m):
        return least
    metres = distance(rules, site, i, j)
    return _millimetres(metres) if metres >= 0.0 else metres
