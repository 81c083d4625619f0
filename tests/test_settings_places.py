"""A theatre's places are read to the letter, looked up once, and kept with it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import cells
import pytest
import small_theatre
from small_theatre import good, sentences

from geo.errors import PolicyError
from pipelines import geonames
from pipelines.settings import PLACES, find_theatre, load_theatre, read_folder
from pipelines.settings.gazetteer import Place, written

if TYPE_CHECKING:
    from pathlib import Path

HEAD = b"name,lon,lat,population\n"
WORLD = [
    Place("Inside", 38.0, 48.5, 0),
    Place("Beside", 37.0, 47.6, 900),
    Place("Away", 37.0, 47.5, 9_000_000),
    Place("Antipode", -142.0, -48.5, 5000),
]


def places_of(body: bytes) -> list[Place]:
    found = load_theatre({**good(), PLACES: body}, "x").places
    return [Place(*row) for row in zip(found.name, found.lon, found.lat, found.population, strict=True)]


def test_places_are_optional() -> None:
    assert len(load_theatre(good(), "x").places) == 0
    assert places_of(HEAD) == []


def test_what_is_written_is_what_is_read() -> None:
    odd = [Place("Sant Julià", 1.5, 42.46372, 0), Place('Ö, "x"; y', -0.0, -89.9, 7), Place("北", 180.0, 1e-05, 1)]
    assert places_of(written([*odd, *odd])) == sorted(odd)


def test_a_file_saved_by_a_spreadsheet_is_read() -> None:
    assert places_of('\ufeffname,lon,lat,population\r\n"A, b",1,2,\r\n'.encode()) == [Place("A, b", 1, 2, 0)]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "places.csv, line 1: is ''; let the first line say name,lon,lat,population."),
        (b"name;lon;lat;population\n", "places.csv, line 1: is 'name;lon;lat;population'"),
        (HEAD + b"A,1,2,3\nB,1,2\n", "places.csv, place 2: has 3 values; give 4"),
        (HEAD + b" ,1,2,3\n", "places.csv, place 1: has the name ' '"),
        (HEAD + b"a\x1bb,1,2,3\n", "places.csv, place 1: has the name 'a\\x1bb'"),
        (HEAD + "a\u202eb,1,2,3\n".encode(), "places.csv, place 1: has the name"),
        (HEAD + b"A,181,2,3\n", "has the coordinate '181'; give degrees from -180 to 180"),
        (HEAD + b"A,1,nan,3\n", "has the coordinate 'nan'"),
        (HEAD + b"A,1,-90.5,3\n", "has the coordinate '-90.5'; give degrees from -90 to 90"),
        (HEAD + b"A,1,2,-3\n", "has the population '-3'"),
        (HEAD + b"A,1,2,1e5\n", "has the population '1e5'"),
        (HEAD + b"\xff,1,2,3\n", "places.csv, byte 25: is not UTF-8"),
        (HEAD + b'"A,1,2,3\n', "places.csv: is no valid CSV"),
    ],
)
def test_what_cannot_be_read_is_named(body: bytes, sentence: str) -> None:
    with pytest.raises(PolicyError) as error:
        places_of(body)
    assert any(sentence in line for line in sentences(error.value)), str(error.value)


def test_the_folder_gives_its_places_without_being_told(tmp_path: Path) -> None:
    folder = small_theatre.written(tmp_path, {**good(), PLACES: HEAD})
    assert read_folder(folder)[PLACES] == HEAD
    (folder / PLACES).unlink()
    assert PLACES not in read_folder(folder)


def test_places_are_looked_up_around_lines_and_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geonames, "known", lambda: WORLD)
    files = geonames.with_places(good(), "x")
    assert places_of(files[PLACES]) == [WORLD[1], WORLD[0]], "50 km around the regions: 37 to 39 E, 48 to 49 N"


def test_in_the_rest_of_the_area_only_towns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geonames, "known", lambda: [*WORLD, Place("Village", 37.0, 47.5, 14_999)])
    status = 'status = "illustrative"'
    wide = small_theatre.with_edit("theatre.toml", status, f"{status}\narea = [30.0, 40.0, 39.0, 49.0]")
    assert {place.name for place in places_of(geonames.with_places(wide, "x")[PLACES])} == {"Inside", "Beside", "Away"}


def test_places_of_ones_own_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geonames, "known", lambda: WORLD)
    own = Place("Our village", 0.0, 0.0, 3)
    files = geonames.with_places({**good(), PLACES: written([own, WORLD[0]])}, "x")
    assert places_of(files[PLACES]) == sorted([own, WORLD[0], WORLD[1]])


def test_a_district_of_a_city_is_no_place_by_itself() -> None:
    assert geonames.is_district("Kindrativskyi", ["Kalininskyi", "Kindrativskyi rayon"])
    assert geonames.is_district("Pechersk", ["Pechersk Raion"])
    assert not geonames.is_district("Horlivka", ["Gorlovka", "Horlivka", "Kindrativskyi District"])


def test_a_policy_without_names_looks_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geonames, "known", lambda: pytest.fail("looked up"))
    files = small_theatre.with_edit("policy.toml", "place_name_m = 50000", "place_name_m = 0")
    assert geonames.with_places(files, "x") == files


@pytest.mark.parametrize("name", ["minsk-2015", "ukraine-2026"])
def test_a_shipped_theatre_brings_the_names_around_its_line(name: str) -> None:
    places = load_theatre(read_folder(find_theatre(name)), name).places
    assert {"Horlivka", "Donetsk", "Bakhmut"} <= set(places.name)
    assert "Kindrativskyi" not in places.name
    rows = list(csv.reader(io.StringIO(read_folder(find_theatre(name))[PLACES].decode())))
    assert len(rows) == len(places) + 1


def test_another_gazetteer_changes_no_earlier_answer(tmp_path: Path) -> None:
    lon, lat = (place.item() for place in cells.theatre().baselines[0].at(30_000.0, 1000.0))
    place = cells.workspace(tmp_path / "ws")
    (place.theatre / PLACES).write_bytes(written([Place("Oldtown", lon, lat, 9)]))
    cells.bring(place, cells.shelling(tmp_path / "mission.csv"), cells.Clock(40))
    was = cells.run(place, cells.Clock(41), known_at=40)
    (place.theatre / PLACES).write_bytes(written([Place("Newtown", lon, lat, 9)]))
    now = cells.run(place, cells.Clock(60))
    again = cells.run(place, cells.Clock(61), known_at=40)
    assert "in Oldtown, 2 Jun 2026" in was.incidents["name"].tolist()
    assert "in Newtown, 2 Jun 2026" in now.incidents["name"].tolist()
    assert (was.run_id, was.incidents["name"].tolist()) == (again.run_id, again.incidents["name"].tolist())
