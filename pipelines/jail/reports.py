"""How is a file of reports read behind the walls?"""

from __future__ import annotations

import codecs
import importlib
import io
from encodings.aliases import aliases
from typing import IO, TYPE_CHECKING, Final

import pandas as pd

from pipelines import sources
from pipelines.jail import wire
from pipelines.sources import plain

if TYPE_CHECKING:
    from pipelines.sources.reading import Context

EXAMPLE: Final = b"observed_from,lon,lat\n2026-02-03T14:05,x,48.1\n2026-02-03,37.5,48.1\n"
LATE: Final = ("encodings.idna", "pyarrow.pandas_compat")
"""Modules that a reader may ask for when no file can be opened any more."""
CODE_PAGES: Final = tuple(sorted(set(aliases.values()) - {"mbcs", "oem", "tactis"}))


def warm(context: Context) -> None:
    """Load what readers load late, by reading an example."""
    wire.put_reading(io.BytesIO(), plain.read(EXAMPLE, context))
    for module in LATE:
        importlib.import_module(module)
    for name in CODE_PAGES:
        codecs.lookup(name)


def settle(context: Context) -> None:
    """Load the source's time zone."""
    hour = pd.DatetimeIndex(["2026-02-03T14:05"])
    hour.tz_localize(context.source.time_zone or "UTC", ambiguous="NaT", nonexistent="NaT").tz_convert("UTC")


def work(context: Context, data: bytes, out: IO[bytes]) -> None:
    """Read the file."""
    reading = sources.read(data, context.source, context.theatre, context.policy, context.file_name)
    wire.put_reading(out, reading)


fail = wire.put_failure
