"""Does the ladder climb as the plan says? Each test is a timeline; T0 is the first shot."""

from __future__ import annotations

import pytest
from builders import policy
from story import Story, clock

from geo.course import Course, Violation, growth
from geo.escalation import MOVES

GROWS = {"expansion.k": 2}


def growing(until: int, *, every: int = 3) -> Story:
    """Return an attack that widens from 1 km to 25 km along the line and quickens from hour 26 on."""
    story = Story(policy(**GROWS))
    story.shell(0, 21, 7)
    for n, hour in enumerate(range(26, until + 1, every)):
        for side, by in ((1, "mission"), (-1, "media")):
            story.fire(f"{hour}h", by=by, km=100.0 + side * min(3.0 * (n + 1), 14.0))
            story.fire(f"{hour}h30", by=by, km=100.0 + side * min(1.5 * (n + 1), 7.0))
    return story


# The ladder of the plan, word for word.


def test_one_confirmed_shot_and_quiet_is_a_warning_that_ends() -> None:
    story = Story(policy()).fire("0h").look("25h")
    assert story.steps() == [("opened", 0, 0), ("eligible", 1, 0), ("effective", 1, 0), ("ended", 0, 24)]
    assert story.incident()["state"] == "ended"
    assert (story.incident()["tier_eligible"], story.incident()["tier_peak"]) == (0, 1)


def test_shelling_that_goes_on_at_24_hours_is_tier_2() -> None:
    story = Story(policy()).shell(0, 30).look("31h")
    assert story.reached("eligible", 2) == 24
    assert story.reached("effective", 2) == 24
    assert story.incident()["tier_effective"] == 2
    assert story.incident()["persistence"] == "persists"


def test_growth_with_hostilities_going_on_at_72_hours_takes_effect_then_and_not_earlier() -> None:
    story = growing(80).look("71h59")
    assert story.reached("eligible", 3) is not None
    assert story.reached("effective", 3) is None
    eligible = story.reached("eligible", 3)
    story.look("81h")
    assert story.reached("eligible", 3) == eligible
    assert 26 < eligible < 72
    assert story.reached("effective", 3) == 72


def test_growth_that_dies_at_hour_60_never_takes_effect() -> None:
    story = growing(59).look("200h")
    assert story.reached("eligible", 3) is not None
    assert story.reached("effective", 3) is None
    assert story.incident()["tier_peak"] == 3


# Each reading, at the exact instants.


@pytest.mark.parametrize(
    ("reading", "second", "tier_2_at"),
    [
        ("literal", "23:59", None),
        ("literal", "24:00", 24),
        ("literal", "24:01", None),  # the pause is longer than the gap: another breach
        ("window", "11:59", None),
        ("window", "12:00", 24),
        ("window", "23:59", 24),
        ("window", "24:00", 24),
    ],
)
def test_rule_2_persistence_at_the_exact_instants(reading: str, second: str, tier_2_at: float | None) -> None:
    story = Story(policy(**{"ladder.persist_reading": reading})).fire("0h").fire(second, by="media").look("60h")
    assert story.reached("eligible", 2) == tier_2_at


def test_rule_2_literal_counts_a_later_shot_of_a_breach_that_never_paused() -> None:
    story = Story(policy(**{"ladder.persist_reading": "literal"})).shell(0, 20).fire("24:01").look("30h")
    assert story.reached("eligible", 2) == pytest.approx(24 + 1 / 60, abs=1e-3)


def test_rule_2_is_not_reached_before_its_instant() -> None:
    story = Story(policy()).shell(0, 23).look("23:59")
    assert story.reached("eligible", 2) is None
    assert story.incident()["persistence"] is None or story.incident().isna()["persistence"]
    assert story.look("24:00").reached("eligible", 2) == 24
    assert story.incident()["persistence"] == "persists"


@pytest.mark.parametrize(("last", "effective"), [("59:59", None), ("60:00", None), ("60:01", 72), ("71:59", 72)])
def test_rule_4_needs_hostilities_within_the_quiet_time_before_72_hours(last: str, effective: float | None) -> None:
    story = growing(56).fire(last, by="media").look("73h")
    assert story.reached("effective", 3) == effective


