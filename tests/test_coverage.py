"""How long was each segment's ground watched? Against a brute force that asks every station every minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import builders
import numpy as np
import pandas as pd
import pytest
import shapely
import strategies
from builders import place, report, reports, theatre, versions, when
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely import box

from geo import coverage, nearness, tables
from geo.assess import Assessment, assess
from geo.crs import distance_m
from geo.nearness import HOUR_US
from geo.sights import Sights, Spans, settle

if TYPE_CHECKING:
    from geo.theatre import Source

GEOD = Geod(ellps="WGS84")
AS_OF = 200.0
DEPTH_M = 15_000.0
HERE = (105.0, 0.0)  # the middle of S0011


def look(*rows: dict[str, object], declared: tuple[dict[str, object], ...] = (), **world: object) -> Assessment:
    """Return the answer at the end of the span."""
    return assess(
        reports(rows),
        builders.coverage(declared),
        theatre(**world),  # type: ignore[arg-type]
        versions(builders.policy()),
        when(AS_OF),
    )


def says(begin: float, end: float, *, sees: bool = True, **fields: object) -> dict[str, object]:
    """Return a declaration, hours before the moment."""
    return {"observed_from": AS_OF + begin, "observed_to": AS_OF + end, "sees": sees, "km": HERE, **fields}


def of(answer: Assessment, span: str = "24h", side: str = "both", segment: str = "S0011") -> pd.Series:
    """Return one row of the table."""
    table = answer.tables["coverage"]
    return table.loc[(table["segment_id"] == segment) & (table["side"] == side) & (table["span"] == span)].iloc[0]


NO_VIOLATIONS = pd.DataFrame(
    {
        "qualifying": [],
        "observed_from": pd.DatetimeIndex([], tz="UTC"),
        "segment_id": [],
        "side": [],
        "lon": [],
        "lat": [],
    }
)
WIDE = {"uncertainty_m": 60_000.0}


def test_hours_that_several_declare_count_once() -> None:
    row = of(look(declared=(says(-20, -10, **WIDE), says(-15, -5, source="vetted", **WIDE), says(-8, -5, **WIDE))))
    assert row[["covered_h", "unseen_h", "undeclared_h", "coverage"]].tolist() == [15.0, 0.0, 9.0, "partly"]


def test_hours_are_unseen_only_where_nobody_else_could_see() -> None:
    row = of(look(declared=(says(-12, -6, sees=False, **WIDE), says(-9, -3, **WIDE))))
    assert row[["covered_h", "unseen_h", "undeclared_h"]].tolist() == [6.0, 3.0, 15.0]


@pytest.mark.parametrize(
    ("declared", "says_so"),
    [((), "assumed"), ((says(-300, 5, **WIDE),), "declared"), ((says(-5, -1, sees=False, **WIDE),), "unseen"),
     ((says(-5, -1, **WIDE),), "partly")],
)  # fmt: skip
def test_what_was_declared_of_a_span_is_told_in_a_word(declared: tuple[dict[str, object], ...], says_so: str) -> None:
    answer = look(declared=declared)
    assert of(answer)["coverage"] == says_so
    segments = answer.tables["segments"].set_index("segment_id")
    assert segments.loc["S0011", "coverage_24h"] == says_so


def test_a_small_disc_covers_no_more_than_its_share_and_only_its_side() -> None:
    answer = look(declared=(says(-24, 0, uncertainty_m=4000.0, km=(105.0, 6.0)),))
    left, right = (of(answer, side=side)["covered_h"] for side in ("left", "right"))
    assert right == 0.0
    assert left == pytest.approx(24.0 * np.pi * 4.0**2 / (10.0 * 15.0), rel=0.2)
    assert of(answer)["covered_h"] == left / 2


def test_a_disc_holds_what_lies_at_its_very_edge() -> None:
    lon, lat = (np.array([value]) for value in place(*HERE))
    for metres in (900.0, 9000.0):
        far = GEOD.fwd(lon, lat, [40.0], [metres])
        exact = float(distance_m(lon, lat, far[0], far[1])[0])
        for radius_m, held in ((exact, 1), (metres + 1e-6, 1), (metres - 1e-4, 0)):
            disc = builders.coverage([says(-4, 0, lon=far[0][0], lat=far[1][0], uncertainty_m=radius_m)])
            seen = Sights.of(settle(disc, theatre(), builders.policy()), 0, 2**62)
            assert sum(len(points) for _, points in seen.holding(lon, lat)) == held


def test_what_begins_at_the_moment_of_the_answer_is_watched_by_what_is_declared_from_then_on() -> None:
    row = of(look(report(AS_OF, HERE), declared=(says(0, 4, **WIDE),)))
    assert row[["violations", "violations_watched", "covered_h"]].tolist() == [1, 1, 0.0]


def test_only_declarations_that_touch_a_span_of_time_are_taken_cut_to_it() -> None:
    declared = builders.coverage([says(-9, -8), says(-7, -4), says(-3, 1), says(2, 3)])
    begin, until = (nearness.instant(when(AS_OF + hours)) for hours in (-5, 0))
    times = Sights.of(settle(declared, theatre(), builders.policy()), begin, until).times
    assert [each.tolist() for each in (times.start, times.end)] == [[0, 2 * HOUR_US], [HOUR_US, 5 * HOUR_US]]


def test_things_have_all_the_intervals_of_another_thing() -> None:
    key, start, end = (np.array(values) for values in ((1, 0, 1, 1), (0, 4, 5, 8), (2, 6, 7, 9)))
    found = Spans(key, start, end).spread(np.array([1, 0]), np.array([5, 6]))
    assert [each.tolist() for each in (found.key, found.start, found.end)] == [[5, 5, 5, 6], [0, 5, 8, 4], [2, 7, 9, 6]]


def test_spans_count_from_an_instant_on_and_are_joined_thing_by_thing() -> None:
    key, start, end = (np.array(values) for values in ((0, 0, 1, 1), (0, 4, 4, 9), (4, 6, 5, 10)))
    spans = Spans(key, start, end).union(10)
    assert [each.tolist() for each in (spans.key, spans.start, spans.end)] == [[0, 1, 1], [0, 4, 9], [6, 5, 10]]
    assert spans.within(5, 3).tolist() == [1.0, 1.0, 0.0]


def test_what_the_crowd_declares_counts_for_nothing() -> None:
    answer = look(declared=(says(-24, 0, source="public", **WIDE), says(-24, 0, source="who?", **WIDE)))
    assert set(answer.tables["coverage"]["coverage"]) == {"assumed"}


def test_a_pass_sees_what_its_swath_holds_for_as_long_as_it_lasts() -> None:
    lon, lat = place(*HERE)
    swath = says(-5, -4.75, footprint=box(lon - 1, lat, lon + 1, lat + 1).wkt, lon=None, lat=None, source="satellite")
    answer = look(declared=(swath,))
    assert of(answer, side="left")["covered_h"] == pytest.approx(0.25)
    assert of(answer, side="right")["covered_h"] == 0.0


def test_a_patrol_that_looks_one_way_sees_its_sector() -> None:
    lon, lat = place(*HERE)
    north = says(-10, 0, footprint=f"sector {lon!r} {lat!r} 0.0 90.0 0.0 30000.0", lon=None, lat=None)
    answer = look(declared=(north,))
    assert (of(answer, side="left")["covered_h"], of(answer, side="right")["covered_h"]) == (10.0, 0.0)


def covering(*regions: str) -> tuple[Source, ...]:
    """Return the usual sources, of which the mission covers some regions."""
    return tuple(
        source if source.id != "mission" else type(source)(**{**vars(source), "covers": regions})
        for source in builders.SOURCES
    )


def test_a_region_that_a_source_covers_ends_where_its_outline_says_to_the_last_digit() -> None:
    regions = builders.boxes().set_geometry([box(lon, 46.0, lon + 2.123456789, 50.0) for lon in (34.0, 36.2, 38.4)])
    world = theatre(regions=regions, sources=covering("west"))
    [ground] = settle(builders.coverage([says(-10, 0, lon=None, lat=None)]), world, builders.policy())["ground"]
    assert ground.holds(np.array([36.12345678, 36.1234568]), np.array([48.0, 48.0])).tolist() == [True, False]


def test_no_place_means_the_regions_that_the_source_covers() -> None:
    nowhere = says(-10, 0, lon=None, lat=None), says(-24, -20, lon=None, lat=None, source="vetted")
    table = look(declared=nowhere, sources=covering("middle")).tables["coverage"]
    day = table.loc[(table["side"] == "both") & (table["span"] == "24h")].set_index("segment_id")["covered_h"]
    assert (day["S0001"], day["S0015"], day["S0030"]) == (0.0, 10.0, 0.0)


def test_an_incident_inside_declared_ground_that_is_no_disc_is_watched_to_its_end() -> None:
    lon, lat = place(*HERE)
    field = {"lon": None, "lat": None, "footprint": box(lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1).wkt}
    shot, away = report(AS_OF - 30, HERE), report(AS_OF - 30, (155.0, 0.0))
    ends = look(shot, away, declared=(says(-40, 0, **field),)).tables["incidents"].set_index("segments")["end"]
    assert ends.to_dict() == {"S0011": "ceased", "S0016": "assumed"}


def test_violations_by_covered_hour_are_those_that_somebody_declared_to_see() -> None:
    shots = [report(AS_OF + hour, HERE) for hour in (-23, -3, -2, -1)] + [report(AS_OF - 3, (105.0, 9.0))]
    near = {"uncertainty_m": 2000.0}
    answer = look(*shots, declared=(says(-4, 0, **WIDE), says(-24, -22, km=(150.0, 0.0), **near)))
    row = of(answer)
    assert row[["violations", "violations_watched", "covered_h", "per_covered_h"]].tolist() == [5, 4, 4.0, 1.0]
    assert of(answer, side="left")[["violations", "violations_watched"]].tolist() == [1, 1]
    assert answer.tables["segments"].set_index("segment_id").loc["S0011", "per_covered_h_24h"] == 1.0
    assert np.isnan(of(answer, segment="S0002")["per_covered_h"])


def test_a_region_run_tells_of_the_line_what_the_whole_run_tells() -> None:
    answer = look(report(AS_OF - 3, HERE), declared=(says(-4, 0, **WIDE),))
    pd.testing.assert_frame_equal(answer.within("west").tables["coverage"], answer.tables["coverage"])


@st.composite
def declarations(draw: st.DrawFn) -> list[dict[str, object]]:
    """Return declarations of every kind; times are whole minutes, so that a minute is seen or unseen as a whole."""
    found = []
    for _ in range(draw(st.integers(0, 6))):
        begin = draw(st.integers(-190 * 60, 60)) / 60
        lon, lat = place(draw(st.sampled_from([80.0, 103.0, 110.0])), draw(st.sampled_from([-12.0, 0.0, 5.0])))
        row = says(
            begin, begin + draw(st.sampled_from([0, 7, 600, 3000])) / 60, sees=draw(st.booleans()), lon=lon, lat=lat
        )
        row["source"] = draw(st.sampled_from(["mission", "vetted", "public"]))
        row["uncertainty_m"] = draw(st.sampled_from([100.0, 3000.0, 9000.0, 40_000.0]))
        if draw(st.sampled_from([True, False, False])):
            row |= {"footprint": box(lon - 0.1, lat - 0.05, lon + 0.05, lat + 0.1).wkt, "lon": None, "lat": None}
        found.append(row)
    return found


def naive(declared: pd.DataFrame, hours: int, segment: int, side: int) -> tuple[float, float]:
    """Return covered and unseen hours of a side of a segment, asking each station in each minute."""
    line = builders.baseline()
    length = (line.segments["chainage_to_m"] - line.segments["chainage_from_m"]).iloc[segment]
    begin = line.segments["chainage_from_m"].iloc[segment]
    minutes = (pd.Timestamp(when(AS_OF)) - pd.Timedelta(hours=hours)) + pd.to_timedelta(np.arange(hours * 60), "min")
    covered = unseen = 0
    for i in range(coverage.ALONG):
        for j in range(coverage.DEEP):
            lon, lat = line.at(begin + length * (i + 0.5) / coverage.ALONG, side * DEPTH_M * (j + 0.5) / coverage.DEEP)
            seen, blind = np.zeros(len(minutes), bool), np.zeros(len(minutes), bool)
            for row in declared.itertuples():
                if pd.isna(row.footprint):
                    held = GEOD.inv(row.lon, row.lat, lon[0], lat[0])[2] <= row.uncertainty_m
                else:
                    held = shapely.from_wkt(row.footprint).intersects(shapely.Point(lon[0], lat[0]))
                if held and row.source != "public":
                    now = (minutes >= row.observed_from) & (minutes < row.observed_to)
                    seen, blind = (seen | now, blind) if row.sees else (seen, blind | now)
            covered, unseen = covered + seen.sum(), unseen + (blind & ~seen).sum()
    return covered / 60 / coverage.STATIONS, unseen / 60 / coverage.STATIONS


@strategies.tries(12)
@given(declarations(), st.sampled_from(list(coverage.SPANS_H)), st.sampled_from(["left", "right"]))
def test_hours_are_what_asking_every_station_every_minute_gives(
    rows: list[dict[str, object]], span: str, side: str
) -> None:
    declared = builders.coverage(rows)
    where = theatre()
    table = coverage.measure(NO_VIOLATIONS, settle(declared, where, builders.policy()), where, DEPTH_M, when(AS_OF))
    for segment in (8, 10, 11):
        here = (table["segment_id"] == f"S{segment + 1:04d}") & (table["side"] == side) & (table["span"] == span)
        hours = coverage.SPANS_H[span]
        covered, unseen = naive(declared, hours, segment, 1 if side == "left" else -1)
        told = table.loc[here, ["covered_h", "unseen_h", "undeclared_h"]].iloc[0].astype(float)
        assert told.tolist() == pytest.approx([covered, unseen, hours - covered - unseen], abs=1e-9)


def test_stations_lie_in_the_ground_that_they_stand_for_also_at_a_bend() -> None:
    line = builders.baseline(((35.0, 48.0), (36.0, 48.0), (35.6, 48.4), (37.0, 48.5)))
    ground = coverage.stations(line, 15_000.0)
    found = line.locate(ground.lon, ground.lat)
    assert (found.segment == ground.segment).all()
    assert (found.side == ground.sign).all()
    for sign in (1, -1):
        assert set(ground.segment[ground.sign == sign]) == set(range(len(line.segments)))


def test_the_table_is_as_declared_also_where_nothing_is_known() -> None:
    table = look().tables["coverage"]
    pd.testing.assert_frame_equal(table, tables.conform(table, tables.COVERAGE))
    assert len(table) == 3 * 3 * len(builders.baseline().segments)
