"""Since when could each step of an incident be told?

A step needs violations. It is known from the first moment on at which what was known of these gives it:

RULE 1  Not before all of them first qualified, nor before what was known of the incident by then holds them together by
        its links (``geo.bridges``). The end needs all violations of the incident, and in a scenario also those that
        open it there.
RULE 2  A report that came in later may be the one that dates, places, arms or claims a violation as it stands, or that
        brings its second origin. So where reports of violations of which something was known came in later, what was
        known then is put to the ladder, every violation described by its reports that had come in; the first moment
        counts at which the violations needed lie in one part that takes the step. So it is too where an incident
        lies in several ceasefire windows: without the later one's violations it may have lapsed.
RULE 3  Where people decided anything in its reach, ``geo.replays`` tells; here only the links are asked.

Which reports are one violation is taken as it is known now, and what counted then and does not now is not asked.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from geo import escalation, evidence
from geo.course import Course

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from geo.bridges import Placed
    from geo.escalation import Kind, Step
    from geo.evidence import Case, Item
    from geo.incidents import End
    from geo.suspects import Court

_WARNING: Final = 1
_HIGHEST: Final = 3


class _Piece(NamedTuple):
    """What hung together at a moment, by row, and how that stands."""

    placed: dict[int, Placed]
    end: End


class Knowing:
    """One incident and what was known of it at any moment; instants in µs since 1970 UTC."""

    def __init__(self, case: Case, court: Court, *, decided: bool) -> None:
        self._case, self._court, self._decided = case, court, decided
        self._mixed = len(case.web.masks) > 1  # in several windows
        several = ((row, items) for row in case.web.placed if (items := case.items(row)))
        self._when = {row: _when(items) for row, items in several}
        self._spans = [(first, last) for first, last in self._when.values() if first < last]
        self._held: dict[tuple[tuple[int, ...], int], int | None] = {}
        self._placed: dict[tuple[int, int], Placed | None] = {}
        self._pieces: dict[int, list[_Piece]] = {}
        self._takes: dict[tuple[int, int, str], set[tuple[Kind, int]]] = {}

    def together(self, step: Step) -> Step:
        """Return a step that is not known before what it needs is known to be one breach (RULE 1)."""
        needed = step.needs, step.known_at
        if needed not in self._held:  # most steps need the same
            self._held[needed] = self._case.web.known_together(*needed)
        since = self._held[needed]
        return step if since in {None, step.known_at} else step._replace(known_at=since)

    def told(self, steps: tuple[Step, ...], scenario: str) -> tuple[Step, ...]:
        """Return the steps of a scenario, each known when it could be told (RULES 1 and 2)."""
        if self._decided or not steps:
            return steps
        if not (self._mixed or self._spans):  # most incidents
            late = steps[-1].kind == "ended" and steps[-1].known_at < steps[0].known_at
            return (*steps[:-1], steps[-1]._replace(known_at=steps[0].known_at)) if late else steps
        known: list[int] = []
        for step in steps:
            floor = max(step.known_at, known[0]) if step.kind == "ended" else step.known_at
            known.append(floor if self._settled(floor) else self._first(step, scenario, floor))
        same = all(step.known_at == since for step, since in zip(steps, known, strict=True))
        return steps if same else tuple([s._replace(known_at=k) for s, k in zip(steps, known, strict=True)])

    def _settled(self, moment: int) -> bool:
        """Return whether every violation was known whole or not at all, so that RULE 1 tells all."""
        return not self._mixed and not any(first <= moment < last for first, last in self._spans)

    def _first(self, step: Step, scenario: str, floor: int) -> int:
        """Return the first moment at which a step could be told."""
        if self._taken(step, scenario, floor):
            return floor
        later = {moment for row in self._case.web.placed for moment in self._arrivals(row) if moment > floor}
        return next((moment for moment in sorted(later) if self._taken(step, scenario, moment)), floor)

    def _arrivals(self, row: int) -> Iterable[int]:
        items = self._case.items(row)
        return [item.known_at for item in items] or [self._case.web.placed[row].violation.known_at]

    def _taken(self, step: Step, scenario: str, moment: int) -> bool:
        """Return whether a part that holds all that a step needs took it, by what was known at a moment."""
        needs = set(step.needs) or self._case.web.placed.keys()
        if len(needs) == 1 and step.tier_to <= _WARNING and step.kind != "ended" and self._court.most_n == 1:
            lone = self._described(next(iter(needs)), moment)
            if lone is None:
                return False
            if self._court.counts(lone.violation, scenario):
                return True  # whatever else is known: this alone opens it; else another one of its part may have
        for n, piece in enumerate(self._known(moment)):
            if needs <= piece.placed.keys():
                return (step.kind, step.tier_to) in self._reached(n, piece, scenario, moment)
        return False

    def _known(self, moment: int) -> list[_Piece]:
        if moment not in self._pieces:
            known = self._described_all(moment)
            parts = self._case.web.pieces(known)
            self._pieces[moment] = [_Piece(part, evidence.end_of(list(part.values()), self._court)) for part in parts]
        return self._pieces[moment]

    def _described_all(self, moment: int) -> dict[int, Placed]:
        """Return all violations that counted at a moment, by row; most were known whole or not at all."""
        rows, placed, (first, last) = self._every
        begun = np.flatnonzero(first <= moment)
        known = {rows[n]: placed[n] for n in begun.tolist()}
        for row in [rows[n] for n in begun[last[begun] > moment].tolist()]:
            described = self._described(row, moment)
            if described is None:
                del known[row]
            else:
                known[row] = described
        return known

    @cached_property
    def _every(self) -> tuple[list[int], list[Placed], NDArray[np.int64]]:
        """All violations: rows, how they stand, and when the first and the last report of each came, shape (2, n)."""
        placed = self._case.web.placed
        alone = [(each.violation.known_at,) * 2 for each in placed.values()]
        when = [self._when.get(row, known) for row, known in zip(placed, alone, strict=True)]
        return list(placed), list(placed.values()), np.array(when, np.int64).T

    def _described(self, row: int, moment: int) -> Placed | None:
        """Return a violation as its reports described it that were known at a moment; ``None``: it did not count."""
        before = self._case.web.placed[row]
        known = before.violation.known_at
        first, last = self._when.get(row, (known, known))
        if moment < first:
            return None
        if moment >= last:
            return before
        if (row, moment) not in self._placed:
            some = [item for item in self._case.items(row) if item.known_at <= moment]
            self._placed[row, moment] = evidence.again(some, before, self._case, self._court)
        return self._placed[row, moment]

    def _reached(self, n: int, piece: _Piece, scenario: str, moment: int) -> set[tuple[Kind, int]]:
        """Return kind and tier of each step that a part took in a scenario."""
        key = moment, n, scenario
        if key not in self._takes:
            court = self._court
            course = court.counted(Course([each.violation for each in piece.placed.values()]), scenario)
            took: set[tuple[Kind, int]] = set()
            if course and len(piece.placed) >= court.grouping.ladder.open_n:
                policy = court.ladder_at(course.t0[1])
                took = escalation.reached(course, policy, court.as_of, piece.end, _HIGHEST)
                if took and piece.end.at is not None:
                    took.add(("ended", 0))
            self._takes[key] = took
        return self._takes[key]


def _when(items: Sequence[Item]) -> tuple[int, int]:
    """Return when the first and when the last report of a violation came in."""
    known = [item.known_at for item in items]
    return min(known), max(known)
