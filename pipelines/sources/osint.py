"""What does an event of osint-geo-extractor say, which puts several collections into one form?

A list of objects with ``id, date, latitude, longitude, place_desc, title, description, source, links``. ``source`` is
the collection that it was taken from, and so its origin. The act is ``strike`` where the theatre says nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pipelines.sources.lists import first_link, gather, plain_cell, reference
from pipelines.sources.plain import interpret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.sources.reading import Context, Reading

FORMAT: Final = "osint-geo-extractor"
_MIDNIGHT: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]00:00(:00(\.0+)?)?", re.ASCII)


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each event of a file.

    Raises
    ------
    InputError
        If the file as a whole cannot be read: codes ``encoding``, ``empty``, ``json``.
    """
    return interpret(gather(data, context.file_name, _row), context)


def _row(event: Mapping[str, Any]) -> dict[str, str]:
    said = [plain_cell(event, name) for name in ("title", "description", "place_desc")]
    return {
        # Ids are those of the collections, and two may have the same.
        "source_ref": f"{plain_cell(event, 'source')}:{reference(event)}",
        # The collections know days; their midnights are no times of day.
        "observed_from": _MIDNIGHT.sub(r"\1", plain_cell(event, "date").strip()),
        "lon": plain_cell(event, "longitude"),
        "lat": plain_cell(event, "latitude"),
        "origin": plain_cell(event, "source"),
        "text": "; ".join(dict.fromkeys(part for part in said if part)),
        "url": first_link(event, "links"),
    }
