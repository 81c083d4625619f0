"""Which violations do people put together, or apart?

Works on the components that the links make, before they get names. Numbered rules, mirrored in the code and in the
tests; commands are heard in the order of the ledger, each on what the earlier ones left:

RULE 1  Merge unites two incidents, unless they share no ceasefire window: nothing links across a window's edge.
RULE 2  Split makes the listed violations of an incident a part of their own; move puts one violation into another
        incident; fix with a list makes the listed ones, wherever they are, one incident, and no others.
RULE 3  A violation that began after the decision was not spoken of: it goes with the side that it is linked to by the
        shortest pause, then distance, then content, directly or through others that began after. What began before and
        is not listed stays where it was.
RULE 4  Only qualifying violations are arranged, and only incidents: a candidate has no clock that could change.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

import numpy as np

from geo import nearness
from geo.nearness import HOUR_US, Things, micros

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from geo.policy import Policy
    from geo.reviews import Command, Docket

    Ints = NDArray[np.int64]

SHOWN: Final = 5
"""How many violations an answer names."""


class Arrangement:
    """What people decided of grouping, to be applied to the components of the violations ``found``."""

    def __init__(self, docket: Docket, reports: pd.DataFrame, found: pd.DataFrame, policy: Policy) -> None:
        self._docket, self._found, self._policy = docket, found, policy
        self._commands = [c for c in docket.of("merge", "split", "move", "fix") if c.command != "fix" or c.listed]
        self._home: dict[int, int] = {}
        if self._commands:
            place = {name: row for row, name in enumerate(found["violation_id"].tolist())}
            kept = reports.loc[reports["violation_id"].notna()]
            names = zip(kept["first_no"].tolist(), kept["violation_id"].tolist(), strict=True)
            self._home = {first: place[name] for first, name in names}
        self._component = np.empty(0, np.int64)
        self._counts = found["qualifying"].to_numpy(bool)

    def __call__(self, component: Ints) -> Ints:
        """Return the components as people arranged them, and answer the commands."""
        if not self._commands:
            return component
        self._component = component.copy()
        for command in self._commands:
            wrong = {"merge": self._merge, "split": self._split, "move": self._move, "fix": self._fix}[command.command](
                command
            )
            if wrong is not None:
                self._docket.reject(command, wrong)
        self._disagree(component)
        return self._component

    def _incident(self, command: Command, name: str) -> int | None:
        """Return the component of an incident by any name of it, ``None`` where it is none now (RULE 4)."""
        row = self._home.get(command.subjects[name])
        if row is None or not self._counts[row]:
            return None
        size = int((self._component[self._counts] == self._component[row]).sum())
        return int(self._component[row]) if size >= self._policy.ladder.open_n else None

    def _windows(self, rows: Iterable[int]) -> int:
        inside = self._found["inside"].to_numpy(np.int64)
        return int(np.bitwise_or.reduce(inside[list(rows)]))

    def _members(self, label: int) -> Ints:
        return np.flatnonzero((self._component == label) & self._counts)

    def _merge(self, command: Command) -> str | None:
        """RULE 1."""
        names = (command.target, command.value.upper())
        labels = [self._incident(command, name) for name in names]
        for name, label in zip(names, labels, strict=True):
            if label is None:
                return f"{name} is no incident now"
        one, other = (label for label in labels if label is not None)
        if one == other:
            return "they are one incident already"
        if not self._windows(self._members(one)) & self._windows(self._members(other)):
            return "they share no ceasefire window; nothing links across its edge"
        self._component[self._component == other] = one
        self._docket.apply(command)
        return None

    def _split(self, command: Command) -> str | None:
        """RULE 2."""
        label = self._incident(command, command.target)
        if label is None:
            return f"{command.target} is no incident now"
        mine, lost = self._listed(command, label)
        if not len(mine):
            return f"none of the listed violations counts in {command.target} now"
        if len(mine) == len(self._members(label)):
            return f"nothing would be left of {command.target}"
        self._part(mine, self._new(), command.at)
        self._docket.apply(command, _left_out(lost))
        return None

    def _move(self, command: Command) -> str | None:
        """RULE 2."""
        row, name = self._home.get(command.subject), command.value.upper()
        label = self._incident(command, name)
        if row is None or not self._counts[row]:
            return f"{command.target} does not count now, so it can be moved nowhere"
        if label is None:
            return f"{name} is no incident now"
        if self._component[row] == label:
            return f"{command.target} is part of {name} already"
        if not self._windows([row]) & self._windows(self._members(label)):
            return "they share no ceasefire window; nothing links across its edge"
        self._part(np.array([row]), label, command.at)
        self._docket.apply(command)
        return None

    def _fix(self, command: Command) -> str | None:
        """RULE 2."""
        if self._incident(command, command.target) is None:
            return f"{command.target} is no incident now"
        mine, lost = self._listed(command, None)
        if not len(mine):
            return "none of the listed violations counts now"
        self._part(mine, self._new(), command.at)
        self._docket.apply(command, _left_out(lost))
        return None

    def _listed(self, command: Command, label: int | None) -> tuple[Ints, list[str]]:
        """Return the listed violations that count (in one component, if told), and the names of the others."""
        rows = {name: self._home.get(command.subjects[name]) for name in command.listed}
        fits = {
            name: row
            for name, row in rows.items()
            if row is not None and self._counts[row] and label in {None, int(self._component[row])}
        }
        return np.array(sorted(set(fits.values())), np.int64), [name for name in rows if name not in fits]

    def _new(self) -> int:
        return int(self._component.max()) + 1

    def _part(self, mine: Ints, label: int, at: int) -> None:
        """Give some violations another label, and with them what began later and follows them (RULE 3)."""
        begin = micros(self._found["observed_from"])
        for old in {int(one) for one in self._component[mine]} - {label}:
            whole = self._members(old)
            taken = np.intersect1d(mine, whole)
            later = np.setdiff1d(whole[begin[whole] > at], taken)
            follow = self._followers(whole, set(taken.tolist()), set(later.tolist())) if len(later) else []
            self._component[[*taken, *follow]] = label
        self._component[mine] = label

    def _followers(self, whole: Ints, taken: set[int], later: set[int]) -> list[int]:
        """Return which of the later violations go with the taken ones: the shortest link decides, one after another."""
        links = self._links(whole, np.array(sorted(later), np.int64))
        side = {row: row in taken for row in whole.tolist() if row not in later}
        heap = [link for row in side for link in links.get(row, [])]
        heapq.heapify(heap)
        while heap:
            *_, new, old = heapq.heappop(heap)
            if new not in side:
                side[new] = side[old]
                for link in links.get(new, []):
                    heapq.heappush(heap, link)
        return [row for row in later if side.get(row, False)]

    def _links(self, whole: Ints, later: Ints) -> dict[int, list[tuple[int, float, str, str, int, int]]]:
        """Return what links a component to its later violations: (pause, distance, content, content, to, from)."""
        grouping, found = self._policy.grouping, self._found
        ends = Things.of(found.iloc[whole]), Things.of(found.iloc[later])
        near = nearness.between(*ends, grouping.link_m, grouping.link_gap_h * HOUR_US)
        left, right = whole[near.left], later[near.right]
        inside, content = found["inside"].to_numpy(np.int64), found["content"].to_numpy(object)
        common = np.flatnonzero((inside[left] & inside[right] != 0) & (left != right))
        out: dict[int, list[tuple[int, float, str, str, int, int]]] = {}
        columns = (near.pause_us, near.distance_m, left, right)
        for pause, metres, a, b in zip(*(each[common].tolist() for each in columns), strict=True):
            out.setdefault(a, []).append((pause, metres, content[b], content[a], b, a))
        return out

    def _disagree(self, component: Ints) -> None:
        """Say of every fix that holds where the links alone would group otherwise."""
        names = self._found["violation_id"].to_numpy(object)
        for command in self._commands:
            given = self._docket.answers[command.no]
            if command.command != "fix" or given.answer != "applied":
                continue
            mine = self._listed(command, None)[0]
            held = self._component[mine[0]]
            linked = np.isin(component, component[mine]) & self._counts
            notes = [given.why] if given.why else []
            out = names[linked & (self._component != held)]
            if len(out):
                notes.append(f"by the rules {_some(out)} would belong to it")
            if len(np.unique(component[mine])) > 1:
                notes.append("by the rules its violations would be apart")
            self._docket.apply(command, "; ".join(notes) or None)


def _left_out(lost: list[str]) -> str | None:
    return f"left out, as no part of it counts now: {_some(lost)}" if lost else None


def _some(found: Iterable[str]) -> str:
    every = list(found)
    rest = len(every) - SHOWN
    return ", ".join(every[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
