"""Since when was a step in the answer, where people decided anything?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import builders
import pytest
from builders import command, report
from test_agreement import differences, hand_made
from test_knowing import known_h
from test_law_truth import GROWS_IN_A_PART, untrue

if TYPE_CHECKING:
    from strategies import World


def decided(world: World, *listed: dict[str, Any]) -> World:
    """Return the world with these commands."""
    return world.but(commands=builders.commands(listed))


GOING_ON = hand_made([report(0, known_at=1), report(20, known_at=21), report(40, source="media", known_at=41)], 70)
APART = hand_made([report(0, known_at=1), report(30, source="media", known_at=31)], 50)
OVER_IN_A_PART = hand_made([report(0, known_at=1), *(report(h, (109, 1), known_at=h + 1) for h in (1, 20))], 43)

CASES: dict[str, tuple[World, tuple[str, int], float]] = {
    "a merge": (
        decided(APART, command("merge", "B-1", "B-2", at=45)),
        ("eligible", 2),
        45,
    ),
    "a decision that changes nothing of it": (
        decided(GOING_ON, command("confirm", "V-2", at=60)),
        ("eligible", 2),
        41,
    ),
    "a refutation that was taken back": (
        decided(GOING_ON, command("refute", "V-3", at=30), command("release", "D-1001", at=60)),
        ("eligible", 2),
        60,
    ),
    "a refutation that came after the step and was taken back": (
        decided(GOING_ON, command("refute", "V-3", at=42), command("release", "D-1001", at=60)),
        ("eligible", 2),
        41,
    ),
    "two people who declared of what was two breaches then": (
        decided(
            APART,
            command("declare", "B-1", "2", at=20),
            command("declare", "B-2", "2", at=33, reviewer="Second Reviewer"),
            command("merge", "B-1", "B-2", at=45),
        ),
        ("declared", 2),
        45,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_step_is_known_from_the_first_moment_on_at_which_it_was_in_the_answer(
    case: tuple[World, tuple[str, int], float],
) -> None:
    world, (kind, tier), hour = case

    assert known_h(world, kind, tier) == pytest.approx(hour)
    assert untrue(world) == []
    assert differences(world) == []


def test_a_part_that_is_set_apart_has_ended_only_since_it_is_one() -> None:
    world = decided(OVER_IN_A_PART, command("split", "B-1", at=42, violations="V-2 V-3"))

    assert known_h(world, "ended", 0) == pytest.approx(42)
    assert untrue(world) == []
    assert differences(world) == []


def test_a_part_that_grew_is_known_since_the_decision() -> None:
    assert differences(GROWS_IN_A_PART) == []
