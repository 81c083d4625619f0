"""Does the naive implementation say what the definitions say? Hand-made worlds, one sentence each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import builders
import oracle
import oracle_reports
import pytest
from builders import report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geo.policy import PolicyVersion
    from geo.theatre import Theatre


class Told:
    """An answer about a hand-made world, easy to ask."""

    def __init__(
        self,
        rows: Iterable[dict[str, Any]],
        as_of: float,
        *,
        watched: Iterable[Any] = (),
        theatre: Theatre | None = None,
        policies: tuple[PolicyVersion, ...] | None = None,
        **changes: Any,  # noqa: ANN401 -- any value of the policy
    ) -> None:
        place = theatre or builders.theatre()
        known = policies or builders.versions(builders.policy(**changes))
        matched = oracle_reports.measured(builders.reports(rows), place)
        self.answer = oracle.answer(matched, builders.coverage(watched), place, known, builders.when(as_of))

    @property
    def violations(self) -> dict[str, Any]:
        """Return the violations by name."""
        return {v["id"]: v for v in self.answer["violations"]}

    @property
    def incidents(self) -> dict[str, Any]:
        """Return incidents and candidates by name."""
        return {i["id"]: i for i in self.answer["incidents"]}

    def members(self) -> dict[str, set[str]]:
        """Return the linked violations of every incident."""
        return {i["id"]: {v["id"] for v in i["members"]} for i in self.answer["incidents"]}

    def groups(self) -> list[set[int]]:
        """Return the report numbers of every violation."""
        return [{row["no"] for row in v["members"]} for v in self.answer["violations"]]

    def steps(self, scenario: str = "any") -> list[tuple[str, int, int, float]]:
        """Return (kind, tier_from, tier_to, hour) of every step in a scenario."""
        return [
            (s["kind"], s["tier_from"], s["tier_to"], (s["at"] - builders.START).total_seconds() / 3600)
            for s in self.answer["transitions"]
            if s["scenario"] == scenario
        ]

    def pivotal(self, tier: int, kind: str = "eligible", scenario: str = "any") -> dict[str, bool]:
        """Return which of a step's reports are pivotal."""
        rows = [
            e for e in self.answer["evidence"] if (e["tier_to"], e["kind"], e["scenario"]) == (tier, kind, scenario)
        ]
        return {e["report"]: e["pivotal"] for e in rows}


OPEN_1 = [("opened", 0, 0, 1.0), ("eligible", 0, 1, 1.0), ("effective", 0, 1, 1.0)]


def test_two_origins_that_agree_are_one_violation_and_a_mission_confirms_it() -> None:
    told = Told([report(1), report(1.5, (100.5, 1), source="media")], 2)

    assert told.groups() == [{1, 2}]
    assert told.violations["V-1"]["status"] == "confirmed"


def test_reposts_share_one_origin_and_stay_apart() -> None:
    told = Told([report(1, source="media", origin="anna"), report(1, source="public", origin="anna")], 2)

    assert told.groups() == [{1}, {2}]


def test_sources_of_one_party_never_corroborate_each_other() -> None:
    told = Told([report(1, source="party-l"), report(1, source="party-l-air"), report(1, source="party-r")], 2)

    assert sorted(map(len, told.groups())) == [1, 2]
    assert {v["status"] for v in told.violations.values()} == {"corroborated", "alleged"}


def test_a_group_is_joined_only_where_all_members_agree_pairwise() -> None:
    rows = [report(1, (100.0, 1)), report(1, (101.0, 1), source="media"), report(1, (102.1, 1), source="satellite")]

    assert Told(rows, 2).groups() == [{1, 2}, {3}]


@pytest.mark.parametrize(("nudge", "together"), [(0.0, True), (-1e-6, False)])
def test_the_tolerance_of_places_is_inclusive(nudge: float, together: bool) -> None:  # noqa: FBT001 -- the expectation
    a, b = builders.place(100, 1), builders.place(101, 1)
    metres = oracle_reports.distance({"lon": a[0], "lat": a[1]}, {"lon": b[0], "lat": b[1]}) - 200.0
    told = Told([report(1), report(1, (101, 1), source="media")], 2, **{"corroboration.agree_m": metres + nudge})

    assert (told.groups() == [{1, 2}]) == together


