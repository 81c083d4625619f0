"""Are the trials that are not held really foregone? Against every report left out, every part climbing again."""

from __future__ import annotations

from functools import reduce
from operator import or_
from random import Random
from types import SimpleNamespace
from typing import Any

import builders
import pandas as pd
import pytest
import strategies
from story import Story

from geo import escalation, evidence, incidents, nearness, proof
from geo.assess import assess
from geo.bridges import Placed, Reach, Web, linked
from geo.course import Course, Violation
from geo.evidence import Case, Item, Told
from geo.incidents import End
from geo.nearness import HOUR_US
from geo.standing import Carrier
from geo.suspects import Court

BEGIN = nearness.instant(builders.START)
WHO = (
    ("a", "a", "media"), ("b", "b", "media"), ("a", "b", "media"), ("mission", "mission", "mission"),
    ("x", "party:L", "party"), ("y", "party:R", "party"),
)  # fmt: skip
KM = (0.0, 0.0, 4.0, 8.0, 9.0, 12.0)
HOURS = (0.0, 0.0, 0.5, 6.0, 11.0, 12.0, 18.0, 23.5, 24.0)
PARTIES = (None, None, "L", "R")
THEATRE = builders.theatre(windows=((0.0, None), (0.0, 40.0)))

POLICIES: dict[str, tuple[Any, ...]] = {
    "corroboration.qualifying_status": ("alleged", "alleged", "alleged", "corroborated"),
    "ladder.persist_reading": ("window", "literal"),
    "ladder.quiet_h": (12.0, 6.0),
    "ladder.broad_h": (72.0, 36.0, 24.0),
    "ladder.broad_reading": ("earliest", "earliest", "deadline"),
    "ladder.single_vetted": (True, False),
    "expansion.extent_m": (60_000.0, 12_000.0, 8_000.0),
    "expansion.depth_m": (50_000.0, 50_000.0, 4_500.0),
    "expansion.rate_n": (50, 50, 3, 4),
    "expansion.k": (1, 2),
    "expansion.extent_growth": ({"times": 2.0, "floor": 8000.0}, {"times": 1.5, "floor": 0.0}),
    "expansion.depth_growth": ({"times": 2.0, "floor": 3000.0}, {"times": 1.5, "floor": 0.0}),
    "expansion.rate_growth": ({"times": 2.0, "floor": 3.0}, {"times": 1.5, "floor": 2.0}),
}
WORLDS = 60


def item(report: int, hour: float, luck: Random, who: tuple[str, str, str]) -> Item:
    """Return one report near an hour."""
    at = BEGIN + round((hour + luck.choice([0.0, 0.0, 0.5])) * HOUR_US)
    end = at + round(luck.choice([0.0, 0.2, 1.0]) * HOUR_US)
    along, off = luck.choice(KM), luck.choice([1.0, 1.0, 3.0, 5.0])
    lon, lat = builders.place(100.0 + along, off)
    inside = 3 if end < BEGIN + 40 * HOUR_US else 1
    metres, said = luck.choice([100.0, 200.0]), f"{luck.randrange(100):02}-{report}"
    carrier = Carrier(
        voice=who[1], trust=who[2], disputed=False, stands_no=report, known_at=pd.Timestamp(at, unit="us", tz="UTC"),
        origin=who[0], length_us=end - at, reliability="C", credibility=2, means=None, sign=None, act="strike",
        family="any", uncertainty_m=metres, inside=inside, content=said, start=at, end=end, lon=lon, lat=lat,
    )  # fmt: skip
    weapon = luck.choice([*[None] * 9, "iskander"])
    return Item(
        report_id=f"R-{report}", chainage_m=along * 1000, distance_m=off * 1000, weapon=weapon, known_at=at,
        weapon_class=weapon and "ballistic missile", party_claimed=luck.choice(PARTIES),
        response=luck.choice([*[None] * 14, "L"]), carrier=carrier,
    )  # fmt: skip


def described(items: list[Item], row: int, court: Court) -> Placed | None:
    """Return what reports amount to."""
    nothing = Violation(0, 0, 0.0, 0.0, None, frozenset(), {}, 0, "", row)
    return evidence.again(items, Placed(nothing, 0.0, 0.0, 0, (0.0, 0.0, 0.0)), Case(None, {}), court)  # type: ignore[arg-type]


def together(placed: dict[int, Placed], reach: Reach) -> list[list[Placed]]:
    """Return what hangs together."""
    parts: list[list[Placed]] = []
    for one in placed.values():
        mine = [part for part in parts if any(linked(one, other, reach) for other in part)]
        parts = [part for part in parts if part not in mine] + [[one, *(each for part in mine for each in part)]]
    return parts


def how(part: list[Placed], court: Court) -> End:
    """Return how violations stand."""
    closes = court.closing(reduce(or_, (each.inside for each in part)))
    last = max(each.violation.end for each in part)
    end = incidents.ending(last, closes, court.grouping, court.grouping.ladder, court.as_of)
    return end if end.at is None else End(end.state, end.at, "assumed", end.at)


