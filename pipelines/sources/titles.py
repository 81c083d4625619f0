"""Does a title name another day than the row's own date?

Such a row is taken as its columns say, and the file's notes name it: a person may know which of the two is right. Only
whole dates with one reading are looked for, and a row whose text names its own day beside others is in order.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from pipelines.sources.dates import MONTHS
from pipelines.sources.fields import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.sources.reading import Sieve, Text
    from pipelines.sources.times import Instants

SLACK: Final = timedelta(days=1)  # days begin elsewhere in other zones
_YEAR: Final = "(?:19|20)[0-9]{2}"
_NAMES: Final = f"(?:{'|'.join(MONTHS)})[a-z]*"
_WORTH: Final = (
    rf"(?i){_YEAR}-[0-9]{{2}}-[0-9]{{2}}|[0-9][a-z ]{{1,3}}{_NAMES},? {_YEAR}|{_NAMES} [0-9a-z]{{1,4}},? {_YEAR}"
)
_DAY: Final = "(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_DATES: Final = tuple(
    re.compile(rf"(?<![0-9a-z]){form}(?![0-9])", re.IGNORECASE)
    for form in (
        rf"(?P<year>{_YEAR})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})",
        rf"{_DAY} (?P<month>{_NAMES}),? (?P<year>{_YEAR})",
        rf"(?P<month>{_NAMES}) {_DAY},? (?P<year>{_YEAR})",
    )
)


def compare(sieve: Sieve, text: Text, observed: tuple[Instants, Instants]) -> None:
    """Note the rows whose text names days, and none that the observation touches (give or take a day)."""
    first, last = observed
    other = np.zeros(len(text), dtype=bool)
    for row in np.flatnonzero(matches(text, _WORTH) & ~np.isnat(first) & ~np.isnat(last)):
        told = list(_days(text[int(row)].as_py()))
        begin, end = (edge.astype("datetime64[D]").item() for edge in (first[row], last[row]))
        other[row] = bool(told) and not any(begin - SLACK <= day <= end + SLACK for day in told)
    if other.any():
        sieve.note(
            f"Rows whose text names another day than their date are taken as dated ({np.count_nonzero(other):,}): "
            f"{sieve.first_rows(other)}."
        )


def _days(said: str) -> Iterator[date]:
    for pattern in _DATES:
        for found in pattern.finditer(said):
            month = found["month"]
            number = int(month) if month.isdigit() else MONTHS.index(month[:3].lower()) + 1
            try:
                yield date(int(found["year"]), number, int(found["day"]))
            except ValueError:
                continue
