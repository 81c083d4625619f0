"""Do the ladder and its naive twin take the same steps, for any course of violations?

Courses are drawn directly, many and small, with moments and measures on the thresholds, and a second or a metre beside.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import builders
import oracle_ladder
import strategies
from builders import START, when
from hypothesis import given
from hypothesis import strategies as st
from oracle_violations import word_of

from geo import escalation
from geo.course import Course, SetT0, Violation
from geo.incidents import End, Watch
from geo.nearness import instant

if TYPE_CHECKING:
    from geo.policy import Policy

SECOND = 1 / 3600
INSTANT = SECOND / 10**6
HOURS = (0.0, 0.5, 6.0, 11.9, 12.0, 12.0 + SECOND, 23.0, 24.0 - SECOND, 24.0, 24.0 + SECOND, 36.0, 47.0, 59.0, 60.0,
         60.0 + SECOND, 71.0, 72.0 - SECOND, 72.0, 72.0 + SECOND, 80.0, 96.0)  # fmt: skip
LENGTHS = (0.0, 0.0, 0.0, SECOND, 1.0, 12.0, 24.0)
ALONG_M = (0.0, 500.0, 999.0, 1000.0, 1001.0, 2000.0, 4000.0, 4001.0)
DEEP_M = (0.0, 100.0, 199.0, 200.0, 400.0, 1000.0, 1001.0)
WHO = (("mission", "mission", None), ("media", "anna", None), ("media", "boris", None), ("party", "party-l", "L"),
       ("party", "party-l-air", "L"), ("party", "party-r", "R"))  # fmt: skip


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Return a policy with low thresholds."""
    n = draw(st.sampled_from([1, 1, 2, 3]))
    return builders.policy(
        **{
            "ladder.open_n": n,
            "ladder.open_reading": "any" if n == 1 else "repeated",
            "ladder.persist_reading": draw(st.sampled_from(["window", "literal"])),
            "ladder.broad_reading": draw(st.sampled_from(["earliest", "deadline"])),
            "ladder.single_vetted": draw(st.booleans()),
            "expansion.extent_m": draw(st.sampled_from([4000.0, 9000.0])),
            "expansion.depth_m": draw(st.sampled_from([1000.0, 9000.0])),
            "expansion.rate_n": draw(st.sampled_from([3, 5, 20])),
            "expansion.k": draw(st.integers(1, 3)),
            "expansion.extent_growth": {"times": 2.0, "floor": draw(st.sampled_from([0.0, 1000.0]))},
            "expansion.depth_growth": {"times": 2.0, "floor": draw(st.sampled_from([0.0, 200.0]))},
            "expansion.rate_growth": {"times": draw(st.sampled_from([1.5, 2.0])), "floor": 2.0},
        }
    )


@st.composite
def acts(draw: st.DrawFn) -> dict[str, Any]:
    """Return one violation as the naive twin has it; all but its content."""
    begin = when(draw(st.sampled_from(HOURS)))
    claims = draw(st.lists(st.sampled_from([None, "L", "R"]), min_size=1, max_size=2))
    known = begin + timedelta(hours=draw(st.sampled_from([1.0, 30.0, 200.0])))
    who = draw(st.lists(st.sampled_from(WHO), min_size=len(claims), max_size=len(claims)))
    carriers = [
        {
            "trust": trust,
            "origin": origin,
            "party": party,
            "behind": party,
            "party_claimed": claim,
            "known_at": known + timedelta(hours=n),
        }
        for n, ((trust, origin, party), claim) in enumerate(zip(who, claims, strict=True))
    ]
    return {
        "from": begin,
        "to": begin + timedelta(hours=draw(st.sampled_from(LENGTHS))),
        "chainage": draw(st.sampled_from(ALONG_M)),
        "depth": draw(st.sampled_from(DEEP_M)),
        "weapon_class": draw(st.sampled_from([None] * 8 + ["mortar", "ballistic missile"])),
        "parties": {claim for claim in claims if claim},
        "responses": set(),
        "carriers": carriers,
        "spoken": carriers,
        "blamed": None,
        "qualified_known_at": known,
    }


