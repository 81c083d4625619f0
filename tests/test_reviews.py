"""What people decide is applied, or rejected with a sentence: the rules of reviews, verdicts and decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from builders import command, commands, coverage, policy, report, reports, theatre, versions, when

from geo.assess import assess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.assess import Assessment

AT = 200.0
BORIS = {"reviewer": "Second Reviewer"}


def told(
    listed: Sequence[dict[str, Any]],
    said: Sequence[dict[str, Any]] = (),
    at: float = AT,
    **changes: Any,  # noqa: ANN401
) -> Assessment:
    """Return the answer for reports and commands; a policy's values may be changed."""
    return assess(reports(listed), coverage(), theatre(), versions(policy(**changes)), when(at), commands(said))


def answers(found: Assessment) -> list[tuple[str, str]]:
    """Return answer and reason of every command."""
    table = found.tables["reviews"]
    return list(zip(table["answer"], table["why"].fillna(""), strict=True))


def incidents(found: Assessment) -> pd.DataFrame:
    table = found.tables["incidents"]
    return table[table["incident_id"].str.startswith("B")].set_index("incident_id")


def violation(found: Assessment, name: str) -> pd.Series[Any]:
    return found.tables["violations"].set_index("violation_id").loc[name]


def steps(found: Assessment, name: str, kind: str) -> pd.DataFrame:
    table = found.tables["transitions"]
    return table[(table["incident_id"] == name) & (table["scenario"] == "any") & (table["kind"] == kind)]


# A shot by a medium at hour 1, and one by the mission a day later at the same place.
TWO = (report(1, source="media"), report(25))


# --- reviews: which commands are heard ---


def test_without_commands_there_is_an_empty_table() -> None:
    assert told(TWO).tables["reviews"].empty


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (command("bless", "V-1"), "no command is called 'bless'"),
        (command("confirm", "V-1", reviewer=" "), "it names no reviewer"),
        (command("confirm", "V-1", reason=None), "it names no reason"),
        (command("confirm", "B-1"), "confirm needs the name of a violation (V-7), not B-1"),
        (command("confirm", "V-1", subjects={}), "unknown: V-1"),
        (command("attribute", "V-1", "nobody I know"), "unknown party 'nobody I know'; write L, R, unknown"),
        (command("declare", "B-1", "4"), "tier '4' is out of range"),
        (command("confirm", "V-1", expires=99, known_at=150), "it had expired before it was read"),
        (command("confirm", "V-1", at=120, known_at=110), "its time lies after the moment when it was recorded"),
        (command("split", "B-1"), "split needs the violations"),
        (command("split", "B-1", violations="V-1, B-2"), "violations lists B-2"),
        (command("set_t0", "B-1", "2026-02-01T00:00"), "set_t0 needs a time with its offset"),
        (command("end", "B-1", "2027-02-01T00:00Z"), "end needs nothing, or a time with its offset"),
        (command("fix", "V-1", "sure"), "a fix holds one of alleged, corroborated"),
        (command("fix", "V-1"), "no person has decided its status"),
        (command("release", "D-7"), "nothing earlier that holds is called D-7"),
        (command("confirm", "V-1", fault="its time cannot be read"), "its time cannot be read"),
    ],
)
def test_what_cannot_be_done_is_rejected_with_a_sentence(said: dict[str, Any], why: str) -> None:
    plain, found = told(TWO), told(TWO, [said])
    ((answer, sentence),) = answers(found)
    assert answer == "rejected"
    assert why in sentence
    pd.testing.assert_frame_equal(plain.tables["incidents"], found.tables["incidents"])


def test_rule_1_a_command_speaks_from_its_time_until_it_expires() -> None:
    said = [command("refute", "V-1", at=30, expires=50)]
    for moment, status, answer in ((29, "alleged", "waits"), (30, "refuted", "applied"), (50, "alleged", "over")):
        found = told(TWO, said, at=moment)
        assert violation(found, "V-1")["status"] == status
        assert answers(found)[0][0] == answer


def test_rule_2_a_name_means_the_item_and_what_it_is_part_of_now() -> None:
    same = [report(1, source="media"), report(1, source="vetted", first_no=5), report(25, first_no=2)]
    found = told(same, [command("refute", "V-5")])
    assert violation(found, "V-1")["status"] == "refuted"
    assert answers(found) == [("applied", "V-5 is part of V-1 now; by the rules it would be confirmed")]
    row = found.tables["reviews"].iloc[0]
    assert (row["violation_id"], row["incident_id"]) == ("V-1", "B-2")


