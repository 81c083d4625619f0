"""A footprint divides among segments, zones, sides and regions as its area does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import strategies
from builders import band, boxes, policy
from hypothesis import given
from hypothesis import strategies as st
from shapely import box
from test_fronts import LINES, build
from test_matching import DEPTHS, cloud, on

from geo import shapes
from geo.crs import GEOD
from geo.matching import divide
from geo.shares import Division, count, name
from geo.zones import contains

if TYPE_CHECKING:
    from geo.fronts import Baseline
    from geo.theatre import Theatre

PLACES = 4_000
AREA = band("area", kind="polygon", geometry=box(37.0, 47.9, 37.2, 48.1), depth_m=None, baseline_id=None)


def world(line: Baseline) -> Theatre:
    return on(line, band("six", depth_m=6_000.0, side="left"), AREA, regions=boxes())


def inside(lon: float, lat: float, radius: float, footprint: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return many random places of a footprint, found without the project's own sampling."""
    rng = np.random.default_rng(3)
    if footprint is None:
        reach, azimuth = radius * np.sqrt(rng.uniform(0, 1, PLACES)), rng.uniform(0, 360, PLACES)
    else:
        _, lon_s, lat_s, bearing, half, near, far = footprint.split()
        lon, lat = float(lon_s), float(lat_s)
        azimuth = rng.uniform(-float(half), float(half), PLACES) + float(bearing)
        reach = np.sqrt(rng.uniform(float(near) ** 2, float(far) ** 2, PLACES))
    return GEOD.fwd(np.full(PLACES, lon), np.full(PLACES, lat), azimuth, reach)[:2]


def brute(row: Any, line: Baseline, where: Theatre) -> dict[str, dict[str, float]]:  # noqa: ANN401 -- a row
    lon, lat = inside(row.lon, row.lat, row.uncertainty_m, row.footprint)
    found = line.locate(lon, lat)
    segment = line.segments["segment_id"].to_numpy(object)[found.segment]
    side = np.array(["right", "none", "left"])[found.side + 1]
    six, area = (next(z for z in where.zones if z.id == name) for name in ("six", "area"))
    zone = np.where(contains(area, lon, lat, None), "area", np.where(contains(six, lon, lat, found), "six", "none"))
    region = np.full(PLACES, "none", object)
    for region_id, shape in zip(where.regions.region_id, where.regions.geometry, strict=True):
        west, _, east, _ = shape.bounds
        region[(lon >= west) & (lon < east)] = region_id
    told = {"segment": segment, "side": side, "zone": zone, "region": region}
    return {of: pd.Series(values).value_counts(normalize=True).to_dict() for of, values in told.items()}


def sectors(reports: pd.DataFrame) -> pd.DataFrame:
    """Turn discs into sectors seen from their centres."""
    rng = np.random.default_rng(7)
    reports = reports[reports["uncertainty_m"] > 0]
    bearing, half = rng.uniform(0, 360, len(reports)), rng.choice([5.0, 11.25, 90.0], len(reports))
    near = reports["uncertainty_m"] * rng.choice([0.0, 0.5, 0.9], len(reports))
    text = [
        str(shapes.Sector(*row))
        for row in zip(
            *(reports[axis].tolist() for axis in ("lon", "lat")), bearing.tolist(), half.tolist(), near.tolist(),
            reports["uncertainty_m"].tolist(), strict=True,
        )
    ]  # fmt: skip
    said = reports.assign(footprint=pd.Series(text, reports.index, dtype="str"), act="strike", text=None)
    return shapes.settle(said, policy())


