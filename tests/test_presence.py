"""A weapon that merely stands somewhere is told by segment, zone and day: nothing published says more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import builders
import numpy as np
import pandas as pd
import pytest
import shapely
import strategies
from builders import band, coverage, place, policy, report, reports, theatre, versions, when
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from geo.assess import Assessment, assess
from geo.presence import veil

ZONES = (band("guns", 25_000.0, weapons=frozenset({"artillery"})), band("strip", 6_000.0))
DAY = 24.0


def gun(at: float, km: tuple[float, float], **said: Any) -> dict[str, Any]:  # noqa: ANN401 -- any column
    stated = {"weapon": "howitzer 152", "act": "presence", "reported_at": when(at + 1), "known_at": when(40), **said}
    return report(at, km, **stated)


def published(*rows: dict[str, Any], as_of: float = 60.0, **changes: Any) -> Assessment:  # noqa: ANN401 -- as theatre
    """Answer for rows in which the ids (recorded at, content) are the same whatever they say."""
    known = [{**row, "content": f"{n:064x}", "source_ref": f"p-{n}"} for n, row in enumerate(rows)]
    world = theatre(**{"zones": ZONES, **changes})
    return assess(reports(known), coverage(), world, versions(policy()), when(as_of))


# Within segment S0011 (100 to 110 km), in the zone "guns" and outside of "strip", on 2 February.
SOMEWHERE = st.tuples(
    st.floats(102, 108),
    st.floats(8, 22) | st.floats(-22, -8),
    st.floats(DAY, 2 * DAY - 0.01),
    st.sampled_from([0, 0.5]),
)
WORDS = st.none() | st.just("two guns at 48.05 N 37.70 E")


@strategies.tries(7)
@given(SOMEWHERE, SOMEWHERE, WORDS, WORDS)
def test_nothing_published_differs_between_two_presences_of_one_segment_zone_and_day(
    one: tuple[float, ...], other: tuple[float, ...], words: str | None, more: str | None
) -> None:
    """LAW Presence: worlds that differ in where in a segment's zone, and when that day, give the same layers."""
    shelling = report(30, (118, 2), act="shelling")  # what it may be linked to
    answers = []
    for (along, off, at, minutes), text in ((one, words), (other, more)):
        end = min(at + minutes, 2 * DAY - 0.01)
        row = gun(at, (along, off), to=end, text=text, url=text, direction=text, uncertainty_m=50.0 + off * off)
        answers.append(published(row, shelling))
    assert len(answers[0].tables["violations"]) == 2
    for name, table in answers[0].tables.items():
        assert_frame_equal(table, answers[1].tables[name], obj=name, check_exact=True)


@pytest.mark.parametrize("km", [(105.0, 10.0), (103.0, -20.0)])
def test_a_presence_is_a_violation_without_a_shot_at_the_middle_of_its_segment(km: tuple[float, float]) -> None:
    tables = published(gun(30.5, km, text="seen")).tables
    row = tables["violations"].iloc[0]
    assert row["qualifying"]
    assert row[["segment_id", "zone_id", "zones"]].tolist() == ["S0011", "guns", "guns"]
    assert (row.geometry.x, row.geometry.y) == pytest.approx(place(105, 0), abs=1e-9)
    assert row[["chainage_m", "offset_m", "distance_m", "uncertainty_m"]].tolist() == [105_000.0, 0.0, 0.0, 5_000.0]
    assert [row["observed_from"], row["observed_to"]] == [when(24), when(48) - timedelta(seconds=1)]
    assert row["withheld"]
    told = tables["reports"].iloc[0]
    assert told[["text", "url", "between", "segment_share", "side_share"]].isna().all()
    assert told["reported_at"] == when(24)
    assert tables["incidents"]["name"].tolist() == ["segment S0011, 2 Feb 2026"]


def test_the_footprint_of_its_incident_is_that_of_the_segment() -> None:
    areas = published(gun(30, (103, 20))).tables["incidents"]
    middle = shapely.Point(*place(105, 0))
    assert areas.geometry.iloc[0].centroid.distance(middle) < 1e-4
    assert areas["extent_m"].tolist() == [0.0]


def test_a_presence_outside_every_zone_is_no_violation_and_is_told_no_closer() -> None:
    tables = published(gun(30, (105, 30)), zones=ZONES).tables
    assert tables["violations"].empty
    assert tables["reports"].geometry.iloc[0].distance(shapely.Point(*place(105, 0))) < 1e-9


def test_a_presence_that_no_segment_leads_has_no_place() -> None:
    tables = published(gun(30, (100.0, 10)), gun(30, (105.0, 10), uncertainty_m=6_000.0)).tables
    assert tables["violations"].empty
    assert tables["reports"].geometry.isna().all()
    assert tables["reports"]["segment_id"].isna().all()


def test_a_presence_agrees_only_with_a_presence_of_its_segment_and_zone() -> None:
    same, next_door = gun(30, (103, 10), source="media"), gun(30, (112, 10), source="satellite")
    blast = report(30, (105, 0.1), source="vetted", act="strike")
    table = published(gun(35, (108, -20)), same, next_door, blast).tables["reports"]
    groups = table.groupby("violation_id")["report_id"].agg(list).tolist()
    assert sorted(groups) == [["R-1", "R-2"], ["R-3"], ["R-4"]]


def test_a_ceasefire_is_judged_by_the_day() -> None:
    opened_at_noon = ((36.0, None),)
    row = published(gun(40, (105, 10)), windows=opened_at_noon).tables["violations"].iloc[0]
    assert row["why_not"] == "not surely inside a ceasefire window"
    assert published(gun(50, (105, 10)), windows=opened_at_noon).tables["violations"]["qualifying"].tolist() == [True]


def test_other_reports_stay_as_they_are() -> None:
    rows = pd.DataFrame({"family": ["any"], "lon": [37.0], "segment_id": ["S0001"]})
    found = veil(rows, theatre(), policy())
    assert found[rows.columns.tolist()].equals(rows)
    assert found["withheld"].tolist() == [False]
    assert found["cell"].isna().all()


def test_a_presence_without_a_place_is_left_without_one() -> None:
    rows = [gun(30, (105, 10), lon=np.nan, lat=np.nan)]
    assert published(*rows).tables["violations"].empty
    assert builders.reports(rows)["lon"].isna().all()