def test_coarse_and_disputed_reports_stand_alone() -> None:
    rows = [report(1), report(1, source="media", uncertainty_m=6000.0), report(1, source="satellite", disputed=True)]
    told = Told(rows, 2)

    assert told.groups() == [{1}, {2}, {3}]
    assert [v["qualifying"] for v in told.answer["violations"]] == [True, False, False]
    assert told.violations["V-3"]["status"] == "contested"


def test_a_public_report_joins_without_changing_anything() -> None:
    told = Told([report(1, source="public", uncertainty_m=1.0), report(1.5, source="media", minutes=30)], 3)

    (found,) = told.answer["violations"]
    assert found["id"] == "V-1"
    assert found["status"] == "alleged"
    assert found["u"] == 100.0
    assert found["from"] == builders.when(1.5)
    assert told.members() == {"B-2": {"V-1"}}


def test_public_reports_alone_neither_qualify_nor_make_a_candidate() -> None:
    told = Told([report(1, source="public", origin="x"), report(1, source="public", origin="y")], 2)

    assert told.groups() == [{1, 2}]
    assert told.incidents == {}


def test_the_anchor_is_the_arrival_that_made_the_status_suffice() -> None:
    rows = [report(1, source="media"), report(1, source="satellite"), report(1)]

    assert set(Told(rows, 2, **{"corroboration.qualifying_status": "alleged"}).incidents) == {"B-1"}
    assert set(Told(rows, 2, **{"corroboration.qualifying_status": "confirmed"}).incidents) == {"B-2"}
    plain = {"corroboration.qualifying_status": "confirmed", "corroboration.confirming": (("mission",),)}
    assert set(Told(rows, 2, **plain).incidents) == {"B-3"}


def test_presence_is_forbidden_in_a_zone_only() -> None:
    told = Told([report(1, (100, 14), act="presence"), report(1, (100, 16), act="presence")], 2)

    assert set(told.violations) == {"V-1"}


def test_heat_is_no_origin_but_is_remembered() -> None:
    told = Told([report(1), report(6.9, source="firms", act="heat", uncertainty_m=375.0)], 8)

    assert set(told.violations) == {"V-1"}
    assert told.violations["V-1"]["heat_consistent"]


def test_links_are_transitive_and_inclusive_in_time() -> None:
    rows = [report(1, minutes=60), report(26), report(50, (109, 1)), report(74.01)]

    assert Told(rows, 75).members() == {"B-1": {"V-1", "V-2", "V-3"}, "B-4": {"V-4"}}


def test_nothing_links_across_the_edge_of_a_window() -> None:
    edges = builders.theatre(windows=((0.0, 10.0), (10.0, None)))

    assert Told([report(9), report(10)], 11, theatre=edges).members() == {"B-1": {"V-1"}, "B-2": {"V-2"}}


def test_what_straddles_an_edge_only_attaches() -> None:
    edges = builders.theatre(windows=((0.0, 10.0), (10.0, None)))
    told = Told(
        [report(9), report(9.9, minutes=12, source="media")], 11, theatre=edges, **{"corroboration.agree_min": 0}
    )

    assert told.members() == {"B-1": {"V-1"}}
    assert [v["id"] for v in told.incidents["B-1"]["attached"]] == ["V-2"]


def test_too_few_qualifying_violations_are_a_candidate() -> None:
    repeated = {"ladder.open_n": 2, "ladder.open_reading": "repeated"}
    rows = [report(1), report(5)]

    assert Told(rows, 3, **repeated).members() == {"C-1": {"V-1"}}
    told = Told(rows, 6, **repeated)
    assert told.members() == {"B-1": {"V-1", "V-2"}}
    assert told.steps()[0] == ("opened", 0, 0, 5.0)


def test_a_coarse_report_reaches_by_its_radius_and_never_links() -> None:
    told = Told([report(1), report(1, (115.5, 1), uncertainty_m=6000.0), report(1, (118, 1))], 2)

    assert told.members() == {"B-1": {"V-1"}, "B-3": {"V-3"}}
    assert [v["id"] for v in told.incidents["B-3"]["attached"]] == ["V-2"]


