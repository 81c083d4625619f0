"""Is every mistake in theatre.toml told in a sentence that says where it is and what to do?"""

from __future__ import annotations

import pytest
from small_theatre import sentences, with_edit

from geo.errors import PolicyError
from pipelines.settings import load_theatre
from pipelines.settings.formats import FORMATS

TOML_MISTAKES = [
    (
        'status = "illustrative"',
        'status = "illustrative"\narea = [40.0, 44.0, 22.0, 53.0]',
        "theatre.toml, area: is no box of west, south, east and north in degrees, in this order; correct it.",
    ),
    (
        'status = "illustrative"',
        'status = "illustrative"\narea = [22.0, 44.0, 40.0]',
        "theatre.toml, area: is no box of west, south, east and north in degrees, in this order; correct it.",
    ),
    (
        'id = "small"\n',
        "",
        "theatre.toml, id: is missing; add it.",
    ),
    (
        'title = "A small ceasefire"',
        'title = ""',
        "theatre.toml, title: is empty; give it a value.",
    ),
    (
        'status = "illustrative"',
        'status = "real"',
        "theatre.toml, status: should be 'illustrative' or 'operational' (found 'real'); correct it.",
    ),
    (
        'title = "A small',
        'colour = "red"\ntitle = "A small',
        (
            "theatre.toml, colour: is not a known key; correct its spelling or remove it (known: id, title, "
            "status, area, regions, parties, windows, baselines, sources, zones, lines, rasters, exemptions,"
            " inbox, network, feeds)."
        ),
    ),
    (
        'name = "Eastland"',
        'nmae = "Eastland"',
        (
            "theatre.toml, [[parties]] EAST nmae: is not a known key; correct its spelling or remove it (known: "
            "id, name, side, aliases)."
        ),
    ),
    (
        'name = "Eastland"',
        "name = 5",
        "theatre.toml, [[parties]] EAST name: is no text; put it in quotation marks.",
    ),
    (
        'aliases = ["the East"]',
        'aliases = "the East"',
        "theatre.toml, [[parties]] EAST aliases: is no list; put it in square brackets.",
    ),
    (
        'side = "right"',
        'side = "left"',
        "theatre.toml, [[parties]]: the sides are left and left; give exactly two parties, one left and one right.",
    ),
    (
        '[[parties]]\nid = "WEST"\nname = "Westland"\nside = "right"\n',
        "",
        "theatre.toml, [[parties]]: the sides are left; give exactly two parties, one left and one right.",
    ),
    (
        '[[windows]]\nid = "truce"',
        '[[parties]]\nid = "NORTH"\nname = "Northland"\nside = "left"\n[[windows]]\nid = "truce"',
        (
            "theatre.toml, [[parties]]: the sides are left and left and right; give exactly two parties, one left"
            " and one right."
        ),
    ),
    (
        'id = "WEST"',
        'id = "EAST"',
        "theatre.toml, [[parties]] EAST: stands twice; give each entry an id of its own.",
    ),
    (
        'aliases = ["the East"]',
        'aliases = ["WESTLAND"]',
        "theatre.toml, [[parties]]: two parties are called 'westland'; leave the spelling to one of them.",
    ),
    (
        'id = "csv"',
        'id = "../csv"',
        (
            "theatre.toml, [[sources]] ../csv id: '../csv' is no id; use letters, digits, dots, underscores and "
            "hyphens, a letter or digit first."
        ),
    ),
    (
        "start = 2026-01-01T00:00:00+02:00",
        "start = 2026-01-01T00:00:00",
        (
            "theatre.toml, [[windows]] truce start: has no offset from UTC; give a date and time with its offset "
            "from UTC, such as 2026-06-01T00:00:00+03:00."
        ),
    ),
    (
        "start = 2026-01-01T00:00:00+02:00",
        "start = 2026-01-01",
        (
            "theatre.toml, [[windows]] truce start: is no date and time; give a date and time with its offset "
            "from UTC, such as 2026-06-01T00:00:00+03:00."
        ),
    ),
    (
        "end = 2026-02-01T00:00:00+02:00",
        "end = 2026-01-01T00:00:00+02:00",
        (
            "theatre.toml, [[windows]] truce end: 2026-01-01T00:00:00+02:00 is not after the start, "
            "2026-01-01T00:00:00+02:00; give a later one, or leave it out if it is open."
        ),
    ),
    (
        'declared_by = ["EAST", "WEST"]',
        'declared_by = ["EAST", "SOUTH"]',
        "theatre.toml, [[windows]] truce declared_by: 'SOUTH' is no known party; use one of: EAST, WEST.",
    ),
    (
        'declared_by = ["EAST", "WEST"]',
        "declared_by = []",
        "theatre.toml, [[windows]] truce declared_by: is an empty list; name at least one.",
    ),
    (
        'declared_by = ["EAST", "WEST"]',
        'declared_by = ["EAST", "EAST"]',
        "theatre.toml, [[windows]] truce declared_by: names 'EAST' twice; name it once.",
    ),
    (
        "[[windows]]",
        "[[wimdows]]",
        "theatre.toml, [[windows]]: is missing; add at least one.",
    ),
    (
        "segment_length_m = 5000",
        "segment_length_m = 0",
        (
            "theatre.toml, [[baselines]] line segment_length_m: should be greater than or equal to 1 (found 0); "
            "correct it."
        ),
    ),
    (
        "segment_length_m = 5000",
        "segment_length_m = inf",
        "theatre.toml, baselines number 1.segment_length_m: is no finite number; give a number.",
    ),
    (
        'file = "baseline.geojson"',
        'file = "../baseline.geojson"',
        (
            "theatre.toml, [[baselines]] line file: '../baseline.geojson' leads out of the theatre's folder; give"
            " a relative path inside it."
        ),
    ),
    (
        'file = "baseline.geojson"',
        'file = "other.geojson"',
        "other.geojson: is missing; put it into the folder, or correct its name in theatre.toml.",
    ),
    (
        '[regions]\nfile = "regions.geojson"\n',
        "",
        'theatre.toml, [regions]: is missing; add it with its file, such as file = "regions.geojson".',
    ),
    (
        'file = "regions.geojson"',
        'file = "areas.geojson"',
        "areas.geojson: is missing; put it into the folder, or correct its name in theatre.toml.",
    ),
    (
        "depth_m = 25000\n",
        "",
        "theatre.toml, [[zones]] guns depth_m: is missing, which a band needs; add it.",
    ),
    (
        "depth_m = 25000",
        "depth_m = -5",
        "theatre.toml, [[zones]] guns depth_m: should be greater than 0 (found -5); correct it.",
    ),
    (
        "depth_m = 25000",
        'depth_m = "25000"',
        "theatre.toml, [[zones]] guns depth_m: should be a valid number (found '25000'); correct it.",
    ),
    (
        "depth_m = 25000",
        'depth_m = 25000\nfile = "zones.geojson"',
        "theatre.toml, [[zones]] guns file: has no meaning for a band; remove it.",
    ),
    (
        'file = "zones.geojson"\n',
        "",
        "theatre.toml, [[zones]] bridge file: is missing, which a polygon needs; add it.",
    ),
    (
        'file = "zones.geojson"',
        'file = "zones.geojson"\ndepth_m = 5',
        "theatre.toml, [[zones]] bridge depth_m: has no meaning for a polygon; remove it.",
    ),
    (
        'id = "bridge"',
        'id = "tower"',
        (
            "zones.geojson: has no feature whose zone_id is 'tower'; give the feature that property, or correct "
            "the id of the zone."
        ),
    ),
    (
        'kind = "band"',
        'kind = "band"\nbaseline = "old"',
        "theatre.toml, [[zones]] guns baseline: 'old' is no known baseline; use one of: line.",
    ),
    (
        'party = "EAST"\nrule',
        'party = "SOUTH"\nrule',
        "theatre.toml, [[zones]] bridge party: 'SOUTH' is no known party; use one of: EAST, WEST.",
    ),
    (
        'weapons = ["artillery"]',
        'weapons = ["catapult"]',
        (
            "theatre.toml, [[zones]] guns weapons: 'catapult' is no known weapon class of the policy; use one of:"
            " air_bomb, air_defence, aircraft, anti_tank, artillery, ballistic_missile, cruise_missile, "
            "drone_fpv, drone_long_range, drone_recon, grenade_launcher, light_gun, mine, mlrs, mlrs_long, "
            "mortar, small_arms, tank."
        ),
    ),
    (
        'weapons = ["artillery"]',
        "weapons = []",
        "theatre.toml, [[zones]] guns weapons: is an empty list; name at least one.",
    ),
    (
        "valid_to = 2026-03-01T00:00:00Z",
        "valid_to = 2025-03-01T00:00:00Z",
        (
            "theatre.toml, [[zones]] guns valid_to: 2025-03-01T00:00:00+00:00 is not after the start, "
            "2026-01-01T00:00:00+00:00; give a later one, or leave it out if it is open."
        ),
    ),
    (
        'id = "bridge"',
        'id = "guns"',
        "theatre.toml, [[zones]] guns: stands twice; give each entry an id of its own.",
    ),
    (
        'id = "east"',
        'id = "csv"',
        "theatre.toml, [[sources]] csv: stands twice; give each entry an id of its own.",
    ),
    (
        'format = "csv"',
        'format = "shapefile"',
        f"theatre.toml, [[sources]] csv format: 'shapefile' is no known format; use one of: {', '.join(FORMATS)}.",
    ),
    (
        'trust = "media"',
        'trust = "gossip"',
        (
            "theatre.toml, [[sources]] csv trust: should be 'mission', 'vetted', 'satellite', 'media', 'party' or"
            " 'public' (found 'gossip'); correct it."
        ),
    ),
    (
        'trust = "media"',
        'trust = "party"',
        (
            "theatre.toml, [[sources]] csv party: is missing, which trust 'party' needs; name the party that it "
            "speaks for."
        ),
    ),
    (
        'trust = "party"',
        'trust = "public"',
        (
            "theatre.toml, [[sources]] east party: is given, but the trust is 'public'; remove it, or set trust "
            "to 'party'."
        ),
    ),
    (
        'party = "EAST"\norigin',
        'party = "SOUTH"\norigin',
        "theatre.toml, [[sources]] east party: 'SOUTH' is no known party; use one of: EAST, WEST.",
    ),
    (
        'time_zone = "Europe/Kyiv"',
        'time_zone = "Europe/Kyiv"\ncovers = ["A", "elsewhere"]',
        "theatre.toml, [[sources]] east covers: 'elsewhere' is no known region; use one of: A, B.",
    ),
    (
        "Europe/Kyiv",
        "Europe/Atlantis",
        (
            "theatre.toml, [[sources]] east time_zone: 'Europe/Atlantis' is no known time zone; give an IANA "
            "name, such as Europe/Kyiv."
        ),
    ),
    (
        "Europe/Kyiv",
        "../../etc/passwd",
        (
            "theatre.toml, [[sources]] east time_zone: '../../etc/passwd' is no known time zone; give an IANA "
            "name, such as Europe/Kyiv."
        ),
    ),
    (
        "Europe/Kyiv",
        "Europe",
        (
            "theatre.toml, [[sources]] east time_zone: 'Europe' is no known time zone; give an IANA name, such as"
            " Europe/Kyiv."
        ),
    ),
    (
        "radius_m = 1000",
        "radius_m = 0",
        "theatre.toml, [[sources]] csv radius_m: should be greater than 0 (found 0); correct it.",
    ),
    (
        "1 = 5000",
        "1 = -1",
        "theatre.toml, [[sources]] east place_m.1: should be greater than 0 (found -1); correct it.",
    ),
    (
        "authoritative = true",
        'authoritative = "yes"',
        "theatre.toml, [[sources]] csv authoritative: should be a valid boolean (found 'yes'); correct it.",
    ),
    (
        "valid_from = 2026-01-05T00:00:00Z\n",
        "",
        "theatre.toml, [[lines]] number 1 valid_from: is missing; add it.",
    ),
    (
        'file = "lines/today.geojson"',
        'file = "lines/now.geojson"',
        "lines/now.geojson: is missing; put it into the folder, or correct its name in theatre.toml.",
    ),
    (
        '[[lines]]\nfile = "lines/today.geojson"',
        '[lines]\nfile = "lines/today.geojson"',
        (
            "theatre.toml, lines: is no list of tables (found {'file': 'lines/today.geojson', 'valid_from': "
            "datetime.datet…); write each as [[lines]]."
        ),
    ),
    (
        'id = "small"',
        "id = small",
        "theatre.toml: is no valid TOML: Invalid value (at line 1, column 6); correct the line.",
    ),
]


@pytest.mark.parametrize(("old", "new", "sentence"), TOML_MISTAKES)
def test_a_mistake_in_theatre_toml_is_told(old: str, new: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_theatre(with_edit("theatre.toml", old, new), "small")
    assert sentence in sentences(caught.value)
