"""Is everything in the map or in one file of the past, and may what is settled be left out?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import builders
import numpy as np
import pandas as pd
import pytest
import strategies
from builders import report, when
from hypothesis import assume, event, given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from geo import nearness, past, points
from geo.assess import PLACED, assess, place
from geo.policy import in_force
from geo.said import NOTHING, Before
from geo.settled import former, rows, settled, together

if TYPE_CHECKING:
    from strategies import World

    from geo.assess import Assessment
    from geo.incidents import Former

NAMED = {"incident_points": "incident_id", "incidents": "incident_id", "violations": "violation_id",
         "reports": "report_id"}  # fmt: skip
BELONGING = ("incident_days", "transitions", "evidence", "scenarios")
APART_H = (0.0, 60.0, 200.0)


def assessed(world: World, without: frozenset[str] = frozenset(), before: Before = NOTHING) -> Assessment:
    stored = world.stored[~world.stored["report_id"].isin(without)].reset_index(drop=True)
    return assess(stored, world.coverage, world.theatre, world.policies, world.as_of, world.commands, before)


@st.composite
def long_worlds(draw: st.DrawFn) -> World:
    """Return a world part of which happens days later."""
    world = draw(strategies.worlds(sizes=(5, 8, 12)))
    later = draw(st.lists(st.sampled_from(APART_H), min_size=len(world.stored), max_size=len(world.stored)))
    shifted = {
        name: world.stored[name] + pd.to_timedelta(later, unit="h").to_numpy()
        for name in ("observed_from", "observed_to", "known_at")
    }
    return world.but(
        stored=world.stored.assign(**shifted).astype(world.stored.dtypes.to_dict()),
        as_of=world.as_of + timedelta(hours=draw(st.sampled_from((150.0, 300.0)))),
    )


@st.composite
def cuts(draw: st.DrawFn, world: World) -> datetime:
    """Return an instant at, or a day and more after, the end of one of the observations."""
    moment = draw(st.sampled_from(world.stored["observed_to"].tolist())).to_pydatetime()
    cut = moment + timedelta(hours=draw(st.sampled_from((0.0, 24.0, 25.0, 34.0, 60.0))))
    return min(cut, world.as_of)


@strategies.tries(2)
@given(long_worlds(), st.data())
def test_every_row_is_in_exactly_one_part(world: World, data: st.DataObject) -> None:
    whole, since = assessed(world), data.draw(cuts(world))
    found = past.part(whole, since)
    parts = [found.window, *found.past.values()]
    event(f"{len(found.past)} years of the past")
    for title, name in NAMED.items():
        told = pd.concat([part.tables[title][name] for part in parts])
        assert sorted(told) == sorted(whole.tables[title][name]), title
    for title in BELONGING:
        assert sum(len(part.tables[title]) for part in parts) == len(whole.tables[title]), title
    counted = pd.concat([part.tables["counts"] for part in parts])["violations"].sum()
    assert counted == whole.tables["counts"]["violations"].sum()
    for part in parts:  # each incident whole
        for title in (*NAMED, *BELONGING):
            frame = whole.tables[title]
            mine = frame[frame["incident_id"].isin(part.tables["incident_points"]["incident_id"])]
            held = part.tables[title]
            held = held[held["incident_id"].notna()].reset_index(drop=True)
            assert_frame_equal(held, mine.reset_index(drop=True), check_categorical=False)


@strategies.tries(2)
@given(long_worlds(), st.data())
def test_nothing_that_goes_on_is_past_and_nothing_over_is_in_the_window(world: World, data: st.DataObject) -> None:
    since = pd.Timestamp(data.draw(cuts(world)))
    found = past.part(assessed(world), since.to_pydatetime())
    for held in found.past.values():
        assert held.tables["incident_points"]["state"].isin(["ended", "candidate"]).all()
        assert (held.tables["reports"]["observed_to"] < since).all()
        assert (held.tables["transitions"]["at"] < since).all()
    kept = found.window.tables
    last = pd.concat([
        kept["violations"].groupby("incident_id")["observed_to"].max(),
        kept["transitions"].groupby("incident_id")["at"].max(),
    ]).groupby(level=0).max()  # fmt: skip
    ended = kept["incident_points"].query("state in ('ended', 'candidate')")["incident_id"]
    assert (last[ended] >= since).all()


@strategies.tries(2)
@given(long_worlds())
def test_an_answer_keeps_of_each_report_where_it_was_placed(world: World) -> None:
    answer = assessed(world)
    anew = place(world.stored, world.theatre, world.policies, world.as_of)
    assert_frame_equal(answer.placed, anew[PLACED])
    assert answer.placed["report_id"].tolist() == answer.tables["reports"]["report_id"].tolist()


@strategies.tries(4)
@given(long_worlds(), st.data())
def test_what_is_settled_may_be_left_out(world: World, data: st.DataObject) -> None:
    """Whatever comes in later, as long as it begins after the cut: everything else is as with it, value by value."""
    if data.draw(st.booleans()):
        world = data.draw(strategies.decided(world))
    since = data.draw(cuts(world))
    new = world.stored["observed_from"] >= pd.Timestamp(since)
    waits = new & data.draw(st.lists(st.booleans(), min_size=len(new), max_size=len(new)).map(np.array))
    early = world.but(stored=world.stored[~waits].reset_index(drop=True))
    assume(len(early.stored))
    done, gone = settle(early, since)
    event(f"settled: {min(len(done), 3)}")

    later = world.but(as_of=world.as_of + timedelta(hours=data.draw(st.sampled_from((0.0, 7.0, 48.0)))))
    assume(in_force(later.policies, later.as_of) is in_force(world.policies, world.as_of))
    full, less = assessed(later), assessed(later, done, Before(gone))
    kept = full.only(
        set(full.tables["incident_points"]["incident_id"]) - set(gone.name) - candidates(full, done),
        *(set(full.tables[title][name]) - held(full, done, title, name) for title, name in LOOSE),
    )
    for title, frame in less.tables.items():
        if title in {"counts", "segments", "regions", "coverage", "reviews"}:
            continue
        assert_frame_equal(frame, kept.tables[title], obj=title)
    one, other = (past.part(answer, since).window.tables for answer in (full, less))
    for title, frame in other.items():
        if title not in RECENT or since <= later.as_of - timedelta(days=7):
            assert_frame_equal(frame, one[title], obj=title)
    persist_h = max(version.policy.ladder.persist_h for version in world.policies)
    if since <= early.as_of - timedelta(hours=persist_h):
        whole = assessed(later, done, told(early, done, gone))
        for title, frame in whole.tables.items():
            assert_frame_equal(frame, full.tables[title], obj=title)


def told(world: World, done: frozenset[str], gone: Former) -> Before:
    """Return what a run that leaves these reports out has to know, if its answer shall hold them."""
    answer = assessed(world)
    some = answer.placed["report_id"].isin(done).to_numpy(bool)
    days = points.days(answer.placed[some], world.theatre, in_force(world.policies, world.as_of).matching)
    return Before(gone, rows(answer, some), days)


RECENT = ("segments", "regions", "coverage")
LOOSE = (("violations", "violation_id"), ("reports", "report_id"))


def settle(world: World, since: datetime) -> tuple[frozenset[str], Former]:
    answer = assessed(world)
    named = set() if world.commands is None else {n for each in world.commands["subjects"] for n in each.values()}
    policy = in_force(world.policies, world.as_of)
    homes = together(answer, answer.placed["first_no"], policy)
    done = settled(answer, homes, past.gone(answer, since), policy, since, named)
    return frozenset(answer.tables["reports"].loc[done, "report_id"]), former(answer, done)


def candidates(answer: Assessment, done: frozenset[str]) -> set[str]:
    reports = answer.tables["reports"]
    names = reports.loc[reports["report_id"].isin(done), "incident_id"].dropna()
    return {name for name in names if name.startswith("C-")}


def held(answer: Assessment, done: frozenset[str], title: str, name: str) -> set[str]:
    """Return what is not to be cut out by its own name: what is settled, and what an incident brings along."""
    frame = answer.tables[title]
    reports = answer.tables["reports"]
    mine = set(reports.loc[reports["report_id"].isin(done), name].dropna())
    return mine | set(frame.loc[frame["incident_id"].notna(), name])


def test_an_incident_is_of_the_year_in_which_it_ended() -> None:
    new_year = (datetime(2027, 1, 1, tzinfo=builders.START.tzinfo) - builders.START) / timedelta(hours=1)
    rows = [report(new_year - 1), report(new_year - 60, (200, 1)), report(new_year - 80, (250, 1), act="heat")]
    answer = assess(
        builders.reports(rows), builders.coverage(), builders.theatre(), builders.versions(builders.policy()),
        when(new_year + 500),
    )  # fmt: skip
    found = past.part(answer, when(new_year + 400))
    assert {year: part.tables["reports"]["report_id"].tolist() for year, part in found.past.items()} == {
        2026: ["R-2", "R-3"],
        2027: ["R-1"],
    }
    assert found.window.tables["reports"].empty


@pytest.mark.parametrize(("hours", "years"), [(24.0, []), (24.0 + 1 / 3600, [2026])])
def test_an_incident_leaves_the_map_when_the_window_begins_after_its_end(hours: float, years: list[int]) -> None:
    answer = assess(
        builders.reports([report(10)]), builders.coverage(), builders.theatre(),
        builders.versions(builders.policy()), when(900),
    )  # fmt: skip
    assert sorted(past.part(answer, when(10 + hours)).past) == years


def test_the_window_begins_at_midnight() -> None:
    rules = builders.policy(**{"publication.window_d": 30}).publication
    assert rules.window_from(datetime.fromisoformat("2026-03-31T13:05:00+00:00")) == datetime(2026, 3, 1, tzinfo=UTC)


def test_the_ground_is_in_every_part_and_what_happened_lately_in_the_map_alone() -> None:
    answer = assess(
        builders.reports([report(10, (105, 1)), report(890, (105, 1))]), builders.coverage(), builders.theatre(),
        builders.versions(builders.policy()), when(900),
    )  # fmt: skip
    found = past.part(answer, when(500))
    for name in past.GROUND:
        assert len(found.past[2026].tables[name]) == len(found.window.tables[name]) > 0
    assert found.window.tables["segments"]["violations_24h"].sum() == 1
    assert found.past[2026].tables["segments"]["violations_24h"].isna().all()


# --- What is settled, rule by rule ---


def world_of(*rows: dict[str, object], at: float = 900.0) -> World:
    return strategies.World(
        builders.reports(rows), builders.coverage(), builders.theatre(), builders.versions(builders.policy()), when(at)
    )


REACH_H = 24.0 + 1.0 + 6.0 + 25.0 + 1.0  # link_gap_h, before_h, after_h, coarse_h, agree_min of the honest policy


@pytest.mark.parametrize(("hours", "done"), [(REACH_H, set()), (REACH_H + 1 / 3600, {"R-1"})])
def test_a_report_is_settled_only_beyond_all_reach_of_what_may_come(hours: float, done: set[str]) -> None:
    assert settle(world_of(report(10)), when(10 + hours))[0] == done


def test_what_may_be_linked_once_a_later_report_places_what_an_earlier_one_dates_is_not_settled() -> None:
    gone, dating = report(51), report(75, (111, 1), source="satellite", minutes=24.5 * 60, uncertainty_m=500.0)
    world = world_of(gone, dating, report(100, (109.5, 1), minutes=25 * 60), at=268.0)
    assert assessed(world).tables["incidents"]["qualifying"].tolist() == [2]
    assert settle(world.but(stored=world.stored.iloc[:2]), when(100))[0] == set()


def test_one_report_that_may_still_change_keeps_all_that_it_may_meet() -> None:
    chain = [report(10.0 + 20 * n, (100 + 8.0 * n, 1)) for n in range(4)]
    assert settle(world_of(*chain, report(10, (200, 1))), when(100))[0] == {"R-5"}
    week = report(20, (105, 1), to=95, uncertainty_m=20_000.0)  # coarse: it only attaches
    assert settle(world_of(report(10), report(60, (110, 1)), week, report(10, (200, 1))), when(100))[0] == {"R-4"}


def test_what_may_yet_be_one_candidate_is_settled_together_or_not_at_all() -> None:
    wide, week = report(10, uncertainty_m=6000.0), report(30, (107, 1), to=200)
    world, since = world_of(wide, week, report(190, (116, 1))), when(195)
    assert settle(world, since)[0] == set()
    later = world.but(stored=world.stored.iloc[:2])  # the incident that held the week is taken back
    assert assessed(later).tables["incidents"]["violations"].tolist() == [2]
    two = [report(29), report(30, to=60), report(70, (107, 1), to=300), report(290, (116, 1))]
    assert settle(world_of(*two), when(250))[0] == {"R-1", "R-2"}  # each is held by an incident, one of them settled


def test_heat_is_kept_as_long_as_anything_of_its_time_is() -> None:
    heat = report(12, act="heat", source="firms")
    assert settle(world_of(report(10, (200, 1)), heat), when(500))[0] == {"R-1", "R-2"}
    going = [report(10.0 + 20 * n) for n in range(44)]
    assert settle(world_of(report(10, (200, 1)), heat, *going), when(500))[0] == {"R-1"}


def test_what_a_person_named_is_never_settled() -> None:
    world = world_of(report(10), report(12, (200, 1)))
    decided = builders.commands([builders.command("declare", "B-1", "1")])
    assert settle(world, when(500))[0] == {"R-1", "R-2"}
    assert settle(world.but(commands=decided), when(500))[0] == {"R-2"}


def test_an_incident_recurs_from_one_that_was_left_out() -> None:
    world = world_of(report(10), report(890, (104, 1)))
    world = world.but(coverage=builders.coverage([(0.0, 900.0, True)], km=(104, 1), radius_m=20_000.0))
    done, gone = settle(world, when(500))
    assert done == {"R-1"}
    whole, less = (assessed(world, *without).tables["incidents"].iloc[-1] for without in ((), (done, Before(gone))))
    for found in (whole, less):
        assert (found["incident_id"], found["recurrence_of"], found["gap_covered"]) == ("B-2", "B-1", True)
    assert (gone.name.tolist(), gone.ended.tolist()) == (["B-1"], [nearness.instant(when(34))])


def test_an_incident_recurs_from_the_latest_that_was_left_out() -> None:
    world = world_of(report(10), report(300, (104, 3)), report(200), report(400, (124, 1)), report(890, (104, 1)))
    done, gone = settle(world, when(600))
    assert done == {"R-1", "R-2", "R-3", "R-4"}
    assert assessed(world, done, Before(gone)).tables["incidents"]["recurrence_of"].tolist() == ["B-2"]
