"""Can a theatre say what was notified, whom it trusts and who copies whom, and is every mistake in it told?"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from shapely import MultiPolygon
from small_theatre import areas, good, sentences, square, with_edit, written

from geo.errors import PolicyError
from geo.exemptions import Disc
from pipelines.settings import load_theatre, read_folder

FIELD = """
[[exemptions]]
id = "field"
kind = "demining"
file = "exemptions.geojson"
acts = ["explosion", "shelling"]
start = 2026-01-05T08:00:00+02:00
end = 2026-01-05T16:00:00+02:00
notified_by = "EAST"
reference = "letter 7"

[[exemptions]]
id = "drill"
kind = "training"
lon = 38.5
lat = 48.5
radius_m = 3000
acts = ["any"]
start = 2026-01-05T08:00:00+02:00
end = 2026-01-06T08:00:00+02:00
notified_by = "WEST"
reference = "letter 8"
"""
RATED = 'id = "csv"\nreliability = "B"\nrates = true\nmeans = "eye"\ncopies = ["east"]'
HEAD = "theatre.toml, [[exemptions]] "


def files(old: str = "", new: str = "") -> dict[str, bytes]:
    found = with_edit("theatre.toml", 'id = "csv"', RATED)
    text = found["theatre.toml"].decode() + FIELD
    assert old in text, f"the edit no longer applies: {old}"
    drawn = areas(({"exemption_id": "field"}, square(38.2, 48.2, 0.1)))
    return {**found, "theatre.toml": text.replace(old, new, 1).encode(), "exemptions.geojson": drawn}


def test_exemptions_become_values_in_utc_in_order_of_id() -> None:
    drill, field = load_theatre(files(), "small").exemptions
    assert (drill.id, drill.area, drill.acts) == ("drill", Disc(38.5, 48.5, 3000.0), frozenset({"any"}))
    assert isinstance(field.area, MultiPolygon)
    assert field.area.bounds == pytest.approx((38.2, 48.2, 38.3, 48.3))
    assert (field.start, field.end.tzinfo) == (datetime(2026, 1, 5, 6, tzinfo=UTC), UTC)
    assert (field.kind, field.notified_by, field.reference) == ("demining", "EAST", "letter 7")


def test_the_file_of_an_exemption_is_one_of_the_theatres(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = written(tmp_path_factory.mktemp("theatre"), files())
    assert read_folder(folder)["exemptions.geojson"] == files()["exemptions.geojson"]


def test_sources_say_how_reliable_they_are_and_whom_they_copy() -> None:
    theatre = load_theatre(files(), "small")
    rated, plain = theatre.source("csv"), theatre.source("east")
    assert rated is not None
    assert plain is not None
    assert (rated.reliability, rated.rates, rated.means, rated.copies) == ("B", True, "eye", ("east",))
    assert (plain.reliability, plain.rates, plain.means, plain.copies) == ("F", False, None, ())
    assert load_theatre(good(), "small").exemptions == ()


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("end = 2026-01-05T16:00:00+02:00", "end = 2026-01-05T08:00:00+02:00",
         (HEAD + "field end: 2026-01-05T08:00:00+02:00 is not after the start, 2026-01-05T08:00:00+02:00; give a later"
         " one; an exemption is never open.")),
        ('"exemptions.geojson"', '"exemptions.geojson"\nlon = 38.0',
         HEAD + "field: has a file and lon; keep one way of saying where it is."),
        ("radius_m = 3000", "", HEAD + "drill: does not say where it is: radius_m missing; add them, or name a file."),
        ('id = "field"', 'id = "meadow"',
         ("exemptions.geojson: has no feature whose exemption_id is 'meadow'; give the feature that property, or"
         " correct the id of the exemption.")),
        ('"training"', '"parade"',
         HEAD + "drill kind: should be 'training', 'demining' or 'works' (found 'parade'); correct it."),
        ("lat = 48.5", "lat = 98.5", HEAD + "drill lat: should be less than or equal to 90 (found 98.5); correct it."),
        ('reference = "letter 8"', "", HEAD + "drill reference: is missing; add it."),
        ('file = "exemptions.geojson"', 'file = "../x.geojson"',
         HEAD + "field file: '../x.geojson' leads out of the theatre's folder; give a relative path inside it."),
        ('reliability = "B"', 'reliability = "G"',
         ("theatre.toml, [[sources]] csv reliability: should be 'A', 'B', 'C', 'D', 'E' or 'F' (found 'G'); correct it"
         ".")),
        ('means = "eye"', 'means = "rumour"',
         ("theatre.toml, [[sources]] csv means: should be 'eye', 'ear', 'imagery', 'sensor' or 'statement' (found"
         " 'rumour'); correct it.")),
        ('copies = ["east"]', 'copies = ["west"]',
         "theatre.toml, [[sources]] csv copies: 'west' is no known source; use one of: csv, east."),
        ('copies = ["east"]', 'copies = ["csv"]',
         ("theatre.toml, [[sources]] csv copies: comes back to the source itself; say of two sources only which one"
         " repeats the other.")),
        ('id = "east"', 'id = "east"\ncopies = ["csv"]',
         ("theatre.toml, [[sources]] east copies: comes back to the source itself; say of two sources only which one"
         " repeats the other.")),
        ('trust = "media"', 'trust = "public"',
         ("theatre.toml, [[sources]] csv rates: is true, but nobody in the crowd can say how credible a report is;"
         " remove it, or give the source another trust.")),
    ],
)  # fmt: skip
def test_a_mistake_is_told(old: str, new: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_theatre(files(old, new), "small")
    assert sentence in sentences(caught.value)


def test_an_act_that_the_policy_does_not_know_is_told_and_without_a_policy_taken() -> None:
    odd = files('acts = ["any"]', 'acts = ["picnic"]')
    with pytest.raises(PolicyError, match="'picnic' is neither an act of the policy nor a family of acts; use of: air"):
        load_theatre(odd, "small")
    del odd["policy.toml"]
    assert load_theatre(odd, "small").exemptions[0].acts == {"picnic"}
