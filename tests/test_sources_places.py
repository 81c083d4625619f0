"""Is a position taken as it is written, and refused where it cannot be one?"""

from __future__ import annotations

import dataclasses

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st
from readings import THEATRE, nowhere, one, source

from geo.theatre import Dialect

# The theatre's line runs from 35 to 39 degrees east at 48 north, its regions a little around it.
TAKEN = [
    ("37.5", "48.1", 37.5, 48.1),
    ("+37.5", "+48.1", 37.5, 48.1),
    ("037.50", "48.10000", 37.5, 48.1),
    (" 37.5 ", "\t48.1", 37.5, 48.1),
    ("37", "48", 37.0, 48.0),
    ("37.", "48.", 37.0, 48.0),
    ("3.75e1", "4.81E+1", 37.5, 48.1),
    ("375e-1", "481e-1", 37.5, 48.1),
    ("37.123456789012345", "48.1", 37.123456789012345, 48.1),
]
ANYWHERE = [
    ("180", "90", 180.0, 90.0),
    ("-180", "-90", -180.0, -90.0),
    (".5", "-.5", 0.5, -0.5),
    ("0", "51.5", 0.0, 51.5),
    ("1e-05", "0", 1e-05, 0.0),
]
REFUSED = [
    ("", "48.1", "no_position"),
    ("37.5", "", "no_position"),
    ("", "", "no_position"),
    ("0", "0", "null_island"),
    ("0.0", "-0.000", "null_island"),
    ("180.0001", "48.1", "coordinate_range"),
    ("-361", "48.1", "coordinate_range"),
    ("37.5", "90.0001", "coordinate_range"),
    ("37.5", "-91", "coordinate_range"),
    ("48.1", "137.5", "coordinate_range"),
    ("4175000", "6130000", "coordinate_range"),
    ("48.1", "37.5", "swapped?"),
    ("48.1", "44.0", "swapped?"),
    ("-37.5", "48.1", "outside_theatre"),
    ("37.5", "-48.1", "outside_theatre"),
    ("37.5", "4.81", "outside_theatre"),
    ("0.0001", "0.0001", "outside_theatre"),
    ("48.1", "48.1", "outside_theatre"),
    *(
        (lon, "48.1", "coordinate")
        for lon in (
            "nan", "NaN", "inf", "-inf", "Infinity", "1e400", "1e999", "3_7", "\uff13\uff17.5", "٣٧.5",
            "37,5", "37.5°", "37°30'",
            "37 30 00", "37.5E", "E37.5", "0x25", "37.5.1", "37.5 48.1", "37.5;48.1", "--37.5", "+-37.5", "37.5\u00a0",
            "1/2", "37e", "e1", ".", "+", "NULL", "None", "N/A", "abc", "37UDQ", "9" * 400, "true",
            # degrees in other manners
            "37°30'00\"E", "37° 30.5\u2032", "37d30m", "N48 06 00", "37.5 E", "-37.5W", "37 .5", "37'5", "037°",
            # grids, links and geometries
            "37UDQ1234567890", "37U 412345 5312345", "9GH5+XX", "37.5,48.1", "37.5/48.1", "POINT(37.5 48.1)",
            "geo:48.1,37.5", "lon=37.5", "[37.5]", "(37.5)", "{37.5}", "37.5m",
            # signs and digits that only look right
            "\u221237.5", "37\u066b5", "37\u00b75", "\u00bd", "37\u20325", "3\u200b7.5", "\ufeff37.5", "37.5\u202c",
            # what programs write
            "-nan", "+inf", "INF", "1e309", "0b1", "0o45", "37.5f", "37.5L", "0x1.8p5", "1_0", "#REF!", "=37+0.5",
            "'37.5'", "37.5%", "1,037.5", "1.037,5", "37.50.00", "37.5.", "+-", "-", "--", "?", "unknown", "NaN()", "e",
            "37.5\n48.1", "~37.5", "<37.5", "37.5±0.1", "37.5-37.6", "3.75e1.5", "3.75e100", "1" * 21,
        )
    ),
    *((said, "48.1", "coordinate_range") for said in ("180.0000000001", "-180.5", "1e3", "999", "375", "3750000")),
    *(("37.5", said, "coordinate_range") for said in ("90.0000000001", "-90.5", "481", "1e2", "4810000")),
    *((said, said, "null_island") for said in ("0", "+0", "-0", "0e0", ".0", "0.")),
]  # fmt: skip
COMMA = [
    ("37,5", "48,1", 37.5, 48.1), ("+37,5", "48", 37.5, 48.0), ("37,", "48,10", 37.0, 48.1),
    ("3,75e1", "4,81E1", 37.5, 48.1),
]  # fmt: skip
NO_COMMA = ("37.5", "1.037,5", "37,5,0", "3 7,5", "37;5", "37,5°", "nan", "\u066b5", ",", "37\u201a5")


