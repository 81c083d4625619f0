"""A place is called by the nearest known one, and what is said is true of the whole footprint."""

from __future__ import annotations

import re
from typing import Any

import builders
import numpy as np
import pytest
import strategies
from builders import coverage, policy, report, reports, versions, when
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from geo.assess import assess
from geo.names import NOWHERE, WINDS, Gazetteer, describe, wind

REACH_M, INSIDE_M = 50_000.0, 2000.0
HORLIVKA = ("Horlivka", 38.05, 48.3, 240_000)


def gazetteer(*places: tuple[str, float, float, int]) -> Gazetteer:
    name, lon, lat, population = zip(*places, strict=True)
    return Gazetteer(np.array(name, object), np.array(lon), np.array(lat), np.array(population, np.int64))


def said(known: Gazetteer, lon: float, lat: float, radius_m: float = 100.0, **bounds: float) -> Any:  # noqa: ANN401 -- text or None
    bounds = {"reach_m": REACH_M, "inside_m": INSIDE_M, **bounds}
    return describe(known, np.array([lon]), np.array([lat]), np.array([radius_m]), **bounds)[0]


def off(place: tuple[str, float, float, int], azimuth: float, metres: float) -> tuple[float, float]:
    """Return the place so far from another, by an implementation of its own."""
    there = Geodesic.WGS84.Direct(place[2], place[1], azimuth, metres)
    return there["lon2"], there["lat2"]


def test_a_place_is_told_by_distance_and_wind_from_the_nearest_known_one() -> None:
    known = gazetteer(HORLIVKA, ("Donetsk", 37.8, 48.0, 900_000))
    assert said(known, *off(HORLIVKA, 45.0, 6000)) == "6 km NE of Horlivka"
    assert said(known, *off(HORLIVKA, 247.5, 12_400)) == "12 km WSW of Horlivka"
    assert said(known, *off(HORLIVKA, 359.0, 2300)) == "2 km N of Horlivka"


def test_within_the_threshold_it_is_in_the_place() -> None:
    known = gazetteer(HORLIVKA)
    assert said(known, *off(HORLIVKA, 90.0, 1899)) == "in Horlivka"
    assert said(known, *off(HORLIVKA, 90.0, 1901)) == "2 km E of Horlivka"
    assert said(known, *off(HORLIVKA, 90.0, 340), inside_m=0.0) == "300 m E of Horlivka"
    assert said(known, *off(HORLIVKA, 90.0, 20), radius_m=0.0, inside_m=0.0) == "100 m E of Horlivka"


def test_a_wide_footprint_is_not_told_more_closely_than_it_is_known() -> None:
    known = gazetteer(HORLIVKA)
    assert said(known, *HORLIVKA[1:3], radius_m=5000.0) == "within 5 km of Horlivka"
    assert said(known, *off(HORLIVKA, 45.0, 6000), radius_m=5999.0) == "6 km NE of Horlivka"
    assert said(known, *off(HORLIVKA, 45.0, 6000), radius_m=6001.0) == "within 13 km of Horlivka"
    assert said(known, *HORLIVKA[1:3], radius_m=150_000.0) is None


def test_no_name_is_farther_than_the_policy_allows() -> None:
    known = gazetteer(HORLIVKA)
    assert said(known, *off(HORLIVKA, 45.0, 49_890)) == "50 km NE of Horlivka"
    assert said(known, *off(HORLIVKA, 45.0, 49_910)) is None
    assert said(known, *HORLIVKA[1:3], radius_m=0.0, reach_m=0.0) is None
    assert said(known, -141.95, -48.3) is None, "the other end of the earth"
    assert said(NOWHERE, 38.0, 48.0) is None


def test_of_places_equally_near_the_most_populous_is_named_then_the_first_by_name() -> None:
    here = (30.0, 0.0)
    both = [("Bolshoy", 30.1, 0.0, 10), ("Abolshoy", 29.9, 0.0, 9)]
    assert said(gazetteer(*both), *here) == "11 km W of Bolshoy"
    assert said(gazetteer(*both[::-1]), *here) == "11 km W of Bolshoy"
    equal = [(name, lon, lat, 5) for name, lon, lat, _ in both]
    assert said(gazetteer(*equal), *here) == said(gazetteer(*equal[::-1]), *here) == "11 km E of Abolshoy"
    nearer = ("Near", *off(("", *here, 0), 0.0, 11_000), 0)
    assert said(gazetteer(*both, nearer), *here) == "11 km S of Near"