def test_rule_4_takes_effect_with_the_first_shot_after_a_pause_over_72_hours() -> None:
    story = growing(56).fire("75h", by="media").look("76h")
    assert story.reached("effective", 3) == 75


def test_rule_4_an_attack_that_grows_only_after_72_hours_takes_effect_when_it_has_grown() -> None:
    story = Story(policy()).shell(0, 80, 4)
    for n in range(1, 5):
        story.fire("81h", km=100 + 7.0 * n, by="mission").fire("81h", km=100 - 7.0 * n, by="media")
    story.look("83h")
    assert story.reached("eligible", 3) == 81
    assert story.reached("effective", 3) == 81


def test_rule_4_reading_deadline_is_effective_when_eligible_and_due_by_72_hours() -> None:
    story = growing(40)
    story.policy = policy(**{"ladder.broad_reading": "deadline"})
    story.look("41h")
    assert story.reached("effective", 3) == story.reached("eligible", 3)
    assert story.incident()["next_due"] == clock("72h")


def test_rule_1_reading_repeated_opens_with_the_nth_violation_and_dates_from_the_first() -> None:
    repeated = policy(**{"ladder.open_reading": "repeated", "ladder.open_n": 3})
    story = Story(repeated).fire("1h", "5h").look("6h")
    assert story.incident()["state"] == "candidate"
    story.fire("9h").look("10h")
    assert story.reached("eligible", 1) == 9
    assert story.incident()["t0_from"] == clock("1h")
    assert story.incident()["next_due"] == clock("25h")


def test_rule_3_an_attack_that_is_broad_from_its_first_hour_is_eligible_at_once() -> None:
    story = Story(policy())
    for n in range(8):
        story.fire("0h", km=60 + 9.0 * n, by=("mission", "media")[n % 2])
    story.look("2h")
    assert story.reached("eligible", 3) == 0
    assert "extent" in story.incident()["expansion"]
    assert story.reached("eligible", 2) is None


def test_rule_3_a_weapon_can_be_enough() -> None:
    story = Story(policy()).fire("0h", weapon="iskander").fire("2h", by="media").look("3h")
    assert story.reached("eligible", 3) == 2, "not before a second origin vouches for it"


def test_rule_3_a_rate_can_be_enough() -> None:
    story = Story(policy(**{"expansion.rate_n": 4}))
    story.fire("0h", "2h", by="mission").fire("4h", "6h", by="media").look("7h")
    assert story.reached("eligible", 3) == 6


@pytest.mark.parametrize(("k", "eligible"), [(1, True), (3, False)])
def test_rule_3_as_many_ratios_as_the_policy_asks_for(k: int, eligible: bool) -> None:  # noqa: FBT001 -- a table's column
    story = growing(40)
    story.policy = policy(**{"expansion.k": k})
    story.look("41h")
    assert (story.reached("eligible", 3) is not None) is eligible


def test_rule_3_a_ratio_without_its_floor_is_nothing() -> None:
    rules = policy().expansion
    grew = [
        Violation(n, n, 19_999.0 * (n > 1), 9_999.0, None, frozenset(), {}, known_at=n, content="", row=n)
        for n in range(5)
    ]
    assert growth(Course(grew), (100.0, 100.0, 1), rules) == []


def test_rule_5_one_origin_alone_is_never_more_than_a_warning() -> None:
    story = Story(policy()).shell(0, 48, by="mission").look("50h")
    assert story.incident()["tier_peak"] == 1
    assert story.incident()["persistence"] == "persists"


def test_rule_5_many_mouths_of_one_party_are_one() -> None:
    story = Story(policy()).shell(0, 24, by="party-l").shell(1, 25, by="party-l-air").look("30h")
    assert story.incident()["tier_peak"] == 1


def test_rule_5_a_single_vetted_source_is_enough_where_the_policy_says_so() -> None:
    story = Story(policy(**{"ladder.single_vetted": True})).shell(0, 30, by="vetted").look("31h")
    assert story.reached("eligible", 2) == 24


def test_rule_5_a_vetted_source_is_enough_beside_others_of_its_own_origin() -> None:
    story = Story(policy(**{"ladder.single_vetted": True})).fire("0h", by="media", origin="vetted")
    assert story.fire("5h", "24h", by="vetted").look("31h").reached("eligible", 2) == 24


