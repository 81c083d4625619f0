"""Do the precision codes of UCDP become intervals and radii, and is every event accounted for?"""

from __future__ import annotations

import dataclasses
import json

import builders
import geopandas as gpd
import pandas as pd
import pytest
from readings import THEATRE, one, reading, source, table
from realdata import need

from geo.errors import InputError, PolicyError
from pipelines.sources import Reading, read

RADII = (
    ("1", 1000.0),
    ("2", 25_000.0),
    ("3", 30_000.0),
    ("4", 100_000.0),
    ("5", 100_000.0),
    ("6", 500_000.0),
    ("7", 500_000.0),
)
UCDP = source("ucdp", place_m=RADII)
EVENT = {
    "id": "147997", "latitude": "48.1", "longitude": "37.5", "where_prec": "2", "date_prec": "1",
    "date_start": "2015-02-18T00:00:00", "date_end": "2015-02-18T00:00:00", "best": "5",
    "source_headline": "", "where_description": "Horlivka town", "side_a": "Government", "side_b": "DPR",
}  # fmt: skip


def event(origin: object = UCDP, **cells: str) -> pd.Series:
    result = reading(table([{**EVENT, **cells}]), origin)  # type: ignore[arg-type]
    return (result.intake if len(result.intake) else result.refused).iloc[0]


def test_an_event_is_a_clash_without_a_party() -> None:
    taken = event()
    assert (taken["act"], taken["domain"], taken["source_ref"], taken["killed"]) == ("clash", "land", "147997", 5)
    assert (taken["uncertainty_m"], taken["text"]) == (25_000.0, "Horlivka town")
    missing = [
        "party_claimed",
        "count_low",
        "count_best",
        "count_high",
        "injured",
        "url",
        "origin",
        "weapon",
        "reported_at",
    ]
    assert taken[missing].isna().all()


def test_the_headline_comes_before_the_place() -> None:
    assert event(source_headline="Shelling reported")["text"] == "Shelling reported"


# Wednesday 18 February 2015. Local days of Kyiv, two hours before UTC in winter and three in summer.
@pytest.mark.parametrize(
    ("precision", "start", "end", "first", "last"),
    [
        ("1", "2015-02-18", "2015-02-18", "2015-02-17T22:00", "2015-02-18T21:59:59"),
        ("2", "2015-02-18", "2015-02-20", "2015-02-17T22:00", "2015-02-20T21:59:59"),
        ("3", "2015-02-18", "2015-02-18", "2015-02-15T22:00", "2015-02-22T21:59:59"),
        ("3", "2015-02-16", "2015-02-21", "2015-02-15T22:00", "2015-02-22T21:59:59"),
        ("3", "2015-02-18", "2015-02-24", "2015-02-17T22:00", "2015-02-24T21:59:59"),
        ("3", "2015-02-22", "2015-02-23", "2015-02-15T22:00", "2015-03-01T21:59:59"),
        ("4", "2015-02-18", "2015-02-18", "2015-01-31T22:00", "2015-02-28T21:59:59"),
        ("4", "2015-02-18", "2015-03-02", "2015-01-31T22:00", "2015-03-31T20:59:59"),
        ("4", "2016-02-01", "2016-02-29", "2016-01-31T22:00", "2016-02-29T21:59:59"),
        ("5", "2015-02-18", "2015-05-18", "2014-12-31T22:00", "2015-12-31T21:59:59"),
        ("5", "2014-12-30", "2015-01-02", "2013-12-31T22:00", "2015-12-31T21:59:59"),
    ],
)
def test_a_date_is_no_more_precise_than_its_code(precision: str, start: str, end: str, first: str, last: str) -> None:
    taken = event(date_prec=precision, date_start=start, date_end=end)
    assert taken["observed_from"] == pd.Timestamp(first, tz="UTC")
    assert taken["observed_to"] == pd.Timestamp(last, tz="UTC")


@pytest.mark.parametrize("said", ["2015-02-18", "2015-02-18T00:00:00", "2015-02-18 00:00:00.000", "2015-02-18 00:00"])
def test_a_day_may_be_written_as_its_midnight(said: str) -> None:
    assert event(date_start=said, date_end=said)["observed_to"] == pd.Timestamp("2015-02-18T21:59:59Z")