def climbed(part: list[Placed], court: Court) -> dict[str, list[escalation.Step]]:
    """Return the steps of every scenario that counts a violation."""
    steps = {}
    for name, (party, unknown) in court.scenarios.items():
        course = escalation.only(Course([each.violation for each in part]), party, unknown=unknown)
        if course:
            steps[name] = escalation.climb(course, court.ladder_at(course.t0[1]), court.as_of, how(part, court))
    return {name: own for name, own in steps.items() if own}


def trial(luck: Random) -> tuple[dict[int, list[Item]], Court]:
    """Return the reports of some violations, and who judges them."""
    reading, n = luck.choice([("any", 1), ("any", 1), ("any", 1), ("repeated", 2)])
    changes = {name: luck.choice(values) for name, values in POLICIES.items()}
    policy = builders.policy(**changes, **{"ladder.open_reading": reading, "ladder.open_n": n})
    told: dict[int, list[Item]] = {}
    hour = 0.0
    for row in range(luck.randint(2, 10)):
        who = luck.sample(WHO, luck.choice([1, 1, 2, 3]))
        told[row] = sorted((item(10 * row + k, hour, luck, each) for k, each in enumerate(who)), key=content)
        hour += luck.choice(HOURS)
    as_of = BEGIN + round((hour + luck.choice([2.0, 20.0, 90.0])) * HOUR_US)
    return told, Court(THEATRE.windows, escalation.scenarios(["L", "R"]), policy, lambda _: policy, n, as_of)


def content(each: Item) -> str:
    """Return what the reports of a violation are put in order by."""
    return each.carrier.content


@pytest.mark.parametrize("seed", range(12 * strategies.MORE))
def test_no_pivotal_report_is_missed_and_none_is_made_up(seed: int) -> None:
    luck = Random(seed)  # noqa: S311 -- it guards nothing
    for _ in range(WORLDS):
        _compare(*trial(luck))


def _compare(told: dict[int, list[Item]], court: Court) -> None:
    """Hold the pivotal reports of one incident against the loss of every report, one by one."""
    reach = Reach.of(court.grouping.grouping)
    placed = {row: one for row, items in told.items() if (one := described(items, row, court)) is not None}
    if len(placed) < court.grouping.ladder.open_n or len(together(placed, reach)) > 1:
        return  # no incident
    climbs = climbed(list(placed.values()), court)
    expected: dict[str, dict[int, set[str]]] = {
        name: {n: set() for n, step in enumerate(steps) if step.tier_to} for name, steps in climbs.items()
    }
    for row in placed:
        for gone in told[row]:
            rest = [each for each in told[row] if each is not gone]
            left = described(rest, row, court) if rest else None
            others = {other: one for other, one in placed.items() if other != row}
            parts = together(others if left is None else {**others, row: left}, reach)
            big = [climbed(part, court) for part in parts if len(part) >= court.grouping.ladder.open_n]
            for name, steps in expected.items():
                reached = {(step.kind, step.tier_to) for each in big for step in each.get(name, ())}
                for n, lone in steps.items():
                    if (climbs[name][n].kind, climbs[name][n].tier_to) not in reached:
                        lone.add(gone.report_id)

    whole = {
        row: Told(tuple(each.report_id for each in items), {}, frozenset(), items if len(items) > 1 else [])
        for row, items in told.items()
    }
    assert evidence.pivotal(Case(Web(placed, reach), whole), court, climbs) == expected


def pivots(story: Story, tier: int) -> list[str]:
    """Return the pivotal reports of the step by which a tier became eligible."""
    assert story.seen is not None
    steps = story.seen.tables["transitions"].query(f"scenario == 'any' and kind == 'eligible' and tier_to == {tier}")
    carried = story.seen.tables["evidence"].merge(steps[["incident_id", "scenario", "seq"]])
    return sorted(carried.loc[carried["pivotal"].astype(bool), "report_id"])


def test_rule_1_a_shot_in_a_later_window_can_hold_the_breach_though_another_ended_last() -> None:
    story = Story(builders.policy(), windows=[(0, 23), (19, None)])
    story.fire("0h").fire("1h", "13h", by="media").fire("14h", by="vetted").fire("18:30", by="media", minutes=240)
    assert pivots(story.fire("20h", km=103).look("30h"), 2) == ["R-6"], "without it the breach lapses an hour too early"


NEVER = {"times": 99.0, "floor": 9e5}
BROAD = {
    "expansion.extent_m": 7000.0, "expansion.depth_m": 4500.0, "expansion.rate_n": 99, "expansion.k": 1,
    "expansion.extent_growth": NEVER, "expansion.depth_growth": NEVER, "expansion.rate_growth": NEVER,
}  # fmt: skip


@pytest.mark.parametrize(("km", "off"), [(102, 5), (96, 1), (108, 1)])
def test_rule_4_the_deepest_and_the_outermost_shots_can_be_pivotal(km: float, off: float) -> None:
    story = Story(builders.policy(**BROAD)).fire("0h").fire("0:30", by="media")
    story.fire("1h", km=km, off=off).fire("1h", by="vetted", km=104, minutes=30)  # which is not the last to end
    assert "R-3" in pivots(story.look("3h"), 3)


