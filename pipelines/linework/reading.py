"""Which reader does a file need, and of which day is it?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from geo.errors import PolicyError
from pipelines.linework import geojson, kml
from pipelines.linework.drawn import judge

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.linework.drawn import Bounds, Drawn, Position

EXTENSIONS: Final = {".geojson": "GeoJSON", ".json": "GeoJSON", ".kml": "KML", ".gpkg": "GeoPackage"}
_DAY: Final = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)", re.ASCII)


def read(data: bytes, file: Path, near: Bounds) -> Drawn:
    """Return the line that a file draws.

    Parameters
    ----------
    data, file
        Its bytes, and its name, whose extension tells the format.
    near
        West, south, east and north of the baseline, degrees.

    Raises
    ------
    PolicyError
        If the extension is none of ``EXTENSIONS``.
    InputError
        If no line can be had from it.
    """
    require_format(file)
    return judge(_positions(data, file), near)


def require_format(file: Path) -> None:
    """Raise ``PolicyError`` unless the extension tells a format that is read."""
    if file.suffix.lower() not in EXTENSIONS:
        msg = (
            f"{file.name}: give a line as GeoJSON, KML or GeoPackage ({', '.join(EXTENSIONS)}); a KMZ must be unzipped"
        )
        raise PolicyError(msg)


def _positions(data: bytes, file: Path) -> list[list[Position]]:
    form = EXTENSIONS[file.suffix.lower()]
    if form == "GeoJSON":
        return geojson.read(data, file.name)
    if form == "KML":
        return kml.read(data)
    from pipelines.linework import geopackage  # noqa: PLC0415 -- GDAL is started for a GeoPackage only

    return geopackage.read(data)


def day_of(name: str) -> datetime:
    """Return the day that a file's name tells, 00:00 UTC: ``line_20260405.geojson``, ``2026-04-05 front.kml``.

    Raises
    ------
    PolicyError
        If it tells none, or more than one.
    """
    found = {day for match in _DAY.finditer(name) if (day := _day(match)) is not None}
    if len(found) == 1:
        return found.pop()
    many = "more than one day" if found else "no day"
    msg = f"{name}: its name tells {many}; say --date YYYY-MM-DD, the day on which the line ran like that"
    raise PolicyError(msg)


def _day(match: re.Match[str]) -> datetime | None:
    try:
        return datetime(int(match[1]), int(match[3]), int(match[4]), tzinfo=UTC)
    except ValueError:
        return None
