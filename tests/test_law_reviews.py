"""Do the laws of the design hold when people decide? The same properties, in worlds with commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import strategies
import test_laws as laws
from hypothesis import assume, given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

if TYPE_CHECKING:
    import pandas as pd
    from strategies import World

    from geo.assess import Assessment

FEW = strategies.tries(3)
PLAIN: dict[str, Any] = {"sizes": (5, 8, 12)}
DECIDED = strategies.worlds(**PLAIN).flatmap(strategies.decided)
OF_ONE_POLICY = strategies.worlds(two_policies=False, **PLAIN).flatmap(strategies.decided)


def commands(world: World) -> pd.DataFrame:
    assert world.commands is not None
    return world.commands


def same_but_reviews(one: Assessment, other: Assessment) -> None:
    for name, table in one.tables.items():
        if name != "reviews":
            assert_frame_equal(table, other.tables[name], obj=name)


@FEW
@given(DECIDED, st.integers(0, 99))
def test_law_1_the_same_commands_in_whatever_order_their_rows_stand_give_the_same_layers(
    world: World, seed: int
) -> None:
    before = commands(world).copy(deep=True)
    shuffled = world.but(
        stored=world.stored.sample(frac=1.0, random_state=seed),
        commands=commands(world).sample(frac=1.0, random_state=seed),
    )
    laws.same_tables(laws.assessed(world), laws.assessed(shuffled))
    assert_frame_equal(commands(world), before)


@FEW
@given(DECIDED)
def test_what_is_rejected_or_waits_changes_nothing(world: World) -> None:
    found = laws.assessed(world)
    table = found.tables["reviews"]
    assert len(table) == len(commands(world))
    assert table["answer"].notna().all()
    mute = table.loc[table["answer"].isin(["rejected", "waits"]), "ledger_no"]
    rest = world.but(commands=commands(world)[~commands(world)["ledger_no"].isin(mute)])

    same_but_reviews(found, laws.assessed(rest))


@FEW
@given(DECIDED, st.data())
def test_law_3_another_order_of_arrival_changes_names_only(world: World, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(world.stored))))
    new = {old: place + 1 for old, place in zip(world.stored["first_no"], order, strict=True)}
    renamed = commands(world).assign(
        subjects=[{name: new[n] for name, n in each.items()} for each in commands(world)["subjects"]]
    )
    later = world.but(stored=strategies.renumbered(world.stored, order), commands=renamed)

    assert laws.by_content(laws.assessed(world), world) == laws.by_content(laws.assessed(later), later)


@FEW
@given(DECIDED, st.sampled_from(["west", "middle", "east"]))
def test_law_5_a_region_run_has_the_commands_that_bear_on_its_incidents(world: World, region: str) -> None:
    whole = laws.assessed(world)
    cut = whole.within(region)
    for layer in ("incidents", "transitions", "evidence"):
        table, names = whole.tables[layer], set(cut.tables["incidents"]["incident_id"])
        kept = table[table["incident_id"].isin(names)].reset_index(drop=True)
        assert_frame_equal(kept, cut.tables[layer].reset_index(drop=True), obj=layer)
    told = whole.tables["reviews"]
    beside = set(cut.tables["violations"]["violation_id"])
    bear = told["incident_id"].isin(set(cut.tables["incidents"]["incident_id"])) | told["violation_id"].isin(beside)
    assert set(told.loc[bear, "review_id"]) == set(cut.tables["reviews"]["review_id"])


@FEW
@given(DECIDED)
def test_law_8_a_decision_that_is_still_to_come_changes_nothing_yet(world: World) -> None:
    now = commands(world)[commands(world)["at"] <= world.as_of]

    same_but_reviews(laws.assessed(world), laws.assessed(world.but(commands=now)))


@pytest.mark.slow
@strategies.tries(4)
@given(OF_ONE_POLICY, st.data())
def test_law_10_without_its_evidence_a_tier_is_gone(world: World, data: st.DataObject) -> None:
    found = laws.assessed(world)
    step, carried = laws._a_tier(found, data)  # noqa: SLF001 -- the same law
    taken = set(carried["report_id"])
    assume(_still(world, found, taken))

    assert not laws.reached(world, found, step, taken)


@pytest.mark.slow
@strategies.tries(4)
@given(OF_ONE_POLICY, st.data())
def test_law_10_a_report_is_pivotal_exactly_when_the_others_would_not_take_the_step(
    world: World, data: st.DataObject
) -> None:
    found = laws.assessed(world)
    step, carried = laws._a_tier(found, data)  # noqa: SLF001 -- the same law
    tried = carried.dropna(subset=["pivotal"])
    assume(len(tried))
    for row in data.draw(st.permutations(list(tried.itertuples())))[:2]:
        if _still(world, found, {row.report_id}):
            assert laws.reached(world, found, step, {row.report_id}) != row.pivotal


def _still(world: World, found: Assessment, taken: set[str]) -> bool:
    """Whether no command on grouping, T0 or ends is answered otherwise when those reports are gone."""
    without = laws.assessed(world.but(stored=world.stored[~world.stored["report_id"].isin(taken)]))
    one, other = (each.tables["reviews"] for each in (found, without))
    deep = one["command"].isin(["merge", "split", "move", "fix", "set_t0", "end", "reopen"]).to_numpy()
    return list(one["answer"][deep]) == list(other["answer"][deep])


@FEW
@given(strategies.worlds(**PLAIN), st.data())
def test_law_13_the_crowd_moves_no_ladder_where_people_decide_on_what_others_reported(
    world: World, data: st.DataObject
) -> None:
    others = world.stored[world.stored["source"] != "public"]
    assume(len(others))
    told = data.draw(strategies.decided(world, others["first_no"].tolist()))
    masked = told.but(stored=others, coverage=world.coverage[world.coverage["source"] != "public"])

    laws.same_ladder(laws.assessed(told), laws.assessed(masked))


@FEW
@given(DECIDED)
def test_a_tier_above_1_is_declared_by_two_different_people(world: World) -> None:
    found = laws.assessed(world)
    steps, told = found.tables["transitions"], found.tables["reviews"]
    for step in steps[(steps["kind"] == "declared") & (steps["tier_to"] > 1)].itertuples():
        mine = told[
            (told["command"] == "declare")
            & (told["answer"] == "applied")
            & (told["incident_id"] == step.incident_id)
            & (told["value"] == str(step.tier_to))
        ]
        assert mine["reviewer"].str.split().str.join(" ").str.casefold().unique().size > 1