def test_rule_4_the_later_word_holds_and_the_earlier_is_overruled() -> None:
    own = [command("refute", "V-1", at=60), command("confirm", "V-1", at=50)]
    assert [answer for answer, _ in answers(told(TWO, own))] == ["applied", "over"]
    between = [command("refute", "V-1", at=60), command("confirm", "V-1", at=50, **BORIS)]
    assert answers(told(TWO, between))[0] == ("over", "overruled by D-1002")
    again = [command("refute", "V-1", at=60), command("confirm", "V-1", at=50, reviewer=" FIRST  Reviewer")]
    assert [answer for answer, _ in answers(told(TWO, again))] == ["applied", "over"]


def test_rule_5_a_fix_protects_until_it_is_released() -> None:
    said = [
        command("refute", "V-1", at=40),
        command("fix", "V-1", at=41),
        command("confirm", "V-1", at=50, **BORIS),
        command("release", "V-1", at=60),
        command("confirm", "V-1", at=70, **BORIS),
    ]
    found = told(TWO, said, at=55)
    assert violation(found, "V-1")["status"] == "refuted"
    assert answers(found)[2] == ("rejected", "conflicts with fix D-1002; release it first")
    found = told(TWO, said)
    assert violation(found, "V-1")["status"] == "confirmed"
    assert [answer for answer, _ in answers(found)] == ["over", "over", "rejected", "applied", "applied"]


def test_rule_5_no_answer_turns_when_a_fix_expires() -> None:
    said = [command("fix", "V-1", "refuted", at=40, expires=60), command("confirm", "V-1", at=50, **BORIS)]
    for moment in (55, 200):
        assert answers(told(TWO, said, at=moment))[1][0] == "rejected"


def test_a_fix_says_when_the_rules_disagree() -> None:
    found = told(TWO, [command("fix", "V-2", "alleged")])
    assert answers(found) == [("applied", "by the rules it would be confirmed")]


def test_rule_6_a_command_is_released_from_then_on() -> None:
    said = [command("refute", "V-1", at=40), command("release", "D-1001", at=50)]
    assert violation(told(TWO, said, at=45), "V-1")["status"] == "refuted"
    found = told(TWO, said)
    assert violation(found, "V-1")["status"] == "alleged"
    assert answers(found) == [("over", "released by D-1002"), ("applied", "takes back D-1001")]
    said.append(command("release", "D-1002", at=60))
    assert answers(told(TWO, said))[2] == ("rejected", "a release is not released; give the command again")


# --- verdicts: violations and reports ---


STRICT = {"corroboration.qualifying_status": "confirmed"}


def test_verdicts_rule_1_a_confirmed_violation_counts_and_its_incident_bears_the_commands_number() -> None:
    alone = [report(1, source="media")]
    assert incidents(told(alone, **STRICT)).empty
    found = told(alone, [command("confirm", "V-1", at=30)], **STRICT)
    assert list(incidents(found).index) == ["B-1001"]
    (opened,) = steps(found, "B-1001", "opened").itertuples()
    assert (opened.at, opened.known_at) == (when(1), when(30))


def test_verdicts_rule_1_a_refuted_or_exempt_violation_does_not_count() -> None:
    for word, status in (("refute", "refuted"), ("exempt", "exempt")):
        found = told(TWO, [command(word, "V-1")])
        assert list(incidents(found).index) == ["B-2"]
        assert violation(found, "V-1")["status"] == status
        assert violation(found, "V-1")["attached"]


def test_verdicts_rule_1_a_persons_confirmation_makes_the_crowd_count_for_nothing() -> None:
    found = told([report(1, source="public")], [command("confirm", "V-1")])
    assert incidents(found).empty
    assert answers(found) == [("applied", "by the rules it would be alleged; it does not count: only public sources")]


def test_verdicts_rule_2_an_attribution_takes_the_place_of_all_claims() -> None:
    listed = [report(1, party_claimed="R"), report(1, source="vetted", party_claimed="L")]
    found = told(listed, [command("attribute", "V-1", "lefts")])
    assert violation(found, "V-1")["party_claimed"] == "L"
    assert set(found.tables["transitions"]["scenario"]) == {"any", "L", "L+unknown"}
    alone = told(listed[:1], [command("attribute", "V-1", "lefts")])
    assert set(alone.tables["transitions"]["scenario"]) == {"any", "L", "L+unknown"}
    nobody = told(listed, [command("attribute", "V-1", "unknown")])
    assert pd.isna(violation(nobody, "V-1")["party_claimed"])
    assert set(nobody.tables["transitions"]["scenario"]) == {"any", "L+unknown", "R+unknown"}


