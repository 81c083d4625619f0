"""What does an event of the Armed Conflict Location and Event Data say?

==================  =================================================================================================
``time_precision``  interval, never less than stated
==================  =================================================================================================
1                   the day ``event_date``
2                   a week that holds that day: from six days before it to six days after it
3                   the calendar month
``geo_precision``   the radius that the source's ``place_m`` gives for the code
``timestamp``       when the source last said it (seconds since 1970): of two rows of one id, the later one counts
==================  =================================================================================================

The order of the actors does not say who began, so no party is claimed. What is no act of a ceasefire (a protest) is
refused, unless the theatre's ``acts`` say what the sub-event means.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.fields import given, matches, words
from pipelines.sources.forms import Form, named, radius

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from pipelines.sources.dates import Order
    from pipelines.sources.reading import Context, Reading, Sieve, Text

FORMAT: Final = "acled"
WEEK: Final = np.timedelta64(6, "D")
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_SECONDS: Final = r"^[0-9]{9,10}$"


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each event of a file; the rows of one id are in order of their ``timestamp``.

    Raises
    ------
    InputError
        If the file as a whole cannot be read.
    PolicyError
        If the policy lacks an act that the source states.
    """
    reading = FORM.read(data, context)
    return replace(reading, intake=in_order(reading.intake))


def in_order(intake: pd.DataFrame) -> pd.DataFrame:
    """Return the rows so that those of one id follow each other in the order in which their source said them."""
    again = intake[intake["source_ref"].duplicated(keep=False)]
    places = again.sort_values("source_ref", kind="stable").index
    said = again.sort_values("reported_at", kind="stable", na_position="first")
    rows = np.arange(len(intake))
    rows[places] = said.sort_values("source_ref", kind="stable").index
    return intake.iloc[rows].reset_index(drop=True)


def _derive(sieve: Sieve, context: Context, order: Order) -> Mapping[str, Text]:
    named(sieve, "source_ref")
    return {
        **_interval(sieve, order),
        "uncertainty_m": radius(sieve, "geo_precision", context.source),
        "reported_at": _said(sieve.records.text("reported_at")),
    }


def _interval(sieve: Sieve, order: Order) -> dict[str, Text]:
    stated, code = sieve.records.text("observed_from"), sieve.records.text("time_precision")
    known, _ = words(code, {each: each for each in "123"})
    sentence = "time_precision is {value}, and must be a code from 1 to 3."
    sieve.refuse(~given(known), "date_precision", sentence, value=code)
    iso = order.iso(stated)[0]
    is_day = pa.array(matches(iso, _DAY))
    day = _days(pc.if_else(is_day, iso, pa.scalar(None, pa.string())))
    month = day.astype("datetime64[M]")
    wide = [np.asarray(pc.fill_null(pc.equal(known, each), fill_value=False)) & ~np.isnat(day) for each in "23"]
    first = np.select(wide, [day - WEEK, month.astype("datetime64[D]")], day)
    last = np.select(wide, [day + WEEK, (month + 1).astype("datetime64[D]") - np.timedelta64(1, "D")], day)
    widened = pa.array(wide[0] | wide[1])
    nothing = pa.scalar(None, pa.string())
    return {
        "observed_from": pc.if_else(widened, pa.array(first.astype(str)), stated),
        "observed_to": pc.if_else(widened, pa.array(last.astype(str)), nothing),
    }


def _days(iso: Text) -> np.ndarray:
    """Return the days, NaT where there is no such day."""
    found = pc.strptime(iso, format="%Y-%m-%d", unit="s", error_is_null=True)
    days = found.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return np.where(days.astype(str) == np.array([cell or "" for cell in iso.to_pylist()]), days, np.datetime64("NaT"))


def _said(text: Text) -> Text:
    seconds = matches(text, _SECONDS)
    number = pc.cast(pc.if_else(pa.array(seconds), text, pa.scalar(None, pa.string())), pa.int64())
    moment = pc.strftime(pc.cast(number, pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%SZ")
    return pc.if_else(pa.array(seconds), moment, text)


FORM: Final = Form(
    FORMAT,
    {
        "source_ref": ("event_id_cnty",),
        "observed_from": ("event_date",),
        "lon": ("longitude",),
        "lat": ("latitude",),
        "act": ("sub_event_type",),
        "killed": ("fatalities",),
        "reported_at": ("timestamp",),
        "text": ("notes",),
    },
    required=("source_ref", "observed_from", "lon", "lat", "act", "time_precision", "geo_precision"),
    beside=("time_precision", "geo_precision"),
    acts={
        "Armed clash": "clash",
        "Government regains territory": "clash",
        "Non-state actor overtakes territory": "clash",
        "Attack": "clash",
        "Shelling/artillery/missile attack": "strike",
        "Air/drone strike": "strike",
        "Chemical weapon": "strike",
        "Remote explosive/landmine/IED": "explosion",
        "Grenade": "explosion",
        "Suicide bomb": "explosion",
    },
    derive=_derive,
)
