"""Is the nearest thing, in time first, the one that all pairs say?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_linking import THING, Row
from test_nearness import HOUR, things

from geo import crs, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

ASKED = st.tuples(THING, st.sampled_from([0.0, 3000.0, 40_000.0]), st.sampled_from([1, 3, 2]))
GIVEN = st.tuples(THING, st.sampled_from([1, 3, 6]), st.integers(0, 4))


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = nearest.FEW
    yield
    nearest.FEW = before


def best(a: tuple[Row, float, int], others: list[tuple[Row, int, int]], earlier: bool) -> tuple[float, ...] | None:  # noqa: FBT001
    """Say the definition: (pause, distance, rank) of the nearest."""
    (lon, lat, _, start, length), radius, mask = a
    reach_us = 10**18 if earlier else 24 * HOUR
    found = []
    for (lon_b, lat_b, _, start_b, length_b), mask_b, rank in others:
        far = float(crs.distance_m(lon, lat, lon_b, lat_b)[()])
        pause = max(0, max(start, start_b) - min(start + length, start_b + length_b))
        if (
            mask & mask_b
            and far - radius <= 9000.0
            and pause <= reach_us
            and (not earlier or start_b + length_b < start)
        ):
            found.append((pause, 0.0 if earlier else far, rank))
    return min(found, default=None)


@pytest.mark.parametrize("compiled", [False, True])
@settings(deadline=None, max_examples=40)  # what is compiled takes its time once
@given(st.lists(ASKED, min_size=1, max_size=8), st.lists(GIVEN, min_size=1, max_size=40), st.booleans())
def test_the_nearest_is_the_one_that_all_pairs_say(
    compiled: bool,  # noqa: FBT001
    asked: list[tuple[Row, float, int]],
    others: list[tuple[Row, int, int]],
    earlier: bool,  # noqa: FBT001
) -> None:
    nearest.FEW = -1 if compiled else 10**9
    a = replace(things([row for row, _, _ in asked]), radius_m=np.array([radius for _, radius, _ in asked]))
    b, rank = things([row for row, _, _ in others]), np.array([own for _, _, own in others])
    masks = np.array([mask for _, _, mask in asked]), np.array([mask for _, mask, _ in others])
    near = nearest.nearest(a, b, masks, rank, 9000.0, 10**18 if earlier else 24.0 * HOUR, earlier=earlier)
    found = {
        i: (pause, 0.0 if earlier else far, int(rank[j]))
        for i, j, far, pause in zip(*(part.tolist() for part in near), strict=True)
    }
    wanted = {i: best(one, others, earlier) for i, one in enumerate(asked)}
    assert found == {i: one for i, one in wanted.items() if one is not None}


ENDED = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 3)), min_size=9, max_size=40)  # more than a leaf holds


@settings(deadline=None, max_examples=40)
@given(ENDED, st.lists(st.integers(2, 5), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_of_those_that_ended_together_rank_alone_decides(
    ended: list[tuple[int, int]], asked: list[int], any_: Random
) -> None:
    nearest.FEW = -1
    a = things([(0.02, 0.02, 0.0, hour * HOUR, 0) for hour in asked])
    b = things([(n / 1000.0, n * n % 53 / 1000.0, 0.0, hour * HOUR, 0) for n, hour in ended])
    rank = np.array(any_.sample(range(len(ended)), len(ended)))
    masks = np.ones(len(asked), np.int64), np.ones(len(ended), np.int64)
    near = nearest.nearest(a, b, masks, rank, 9000.0, 10**18, earlier=True)
    others: list[tuple[Row, int, int]] = [
        ((b.lon[n], b.lat[n], 0.0, hour * HOUR, 0), 1, int(rank[n])) for n, (_, hour) in enumerate(ended)
    ]
    wanted = [best(((0.02, 0.02, 0.0, hour * HOUR, 0), 0.0, 1), others, earlier=True) for hour in asked]
    assert rank[near.right].tolist() == [one[2] for one in wanted if one is not None]


def test_what_nobody_may_write_to_is_not_compiled_for_anew() -> None:
    nearest.FEW = -1
    some = things([(0.02, 0.02, 0.0, hour * HOUR, 0) for hour in range(3)])
    mask, rank = np.ones(3, np.int64), np.arange(3)
    near = nearest.nearest(some, some, (mask, mask), rank, 9000.0, 24.0 * HOUR)
    from geo import searches  # noqa: PLC0415 -- numba takes a while to load

    before = len(searches.nearest.signatures)
    for each in (*vars(some).values(), mask, rank):
        each.setflags(write=False)
    again = nearest.nearest(some, some, (mask, mask), rank, 9000.0, 24.0 * HOUR)
    assert len(searches.nearest.signatures) == before
    assert all((one == other).all() for one, other in zip(near, again, strict=True))
