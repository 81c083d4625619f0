"""Is the intensity a cloud-optimised GeoTIFF that says what it is, and opens in QGIS with its style?"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from rio_cogeo import cog_validate
from test_intensity import look, number, violation

from pipelines import intensity

if TYPE_CHECKING:
    from pathlib import Path

    from geo.intensity import Intensity


@pytest.fixture(scope="module")
def found() -> Intensity:
    dark = {"observed_from": 700.0, "observed_to": 800.0, "km": (200.0, 0.0), "uncertainty_m": 9_000.0, "sees": False}
    return look(violation((50.0, 5.0), -2), violation((60.0, 5.0), -200, uncertainty_m=9_000.0), declared=(dark,))


@pytest.fixture(scope="module")
def file(found: Intensity, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("raster") / intensity.FILE
    path.write_bytes(intensity.raster(found, {"run_id": "r1", "as_of": "2026-01-01T00:00:00Z"}))
    return path


def test_it_is_a_valid_cog(file: Path) -> None:
    assert cog_validate(str(file), strict=True, quiet=True) == (True, [], [])


def test_what_is_read_is_what_was_found(found: Intensity, file: Path) -> None:
    with rasterio.open(file) as source:
        np.testing.assert_array_equal(source.read(), found.density)
        assert np.isnan(source.nodata)
        assert source.res == (1000.0, 1000.0)
        assert source.crs.to_dict()["proj"] == "laea"
        assert source.descriptions == ("last 24 h", "last 72 h", "last 7 d", "last 30 d")
        assert source.units == (intensity.UNITS,) * 4
        assert source.tags()["run_id"] == "r1"
        assert [source.tags(band)["weight"] for band in (1, 2, 3, 4)] == ["1", "1", "1", "2"]
        assert source.bounds.left % 1000 == source.bounds.top % 1000 == 0
    assert number(found)[3] == pytest.approx(2, rel=1e-3)


def test_the_same_intensity_gives_the_same_bytes(found: Intensity, file: Path) -> None:
    assert intensity.raster(found, {"run_id": "r1", "as_of": "2026-01-01T00:00:00Z"}) == file.read_bytes()


def test_the_style_draws_nothing_where_nothing_was() -> None:
    root = ET.fromstring(intensity.style())  # noqa: S314 -- our own text
    items = root.findall("./pipe/rasterrenderer/rastershader/colorrampshader/item")
    assert items[0].attrib["alpha"] == "0"
    values = [float(item.attrib["value"]) for item in items]
    assert values == sorted(values)
