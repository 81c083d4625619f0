"""Which violations of an incident can be pivotal at all?

What follows is proved in words here, and against the trial of every report in ``tests/test_evidence.py``. A step is
lost with a violation only where the violation is the only one to give something that the step rests on:

RULE 1  The incident itself: where leaving it out would leave too few to open, part what is left, move the end of the
        whole, or shift T0 (a violation that ended first).
RULE 2  Tiers above 1: those begun until enough origins vouch. Begun later, it takes no origin away from before.
RULE 3  Tier 2: the only one that shows persistence. Any other shows it as well, by its own begin at the latest.
RULE 4  Tier 3, when it came: the extremes of place and depth, the weapons that are enough alone, who ended last. The
        rate counts every violation: where one fewer would already change the verdict, all are suspects.
RULE 5  Nothing is lost, either, with a part of the reports of one that is no suspect, where what is left of it still
        counts alike, is linked, comes after those that vouch, ended no earlier than the first, and adds nothing to the
        first window that growth is measured by.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from geo import escalation, incidents
from geo.course import Course, bars, us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geo.bridges import Placed, Web
    from geo.course import Violation
    from geo.escalation import Kind, Step
    from geo.policy import Policy
    from geo.theatre import Window

_WARNING, _COALITION, _COORDINATED = 1, 2, 3
_ALWAYS = -(2**63)


@dataclass(frozen=True, eq=False)
class Court:
    """What every trial needs to know."""

    windows: tuple[Window, ...]
    scenarios: dict[str, tuple[str | None, bool]]
    grouping: Policy
    ladder_at: Callable[[int], Policy]
    most_n: int  # the largest open_n of any policy that may be in force
    as_of: int
    _closes: dict[int, int] = field(default_factory=dict)

    def closing(self, inside: int) -> int:
        """Return when the last of the windows of a mask closes, µs."""
        if inside not in self._closes:
            self._closes[inside] = incidents.closing([inside], self.windows)
        return self._closes[inside]

    def counted(self, course: Course, scenario: str) -> Course:
        """Return the violations that a scenario counts, whenever that was known: that moves no tier."""
        party, unknown = self.scenarios[scenario]
        return escalation.counted(course, party, unknown=unknown)

    def counts(self, violation: Violation, scenario: str) -> bool:
        """Return whether a scenario counts a violation."""
        return bool(self.counted(Course.ordered([violation]), scenario))


@dataclass(frozen=True, eq=False)
class Scene:
    """Scenarios that count the same violations of one incident, what they reached, and who can be pivotal in them."""

    names: list[str]
    course: Course
    rows: set[int]
    moves: frozenset[tuple[Kind, int]]
    highest: int  # tier
    suspects: set[int]
    lone: bool  # one violation, a warning: nothing else bears on it
    minds_moves: bool  # whether anything can be lost with a part of the reports of a violation that is no suspect
    vouched: int
    surely: int  # the later end of T0
    base: tuple[int, float, float, float] | None  # of growth: the window's edge, chainage from and to, depth

    @classmethod
    def of(cls, name: str, course: Course, steps: Sequence[Step], web: Web, court: Court) -> Scene:
        """Return the scene of a scenario and its steps."""
        moves = frozenset([(step.kind, step.tier_to) for step in steps if step.tier_to])
        highest, own = max([tier for _, tier in moves], default=0), {violation.row for violation in course}
        if highest <= _WARNING and court.most_n == 1:
            lone = len(course) == 1
            return cls([name], course, own, moves, highest, own if lone else set(), lone, False, _ALWAYS, 0, None)  # noqa: FBT003
        policy = court.ladder_at(course.t0[1])
        suspects, vouched, base = _holding(course, web, court), _ALWAYS, None
        if highest > _WARNING:
            vouching = escalation.vouched_at(course, policy.ladder)
            assert vouching is not None  # noqa: S101 -- else no tier above 1 was reached
            vouched, suspects = vouching, suspects | _persisting(course, policy, vouching)
        if highest > _COALITION:
            suspects |= _extremes(course, steps, policy)
            first = course.first_window(policy.ladder)
            if first[2]:
                edge = course.t0[1] + us(policy.ladder.persist_h)
                inside = [violation.chainage_m for violation in course if violation.start < edge]
                base = edge, min(inside), max(inside), first[1]
        return cls([name], course, own, moves, highest, suspects, False, True, vouched, course.t0[1], base)  # noqa: FBT003

    def stands(self, web: Web, row: int, left: Placed | None, court: Court) -> bool:
        """Return whether it is sure that nothing is lost when so much is left of a violation that is no suspect."""
        if left is None:
            return True  # RULES 1 to 4
        before, now = web.placed[row], left.violation
        old = before.violation
        counted = row in self.rows
        if left.inside != before.inside or any(court.counts(now, name) != counted for name in self.names):
            return False
        if counted and (now.start <= self.vouched or now.end < self.surely):
            return False
        if counted and self.base is not None and now.start < self.base[0]:
            edge, low_m, high_m, depth_m = self.base
            if old.start >= edge or not low_m <= now.chainage_m <= high_m or not now.distance_m <= depth_m:
                return False
        stays = (left.lon, left.lat, now.start, now.end) == (before.lon, before.lat, old.start, old.end)
        return stays or web.touches(left, web.placed.keys() - {row})


def _holding(course: Course, web: Web, court: Court) -> set[int]:
    """RULE 1: return those that hold the incident: its number, its parts, its end, its T0."""
    placed = web.placed
    if len(course) <= court.most_n:
        return set(placed)
    first, last = course.t0[1], max([each.violation.end for each in placed.values()])
    ends = {violation.row for violation in course if violation.end == first}
    ends |= {row for row, each in placed.items() if each.violation.end == last}
    return ends | _last_windows(web, court) | web.joints


def _last_windows(web: Web, court: Court) -> set[int]:
    """Return the violations without which the last window of the incident would close at another moment."""
    masks = Counter([each.inside for each in web.placed.values()])
    if len(masks) == 1:
        return set()
    whole = court.closing(reduce(or_, masks))
    alone = {one for one, n in masks.items() if n == 1 and court.closing(reduce(or_, masks.keys() - {one})) != whole}
    return {row for row, each in web.placed.items() if each.inside in alone}


def _persisting(course: Course, policy: Policy, vouched: int) -> set[int]:
    """RULES 2 and 3: return those begun until enough origins vouch, and the only one that shows persistence."""
    going_on = escalation.persisting(course, policy.ladder)[1]
    return {violation.row for violation in (*course.begun(vouched), *(going_on if len(going_on) == 1 else ()))}


def _extremes(course: Course, steps: Sequence[Step], policy: Policy) -> set[int]:
    """RULE 4: return those that tier 3 may rest on."""
    moments = [step.at for step in steps if step.tier_to == _COORDINATED]
    seen = course.begun(min(moments))
    than = bars(course.first_window(policy.ladder), policy.expansion)
    now = seen.measured(than.weapons).at(-1)
    if not escalation.expanded(now._replace(rate_n=now.rate_n - 1), than):
        return {violation.row for violation in course}
    along = [violation.chainage_m for violation in seen]
    outer = {v.row for v in seen if v.chainage_m in {min(along), max(along)} or v.distance_m == now.depth_m}
    armed = {v.row for v in seen if v.weapon_class in than.weapons}
    return outer | armed | {course.last_begun(at).row for at in moments}