ODD = ("Sant Julià de Lòria", "Оситняжка", "L'Aquila", 'O"Brien, the Big', "東京", "a<b>&c")


@pytest.mark.parametrize("name", ODD)
def test_names_are_kept_letter_by_letter(name: str) -> None:
    assert said(gazetteer((name, 1.0, 42.0, 1)), 1.0, 42.0) == f"in {name}"


def test_a_wind_is_the_nearest_of_sixteen() -> None:
    assert [wind(n * 22.5) for n in range(16)] == list(WINDS)
    assert [wind(n * 22.5 + 11.2) for n in range(-16, 0)] == list(WINDS)
    assert wind(-45.0) == wind(315.0) == "NW"


@strategies.tries(40)
@given(st.integers(0, 2**32 - 1))
def test_the_nearest_is_found_and_every_word_is_true(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, west, south = 12, rng.uniform(-170, 160), rng.uniform(-80, 75)
    known = Gazetteer(
        np.array([f"P{i}" for i in range(n)], object),
        rng.uniform(west, west + 2, n),
        rng.uniform(south, south + 1, n),
        rng.integers(0, 3, n),
    )
    lon, lat = rng.uniform(west - 1, west + 3, 8), rng.uniform(south - 1, south + 2, 8)
    again = rng.integers(0, 5, 8)  # places of footprints that differ, or do not
    lon, lat = lon[again], lat[again]
    radius = rng.choice([0.0, 500.0, 20_000.0], 8)
    words = describe(known, lon, lat, radius, reach_m=REACH_M, inside_m=INSIDE_M)
    for x, y, wide, text in zip(lon, lat, radius, words, strict=True):
        lines = [Geodesic.WGS84.Inverse(b, a, y, x) for a, b in zip(known.lon, known.lat, strict=True)]
        away = np.array([line["s12"] for line in lines])
        nearest = away.min()
        if text is None:
            assert nearest + wide > REACH_M - 1
            continue
        form = re.fullmatch(r"(?:in|(\d+) (k?m) (\w+) of|within (\d+) km of) P(\d+)", text)
        assert form is not None, text
        km, unit, word, most, place = form.groups()
        at = int(place)
        assert away[at] <= nearest + 1
        assert nearest + wide <= REACH_M
        if word:
            assert abs(int(km) * {"km": 1000, "m": 1}[unit] - away[at]) <= 500
            turn = (lines[at]["azi1"] - WINDS.index(word) * 22.5 + 180) % 360 - 180
            assert abs(turn) <= 11.26
        else:
            assert away[at] + wide <= (int(most) * 1000 if most else INSIDE_M)


def world(places: Gazetteer, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- any value of the policy
    theatre = builders.theatre()
    theatre = type(theatre)(**{**vars(theatre), "places": places})
    listed = [report(1, lon=38.05, lat=48.3), report(2, lon=36.0, lat=48.1), report(2, lon=float("nan"), lat=48.0)]
    return assess(reports(listed), coverage(), theatre, versions(policy(**changes)), when(5)).tables


def test_reports_violations_and_incidents_carry_the_name() -> None:
    told = world(gazetteer(HORLIVKA))
    assert told["reports"]["place_name"].fillna("").tolist() == ["in Horlivka", "", ""]
    assert told["violations"]["place_name"].fillna("").tolist() == ["in Horlivka", ""]
    names = told["incidents"]["name"].tolist()
    assert names == ["in Horlivka, 1 Feb 2026", "km 75 of the line, 10 km on the L side, 1 Feb 2026"]
    assert told["incident_points"]["name"].tolist() == names


def test_names_change_nothing_but_words() -> None:
    with_names, without = world(gazetteer(HORLIVKA)), world(NOWHERE)
    for title, frame in without.items():
        words = [name for name in ("name", "place_name") if name in frame and title != "regions"]
        assert frame.drop(columns=words).equals(with_names[title].drop(columns=words)), title


def test_a_policy_that_does_not_speak_of_names_gives_none() -> None:
    told = world(gazetteer(HORLIVKA), **{"publication.place_name_m": 0.0})
    assert told["reports"]["place_name"].isna().all()
    assert not told["incidents"]["name"].str.contains("Horlivka").any()