def test_rule_5_the_report_that_places_a_shot_can_be_pivotal_though_the_shot_is_not() -> None:
    grows = {"expansion.extent_growth": {"times": 2.0, "floor": 5000.0}, "expansion.extent_m": 9e5,
             "corroboration.agree_m": 7000.0}  # fmt: skip
    story = Story(builders.policy(**{**BROAD, **grows}))
    story.fire("0h").fire("0:30", by="satellite").fire("1h", by="media", km=102)
    story.fire("1h", by="vetted", km=108, uncertainty_m=400.0).fire("12h", km=101).fire("30h", km=110)
    assert "R-3" in pivots(story.look("31h"), 3), "without it the breach was as wide from the first"


def test_rule_5_the_report_that_dates_a_shot_just_after_the_first_window_can_be_pivotal() -> None:
    story = Story(builders.policy(**{**BROAD, "expansion.rate_growth": {"times": 2.0, "floor": 1.0}}))
    story.fire("0h", km=98).fire("0:30", by="media", km=102).fire("24h").fire("23h", by="media", minutes=10)
    story.fire("12h", by="satellite").fire("25h", by="vetted", km=99)
    for by, km in (("vetted", 98.5), ("media", 100), ("satellite", 101.5), ("mission", 103)):
        story.fire("26:30", by=by, km=km)
    assert pivots(story.look("27h"), 3) == ["R-3"], "without it four in the first day, not three, grew to seven"


def test_a_violation_is_armed_by_who_places_it_or_else_by_who_names_a_weapon() -> None:
    luck = Random(1)  # noqa: S311 -- it guards nothing
    court = trial(luck)[1]
    shots, day = [item(n, 0.0, luck, WHO[n]) for n in range(3)], 20 * HOUR_US
    plain, armed, grave = (
        one._replace(
            weapon=weapon,
            weapon_class=weapon,
            carrier=one.carrier._replace(uncertainty_m=metres, end=one.carrier.start + day, length_us=day),
        )
        for one, metres, weapon in zip(shots, (1.0, 2.0, 3.0), (None, "mortar", "missile"), strict=True)
    )
    for items, weapon in (([plain, armed, grave], "mortar"), ([grave, armed], "mortar"), ([plain], None)):
        found = described(items, 0, court)
        assert found is not None
        assert found.violation.weapon_class == weapon


def test_the_report_by_which_a_person_confirmed_a_violation_is_pivotal_and_no_other_of_it() -> None:
    rules = builders.versions(builders.policy(**{"corroboration.qualifying_status": "confirmed"}))
    stored = builders.reports([builders.report(1.0, source="media", origin=who) for who in ("anna", "boris")])
    confirmed = builders.commands([builders.command("confirm", "V-1", at=5.0)])
    answer = assess(stored, builders.coverage(), builders.theatre(), rules, builders.when(6.0), confirmed)
    found = answer.tables["evidence"].query("scenario == 'any' and seq == 2")
    assert dict(zip(found["report_id"], found["pivotal"].astype(bool), strict=True)) == {"R-1": True, "R-2": False}


def test_of_two_weapons_that_are_named_the_one_of_the_lesser_content_is_tried_whichever_came_first() -> None:
    story = Story(builders.policy()).fire("0h", uncertainty_m=50.0).fire("0h", by="media", weapon="grad", content="2")
    story.fire("0h", by="vetted", weapon="iskander", content="1").fire("0h", by="satellite")
    assert pivots(story.look("2h"), 3) == ["R-3"]


def test_what_people_declared_is_not_examined_for_pivotal_reports() -> None:
    declared = builders.commands([builders.command("declare", "B-1", "1", at=5.0)])
    versions, at = builders.versions(builders.policy()), builders.when(80.0)
    stored = builders.reports([builders.report(1.0)])
    answer = assess(stored, builders.coverage(), builders.theatre(), versions, at, declared)
    steps = answer.tables["transitions"].query("scenario == 'any'")
    found = answer.tables["evidence"].merge(steps, on=["incident_id", "scenario", "seq"])
    told = {
        kind: None if pd.isna(each) else bool(each) for kind, each in zip(found["kind"], found["pivotal"], strict=True)
    }
    assert told == {"opened": False, "eligible": True, "effective": True, "declared": None, "ended": False}


def test_evidence_comes_by_violation_and_of_one_violation_in_order_of_content() -> None:
    reports = pd.DataFrame(
        {"report_id": ["R-1", "R-2", "R-3"], "violation_id": ["V-2", "V-1", "V-2"], "trust": "media",
         "content": ["b", "c", "a"], "source": "x", "first_no": [1, 2, 3]}
    )  # fmt: skip
    steps = (escalation.Step("opened", 0, 0, 0, "", "", (0,), (0, 1)),)
    breach = SimpleNamespace(name="B-1", climbs={"any": SimpleNamespace(steps=steps, pivotal=None)})
    found = proof.table([breach], reports, pd.DataFrame({"violation_id": ["V-1", "V-2"]}))
    assert found["report_id"].tolist() == ["R-2", "R-3", "R-1"]
