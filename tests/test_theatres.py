"""Do the theatres that are shipped say what their descriptions promise?"""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from realdata import need

from pipelines.settings import (
    find_theatre,
    load_policy,
    load_theatre,
    read_folder,
    replace_baseline,
    replace_regions,
    shipped,
)
from pipelines.settings.formats import FORMATS

if TYPE_CHECKING:
    from geo.theatre import Theatre

NAMES = ("minsk-2015", "ukraine-2026")


def files_of(name: str) -> dict[str, bytes]:
    return read_folder(find_theatre(name))


def theatre_of(name: str) -> Theatre:
    return load_theatre(files_of(name), name)


def side_of(theatre: Theatre, lon: float, lat: float) -> str:
    return {1: "left", -1: "right", 0: "none"}[int(theatre.baselines[0].locate([lon], [lat]).side[0])]


def test_both_theatres_are_shipped() -> None:
    assert shipped() == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_theatre_loads_and_says_that_it_is_illustrative(name: str) -> None:
    theatre = theatre_of(name)
    assert theatre.id == name
    assert theatre.status == "illustrative"
    assert [party.side for party in theatre.parties] == ["left", "right"]
    assert b"WITHOUT LEGAL MEANING" in files_of(name)["theatre.toml"]


@pytest.mark.parametrize(
    ("name", "shortest_km", "longest_km", "vertices"),
    [("ukraine-2026", 1200, 1500, 80), ("minsk-2015", 420, 480, 60)],
)
def test_a_baseline_has_the_length_and_detail_that_is_promised(
    name: str, shortest_km: float, longest_km: float, vertices: int
) -> None:
    line = theatre_of(name).baselines[0]
    assert shortest_km <= line.length_m / 1000 <= longest_km
    assert sum(len(part) for part in line.parts) >= vertices
    assert len(line.parts) == 1
    degrees = np.concatenate(line.parts)
    assert np.allclose(degrees, degrees.round(3), atol=1e-12), "hand-drawn coordinates have at most three decimals"


@pytest.mark.parametrize(
    ("name", "party", "lon", "lat"),
    [
        ("ukraine-2026", "RU", 36.60, 50.60),  # Belgorod
        ("ukraine-2026", "RU", 37.80, 48.00),  # Donetsk
        ("ukraine-2026", "RU", 35.37, 46.85),  # Melitopol
        ("ukraine-2026", "RU", 32.91, 46.12),  # Skadovsk
        ("ukraine-2026", "UA", 34.80, 50.91),  # Sumy
        ("ukraine-2026", "UA", 36.25, 50.00),  # Kharkiv
        ("ukraine-2026", "UA", 37.56, 48.73),  # Kramatorsk
        ("ukraine-2026", "UA", 35.14, 47.84),  # Zaporizhzhia
        ("ukraine-2026", "UA", 32.62, 46.64),  # Kherson
        ("minsk-2015", "ORDLO", 39.30, 48.57),  # Luhansk
        ("minsk-2015", "ORDLO", 38.44, 48.34),  # Debaltseve
        ("minsk-2015", "ORDLO", 38.05, 48.31),  # Horlivka
        ("minsk-2015", "ORDLO", 37.80, 48.00),  # Donetsk
        ("minsk-2015", "UA", 38.49, 48.95),  # Sievierodonetsk
        ("minsk-2015", "UA", 37.56, 48.73),  # Kramatorsk
        ("minsk-2015", "UA", 37.55, 47.10),  # Mariupol
    ],
)
def test_a_town_lies_on_the_side_of_the_party_that_holds_it(name: str, party: str, lon: float, lat: float) -> None:
    theatre = theatre_of(name)
    sides = {p.id: p.side for p in theatre.parties}
    assert side_of(theatre, lon, lat) == sides[party]


@pytest.mark.parametrize("name", NAMES)
def test_regions_tile_without_overlap_and_neighbours_share_their_vertices(name: str) -> None:
    regions = theatre_of(name).regions
    assert all(10 <= shapely.get_num_coordinates(shape) - 1 <= 45 for shape in regions.geometry)
    for one, other in combinations(regions.geometry, 2):
        assert one.intersection(other).area < 1e-9
        border = one.intersection(other)
        if border.length > 0:
            shared = set(shapely.MultiPoint(shapely.get_coordinates(one)).geoms) & set(
                shapely.MultiPoint(shapely.get_coordinates(other)).geoms
            )
            assert len(shared) >= 2