def test_verdicts_rule_3_a_refuted_report_is_disregarded_and_stays_in_its_layer() -> None:
    listed = [report(1, source="media"), report(1, source="vetted")]
    found = told(listed, [command("refute", "R-1")])
    assert list(found.tables["violations"]["violation_id"]) == ["V-2"]
    assert list(found.tables["reports"]["violation_id"].isna()) == [True, False]
    gone = told(listed, [command("refute", "R-1"), command("confirm", "V-1", **BORIS)])
    assert answers(gone)[1] == ("rejected", "its report is disregarded by D-1001")


def test_verdicts_rule_5_a_target_that_is_no_longer_what_it_was_is_rejected() -> None:
    found = told(TWO, [command("confirm", "V-7")])
    assert answers(found) == [("rejected", "the report that V-7 is named after is not active at this moment")]
    heat = [*TWO, report(2, source="firms", act="heat")]
    assert answers(told(heat, [command("confirm", "V-3")])) == [("rejected", "what V-3 said makes no violation now")]


def test_what_is_said_by_the_name_of_a_public_report_holds_for_its_violation() -> None:
    listed = [report(1, source="public", origin="x"), report(1, source="vetted", first_no=5)]
    found = told(listed, [command("refute", "V-1")])
    assert violation(found, "V-1")["status"] == "refuted"
    assert incidents(found).empty


# --- decisions: incidents ---


def test_decisions_rule_4_a_tier_is_declared_by_two_different_people() -> None:
    first = command("declare", "B-1", "2", at=30)
    alone = told(TWO, [first, command("declare", "B-1", "2", at=31, reviewer="first REVIEWER")])
    assert pd.isna(incidents(alone).loc["B-1", "tier_declared"])
    assert answers(alone) == [
        ("waits", "it waits for a second person"),
        ("waits", "it waits for a second person; D-1001 is by the same one"),
    ]
    third = command("declare", "B-1", "2", at=35, reviewer="Third Reviewer")
    found = told(TWO, [first, command("declare", "B-1", "2", at=33, known_at=40, **BORIS), third])
    assert incidents(found).loc["B-1", "tier_declared"] == 2
    (step,) = steps(found, "B-1", "declared").itertuples()
    assert (step.tier_from, step.tier_to, step.at, step.known_at) == (0, 2, when(33), when(40))
    assert step.rule == "RULE 9 declared"
    assert step.reason == "declared by two people (D-1001 and D-1002): seen the site; seen the site"
    assert [answer for answer, _ in answers(found)] == ["applied", "applied", "applied"]


def test_decisions_rule_4_what_is_eligible_decides_nothing_and_the_answer_says_so() -> None:
    found = told(TWO[:1], [command("declare", "B-1", "1", at=2)])
    assert incidents(found).loc["B-1", "tier_declared"] == 1
    both = [command("declare", "B-1", "3", at=2.5), command("declare", "B-1", "3", at=3, **BORIS)]
    found = told(TWO[:1], both)
    assert answers(found)[0] == ("applied", "by the rules tier 1 is the highest that was eligible")
    assert incidents(found).loc["B-1", "tier_peak"] == 1
    broad = report(1, source="media", weapon="iskander"), report(2.5)  # and nothing takes effect before hour 73
    assert answers(told(broad, both, at=4)) == [("applied", ""), ("applied", "")]


def test_decisions_rule_4_nothing_is_declared_before_the_breach_or_after_its_end() -> None:
    said = [command("declare", "B-1", "1", at=hour) for hour in (0.5, 1, 48, 49)]
    assert answers(told(TWO, said)) == [
        ("rejected", "it was no breach yet at that time"),
        ("applied", ""),
        ("applied", ""),
        ("rejected", "it had ended 2026-02-03T01:00:00Z"),
    ]


def test_a_command_on_no_incident_is_rejected() -> None:
    said = [command("declare", "B-1", "1", at=30), command("refute", "V-1", at=31)]
    assert answers(told(TWO, said))[0] == ("rejected", "B-1 is no incident now")


