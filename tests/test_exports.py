"""Can other programs take a publication, and is what they take safe?"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import cells
import geopandas as gpd
import pandas as pd
import pytest
import shapely
import situation
from commandline import ceasewatch

from pipelines import exports

if TYPE_CHECKING:
    from pathlib import Path

RUN: dict[str, Any] = {
    "run_id": "r", "standing": "illustrative", "as_of": pd.Timestamp("2026-02-03T12:00Z"), "scope": "whole",
    "hindsight": False, "replay": False, "policy_version": "1",
}  # fmt: skip


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_geojson_holds_every_row_with_its_place_and_its_run() -> None:
    points = situation.burnt()["incident_points"]
    told = json.loads(exports.geojson(points, "incident_points", RUN))
    assert told["type"] == "FeatureCollection"
    assert told["run"] == {**RUN, "as_of": "2026-02-03T12:00:00Z"}
    assert [one["properties"]["incident_id"] for one in told["features"]] == points["incident_id"].tolist()
    found = shapely.from_geojson([json.dumps(one["geometry"]) for one in told["features"]])
    assert shapely.distance(found, points["geometry"].to_numpy()).max() < 1e-6
    assert told["features"][0]["properties"]["t0_from"].endswith("Z")


def test_a_row_without_a_place_is_a_feature_without_one() -> None:
    frame = gpd.GeoDataFrame({"name": ["a", None]}, geometry=[None, shapely.Point()], crs=4326)
    told = json.loads(exports.geojson(frame, "x", RUN))
    assert [one["geometry"] for one in told["features"]] == [None, None]
    assert json.loads(exports.geojson(frame[["name"]], "x", RUN))["features"][0]["properties"] == {"name": "a"}


def test_acled_columns_hold_each_located_violation_once() -> None:
    told = situation.burnt()
    rows = table(exports.acled(told["violations"], told["reports"], told["regions"], RUN))
    assert sorted(row["event_id_cnty"] for row in rows) == sorted(told["violations"]["violation_id"])
    assert list(rows[0])[:4] == ["event_id_cnty", "event_date", "year", "time_precision"]
    assert list(rows[0])[-1] == "timestamp"
    assert len(rows[0]) == 31
    assert {row["event_type"] for row in rows} == {"Explosions/Remote violence"}
    assert all(row["notes"].startswith("illustrative, without legal meaning; ") for row in rows)
    first = next(row for row in rows if row["event_id_cnty"] == "V-1")
    assert (first["source"], first["admin1"], first["tags"], first["geo_precision"]) == ("vetted", "Middle", "B-1", "1")


def test_hindsight_and_replay_are_said_of_every_event() -> None:
    told = situation.burnt()
    run = {**RUN, "standing": "operational", "hindsight": True, "replay": True}
    for row in table(exports.acled(told["violations"], told["reports"], told["regions"], run)):
        assert row["notes"].startswith("hindsight: later knowledge is used; replay: history, or a simulation, and not")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1+1", "=cmd|' /C calc'!A0"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_a_text(text: str) -> None:
    safe = str(exports.plain(text))
    assert safe.startswith("'")
    assert safe.replace("'", "") == text.replace("'", "")
    told = situation.burnt()
    evil = told["violations"].assign(place_name=text, party_claimed=text)
    for row in table(exports.acled(evil, told["reports"].assign(source=text), told["regions"], RUN)):
        assert {row["location"], row["actor1"], row["source"]} == {safe}


@pytest.mark.parametrize("value", [-1.5, 0, "a=b", "B-1", "3 km W of Lyman"])
def test_numbers_and_plain_texts_are_left_as_they_are(value: object) -> None:
    assert exports.plain(value) == value


def test_the_command_exports_what_was_published(tmp_path: Path) -> None:
    place = cells.shelled(tmp_path)
    refused = ceasewatch("export", place.path)
    assert refused.exit_code == 2
    assert "nothing is published there yet" in refused.stderr
    cells.run(place, cells.Clock(41))
    out = tmp_path / "incidents.geojson"
    assert ceasewatch("export", place.path, "--out", out).exit_code == 0
    assert [one["properties"]["tier_peak"] for one in json.loads(out.read_text())["features"]] == [1]
    listed = ceasewatch("export", place.path, "--to", "acled-csv")
    assert {row["admin1"] for row in table(listed.stdout)} == {"west"}
    assert "no layer is called 'x'" in ceasewatch("export", place.path, "--layer", "x").stderr


def test_what_an_export_cannot_heed_is_refused_and_where_it_goes_is_made(tmp_path: Path) -> None:
    place = cells.shelled(tmp_path)
    cells.run(place, cells.Clock(41))
    for words in (("--to", "acled-csv", "--layer", "reports"), ("--to", "geoparquet", "--layer", "reports")):
        assert "--layer goes with --to geojson" in ceasewatch("export", place.path, *words).stderr
    assert "name a file with --out" in ceasewatch("export", place.path, "--to", "acled-csv", "--json").stderr
    assert "--region west` first" in ceasewatch("export", place.path, "--region", "west").stderr
    new = tmp_path / "new" / "incidents.geojson"
    assert ceasewatch("export", place.path, "--out", new).exit_code == 0
    assert new.is_file()
