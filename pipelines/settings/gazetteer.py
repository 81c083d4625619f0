"""Which places of this theatre have names that people know?

``places.csv`` beside ``theatre.toml``: ``name,lon,lat,population``, one place a line. It may be missing; then no place
has a name.
"""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from geo.names import NOWHERE, Gazetteer
from pipelines.settings.files import PLACES
from pipelines.settings.mistakes import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.settings.mistakes import Mistakes

COLUMNS: Final = ["name", "lon", "lat", "population"]
_MOST: Final = 10**10  # people


class Place(NamedTuple):
    """A place: WGS 84 degrees; 0 inhabitants: unknown."""

    name: str
    lon: float
    lat: float
    population: int


class _OddError(ValueError):
    """What is wrong with a line, and what to do."""


def gazetteer(files: Mapping[str, bytes], mistakes: Mistakes) -> Gazetteer:
    """Return the named places of a theatre's files; what cannot be read is noted and left out."""
    rows = places(files, mistakes)
    if not rows:
        return NOWHERE
    name, lon, lat, population = zip(*rows, strict=True)
    return Gazetteer(np.array(name, object), np.array(lon), np.array(lat), np.array(population, np.int64))


def places(files: Mapping[str, bytes], mistakes: Mistakes) -> list[Place]:
    """Return the places in the order of the file."""
    if PLACES not in files:
        return []
    try:
        table = list(csv.reader(io.StringIO(files[PLACES].decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError as error:
        mistakes.add(PLACES, f"byte {error.start + 1}", "is not UTF-8", "save the file as UTF-8")
        return []
    except csv.Error as error:
        mistakes.add(PLACES, "", f"is no valid CSV: {error}", "correct the file")
        return []
    if not table or table[0] != COLUMNS:
        todo = f"let the first line say {','.join(COLUMNS)}"
        mistakes.add(PLACES, "line 1", f"is {shown(','.join(table[0]) if table else '')}", todo)
        return []
    found = []
    for number, row in enumerate(table[1:], start=1):
        try:
            found.append(_place(row))
        except _OddError as error:
            wrong, todo = error.args
            mistakes.add(PLACES, f"place {number}", wrong, todo)
    return found


def _place(row: list[str]) -> Place:
    if len(row) != len(COLUMNS):
        wrong, todo = f"has {len(row)} values", f"give {len(COLUMNS)}, in quotation marks where one holds a comma"
        raise _OddError(wrong, todo)
    name = row[0].strip()
    if not name or not name.isprintable():
        wrong, todo = f"has the name {shown(row[0])}", "give it one that can be printed"
        raise _OddError(wrong, todo)
    lon, lat = _degrees(row[1], 180), _degrees(row[2], 90)
    people = row[3].strip() or "0"
    if not (people.isascii() and people.isdigit() and int(people) < _MOST):
        wrong, todo = f"has the population {shown(row[3])}", "give a number of people, or nothing"
        raise _OddError(wrong, todo)
    return Place(name, lon, lat, int(people))


def _degrees(text: str, most: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= most:
        wrong, todo = f"has the coordinate {shown(text)}", f"give degrees from -{most} to {most}"
        raise _OddError(wrong, todo)
    return value


def written(rows: Iterable[Place]) -> bytes:
    """Return places as the file, each once, in order of name and position."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(sorted(set(rows)))
    return text.getvalue().encode()
