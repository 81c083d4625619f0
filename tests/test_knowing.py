"""Since when could a step be told? Small worlds, each with a reason why it was later than one would think."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import builders
import pytest
import test_laws as laws
from builders import report
from test_agreement import differences, hand_made
from test_law_truth import untrue

from geo.bridges import Reach, Web
from geo.escalation import Step
from geo.evidence import Case
from geo.knowing import Knowing

if TYPE_CHECKING:
    from strategies import World

LITERAL = {"ladder.persist_reading": "literal"}
LINK = "https://example.org/a/7"
TWICE = {"ladder.open_n": 2, "ladder.open_reading": "repeated"}


def known_h(world: World, kind: str, tier: int, scenario: str = "any") -> float:
    """Return the hour from which on the only such step was known."""
    steps = laws.assessed(world).tables["transitions"]
    of = (steps["scenario"] == scenario) & (steps["kind"] == kind) & (steps["tier_to"] == tier)
    [at] = steps.loc[of, "known_at"]
    return float((at - builders.START).total_seconds() / 3600)


def shots(*more: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a breach of two shots that two origins tell of, with more."""
    return [report(0, known_at=1), report(10, source="media", known_at=11), *more]


def test_no_end_is_told_before_the_breach_is() -> None:
    knowing = Knowing(Case(Web({}, Reach.of(builders.policy().grouping)), {}), None, decided=False)  # type: ignore[arg-type]  # nobody asks the court
    opened, warned = Step("opened", 0, 0, 5, "", "", (), ()), Step("eligible", 1, 0, 6, "", "", (), ())
    for known_at, told_at in ((3, 5), (5, 5), (9, 9)):
        steps = opened, warned, opened._replace(kind="ended", at=1, known_at=known_at)
        assert knowing.told(steps, "any") == (opened, warned, steps[2]._replace(known_at=told_at))
    assert knowing.told((opened, warned), "any") == (opened, warned)


CASES: dict[str, tuple[World, tuple[str, int, str], float]] = {
    "a precise report dates a shot that may have been earlier": (
        hand_made(shots(report(20, source="media", minutes=600, known_at=31), report(29, known_at=60)), 50, **LITERAL),
        ("eligible", 2, "any"),
        60,
    ),
    "a report that changes nothing is not waited for": (
        hand_made(shots(report(30, known_at=31), report(30, source="media", known_at=60)), 50, **LITERAL),
        ("eligible", 2, "any"),
        31,
    ),
    "the second origin of a single shot comes late": (
        hand_made(
            [
                report(0, known_at=20),
                report(13, known_at=14),
                report(13, source="media", known_at=60),
                report(20, known_at=80),
                report(20, source="media", known_at=90),
            ],
            50,
        ),
        ("eligible", 2, "any"),
        60,
    ),
    "the warning is known since the first report of its shot": (
        hand_made([report(0, minutes=60, source="media", known_at=2), report(0.5, known_at=60)], 50),
        ("eligible", 1, "any"),
        2,
    ),
    "the weapon is named late": (
        hand_made([report(0, known_at=1), report(0, source="media", weapon="iskander", known_at=60)], 10),
        ("eligible", 3, "any"),
        60,
    ),
    "two shots that open a breach are near each other only as placed late": (
        hand_made(
            [
                report(0, (100, 1), known_at=1),
                report(1, (115, 1), source="media", uncertainty_m=4000.0, known_at=2),
                report(1, (109, 1), known_at=60),
            ],
            10,
            **TWICE,
            **{"corroboration.agree_m": 2000.0},
        ),
        ("opened", 0, "any"),
        60,
    ),
    "the first of two shots was blamed on another until late, and the second opened the breach alone": (
        hand_made(
            [
                report(1, source="party-l", act="shelling", party_claimed="R", url=LINK, known_at=2),
                report(1, source="media", act="small_arms", party_claimed="L", known_at=3),
                report(1, source="graded", act="shelling", url=LINK, known_at=60),
            ],
            50,
        ),
        ("opened", 0, "L+unknown"),
        3,
    ),
    "a shot in a later window keeps the breach from lapsing": (
        hand_made(
            [
                report(38, known_at=39),
                report(38, source="media", known_at=39),
                report(51, minutes=120, known_at=53),
                report(55, source="media", known_at=80),
            ],
            90,
            ((0.0, 60.0), (52.0, None)),
        ),
        ("eligible", 2, "any"),
        80,
    ),
    "an end is not known before whose breach it is": (
        hand_made([report(0, known_at=1), report(0, source="media", party_claimed="R", known_at=90)], 80),
        ("ended", 0, "R"),
        90,
    ),
    "an end rests on the report by which the shot was over sooner": (
        hand_made([report(0, minutes=600, source="media", known_at=12), report(5, known_at=60)], 32),
        ("ended", 0, "any"),
        60,
    ),
    "in history that was imported the lower number need not have been known first": (
        hand_made([report(0, known_at=60), report(0, source="media", known_at=2)], 10),
        ("opened", 0, "any"),
        2,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_step_is_known_from_the_first_moment_on_at_which_it_was_in_the_answer(
    case: tuple[World, tuple[str, int, str], float],
) -> None:
    world, (kind, tier, scenario), hour = case

    assert known_h(world, kind, tier, scenario) == pytest.approx(hour)
    assert untrue(world) == []
    assert differences(world) == []