def test_a_breach_of_one_violation_is_quiet_then_assumed_over() -> None:
    rows = [report(1)]

    assert Told(rows, 13).incidents["B-1"]["state"] == "active"
    assert Told(rows, 13.1).incidents["B-1"]["state"] == "quiet"
    assert Told(rows, 25).incidents["B-1"]["state"] == "quiet"
    told = Told(rows, 25.1)
    assert (told.incidents["B-1"]["state"], told.incidents["B-1"]["end"]) == ("ended", "assumed")
    assert told.steps() == [*OPEN_1, ("ended", 1, 0, 25.0)]
    assert (told.incidents["B-1"]["tier_eligible"], told.incidents["B-1"]["tier_peak"]) == (0, 1)


@pytest.mark.parametrize(
    ("watched", "end"),
    [
        ([(0, 30, True)], "ceased"),
        ([(0, 13, True), (13, 30, True)], "ceased"),
        ([(0, 13, True), (13.1, 30, True)], "assumed"),
        ([(5, 6, False)], "unresolved"),
        ([(5, 6, False), (4, 5.5, True)], "unresolved"),
        ([(5, 6, False), (4, 7, True)], "assumed"),
        ([(5, 6, False), (0, 30, True)], "ceased"),
        ([(0, 1, False), (25, 30, False)], "assumed"),
    ],
)
def test_the_end_says_whether_anybody_could_have_seen(watched: list[Any], end: str) -> None:
    assert Told([report(1)], 30, watched=watched).incidents["B-1"]["end"] == end


def test_coverage_out_of_reach_says_nothing() -> None:
    far = {"observed_from": 0, "observed_to": 30, "sees": True, "km": (116, 1)}

    assert Told([report(1)], 30, watched=[far]).incidents["B-1"]["end"] == "assumed"


def test_an_incident_that_outlives_its_window_is_lapsed() -> None:
    told = Told([report(1)], 20, theatre=builders.theatre(windows=((0.0, 20.0),)))

    assert told.incidents["B-1"]["end"] == "lapsed"
    assert told.steps()[-1] == ("ended", 1, 0, 20.0)


def test_the_last_ended_incident_at_the_same_place_is_remembered() -> None:
    told = Told([report(1), report(40), report(90)], 91, watched=[(40, 90, True)])

    assert [i["recurrence_of"] for i in told.answer["incidents"]] == [None, "B-1", "B-2"]
    assert [i["gap_covered"] for i in told.answer["incidents"]] == [None, False, True]


def test_four_in_a_row_hang_on_the_middle_link() -> None:
    assert Told([report(h) for h in (1, 25, 49, 73)], 74).incidents["B-1"]["weak_link"]
    assert not Told([report(h) for h in (1, 25, 49, 73)], 74, **{"grouping.weak_part_n": 3}).incidents["B-1"][
        "weak_link"
    ]
    assert not Told([report(h) for h in (1, 13, 25, 37)], 38).incidents["B-1"]["weak_link"]


def test_persistence_read_as_a_window_waits_for_the_end_of_the_first_day() -> None:
    rows = [report(1), report(14, source="media")]

    assert Told(rows, 24.9).steps() == OPEN_1
    assert Told(rows, 25).steps() == [*OPEN_1, ("eligible", 1, 2, 25.0), ("effective", 1, 2, 25.0)]
    assert Told(rows, 25).incidents["B-1"]["persistence"] == "persists"


def test_persistence_read_literally_needs_a_violation_after_the_first_day() -> None:
    literal = {"ladder.persist_reading": "literal"}
    rows = [report(1), report(14, source="media"), report(25.5)]

    assert Told(rows[:2], 26, **literal).steps() == OPEN_1
    assert Told(rows, 26, **literal).steps()[3] == ("eligible", 1, 2, 25.5)


def test_one_origin_alone_stays_at_the_first_tier() -> None:
    rows = [report(1), report(14)]

    assert Told(rows, 26).steps() == OPEN_1
    assert Told(rows, 26).incidents["B-1"]["persistence"] == "persists"
    assert len(Told(rows, 26, **{"ladder.single_vetted": True}).steps()) == 5


def test_two_origins_of_one_party_stay_at_the_first_tier() -> None:
    assert Told([report(1, source="party-l"), report(14, source="party-l-air")], 26).steps() == OPEN_1
    assert len(Told([report(1, source="party-l"), report(14, source="party-r")], 26).steps()) == 5