def test_rule_5_a_late_second_origin_counts_from_its_own_violation_on() -> None:
    story = Story(policy()).shell(0, 30, by="mission").fire("36h", by="media").look("40h")
    assert story.reached("eligible", 2) == 36


def test_rule_5_an_earlier_sole_second_origin_carries_tier_2_alone() -> None:
    story = Story(policy()).fire("1h", by="mission").fire("14h", "20h", by="media").look("26h")
    assert story.seen is not None
    steps = story.seen.tables["transitions"].query("scenario == 'any' and tier_to == 2 and kind == 'eligible'")
    carried = story.seen.tables["evidence"].merge(steps[["incident_id", "scenario", "seq"]])
    assert dict(zip(carried["report_id"], carried["pivotal"], strict=True)) == {"R-1": True, "R-2": False, "R-3": False}


# Each way to end.


@pytest.mark.parametrize(
    ("watched", "how"),
    [
        ([], "assumed"),
        ([("0h", "30h", True)], "ceased"),
        ([("0h", "10h", True)], "assumed"),
        ([("0h", "12h", True), ("12h", "30h", True)], "ceased"),
        ([("5h", "6h", False)], "unresolved"),
        ([("5h", "6h", False), ("0h", "30h", True)], "ceased"),
        ([("25h", "26h", False)], "assumed"),
    ],
)
def test_rule_6_how_the_silence_was_watched_names_the_end(watched: list[tuple[str, str, bool]], how: str) -> None:
    story = Story(policy()).fire("0h")
    for begin, end, sees in watched:
        story.watch(begin, end, sees=sees)
    assert story.look("48h").incident()["end"] == how


@pytest.mark.parametrize(("at_the_second_place", "how"), [([True], "ceased"), ([], "assumed"), ([False], "unresolved")])
def test_rule_6_silence_has_to_be_watched_at_every_place_of_the_breach(
    at_the_second_place: list[bool], how: str
) -> None:
    story = Story(policy()).fire("0h", km=100).fire("1h", km=109).watch("0h", "30h", km=90.0)
    for sees in at_the_second_place:
        story.watch("0h", "30h", sees=sees, km=120.0)
    assert story.look("48h").incident()["end"] == how


def test_rule_6_each_breach_is_watched_at_its_own_places() -> None:
    story = Story(policy()).fire("0h", km=200).fire("1h", km=100).watch("0h", "30h", km=200).look("48h")
    assert [story.incident(n)["end"] for n in (0, 1)] == ["ceased", "assumed"]


def test_rule_6_exactly_at_the_gap_it_has_not_ended_and_a_shot_still_joins() -> None:
    assert Story(policy()).fire("0h").look("24h").incident()["state"] == "quiet"
    joined = Story(policy()).fire("0h", "24h").look("25h")
    assert joined.incident()["qualifying"] == 2
    apart = Story(policy()).fire("0h", "24:01").look("25h")
    assert (apart.incident(0)["qualifying"], apart.incident(1)["recurrence_of"]) == (1, "B-1")


def test_rule_6_lapsed_when_the_window_ends_while_it_goes_on() -> None:
    story = Story(policy(), windows=[(0.0, 30.0)]).shell(0, 27).look("40h")
    assert (story.incident()["state"], story.incident()["end"]) == ("ended", "lapsed")
    assert story.steps()[-1] == ("ended", 0, 30)


def test_rule_6_a_late_report_from_before_the_end_still_joins() -> None:
    story = Story(policy()).fire("0h").fire("20h").look("21h")
    assert story.incident()["incident_id"] == "B-1"
    story.fire("10h", by="media").look("21h")
    assert story.incident()["qualifying"] == 3


# When a step could be known.


def test_a_breach_is_known_when_it_was_first_dated_inside_the_window() -> None:
    story = Story(policy(), windows=[(5.0, None)]).fire("4h", by="media", minutes=120).look("50h")
    assert story.incident()["state"] == "candidate"
    story.fire("5h", known_at=40).look("50h")
    assert (story.reached("eligible", 1), story.known("eligible", 1)) == (5, 40)


