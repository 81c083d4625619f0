"""Is a satellite's detection one pixel at one instant, under a name that finds it again?"""

from __future__ import annotations

import dataclasses
import json

import builders
import geopandas as gpd
import pandas as pd
import pytest
from readings import THEATRE, reading, source, table
from realdata import need

from geo.errors import PolicyError
from pipelines.sources import Reading, read

FIRMS = source("firms", zone=None)
PIXEL = {
    "latitude": "48.1", "longitude": "37.5", "scan": "0.3", "track": "0.4", "acq_date": "2026-04-11",
    "acq_time": "01:34:00", "satellite": "N20", "confidence": "nominal", "frp": "2.7",
}  # fmt: skip


def detection(**cells: str) -> pd.Series:
    result = reading(table([{**PIXEL, **cells}]), FIRMS)
    return (result.intake if len(result.intake) else result.refused).iloc[0]


def test_a_detection_is_heat_within_half_the_pixels_diagonal() -> None:
    taken = detection()
    assert (taken["act"], taken["domain"], taken["kind"]) == ("heat", "land", "report")
    assert taken["uncertainty_m"] == pytest.approx(250.0)
    assert taken["text"] == "confidence nominal, 2.7 MW"


@pytest.mark.parametrize(
    ("said", "clock"),
    [
        ("0134", "01:34"), ("134", "01:34"), ("34", "00:34"), ("4", "00:04"), ("0", "00:00"), ("0000", "00:00"),
        ("2359", "23:59"), ("01:34", "01:34"), ("01:34:56", "01:34:56"),
    ],
)  # fmt: skip
def test_the_time_is_an_instant_in_utc_though_zeros_are_lost(said: str, clock: str) -> None:
    taken = detection(acq_time=said)
    assert taken["observed_from"] == taken["observed_to"] == pd.Timestamp(f"2026-04-11T{clock}Z")


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"acq_time": "2460"}, "time"),
        ({"acq_time": "1399"}, "time"),
        ({"acq_time": "12345"}, "time"),
        ({"acq_time": "1:34"}, "time"),
        ({"acq_time": "1.34"}, "time"),
        ({"acq_date": "04/11/2026"}, "time"),
        ({"acq_date": "2026-04-31"}, "time"),
        ({"acq_time": ""}, "no_time"),
        ({"acq_date": ""}, "no_time"),
        ({"scan": "0"}, "pixel"),
        ({"scan": "375"}, "pixel"),
        ({"track": "wide"}, "pixel"),
        ({"latitude": ""}, "no_position"),
        ({"latitude": "37.5", "longitude": "48.1"}, "swapped?"),
    ],
)
def test_a_detection_that_cannot_be_told_is_refused(cells: dict[str, str], code: str) -> None:
    assert detection(**cells)["reason_code"] == code


def test_a_pixel_without_a_size_has_the_sources_radius() -> None:
    assert detection(scan="")["uncertainty_m"] == 500.0


def test_a_detection_that_says_neither_how_sure_nor_how_strong_keeps_its_row() -> None:
    result = reading(table([PIXEL, {**PIXEL, "confidence": "", "frp": ""}, {**PIXEL, "confidence": ""}]), FIRMS)
    assert result.intake["text"].fillna("none").tolist() == ["confidence nominal, 2.7 MW", "none", "2.7 MW"]


def test_one_detection_has_one_name_however_its_time_is_written() -> None:
    names = {detection(acq_time=said)["source_ref"] for said in ("0134", "134", "01:34", "01:34:00")}
    assert names == {"N20|2026-04-11|01:34|48.1|37.5"}
    assert detection(acq_time="01:34:56")["source_ref"] == "N20|2026-04-11|01:34:56|48.1|37.5"


def test_detections_differ_by_satellite_and_place() -> None:
    assert detection(satellite="N21")["source_ref"] != detection()["source_ref"]
    assert detection(latitude="48.2")["source_ref"] != detection()["source_ref"]


def test_a_policy_without_the_act_stops_the_work() -> None:
    acts = {name: act for name, act in builders.policy().acts.items() if name != "heat"}
    with pytest.raises(PolicyError, match=r"lacks \[acts\.heat\]"):
        read(table([PIXEL]), FIRMS, THEATRE, builders.policy().model_copy(update={"acts": acts}), "file.csv")


def real(day: str) -> Reading:
    theatre = dataclasses.replace(
        THEATRE,
        regions=gpd.GeoDataFrame.from_features(json.loads(need("oblasts.geojson").read_text("utf-8")), crs="EPSG:4326"),
    )
    return reading(need(f"modern_2026/firms_{day}.csv").read_bytes(), FIRMS, theatre)


@pytest.mark.parametrize(("day", "rows"), [("2026-04-11", 26), ("2026-04-12", 33), ("2026-05-10", 91)])
def test_all_real_detections_are_taken(day: str, rows: int) -> None:
    result = real(day)
    assert (len(result.intake), len(result.refused)) == (rows, 0)
    assert result.intake["source_ref"].nunique() == rows
    assert result.intake["uncertainty_m"].between(250, 1000).all()


def test_twenty_eight_real_detections_fall_into_the_easter_truce() -> None:
    seen = pd.concat([real(day).intake for day in ("2026-04-11", "2026-04-12")])["observed_from"]
    inside = (seen >= pd.Timestamp("2026-04-11T13:00Z")) & (seen < pd.Timestamp("2026-04-12T21:00Z"))
    assert (len(seen), inside.sum()) == (59, 28)
