"""Metres come through one door, and are geodesic there."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from geo.crs import GEOD, WGS84, discs, distance_m, drawing_crs, ecef, forward, inverse, widest_m

LON = st.floats(-180, 180)
LAT = st.floats(-90, 90)


@pytest.mark.parametrize(
    ("pair", "metres"),
    [
        ((0.0, 0.0, 1.0, 0.0), 111_319.490_793),  # a degree of the equator: the semi-major axis times pi / 180
        ((0.0, 0.0, 0.0, 90.0), 10_001_965.729_3),  # the quarter meridian of WGS 84
        ((179.99, 10.0, -179.99, 10.0), 2_192.787),  # over the antimeridian: 0.02 degrees of its parallel
    ],
)
def test_known_distances(pair: tuple[float, float, float, float], metres: float) -> None:
    assert distance_m(*pair) == pytest.approx(metres, abs=0.1)


@given(LON, LAT, LON, LAT)
def test_swapping_the_points_changes_no_bit(lon1: float, lat1: float, lon2: float, lat2: float) -> None:
    there, back = distance_m(lon1, lat1, lon2, lat2), distance_m(lon2, lat2, lon1, lat1)
    assert there.tobytes() == back.tobytes()


@given(LON, LAT)
def test_a_point_is_at_no_distance_from_itself(lon: float, lat: float) -> None:
    assert distance_m(lon, lat, lon, lat) == 0


@given(LON, LAT, LON, LAT)
def test_the_way_through_the_earth_is_never_longer(lon1: float, lat1: float, lon2: float, lat2: float) -> None:
    chord = np.linalg.norm(ecef(lon1, lat1) - ecef(lon2, lat2))
    assert chord <= distance_m(lon1, lat1, lon2, lat2) + 1e-6


def test_distances_broadcast_and_keep_the_missing() -> None:
    metres = distance_m([[30.0], [np.nan]], 50.0, [31.0, 32.0], [50.0, 50.0])
    assert metres.shape == (2, 2)
    assert np.isnan(metres).tolist() == [[False, False], [True, True]]


def test_earth_centred_coordinates_agree_with_proj() -> None:
    lon, lat = np.array([0.0, 37.5, -120.0]), np.array([0.0, 48.1, -33.0])
    wanted = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True).transform(lon, lat, np.zeros(3))
    np.testing.assert_allclose(ecef(lon, lat), np.stack(wanted, axis=-1), atol=1e-6)


def test_inverse_and_forward_undo_each_other() -> None:
    here = np.array([37.0]), np.array([48.0])
    there, onward, metres = inverse(*here, np.array([38.0]), np.array([49.0]))
    lon, lat, heading = forward(*here, there, metres)
    np.testing.assert_allclose([lon[0], lat[0]], [38.0, 49.0], atol=1e-9)
    assert (heading - onward) % 360 == pytest.approx(0, abs=1e-6)


def test_a_discs_corners_lie_at_its_radius() -> None:
    polygons = discs([37.0, 24.0], [48.0, 52.0], [500.0, 70_000.0], quarter=5)
    for polygon, lon, lat, radius in zip(polygons, (37.0, 24.0), (48.0, 52.0), (500.0, 70_000.0), strict=True):
        rim = shapely.get_coordinates(polygon)[:-1]
        assert len(rim) == 20
        np.testing.assert_allclose(distance_m(rim[:, 0], rim[:, 1], lon, lat), radius, atol=1e-6)
        assert polygon.is_valid
        assert polygon.exterior.is_ccw


@given(st.floats(-179.9, 179.9), st.floats(-89.9, 89.9))
def test_a_disc_up_to_the_widest_is_a_valid_polygon_around_its_centre_and_no_pole(lon: float, lat: float) -> None:
    radius = widest_m(lon, lat)
    [polygon] = discs(lon, lat, radius)
    assert polygon.is_valid
    assert shapely.contains_xy(polygon, lon, lat)
    assert radius < min(distance_m(lon, lat, lon, 90.0), distance_m(lon, lat, lon, -90.0))
    assert radius < distance_m(lon, lat, 180.0, lat)


def test_a_discs_area_is_geodesic() -> None:
    area, _ = GEOD.geometry_area_perimeter(discs(37.0, 48.0, 1_000.0, quarter=64)[0])
    assert area == pytest.approx(np.pi * 1_000.0**2, rel=1e-3)


def test_the_drawing_crs_is_metric_around_its_place() -> None:
    to_plane = Transformer.from_crs(WGS84, drawing_crs(37.0, 48.0), always_xy=True)
    lon, lat, _ = GEOD.fwd(37.0, 48.0, 30.0, 100_000.0)
    assert np.hypot(*to_plane.transform(lon, lat)) == pytest.approx(100_000.0, rel=1e-4)
