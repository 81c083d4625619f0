"""In whose reach did people decide anything?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import builders
from builders import command, report
from test_agreement import hand_made

from geo import hearing
from geo.assess import gather
from geo.matching import match
from geo.neighbourhoods import around

if TYPE_CHECKING:
    from geo.neighbourhoods import Around

NEAR = report(0, (100, 1), known_at=1)
LINKED = report(1, (109, 1), source="media")
FAR = report(0, (250, 1))
COARSE = report(0, (100, 1), uncertainty_m=50_000.0)


def decided(listed: list[dict[str, Any]], *commands: dict[str, Any]) -> Around:
    """Return the neighbourhoods in which these commands name anything."""
    world = hand_made(listed, 80)
    docket = hearing.hear(builders.commands(commands), world.theatre, world.as_of)
    reports, grouping = gather(world.stored, world.theatre, world.policies, world.as_of, match, docket)
    return around(docket, reports, grouping.violations, world.policies[0].policy)


def test_what_is_linked_to_what_a_command_names_is_of_its_neighbourhood_and_nothing_else() -> None:
    found = decided([NEAR, LINKED, FAR], command("refute", "V-2", at=20))

    assert found.of.keys() == {"B-1"}
    assert found.rows.tolist() == [0, 1]


def test_what_places_one_violation_and_what_dates_another_are_neighbours_where_the_violations_are_linked() -> None:
    one = report(0, (100, 1), minutes=60), report(1.9, (99.1, 1), source="satellite", minutes=6, uncertainty_m=300.0)
    two = report(26, (110.7, 1), source="satellite", minutes=6, uncertainty_m=300.0), report(27, (109.8, 1), minutes=60)

    assert decided([*one, *two], command("refute", "V-3", at=40)).rows.tolist() == [0, 1, 2, 3]


def test_a_command_joins_all_that_it_names_whatever_is_answered_to_it() -> None:
    found = decided([NEAR, FAR], command("split", "B-1", at=20, violations="V-2"), command("confirm", "V-2", at=21))

    assert found.of["B-1"] == found.of["B-2"]
    assert [len(times) for times in found.decided.values()] == [2]


def test_a_release_names_what_the_command_named_that_it_takes_back() -> None:
    found = decided([NEAR, FAR], command("refute", "V-1", at=20), command("release", "D-1001", at=30))

    assert found.of.keys() == {"B-1"}
    assert [len(times) for times in found.decided.values()] == [2]


def test_what_is_coarse_or_names_nothing_bears_on_nobody() -> None:
    assert decided([NEAR, COARSE], command("confirm", "V-2", at=20)).of == {}
    assert decided([NEAR]).of == {}