@pytest.mark.parametrize(("lon", "lat", "x", "y"), TAKEN)
def test_decimal_degrees_are_taken_as_they_are(lon: str, lat: str, x: float, y: float) -> None:
    row = one(lon=lon, lat=lat)
    assert (row["lon"], row["lat"]) == (x, y)


@pytest.mark.parametrize(("lon", "lat", "x", "y"), ANYWHERE)
def test_a_theatre_without_lines_and_regions_takes_every_place(lon: str, lat: str, x: float, y: float) -> None:
    row = one(theatre=nowhere(), lon=lon, lat=lat)
    assert (row["lon"], row["lat"]) == (x, y)


@pytest.mark.parametrize(("lon", "lat", "code"), REFUSED)
def test_what_cannot_be_a_position_is_refused(lon: str, lat: str, code: str) -> None:
    row = one(lon=lon, lat=lat)
    assert row["reason_code"] == code
    assert "lon" in row["reason"]


@pytest.mark.parametrize(("lon", "lat", "x", "y"), COMMA)
def test_a_declared_decimal_comma_is_one(lon: str, lat: str, x: float, y: float) -> None:
    row = one(source(dialect=Dialect(decimal=",")), lon=lon, lat=lat)
    assert (row["lon"], row["lat"]) == (x, y)


@pytest.mark.parametrize("lon", NO_COMMA)
def test_with_a_decimal_comma_nothing_else_is_one(lon: str) -> None:
    row = one(source(dialect=Dialect(decimal=",")), lon=lon, lat="48,1")
    assert (row["reason_code"], "with a comma" in row["reason"]) == ("coordinate", True)


def test_swapped_axes_are_suspected_and_not_corrected() -> None:
    assert "with the two swapped" in one(lon="48.1", lat="37.5")["reason"]


@pytest.mark.parametrize(("lat", "said"), [("20", "2,400"), ("40.9", "20"), ("40.5", "60"), ("39.5", "200")])
def test_a_distant_place_is_told_roughly_how_far_it_is(lat: str, said: str) -> None:
    # The regions end at 46 degrees north, and reports are taken from five degrees around; a degree is 111 km.
    assert f"roughly {said} km outside the theatre" in one(lon="37.5", lat=lat)["reason"]


def test_the_theatre_reaches_five_degrees_beyond_its_lines_and_regions() -> None:
    west = float(min(THEATRE.regions.total_bounds[0], 35.0))
    assert one(lon=str(west - 4.99))["lon"] == west - 4.99
    assert one(lon=str(west - 5.01))["reason_code"] == "outside_theatre"


def test_the_declared_area_widens_the_theatre_and_never_narrows_it() -> None:
    wide = dataclasses.replace(THEATRE, area=(-10.0, 47.9, 38.0, 48.1))
    assert one(theatre=wide, lon="-9.9")["lon"] == -9.9
    assert one(theatre=wide, lon="44.9", lat="41.1")["lon"] == 44.9
    assert one(theatre=wide, lon="-10.1")["reason_code"] == "outside_theatre"


def test_regions_alone_bound_a_theatre() -> None:
    assert one(theatre=nowhere(builders.boxes()), lon="-37.5")["reason_code"] == "outside_theatre"


@pytest.mark.parametrize(("said", "metres"), [("", 500.0), ("0", 0.0), ("250.5", 250.5), ("2e3", 2000.0)])
def test_the_radius_is_the_stated_one_or_the_sources_own(said: str, metres: float) -> None:
    assert one(uncertainty_m=said)["uncertainty_m"] == metres


@pytest.mark.parametrize("said", ["-1", "20000001", "nan", "1 km", "1,5", "inf"])
def test_an_absurd_radius_is_refused(said: str) -> None:
    row = one(uncertainty_m=said)
    assert row["reason_code"] == "uncertainty"
    assert "uncertainty_m says" in row["reason"]


@given(st.floats(30.1, 43.9), st.floats(44.0, 52.0))
def test_every_position_written_by_python_is_read_back_to_the_bit(lon: float, lat: float) -> None:
    row = one(lon=repr(lon), lat=repr(lat))
    assert (row["lon"], row["lat"]) == (lon, lat)
