"""A footprint's samples are where the ellipsoid says, to within a metre or two."""

from __future__ import annotations

import numpy as np
import pytest
from test_fronts import LINES, around, build

from geo.crs import GEOD, distance_m
from geo.footprints import SAMPLES, places, spread


def discs(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.choice([0.5, 100.0, 2_000.0, 30_000.0], count), rng.permutation(count)


@pytest.mark.parametrize("name", LINES)
def test_samples_are_measured_as_points_are(name: str) -> None:
    line = build(LINES[name])
    lon, lat = around(line, 60, np.random.default_rng(11), reach_deg=0.5)
    radius, _ = discs(60, 12)
    found = spread(line, lon, lat, radius, line.locate(lon, lat))
    exact = line.locate(*(item.ravel() for item in places(lon, lat, radius)))
    metres = exact.distance_m.reshape(found.distance_m.shape)
    assert np.abs(found.distance_m - metres).max() < 2.0
    # A chord runs under the ground: right at the line, and between two strands of it, half a metre decides.
    clear = metres > 2.0
    same = (found.side == exact.side.reshape(metres.shape))[clear]
    assert same.mean() > 0.998
    assert (found.segment == exact.segment.reshape(metres.shape)).mean() > 0.995


def test_the_centre_comes_first_and_is_exact() -> None:
    line = build(LINES["bulge"])
    lon, lat = around(line, 50, np.random.default_rng(13))
    centre = line.locate(lon, lat)
    found = spread(line, lon, lat, np.full(50, 5_000.0), centre)
    for name in ("segment", "distance_m", "side"):
        assert (getattr(found, name)[:, 0] == getattr(centre, name)).all()


def test_a_disc_does_not_depend_on_the_others() -> None:
    line = build(LINES["spiral"])
    lon, lat = around(line, 200, np.random.default_rng(14))
    radius, order = discs(200, 15)
    whole = spread(line, lon, lat, radius, line.locate(lon, lat))
    mixed = spread(line, lon[order], lat[order], radius[order], line.locate(lon[order], lat[order]))
    for name in ("segment", "distance_m", "side"):
        assert (getattr(whole, name)[order] == getattr(mixed, name)).all()


def test_samples_stand_for_equal_areas() -> None:
    lon, lat = (item[0] for item in places(np.array([37.0]), np.array([48.0]), np.array([10_000.0])))
    assert lon.shape == (SAMPLES,)
    assert (lon[0], lat[0]) == (37.0, 48.0)
    metres = distance_m(37.0, 48.0, lon, lat)
    assert metres.max() < 10_000.0
    assert (metres < 10_000.0 / np.sqrt(2)).mean() == pytest.approx(0.5, abs=0.01)
    azimuth, _, _ = GEOD.inv(np.full(SAMPLES - 1, 37.0), np.full(SAMPLES - 1, 48.0), lon[1:], lat[1:])
    assert np.histogram(azimuth % 360, bins=8, range=(0, 360))[0].tolist() == pytest.approx([SAMPLES // 8] * 8, abs=1)
