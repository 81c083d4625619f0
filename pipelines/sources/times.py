"""When was it, between which two instants, if it is said in ISO 8601, or in the order of dates that its file has?

A date alone is that local day, 00:00:00 to 23:59:59. A time without a zone is local time of the source. A local time
that occurs twice, when clocks go back, is the interval from its first to its second occurrence; one that never occurs
is refused. ``24:00`` is the next midnight. Nothing is made more precise than it was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.dates import ISO
from pipelines.sources.fields import given
from pipelines.sources.reading import literal

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Literal, TypeAlias

    from numpy.typing import NDArray

    from geo.theatre import Source
    from pipelines.sources.dates import Order
    from pipelines.sources.reading import Mask, Sieve, Text

    Instants: TypeAlias = NDArray[np.datetime64]

YEARS: Final = (1990, 2100)
_ISO: Final = (
    r"^(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"(?:[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?$"
)
_DAY_END: Final = np.timedelta64(86_399, "s")
_FAR: Final = 14 * 60  # minutes; no zone on Earth is further from UTC
_NEVER: Final = np.datetime64("NaT", "us")

SENTENCES: Final = {
    "ambiguous_date": "{column} says {{value}}, and nothing tells the day from the month: write the date as "
    "2026-02-03, or declare dates for source {source} in theatre.toml.",
    "time": "{column} says {{value}}, which is {wanted}.",
    "year": "{column} says {{value}}, outside the years 1990 to 2100: correct the year.",
    "short_year": "{column} says {{value}}, with a year of two digits: write all four.",
    "naive_time": "{column} says {{value}} without a zone, and source {source} declares none: add Z or an offset, or "
    "declare time_zone for the source in theatre.toml.",
    "no_such_time": "{column} says {{value}}, a local time that never occurred in {zone}, because the clocks went "
    "forward over it: write it with its offset.",
}
CODES: Final = {"short_year": "year"}
AHEAD: Final = np.timedelta64(15, "m")  # by how much a source's clock may be fast


@dataclass(frozen=True, eq=False)
class Times:
    """Bounds of each cell, both possible: naive UTC ``datetime64[us]``, NaT where it is empty or at fault.

    ``faults`` has a mask for each key of ``SENTENCES``; they exclude each other.
    """

    first: Instants
    last: Instants
    faults: dict[str, Mask]


@dataclass(frozen=True, eq=False)
class _Stated:
    wall: Instants  # as on the wall clock of the stated zone; NaT where the cell is empty or no time
    offset: NDArray[np.timedelta64]
    zoned: Mask
    dated: Mask  # a date alone
    years: NDArray[np.int64]


def parse(text: Text, zone: str | None, order: Order = ISO) -> Times:
    """Return the bounds of each cell of a text column; ``zone`` is the IANA zone of naive times, if there is one.

    Fractions of a second are cut to the microsecond. ``order`` says which number of a date is the day, if it is no ISO
    date.
    """
    iso, unsure, short = order.iso(text)
    said = _stated(iso)
    readable = ~np.isnat(said.wall)
    far = readable & ((said.years < YEARS[0]) | (said.years > YEARS[1]))
    naive = readable & ~far & ~said.zoned
    first = np.where(readable & ~far & said.zoned, said.wall - said.offset, _NEVER)
    last = first.copy()
    if zone is not None:
        first[naive], last[naive] = local(said.wall[naive], said.dated[naive], zone)
    unset = naive & np.isnat(first)
    none = np.zeros(len(first), dtype=bool)
    return Times(
        first,
        last,
        {
            "ambiguous_date": unsure,
            "time": given(text) & ~readable & ~unsure & ~short,
            "year": far,
            "short_year": short,
            "naive_time": unset if zone is None else none,
            "no_such_time": none if zone is None else unset,
        },
    )


def read(sieve: Sieve, name: str, text: Text, source: Source, order: Order = ISO) -> Times:
    """Return the bounds of each cell of the column ``name``, and refuse the rows whose cell is at fault."""
    times = parse(text, source.time_zone, order)
    said = {"column": name, "source": literal(source.id), "zone": source.time_zone, "wanted": order.wanted}
    for code, rows in times.faults.items():
        sieve.refuse(rows, CODES.get(code, code), SENTENCES[code].format(**said), value=text)
    return times


def refuse_future(sieve: Sieve, begin: tuple[str, Text, Instants], received_at: datetime | None, only: Mask) -> None:
    """Refuse the rows of ``only`` that begin more than ``AHEAD`` after the file came, if it is known when."""
    name, text, first = begin
    if received_at is not None:
        latest = np.datetime64(received_at.astimezone(UTC).replace(tzinfo=None), "us") + AHEAD
        sentence = f"{name} says {{value}}, which had not come when the file did: correct the date."
        sieve.refuse(only & (first > latest), "future", sentence, value=text)


def interval(sieve: Sieve, begin: tuple[str, Text, Times], end: tuple[str, Text, Times]) -> tuple[Instants, Instants]:
    """Return the bounds of each observation; an end is (name, text, times), and an empty one is that of the begin."""
    (begin_name, begin_text, begins), (end_name, end_text, ends) = begin, end
    first = begins.first
    last = np.where(given(end_text), ends.last, begins.last)
    sentence = f"{end_name} ({{end}}) lies before {begin_name} ({{begin}}): correct one of them."
    sieve.refuse(last < first, "reversed", sentence, begin=begin_text, end=end_text)
    return first, last


def local(wall: Instants, days: Mask, zone: str) -> tuple[Instants, Instants]:
    """Return the first and last instant (naive UTC) that wall clock times of ``zone`` mean; NaT: they never occurred.

    Where ``days``, ``wall`` is a midnight and stands for its whole day, even if the midnight itself never occurred.
    """
    first, last = _occurrence(wall, zone, "first"), _occurrence(wall, zone, "last")
    begin, end = wall[days], wall[days] + _DAY_END
    first[days], last[days] = (
        _occurrence(begin, zone, "first", "shift_forward"),
        _occurrence(end, zone, "last", "shift_backward"),
    )
    return first, last


def _occurrence(
    wall: Instants,
    zone: str,
    which: Literal["first", "last"],
    gap: Literal["NaT", "shift_forward", "shift_backward"] = "NaT",
) -> Instants:
    # An ambiguous time marked as daylight saving is its first occurrence, also in zones that changed their offset.
    early = np.full(len(wall), which == "first")
    aware = pd.DatetimeIndex(wall).tz_localize(zone, ambiguous=early, nonexistent=gap)
    return aware.tz_convert("UTC").tz_localize(None).as_unit("us").to_numpy(copy=True)


def _stated(text: Text) -> _Stated:
    parts = pc.extract_regex(text, _ISO)
    year, month, day, hour, minute, second = (_number(parts.field(at)) for at in range(6))
    fraction = _number(pc.utf8_slice_codeunits(pc.utf8_rpad(parts.field(6), 6, "0"), 0, 6))
    dated, zoned = _empty(parts.field(3)), ~_empty(parts.field(7))
    offset, near = _offset(parts.field(7))
    clock = (hour < 24) & (minute < 60) & (second < 60)  # noqa: PLR2004 -- a day has 24 hours
    midnight = (hour == 24) & (minute == 0) & (second == 0) & _empty(parts.field(6))  # noqa: PLR2004
    start, real = _date(year, month, day)
    fits = np.asarray(parts.is_valid()) & real & near & (clock | midnight)
    since = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    wall = np.where(fits, start + since.astype("timedelta64[us]"), _NEVER)
    return _Stated(wall, offset, zoned, dated, year)


def _date(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> tuple[Instants, Mask]:
    months = ((year - 1970) * 12 + np.clip(month, 1, 12) - 1).astype("datetime64[M]")
    start = months.astype("datetime64[D]") + (day - 1)
    real = (month >= 1) & (month <= 12) & (day >= 1) & (start.astype("datetime64[M]") == months)  # noqa: PLR2004
    return start.astype("datetime64[us]"), real


def _offset(zones: Text) -> tuple[NDArray[np.timedelta64], Mask]:
    hours, minutes = (_number(pc.utf8_slice_codeunits(zones, at, at + 2)) for at in (1, 4))
    sign = np.where(np.asarray(pc.starts_with(zones, "-")), -1, 1)
    size = hours * 60 + minutes
    return (sign * size).astype("timedelta64[m]"), (size <= _FAR) & (minutes < 60)  # noqa: PLR2004


def _empty(text: Text) -> Mask:
    return np.asarray(pc.equal(text, ""))


def _number(text: Text) -> NDArray[np.int64]:
    digits = pc.if_else(pc.equal(text, ""), pa.scalar("0"), text)
    return np.asarray(pc.cast(digits, pa.int64()))