def test_decisions_rule_1_dues_and_eligibility_count_from_the_t0_that_a_person_set() -> None:
    said = [command("set_t0", "B-1", "2026-02-01T10:00Z/2026-02-01T12:00Z", at=13, known_at=20)]
    found = told(TWO, said, at=26)
    row = incidents(found).loc["B-1"]
    assert (row["t0_from"], row["t0_to"], row["t0_known_at"]) == (when(10), when(12), when(20))
    assert row["t0_set_by"] == "D-1001"
    assert row["next_due"] == when(34)
    later = told(TWO, said, at=48)
    assert later.tables["evidence"]["pivotal"].isna().any(), "nobody tries the reports of what a person dated"
    (tier_1, tier_2) = steps(later, "B-1", "eligible").itertuples()
    assert (tier_1.at, tier_1.known_at) == (when(1), when(2)), "a warning waits for nobody's T0"
    assert (tier_2.tier_to, tier_2.at) == (2, when(36))
    assert steps(told(TWO, at=48), "B-1", "eligible").iloc[1]["at"] == when(25)


def test_decisions_rule_1_a_t0_before_every_violation_is_no_fault() -> None:
    found = told(TWO, [command("set_t0", "B-1", "2026-01-01T00:00Z", at=30)], at=40)
    assert incidents(found).loc["B-1", "t0_to"] == pd.Timestamp("2026-01-01T00:00Z")


def test_decisions_rule_2_a_person_dates_the_end_unless_it_goes_on() -> None:
    found = told(TWO, [command("end", "B-1", at=30)], at=40)
    row = incidents(found).loc["B-1"]
    assert (row["state"], row["end"], row["tier_eligible"]) == ("ended", "decided", 0)
    (ended,) = steps(found, "B-1", "ended").itertuples()
    assert (ended.at, ended.reason) == (when(30), "a person ended it (D-1001): seen the site")
    early = told(TWO, [command("end", "B-1", "2026-02-01T20:00Z", at=30)], at=40)
    assert answers(early) == [("rejected", "a qualifying violation of it began after that")]
    late = told(TWO, [command("end", "B-1", at=60)])
    assert answers(late) == [("rejected", "it had ended by the rules 2026-02-03T01:00:00Z")]


def test_decisions_rule_3_reopening_takes_an_end_back() -> None:
    said = [command("end", "B-1", at=30), command("reopen", "B-1", at=32, **BORIS)]
    found = told(TWO, said, at=40)
    assert incidents(found).loc["B-1", "state"] == "quiet"
    assert [answer for answer, _ in answers(found)] == ["over", "applied"]
    ruled = told(TWO, [command("reopen", "B-1", at=49)])  # the very instant of its end by the rules
    row = incidents(ruled).loc["B-1"]
    assert (row["state"], row["tier_eligible"]) == ("quiet", 2)
    assert answers(told(TWO, [command("reopen", "B-1", at=30)], at=40)) == [("rejected", "it has not ended")]
    closed = assess(
        reports(TWO), coverage(), theatre(windows=((0.0, 40.0),)), versions(policy()), when(60),
        commands([command("reopen", "B-1", at=50)]),
    )  # fmt: skip
    assert answers(closed)[0][1] == "its ceasefire window has ended, and with it the incident"


# --- arrangement: which violations are one breach ---


APART = (report(1), report(1, (150, 1), source="vetted"))
CHAIN = tuple(report(1 + n, (100 + 6 * n, 1), source="media", origin=f"o{n}") for n in range(4))


def members(found: Assessment) -> dict[str, set[str]]:
    table = found.tables["violations"]
    return {str(name): set(rows) for name, rows in table.groupby("incident_id")["violation_id"]}


def test_arrangement_rule_1_merged_incidents_are_one_with_the_older_name() -> None:
    found = told(APART, [command("merge", "B-2", "b-1")])
    assert members(found) == {"B-1": {"V-1", "V-2"}}
    assert incidents(found).loc["B-1", "extent_m"] > 49_000
    assert found.tables["evidence"]["pivotal"].isna().any()
    again = told(APART, [command("merge", "B-1", "B-2"), command("merge", "B-2", "B-1", **BORIS)])
    assert answers(again)[1] == ("rejected", "they are one incident already")


def test_arrangement_rule_1_nothing_is_merged_across_a_windows_edge() -> None:
    closed = assess(
        reports([report(1), report(30)]), coverage(), theatre(windows=((0.0, 20.0), (20.0, None))), versions(policy()),
        when(200), commands([command("merge", "B-1", "B-2")]),
    )  # fmt: skip
    assert answers(closed)[0][1] == "they share no ceasefire window; nothing links across its edge"


