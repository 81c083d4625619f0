"""No disc that reaches over a border is left out, and areas hold their borders."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon, box

from geo import borders
from geo.crs import discs

RING = Polygon([(36, 47), (39, 47.3), (38.2, 49), (36.4, 48.6)], [[(36.9, 47.6), (37.6, 47.8), (37.2, 48.2)]])
PARTS = MultiPolygon([box(30, 50, 30.5, 50.2), Polygon([(31, 50), (33, 52), (33.1, 50)])])


@pytest.mark.parametrize("areas", [[RING], [RING, PARTS], [box(36.0, 47.0, 36.2, 47.3), PARTS]])
def test_no_disc_that_reaches_over_a_border_is_left_out(areas: list[Polygon]) -> None:
    rng = np.random.default_rng(1)
    lines = shapely.boundary(np.array(areas, dtype=object))
    spots = shapely.get_coordinates(lines)[rng.integers(0, 8, 400)] + rng.normal(0, 0.3, (400, 2))
    radius = 10 ** rng.uniform(1, 4.5, 400)
    reaches = shapely.intersects(discs(*spots.T, radius, 32)[:, None], lines[None, :]).any(axis=1)
    found = borders.reaching(lines, *spots.T, radius)
    assert 20 < reaches.sum() < 380
    assert found[reaches].all()
    assert found.sum() < 1.5 * reaches.sum() + 20  # and few others


def test_a_disc_without_a_radius_reaches_nothing_and_without_borders_none_does() -> None:
    lines = shapely.boundary(np.array([RING], dtype=object))
    assert borders.reaching(lines, np.full(2, 36.0), np.full(2, 47.0), np.array([0.0, np.nan])).tolist() == [False] * 2
    assert borders.reaching(lines[:0], np.array([36.0]), np.array([47.0]), np.array([9e4])).tolist() == [False]


def test_an_area_holds_its_border_and_the_first_of_two_a_common_one() -> None:
    areas = np.array([box(0, 0, 1, 1), box(1, 0, 2, 1), RING], dtype=object)
    lon, lat = np.array([0.5, 1.0, 1.5, 2.5, 37.2, 36.5, 2.0]), np.array([1.0, 0.5, 0.5, 0.5, 47.9, 47.5, 1.0])
    assert borders.holding(areas, lon, lat).tolist() == [0, 0, 1, 3, 3, 2, 1]
    assert borders.holding(areas[:0], lon, lat).tolist() == [0] * 7
