"""Does the outlook say what each tier waits for, with what was measured?"""

from __future__ import annotations

from typing import Any

import builders
import pandas as pd

from geo.assess import assess
from geo.outlook import Need, outlook


def ahead(*rows: dict[str, Any], hour: float, **changes: Any) -> list[Need]:  # noqa: ANN401 -- any policy field
    """Return the outlook of the only incident or candidate at an hour."""
    policies = builders.versions(builders.policy(**changes))
    as_of = builders.when(hour)
    tables = assess(builders.reports(rows), builders.coverage(), builders.theatre(), policies, as_of).tables
    [name] = tables["incidents"]["incident_id"]
    mine = tables["violations"][tables["violations"]["incident_id"] == name]
    return outlook(tables["incidents"].iloc[0], mine, policies, pd.Timestamp(as_of))


def of_tier(found: list[Need], tier: int) -> list[str]:
    return [need.needs for need in found if need.tier == tier]


def test_tier_2_waits_for_a_violation_at_t0_plus_24_h_and_for_a_second_origin() -> None:
    found = ahead(builders.report(6.0), hour=8.0, **{"ladder.persist_reading": "literal"})
    assert of_tier(found, 2) == [
        "a qualifying violation surely at or after 2026-02-02 06:00:00Z (T0 + 24 h), and a second independent origin"
    ]
    assert next(need.not_before for need in found if need.tier == 2) == builders.when(30.0)


def test_a_second_origin_is_no_longer_asked_for_once_it_is_there() -> None:
    rows = builders.report(6.0), builders.report(7.0, source="vetted")
    assert "origin" not in of_tier(ahead(*rows, hour=8.0), 2)[0]
    assert "or one mission or vetted source" in of_tier(
        ahead(builders.report(6.0, source="media"), hour=8.0, **{"ladder.single_vetted": True}), 2
    )[0]  # fmt: skip


def test_tier_3_says_how_far_it_is_from_each_threshold() -> None:
    rows = builders.report(1.0), builders.report(2.0, (106.0, 1.0), source="vetted")
    [needs] = of_tier(ahead(*rows, hour=3.0), 3)
    assert "extent 60 km (now 6 km)" in needs
    assert "50 violations begun in 24 h (now 2)" in needs
    assert "at least 2 of extent 20 km" in needs


def test_what_has_been_reached_is_not_waited_for() -> None:
    rows = [builders.report(h, source=source) for h, source in ((1.0, "mission"), (20.0, "vetted"), (26.0, "mission"))]
    found = ahead(*rows, hour=27.0)
    assert of_tier(found, 2) == []
    assert len(of_tier(found, 3)) == 1


def test_an_ended_incident_waits_for_nothing_and_a_candidate_for_what_it_lacks() -> None:
    [ended] = ahead(builders.report(1.0), hour=60.0)
    assert ended.tier == 0
    assert "marked as a recurrence of B-1" in ended.needs
    [loose] = ahead(builders.report(1.0), hour=2.0, **{"ladder.open_n": 2, "ladder.open_reading": "repeated"})
    assert (loose.tier, loose.needs) == (1, "2 linked violations that qualify (status alleged); it has 1")