@pytest.mark.parametrize(
    ("cells", "code", "words"),
    [
        ({"id": ""}, "no_source_ref", "id is empty"),
        ({"where_prec": "8"}, "place_precision", "where_prec is '8'"),
        ({"where_prec": ""}, "place_precision", "where_prec is empty"),
        ({"date_prec": "0"}, "date_precision", "date_prec is '0'"),
        ({"date_prec": ""}, "date_precision", "date_prec is empty"),
        ({"date_start": ""}, "no_time", "date_start is empty"),
        ({"date_end": ""}, "no_time", "date_end is empty"),
        ({"date_start": "18/02/2015"}, "time", "date_start says '18/02/2015'"),
        ({"date_start": "2015-02-18T12:00:00"}, "time", "must be a date"),
        ({"date_end": "2015-02-17"}, "reversed", "date_end"),
        ({"best": "-1"}, "casualties", "best says '-1'"),
        ({"latitude": "37.5", "longitude": "48.1"}, "swapped?", "longitude is '48.1'"),
        ({"latitude": "x"}, "coordinate", "latitude says 'x'"),
    ],
)
def test_an_event_that_cannot_be_told_is_refused(cells: dict[str, str], code: str, words: str) -> None:
    refused = event(**cells)
    assert (refused["reason_code"], words in refused["reason"]) == (code, True)


def test_days_need_a_zone() -> None:
    assert event(source("ucdp", zone=None, place_m=RADII))["reason_code"] == "naive_time"


def test_columns_come_in_any_case_and_order() -> None:
    data = table([{name.upper(): value for name, value in reversed(EVENT.items())}])
    assert len(reading(data, UCDP).intake) == 1


def test_a_table_of_something_else_is_refused_whole() -> None:
    with pytest.raises(InputError, match="lacks id, latitude"):
        reading(b"observed_from,lon,lat\n", UCDP)


def test_a_policy_without_the_act_stops_the_work() -> None:
    with pytest.raises(PolicyError, match=r"lacks \[acts\.clash\]"):
        read(table([EVENT]), UCDP, THEATRE, builders.policy(), "file.csv")


def real() -> Reading:
    regions = gpd.GeoDataFrame.from_features(json.loads(need("oblasts.geojson").read_text("utf-8")), crs="EPSG:4326")
    data = need("minsk_2014_2022/ucdp_ged_ukraine_2014_2021.csv").read_bytes()
    return reading(data, UCDP, dataclasses.replace(THEATRE, regions=regions))


def test_all_three_thousand_real_events_are_taken() -> None:
    result = real()
    assert (len(result.intake), len(result.refused)) == (3000, 0)
    assert result.intake["row_no"].tolist() == list(range(1, 3001))
    assert result.intake["source_ref"].nunique() == 3000
    assert result.intake["text"].notna().all()
    length = result.intake["observed_to"] - result.intake["observed_from"]
    assert (length > pd.Timedelta(hours=25)).sum() == 3000 - 2337
    assert result.intake["uncertainty_m"].value_counts().to_dict() == {
        25_000: 1554,
        1000: 730,
        100_000: 697,
        30_000: 16,
        500_000: 3,
    }
    assert one().notna().any()


def test_real_events_never_get_shorter_than_stated() -> None:
    raw = pd.read_csv(need("minsk_2014_2022/ucdp_ged_ukraine_2014_2021.csv"), dtype=str)
    taken = real().intake
    kyiv = [
        taken[name].dt.tz_convert("Europe/Kyiv").dt.strftime("%Y-%m-%d") for name in ("observed_from", "observed_to")
    ]
    assert (kyiv[0] <= raw["date_start"].str[:10]).all()
    assert (kyiv[1] >= raw["date_end"].str[:10]).all()
    precise = raw["date_prec"].isin(["1", "2"])
    assert (kyiv[0] == raw["date_start"].str[:10])[precise].all()
    assert (kyiv[1] == raw["date_end"].str[:10])[precise].all()
