"""Which things hang together, and which by one link alone?

Two things are linked when their centres lie within ``reach_m`` (geodesic, inclusive), the smallest pause that both
intervals allow is at most ``reach_us`` (inclusive), and their masks have a bit in common. A radius has no say. Where
pairs are many they are never listed: what lies in one small cell of the ground is near in place, so that only time
decides there, and between two cells one link is enough, or two, where one alone is asked for. Few pairs are listed
without compiled loops, with the same result.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import rustworkx as rx
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo import crs, nearness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from geo.nearness import Things

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    Pairs = tuple[Ints, Ints]
    Bonds = tuple[Ints, ...]

FEW: Final = 1_000_000  # pairs that are listed rather than compiled for; no result depends on it
PROBES: Final = 1_024  # pairs of two blocks that are tried before trees are built; no result depends on it
_SMALLEST_M: Final = 0.01  # cells of a shorter reach would be as small as what rounding does


class Blocks(NamedTuple):
    """What holds together whichever single link is cut, by thing, and pairs of blocks that one link alone joins."""

    label: Ints
    left: Ints
    right: Ints


def components(things: Things, masks: Ints, reach_m: float, reach_us: float) -> Ints:
    """Return for each thing a number that it shares with all that hang together with it, and with no other."""
    pairs = _few(things, masks, reach_m, reach_us)
    if pairs is not None:
        return _components(len(things), pairs)
    known, order = _compiled(things, masks, reach_m, reach_us)
    return _settled(known[0], order)


def blocks(things: Things, masks: Ints, reach_m: float, reach_us: float, part: Ints) -> Blocks:
    """Return what still holds together when any one link is cut, and the links that alone join two such blocks.

    Things of different parts (numbers from 0) are never linked.
    """
    pairs = _few(things, masks, reach_m, reach_us)
    if pairs is None:
        (_, _, kind, above, *_), order = _compiled(things, masks, reach_m, reach_us, part)
        label = _settled(kind, order)
        left = np.flatnonzero((above != -1) & (kind == np.arange(len(kind))))
        return Blocks(label, left, label[order[above[left]]])
    own = part[pairs[0]] == part[pairs[1]]
    pairs = pairs[0][own], pairs[1][own]
    bridge = _bridges(len(things), pairs)
    label = _components(len(things), (pairs[0][~bridge], pairs[1][~bridge]))
    return Blocks(label, label[pairs[0][bridge]], label[pairs[1][bridge]])


def _settled(up: Ints, order: Ints) -> Ints:
    """Return by thing the one that stands for its set, as its place in the order."""
    from geo import bonds  # noqa: PLC0415 -- only what is compiled comes here

    out = np.empty_like(up)
    out[order] = bonds.settled(up)
    return out


def _components(n: int, pairs: Pairs) -> Ints:
    graph = coo_array((np.ones(len(pairs[0]), bool), pairs), shape=(n, n))
    label: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return label


def _bridges(n: int, pairs: Pairs) -> Bools:
    """Return which links are the only way between what they join."""
    graph: rx.PyGraph[None, None] = rx.PyGraph()
    graph.add_nodes_from([None] * n)
    listed = list(zip(pairs[0].tolist(), pairs[1].tolist(), strict=True))
    graph.add_edges_from_no_data(listed)
    found = {frozenset(pair) for pair in rx.bridges(graph)}
    return np.fromiter((frozenset(pair) in found for pair in listed), bool, len(listed))


def _few(things: Things, masks: Ints, reach_m: float, reach_us: float) -> Pairs | None:
    """Return all links where they are few enough to be listed."""
    things = replace(things, radius_m=np.zeros(len(things)))
    if reach_m >= _SMALLEST_M and nearness.crowded(things, things, reach_m, reach_us, FEW):
        return None
    left, right = nearness.linked(things, reach_m, reach_us)
    common = (masks[left] & masks[right]) != 0
    return left[common], right[common]


def _windows(masks: Ints) -> Iterator[Ints]:
    """Yield the things that have one bit in common, bit by bit, none of the sets twice."""
    seen: set[bytes] = set()
    some = int(np.bitwise_or.reduce(masks)) & ~int(np.bitwise_and.reduce(masks))
    if int(np.bitwise_and.reduce(masks)):
        yield np.arange(len(masks))
        return  # all have it: no other bit can link more
    for bit in (bit for bit in range(64) if some >> bit & 1):
        within = (masks >> bit & 1).astype(bool)
        told = np.packbits(within).tobytes()
        if told not in seen:
            seen.add(told)
            yield np.flatnonzero(within)


def _compiled(
    things: Things, masks: Ints, reach_m: float, reach_us: float, part: Ints | None = None
) -> tuple[Bonds, Ints]:
    """Return the bonds of all things in order of cell and begin, and that order; their pairs are never listed.

    With parts, bonds tell also what one link alone holds.
    """
    from geo import bonds, sweeps  # noqa: PLC0415 -- numba takes a while to load, and few things do not need it

    most = 1 if part is None else 2
    loose: Callable[[int, int], Bonds] = bonds.loose
    known = loose(len(things), most)
    surely, possibly = (float(limit) for limit in crs.chords(reach_m))
    side_m, gap = surely / np.sqrt(3.0) * (1 - 1e-9), int(reach_us)
    xyz = crs.ecef(things.lon, things.lat)
    cell = np.floor((xyz - xyz.min(axis=0)) / side_m).astype(np.int64)
    if part is not None:
        cell[:, 0] += part * (cell[:, 0].max() + 8)  # no step leads from one part to another
    order = _in_order(cell, things.start)
    xyz, cell, start, end = xyz[order], cell[order], things.start[order], things.end[order]
    number = np.cumsum(np.any(np.diff(cell, axis=0, prepend=cell[:1]) != 0, axis=1))
    limits, steps = (surely**2, possibly**2, gap, PROBES, most), _steps(possibly / side_m)
    for within in _windows(masks[order]):
        rows = within
        fresh = sweeps.chain(known, (start[rows], end[rows], rows), number[rows], gap, most)
        if part is not None:
            rows, fresh = _by_block(rows, number[rows], start[rows], bonds.settled(known[2])[rows])
        first = np.flatnonzero(fresh)
        own = np.append(np.flatnonzero(np.diff(number[rows[first]], prepend=-1)), len(first))
        laid = (xyz[rows], start[rows], end[rows], sweeps.latest(end[rows], fresh), rows)
        edge = np.append(first, len(rows))
        blocks = (edge, start[rows[first]], np.maximum.reduceat(end[rows], first))
        odd, hard = sweeps.sweep(known, laid, blocks, (cell[rows[first[own[:-1]]]], own), steps, limits)
        rest = sweeps.resolve(known, laid, hard, edge, limits) if hard[0, 0] else odd[:1]
        left, right = rows[np.concatenate([odd[1 : odd[0, 0] + 1], rest[1 : rest[0, 0] + 1]])].T
        near = nearness.close(things, things, order[left], order[right], reach_m)
        sweeps.link_all(known, left[near], right[near], most)
    return known, order


def _in_order(cell: Ints, start: Ints) -> Ints:
    """Return the order of cell, then of begin."""
    wide = cell.max(axis=0) + 1
    bits = len(start).bit_length()
    if float(wide[0]) * float(wide[1]) * float(wide[2]) * 2.0**bits > np.iinfo(np.int64).max / 2:
        return np.lexsort((start, cell[:, 2], cell[:, 1], cell[:, 0]))
    along = np.argsort(start)
    key = ((cell[:, 0] * wide[1] + cell[:, 1]) * wide[2] + cell[:, 2])[along] << bits
    key |= np.arange(len(start))
    key.sort()
    key &= (1 << bits) - 1
    ordered: Ints = along[key]
    return ordered


def _by_block(order: Ints, number: Ints, start: Ints, kind: Ints) -> tuple[Ints, Bools]:
    """Return the order of cell, block and begin, blocks in order of their first begin; and where blocks begin."""
    along = np.lexsort((start, kind, number))
    fresh = np.diff(number[along], prepend=-1) != 0
    fresh |= np.diff(kind[along], prepend=-1) != 0
    block = np.cumsum(fresh) - 1
    begin = start[along][fresh][block]
    again = np.lexsort((start[along], block, begin, number[along]))
    return order[along[again]], np.diff(block[again], prepend=-1) != 0


def _steps(cells: float) -> Ints:
    """Return the steps to cells of which a thing may be near, to one of each two sides; the shortest first."""
    span = range(-int(cells) - 1, int(cells) + 2)
    apart = [
        (sum(max(abs(k) - 1, 0) ** 2 for k in step), sum(k * k for k in step), step)
        for step in product(span, repeat=3)
        if step > (0, 0, 0)
    ]
    return np.array([step for gap, _, step in sorted(apart) if gap <= cells**2 * (1 + 1e-9)], np.int64)