def fast(row: dict[str, Any], n: int) -> Violation:
    """Return the same violation as the ladder has it."""
    origins = {
        (each["origin"], f"party {each['party']}" if each["party"] else f"origin {each['origin']}", word_of(each))
        for each in row["carriers"]
    }
    claims = {
        party: min(instant(each["known_at"]) for each in row["carriers"] if each["party_claimed"] == party)
        for party in row["parties"]
    }
    return Violation(
        instant(row["from"]), instant(row["to"]), row["chainage"], row["depth"], row["weapon_class"],
        frozenset(origins), claims, instant(row["qualified_known_at"]), row["content"], n,
    )  # fmt: skip


@strategies.tries(200)
@given(st.lists(acts(), min_size=1, max_size=9), policies(), st.sampled_from(HOURS), st.booleans())
def test_the_ladder_and_its_naive_twin_take_the_same_steps(
    rows: list[dict[str, Any]],
    policy: Policy,
    later: float,
    over: bool,  # noqa: FBT001 -- drawn
) -> None:
    rows = [{**row, "content": f"{n:03d}"} for n, row in enumerate(rows)]
    course = [fast(row, n) for n, row in enumerate(rows)]
    last = max(row["to"] for row in rows)
    as_of = max(last, START + timedelta(hours=later)) + timedelta(hours=25 if over else 0)
    ends = last + timedelta(hours=24) if as_of > last + timedelta(hours=24) else None
    incident = {"id": "B-1", "members": rows, "end_at": ends, "attached": [], "t0_to": min(row["to"] for row in rows)}
    known = max(row["qualified_known_at"] for row in rows)
    end = End("active") if ends is None else End("ended", instant(ends), "assumed", instant(max(known, ends)))

    for scenario, (party, unknown) in escalation.scenarios(["L", "R"]).items():
        counted = escalation.only(Course(course), party, unknown=unknown)
        steps = escalation.climb(counted, policy, instant(as_of), end)
        naive = oracle_ladder.ladder(incident, scenario, policy, builders.versions(policy), as_of)
        assert [(s.kind, s.tier_from, s.tier_to, s.at, s.known_at) for s in steps] == [
            (s["kind"], s["tier_from"], s["tier_to"], instant(s["at"]), instant(s["known_at"])) for s in naive
        ]
        for tier in (1, 2, 3):
            assert escalation.reached(counted, policy, instant(as_of), end, tier) == {
                (step.kind, step.tier_to) for step in steps if step.kind != "ended" and step.tier_to <= tier
            }
    persists = escalation.persistence(Course(course), [], Watch(), policy, instant(as_of), end)
    assert persists == oracle_ladder.persistence(incident, rows, [], policy, policy, as_of)


# --- what it says, and what a person's word on time does to it


def shot(hours: float, n: int, chainage_m: float = 0.0, **more: Any) -> Violation:  # noqa: ANN401 -- any of its fields
    """Return one shot that two independent origins tell of at once."""
    at = instant(when(hours))
    told = frozenset({("anna", "origin anna", "media"), ("boris", "origin boris", "media")})
    return Violation(at, at, chainage_m, 0.0, None, told, {}, at, str(n), n)._replace(**more)


def climbed(course: list[Violation], as_of: float, end: End | None = None, **policy: Any) -> list[escalation.Step]:  # noqa: ANN401
    return escalation.climb(Course(course), builders.policy(**policy), instant(when(as_of)), end or End("active"))


def test_a_sentence_counts_which_violation_opened_the_breach() -> None:
    course = [shot(0, 0), shot(1, 1)]
    assert climbed(course, 2)[0].reason == "the first qualifying violation began"
    second = climbed(course, 2, **{"ladder.open_n": 2, "ladder.open_reading": "repeated"})[0].reason
    assert second == "qualifying violation number 2 (reading repeated) began"


