"""Which commands of people hold at a moment, and what is answered to the others?

People correct the machine by commands that are never overwritten. Numbered rules, mirrored in the code and in the
tests; what a command does stands in ``verdicts``, ``arrangement`` and ``decisions``:

RULE 1  A command names its reviewer, its reason and the time ``at`` of the decision. It speaks from ``at`` until
        ``expires``, and counts from when it was recorded, like any entry. One dated after it was recorded is rejected,
        and one that had expired before.
RULE 2  A name means the item whose entry bears its number, and so whatever that item is part of now.
RULE 3  The same person twice is one person: names are compared by NFKC, case and white space.
RULE 4  Of what one person says of the same thing the later holds (``at``, then the ledger); between people the later in
        the ledger.
RULE 5  A fix protects what it names: later commands on it are rejected until it expires or is released. The time that
        counts is the later command's own ``at``, so that no answer turns when a fix expires.
RULE 6  A release takes back one earlier command (D-n), or the fixes of a violation or an incident, from its own ``at``
        on. A release is not released: give the command again.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import pandas as pd

from geo import nearness, terms
from geo.terms import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from geo.theatre import Theatre

    Heard = tuple[pd.DataFrame, Theatre, datetime]

TIME: Final = "datetime64[us, UTC]"
REVIEWS: Final[dict[str, str]] = {
    "ledger_no": "int64",
    "command": "str",
    "target": "str",
    "value": "str",
    "violations": "str",  # names, parted by white space, commas or semicolons
    "reviewer": "str",
    "reason": "str",
    "at": TIME,
    "expires": TIME,
    "known_at": TIME,
    "fault": "str",  # why the row could not be read; missing: it could
    "subjects": "object",  # each name in it → the first number of the item whose entry bears that number
}

STATUS: Final = {"confirm": "confirmed", "refute": "refuted", "exempt": "exempt"}
NOBODY: Final = "unknown"
_TARGETS: Final = {
    **dict.fromkeys(("confirm", "exempt", "attribute", "move"), "V"),
    "refute": "VR",
    **dict.fromkeys(("merge", "split", "set_t0", "declare", "end", "reopen"), "B"),
    "fix": "VB",
    "release": "DVB",
}
_KINDS: Final = {"V": "a violation (V-7)", "R": "a report (R-7)", "B": "an incident (B-7)", "D": "a command (D-7)"}
NAME: Final = re.compile(r"([BCDRV])-([1-9][0-9]{0,17})")
_PARTED: Final = re.compile(r"[\s,;+]+")
_TIERS: Final = ("1", "2", "3")
_TIMES: Final = "a time with its offset from UTC (or two parted by /, in order), not after the decision, as its value"


class Command(NamedTuple):
    """One command as it was given; instants in µs since 1970 UTC."""

    no: int
    command: str
    target: str
    value: str
    listed: tuple[str, ...]
    person: str
    reason: str
    at: int
    expires: int | None
    known_at: int
    subjects: Mapping[str, int]

    @property
    def name(self) -> str:
        """Its own name."""
        return f"D-{self.no}"

    @property
    def subject(self) -> int:
        """First number of the item that its target means."""
        return self.subjects[self.target]

    def speaks(self, when: int) -> bool:
        """Whether it speaks at an instant."""
        return self.at <= when and (self.expires is None or when < self.expires)


class Ruling(NamedTuple):
    """What a person says of a violation, by one of its reports; instants in µs since 1970 UTC."""

    no: int
    person: str
    at: int
    known_at: int
    about: Literal["status", "party"]
    says: str
    fixed: bool = False


class Answer(NamedTuple):
    """What became of a command, and why."""

    answer: str
    why: str | None = None


class Docket:
    """The commands that speak at ``as_of``, and the answers given so far; every stage answers those that it hears."""

    def __init__(self, said: Iterable[Command], answers: dict[int, Answer], held: dict[int, str], of: Heard) -> None:
        self.commands = tuple(said)
        self.answers = answers
        self.heard = of
        self._held = held

    def of(self, *names: str) -> Iterator[Command]:
        """Yield the commands of these kinds that speak and are not answered yet, in order of the ledger."""
        return (one for one in self.commands if one.command in names and one.no not in self.answers)

    def held(self, command: Command) -> str | None:
        """Return the status that a fix holds, if it holds one."""
        return self._held.get(command.no)

    def apply(self, command: Command, why: str | None = None) -> None:
        """Answer that a command is applied."""
        self.answers[command.no] = Answer("applied", why)

    def reject(self, command: Command, why: str) -> None:
        """Answer that it is rejected."""
        self.answers[command.no] = Answer("rejected", why)

    def answer(self, command: Command, answer: str, why: str) -> None:
        """Give any other answer."""
        self.answers[command.no] = Answer(answer, why)


def none() -> pd.DataFrame:
    """Return a frame without commands."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in REVIEWS.items()})


