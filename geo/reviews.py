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
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import pandas as pd

from geo import nearness

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
NAME: Final = re.compile(r"([BCDRV])-([1-9][0-9]{0,17})")
_PARTED: Final = re.compile(r"[\s,;+]+")


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
    if not mine:
        return None
    fixed = [ruling for ruling in mine if ruling.fixed]
    if fixed:
        return fixed[0]
    last: dict[str, Ruling] = {}
    for ruling in sorted(mine, key=lambda each: (each.at, each.no)):
        last[ruling.person] = ruling
    return max(last.values())


def party_of(text: str, theatre: Theatre) -> str | None:
    """Return the id of the party meant, ``unknown`` for nobody, ``None`` for a text that names no party."""
    said = text.strip().casefold()
    for party in theatre.parties:
        if said in {party.id.casefold(), party.name.casefold(), *(alias.casefold() for alias in party.aliases)}:
            return party.id
    return NOBODY if said == NOBODY else None


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


def moment(instant_us: int) -> str:
    """Return an instant in µs since 1970 as text for people."""
    return f"{pd.Timestamp(instant_us, unit='us', tz='UTC'):%Y-%m-%dT%H:%M:%SZ}"
