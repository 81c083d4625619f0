"""Each party may measure from a line of its own, and only the first one numbers the ground.

As in the Package of Measures of 12 February 2015, point 2: one side withdraws from the actual line, the other from that
of 19 September 2014.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import builders
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from small_theatre import collection, good

from geo import matching
from pipelines.settings import load_theatre

if TYPE_CHECKING:
    from geo.theatre import Theatre

ACTUAL = [[37.0, 48.5], [38.0, 48.0], [38.5, 47.5]]  # walked southwards: left is east
AGREED = [[36.8, 48.4], [37.8, 47.9], [38.3, 47.4]]  # some 15 km to the west: ground was taken since
BASELINE = """
[[baselines]]
id = "agreed"
file = "agreed.geojson"
segment_length_m = 700
valid_from = 2025-09-19T00:00:00+03:00

"""
ZONES = """
[[zones]]
id = "west-from-the-actual-line"
kind = "band"
side = "right"
depth_m = 15000
party = "WEST"
rule = "the West withdraws 15 km from the line as it runs"
forbids = "presence"

[[zones]]
id = "east-from-the-agreed-line"
kind = "band"
baseline = "agreed"
side = "left"
depth_m = 15000
party = "EAST"
rule = "the East withdraws 15 km from the line as it was agreed"
forbids = "presence"

"""


def theatre(*, agreed: bool = True) -> Theatre:
    files = {**good(), "baseline.geojson": collection(({}, "LineString", ACTUAL))}
    text = files["theatre.toml"].decode()
    cut, rest = text.index("[[zones]]"), text.index("[[sources]]")
    zones = ZONES if agreed else ""
    text = text[:cut] + zones + text[rest:]
    if agreed:
        files["agreed.geojson"] = collection(({}, "LineString", AGREED))
        text = text.replace("[regions]", BASELINE + "[regions]")
    return load_theatre({**files, "theatre.toml": text.encode()}, "small")


def match(reports: pd.DataFrame, world: Theatre) -> pd.DataFrame:
    return matching.match(reports, world, builders.policy().matching)


def seen(*places: tuple[str, float, float]) -> pd.DataFrame:
    rows = [
        {
            "party_claimed": party,
            "lon": lon,
            "lat": lat,
            "uncertainty_m": 50.0,
            "observed_from": pd.Timestamp("2026-01-10T12:00Z"),
            "weapon_class": "artillery",
        }
        for party, lon, lat in places
    ]
    return pd.DataFrame(rows).astype({"observed_from": "datetime64[us, UTC]"})


def beside(line: int, off_km: float) -> tuple[float, float]:
    """Return a place half-way along one of the two lines, so far to its left."""
    base = theatre().baselines[line]
    lon, lat = base.at(base.length_m / 2, off_km * 1000.0)
    return lon.item(), lat.item()


@pytest.mark.parametrize(
    ("party", "line", "off_km", "zone"),
    [
        ("WEST", 0, -5.0, "west-from-the-actual-line"),
        ("WEST", 0, -20.0, None),
        ("WEST", 1, 5.0, "west-from-the-actual-line"),  # between the lines, and near the actual one
        ("EAST", 1, 5.0, "east-from-the-agreed-line"),
        ("EAST", 0, 8.0, None),  # 8 km from the line as it runs, but 20 from the agreed one
        ("EAST", 1, -5.0, None),
    ],
)
def test_each_party_is_bound_at_the_depth_from_its_own_line(
    party: str, line: int, off_km: float, zone: str | None
) -> None:
    found = match(seen((party, *beside(line, off_km))), theatre()).iloc[0]
    assert found["in_zone"] == (zone is not None)
    assert (found["zone_id"] == zone) if zone else pd.isna(found["zone_id"])


def test_only_the_first_baseline_gives_segments_chainages_offsets_and_sides() -> None:
    places = seen(
        *((party, *beside(line, off)) for party in ("WEST", "EAST") for line in (0, 1) for off in (-3.0, 4.0))
    )
    own = ["segment_id", "segment_share", "chainage_m", "offset_m", "distance_m", "side", "region_id"]
    assert_frame_equal(match(places, theatre())[own], match(places, theatre(agreed=False))[own])
    assert [line.id for line in theatre().baselines] == ["line", "agreed"]
