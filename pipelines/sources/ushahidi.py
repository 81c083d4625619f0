"""What does a report of an Ushahidi deployment say?

Its categories are each deployment's own: the theatre's ``acts`` say what they mean. A report of several categories
states an act if all of those that are known mean the same one. Names and addresses of the people who reported are
dropped at the door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from pipelines.sources.forms import Form, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.sources.dates import Order
    from pipelines.sources.reading import Context, Sieve, Text

FORMAT: Final = "ushahidi"


def _derive(sieve: Sieve, context: Context, _: Order) -> Mapping[str, Text]:
    named(sieve, "source_ref")
    known = {word.casefold(): act for word, act in context.source.dialect.acts if word}
    known = {**{act: act for act in context.policy.acts}, **known}
    coded = sieve.records.text("act").dictionary_encode()
    means = pa.array([_one(cell, known) for cell in coded.dictionary.to_pylist()], pa.string())
    return {"act": means.take(coded.indices)}


def _one(categories: str, known: Mapping[str, str]) -> str:
    """Return the one act that the known categories mean, else what was said."""
    acts = {known[each] for word in categories.split(",") if (each := word.strip().casefold()) in known}
    return acts.pop() if len(acts) == 1 else categories


FORM: Final = Form(
    FORMAT,
    {
        "source_ref": ("#",),
        "observed_from": ("incident date",),
        "lon": ("longitude",),
        "lat": ("latitude",),
        "act": ("category",),
        "text": ("incident title", "description"),
    },
    required=("source_ref", "observed_from", "lon", "lat", "act"),
    drop=("FIRST NAME", "LAST NAME", "FULL NAME", "EMAIL", "EMAIL ADDRESS", "PHONE", "PHONE NUMBER"),
    derive=_derive,
)
read: Final = FORM.read