def test_every_town_named_in_its_oblast_lies_in_its_region() -> None:
    regions = theatre_of("ukraine-2026").regions.set_index("region_id").geometry
    towns = {
        "UA-59": (34.80, 50.91),  # Sumy
        "UA-63": (36.25, 50.00),  # Kharkiv
        "UA-09": (39.30, 48.57),  # Luhansk
        "UA-14": (37.80, 48.00),  # Donetsk
        "UA-23": (35.14, 47.84),  # Zaporizhzhia
        "UA-12": (35.04, 48.46),  # Dnipro
        "UA-65": (32.62, 46.64),  # Kherson
        "UA-48": (31.99, 46.97),  # Mykolaiv
        "UA-53": (34.55, 49.59),  # Poltava
        "UA-43": (34.10, 44.95),  # Simferopol
        "RU-BEL": (36.60, 50.60),  # Belgorod
        "RU-KRS": (36.19, 51.73),  # Kursk
    }
    assert {region for region in regions.index if regions[region].contains(shapely.Point(towns[region]))} == set(towns)
    assert set(towns) == set(regions.index)


def test_the_easter_truce_of_2026_is_half_open_and_holds_for_both() -> None:
    window = next(w for w in theatre_of("ukraine-2026").windows if w.id == "easter-2026")
    assert window.start == datetime(2026, 4, 11, 13, tzinfo=UTC)
    assert window.end == datetime(2026, 4, 12, 21, tzinfo=UTC)
    assert window.declared_by == ("RU", "UA")


def test_windows_agree_with_the_compiled_truces() -> None:
    truces = need("truces.csv").read_text(encoding="utf-8")
    instants = {"easter-2026": "2026-easter", "may-2026-ru": "2026-may-ru", "may-2026-brokered": "2026-may-us"}
    windows = {w.id: w for w in theatre_of("ukraine-2026").windows}
    for ours, theirs in instants.items():
        row = next(line for line in truces.splitlines() if line.startswith(theirs + ","))
        window = windows[ours]
        assert f"{window.start:%Y-%m-%dT%H:%MZ},{window.end:%Y-%m-%dT%H:%MZ}" in row


def test_minsk_began_on_the_instant_of_the_package_of_measures() -> None:
    (window,) = theatre_of("minsk-2015").windows
    assert window.start == datetime(2015, 2, 14, 22, tzinfo=UTC)
    assert window.end == datetime(2022, 2, 24, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("weapon", "day", "depth_m"),
    [
        ("120 mm mortar", datetime(2015, 10, 10, tzinfo=UTC), 15_000),  # system before calibre
        ("tank", datetime(2015, 10, 10, tzinfo=UTC), 15_000),
        ("122 mm", datetime(2015, 10, 10, tzinfo=UTC), 25_000),
        ("grad", datetime(2015, 10, 10, tzinfo=UTC), 35_000),
        ("smerch", datetime(2015, 10, 10, tzinfo=UTC), 70_000),
        ("tochka-u", datetime(2015, 10, 10, tzinfo=UTC), 70_000),
        ("122 mm", datetime(2015, 1, 10, tzinfo=UTC), 15_000),  # the Memorandum, before the Package
        ("120 mm mortar", datetime(2015, 4, 1, tzinfo=UTC), None),  # before the Addendum
    ],
)
def test_minsk_withdrawal_depth_follows_system_and_date(weapon: str, day: datetime, depth_m: float | None) -> None:
    files = files_of("minsk-2015")
    weapon_class = load_policy(files, "minsk").weapons[weapon]
    depths = [
        zone.depth_m
        for zone in load_theatre(files, "minsk").zones
        if zone.kind == "band"
        and weapon_class in (zone.weapons or ())
        and (zone.valid_from is None or zone.valid_from <= day)
        and (zone.valid_to is None or day < zone.valid_to)
    ]
    assert depths == ([] if depth_m is None else [depth_m])


@pytest.mark.parametrize("name", NAMES)
def test_disengagement_areas_and_bands_lie_on_the_line(name: str) -> None:
    theatre = theatre_of(name)
    for zone in theatre.zones:
        if zone.geometry is None:
            assert zone.baseline_id == theatre.baselines[0].id
        else:
            centre = zone.geometry.centroid
            assert theatre.baselines[0].locate([centre.x], [centre.y]).distance_m[0] < 2000


