"""How is a file that draws a line read behind the walls?"""

from __future__ import annotations

import io
from typing import IO, Final

from pipelines.jail import pages, wire
from pipelines.linework import reading

EXAMPLE: Final = b'{"type": "LineString", "coordinates": [[37.0, 48.0], [37.5, 48.2]]}'


def warm(_: str) -> None:
    """Load what readers load late: an example is read, and expat asks for code pages by name."""
    pages.load()
    wire.put_parts(io.BytesIO(), reading.positions(EXAMPLE, "line.geojson"))


def settle(_: str) -> None:
    """Load nothing: a name needs nothing from disk."""


def work(file_name: str, data: bytes, out: IO[bytes]) -> None:
    """Read the file; its name tells the format."""
    wire.put_parts(out, reading.positions(data, file_name))


fail = wire.put_failure