def test_a_sentence_says_whether_hostilities_went_on_after_the_bound_or_just_before_it() -> None:
    policy = {"ladder.persist_reading": "window"}
    for hours, words in ((24.0, "began 24.0 h after T0, after T0 + 24 h"), (20.0, "within the 12 h before T0 + 24 h")):
        reasons = [step.reason for step in climbed([shot(0, 0), shot(hours, 1)], 30, **policy) if step.tier_to == 2]
        assert reasons
        assert all(words in reason for reason in reasons)


def test_a_sentence_names_the_ratios_from_exactly_as_many_on_as_the_policy_asks_for() -> None:
    policy = {
        "expansion.k": 1, "expansion.extent_m": 9e5, "expansion.rate_n": 99,
        "expansion.extent_growth": {"times": 2.0, "floor": 1000.0},
        "expansion.rate_growth": {"times": 99.0, "floor": 99.0},
    }  # fmt: skip
    course = [shot(0, 0), shot(0, 1, 1000.0), shot(25, 2, 5000.0)]
    [eligible] = [step for step in climbed(course, 30, **policy) if step.tier_to == 3 and step.kind == "eligible"]
    assert eligible.reason == "a broader attack: extent 1.0 → 5.0 km"


def test_a_tier_above_the_first_is_not_reached_at_the_very_instant_of_the_end() -> None:
    course = [shot(0, 0), shot(24, 1)]
    for hours, tiers in ((24.0, {0, 1}), (24.0 + SECOND, {0, 1, 2})):
        end = End("ended", instant(when(hours)), "ceased", instant(when(30)))
        assert {step.tier_to for step in climbed(course, 30, end) if step.kind != "ended"} == tiers


def test_where_no_quiet_time_is_allowed_even_a_shot_at_the_very_instant_shows_nothing_of_hostilities() -> None:
    course = [shot(0, 0, weapon_class="ballistic missile"), shot(20, 1), shot(72, 2)]
    taken = [step.kind for step in climbed(course, 73, **{"ladder.quiet_h": 1e-10}) if step.tier_to == 3]
    assert taken == ["eligible"]


def test_a_breach_that_is_said_to_have_ended_as_it_began_was_a_warning_all_the_same() -> None:
    end = End("ended", instant(when(0)), "ceased", instant(when(30)))
    kinds = [(step.kind, step.tier_to) for step in climbed([shot(0, 0)], 30, end)]
    assert kinds == [("opened", 0), ("eligible", 1), ("effective", 1), ("ended", 0)]


def test_a_sentence_tells_when_a_broader_attack_takes_effect() -> None:
    def effect(*hours: float, grave: float) -> str:
        course = [
            shot(hour, n, weapon_class="ballistic missile" if hour == grave else None) for n, hour in enumerate(hours)
        ]
        [told] = [step.reason for step in climbed(course, 120) if (step.kind, step.tier_to) == ("effective", 3)]
        return told

    assert effect(0, 70, grave=0) == "72 h after T0 have passed and the last violation ended 2.0 h before"
    assert effect(0, 72, grave=0) == "72 h after T0 have passed and the last violation ended 0.0 h before"
    assert effect(0, 75, grave=0) == "72 h after T0 have passed and hostilities went on after a pause"
    assert effect(0, 70, 80, grave=80) == "72 h after T0 have passed and the last violation ended 0.0 h before"


def test_nothing_lies_in_a_first_window_that_a_person_set_before_every_shot() -> None:
    early = SetT0(instant(when(-90)), instant(when(-90)), instant(when(1)), "D-1")
    course = Course([shot(0, 0, t0=early), shot(1, 1, 5000.0, t0=early)])
    assert course.first_window(builders.policy().ladder) == (0.0, 0.0, 0)


