"""What does an event of the UCDP Georeferenced Event Dataset say?

Its precision codes become intervals and radii. Days are local days of the source's zone.

==============  =====================================================================================
``date_prec``   interval, never less than stated
==============  =====================================================================================
1, 2            from ``date_start`` to ``date_end``, as stated
3               as stated; if that is less than seven days, the whole ISO weeks it touches
4               the whole calendar months it touches
5               the whole calendar years it touches
``where_prec``  the radius that the source's ``place_m`` gives for the code
==============  =====================================================================================

The act is ``clash``: the order of the two sides does not say who began, so no party is claimed. ``best`` is the number
of people killed. The text is the source's headline, or else the description of the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow.compute as pc

from pipelines.sources import times
from pipelines.sources.fields import decimal, given, words
from pipelines.sources.forms import radius
from pipelines.sources.headers import Layout
from pipelines.sources.places import positions
from pipelines.sources.plain import casualties
from pipelines.sources.reading import Sieve, constant
from pipelines.sources.records import split

if TYPE_CHECKING:
    from geo.theatre import Source
    from pipelines.sources.reading import Context, Reading, Text

FORMAT: Final = "ucdp"
ACT: Final = "clash"
REQUIRED: Final = ("id", "latitude", "longitude", "where_prec", "date_prec", "date_start", "date_end", "best")
LAYOUT: Final = Layout(REQUIRED, (*REQUIRED, "source_headline", "where_description"), "date_start")
_MIDNIGHT: Final = r"[T ]00:00(:00(\.0+)?)?$"
_DAY: Final = np.timedelta64(1, "D")
_WEEK: Final = 7


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each event of a file.

    Raises
    ------
    InputError
        If the file as a whole cannot be read.
    PolicyError
        If the policy lacks the act that the format writes.
    """
    records = split(data, context, LAYOUT)
    sieve = Sieve(records)
    sentence = "id is empty: every event has one; export the file again."
    sieve.refuse(~given(records.text("id")), "no_source_ref", sentence)
    observed_from, observed_to = _observed(sieve, context.source)
    lon, lat = positions(sieve, context.theatre, ("longitude", "latitude"))
    return sieve.close(
        {
            **constant(len(records), ACT, context.policy),
            "source_ref": records.text("id"),
            "observed_from": observed_from,
            "observed_to": observed_to,
            "lon": lon,
            "lat": lat,
            "uncertainty_m": decimal(radius(sieve, "where_prec", context.source), records.point)[0],
            "killed": casualties(sieve, "best"),
            "text": pc.coalesce(records.text("source_headline"), records.text("where_description")),
        }
    )


def _observed(sieve: Sieve, source: Source) -> tuple[times.Instants, times.Instants]:
    names = ("date_start", "date_end")
    begin, end = (_date(sieve, name, source) for name in names)
    times.interval(sieve, begin, end)
    stated = times.parse(begin[1], "UTC").first, times.parse(end[1], "UTC").first
    first_day, last_day = widen(stated[0], stated[1], _precision(sieve))
    every, zone = np.ones(len(first_day), dtype=bool), source.time_zone or "UTC"
    first, _ = times.local(first_day.astype("datetime64[us]"), every, zone)
    _, last = times.local(last_day.astype("datetime64[us]"), every, zone)
    return first, last


def widen(first: times.Instants, last: times.Instants, precision: Text) -> tuple[times.Instants, times.Instants]:
    """Return the first and last day of each interval, widened to its ``date_prec`` as the module's table says."""
    first, last = first.astype("datetime64[D]"), last.astype("datetime64[D]")
    code = {number: np.asarray(pc.fill_null(pc.equal(precision, number), fill_value=False)) for number in "345"}
    weekly = code["3"] & (last - first < (_WEEK - 1) * _DAY)
    choices = [weekly, code["4"], code["5"]]
    begins = [first - _weekday(first), _unit(first, "M"), _unit(first, "Y")]
    ends = [last - _weekday(last) + (_WEEK - 1) * _DAY, _unit(last, "M", 1) - _DAY, _unit(last, "Y", 1) - _DAY]
    return np.select(choices, begins, first), np.select(choices, ends, last)


def _unit(day: times.Instants, unit: str, ahead: int = 0) -> times.Instants:
    return (day.astype(f"datetime64[{unit}]") + ahead).astype("datetime64[D]")


def _weekday(day: times.Instants) -> times.Instants:
    # The first of January 1970 was a Thursday; Monday is 0.
    return ((day.astype(np.int64) + 3) % _WEEK).astype("timedelta64[D]")


def _date(sieve: Sieve, name: str, source: Source) -> tuple[str, Text, times.Times]:
    text = sieve.records.text(name)
    sieve.refuse(~given(text), "no_time", f"{name} is empty: every event has one; export the file again.")
    # Exports write a day as its midnight. Any other time of day is none of this format's.
    day = pc.replace_substring_regex(text, pattern=_MIDNIGHT, replacement="")
    timed = np.asarray(pc.fill_null(pc.greater(pc.utf8_length(day), len("2014-01-22")), fill_value=False))
    sieve.refuse(timed, "time", f"{name} says {{value}}, and must be a date such as 2014-01-22.", value=text)
    return name, day, times.read(sieve, name, day, source)


def _precision(sieve: Sieve) -> Text:
    text = sieve.records.text("date_prec")
    known, _ = words(text, {code: code for code in "12345"})
    sieve.refuse(~given(known), "date_precision", "date_prec is {value}, and must be a code from 1 to 5.", value=text)
    return known
