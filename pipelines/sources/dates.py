"""Which number is the day and which the month, where a date is not ISO 8601?

A source declares it: ``day-first`` or ``month-first``, and then nothing else is read. ``judged`` leaves it to the
evidence of each file, over all its columns of dates together:

- impossible values: 25/03/2026 has one reading only;
- neighbours: where the dates that have one reading (ISO ones too) stand in order of time, one between two of them that
  fits there in one reading only;
- order: the column as a whole is in order of time in one reading only. Few dates are in order by chance, so that it
  takes ``ORDERED`` different ones.

If all evidence says the same, every date is read so. If there is none, or it contradicts itself, dates with one
reading are taken and the others refused: no row is ever decided by itself. Years have four digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.theatre import DateOrder
    from pipelines.sources.reading import Mask, Sieve, Text

ORDERED: Final = 8  # eight dates in no order are in order by chance once in 20,000 files
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK: Final = (
    r"(?:(?:[T ]|, ?)(?P<hour>[0-9]{1,2}):(?P<rest>[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_NUMBERS: Final = re.compile(
    r"(?P<one>[0-9]{1,2})(?P<sign>[-./])(?P<two>[0-9]{1,2})(?P=sign)(?P<year>[0-9]{4})" + _CLOCK
)
_SHORT: Final = re.compile(r"[0-9]{1,2}([-./])[0-9]{1,2}\1[0-9]{2}(?:[T ,].*)?")
_NAMED: Final = re.compile(
    r"(?:(?P<day>[0-9]{1,2})(?:[ -]|\. ?)(?P<month>[A-Za-z]{3,9})[ -]|(?P<name>[A-Za-z]{3,9}) (?P<number>[0-9]{1,2}), )"
    r"(?P<year>[0-9]{4})" + _CLOCK
)
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ].*)?")
_FULL: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip


class _Said(NamedTuple):
    """What a cell may mean: the ISO text of each reading, ``None`` where it has none."""

    day_first: str | None
    month_first: str | None

    @property
    def is_open(self) -> bool:
        """Whether both readings are dates, and different ones."""
        return None not in self and self.day_first != self.month_first


@dataclass(frozen=True)
class Order:
    """How the dates of one file are read; ``first`` is ``day`` or ``month``, ``None``: only those of one reading."""

    dialect: DateOrder = "iso"
    first: str | None = None
    wanted: str = field(
        default="no ISO 8601 date or time: write 2026-02-03, 2026-02-03T14:05Z or 2026-02-03T14:05+02:00"
    )

    def iso(self, text: Text) -> tuple[Text, Mask, Mask]:
        """Return the column in ISO 8601 as far as it can be, and where it has two readings, and a year of two digits.

        What is no date of this order stays as it is.
        """
        none = np.zeros(len(text), dtype=bool)
        if self.dialect == "iso":
            return text, none, none
        coded = text.dictionary_encode()
        words = coded.dictionary.to_pylist()
        means = [self._meaning(word) for word in words]
        turned = pa.array(
            [word if mean is None else mean for word, mean in zip(words, means, strict=True)], pa.string()
        )
        index = np.asarray(coded.indices.fill_null(len(words)))
        is_open = np.array([*(mean == "" for mean in means), False], dtype=bool)
        is_short = np.array([*(_SHORT.fullmatch(word) is not None for word in words), False], dtype=bool)
        return turned.take(coded.indices), is_open[index], is_short[index]

    def _meaning(self, word: str) -> str | None:
        """Return a date's ISO text, nothing for one with two readings, ``None`` for what is no such date."""
        said = _readings(word)
        if said is None or self.first == "day":
            return said and said.day_first
        if self.first == "month":
            return said.month_first
        return "" if said.is_open else said.day_first or said.month_first


ISO: Final = Order()


def settle(sieve: Sieve, columns: Sequence[str], dialect: DateOrder) -> Order:
    """Return the order of the file's dates, and note how it was judged if the source leaves it to the file."""
    if dialect == "iso":
        return ISO
    if dialect != "judged":
        first = dialect.removesuffix("-first")
        example = "03.02.2026" if first == "day" else "02/03/2026"
        return Order(
            dialect, first, f"no date with the {first} first: write {example}, 2026-02-03 or 2026-02-03T14:05Z"
        )
    found = _Evidence(len(sieve.records))
    for name in columns:
        found.weigh([None if cell is None else _cell(cell) for cell in sieve.records.text(name).to_pylist()])
    return Order(dialect, _judge(sieve, found), "no date: write 03.02.2026, 2026-02-03 or 2026-02-03T14:05Z")