def test_every_weapon_system_that_a_band_names_keeps_to_its_class() -> None:
    weapons = load_policy(files_of("ukraine-2026"), "ukraine").weapons
    expected = {
        "120 mm mortar": "mortar",
        "125 mm": "tank",
        "122 mm": "artillery",
        "152 mm": "artillery",
        "155 mm": "artillery",
        "grad": "mlrs",
        "uragan": "mlrs_long",
        "smerch": "mlrs_long",
        "tornado-s": "mlrs_long",
        "himars": "mlrs_long",
        "tochka": "ballistic_missile",
        "iskander": "ballistic_missile",
        "shahed": "drone_long_range",
        "fpv": "drone_fpv",
        "rifle": "small_arms",
        "machine gun": "small_arms",
    }
    assert {name: weapons[name] for name in expected} == expected
    assert set(weapons.values()) <= set(weapons)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_a_policy_has_a_comment_with_its_source(name: str) -> None:
    lines = files_of(name)["policy.toml"].decode().splitlines()
    first = next(n for n, line in enumerate(lines) if line == "[corroboration]")
    last = next(n for n, line in enumerate(lines) if line == "[weapons]")
    block: list[str] = []
    for line in lines[first:last]:
        if line.startswith("#"):
            block.append(line)
        elif "=" in line:
            ratio = line.split("=")[0].strip().endswith("_growth")
            assert block or ratio, f"no comment above: {line}"
            if line.split("=")[0].strip() not in {"open_n", "depth_growth", "rate_growth", "extent_growth"}:
                assert any("Source:" in said for said in block), f"no source above: {line}"
            block = [] if not ratio else block
        else:
            block = []


@pytest.mark.parametrize("name", NAMES)
def test_each_format_is_a_source_of_that_name(name: str) -> None:
    theatre = theatre_of(name)
    for form in FORMATS:
        source = theatre.source(form)
        assert source is not None
        assert source.format == form
    ucdp = theatre.source("ucdp")
    assert ucdp is not None
    radius = dict(ucdp.place_m)
    coarse = load_policy(files_of(name), name).corroboration.coarse_m
    assert [code for code in "1234567" if radius[code] <= coarse] == ["1"], "only exact places are not coarse"
    assert all(radius[a] <= radius[b] for a, b in pairwise("1234567"))


def test_party_sources_speak_for_their_party() -> None:
    theatre = theatre_of("ukraine-2026")
    assert {s.id: s.party for s in theatre.sources if s.trust == "party"} == {"party-ua": "UA", "party-ru": "RU"}


def test_the_real_line_of_contact_replaces_the_drawn_one() -> None:
    mine = need("minsk_2014_2022/contact_line.geojson").read_bytes()
    files = replace_baseline(files_of("minsk-2015"), mine, "contact_line.geojson")
    line = load_theatre(files, "minsk").baselines[0]
    assert line.length_m / 1000 == pytest.approx(474.7, abs=1)
    assert line.id == "contact-line"


def test_the_drawn_line_of_contact_runs_near_the_real_one_and_is_no_copy() -> None:
    mine = need("minsk_2014_2022/contact_line.geojson").read_bytes()
    files = files_of("minsk-2015")
    real = load_theatre(replace_baseline(files, mine, "contact_line.geojson"), "minsk").baselines[0]
    drawn = np.concatenate(load_theatre(files, "minsk").baselines[0].parts)
    assert real.locate(drawn[:, 0], drawn[:, 1]).distance_m.max() < 12_000
    assert not set(map(tuple, drawn)) & set(map(tuple, np.concatenate(real.parts)))


def test_the_real_oblasts_replace_the_drawn_regions() -> None:
    mine = need("oblasts.geojson").read_bytes()
    theatre = load_theatre(replace_regions(files_of("minsk-2015"), mine, "oblasts.geojson"), "minsk")
    assert len(theatre.regions) == 27
    assert list(theatre.regions.region_id) == sorted(theatre.regions.region_id)
    named = theatre.regions.set_index("region_id")["name"]
    assert named["UA-14"] == "Donetsk Oblast"


def test_the_drawn_regions_resemble_the_real_oblasts() -> None:
    document = json.loads(need("oblasts.geojson").read_bytes())
    real = {f["properties"]["shapeISO"]: shapely.geometry.shape(f["geometry"]) for f in document["features"]}
    for region, drawn in theatre_of("ukraine-2026").regions.set_index("region_id").geometry.items():
        if region in real:
            assert drawn.intersection(real[region]).area / drawn.union(real[region]).area > 0.6


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_of_the_data_tells_the_length_and_vertices_as_they_are(name: str) -> None:
    readme = (find_theatre(name).parents[1] / "README.md").read_text(encoding="utf-8")
    line = theatre_of(name).baselines[0]
    assert f"{line.length_m / 1000:,.0f} km" in readme
    assert f"{sum(map(len, line.parts))} vertices" in readme


@pytest.mark.parametrize("name", NAMES)
def test_both_sides_have_the_same_zones(name: str) -> None:
    zones = tomllib.loads(files_of(name)["theatre.toml"].decode())["zones"]
    assert all(zone["side"] == "both" and "party" not in zone for zone in zones)
