"""What of a line can be nearest to a place, found for one place at a time?

The formulas of ``arcs`` and the descent through a ``Tree``, compiled. Every number is the one that numpy gives on
arrays, to the last bit. Importing this module takes numba's start-up time: import it late.

A ``tree`` is the rows, owners, leaves and sag of a ``Tree``. ``nodes`` are all of one level, ``chord`` the straight
distances to them, and ``here`` the first columns of their rows, side by side.
"""

from __future__ import annotations

import math
from contextlib import suppress
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

import numba
from numba.core.caching import NullCache

from geo import arcs

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 64  # nodes that are looked at for a whole cell
OUTER: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
INNER: Final[dict[str, Any]] = {**OUTER, "no_cpython_wrapper": True}
TIGHT: Final[dict[str, Any]] = {**INNER, "_nrt": False}
_MADE: Final[list[Any]] = []  # what is compiled to run beside others
_FOLDER: Final[list[str]] = []  # where it is kept, once somebody has said so


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only compiled ones call, without the liberties that would change a bit."""
    compiled: Callable[..., Any] = numba.njit(**INNER)(function)
    return compiled


def tight(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that makes no array, so that nobody has to count who holds those that it is handed."""
    compiled: Callable[..., Any] = numba.njit(**TIGHT)(function)
    return compiled


def outer(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function to run beside others."""
    compiled: Callable[..., Any] = numba.njit(**OUTER)(function)
    _MADE.append(compiled)
    for folder in _FOLDER:
        _keep(compiled, folder)
    return compiled


def keep(folder: str) -> None:
    """Keep all compiled loops in a folder, now and later, and take from there what an earlier process has compiled.

    The folder must be of these sources alone: a change in a formula that the loops call would not be seen; and it must
    be possible to write to it.
    """
    for compiled in _MADE:
        _keep(compiled, folder)
    _FOLDER[:] = [folder]


def forget() -> None:
    """Keep nothing from now on."""
    _FOLDER.clear()
    for compiled in _MADE:
        compiled._cache = NullCache()  # noqa: SLF001 -- numba has no other way to switch a cache off


def _keep(compiled: Any, folder: str) -> None:  # noqa: ANN401 -- numba ships no types
    settings: Any = numba.config
    before, settings.CACHE_DIR = settings.CACHE_DIR, folder
    try:
        compiled.enable_caching()
    finally:
        settings.CACHE_DIR = before
    save = compiled._cache.save_overload  # noqa: SLF001 -- numba has no other way to go on where a disk is full

    def save_if_possible(*of: Any) -> None:  # noqa: ANN401 -- numba ships no types
        with suppress(OSError):
            save(*of)

    compiled._cache.save_overload = save_if_possible  # noqa: SLF001


@tight
def _lesser(one, two):
    return min(two, one)


@tight
def _greater(one, two):
    return max(two, one)


@tight
def _where(which, one, two):
    return one if which else two


@tight
def root(one):
    return math.sqrt(one)


def _compiled() -> dict[str, Callable[..., Any]]:
    """Return the formulas of ``arcs``, compiled; each calls those before it."""
    names = (
        "dot", "minus", "upward", "triple", "share_along", "gap", "place", "way", "rough_metres", "aside", "left",
        "choose", "side", "beside", "slack",
    )  # fmt: skip
    done: dict[str, Callable[..., Any]] = {"lesser": _lesser, "greater": _greater, "where": _where, "root": root}
    for name in names:
        source = getattr(arcs, name)
        done[name] = tight(FunctionType(source.__code__, {**vars(arcs), **done}, name))
    return done


_ARCS: Final = _compiled()
gap, slack = _ARCS["gap"], _ARCS["slack"]
side_of, beside, aside = _ARCS["side"], _ARCS["beside"], _ARCS["aside"]
share_along, rough_metres = _ARCS["share_along"], _ARCS["rough_metres"]


@tight
def way(rows, k):
    return (rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3], rows[k, 4], rows[k, 5], rows[k, 6])


@tight
def row_of(rows, k):
    """Return a row of ``COLUMNS`` items; negative places count from the end, as in numpy."""
    return (
        rows[k, 0], rows[k, 1], rows[k, 2], rows[k, 3], rows[k, 4], rows[k, 5], rows[k, 6], rows[k, 7], rows[k, 8],
        rows[k, 9], rows[k, 10], rows[k, 11], rows[k, 12],
    )  # fmt: skip


@tight
def frontier(tree, place, extra, own, bound, nodes, count, floor):
    """Replace ``nodes``, ascending, by those below that can hold what is nearest within ``extra`` / 2 of a place.

    With ``own`` not negative, nearest of the pieces of other segments and within ``bound``. Returns how many. The
    descent ends above the pieces where these might not find room in ``nodes``.
    """
    rows, owner, leaves, sag = tree
    while count and nodes[0] < leaves and 4 * count <= len(nodes):
        for j in range(count - 1, -1, -1):
            nodes[2 * j + 1], nodes[2 * j] = 2 * nodes[j] + 1, 2 * nodes[j]
        for j in range(2 * count):
            node = nodes[j]
            metres = root(gap(place, way(rows, node)))
            floor[j] = metres - rows[node, 7]
            if own < 0 or owner[node, 0] > own or owner[node, 1] < own:
                bound = min(bound, metres + rows[node, 8])
        reach, kept = bound + slack(bound, sag) + extra, 0
        for j in range(2 * count):
            node = nodes[j]
            if (
                floor[j] <= reach
                and rows[node, 7] > 0.0
                and (own < 0 or owner[node, 0] != own or owner[node, 1] != own)
            ):
                nodes[kept] = node
                kept += 1
        count = kept
    return count


@tight
def copy(rows, nodes, count, here):
    for j in range(count):
        for column in range(7):
            here[column, j] = rows[nodes[j], column]


@tight
def scan(point, here, count, chord):
    """Fill ``chord`` with the straight distances to what was copied; return the least, infinity where nothing was."""
    for j in range(count):
        row = (here[0, j], here[1, j], here[2, j], here[3, j], here[4, j], here[5, j], here[6, j])
        chord[j] = root(gap(point, row))
    least = math.inf
    for j in range(count):
        least = min(least, chord[j])
    return least


@tight
def under(tree, point, own, bound, nodes, count, near):
    """Copy the pieces under ``nodes`` that can be nearest to a point; return how many."""
    mine, chord, here = near
    for j in range(count):
        mine[j] = nodes[j]
    count = frontier(tree, point, 0.0, own, bound, mine, count, chord)
    copy(tree[0], mine, count, here)
    return count
