"""Each report has its place beside the line of its own day, and nothing else knows of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import brute
import builders
import numpy as np
import pandas as pd
import pytest
import shapely
import strategies
from builders import START, baseline, theatre, when
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from realdata import need
from shapely import LineString, MultiLineString

from geo import summary
from geo.assess import assess
from geo.fronts import Baseline
from geo.lines import CurrentLine, Survey, beside, newest, passed_over, tidy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from strategies import World

    from geo.crs import RealsLike

OWN = ["line_offset_m", "line_distance_m", "line_valid_from", "line_age_h"]
EAST = ((35.0, 48.02), (37.0, 48.1), (39.0, 48.02))  # along the baseline, north of it


def line(*parts: Sequence[tuple[float, float]], at: float = 0.0, **changes: Any) -> CurrentLine:  # noqa: ANN401 -- any field
    """Return a current line from so many hours after ``START``."""
    fields: dict[str, Any] = {"source": "survey", "geometry": MultiLineString(list(map(list, parts)))}
    return CurrentLine(when(at), **{**fields, **changes})


def broken(at: float = 0.0, why: str = "it draws nothing; draw it") -> CurrentLine:
    return CurrentLine(when(at), "survey", MultiLineString(), why)


def at(lon: RealsLike, lat: RealsLike, hours: RealsLike = 1.0) -> pd.DataFrame:
    columns = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, float)) for value in (lon, lat, hours)))
    frame = pd.DataFrame(dict(zip(("lon", "lat", "hours"), columns, strict=True)))
    seen = pd.Timestamp(START) + pd.to_timedelta(frame.pop("hours"), unit="h")
    return frame.assign(observed_from=seen.astype("datetime64[us, UTC]"))


def cloud(count: int, seed: int = 1) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.uniform(34.5, 39.5, count), rng.uniform(47.5, 48.6, count)


def measured(drawn: CurrentLine, lon: RealsLike, lat: RealsLike, base: Baseline | None = None) -> pd.DataFrame:
    return beside(at(lon, lat), [drawn], base or baseline())


# --- Which line ---


def test_a_report_is_measured_from_the_newest_usable_line_not_after_it() -> None:
    known = [line(EAST, at=24), line(EAST, at=0, source="old"), broken(30)]
    found = beside(at(37.0, 48.05, [-0.001, 0.0, 23.999, 24.0, 40.0]), known, baseline())
    assert found["line_valid_from"].isna().tolist() == [True, False, False, False, False]
    dates = [when(0), when(0), when(24), when(24)]
    assert found["line_valid_from"].dropna().tolist() == [pd.Timestamp(date) for date in dates]
    assert found["line_age_h"].dropna().to_numpy() == pytest.approx([0.0, 23.999, 0.0, 16.0], abs=1e-6)
    assert found["line_distance_m"].isna().tolist() == [True, False, False, False, False]


def test_of_two_lines_of_one_date_the_one_that_came_last_corrects_the_other() -> None:
    first, second = line(EAST, at=5), line(((35.0, 48.0), (39.0, 48.0)), at=5)
    assert newest([first, second], when(5)) is second
    assert newest([second, first], when(5)) is first
    assert newest([first, broken(5)], when(5)) is first
    assert newest([broken(5)], when(5)) is None
    assert newest([first], when(4.9)) is None


def test_lines_that_could_not_be_used_are_those_after_the_used_one() -> None:
    known = [broken(1), line(EAST, at=2), broken(3), broken(4), broken(9)]
    assert [item.valid_from for item in passed_over(known, when(5))] == [when(3), when(4)]
    assert [item.valid_from for item in passed_over(known[:1], when(5))] == [when(1)]


def test_without_a_line_or_a_place_nothing_is_said() -> None:
    assert beside(at(37.0, 48.0), [], baseline())[OWN].isna().all(axis=None)
    found = beside(at([37.0, np.nan], 48.0), [line(EAST)], baseline())
    assert found[OWN].notna().all(axis=1).tolist() == [True, False]
    assert beside(at([], []), [line(EAST)], baseline()).empty


def test_a_row_does_not_depend_on_the_others() -> None:
    lon, lat = cloud(50)
    reports = at(lon, lat, np.linspace(-5, 60, 50))
    known = [line(EAST), line(EAST[::-1], at=30)]
    whole = beside(reports, known, baseline())
    for row in (0, 13, 49):
        assert_frame_equal(whole.iloc[[row]], beside(reports.iloc[[row]], known, baseline()))


# --- How far, and on which side ---


@pytest.mark.parametrize("turned", [False, True])
def test_a_line_drawn_like_the_baseline_gives_its_offsets_whichever_way_it_was_drawn(turned: bool) -> None:  # noqa: FBT001
    lon, lat = cloud(300)
    part = builders.LINE[::-1] if turned else builders.LINE
    found, own = measured(line(part), lon, lat), baseline().locate(lon, lat)
    assert found["line_distance_m"].to_numpy() == pytest.approx(own.distance_m, abs=1e-6)
    assert np.sign(found["line_offset_m"]).fillna(0).tolist() == own.side.tolist()


def test_each_part_is_turned_by_itself() -> None:
    parts = [((35.0, 48.1), (36.0, 48.1)), ((38.0, 48.1), (36.5, 48.1))]
    found = measured(line(*parts), [35.5, 35.5, 37.0, 37.0], [48.2, 48.0, 48.2, 48.0])
    assert np.sign(found["line_offset_m"]).tolist() == [1, -1, 1, -1]


def test_left_is_the_left_partys_side_when_the_line_has_moved_over_the_report() -> None:
    found = measured(line(EAST), 37.0, 48.05)
    assert baseline().locate(37.0, 48.05).side.tolist() == [1]
    assert found["line_offset_m"].tolist() == [pytest.approx(-found["line_distance_m"].iloc[0])]


def test_beyond_its_ends_a_line_has_no_side() -> None:
    found = measured(line(((36.0, 48.1), (38.0, 48.1))), [35.5, 37.0, 38.5], 48.2)
    assert found["line_offset_m"].isna().tolist() == [True, False, True]
    assert found["line_distance_m"].notna().all()


POCKET = [(37.0, 48.3), (37.2, 48.3), (37.2, 48.5), (37.0, 48.5), (37.0, 48.3)]
ACROSS = [(36.0, 48.2), (36.0, 48.5)]


@pytest.mark.parametrize(("part", "where"), [(POCKET, (37.1, 48.49)), (ACROSS, (36.01, 48.4))])
def test_near_a_part_whose_direction_cannot_be_told_there_is_a_distance_and_no_offset(
    part: list[tuple[float, float]], where: tuple[float, float]
) -> None:
    mixed = line(EAST, part)
    found = measured(mixed, [where[0], 38.0], [where[1], 48.0])
    assert found["line_offset_m"].isna().tolist() == [True, False]
    assert found["line_distance_m"].iloc[0] < 2000
    assert "near 1 of its 2 parts" in str(Survey.of(mixed, baseline()).doubt)


UNSOUND = {
    "crosses itself": ([(35.0, 48.0), (37.0, 48.2), (37.0, 47.9), (36.0, 48.2)],),
    "parts cross": (EAST, [(36.0, 48.2), (36.0, 47.5)]),
    "spike": ([(35.0, 48.0), (37.0, 48.0), (36.0, 48.0)],),
    "parts overlap": (EAST, EAST),
    "three parts from one place": ([(36, 48), (37, 48)], [(37, 48), (38, 48.1)], [(37, 48), (38, 47.9)]),
}  # fmt: skip


@pytest.mark.parametrize("parts", UNSOUND.values(), ids=UNSOUND)
def test_a_line_without_sides_still_has_true_distances_and_says_so(parts: tuple[Any, ...]) -> None:
    drawn, (lon, lat) = line(*parts), cloud(60)
    found = measured(drawn, lon, lat)
    slow = brute.nearest([np.array(part, float) for part in parts], lon, lat)
    assert found["line_distance_m"].to_numpy() == pytest.approx(slow.distance_m, abs=0.001)
    assert found["line_offset_m"].isna().all()
    assert "offsets from it have no sign: the line" in str(Survey.of(drawn, baseline()).doubt)


def test_on_a_line_without_sides_the_offset_is_nought() -> None:
    found = measured(line(*UNSOUND["spike"]), 36.0, 48.0)
    assert found["line_offset_m"].tolist() == [0.0]


coordinate = st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda p: (35.0 + p[0] / 10, 47.5 + p[1] / 10))


@strategies.tries(15)
@given(st.lists(st.lists(coordinate, min_size=2, max_size=9), min_size=1, max_size=4), st.integers(0, 10**6))
def test_however_untidy_a_line_is_its_distances_are_true(parts: list[list[tuple[float, float]]], seed: int) -> None:
    drawn = tidy(MultiLineString(parts))
    if not drawn:
        return
    lon, lat = cloud(5, seed)
    found = measured(line(*parts), lon, lat)
    slow = brute.nearest(drawn, lon, lat)
    assert found["line_distance_m"].to_numpy() == pytest.approx(slow.distance_m, abs=0.01)
    offset = found["line_offset_m"].abs()
    assert ((offset == found["line_distance_m"]) | offset.isna()).all()


def test_a_coast_of_12_000_vertices_with_repeats_and_crumbs_is_measured() -> None:
    rng = np.random.default_rng(3)
    lon = np.linspace(35.0, 39.0, 12_000)
    whole = np.column_stack([lon, 48.1 + 0.02 * np.sin(lon * 40) + rng.normal(0, 1e-6, lon.size)])
    repeated = np.repeat(whole, rng.integers(1, 3, len(whole)), axis=0)
    crumbs = [whole[[5, 5]], np.array([[37.0, 48.3], [37.00001, 48.3]])]
    drawn = line(repeated.tolist(), *(crumb.tolist() for crumb in crumbs))
    assert [len(part) for part in tidy(drawn.geometry)] == [12_000, 2]
    found = measured(drawn, [37.5, 38.2], [48.0, 48.25])
    assert found["line_distance_m"].to_numpy() == pytest.approx(
        brute.nearest([whole], [37.5, 38.2], [48.0, 48.25]).distance_m, abs=0.01
    )
    assert np.sign(found["line_offset_m"]).tolist() == [-1, 1]


def test_along_a_closed_baseline_the_part_over_its_start_keeps_its_direction() -> None:
    ring = [(37.0, 48.0), (38.0, 48.0), (38.0, 48.5), (37.0, 48.5), (37.0, 48.0)]
    base = Baseline.build("ring", LineString(ring), segment_length_m=10_000.0, valid_from=START)
    found = measured(line([(37.02, 48.3), (37.02, 48.02), (37.5, 48.02)]), [37.2, 37.2], [48.1, 47.9], base)
    assert np.sign(found["line_offset_m"]).tolist() == [1, -1]


# --- What is published ---


def front(*known: CurrentLine, hours: float = 48.0) -> pd.Series[Any]:
    return summary.front_line(replace(theatre(), lines=known), when(hours)).iloc[0]


def test_the_layer_is_the_line_that_holds_at_as_of_with_its_age() -> None:
    row = front(line(EAST, at=12), line(EAST, at=60))
    assert (row["valid_from"], row["source"], row["age_h"]) == (pd.Timestamp(when(12)), "survey", 36.0)
    assert pd.isna(row["note"])
    assert row["geometry"].equals(MultiLineString([EAST]))


def test_the_layer_says_which_newer_lines_were_not_used_and_why() -> None:
    row = front(line(EAST, at=12), broken(24), broken(36, "feature 1 is a Polygon; cut it"), broken(49))
    assert row["note"] == (
        "not used: survey, 2026-02-02T00:00Z: it draws nothing; not used: survey, 2026-02-02T12:00Z: "
        "feature 1 is a Polygon"
    )


def test_without_a_line_the_layer_is_the_baseline_and_says_so() -> None:
    row = front(broken(24))
    assert row["source"] == "baseline base"
    assert row["note"].startswith("no current line is known: this is the baseline; not used: survey, 2026-02-02")
    assert row["geometry"].equals(MultiLineString([builders.LINE]))


def test_the_layer_says_that_a_line_has_no_sides() -> None:
    assert (
        "have no sign: the line 'survey, 2026-02-01T00:00Z' crosses" in front(line(*UNSOUND["crosses itself"]))["note"]
    )


# --- Nothing else knows of it ---


def assessed(world: World, known: tuple[CurrentLine, ...]) -> dict[str, pd.DataFrame]:
    changed = replace(world.theatre, lines=known)
    return assess(world.stored, world.coverage, changed, world.policies, world.as_of).tables


@st.composite
def histories(draw: st.DrawFn) -> tuple[CurrentLine, ...]:
    """Return lines of several days, good, untidy and unusable."""
    dates = draw(st.lists(st.integers(-48, 120), min_size=1, max_size=4))
    shapes = [line(EAST), line(EAST[::-1]), line(*UNSOUND["crosses itself"]), line(POCKET), broken()]
    return tuple(replace(draw(st.sampled_from(shapes)), valid_from=when(date)) for date in dates)


@strategies.tries(4)
@given(strategies.worlds(sizes=(5, 8, 12)), histories())
def test_a_current_line_changes_no_segment_chainage_zone_grouping_or_tier(
    world: World, known: tuple[CurrentLine, ...]
) -> None:
    without, beside_it = assessed(world, ()), assessed(world, known)
    assert without.keys() == beside_it.keys()
    for name, table in without.items():
        if name == "front_line":
            continue
        kept = table.drop(columns=OWN) if name == "reports" else table
        seen = beside_it[name].drop(columns=OWN) if name == "reports" else beside_it[name]
        assert_frame_equal(kept, seen, obj=name)
    assert without["reports"][OWN].isna().all(axis=None)


@strategies.tries(5)
@given(strategies.worlds(sizes=(5, 8, 12)), histories())
def test_swapping_the_sides_mirrors_the_offset(world: World, known: tuple[CurrentLine, ...]) -> None:
    other = baseline(builders.LINE[::-1])
    one, two = (beside(world.stored, known, base) for base in (baseline(), other))
    assert_frame_equal(
        one.assign(line_offset_m=-one["line_offset_m"] + 0.0), two.assign(line_offset_m=two["line_offset_m"] + 0.0)
    )


# --- Real data ---


def test_the_line_of_contact_in_pieces_and_turned_about_gives_the_offsets_of_the_whole() -> None:
    drawn = json.loads(need("minsk_2014_2022/contact_line.geojson").read_text())
    shape = shapely.from_geojson(json.dumps(drawn["features"][0]["geometry"] if "features" in drawn else drawn))
    base = Baseline.build("contact", shape, segment_length_m=5000.0, valid_from=START)
    vertices = shapely.get_coordinates(shape)
    cuts = [0, 100, 101, 260, 400, len(vertices) - 1]
    parts = [vertices[a : b + 1][:: -1 if n % 2 else 1].tolist() for n, (a, b) in enumerate(pairwise(cuts))]
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(37, 40, 2000), rng.uniform(47, 49, 2000)
    own = base.locate(lon, lat)
    found = measured(line(*parts), lon, lat, base)
    assert found["line_distance_m"].to_numpy() == pytest.approx(own.distance_m, abs=0.01)
    wrong = (np.sign(found["line_offset_m"]) * own.side) < 0
    assert not wrong.any()
    assert found["line_offset_m"].notna().sum() >= 0.9 * (own.side != 0).sum()


def test_a_year_of_daily_lines_is_looked_up_by_day() -> None:
    known = [line(EAST, at=24.0 * day) for day in range(365)]
    found = beside(at(37.0, 48.0, [24.0 * 200 + 1, 24.0 * 364 + 30]), known, baseline())
    dates = [START + timedelta(days=200), START + timedelta(days=364)]
    assert found["line_valid_from"].tolist() == [pd.Timestamp(date) for date in dates]
    assert found["line_age_h"].tolist() == [1.0, 30.0]
