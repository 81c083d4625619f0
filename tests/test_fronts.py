"""The nearest place of the line is found, exactly, with its chainage and its side."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import brute
import loops  # noqa: F401 -- what is compiled is taken from where it is kept
import numpy as np
import pytest
import shapely
from builders import baseline
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from realdata import need
from shapely import LineString, MultiLineString, Polygon

from geo import footprints
from geo.crs import GEOD, distance_m
from geo.errors import PolicyError
from geo.fronts import Baseline

if TYPE_CHECKING:
    import numpy.typing as npt

    from geo.fronts import Located

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
HAIRPIN = LineString([(37.0, 48.0), (37.3, 48.0), (37.3, 48.0005), (37.05, 48.0005), (37.0, 48.1)])
BULGE = LineString([(37, 48), (37.2, 48), (37.1, 48.1), (37.4, 48.1), (37.3, 48), (37.6, 48)])
ZIGZAG = LineString([(37 + n * 0.02, 48 + (n % 2) * 0.3) for n in range(12)])
SPIRAL = LineString(
    [
        (37 + r * np.cos(a), 48 + r * np.sin(a))
        for r, a in zip(np.linspace(0.1, 0.4, 40), np.linspace(0, 12, 40), strict=True)
    ]
)
EDGE = LineString([(37.0, 48.0), (41.0, 47.0)])
PARTS = MultiLineString([[(36, 48), (37, 48.2)], [(37.3, 48.2), (38, 48), (38.2, 47.6)], [(38.3, 48.4), (37.2, 48.6)]])
RING = LineString([(37, 48), (37.5, 48.1), (38, 48), (37.8, 48.5), (37.2, 48.4), (37, 48)])
LINES = {
    "hairpin": HAIRPIN, "bulge": BULGE, "zigzag": ZIGZAG, "spiral": SPIRAL, "one edge": EDGE, "parts": PARTS,
    "ring": RING,
}  # fmt: skip


def build(geometry: LineString | MultiLineString, segment_length_m: float = 7_000.0) -> Baseline:
    return Baseline.build("line", geometry, segment_length_m=segment_length_m, valid_from=SINCE)


def around(line: Baseline, count: int, rng: np.random.Generator, reach_deg: float = 1.0) -> npt.NDArray[np.float64]:
    """Return points near and far, half of them close to the line; shape (2, count)."""
    west, south, east, north = line.segments.total_bounds
    anywhere = rng.uniform(
        [west - reach_deg, south - reach_deg], [east + reach_deg, north + reach_deg], (count // 2, 2)
    )
    near = line.at(rng.uniform(0, line.length_m, count - count // 2), rng.normal(0, 1_000, count - count // 2))
    return np.hstack([anywhere.T, np.array(near)])


def agrees(line: Baseline, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> Located:
    """Hold the promise of DESIGN section 5 against the brute force."""
    found, slow = line.locate(lon, lat), brute.nearest(line.parts, lon, lat)
    allowed = np.where(slow.distance_m > 100_000, slow.distance_m * 1e-5, 1.0)
    assert (np.abs(found.distance_m - slow.distance_m) <= allowed).all()
    # What it calls the nearest place is on the named segment, and truly that near.
    table = line.segments.iloc[found.segment]
    assert (found.chainage_m >= table["chainage_from_m"].to_numpy() - 0.01).all()
    assert (found.chainage_m <= table["chainage_to_m"].to_numpy() + 0.01).all()
    foot = line.at(np.minimum(found.chainage_m, line.length_m), 0.0)
    at_break = np.isin(np.round(found.chainage_m, 2), np.round(table["chainage_to_m"].to_numpy(), 2))
    reached = distance_m(*foot, lon, lat)
    assert (np.abs(reached - slow.distance_m) <= allowed)[~at_break].all()
    return found


@pytest.mark.parametrize("name", LINES)
def test_distance_and_segment_agree_with_a_brute_force(name: str) -> None:
    line = build(LINES[name])
    agrees(line, *around(line, 300, np.random.default_rng(1)))


@pytest.mark.parametrize("name", ["zigzag", "parts", "one edge"])
def test_far_points_are_right_to_ten_parts_in_a_million(name: str) -> None:
    line = build(LINES[name])
    rng = np.random.default_rng(2)
    agrees(line, rng.uniform(-180, 180, 300), np.degrees(np.arcsin(rng.uniform(-1, 1, 300))))


@st.composite
def stars(draw: st.DrawFn) -> npt.NDArray[np.float64]:
    """Return a simple ring, counter-clockwise, with bends as sharp as they come, somewhere on earth."""
    count = draw(st.integers(3, 14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    angles = np.sort((np.arange(count) + rng.uniform(0.1, 0.9, count)) * 360 / count)
    radii = 10 ** rng.uniform(2.5, 5, count)
    lon, lat, _ = GEOD.fwd(np.full(count, rng.uniform(-150, 150)), np.full(count, rng.uniform(-60, 60)), -angles, radii)
    ring = np.column_stack([np.append(lon, lon[0]), np.append(lat, lat[0])])
    onward, back, _ = GEOD.inv(*ring[:-1].T, *ring[1:].T)
    assume((np.abs((onward - np.roll(back, 1) + 180) % 360 - 180) > 1.1).all())  # sharper ones are refused as spikes
    clockwise = GEOD.polygon_area_perimeter(*ring.T)[0] < 0  # a triangle of whose middle all corners lie to one side
    return ring[::-1] if clockwise else ring


@settings(max_examples=25, deadline=None)
@given(stars(), st.integers(0, 2**32 - 1), st.sampled_from(["open", "closed"]), st.floats(5_000, 300_000))
def test_any_simple_line_agrees_with_the_brute_force(
    ring: npt.NDArray[np.float64], seed: int, form: str, length: float
) -> None:
    line = build(LineString(ring[:-1] if form == "open" else ring), length)
    agrees(line, *around(line, 30, np.random.default_rng(seed)))


@settings(max_examples=25, deadline=None)
@given(stars(), st.integers(0, 2**32 - 1))
def test_inside_a_ring_walked_counter_clockwise_is_left(ring: npt.NDArray[np.float64], seed: int) -> None:
    line = build(LineString(ring))
    lon, lat = around(line, 200, np.random.default_rng(seed), reach_deg=0.3)
    found = line.locate(lon, lat)
    drawn = Polygon(np.concatenate([shapely.get_coordinates(piece)[:-1] for piece in line.segments.geometry]))
    inside = shapely.contains_xy(drawn, lon, lat)
    sure = found.distance_m > 2.0  # the drawn ring strays from the geodesics by as much
    assert (found.side[sure] == np.where(inside, 1, -1)[sure]).all()


@pytest.mark.slow
def test_a_hundred_thousand_points_agree_with_the_brute_force() -> None:
    rng = np.random.default_rng(5)
    for geometry in LINES.values():
        line = build(geometry)
        for _ in range(15):
            agrees(line, *around(line, 1_000, rng))


@given(st.floats(0, 298_000), st.floats(-60_000, 60_000).filter(lambda offset: abs(offset) > 0.01))
def test_locate_undoes_at(chainage: float, offset: float) -> None:
    line = baseline()
    found = line.locate(*line.at(chainage, offset))
    assert found.chainage_m[0] == pytest.approx(chainage, abs=0.05)  # a tie of 10 nm, seen from 60 km
    assert found.distance_m[0] == pytest.approx(abs(offset), abs=0.002)
    assert found.side[0] == np.sign(offset)


def test_a_bend_is_judged_by_both_its_edges() -> None:
    line = build(LineString([(37, 48), (38, 48), (37.1, 48.05)]))  # eastwards, then sharply back to the left
    inside = line.locate([37.9, 37.9], [48.0005, 48.005])
    tip = line.locate([38.05, 38.05, 38.05, 38.0005], [48.0, 48.02, 47.98, 48.0])
    assert inside.side.tolist() == [1, 1]
    assert tip.side.tolist() == [-1, -1, -1, -1]
    assert tip.chainage_m == pytest.approx(distance_m(37, 48, 38, 48).item(), abs=0.01)


def test_beyond_the_ends_there_is_no_side() -> None:
    line = baseline()
    heading = GEOD.inv(35.0, 48.0, 39.0, 48.0)[0]
    lon, lat, _ = GEOD.fwd(
        [35.0] * 4, [48.0] * 4, [heading + 180, heading + 91, heading - 91, heading - 90], [5_000.0] * 4
    )
    assert line.locate(lon, lat).side.tolist() == [0, 0, 0, 1]
    assert line.locate(*line.at([0.0, line.length_m], [5_000.0, -5_000.0])).side.tolist() == [1, -1]


def test_on_the_line_there_is_no_side() -> None:
    line = build(RING)
    found = line.locate(*line.at([0.0, 10_000.0], 0.0))
    assert found.side.tolist() == [0, 0]
    assert found.on_line.all()


def test_a_closed_line_has_no_ends() -> None:
    line = build(RING)
    assert (line.locate(*around(line, 300, np.random.default_rng(3))).side != 0).all()


def test_breaks_count_nothing_and_are_not_bridged() -> None:
    line = build(PARTS)
    lengths = [GEOD.line_length(*part.T) for part in line.parts]
    assert line.length_m == pytest.approx(sum(lengths), abs=0.001)
    starts = line.segments.groupby("part")["chainage_from_m"].min()
    assert starts.to_numpy() == pytest.approx(np.append(0.0, np.cumsum(lengths)[:-1]), abs=0.001)
    middle_of_break = line.locate(37.15, 48.2)
    assert middle_of_break.side[0] == 0
    assert middle_of_break.distance_m[0] > 10_000


def test_parts_that_share_an_end_are_one_line() -> None:
    whole = shapely.get_coordinates(BULGE)
    split = build(MultiLineString([whole[:3], whole[2:]]))
    one = build(BULGE)
    lon, lat = around(one, 500, np.random.default_rng(4))
    assert (split.locate(lon, lat).side == one.locate(lon, lat).side).all()
    np.testing.assert_allclose(split.locate(lon, lat).chainage_m, one.locate(lon, lat).chainage_m, atol=0.002)


@pytest.mark.parametrize("name", LINES)
def test_segments_are_permanent_pieces_of_equal_length(name: str) -> None:
    table = build(LINES[name]).segments
    length = (table["chainage_to_m"] - table["chainage_from_m"]).to_numpy()
    last = table["part"].to_numpy() != np.append(table["part"].to_numpy()[1:], -1)
    assert length[~last] == pytest.approx(7_000.0, abs=0.01)
    assert (length <= 7_000.01).all()
    assert table["segment_id"].tolist() == [f"S{n:04d}" for n in range(1, len(table) + 1)]
    assert table["chainage_from_m"].to_numpy()[1:] == pytest.approx(table["chainage_to_m"].to_numpy()[:-1], abs=1e-6)
    assert [GEOD.geometry_length(g) for g in table.geometry] == pytest.approx(length, abs=0.001)
    assert table.crs.to_epsg() == 4326


def test_a_cut_that_falls_on_a_vertex_leaves_no_sliver() -> None:
    lon, lat, _ = GEOD.fwd([37.0] * 3, [48.0] * 3, [90.0] * 3, [0.0, 20_000.0, 40_000.0])
    table = build(LineString(np.column_stack([lon, lat])), 10_000.0).segments
    assert len(table) == 4


def test_drawn_segments_follow_the_geodesic() -> None:
    for geometry in build(EDGE, 100_000.0).segments.geometry:
        points = shapely.get_coordinates(geometry)
        assert distance_m(*points[:-1].T, *points[1:].T).max() <= 5_000.001


def test_equally_near_places_are_decided_by_the_lower_chainage() -> None:
    line = build(MultiLineString([[(37, 48), (37, 48.5)], [(37.2, 48.5), (37.2, 48)]]))
    found = line.locate(37.1, [48.1, 48.2, 48.3])
    assert found.segment.max() < (line.segments["part"] == 1).sum()


def test_a_place_between_two_segments_is_in_the_lower_one() -> None:
    line = baseline()
    cuts = np.repeat(line.segments["chainage_to_m"].to_numpy()[:-1], 5)
    found = line.locate(*line.at(cuts, np.tile([-60_000.0, -500.0, 0.0, 500.0, 60_000.0], len(cuts) // 5)))
    assert found.segment.tolist() == np.repeat(np.arange(len(line.segments) - 1), 5).tolist()


def test_a_points_answer_does_not_depend_on_the_others() -> None:
    line = build(SPIRAL)
    lon, lat = around(line, 400, np.random.default_rng(6))
    lon[::7] += 90.0  # so far away that they are measured another way
    whole = line.locate(lon, lat)
    order = np.random.default_rng(7).permutation(400)
    mixed = line.locate(lon[order], lat[order])
    for name in ("segment", "chainage_m", "distance_m", "side"):
        assert (getattr(whole, name)[order] == getattr(mixed, name)).all()
    clear = line.clear(lon, lat, whole)
    assert (clear[order] == line.clear(lon[order], lat[order], mixed)).all()
    alone = line.locate(lon[17], lat[17])
    assert alone.distance_m[0] == whole.distance_m[17]
    assert alone.chainage_m[0] == whole.chainage_m[17]


@pytest.mark.parametrize("name", ["hairpin", "bulge", "zigzag", "spiral", "ring", "parts"])
def test_walked_backwards_the_sides_change_and_nothing_else(name: str) -> None:
    there = build(LINES[name])
    back = build(LINES[name].reverse())
    lon, lat = around(there, 500, np.random.default_rng(8))
    one, two = there.locate(lon, lat), back.locate(lon, lat)
    np.testing.assert_allclose(one.distance_m, two.distance_m, atol=0.002)
    assert (one.side == -two.side).all()


@pytest.mark.parametrize("name", LINES)
def test_a_clear_disc_lies_at_one_segment_and_crosses_no_end(name: str) -> None:
    line = build(LINES[name])
    lon, lat = around(line, 300, np.random.default_rng(9))
    centre = line.locate(lon, lat)
    metres = line.clear(lon, lat, centre)
    clear = np.flatnonzero(metres > 0)
    radius = metres[clear] / 2 * 0.999
    rim_lon, rim_lat = footprints.places(lon[clear], lat[clear], radius)
    rim = line.locate(rim_lon.ravel(), rim_lat.ravel())
    assert (rim.segment.reshape(rim_lon.shape) == centre.segment[clear, None]).all()
    dry = radius < centre.distance_m[clear]
    assert (rim.side.reshape(rim_lon.shape)[dry] == centre.side[clear][dry, None]).all()
    assert (centre.side[clear] != 0).all()


def test_most_points_near_a_gentle_line_are_clear() -> None:
    line = baseline()
    places = line.at(np.arange(5_000.0, 295_000.0, 10_000.0), 500.0)
    assert (line.clear(*places, line.locate(*places)) > 3_000).all()


def test_coordinates_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        baseline().locate([37.0, np.nan], [48.0, 48.0])
    with pytest.raises(ValueError, match="between 0"):
        baseline().at(1e9, 0.0)


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        (LineString(), "empty"),
        (MultiLineString(), "empty"),
        (Polygon([(0, 0), (1, 0), (1, 1)]), "is a Polygon"),
        (LineString([(3700, 4800), (3800, 4800)]), "not in degrees.*vertex 1 .*3700"),
        (LineString([(37, 48), (38, 48), (38, 48), (39, 48)]), r"repeats a vertex at lon 38\.000000, lat 48\.000000"),
        (LineString([(37, 48), (37, 48)]), "repeats a vertex"),
        (LineString([(37, 48), (38, 48), (37.5, 48)]), r"folds back .* at lon 38\.000000, lat 48\.000000"),
        (LineString([(37, 48), (38, 48.5), (37, 48)]), "folds back"),
        (LineString([(37, 48), (38, 49), (38, 48), (37, 49)]), r"crosses or touches itself at lon 37\.5\d+, lat 48\.5"),
        (LineString([(37, 48), (38, 48), (38, 49), (37.5, 48.5), (38, 48)]), r"at lon 38\.000000, lat 48\.000000"),
        (MultiLineString([[(37, 48), (38, 48)], [(37.5, 47), (37.5, 49)]]), r"crosses or touches itself at lon 37\.5"),
        (
            MultiLineString([[(37, 48), (38, 48)], [(37, 48), (37, 49)]]),
            r"both begin at lon 37\.000000, lat 48\.000000",
        ),
        (MultiLineString([[(37, 48), (38, 48)], [(38, 49), (38, 48)]]), r"both end at lon 38\.000000, lat 48\.000000"),
        (LineString([(179, 10), (-179, 10)]), "antimeridian.*vertex 1"),
        (MultiLineString([[(178, 10), (179, 10)], [(-179, 10), (-178, 10)]]), "antimeridian"),
        (LineString([(30, 80), (31, 86)]), "pole.*vertex 2"),
        (LineString([(0, 84), (170, 84)]), "near a pole"),
    ],
)
def test_lines_that_cannot_be_used_are_refused_with_the_place(geometry: LineString, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        build(geometry)


@pytest.mark.parametrize("lon", [np.nan, np.inf])
def test_a_vertex_that_is_no_number_is_refused(lon: float) -> None:
    with np.errstate(invalid="ignore"):
        geometry = LineString([(37, 48), (lon, 48)])
    with pytest.raises(PolicyError, match="no number at vertex 2"):
        build(geometry)


@pytest.mark.parametrize("length", [0.0, -5.0, np.nan, np.inf])
def test_segments_need_a_length(length: float) -> None:
    with pytest.raises(PolicyError, match="segment_length_m"):
        build(EDGE, length)


def test_lines_that_nearly_touch_are_used() -> None:
    line = build(HAIRPIN)
    between = line.locate([37.2, 37.2], [48.0001, 48.0004])
    assert between.side.tolist() == [1, 1]
    assert between.chainage_m[0] < between.chainage_m[1]


@pytest.mark.parametrize("backwards", [False, True])
def test_events_of_the_donbas_lie_where_they_lie(backwards: bool) -> None:  # noqa: FBT001 -- a case
    data = json.loads(need("minsk_2014_2022/contact_line.geojson").read_text())
    geometry = shapely.from_geojson(json.dumps(data["features"][0]["geometry"]))
    with need("minsk_2014_2022/ucdp_ged_ukraine_2014_2021.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lon, lat = (np.array([float(row[name]) for row in rows]) for name in ("longitude", "latitude"))
    line = build(geometry.reverse() if backwards else geometry)
    metres = line.locate(lon, lat).distance_m
    counts = [int((metres <= limit).sum()) for limit in (2_000, 5_000, 15_000, 30_000)]
    assert np.abs(np.array(counts) - [521, 829, 1_818, 2_201]).max() <= 3
    assert line.length_m == pytest.approx(474_700, abs=300)
    few = slice(None, None, 40)
    agrees(line, lon[few], lat[few])
