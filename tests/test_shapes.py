"""Ground that is no disc: its places, its centre, its disc, and a sentence of a real mission checked by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import shapely
import strategies
from builders import SOURCES, band, coverage, policy, theatre, versions, when
from hypothesis import given
from hypothesis import strategies as st
from ledger_world import Reading, World, sha256
from picture_sector import OBSERVER, SENTENCE, hand, world
from readings import table

from geo.assess import assess
from geo.crs import GEOD, distance_m
from geo.matching import divide, match
from geo.shapes import MARGIN, SAMPLES, Area, Pixel, Sector, disc, parse, samples, settle
from pipelines.sources import read

if TYPE_CHECKING:
    from pathlib import Path

    from geo.shapes import Shape

SECTORS = st.builds(
    Sector, st.floats(30, 40), st.floats(-60, 60), st.floats(0, 359.9), st.floats(1, 90), st.floats(0, 20_000),
    st.floats(21_000, 50_000),
)  # fmt: skip
PIXELS = st.builds(Pixel, st.floats(30, 40), st.floats(-60, 60), st.floats(100, 5_000), st.floats(100, 5_000))
ELL = Area("POLYGON ((37 48, 37.3 48, 37.3 48.1, 37.1 48.1, 37.1 48.4, 37 48.4, 37 48))")
TWO = Area("MULTIPOLYGON (((37 48, 37.1 48, 37 48.1, 37 48)), ((38 48, 38.2 48, 38 48.2, 38 48)))")
SHAPES = SECTORS | PIXELS | st.sampled_from([ELL, TWO])


@strategies.tries(40)
@given(SHAPES)
def test_it_is_read_as_it_was_written(shape: Shape) -> None:
    assert parse(str(shape)) == shape


@strategies.tries(40)
@given(SHAPES)
def test_the_disc_holds_all_of_it(shape: Shape) -> None:
    lon, lat, radius = disc(str(shape))
    metres = distance_m(lon, lat, *samples(str(shape)))
    assert metres.shape == (SAMPLES,)
    assert metres.max() <= radius
    assert (np.diff(metres) >= 0).all()  # the nearest to the centre first
    assert distance_m(lon, lat, *shape.rim()).max() * MARGIN == radius


@strategies.tries(40)
@given(SHAPES, st.floats(0, 360))
def test_its_places_are_balanced_around_its_centre(shape: Shape, azimuth: float) -> None:
    """Seen from the centroid, what places are ahead weighs as much as what is behind."""
    lon, lat, radius = disc(str(shape))
    to_lon, to_lat = samples(str(shape))
    way, _, metres = GEOD.inv(np.full(SAMPLES, lon), np.full(SAMPLES, lat), to_lon, to_lat)
    assert abs(np.mean(metres * np.cos(np.radians(way - azimuth)))) < 0.02 * radius


@pytest.mark.parametrize("area", [ELL, TWO])
def test_places_of_an_outline_stand_for_equal_areas(area: Area) -> None:
    points = shapely.points(*samples(str(area)))
    whole = shapely.from_wkt(area.wkt)
    assert shapely.intersects(whole.buffer(1e-6), points).all()
    for part in (shapely.box(37, 48, 37.15, 48.05), shapely.box(37, 48.2, 38, 49), shapely.box(38, 47, 39, 48.07)):
        share = abs(GEOD.geometry_area_perimeter(whole.intersection(part))[0] / GEOD.geometry_area_perimeter(whole)[0])
        assert shapely.intersects(part, points).mean() == pytest.approx(share, abs=0.025)


def said(**columns: object) -> pd.DataFrame:
    row = {"lon": np.nan, "lat": np.nan, "uncertainty_m": np.nan, "act": "strike", "text": "from here", **columns}
    return pd.DataFrame([row]).astype({"footprint": "str", "text": "str"})


def test_what_was_left_open_is_settled_by_the_policy() -> None:
    for act, reach in (("strike", 8_000.0), ("small_arms", 3_000.0)):
        row = settle(said(footprint="sector 37.7 48.05 225.0 ? 0.0 ?", act=act), policy()).iloc[0]
        assert row["footprint"] == f"sector 37.7 48.05 225.0 5.0 0.0 {reach}"
    assert row["uncertainty_m"] == pytest.approx(2_000, abs=10)  # two thirds of a narrow wedge lie before its centroid


def test_words_that_may_tell_where_the_observer_stood_are_dropped() -> None:
    assert settle(said(footprint="sector 37.7 48.05 225.0 5.0 0.0 900.0"), policy())["text"].isna().all()
    assert settle(said(footprint=str(ELL)), policy())["text"].tolist() == ["from here"]


def test_a_disc_stays_as_it_is() -> None:
    row = said(footprint=None, lon=37.0, lat=48.0, uncertainty_m=5.0)
    assert settle(row, policy()) is row


@strategies.tries(27)
@given(SECTORS)
def test_a_sectors_places_lie_in_mirror_images_about_its_bearing(sector: Sector) -> None:
    lon, lat = sector.places()
    azimuth, _, metres = GEOD.inv(np.full(SAMPLES, sector.lon), np.full(SAMPLES, sector.lat), lon, lat)
    turn = (azimuth - sector.bearing + 180.0) % 360.0 - 180.0
    assert metres[::2] == pytest.approx(metres[1::2], abs=0.001)
    assert turn[::2] * np.radians(metres[::2]) == pytest.approx(-turn[1::2] * np.radians(metres[1::2]), abs=0.001)


@strategies.tries(27)
@given(PIXELS)
def test_a_pixels_places_lie_in_mirror_images_north_to_south(pixel: Pixel) -> None:
    lon, lat = pixel.places()
    azimuth, _, metres = GEOD.inv(np.full(SAMPLES, pixel.lon), np.full(SAMPLES, pixel.lat), lon, lat)
    east, north = metres * np.sin(np.radians(azimuth)), metres * np.cos(np.radians(azimuth))
    assert east[::2] == pytest.approx(east[1::2], abs=0.001)
    assert north[::2] == pytest.approx(-north[1::2], abs=0.001)


@pytest.mark.parametrize("split_m", [4_300.0, 4_500.0, 4_700.0])
def test_a_sectors_shares_can_be_checked_by_hand(split_m: float) -> None:
    where, expected = world(split_m), hand(split_m)
    row = settle(said(footprint=str(OBSERVER)), policy())
    row = row.assign(observed_from=when(1), weapon_class=None, party_claimed=None)
    shares = divide(row, where).set_index(["of", "id"])["share"]
    assert shares["segment", "S0001"] == pytest.approx(expected["S0001"], abs=0.01)
    assert shares["segment", "S0002"] == pytest.approx(1 - expected["S0001"], abs=0.01)
    assert shares["zone", "strip"] == pytest.approx(expected["strip"], abs=0.01)
    assert shares["side", "left"] == pytest.approx(0.5, abs=0.01)
    found = match(row, where, policy().matching).iloc[0]
    assert found["ambiguous"] == (split_m == 4_500.0)
    assert found["zone_id"] == "strip"


def test_the_sentence_of_a_mission_goes_from_csv_to_the_layers(tmp_path: Path) -> None:
    ledger, source, where = World(tmp_path), SOURCES[0], world(4_300.0)
    reading = read(table([SENTENCE]), source, where, policy(), "mission.csv")
    assert reading.refused.empty
    try:
        for n, intake in enumerate((reading.intake, reading.intake.assign(footprint=str(ELL)))):
            batch = ledger.ledger.append(
                Reading(intake, reading.refused), source=source, file_name="mission.csv", sha256=sha256(b"%d" % n),
                recorded_at=when(72 + n), known="recorded",
            )  # fmt: skip
            assert (batch.new, batch.revision) == ((1, 0), (0, 1))[n]  # another ground is another statement
        first = ledger.ledger.reports(up_to_no=1)
    finally:
        ledger.close()
    answer = assess(first, coverage(), where, versions(policy()), when(80))
    [row] = answer.tables["reports"].to_dict("records")
    lon, lat, radius = disc(str(OBSERVER))
    assert (row["geometry"].x, row["geometry"].y, row["uncertainty_m"]) == (lon, lat, radius)
    assert row["segment_id"] == "S0002"
    assert row["count_best"] == 141
    for name, layer in answer.tables.items():  # where the observer stood is in none of them
        assert "37.7" not in {str(value)[:4] for value in layer.astype(str).to_numpy().ravel()}, name
        if "geometry" in layer and name in {"reports", "violations"}:
            assert (distance_m(OBSERVER.lon, OBSERVER.lat, layer.geometry.x, layer.geometry.y) > 4_000).all()


def test_a_zone_measured_by_a_wide_sector_is_said_with_its_share() -> None:
    row = settle(said(footprint="sector 37.0 48.02 0.0 90.0 0.0 40000.0"), policy())
    row = row.assign(observed_from=when(1), weapon_class=None, party_claimed=None)
    found = match(row, theatre(zones=(band(),)), policy().matching).iloc[0]
    assert found["ambiguous"]
    assert found["between"].startswith("segment S00")
    assert found["between"].split("; ")[0].endswith(", …")
