"""Was it notified beforehand? One test a rule, in the order of the module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from builders import coverage, exemption, place, policy, report, reports, theatre, versions, when
from shapely import MultiPolygon, box

from geo.assess import assess
from geo.exemptions import Disc, judge
from geo.nearness import Things, instant

if TYPE_CHECKING:
    from geo.exemptions import Exemption

STRIKE = ("strike", "any")


def judged(
    *exemptions: Exemption,
    at: tuple[float, float] = (2.0, 2.0),
    km: tuple[float, float] = (100.0, 1.0),
    radius_m: float = 100.0,
    kinds: tuple[tuple[str, str], ...] = (STRIKE,),
) -> tuple[str | None, str | None]:
    """Return exemption and note of one violation; times in hours."""
    lon, lat = place(*km)
    begin, end = (np.array([instant(when(hour))]) for hour in at)
    thing = Things(np.array([lon]), np.array([lat]), np.array([radius_m]), begin, end)
    found = judge(thing, [frozenset(kinds)], exemptions)
    return found.exemption[0], found.note[0]


def test_rule_1_what_lies_wholly_in_time_area_and_acts_is_exempt() -> None:
    assert judged(exemption(1, 3)) == ("demining-1", None)


@pytest.mark.parametrize(
    ("at", "exempt", "noted"),
    [
        ((1, 2.999), True, False),
        ((1, 3), False, True),  # ends during the blast: the end is exclusive
        ((0.5, 1), False, True),
        ((0.5, 0.999), False, False),
        ((3, 4), False, False),
    ],
)
def test_rule_1_the_whole_interval_lies_in_a_half_open_window(at: Any, exempt: bool, noted: bool) -> None:  # noqa: ANN401, FBT001
    found = judged(exemption(1, 3), at=at)
    assert found[0] == ("demining-1" if exempt else None)
    assert found[1] == ("touches exemption demining-1, not wholly within its time" if noted else None)


@pytest.mark.parametrize("polygon", [False, True])
@pytest.mark.parametrize(
    ("km", "exempt", "noted"),
    [((101.8, 1), True, False), ((101.95, 1), False, True), ((102.05, 1), False, True), ((102.2, 1), False, False)],
)
def test_rule_1_the_whole_footprint_lies_in_the_area(km: Any, exempt: bool, noted: bool, polygon: bool) -> None:  # noqa: ANN401, FBT001
    east, (west, lat) = place(102, 1)[0], place(98, 1)
    area = MultiPolygon([box(west, lat - 0.1, east, lat + 0.1)]) if polygon else Disc(*place(100, 1), 2000.0)
    found = judged(exemption(1, 3, area=area), km=km)
    assert found[0] == ("demining-1" if exempt else None)
    assert found[1] == ("touches exemption demining-1, not wholly within its area" if noted else None)


def test_rule_1_a_point_on_a_polygons_border_is_in_it() -> None:
    lon, lat = place(100, 1)
    area = MultiPolygon([box(lon, lat - 0.1, lon + 0.1, lat + 0.1)])
    assert judged(exemption(1, 3, area=area), radius_m=0.0) == ("demining-1", None)


def test_rule_1_every_act_is_named_by_itself_or_by_its_family() -> None:
    assert judged(exemption(1, 3), kinds=(("shelling", "indirect"),))[0] == "demining-1"
    assert judged(exemption(1, 3), kinds=(("small_arms", "direct"),)) == (None, None)
    mixed = judged(exemption(1, 3), kinds=(STRIKE, ("small_arms", "direct")))
    assert mixed == (None, "touches exemption demining-1, not wholly within its acts")


def test_rule_3_the_least_id_names_it_and_whoever_notified_is_judged_alike() -> None:
    both = exemption(1, 3, id="b", notified_by="R"), exemption(1, 3, id="a", notified_by="L")
    assert judged(*both) == judged(*reversed(both)) == ("a", None)
    assert judged(both[0])[0] == "b"
    assert judged(exemption(1, 2, id="a"), both[0], at=(1.5, 2))[1] == "touches exemption a, not wholly within its time"


def test_an_exempt_violation_never_counts_and_forms_nothing() -> None:
    rows = report(2, source="mission"), report(2.5, source="mission"), report(30, (100.2, 1), source="mission")
    answer = assess(reports(rows), coverage(), theatre(exemptions=(exemption(1, 3),)), versions(policy()), when(50))
    found = answer.tables["violations"]
    assert found["status"].tolist() == ["exempt", "exempt", "confirmed"]
    assert found["exemption"].tolist()[:2] == ["demining-1"] * 2
    assert found["why_not"].tolist()[:2] == ["exempt: demining-1"] * 2
    assert answer.tables["incidents"]["t0_from"].tolist() == [when(30)]


def test_a_report_that_alone_was_exempt_does_not_anchor_what_others_made_count() -> None:
    inside = report(2, minutes=50, uncertainty_m=50.0, known_at=3)
    outside = report(2.9, minutes=10, uncertainty_m=500.0, source="media", origin="a", known_at=8)  # straddles the end
    world = theatre(exemptions=(exemption(1, 3),))
    answer = assess(reports([inside, outside]), coverage(), world, versions(policy()), when(50))
    [row] = answer.tables["violations"].to_dict("records")
    assert (row["qualifying"], row["note"]) == (True, "touches exemption demining-1, not wholly within its time")
    assert answer.tables["incidents"]["incident_id"].tolist() == ["B-2"]
    assert answer.tables["incidents"]["t0_known_at"].tolist() == [when(8)]
    carries = answer.tables["evidence"].groupby("report_id")["pivotal"].max()
    assert carries.to_dict() == {"R-1": False, "R-2": True}
