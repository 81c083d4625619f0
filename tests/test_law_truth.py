"""Was a step really in the answer at the moment from which on we say that it was known?

Every step of an answer is looked up in the answer of one who knew only what had come in by then: the same moment, the
same rules, fewer reports and commands. Its incident is found by the reports that make it up, as names follow arrival.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import builders
import strategies
import test_laws as laws
from builders import command, report
from hypothesis import example, given
from test_agreement import hand_made

if TYPE_CHECKING:
    import pandas as pd
    from strategies import World

    from geo.assess import Assessment

    Step = tuple[str, str, int]

PLAIN: dict[str, Any] = {"sizes": (5, 8, 12)}
BELATED = strategies.worlds(**PLAIN).flatmap(strategies.belated)

A_PRECISE_REPORT_COMES_LATE = hand_made(
    [
        report(0, known_at=1),
        report(10, source="media", known_at=11),
        report(20, source="media", minutes=600, known_at=31),
        report(29, known_at=60),
    ],
    50,
    **{"ladder.persist_reading": "literal"},
)
A_SECOND_ORIGIN_COMES_LATE = hand_made(
    [report(0, known_at=1), report(13, known_at=14), report(13, source="media", known_at=60)], 50
)
THE_CLAIM_COMES_LATE = hand_made([report(0, known_at=1), report(0, source="media", party_claimed="R", known_at=90)], 80)
EAST_KM = ((104, "media"), (108, "mission"), (112, "media"), (115, "media"), (118, "media"), (122, "media"))
GROWS_IN_A_PART = hand_made(
    [
        *(report(0, (km, 1), known_at=1) for km in (70, 79, 88, 93)),
        *(report(2, (km, 1), source="media", known_at=3) for km in (98, 100)),
        *(report(26, (km, 1), source=source, known_at=27) for km, source in EAST_KM),
    ],
    41,
).but(commands=builders.commands([command("split", "B-1", at=40, violations=" ".join(f"V-{n}" for n in range(5, 13)))]))


def members(found: Assessment) -> dict[str, set[str]]:
    """Return the reports of the qualifying violations of each incident."""
    table, reports = found.tables["violations"], found.tables["reports"]
    counted = table[table["qualifying"].astype(bool) & table["incident_id"].str.startswith("B-", na=False)]
    home = dict(zip(counted["violation_id"], counted["incident_id"], strict=True))
    named = reports.assign(home=reports["violation_id"].map(home)).dropna(subset=["home"])
    return {str(name): set(ids) for name, ids in named.groupby("home")["report_id"]}


def replayed(world: World, known_at: pd.Timestamp) -> Assessment:
    """Return the answer of one who knew only what had come in by a moment."""
    stored = world.stored[world.stored["known_at"] <= known_at]
    commands = None if world.commands is None else world.commands[world.commands["known_at"] <= known_at]
    return laws.assessed(world.but(stored=stored, commands=commands))


def taken(found: Assessment) -> dict[str, set[Step]]:
    """Return scenario, kind and tier of every step of each incident."""
    out: dict[str, set[Step]] = defaultdict(set)
    for row in found.tables["transitions"].itertuples():
        out[str(row.incident_id)].add((row.scenario, row.kind, row.tier_to))
    return out


def untrue(world: World) -> list[str]:
    """Return each step that was in no answer at the moment from which on we say that it was known."""
    found = laws.assessed(world)
    own, wrong = members(found), []
    for known_at, steps in found.tables["transitions"].groupby("known_at"):
        then = replayed(world, known_at)
        held, took = members(then), taken(then)
        for row in steps.itertuples():
            heirs = [name for name, reports in held.items() if reports & own[row.incident_id]]
            if not any((row.scenario, row.kind, row.tier_to) in took[name] for name in heirs):
                wrong.append(f"{row.incident_id} {row.scenario} {row.kind} {row.tier_to}, known {known_at}, {heirs}")
    return wrong


@strategies.tries(2)
@given(BELATED)
@example(A_PRECISE_REPORT_COMES_LATE)
@example(A_SECOND_ORIGIN_COMES_LATE)
@example(THE_CLAIM_COMES_LATE)
def test_a_step_was_in_the_answer_when_we_say_that_it_was_known(world: World) -> None:
    assert untrue(world) == []


@strategies.tries(2)
@given(BELATED.flatmap(strategies.decided))
@example(GROWS_IN_A_PART)
def test_a_step_was_in_the_answer_when_we_say_that_it_was_known_where_people_decide(world: World) -> None:
    assert untrue(world) == []