def _judge(sieve: Sieve, found: _Evidence) -> str | None:
    if not found.open.any():
        return None
    file, days, months = "Rows whose dates have two readings", found.votes["day"], found.votes["month"]
    count = f"{np.count_nonzero(found.open):,}"
    if days.any() and months.any():
        told = f"{sieve.first_rows(days)} with the day first, {sieve.first_rows(months)} with the month first"
        sieve.note(f"{file} ({count}) are refused, because the file contradicts itself: {told}.")
        return None
    if not days.any() and not months.any():
        sieve.note(f"{file} ({count}) are refused: nothing in the file says whether the day or the month is first.")
        return None
    first = "day" if days.any() else "month"
    told = sieve.first_rows(found.votes[first])
    sieve.note(f"{file} ({count}) are read with the {first} first, as the file shows in {told}.")
    return first


def _cell(cell: str) -> _Said | None:
    said = _readings(cell)
    if said is None and _ISO.fullmatch(cell) and _real(cell[:4], cell[5:7], cell[8:10]):
        return _Said(cell[:10], cell[:10])
    return said


class _Evidence:
    """Which rows show that the day, or the month, is first, and which have two readings (``open``)?"""

    def __init__(self, size: int) -> None:
        self.open = np.zeros(size, dtype=bool)
        self.votes = {"day": np.zeros(size, dtype=bool), "month": np.zeros(size, dtype=bool)}

    def weigh(self, cells: Sequence[_Said | None]) -> None:
        """Add what a column shows; ``None`` is no date."""
        rows = [row for row, said in enumerate(cells) if said is not None]
        said: list[Any] = [cells[row] for row in rows]
        self.open[[row for row, each in zip(rows, said, strict=True) if each.is_open]] = True
        for row, each in zip(rows, said, strict=True):
            if None in each:
                self.votes["month" if each.day_first is None else "day"][row] = True
        self._neighbours(rows, said)
        self._order(rows, said)

    def _neighbours(self, rows: list[int], said: list[Any]) -> None:
        fixed = [None if each.is_open else (each.day_first or each.month_first)[:10] for each in said]
        sure = [day for day in fixed if day is not None]
        way = _direction(sure)
        if not way:
            return
        before, after = _latest(fixed), reversed(_latest(fixed[::-1]))
        for row, each, *ends in zip(rows, said, before, after, strict=True):
            if not each.is_open or None in ends:
                continue
            low, high = ends[::way]
            fits = [low <= reading[:10] <= high for reading in each]
            if fits[0] != fits[1]:
                self.votes["day" if fits[0] else "month"][row] = True

    def _order(self, rows: list[int], said: list[Any]) -> None:
        if not any(each.is_open for each in said):
            return
        ways = [_direction([(each[at] or each[1 - at])[:10] for each in said]) for at in (0, 1)]
        if bool(ways[0]) != bool(ways[1]):
            which = [row for row, each in zip(rows, said, strict=True) if each.is_open]
            self.votes["day" if ways[0] else "month"][which] = True


def _latest(days: Sequence[str | None]) -> list[str | None]:
    """Return the last day so far at each place."""
    found: list[str | None] = []
    for day in days:
        found.append(day or (found[-1] if found else None))
    return found


def _direction(days: Sequence[str]) -> int:
    """Return 1 if the days never fall, -1 if they never rise, 0 if neither or too few to tell."""
    if len(set(days)) < ORDERED:
        return 0
    pairs = list(pairwise(days))
    return 1 if all(one <= two for one, two in pairs) else -1 if all(one >= two for one, two in pairs) else 0


def _readings(cell: str) -> _Said | None:
    if found := _NUMBERS.fullmatch(cell):
        clock, (one, two, year) = _time(found), found.group("one", "two", "year")
        days = [_real(year, two, one), _real(year, one, two)]
        said = _Said(*((day and clock is not None and day + clock) or None for day in days))
    elif found := _NAMED.fullmatch(cell):
        clock, month = _time(found), _month(found["month"] or found["name"])
        day = _real(found["year"], str(month), found["day"] or found["number"]) if month else None
        whole = day + clock if day and clock is not None else None
        said = _Said(whole, whole)
    else:
        return None
    return None if said == (None, None) else said


def _time(found: re.Match[str]) -> str | None:
    """Return the ISO text behind the date, ``None`` if there is no such time."""
    if found["hour"] is None:
        return ""
    hour = int(found["hour"])
    if found["half"]:
        if not 1 <= hour <= 12:  # noqa: PLR2004 -- hours of half a day
            return None
        hour = hour % 12 + (12 if found["half"] in "pP" else 0)
    return f"T{hour:02}:{found['rest']}{found['zone'] or ''}"


def _month(name: str) -> int | None:
    word = name.lower()
    return next(
        (at for at, (short, full) in enumerate(zip(MONTHS, _FULL, strict=True), 1) if word in (short, full)), None
    )


def _real(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