def test_a_breach_by_a_party_is_known_when_the_claim_is() -> None:
    story = Story(policy()).fire("1h").fire("1h", by="media", party_claimed="L", known_at=30).look("50h")
    assert [story.known("eligible", 1, scenario) for scenario in ("any", "L", "L+unknown")] == [2, 30, 30]


def test_an_old_voucher_that_comes_late_holds_back_what_rests_on_it_and_nothing_else() -> None:
    story = Story(policy()).fire("0h", "25h").fire("2h", by="media", km=101, known_at=90).look("30h")
    assert (story.reached("eligible", 2), story.known("eligible", 1), story.known("eligible", 2)) == (25, 1, 90)


def test_a_step_waits_for_what_only_joins_what_was_apart() -> None:
    story = Story(policy()).fire("0h", by="mission").fire("0h", by="media", km=101, known_at=2)
    story.fire("14h", by="media", km=118).fire("10h", by="satellite", km=110, known_at=70).look("80h")
    assert story.reached("eligible", 2) == 24
    assert [story.known("eligible", tier) for tier in (1, 2)] == [1, 70]


def test_what_was_joined_by_another_way_waits_for_nothing() -> None:
    story = Story(policy()).fire("0h", by="mission").fire("0h", by="media", km=101, known_at=2)
    story.fire("14h", by="media", km=118).fire("10h", by="satellite", km=110, known_at=70)
    story.fire("5h", by="vetted", km=109, known_at=30).look("80h")
    assert story.known("eligible", 2) == 30


# Persistence that nobody can tell.


def test_persistence_is_indeterminate_when_a_coarse_report_may_lie_beyond_the_first_window() -> None:
    story = Story(policy()).fire("0h", "10h").fire("20h", uncertainty_m=9_000.0).look("30h")
    assert story.incident()["persistence"] == "indeterminate"


def test_persistence_is_indeterminate_when_an_hour_was_declared_unseen() -> None:
    story = Story(policy()).fire("0h", "10h").watch("25h", "26h", sees=False).look("30h")
    assert story.incident()["persistence"] == "indeterminate"


def test_persistence_has_ceased_when_nothing_is_known_of_it() -> None:
    assert Story(policy()).fire("0h", "10h").look("30h").incident()["persistence"] == "ceased"


def test_a_public_rumour_does_not_even_make_persistence_indeterminate() -> None:
    story = Story(policy()).fire("0h", "10h").fire("20h", by="public", origin="somebody").look("30h")
    assert story.incident()["persistence"] == "ceased"
    assert story.incident()["reports_public"] == 1


def test_a_day_precise_report_never_persists_surely_across_an_instant_inside_its_day() -> None:
    story = Story(policy()).fire("0h").fire("5h", by="media", to=29.0).look("30h")
    assert story.incident()["persistence"] == "indeterminate"
    assert story.reached("eligible", 2) is None


# Scenarios, due times, knowledge.


def test_rule_7_each_party_is_asked_for_by_itself_and_nothing_is_due_where_both_fired() -> None:
    story = Story(policy()).fire("0h", party_claimed="L").fire("13h", by="media", party_claimed="R").look("14h")
    assert [step[:2] for step in story.steps(scenario="L")] == [("opened", 0), ("eligible", 1), ("effective", 1)]
    assert story.steps(scenario="R")[0] == ("opened", 0, 13)
    assert story.incident().isna()["next_due"]
    assert story.incident()["parties"] == "L, R"


def test_the_response_is_due_24_hours_after_the_first_begin() -> None:
    story = Story(policy()).fire("1h", minutes=60).look("3h")
    assert story.incident()["next_due"] == clock("25h")
    assert "response" in story.incident()["next_due_what"]


def test_a_step_is_known_when_what_it_needs_was_known() -> None:
    story = Story(policy()).fire("0h", known_at=clock("50h")).fire("2h").look("60h")
    assert story.seen is not None
    opened = story.seen.tables["transitions"].iloc[0]
    assert (opened["at"], opened["known_at"]) == (clock("0h"), clock("50h"))


def test_nothing_leaves_an_ended_incident_and_every_state_can_be_reached() -> None:
    assert MOVES["ended"] == {}
    reachable, found = {"candidate"}, {"candidate"}
    while found:
        found = {to for state in found for to in MOVES[state].values()} - reachable
        reachable |= found
    assert reachable == set(MOVES)
