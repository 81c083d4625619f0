"""What does an event of Bellingcat's civilian harm data say?

A list of objects with ``id, date (MM/DD/YYYY), time, location, latitude, longitude, description, sources``. Days are
month first, without exception; a time of day is local time of the source. The act is ``strike`` where the theatre says
nothing else; associations are not read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from geo.errors import InputError
from pipelines.sources.lists import first_link, gather, plain_cell, reference
from pipelines.sources.plain import interpret
from pipelines.sources.reading import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.sources.reading import Context, Reading

FORMAT: Final = "bellingcat"
_DATE: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each event of a file.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: codes ``encoding``, ``empty``, ``json``.
    """
    return interpret(gather(data, context.file_name, _row), context)


def _row(event: Mapping[str, Any]) -> dict[str, str]:
    said = [plain_cell(event, name) for name in ("description", "location")]
    return {
        "source_ref": reference(event),
        "observed_from": _moment(plain_cell(event, "date").strip(), plain_cell(event, "time").strip()),
        "lon": plain_cell(event, "longitude"),
        "lat": plain_cell(event, "latitude"),
        "text": ", ".join(part for part in said if part),
        "url": first_link(event, "sources"),
    }


def _moment(day: str, time: str) -> str:
    found = _DATE.fullmatch(day)
    if day and found is None:
        raise InputError(code="time", message=f"date says {shown(day)}, and must be month, day and year: 02/24/2026.")
    if time and not _TIME.fullmatch(time):
        raise InputError(code="time", message=f"time says {shown(time)}, and must be a time of day as 14:05, or empty.")
    written = f"{found[3]}-{found[1]}-{found[2]}" if found else ""
    return f"{written}T{time}" if time else written
