"""Does a breach of very many violations climb as one does of few? Columns answer as objects do."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import builders
import numpy as np
import pandas as pd
import pytest
import strategies
from many_breaches import many

from geo import breaches, bridges, crs, escalation, hearing, reviews, summary, throngs
from geo.bridges import Placed, Places, Reach, Sites, Web
from geo.course import Course, SetT0, Violation
from geo.decisions import Decisions
from geo.nearness import HOUR_US, Things
from geo.policy import PolicyVersion
from geo.throngs import NEVER, Columns, Throng

if TYPE_CHECKING:
    from geo.breaches import Breach

PARTIES = ("L", "R")
WEAPONS = ["mortar", "missile", None]
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
LADDER = builders.policy().ladder


def violation(row: int, luck: Random) -> Violation:
    """Return one that often begins or ends when another one does."""
    start = luck.randrange(40) * HOUR_US
    known = start + luck.randrange(9) * HOUR_US
    who = luck.choice(["a", "b", "c"])
    return Violation(
        start=start, end=start + luck.choice([0, 1, 5]) * HOUR_US, chainage_m=luck.uniform(0, 9e4),
        distance_m=luck.uniform(0, 9e4), weapon_class=luck.choice(WEAPONS), origins=frozenset({(who, who, "media")}),
        parties={party: known + luck.randrange(3) * HOUR_US for party in PARTIES if luck.random() < 0.4},
        known_at=known, content=f"{luck.randrange(10**6):06}", row=row,
        response=frozenset(luck.sample(PARTIES, luck.choice([0, 0, 0, 1]))),
    )  # fmt: skip


def columns(some: list[Violation]) -> Columns:
    """Return violations as columns, in their order."""
    numbers: dict[str, Any] = {
        name: np.array([getattr(each, name) for each in some])
        for name in ("start", "end", "chainage_m", "distance_m", "known_at", "row")
    }
    origins = np.empty(len(some), object)
    origins[:] = [each.origins for each in some]
    return Columns(
        **numbers,
        weapon=np.array([WEAPONS.index(each.weapon_class) for each in some]),
        weapons=WEAPONS,
        origins=origins,
        content=pd.array([each.content for each in some], dtype="str"),
        claims={party: np.array([each.parties.get(party, NEVER) for each in some]) for party in PARTIES},
        responds={party: np.array([party in each.response for each in some]) for party in PARTIES},
    )


def asked(course: Course) -> dict[str, Any]:
    """Return what the ladder asks of a course."""
    edge = course.starts[len(course) // 2]
    weapons = frozenset({"missile"})
    names = ("t0", "rows", "starts", "origins", "parties", "responses", "known_at", "last", "first_ended")
    return {name: getattr(course, name) for name in names} | {
        "each": list(course),
        "one by one": [course[n] for n in range(-1, len(course))],
        "begun": list(course.begun(edge)),
        "since": list(course.since(edge)),
        "last begun": course.last_begun(edge),
        "measured": [each.tolist() for each in course.measured(weapons)],
        "most": course.most(weapons),
        "first window": course.first_window(LADDER),
    }


@pytest.mark.parametrize("seed", range(20 * strategies.MORE))
def test_columns_answer_as_objects_do(seed: int) -> None:
    luck = Random(seed)  # noqa: S311 -- it guards nothing
    some = [violation(row, luck) for row in range(luck.randint(1, 30))]
    one = columns(some)
    whole, throng = Course(some), Throng(one.take(throngs.ordered(one, np.zeros(len(some), np.int64))))
    pairs = [(whole, throng)]
    if seed % 2:
        set_t0 = SetT0(HOUR_US, 2 * HOUR_US, 3 * HOUR_US, "D-1")
        pairs.append((whole.dated(set_t0), throng.dated(set_t0)))
    for course, other in pairs:
        assert asked(other) == asked(course)
        for party, unknown in (*escalation.scenarios(PARTIES).values(), ("X", False), ("X", True)):
            kept, same = (escalation.only(each, party, unknown=unknown) for each in (course, other))
            assert list(same) == list(kept)
            assert (same.key == other.key) == (kept.key == course.key)
            if kept:
                assert asked(same) == asked(kept)


def test_places_are_the_same_whether_one_is_asked_for_or_all() -> None:
    luck = Random(5)  # noqa: S311
    some = [violation(row, luck) for row in range(25)]
    lon, lat = (np.array([luck.uniform(30, 40) for _ in some]) for _ in range(2))
    one = columns(some)
    sites = Sites(Things(lon, lat, np.zeros(25), one.start, one.end), np.array([1, 3] * 12 + [1]), one.known_at)
    xyz = [tuple(each) for each in crs.ecef(lon, lat).tolist()]
    wanted = dict(enumerate(map(Placed, some, lon.tolist(), lat.tolist(), sites.inside.tolist(), xyz)))
    web = Web.of(Throng(one), sites, Reach.of(builders.policy().grouping))
    assert web.masks == {1, 3}
    places = Places(Throng(one), sites)
    assert len(places) == len(some)
    for row in luck.sample(range(25), 25):  # the first few one by one, then all at once
        assert places[row] == wanted[row]
    assert dict(places) == wanted == dict(web.placed)


@pytest.mark.parametrize("voices", [1, 3])
def test_a_large_breach_stands_as_a_small_one_would(voices: int, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, theatre = builders.policy(**{"publication.pivotal_n": 0}), builders.theatre()
    rng = np.random.default_rng(voices)
    sizes = rng.integers(1, 30, 40)
    world = many(sizes, rng.integers(1, voices + 1, sizes.sum()), BEGIN, theatre, policy)

    fired = np.where(rng.random(len(world.reports)) < 0.1, "L", None)
    reports = world.reports.assign(response=fired)

    def stand() -> list[Breach]:
        docket = hearing.hear(reviews.none(), theatre, world.as_of)
        decided = Decisions(docket, reports, world.grouping.violations, policy)
        policies = (PolicyVersion(policy=policy),)
        return breaches.escalate(world.grouping, reports, builders.coverage(), theatre, policies, world.as_of, decided)

    told = []
    for most in (10**9, 0):
        monkeypatch.setattr(throngs, "MANY", most)
        monkeypatch.setattr(bridges, "FEW", 10 if most else 100)
        found = stand()
        assert {isinstance(breach.course, Throng) for breach in found} == {most == 0}
        rows = [
            (breach.name, breach.rows, breach.end, breach.weak, breach.recurrence_of, breach.course.responses)
            for breach in found
        ]
        told.append((rows, summary.moves(found), summary.scenarios(found)))
    (rows, steps, readings), (same, again, alike) = told
    assert same == rows
    pd.testing.assert_frame_equal(again, steps)
    pd.testing.assert_frame_equal(alike, readings)
    assert set(steps["tier_to"]) >= {1, 2}
