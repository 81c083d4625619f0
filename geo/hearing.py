"""Is a command fit to be heard, does it speak at a moment, and what is answered to one that does not?

What is written here are the RULES 1, 5 and 6 of ``reviews``: commands in order of the ledger, each held against those
before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from geo import nearness, terms
from geo.reviews import (
    NAME,
    NOBODY,
    STATUS,
    Answer,
    Command,
    Docket,
    Ruling,
    choose,
    listed,
    moment,
    names,
    number,
    party_of,
    person,
    span,
)
from geo.terms import COMMANDS

if TYPE_CHECKING:
    from datetime import datetime

    from geo.theatre import Theatre

_TARGETS: Final = {
    **dict.fromkeys(("confirm", "exempt", "attribute", "move"), "V"),
    "refute": "VR",
    **dict.fromkeys(("merge", "split", "set_t0", "declare", "end", "reopen"), "B"),
    "fix": "VB",
    "release": "DVB",
}
_KINDS: Final = {"V": "a violation (V-7)", "R": "a report (R-7)", "B": "an incident (B-7)", "D": "a command (D-7)"}
_TIERS: Final = ("1", "2", "3")
_TIMES: Final = "a time with its offset from UTC (or two parted by /, in order), not after the decision, as its value"


class _Accepted:
    """Commands that are fit to be heard, in order of the ledger; those that bear on others also by themselves."""

    def __init__(self) -> None:
        self.all: list[Command] = []
        self.fixes: list[Command] = []
        self.releases: list[Command] = []
        self.held: dict[int, str] = {}
        """The status that a fix of a violation holds, by the number of the fix."""

    def add(self, command: Command) -> None:
        """Accept one more."""
        self.all.append(command)
        for kind, some in (("fix", self.fixes), ("release", self.releases)):
            if command.command == kind:
                some.append(command)


def hear(frame: pd.DataFrame, theatre: Theatre, as_of: datetime) -> Docket:
    """Return which commands speak at ``as_of`` (aware UTC), and the answers to those that do not.

    Parameters
    ----------
    frame
        ``REVIEWS``, in any order.
    """
    answers: dict[int, Answer] = {}
    accepted = _Accepted()
    ordered = frame.sort_values("ledger_no").fillna({"value": "", "violations": ""})
    row: Any
    for row in ordered.itertuples(index=False):
        wrong = _fault(row, theatre)
        if wrong is None:
            command = _command(row)
            wrong = _illegal(command, accepted)
            if wrong is None:
                accepted.add(command)
        if wrong is not None:
            answers[int(row.ledger_no)] = Answer("rejected", wrong)
    now = nearness.instant(as_of)
    answers |= {one.no: answer for one in accepted.all if (answer := _silent(one, accepted, now)) is not None}
    speaking = (one for one in accepted.all if one.no not in answers)
    return Docket(speaking, answers, accepted.held, (frame, theatre, as_of))


def _command(row: Any) -> Command:  # noqa: ANN401 -- a row, as pandas gives it
    return Command(
        no=int(row.ledger_no),
        command=row.command,
        target=row.target.strip().upper(),
        value=row.value.strip(),
        listed=listed(row.violations),
        person=person(row.reviewer),
        reason=row.reason.strip(),
        at=nearness.instant(row.at),
        expires=None if pd.isna(row.expires) else nearness.instant(row.expires),
        known_at=nearness.instant(row.known_at),
        subjects=row.subjects,
    )


def _fault(row: Any, theatre: Theatre) -> str | None:  # noqa: ANN401 -- likewise
    """Return what is wrong with a command by itself (RULE 1), or ``None``."""
    if not pd.isna(row.fault):
        return str(row.fault)
    if row.command not in COMMANDS:
        return f"no command is called {'' if pd.isna(row.command) else row.command!r}; there are {', '.join(COMMANDS)}"
    for name in ("reviewer", "reason"):
        if pd.isna(getattr(row, name)) or not getattr(row, name).strip():
            return f"it names no {name}; every decision has a person and a reason"
    return _mistimed(row) or _misnamed(row) or _worthless(row, theatre)


def _mistimed(row: Any) -> str | None:  # noqa: ANN401 -- likewise
    """Return what is wrong with the times of a command, or ``None``."""
    if pd.isna(row.at):
        return "it does not say when it was decided (column at)"
    if row.at > row.known_at:
        return f"its time lies after the moment when it was recorded, {row.known_at:%Y-%m-%dT%H:%M:%SZ}"
    if not pd.isna(row.expires) and row.expires <= max(row.at, row.known_at):
        return "it had expired before it was read"
    return None


def _misnamed(row: Any) -> str | None:  # noqa: ANN401 -- likewise
    """Return what is wrong with the names in a command, or ``None``."""
    target = "" if pd.isna(row.target) else row.target.strip().upper()
    kinds = _TARGETS[row.command]
    found = NAME.fullmatch(target)
    if found is None or found.group(1) not in kinds:
        wanted = " or ".join(_KINDS[kind] for kind in kinds)
        return f"{row.command} needs the name of {wanted}, not {target or 'nothing'}"
    unknown = [name for name in names(target, row.value, row.violations) if name not in row.subjects]
    if unknown:
        return f"unknown: {', '.join(unknown)}; no report in the ledger bears that number"
    return None


def _worthless(row: Any, theatre: Theatre) -> str | None:  # noqa: ANN401 -- likewise
    """Return what is wrong with the value or the list of a command, or ``None``."""
    value = row.value.strip()
    several = listed(row.violations)
    strange = [name for name in several if not name.startswith("V-") or NAME.fullmatch(name) is None]
    if strange:
        return f"violations lists {', '.join(strange)}; it takes names of violations (V-7)"
    times = span(value)
    timely = times is not None and times[1] <= nearness.instant(row.at)
    rules = {
        "attribute": (party_of(value, theatre) is not None, f"unknown party {value!r}; write {_parties(theatre)}"),
        "declare": (value in _TIERS, f"tier {value!r} is out of range; write 1, 2 or 3"),
        "merge": (value.upper().startswith("B-"), "merge needs the other incident (B-8) as its value"),
        "move": (value.upper().startswith("B-"), "move needs the incident that it moves to (B-8) as its value"),
        "split": (bool(several), "split needs the violations that become a part of their own"),
        "set_t0": (timely, f"set_t0 needs {_TIMES}"),
        "end": (not value or timely, f"end needs nothing, or {_TIMES}"),
        "fix": (not value or value in terms.STATUSES, f"a fix holds one of {', '.join(terms.STATUSES)}, or nothing"),
    }  # fmt: skip
    fine, why = rules.get(row.command, (True, ""))
    return None if fine else why


def _parties(theatre: Theatre) -> str:
    return ", ".join([*(party.id for party in theatre.parties), NOBODY])


def _illegal(command: Command, earlier: _Accepted) -> str | None:
    """Return why earlier commands do not allow this one (RULES 5 and 6), or ``None``."""
    if command.command == "release":
        return None if any(_releases(command, one) for one in earlier.all) else _nothing_released(command, earlier)
    for fix in earlier.fixes:
        if (
            fix.speaks(command.at)
            and not _released(fix, earlier, command.at)
            and not _named(fix).isdisjoint(_named(command))
        ):
            return f"conflicts with fix {fix.name}; release it first"
    if command.command == "fix" and command.target.startswith("V"):
        status = command.value or _decided(command, earlier)
        if status is None:
            return "no person has decided its status; write the status to hold as the value"
        earlier.held[command.no] = status
    return None


def _decided(fix: Command, earlier: _Accepted) -> str | None:
    """Return what people had made of the status of the violation that a fix names."""
    said = [
        Ruling(one.no, one.person, one.at, one.known_at, "status", STATUS[one.command])
        for one in earlier.all
        if one.command in STATUS
        and one.target.startswith("V")
        and one.subject == fix.subject
        and one.speaks(fix.at)
        and not _released(one, earlier, fix.at)
    ]
    found = choose(said, "status")
    return None if found is None else found.says


def _named(command: Command) -> set[tuple[bool, int]]:
    """Return what a command names: items, apart for incidents and for violations or reports."""
    return {(name.startswith("B"), item) for name, item in command.subjects.items()}


def _releases(release: Command, earlier: Command) -> bool:
    if earlier.command == "release":
        return False
    if release.target.startswith("D"):
        return earlier.no == number(release.target)
    same = (release.target.startswith("B"), release.subject) in _named(earlier)
    return earlier.command == "fix" and same


def _released(command: Command, accepted: _Accepted, when: int) -> Command | None:
    """Return the release that takes a command back at an instant, if any."""
    return next(
        (one for one in accepted.releases if one.no > command.no and one.speaks(when) and _releases(one, command)),
        None,
    )


def _nothing_released(release: Command, earlier: _Accepted) -> str:
    if any(one.name == release.target for one in earlier.releases):
        return "a release is not released; give the command again"
    return f"nothing earlier that holds is called {release.target}, or no fix names it"


def _silent(command: Command, accepted: _Accepted, now: int) -> Answer | None:
    """Return the answer to a command that does not speak at an instant, and to a release; ``None``: it speaks."""
    if now < command.at:
        return Answer("waits", f"it speaks from {moment(command.at)}")
    if command.expires is not None and now >= command.expires:
        return Answer("over", f"expired {moment(command.expires)}")
    release = _released(command, accepted, now)
    if release is not None:
        return Answer("over", f"released by {release.name}")
    if command.command == "release":
        taken = [one.name for one in accepted.all if one.no < command.no and _releases(command, one)]
        return Answer("applied", f"takes back {', '.join(taken)}")
    return None
