"""What did people decide of an incident: its T0, its end, the tier that they declare?

Numbered rules, mirrored in the code and in the tests:

RULE 1  T0 set by a person stands in place of the observations' own, in every scenario: dues, eligibility and effect
        count from it. It opens nothing earlier: no step comes before the violations that it needs.
RULE 2  End: a person dates the end, at the latest at the decision. It holds as long as no qualifying violation begins
        after that instant: what goes on is never hidden. What had ended by then is not ended again.
RULE 3  Reopen takes back a person's end, or lets an incident go on that had ended by the rules; not one that lapsed.
RULE 4  A tier above 1 is declared when two different people have declared it of one incident while it was open; tier 1
        by one. The second one's time is the declaration's. What is eligible decides nothing here, and the answer says
        where the rules give a lower tier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from geo import answers, reviews
from geo.course import SetT0
from geo.escalation import Step
from geo.incidents import End
from geo.neighbourhoods import around

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from geo.course import Violation
    from geo.policy import Policy
    from geo.reviews import Command, Docket

_OF_INCIDENTS: Final = ("declare", "set_t0", "end", "reopen", "fix")
_GROUPING: Final = ("merge", "split", "move", "fix")
_NOBODY_ELSE: Final = "it waits for a second person"


class Decisions:
    """The commands on incidents, by the names that these have now; answers them when they are asked for."""

    def __init__(self, docket: Docket, reports: pd.DataFrame, violations: pd.DataFrame, policy: Policy) -> None:
        self.docket = docket
        self._on: dict[str, list[Command]] = {}
        self.arranged: set[str] = set()
        """The incidents that a grouping decision or a fix names."""
        self.around = around(docket, reports, violations, policy)
        """The incidents in whose neighbourhood people decided anything, applied or not; of each its neighbourhood."""
        if not docket.commands:
            return
        home = answers.homes(reports, violations)
        counts = set(violations.loc[violations["qualifying"].astype(bool), "violation_id"])
        for command in docket.of(*_OF_INCIDENTS):
            violation_id, name = home.get(command.subject, (None, None))
            if name is None or not name.startswith("B-") or violation_id not in counts:
                docket.reject(command, f"{command.target} is no incident now")
            elif command.command == "fix":
                docket.apply(command)
            else:
                self._on.setdefault(name, []).append(command)
        bearing = [c for c in docket.commands if c.command in _GROUPING and docket.answers[c.no].answer == "applied"]
        for command in bearing:
            named = {home.get(item, (None, None))[1] for item in command.subjects.values()} - {None}
            self.arranged |= {str(name) for name in named}

    def bear(self, name: str) -> bool:
        """Whether people changed an incident's grouping, T0 or end, so that its reports cannot be tried one by one.

        To be asked after ``t0`` and ``end``, which answer the commands on these.
        """
        own = (self.docket.answers.get(command.no) for command in self._mine(name, "set_t0", "end", "reopen"))
        return name in self.arranged or any(given is not None and given.answer == "applied" for given in own)

    def t0(self, name: str) -> SetT0 | None:
        """Return the T0 that a person set, if any (RULE 1)."""
        command = self._winner(name, "set_t0")
        if command is None:
            return None
        begin, surely = reviews.span(command.value) or (command.at, command.at)
        self.docket.apply(command)
        return SetT0(begin, surely, command.known_at, command.name)

    def end(self, name: str, course: Sequence[Violation], end: End) -> End:
        """Return how an incident stands, given how it stands by the rules (RULES 2 and 3)."""
        command = self._winner(name, "end", "reopen")
        if command is None:
            return end
        wrong, found = (self._ended if command.command == "end" else self._reopened)(command, course, end)
        if wrong is None:
            self.docket.apply(command)
        else:
            self.docket.reject(command, wrong)
        return found

    def _ended(self, command: Command, course: Sequence[Violation], end: End) -> tuple[str | None, End]:
        at = (reviews.span(command.value) or (command.at,))[0]
        if end.at is not None and end.at <= at:
            return f"it had ended by the rules {reviews.moment(end.at)}", end
        if any(violation.start > at for violation in course):
            return "a qualifying violation of it began after that", end
        known = max(at, command.known_at, *(violation.known_at for violation in course))
        why = f"a person ended it ({command.name}): {command.reason}"
        return None, End("ended", at, "decided", known, why)

    def _reopened(self, command: Command, _course: Sequence[Violation], end: End) -> tuple[str | None, End]:
        lifted = any(one.command == "end" for one in self._on[self._name_of(command)])
        if end.at is None:
            return (None if lifted else "it has not ended"), end
        if end.how == "lapsed":
            return "its ceasefire window has ended, and with it the incident", end
        if command.at < end.at:
            return f"it had not ended then; by the rules it ends {reviews.moment(end.at)}", end
        return None, End("quiet")

    def declared(self, name: str, course: Sequence[Violation], steps: Sequence[Step], end: End) -> list[Step]:
        """Return the tiers that people declared, as steps (RULE 4)."""
        opened = next((step for step in steps if step.kind == "opened"), None)
        peak = max((step.tier_to for step in steps if step.kind == "eligible"), default=0)
        legal: dict[int, list[Command]] = {}
        for command in self._mine(name, "declare"):
            if opened is None or command.at < opened.at:
                self.docket.reject(command, "it was no breach yet at that time")
            elif end.at is not None and command.at >= end.at:
                self.docket.reject(command, f"it had ended {reviews.moment(end.at)}")
            else:
                legal.setdefault(int(command.value), []).append(command)
        found = [self._declare(tier, commands, course, peak) for tier, commands in sorted(legal.items())]
        return [step for step in found if step is not None]

    def _declare(self, tier: int, commands: list[Command], course: Sequence[Violation], peak: int) -> Step | None:
        first: dict[str, Command] = {}
        for command in sorted(commands, key=lambda one: (one.at, one.no)):
            first.setdefault(command.person, command)
        needed = sorted(first.values(), key=lambda one: (one.at, one.no))[: 1 if tier == 1 else 2]
        if tier > 1 and len(needed) == 1:
            for command in commands:
                same = f"; {needed[0].name} is by the same one" if command is not needed[0] else ""
                self.docket.answer(command, "waits", _NOBODY_ELSE + same)
            return None
        lower = None if peak >= tier else f"by the rules tier {peak} is the highest that was eligible"
        for command in commands:
            self.docket.apply(command, lower)
        by = " and ".join(command.name for command in needed)
        people = "two people" if tier > 1 else "a person"
        reason = f"declared by {people} ({by}): {'; '.join(command.reason for command in needed)}"
        rows = tuple(violation.row for violation in course)
        at, known = needed[-1].at, max(command.known_at for command in needed)
        return Step("declared", tier, at, max(at, known), "RULE 9 declared", reason, (), rows)

    def _mine(self, name: str, *kinds: str) -> list[Command]:
        return [command for command in self._on.get(name, ()) if command.command in kinds]

    def _name_of(self, command: Command) -> str:
        return next(name for name, commands in self._on.items() if command in commands)

    def _winner(self, name: str, *kinds: str) -> Command | None:
        """Return the command that holds among those on one thing (``reviews`` RULE 4); the others are overruled."""
        last: dict[str, Command] = {}
        commands = self._mine(name, *kinds)
        for command in sorted(commands, key=lambda one: (one.at, one.no)):
            last[command.person] = command
        holds = max(last.values(), key=lambda one: one.no, default=None)
        for command in commands:
            if holds is not None and command is not holds:
                self.docket.answer(command, "over", f"overruled by {holds.name}")
        return holds