def person(name: str) -> str:
    """Return a person's name as it is compared (RULE 3)."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def listed(text: str) -> tuple[str, ...]:
    """Return the names in a list, each once."""
    return tuple(dict.fromkeys(part.upper() for part in _PARTED.split(text) if part))


def names(target: str, value: str, violations: str) -> tuple[str, ...]:
    """Return every name that a command uses: what must be found in the ledger."""
    found = (target.strip().upper(), value.strip().upper(), *listed(violations))
    return tuple(name for name in found if NAME.fullmatch(name) and not name.startswith("D"))


def number(name: str) -> int:
    """Return n of B-n, V-n, R-n or D-n."""
    return int(name.split("-", 1)[1])


def choose(rulings: Iterable[Ruling], about: str) -> Ruling | None:
    """Return the ruling that holds among those on one violation (RULES 4 and 5); ``None`` without any."""
    mine = sorted({ruling for ruling in rulings if ruling.about == about})
    fixed = [ruling for ruling in mine if ruling.fixed]
    if fixed:
        return fixed[0]
    last: dict[str, Ruling] = {}
    for ruling in sorted(mine, key=lambda each: (each.at, each.no)):
        last[ruling.person] = ruling
    return max(last.values(), default=None)


def hear(frame: pd.DataFrame, theatre: Theatre, as_of: datetime) -> Docket:
    """Return which commands speak at ``as_of`` (aware UTC), and the answers to those that do not.

    Parameters
    ----------
    frame
        ``REVIEWS``, in any order.
    """
    answers: dict[int, Answer] = {}
    accepted: list[Command] = []
    held: dict[int, str] = {}
    ordered = frame.sort_values("ledger_no").fillna({"value": "", "violations": ""})
    row: Any
    for row in ordered.itertuples(index=False):
        wrong = _fault(row, theatre)
        if wrong is None:
            command = _command(row)
            wrong = _illegal(command, accepted, held)
            if wrong is None:
                accepted.append(command)
        if wrong is not None:
            answers[int(row.ledger_no)] = Answer("rejected", wrong)
    now = nearness.instant(as_of)
    answers |= {one.no: answer for one in accepted if (answer := _silent(one, accepted, now)) is not None}
    return Docket((one for one in accepted if one.no not in answers), answers, held, (frame, theatre, as_of))


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


def party_of(text: str, theatre: Theatre) -> str | None:
    """Return the id of the party meant, ``unknown`` for nobody, ``None`` for a text that names no party."""
    said = text.strip().casefold()
    for party in theatre.parties:
        if said in {party.id.casefold(), party.name.casefold(), *(alias.casefold() for alias in party.aliases)}:
            return party.id
    return NOBODY if said == NOBODY else None


def _parties(theatre: Theatre) -> str:
    return ", ".join([*(party.id for party in theatre.parties), NOBODY])


def span(text: str) -> tuple[int, int] | None:
    """Return the two instants of ``FROM/TO``, or of a single time twice, µs since 1970; ``None`` for anything else."""
    begin, slash, end = text.partition("/")
    try:
        moments = [datetime.fromisoformat(part.strip()) for part in (begin, end if slash else begin)]
    except ValueError:
        return None
    if any(moment.tzinfo is None for moment in moments) or moments[0] > moments[1]:
        return None
    first, last = map(nearness.instant, moments)
    return first, last


def _illegal(command: Command, earlier: list[Command], held: dict[int, str]) -> str | None:
    """Return why earlier commands do not allow this one (RULES 5 and 6), or ``None``."""
    if command.command == "release":
        return None if any(_releases(command, one) for one in earlier) else _nothing_released(command, earlier)
    for fix in earlier:
        if (
            fix.command == "fix"
            and fix.speaks(command.at)
            and not _released(fix, earlier, command.at)
            and not _named(fix).isdisjoint(_named(command))
        ):
            return f"conflicts with fix {fix.name}; release it first"
    if command.command == "fix" and command.target.startswith("V"):
        status = command.value or _decided(command, earlier)
        if status is None:
            return "no person has decided its status; write the status to hold as the value"
        held[command.no] = status
    return None


def _decided(fix: Command, earlier: list[Command]) -> str | None:
    """Return what people had made of the status of the violation that a fix names."""
    said = [
        Ruling(one.no, one.person, one.at, one.known_at, "status", STATUS[one.command])
        for one in earlier
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


def _released(command: Command, all_of_them: list[Command], when: int) -> Command | None:
    """Return the release that takes a command back at an instant, if any."""
    return next(
        (
            one
            for one in all_of_them
            if one.command == "release" and one.no > command.no and one.speaks(when) and _releases(one, command)
        ),
        None,
    )


def _nothing_released(release: Command, earlier: list[Command]) -> str:
    if any(one.command == "release" and one.name == release.target for one in earlier):
        return "a release is not released; give the command again"
    return f"nothing earlier that holds is called {release.target}, or no fix names it"


def _silent(command: Command, accepted: list[Command], now: int) -> Answer | None:
    """Return the answer to a command that does not speak at an instant, and to a release; ``None``: it speaks."""
    if now < command.at:
        return Answer("waits", f"it speaks from {moment(command.at)}")
    if command.expires is not None and now >= command.expires:
        return Answer("over", f"expired {moment(command.expires)}")
    release = _released(command, accepted, now)
    if release is not None:
        return Answer("over", f"released by {release.name}")
    if command.command == "release":
        taken = [one.name for one in accepted if one.no < command.no and _releases(command, one)]
        return Answer("applied", f"takes back {', '.join(taken)}")
    return None


def moment(instant_us: int) -> str:
    """Return an instant in µs since 1970 as text for people."""
    return f"{pd.Timestamp(instant_us, unit='us', tz='UTC'):%Y-%m-%dT%H:%M:%SZ}"
