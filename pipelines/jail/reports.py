"""How is a file of reports read behind the walls?"""

from __future__ import annotations

import importlib
import io
from typing import IO, TYPE_CHECKING, Final, NamedTuple

import geopandas  # noqa: F401 -- a theatre brings frames of it
import pandas as pd

from geo import exemptions, fronts, names, policy, theatre  # noqa: F401 -- what a theatre is made of
from pipelines import sources
from pipelines.jail import pages, wire
from pipelines.sources import plain

if TYPE_CHECKING:
    from pipelines.sources.reading import Context

EXAMPLE: Final = b"observed_from,lon,lat\n2026-02-03T14:05,x,48.1\n2026-02-03,37.5,48.1\n"
LATE: Final = ("pyarrow.pandas_compat",)
"""Modules that a reader may ask for when no file can be opened any more."""


class Asked(NamedTuple):
    """What is wanted of a file: what its records say, or (``admits``) what of it may be kept."""

    context: Context
    admits: bool


def warm(asked: Asked) -> None:
    """Load what readers load late, by reading an example."""
    wire.put_reading(io.BytesIO(), plain.read(EXAMPLE, asked.context))
    for module in LATE:
        importlib.import_module(module)
    pages.load()


def settle(asked: Asked) -> None:
    """Load the source's time zone."""
    zone = asked.context.source.time_zone or "UTC"
    hour = pd.DatetimeIndex(["2026-02-03T14:05"])
    hour.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").tz_convert("UTC")


def work(asked: Asked, data: bytes, out: IO[bytes]) -> None:
    """Read the file, or empty what may not be kept."""
    context = asked.context
    if asked.admits:
        wire.put_kept(out, sources.admit(data, context.source, context.file_name))
        return
    about = context.source, context.theatre, context.policy, context.file_name
    reading = sources.read(data, *about, received_at=context.received_at)
    wire.put_reading(out, reading)


fail = wire.put_failure
