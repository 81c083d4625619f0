"""What does each reading of an incident say: whose fire it was, how far it has grown, what is due?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import strategies
from builders import policy
from hypothesis import given
from hypothesis import strategies as st
from story import Story, clock

from geo.course import Course, Violation, grown
from geo.escalation import climb
from geo.incidents import End
from geo.nearness import HOUR_US

GOING_ON = End("active")


def told(story: Story, scenario: str) -> pd.Series:
    """Return what the first incident is in a scenario."""
    assert story.seen is not None
    table = story.seen.tables["scenarios"]
    mine = table.loc[(table["incident_id"] == story.incident()["incident_id"]) & (table["scenario"] == scenario)]
    assert len(mine) <= 1
    return mine.iloc[0] if len(mine) else pd.Series(dtype=object)


def answered(**response: Any) -> Story:  # noqa: ANN401 -- any column of a report
    """Return an attack by L that R halts with fire a day later."""
    story = Story(policy()).fire("0h", party_claimed="L").fire("2h", by="media", party_claimed="L")
    return story.fire("25h", **{"act": "response", "party_claimed": "R", **response}).look("26h")


# RULE 8 Declared response fire.


@pytest.mark.parametrize("by", ["party-r", "mission", "vetted"])
def test_rule_8_declared_response_fire_counts_in_its_own_partys_scenarios_alone(by: str) -> None:
    story = answered(by=by)
    assert story.incident()["tier_peak"] == 1
    assert (story.incident()["qualifying"], story.incident()["responses"]) == (3, 1)
    assert {name: told(story, name).get("qualifying") for name in ("any", "L", "R", "L+unknown", "R+unknown")} == {
        "any": 2, "L": 2, "R": 1, "L+unknown": 2, "R+unknown": 1,
    }  # fmt: skip
    assert told(story, "R")["t0_from"] == clock("25h")


@pytest.mark.parametrize(("by", "claimed"), [("media", "R"), ("party-l", "R"), ("satellite", "R"), ("mission", None)])
def test_rule_8_nobody_else_can_declare_it_and_nobody_can_for_nobody(by: str, claimed: str | None) -> None:
    story = answered(by=by, party_claimed=claimed)
    assert (story.incident()["tier_peak"], story.incident()["responses"]) == (2, 0)


def test_rule_8_what_both_are_blamed_for_is_response_fire_of_the_one_that_declared_it() -> None:
    story = answered(by="party-r").fire("25h", by="media", party_claimed="L", origin="anna").look("26h")
    assert story.incident()["qualifying"] == 3
    assert (told(story, "L")["qualifying"], told(story, "R")["qualifying"]) == (2, 1)


def test_rule_8_an_incident_of_nothing_else_climbs_in_its_own_partys_scenario_alone() -> None:
    story = Story(policy()).fire("0h", by="party-r", act="response", party_claimed="R").look("2h")
    assert story.incident()[["state", "tier_eligible", "tier_label", "responses"]].tolist() == ["active", 0, "watch", 1]
    assert story.incident()[["next_due", "growth", "persistence"]].isna().all()
    assert (story.steps(), len(story.steps(scenario="R"))) == ([], 3)
    assert story.incident()["t0_from"] == clock("0h")


def test_rule_8_where_more_than_one_shot_is_asked_for_response_fire_opens_nothing_for_others() -> None:
    story = Story(policy(**{"ladder.open_reading": "repeated", "ladder.open_n": 2}))
    story.fire("0h").fire("5h", by="party-r", act="response", party_claimed="R").look("6h")
    assert story.incident()[["incident_id", "tier_eligible", "tier_peak"]].tolist() == ["B-1", 0, 0]


# Growth and persistence in figures.


def test_growth_is_told_with_its_figures_whatever_the_tier() -> None:
    story = Story(policy()).fire("0h", "2h", off=1.0).fire("3h", km=104.1, by="media").look("20h")
    assert story.incident()["growth"] == "extent 4.1 → 4.1 km, depth 1.0 → 1.0 km, rate 3 → 3 in 24 h"
    story.fire("26h", "27h", "28h", "29h", km=106.0, off=-6.0, by="media").look("30h")
    row = story.incident()
    assert row["growth"] == "extent 4.1 → 6.0 km, depth 1.0 → 6.0 km, rate 3 → 4 in 24 h"
    figures = row[["extent_first_m", "extent_m", "depth_first_m", "depth_m", "rate_first_n", "rate_n"]].astype(float)
    assert figures.round(-1).tolist() == [4100, 6000, 1000, 6000, 0, 0]
    assert (row["rate_first_n"], row["rate_n"]) == (3, 4)


def test_the_rate_is_the_most_of_any_day_and_not_of_the_last() -> None:
    hours = (0, 30, 31, 32, 60, 61)
    course = [Violation(h * HOUR_US, h * HOUR_US, 0.0, 0.0, None, frozenset(), {}, 0, str(h), h) for h in hours]
    assert grown(Course(course), policy().ladder)[-2:] == (1, 3)
    assert grown(Course(course[::-1]), policy().ladder) == grown(Course(course), policy().ladder)


@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.floats(0, 1e5), st.floats(0, 1e5), st.sampled_from([None, "drone", "mlrs"])),
        min_size=1,
        max_size=8,
    )
)
def test_no_moment_of_a_breach_exceeds_what_it_came_to_at_most(
    told: list[tuple[int, float, float, str | None]],
) -> None:
    course = Course(
        [
            Violation(h * HOUR_US, h * HOUR_US, km, off, weapon, frozenset(), {}, 0, str(n), n)
            for n, (h, km, off, weapon) in enumerate(told)
        ]
    )
    weapons = frozenset({"mlrs"})
    for moment, most in zip(course.measured(weapons), course.most(weapons), strict=True):
        assert (moment <= most).all()


def test_persistence_is_told_with_its_hours() -> None:
    story = Story(policy()).fire("0h").look("12h")
    assert story.incident().isna()["persistence_why"]
    assert story.look("26h").incident()["persistence_why"] == "none is known from 12.0 h to 24.0 h after T0"
    story.fire("20h", by="media", uncertainty_m=9000.0)
    assert story.look("26h").incident()["persistence_why"] == (
        "none surely began from 12.0 h to 24.0 h after T0, but one may have, or a part of that was declared unseen"
    )
    story.fire("13h", "19h", by="vetted")
    assert story.look("26h").incident()["persistence_why"] == (
        "2 began from 12.0 h to 26.0 h after T0, the first at 13.0 h"
    )


@st.composite
def courses(draw: st.DrawFn) -> list[Violation]:
    """Return violations whose observations take up to two days; whole hours, so that edges are met."""
    out = []
    for n in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, 60)) * HOUR_US
        end = start + draw(st.sampled_from([0, 1, 6, 24, 48])) * HOUR_US
        origin = draw(st.sampled_from(["a", "b"]))
        out.append(
            Violation(start, end, 0.0, 0.0, None, frozenset({(origin, f"origin {origin}", "media")}), {}, 0, str(n), n)
        )
    return out


@strategies.tries(200)
@given(courses(), st.sampled_from(["literal", "window"]), st.data())
def test_what_persists_by_intervals_persists_whatever_the_instants_in_them_were(
    course: list[Violation], persist_reading: str, data: st.DataObject
) -> None:
    rules, later = policy(**{"ladder.persist_reading": persist_reading}), 1000 * HOUR_US
    if 2 not in {step.tier_to for step in climb(Course(course), rules, later, GOING_ON)}:
        return
    instants = [v.start + data.draw(st.integers(0, (v.end - v.start) // HOUR_US)) * HOUR_US for v in course]
    real = [v._replace(start=at, end=at) for v, at in zip(course, instants, strict=True)]
    assert 2 in {step.tier_to for step in climb(Course(real), rules, later, GOING_ON)}


# What is due.


def test_each_party_has_its_own_clock_where_both_fired() -> None:
    story = Story(policy()).fire("0h", party_claimed="L").fire("13h", by="media", party_claimed="R").look("14h")
    assert pd.isna(told(story, "any")["next_due"])
    assert (told(story, "L")["next_due"], told(story, "R")["next_due"]) == (clock("24h"), clock("37h"))


@pytest.mark.parametrize(
    ("broad_reading", "at", "due", "what"),
    [("earliest", "1h", "24h", "response to the breach"), ("deadline", "1h", "24h", "response to the breach"),
     ("earliest", "24h30", "25h", "persistence"), ("deadline", "24h30", "25h", "persistence"),
     ("earliest", "30h", "72h", "co-ordinated response is due"), ("deadline", "30h", "72h", "is due"),
     ("earliest", "72h30", "73h", "takes effect"), ("deadline", "72h30", None, "")],
)  # fmt: skip
def test_every_reading_says_what_is_due_next(broad_reading: str, at: str, due: str | None, what: str) -> None:
    story = Story(policy(**{"ladder.broad_reading": broad_reading})).fire("0h", minutes=60, weapon="iskander")
    story.fire("0h", minutes=60, by="media", weapon="iskander").fire("22h", "44h", "66h", by="media").look(at)
    row = told(story, "any")
    assert (None if pd.isna(row["next_due"]) else row["next_due"]) == (None if due is None else clock(due))
    assert what in (row["next_due_what"] if due else "")


def test_nothing_is_due_of_what_has_ended() -> None:
    story = Story(policy()).fire("0h").look("24:01")
    assert (told(story, "any")["tier_eligible"], told(story, "any")["tier_peak"]) == (0, 1)
    assert pd.isna(told(story, "any")["next_due"])
