"""Is what hangs together found without listing pairs exactly what the pairs say, and what one link alone holds?"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import loops  # noqa: F401 -- what is compiled is taken from where it is kept
import numpy as np
import pytest
import rustworkx as rx
from hypothesis import given, settings
from hypothesis import strategies as st
from test_nearness import HOUR, things

from geo import crs, linking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.linking import Blocks
    from geo.nearness import Things

Row = tuple[float, float, float, int, int]

# Towns on a coarse grid and odd places, whole hours and odd instants: ties are common.
PLACE = st.one_of(
    st.tuples(st.sampled_from([36.0, 36.1, 36.2, 36.5]), st.sampled_from([48.0, 48.05, 48.2])),
    st.tuples(st.floats(36, 36.4), st.floats(48, 48.3)),
)
THING = st.builds(
    lambda place, start, length: (*place, 0.0, start, length),
    PLACE,
    st.one_of(st.integers(0, 8).map(lambda n: n * 12 * HOUR), st.integers(0, 100 * HOUR)),
    st.sampled_from([0, 0, 0, HOUR, 24 * HOUR, 700 * HOUR]),
)
CASE = st.lists(st.tuples(THING, st.sampled_from([1, 1, 3, 2, 6]), st.integers(0, 1)), min_size=1, max_size=40)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = linking.FEW, linking.PROBES
    yield
    linking.FEW, linking.PROBES = before


def listed(rows: list[Row], masks: list[int], reach_m: float, gap_us: float) -> rx.PyGraph[None, None]:
    """Say the definition, pair by pair."""
    graph: rx.PyGraph[None, None] = rx.PyGraph()
    graph.add_nodes_from([None] * len(rows))
    for i, j in combinations(range(len(rows)), 2):
        a, b = rows[i], rows[j]
        pause = max(0, max(a[3], b[3]) - min(a[3] + a[4], b[3] + b[4]))
        near = float(crs.distance_m(a[0], a[1], b[0], b[1])[()]) <= reach_m
        if near and pause <= gap_us and masks[i] & masks[j]:
            graph.add_edge(i, j, None)
    return graph


def partition(label: np.ndarray[tuple[int], np.dtype[np.int64]]) -> set[frozenset[int]]:
    """Return the sets of positions that share a label."""
    return {frozenset(np.flatnonzero(label == one).tolist()) for one in np.unique(label)}


def bridges(found: Blocks) -> set[frozenset[frozenset[int]]]:
    """Return the pairs of blocks that one link joins."""
    block = {int(one): frozenset(np.flatnonzero(found.label == one).tolist()) for one in np.unique(found.label)}
    return {frozenset((block[i], block[j])) for i, j in zip(found.left.tolist(), found.right.tolist(), strict=True)}


def taken(case: list[tuple[Row, int, int]]) -> tuple[list[Row], Things, list[int]]:
    """Return the rows, the same as things, and their masks."""
    rows, masks, _ = (list(part) for part in zip(*case, strict=True))
    return rows, things(rows), masks


def choose(data: st.DataObject, *, compiled: bool) -> None:
    """Have things linked by compiled loops, with some number of probes, or by their pairs."""
    linking.FEW = -1 if compiled else 10**9
    linking.PROBES = data.draw(st.sampled_from([0, 3, 1024])) if compiled else 0


@pytest.mark.parametrize("compiled", [False, True])
@settings(deadline=None, max_examples=40)  # what is compiled takes its time once
@given(CASE, st.sampled_from([500.0, 9000.0, 30_000.0]), st.sampled_from([0.0, 12.0 * HOUR, 24.0 * HOUR]), st.data())
def test_what_hangs_together_is_what_the_pairs_say(
    compiled: bool,  # noqa: FBT001
    case: list[tuple[Row, int, int]],
    reach_m: float,
    gap_us: float,
    data: st.DataObject,
) -> None:
    rows, some, masks = taken(case)
    choose(data, compiled=compiled)
    graph = listed(rows, masks, reach_m, gap_us)
    found = linking.components(some, np.array(masks), reach_m, gap_us)
    assert partition(found) == {frozenset(part) for part in rx.connected_components(graph)}


@pytest.mark.parametrize("compiled", [False, True])
@settings(deadline=None, max_examples=40)  # what is compiled takes its time once
@given(CASE, st.sampled_from([9000.0, 30_000.0]), st.sampled_from([12.0 * HOUR, 24.0 * HOUR]), st.data())
def test_what_one_link_alone_holds_is_what_the_pairs_say(
    compiled: bool,  # noqa: FBT001
    case: list[tuple[Row, int, int]],
    reach_m: float,
    gap_us: float,
    data: st.DataObject,
) -> None:
    rows, some, masks = taken(case)
    part = [own for _, _, own in case]
    choose(data, compiled=compiled)
    graph = listed(rows, masks, reach_m, gap_us)
    graph.remove_edges_from([(i, j) for i, j in graph.edge_list() if part[i] != part[j]])
    found = linking.blocks(some, np.array(masks), reach_m, gap_us, np.array(part))
    cut = rx.bridges(graph)
    graph.remove_edges_from(list(cut))
    blocks = {frozenset(one) for one in rx.connected_components(graph)}
    of = {row: one for one in blocks for row in one}
    assert partition(found.label) == blocks
    assert bridges(found) == {frozenset((of[i], of[j])) for i, j in cut}


@pytest.mark.parametrize("compiled", [False, True])
def test_limits_are_inclusive_to_the_micrometre_and_the_microsecond(compiled: bool) -> None:  # noqa: FBT001
    linking.FEW = -1 if compiled else 10**9
    rows = [(36.0, 48.0, 0.0, 0, 0), (36.1, 48.05, 0.0, 24 * HOUR, 0)]
    reach_m = float(crs.distance_m(36.0, 48.0, 36.1, 48.05)[()])

    def count(reach_m: float, gap_us: float) -> int:
        return len(np.unique(linking.components(things(rows), np.array([1, 1]), reach_m, gap_us)))

    assert count(reach_m, 24.0 * HOUR) == 1
    assert count(reach_m - 1e-6, 24.0 * HOUR) == 2
    assert count(reach_m, 24.0 * HOUR - 1) == 2


def test_a_hot_spot_of_many_does_without_its_pairs() -> None:
    rng = np.random.default_rng(1)
    n = 10_000  # 50 million pairs in each of two places
    rows = np.column_stack([36 + 0.05 * rng.random(n), 48 + 0.05 * rng.random(n)])
    far = np.column_stack([36.6 + 0.05 * rng.random(n), 48 + 0.05 * rng.random(n)])
    lon, lat = np.concatenate([rows, far]).T
    start = rng.integers(0, 24 * HOUR, 2 * n)
    some = things([(36.0, 48.0, 0.0, 0, 0)])
    some = type(some)(lon, lat, np.zeros(2 * n), start, start)
    masks, part = np.ones(2 * n, np.int64), np.zeros(2 * n, np.int64)
    assert {len(one) for one in partition(linking.components(some, masks, 10_000.0, 24.0 * HOUR))} == {n}
    found = linking.blocks(some, masks, 10_000.0, 24.0 * HOUR, part)
    assert ({len(one) for one in partition(found.label)}, len(found.left)) == ({n}, 0)


@given(st.floats(1.0, 2e6), st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=2, max_size=2))
def test_straight_distances_bound_geodesic_ones(reach_m: float, ends: list[tuple[float, float]]) -> None:
    (lon, lat), (_, way) = ends
    there = crs.forward(*(np.array([value]) for value in (lon, lat, 2 * way, reach_m)))
    chord = float(np.linalg.norm(crs.ecef([lon], [lat]) - crs.ecef(there[0], there[1])))
    surely, possibly = crs.chords(reach_m)
    assert surely <= chord <= possibly