def test_silence_is_ceased_and_doubt_is_indeterminate() -> None:
    rows = [report(1)]
    doubt = report(20, source="media", disputed=True)

    assert Told(rows, 24).incidents["B-1"]["persistence"] is None
    assert Told(rows, 25).incidents["B-1"]["persistence"] == "ceased"
    assert Told([*rows, doubt], 25).incidents["B-1"]["persistence"] == "indeterminate"
    assert Told([*rows, report(20, source="public")], 25).incidents["B-1"]["persistence"] == "ceased"
    assert Told(rows, 25, watched=[(14, 15, False)]).incidents["B-1"]["persistence"] == "indeterminate"


def test_a_forbidden_weapon_is_a_broader_attack_that_waits_for_the_third_day() -> None:
    rows = [report(1), report(3, source="media", weapon="iskander"), report(24), report(47), report(70)]
    told = Told(rows, 80)

    assert told.steps() == [
        *OPEN_1,
        ("eligible", 1, 3, 3.0),
        ("eligible", 3, 2, 25.0),
        ("effective", 1, 2, 25.0),
        ("effective", 2, 3, 73.0),
    ]
    assert told.pivotal(3) == {"R-1": False, "R-2": True, "R-3": False, "R-4": False, "R-5": False}


def test_the_third_tier_waits_until_it_is_seen_to_go_on() -> None:
    rows = [report(1), report(3, source="media", weapon="iskander"), report(20), report(40), report(60), report(80)]
    late = Told(rows, 81)

    assert ("effective", 2, 3, 80.0) in late.steps()
    assert ("effective", 1, 3, 3.0) in Told(rows, 81, **{"ladder.broad_reading": "deadline"}).steps()


def test_growth_needs_ratio_and_floor() -> None:
    rows = [
        report(1),
        report(20, (102, 1), source="media"),
        report(30, (109, 1)),
        report(40, (118, 1)),
        report(50, (127, 1)),
    ]
    grown = {"expansion.k": 1}

    assert ("eligible", 2, 3, 50.0) in Told(rows, 51, **grown).steps()
    assert not [
        s
        for s in Told(rows, 51, **grown, **{"expansion.extent_growth": {"times": 2, "floor": 28e3}}).steps()
        if s[2] == 3
    ]
    assert not [s for s in Told(rows, 51).steps() if s[2] == 3]


def test_scenarios_filter_and_never_regroup() -> None:
    rows = [report(1, party_claimed="L"), report(14, source="media", party_claimed="R"), report(20, source="satellite")]
    told = Told(rows, 60)

    assert told.steps("L") == [*OPEN_1, ("ended", 1, 0, 44.0)]
    assert told.steps("R")[0] == ("opened", 0, 0, 14.0)
    assert ("eligible", 1, 2, 25.0) in told.steps("L+unknown")


def test_the_ladder_keeps_the_policy_of_its_first_day() -> None:
    rows = [report(1), report(14, source="media")]
    later = builders.policy(version="later", **{"ladder.persist_h": 20, "ladder.quiet_h": 6})
    both = builders.versions(builders.policy(), later, since=[2])

    assert ("eligible", 1, 2, 25.0) in Told(rows, 26, policies=both).steps()
    both = builders.versions(builders.policy(), later, since=[1])
    assert Told(rows, 26, policies=both).steps() == OPEN_1


def test_a_step_is_known_when_the_last_report_that_it_needs_has_come() -> None:
    rows = [report(1, known_at=30), report(14, source="media", known_at=20)]
    known = {
        s["kind"] + str(s["tier_to"]): s["known_at"]
        for s in Told(rows, 26).answer["transitions"]
        if s["scenario"] == "any"
    }

    assert known == {
        "opened0": builders.when(30),
        "eligible1": builders.when(30),
        "effective1": builders.when(30),
        "eligible2": builders.when(30),
        "effective2": builders.when(30),
    }


def test_a_report_is_pivotal_when_the_tier_is_gone_without_it() -> None:
    rows = [report(1), report(14, source="media"), report(20, source="media")]

    assert Told(rows, 26).pivotal(2) == {"R-1": True, "R-2": False, "R-3": False}
    assert Told(rows[:2], 26).pivotal(2) == {"R-1": True, "R-2": True}
    assert Told([report(1), report(1, source="media")], 2).pivotal(1) == {"R-1": False, "R-2": False}
    assert Told([report(1)], 2).pivotal(1) == {"R-1": True}
    assert Told([report(1)], 2).pivotal(0, "opened") == {"R-1": False}


def test_only_what_had_begun_by_as_of_exists() -> None:
    assert Told([report(1), report(2)], 1).members() == {"B-1": {"V-1"}}
