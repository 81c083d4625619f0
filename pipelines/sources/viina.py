"""What does an event of VIINA 2.0 (``event_info``) say?

A place named in a news item, and nothing of what happened there: the act is ``clash``, unless the theatre says another
one for the empty word. ``GEO_PRECISION`` (STREET to ADM1) is a radius by the source's ``place_m``. A ``time`` of 00:00
is in about half the rows, and means that it is not known: such a row is the whole day. Dates are ISO or eight digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.fields import given, matches
from pipelines.sources.forms import Form, named, radius

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.sources.dates import Order
    from pipelines.sources.reading import Context, Sieve, Text

FORMAT: Final = "viina"
_EIGHT: Final = r"^([0-9]{4})([0-9]{2})([0-9]{2})$"
_UNKNOWN: Final = r"^0?0:00(:00)?$"


def _derive(sieve: Sieve, context: Context, _: Order) -> Mapping[str, Text]:
    named(sieve, "source_ref")
    date = pc.replace_substring_regex(sieve.records.text("observed_from"), pattern=_EIGHT, replacement=r"\1-\2-\3")
    time = sieve.records.text("time")
    known = given(time) & ~matches(time, _UNKNOWN)
    whole = pc.binary_join_element_wise(date, pc.replace_substring_regex(time, "^([0-9]:)", r"0\1"), "T")
    return {
        "observed_from": pc.if_else(pa.array(np.asarray(known)), whole, date),
        "uncertainty_m": radius(sieve, "geo_precision", context.source),
    }


FORM: Final = Form(
    FORMAT,
    {
        "source_ref": ("event_id",),
        "observed_from": ("date",),
        "lon": ("longitude",),
        "lat": ("latitude",),
        "origin": ("source",),
        "text": ("text",),
        "url": ("url",),
    },
    required=("source_ref", "observed_from", "lon", "lat", "geo_precision"),
    beside=("time", "geo_precision"),
    usual="clash",
    derive=_derive,
)
read: Final = FORM.read
