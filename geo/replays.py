"""Where people decided anything: since when was each step in the answer?

What people decide bears on steps in any direction: a split lets a part grow that was none, a release lets count again
what had been refuted, a second declaration is worth nothing while its incident is another one. So nothing is derived
here: the reports and commands of the neighbourhood that were known at a moment are assessed again, for the same
``as_of``, and a step is known from the first moment tried at which a breach that holds what it needs took it.

Moments are tried in order: when all that the step needs had first qualified; when its links held that together; when
reports of these violations came in later; when anything was decided; and from the last decision on whenever anything
came in. By then everything is known, so that one of them tells.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import pandas as pd

from geo import breaches, hearing, incidents, nearness, verdicts
from geo.arrangement import Arrangement
from geo.decisions import Decisions
from geo.policy import in_force
from geo.reports import COVERAGE

if TYPE_CHECKING:
    from datetime import datetime

    from geo.breaches import Breach, Climb
    from geo.escalation import Step
    from geo.incidents import Grouping
    from geo.policy import PolicyVersion
    from geo.theatre import Theatre

    Took = set[tuple[str, str, int]]

_ASSEMBLED: Final = ["violation_id", "copy_of", "sign", "rulings"]


class Replays:
    """The neighbourhoods in which people decided anything, as they were known at any moment (µs since 1970 UTC)."""

    def __init__(
        self,
        reports: pd.DataFrame,
        grouping: Grouping,
        decided: Decisions,
        theatre: Theatre,
        policies: tuple[PolicyVersion, ...],
        as_of: datetime,
    ) -> None:
        self._around, self._docket = decided.around, decided.docket
        self._theatre, self._policies, self._as_of = theatre, tuple(map(unexamined, policies)), as_of
        self._reports = reports.iloc[self._around.rows]
        self._names = grouping.violations["violation_id"].to_numpy(object)
        self._answers: dict[int, list[tuple[set[int], Took]]] = {}

    def correct(self, ladder: list[Breach]) -> list[Breach]:
        """Return breaches with every step known since it was in the answer."""
        return [self._corrected(breach) if breach.name in self._around.of else breach for breach in ladder]

    def _corrected(self, breach: Breach) -> Breach:
        climbs = {}
        opening = breach.steps[0].needs if breach.steps else ()
        for scenario, climb in breach.climbs.items():
            steps: list[Step] = []
            for step in climb.steps:
                needs = breach.rows if step.kind == "ended" else opening if step.kind == "declared" else step.needs
                floor = max(_needed(step, climb), steps[0].known_at if step.kind == "ended" else step.at)
                known = self._since(step, scenario, needs, floor, self._around.of[breach.name])
                steps.append(step._replace(known_at=known))
            climbs[scenario] = climb._replace(steps=tuple(steps))
        return replace(breach, climbs=climbs)

    def _since(self, step: Step, scenario: str, needs: tuple[int, ...], floor: int, number: int) -> int:
        """Return the first moment tried at which a breach that holds what a step needs took it."""
        wanted = [self._carriers[name] for name in self._names[list(needs)]]
        own = {known for carriers in wanted for known in carriers.values()}
        decided = self._around.decided[number]
        late = {known for known in self._arrivals[number] if known >= max(decided)}
        tried = sorted({moment for moment in {step.known_at, *own, *decided, *late} if moment > floor})
        what = scenario, step.kind, step.tier_to
        for moment in [floor, *tried]:
            if any(what in took and all(held & c.keys() for c in wanted) for held, took in self._answer(moment)):
                return moment
        return tried[-1] if tried else floor

    @cached_property
    def _carriers(self) -> dict[str, dict[int, int]]:
        """Of each violation the reports that carry it, by first number, and when they came in."""
        some = self._reports.loc[self._reports["violation_id"].notna() & (self._reports["trust"] != "public")]
        found: dict[str, dict[int, int]] = {}
        known = nearness.micros(some["known_at"]).tolist()
        for name, first, moment in zip(some["violation_id"], some["first_no"].tolist(), known, strict=True):
            found.setdefault(name, {})[first] = moment
        return found

    @cached_property
    def _arrivals(self) -> dict[int, list[int]]:
        """When the reports of each neighbourhood came in."""
        known = nearness.micros(self._reports["known_at"])
        return {n: known[self._around.number == n].tolist() for n in self._around.decided}

    def _answer(self, moment: int) -> list[tuple[set[int], Took]]:
        """Return of every breach, as it was known at a moment, the reports that it holds and the steps it took."""
        if moment not in self._answers:
            self._answers[moment] = self._assessed(moment)
        return self._answers[moment]

    def _assessed(self, moment: int) -> list[tuple[set[int], Took]]:
        some = self._reports.loc[nearness.micros(self._reports["known_at"]) <= moment]
        if some.empty:
            return []
        policy, commands = in_force(self._policies, self._as_of), self._docket.heard[0]
        docket = hearing.hear(commands[nearness.micros(commands["known_at"]) <= moment], self._theatre, self._as_of)
        told = some.drop(columns=_ASSEMBLED).reset_index(drop=True)
        whole, found = verdicts.assemble(told, policy, docket, self._theatre)
        table = incidents.group(found, policy, Arrangement(docket, whole, found, policy))
        decided = Decisions(docket, whole, table.violations, policy)
        blank = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in COVERAGE.items()})  # it moves no step
        ladder = breaches.escalate(table, whole, blank, self._theatre, self._policies, self._as_of, decided)
        held = whole.groupby("violation_id")["first_no"].agg(set).to_dict()
        names = table.violations["violation_id"].to_numpy(object)
        return [
            (
                set[int]().union(*(held[names[row]] for row in breach.rows)),
                {(title, s.kind, s.tier_to) for title, climb in breach.climbs.items() for s in climb.steps},
            )
            for breach in ladder
        ]


def _needed(step: Step, climb: Climb) -> int:
    """Return when all that a step needs had first qualified, and what people decided of its T0 was known."""
    if not step.needs:
        return step.known_at
    needs = set(step.needs)
    known = max(violation.known_at for violation in climb.course if violation.row in needs)
    set_t0 = climb.course[0].t0
    return max(step.at, known, set_t0.known_at if set_t0 is not None and step.tier_to > 1 else known)


def unexamined(version: PolicyVersion) -> PolicyVersion:
    """Return a policy by which no report is tried for being pivotal."""
    drawn = version.policy.publication.model_copy(update={"pivotal_n": 0})
    return version.model_copy(update={"policy": version.policy.model_copy(update={"publication": drawn})})