def test_what_people_declare_is_a_ladder_of_its_own_and_the_end_is_told_in_their_words() -> None:
    at, end = instant(when(30)), End("ended", instant(when(40)), "decided", instant(when(41)), "a person ended it")
    steps = climbed([shot(0, 0), shot(24, 1)], 50, end)
    steps += [steps[0]._replace(kind="declared", tier_to=tier, at=at + tier) for tier in (1, 2)]
    told = [step for step in escalation.with_tiers(steps) if step.kind in {"declared", "ended"}]
    assert [(step.kind, step.tier_from, step.tier_to) for step in told] == [
        ("declared", 0, 1), ("declared", 1, 2), ("ended", 2, 0),
    ]  # fmt: skip
    assert told[-1].reason == "a person ended it"


def test_nothing_is_told_before_its_instant_though_the_breach_goes_on() -> None:
    course = [shot(0, 0), shot(20, 1)]
    policy = {"ladder.persist_reading": "window"}
    assert {step.tier_to for step in climbed(course, 23, **policy)} == {0, 1}
    assert {step.tier_to for step in climbed(course, 24, **policy)} == {0, 1, 2}


def persists(attached: list[tuple[float, float]], as_of: float, end: End | None = None, **policy: Any) -> str | None:  # noqa: ANN401
    """Return the verdict on one shot at hour 0 with others attached, and whatever was not seen left out."""
    spans = [(instant(when(a)), instant(when(b))) for a, b in attached]
    rules = builders.policy(**policy)
    return escalation.persistence(
        Course([shot(0, 0)]), spans, Watch(), rules, instant(when(as_of)), end or End("active")
    )


def test_what_may_have_happened_counts_from_the_first_to_the_last_instant_of_the_span_that_is_judged() -> None:
    literal, window = ({"ladder.persist_reading": reading} for reading in ("literal", "window"))
    for begin, policy in ((24.0, literal), (12.0, window)):
        assert persists([(0.0, begin)], 30, **policy) == "indeterminate"
        assert persists([(0.0, begin - INSTANT)], 30, **policy) == "ceased"
        assert persists([(30.0, 40.0)], 30, **policy) == "indeterminate"
        assert persists([(30.0 + INSTANT, 40.0)], 30, **policy) == "ceased"
    assert persists([(0.0, 24.0)], 24, **literal) == "indeterminate"
    end = End("ended", instant(when(28)), "ceased", instant(when(28)))
    assert persists([(28.0, 29.0)], 30, end, **literal) == "indeterminate"
    assert persists([(28.0 + INSTANT, 29.0)], 30, end, **literal) == "ceased"
    early = End("ended", instant(when(20)), "ceased", instant(when(20)))
    assert persists([(24.0, 30.0)], 30, early, **literal) == "ceased"


def test_the_words_on_persistence_name_the_span_that_was_judged() -> None:
    def words(as_of: float, end: End | None = None, *more: Violation, **policy: Any) -> str | None:  # noqa: ANN401
        rules, course, at = builders.policy(**policy), Course([shot(0, 0), *more]), instant(when(as_of))
        verdict = escalation.persistence(course, [], Watch(), rules, at, end or End("active"))
        return escalation.persistence_in_words(course, verdict, rules, at, end or End("active"))

    literal, window = ({"ladder.persist_reading": reading} for reading in ("literal", "window"))
    assert words(23, **literal) is None
    assert words(30, **literal) == "none is known from 24.0 h to 30.0 h after T0"
    assert words(30, **window) == "none is known from 12.0 h to 30.0 h after T0"
    end = End("ended", instant(when(26)), "ceased", instant(when(26)))
    assert words(30, end, **literal) == "none is known from 24.0 h to 26.0 h after T0"
    early = End("ended", instant(when(20)), "ceased", instant(when(20)))
    assert words(30, early, **literal) == "none is known from 24.0 h to 24.0 h after T0"
    assert words(30, None, shot(25, 1), shot(29, 2), **literal) == (
        "2 began from 24.0 h to 30.0 h after T0, the first at 25.0 h"
    )
