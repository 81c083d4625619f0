"""Are exactly the near pairs found, whatever their sizes?"""

from __future__ import annotations

from unittest import mock

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo import crs, nearness
from geo.nearness import Things

HOUR = 3600 * 10**6
THING = st.tuples(
    st.floats(36, 36.4), st.floats(48, 48.3), st.sampled_from([0.0, 200.0, 3000.0, 40_000.0]),
    st.integers(0, 100 * HOUR), st.sampled_from([0, HOUR, 24 * HOUR, 700 * HOUR]),
)  # fmt: skip


def things(rows: list[tuple[float, float, float, int, int]]) -> Things:
    """Return discs over intervals from (lon, lat, radius, start, length)."""
    lon, lat, radius, start, length = (np.array(part) for part in zip(*rows, strict=True))
    return Things(lon, lat, radius, start, start + length)


def near(a: tuple[float, ...], b: tuple[float, ...], reach_m: float, reach_us: float) -> bool:
    """Say the definition."""
    gap = float(crs.distance_m(a[0], a[1], b[0], b[1])[()]) - a[2] - b[2]
    pause = max(0, max(a[3], b[3]) - min(a[3] + a[4], b[3] + b[4]))
    return gap <= reach_m and pause <= reach_us


@given(
    st.lists(THING, min_size=1, max_size=25),
    st.sampled_from([0.0, 1000.0, 9000.0]),
    st.sampled_from([0, HOUR, 24 * HOUR]),
)
def test_within_finds_each_near_pair_once_and_no_other(
    rows: list[tuple[float, float, float, int, int]], reach_m: float, reach_us: int
) -> None:
    found = nearness.within(things(rows), reach_m, reach_us)
    pairs = [frozenset(pair) for pair in zip(found.left.tolist(), found.right.tolist(), strict=True)]
    wanted = {
        frozenset((i, j)) for i in range(len(rows)) for j in range(i) if near(rows[i], rows[j], reach_m, reach_us)
    }
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == wanted


@given(st.lists(THING, min_size=1, max_size=12), st.lists(THING, min_size=1, max_size=12))
def test_between_finds_the_near_pairs_of_two_sets(
    left: list[tuple[float, float, float, int, int]], right: list[tuple[float, float, float, int, int]]
) -> None:
    found = nearness.between(things(left), things(right), 5000.0, 2 * HOUR)
    wanted = {(i, j) for i, a in enumerate(left) for j, b in enumerate(right) if near(a, b, 5000.0, 2 * HOUR)}
    assert set(zip(found.left.tolist(), found.right.tolist(), strict=True)) == wanted


@given(st.lists(THING, min_size=2, max_size=25), st.lists(THING, min_size=1, max_size=25), st.data())
def test_a_crowd_is_told_wherever_there_are_more_near_pairs_whatever_is_guessed_first(
    left: list[tuple[float, float, float, int, int]],
    right: list[tuple[float, float, float, int, int]],
    data: st.DataObject,
) -> None:
    a, b = things(left), things(right)
    for one, other in ((a, a), (a, b)):
        near = nearness.within(a, 5000.0, 2 * HOUR) if one is other else nearness.between(a, b, 5000.0, 2 * HOUR)
        most = data.draw(st.integers(0, len(one) * len(other)))
        told = []
        for alike in (0, 1, 100):
            with mock.patch.object(nearness, "_ALIKE", alike):
                told.append(nearness.crowded(one, other, 5000.0, 2 * HOUR, most))
        assert all(told) if len(near.left) > most else told[0] == told[1]  # what lies in one cell does come near
        assert not any(told) or len(one) * len(other) > most


def test_every_pair_of_a_crowd_is_counted_once_and_no_thing_with_itself() -> None:
    ten, four = (things([(36.0, 48.0, 0.0, 0, HOUR)] * n) for n in (10, 4))
    for alike in (0, 1):  # counted by the tree, and by the cell
        with mock.patch.object(nearness, "_ALIKE", alike):
            assert [nearness.crowded(ten, ten, 5000.0, 2 * HOUR, most) for most in (44, 45)] == [True, False]
            assert [nearness.crowded(ten, four, 5000.0, 2 * HOUR, most) for most in (39, 40)] == [True, False]


def test_pairs_that_lie_in_one_cell_are_told_before_any_tree_is_built() -> None:
    ten = things([(36.0, 48.0, 0.0, 0, HOUR)] * 10)
    with mock.patch.object(nearness, "_tree", side_effect=AssertionError):
        assert nearness.crowded(ten, ten, 5000.0, 2 * HOUR, 99)
