"""Which reader does a file need, and of which day is it?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from geo.errors import PolicyError
from pipelines.linework import geojson, geopackage, kml
from pipelines.linework.drawn import MOST_PARTS, refuse

if TYPE_CHECKING:
    from pipelines.linework.drawn import Position

EXTENSIONS: Final = {".geojson": "GeoJSON", ".json": "GeoJSON", ".kml": "KML", ".gpkg": "GeoPackage"}
_DAY: Final = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)", re.ASCII)


def require_format(file: Path) -> None:
    """Raise ``PolicyError`` unless the extension tells a format that is read."""
    if file.suffix.lower() not in EXTENSIONS:
        msg = (
            f"{file.name}: give a line as GeoJSON, KML or GeoPackage ({', '.join(EXTENSIONS)}); a KMZ must be unzipped"
        )
        raise PolicyError(msg)


def positions(data: bytes, file_name: str) -> list[list[Position]]:
    """Return the positions of each part that a file draws, longitude first; its extension tells the format.

    Raises
    ------
    InputError
        If they cannot be had from it.
    """
    form = EXTENSIONS[Path(file_name).suffix.lower()]
    if form == "GeoJSON":
        parts = geojson.read(data, file_name)
    else:
        parts = kml.read(data) if form == "KML" else geopackage.read(data, file_name)
    if len(parts) > MOST_PARTS:
        refuse("parts", f"it draws {len(parts):,} parts, and {MOST_PARTS:,} are read; join them (in QGIS: Dissolve)")
    return parts


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
