"""A disc is said to be covered along its rim only if it is, and a crowd's outline stands without those that are."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import crs, rims

RADII = st.sampled_from([300.0, 500.0, 900.0, 2_500.0, 60_000.0])
PLACES = st.lists(st.tuples(st.integers(-40, 40), st.integers(-40, 40)), min_size=1, max_size=150, unique=True)


@given(PLACES, st.data(), st.sampled_from([-60.0, 0.0, 48.0, 84.0]), st.sampled_from([60.0, 200.0]))
def test_the_rim_of_a_covered_disc_lies_inside_the_others(
    places: list[tuple[int, int]], data: st.DataObject, south: float, apart_m: float
) -> None:
    radius = np.array(data.draw(st.lists(RADII, min_size=len(places), max_size=len(places))))
    east, north = apart_m * np.array(places).T
    azimuth, away = np.degrees(np.arctan2(east, north)), np.hypot(east, north)
    lon, lat, _ = crs.forward(np.full(len(places), 37.0), np.full(len(places), south), azimuth, away)
    found, discs = rims.covered(lon, lat, radius), crs.discs(lon, lat, radius)
    for at in np.flatnonzero(found):
        assert shapely.covers(shapely.union_all(np.delete(discs, at)), shapely.boundary(discs[at]))


def test_in_a_crowd_most_are_covered() -> None:
    luck = np.random.default_rng(1)
    lon, lat = 37.0 + luck.uniform(0.0, 0.1, 1_000), 48.0 + luck.uniform(0.0, 0.1, 1_000)
    assert rims.covered(lon, lat, np.full(1_000, 500.0)).mean() > 0.8


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_discs_side_by_side_are_all_seen(count: int) -> None:
    lon = 37.0 + 0.001 * np.arange(count)
    assert not rims.covered(lon, np.full(count, 48.0), np.full(count, 500.0)).any()


def test_a_disc_within_a_wider_one_is_covered_and_the_wider_is_not() -> None:
    assert rims.covered(np.array([37.0, 37.001]), np.array([48.0, 48.0]), np.array([900.0, 300.0])).tolist() == [
        False,
        True,
    ]