def test_arrangement_rule_2_a_split_makes_a_part_of_its_own() -> None:
    found = told(CHAIN, [command("split", "B-1", violations="V-3 V-4")])
    assert members(found) == {"B-1": {"V-1", "V-2"}, "B-3": {"V-3", "V-4"}}
    assert not incidents(found)["weak_link"].any()
    nothing = told(CHAIN, [command("split", "B-1", violations="V-1 V-2 V-3 V-4")])
    assert answers(nothing) == [("rejected", "nothing would be left of B-1")]
    strange = told(CHAIN, [command("split", "B-1", violations="V-4 V-9")])
    assert answers(strange) == [("applied", "left out, as no part of it counts now: V-9")]


@pytest.mark.parametrize(("many", "rest"), [(5, ""), (6, " and 1 more")])
def test_an_answer_names_five_violations_and_counts_the_rest(many: int, rest: str) -> None:
    gone = [f"V-{n}" for n in range(5, 5 + many)]
    found = told(CHAIN, [command("split", "B-1", violations=" ".join(["V-4", *gone]))])
    why = f"left out, as no part of it counts now: V-5, V-6, V-7, V-8, V-9{rest}"
    assert answers(found) == [("applied", why)]


def test_arrangement_rule_2_a_fix_can_hold_one_violation_alone() -> None:
    found = told(CHAIN, [command("fix", "B-1", violations="V-1", at=10)])
    assert members(found) == {"B-1": {"V-1"}, "B-2": {"V-2", "V-3", "V-4"}}
    assert answers(found) == [("applied", "by the rules V-2, V-3, V-4 would belong to it")]


def test_arrangement_rule_2_a_violation_is_moved() -> None:
    found = told([*CHAIN, report(1, (200, 1))], [command("move", "V-4", "B-5")])
    assert members(found) == {"B-1": {"V-1", "V-2", "V-3"}, "B-4": {"V-4", "V-5"}}
    assert answers(told(CHAIN, [command("move", "V-4", "B-1")])) == [("rejected", "V-4 is part of B-1 already")]
    unsure = told([*CHAIN, report(1, (200, 1), disputed=True)], [command("move", "V-5", "B-1")])
    assert answers(unsure) == [("rejected", "V-5 does not count now, so it can be moved nowhere")]


def test_arrangement_rule_3_what_began_later_follows_its_shortest_link() -> None:
    later = [report(20, (118, 1)), report(21, (101, 1)), report(30, (120, 1), source="vetted")]
    found = told([*CHAIN, *later], [command("split", "B-1", violations="V-3 V-4", at=10)], at=40)
    assert members(found) == {"B-1": {"V-1", "V-2", "V-6"}, "B-3": {"V-3", "V-4", "V-5", "V-7"}}
    early = told([*CHAIN, report(2, (118, 1), source="vetted")], [command("split", "B-1", violations="V-3 V-4", at=10)])
    assert members(early)["B-1"] == {"V-1", "V-2", "V-5"}


def test_arrangement_rule_2_a_fix_with_a_list_holds_a_grouping_and_says_when_the_rules_disagree() -> None:
    said = [command("fix", "B-1", violations="V-1 V-2", at=10), command("merge", "B-1", "B-5", at=20)]
    found = told([*CHAIN, report(1, (200, 1))], said)
    assert members(found) == {"B-1": {"V-1", "V-2"}, "B-3": {"V-3", "V-4"}, "B-5": {"V-5"}}
    assert answers(found) == [
        ("applied", "by the rules V-3, V-4 would belong to it"),
        ("rejected", "conflicts with fix D-1001; release it first"),
    ]


def test_later_commands_work_on_what_the_earlier_ones_left() -> None:
    said = [command("merge", "B-1", "B-2"), command("split", "B-1", violations="V-2", at=101)]
    assert members(told(APART, said)) == {"B-1": {"V-1"}, "B-2": {"V-2"}}


def test_a_region_run_holds_the_commands_that_bear_on_it() -> None:
    said = [command("merge", "B-1", "B-2", at=101), command("confirm", "V-7")]
    found = told([report(1, (5, 1)), report(1, (250, 1))], said)
    assert list(found.within("west").tables["reviews"]["review_id"]) == ["D-1001"]
    assert found.within("middle").tables["reviews"].empty