@pytest.mark.parametrize("kind", ["disc", "sector"])
@pytest.mark.parametrize("name", ["hairpin", "bulge", "zigzag", "spiral", "one edge", "parts", "ring"])
def test_shares_agree_with_a_monte_carlo_and_add_up_to_one(name: str, kind: str) -> None:
    line = build(LINES[name])
    reports = cloud(line, 20).assign(weapon_class=None, party_claimed=None)
    reports = reports[reports["uncertainty_m"] > 0].reset_index(drop=True)
    reports = reports.assign(footprint=None) if kind == "disc" else sectors(reports)
    found = divide(reports, world(line))
    assert (found.groupby(["row", "of"])["share"].sum() - 1).abs().max() <= 1e-9
    assert len(found.groupby(["row", "of"])) == 4 * len(reports)
    shares = found.set_index(["row", "of", "id"])["share"].sort_index()
    error = 0.06 if kind == "disc" else 0.035
    for row in reports.itertuples():
        for of, each in brute(row, line, world(line)).items():
            mine = shares[row.Index, of]
            for answer in {*each, *mine.index}:
                assert mine.get(answer, 0.0) == pytest.approx(each.get(answer, 0.0), abs=error), (of, answer)


@strategies.tries(4)
@given(st.sampled_from(["spiral", "parts", "ring"]), st.integers(0, 10_000), st.sampled_from([0.5, 5.0]))
def test_a_small_footprint_is_its_centre(name: str, seed: int, radius: float) -> None:
    line = build(LINES[name])
    reports = cloud(line, 30, seed).assign(uncertainty_m=radius)
    for some in (reports, sectors(reports)):
        small = divide(some, world(line)).groupby(["row", "of"])["share"].max()
        point = divide(some.assign(uncertainty_m=0.0, footprint=None), world(line))
        assert (point["share"] == 1).all()
        likeliest = divide(some, world(line)).drop_duplicates(["row", "of"]).set_index(["row", "of"])["id"]
        same = likeliest == point.set_index(["row", "of"])["id"]
        assert ((small > 0.95) & same).mean() > 0.98


def test_a_footprint_does_not_depend_on_the_others() -> None:
    line = build(LINES["spiral"])
    reports = pd.concat([cloud(line, 100).assign(footprint=None), sectors(cloud(line, 100, 2))], ignore_index=True)
    order = np.random.default_rng(5).permutation(len(reports))
    whole, mixed = (divide(some, on(line, *DEPTHS, AREA)) for some in (reports, reports.iloc[order]))
    mixed = mixed.assign(row=order[mixed["row"]]).sort_values("row", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(whole, mixed, check_exact=True)


def test_without_coordinates_there_is_nothing_to_divide() -> None:
    line = build(LINES["bulge"])
    reports = cloud(line, 3)
    reports.loc[1, "lon"] = np.nan
    assert sorted(set(divide(reports, world(line))["row"])) == [0, 2]


@pytest.mark.parametrize(
    ("codes", "led", "margin"),
    [([0] * 5 + [1] * 5, False, 0.1), ([0] * 6 + [1] * 4, True, 0.1), ([0] * 5 + [1] * 5, True, 0.0),
     ([0] * 4 + [1] * 3 + [2] * 3, False, 0.1)],
)  # fmt: skip
def test_an_answer_leads_by_the_policys_share_and_margin(codes: list[int], led: bool, margin: float) -> None:  # noqa: FBT001 -- the expectation
    division = Division.of(np.array([2, 1]), [count(np.array([0]), np.array([codes]))])
    found = name(division, policy(**{"matching.lead_margin": margin}).matching)
    assert found.leads.tolist() == [led, True]
    assert found.code.tolist() == [0, 1]
    assert found.share.tolist() == [codes.count(0) / 10, 1.0]
    assert division.share_of(np.array([1, 0])).tolist() == [codes.count(1) / 10, 0.0]


@given(
    st.lists(st.lists(st.integers(0, 4) | st.sampled_from([90, 91]), min_size=5, max_size=5), min_size=1, max_size=8),
    st.sampled_from([np.intp, np.int8]),
)
def test_codes_are_counted_by_row_the_largest_first(codes: list[list[int]], kind: type[np.integer[Any]]) -> None:
    row, code, share = count(np.arange(len(codes)) * 3, np.array(codes, kind))
    most = [pd.Series(row).value_counts().sort_index().sort_values(ascending=False, kind="stable") for row in codes]
    assert code.tolist() == [code for row in most for code in row.index]
    assert row.tolist() == [3 * at for at, row in enumerate(most) for _ in row]
    assert share.tolist() == [times / 5 for row in most for times in row]
