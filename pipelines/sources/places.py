"""Where was it, and can that be?

A position is a pair of decimal degrees, WGS 84. One that is empty, unreadable, off the globe, at (0, 0) or far from the
theatre is refused. Swapped axes are suspected, and never corrected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from geo.crs import distance_m
from pipelines.sources.fields import decimal, given

if TYPE_CHECKING:
    from geo.theatre import Theatre
    from pipelines.sources.reading import Mask, Reals, Sieve

    Box: TypeAlias = tuple[float, float, float, float]

PAD_DEG: Final = 5.0
FARTHEST_M: Final = 20_000_000.0  # half a great circle: a wider footprint says nothing
_LON, _LAT = 180.0, 90.0


def positions(
    sieve: Sieve, theatre: Theatre, names: tuple[str, str] = ("lon", "lat"), needless: Mask | None = None
) -> tuple[Reals, Reals]:
    """Return longitudes and latitudes, and refuse the rows without a position that can be.

    ``names`` are the file's own names of the two columns. Rows where ``needless`` may lack both.
    """
    records = sieve.records
    texts = [records.text(name) for name in names]
    (lon, bad_lon), (lat, bad_lat) = (decimal(text, records.point) for text in texts)
    sign = "a comma" if records.point == "," else "a point"
    for name, text, bad in zip(names, texts, (bad_lon, bad_lat), strict=True):
        sentence = (
            f"{records.name(name)} says {{value}}, which is no number: write decimal degrees with {sign}, such as "
            f"37{records.point}8042."
        )
        sieve.refuse(bad, "coordinate", sentence, value=text)
    excused = np.zeros(len(lon), dtype=bool) if needless is None else needless & ~given(texts[0]) & ~given(texts[1])
    _possible(sieve, (lon, lat), names, excused)
    _near(sieve, (lon, lat), names, ground(theatre))
    return lon, lat


def radii(sieve: Sieve, usual: float) -> Reals:
    """Return the radius of each footprint in metres, ``usual`` where ``uncertainty_m`` is empty."""
    text = sieve.records.text("uncertainty_m")
    metres, bad = decimal(text, sieve.records.point)
    named = sieve.records.name("uncertainty_m")
    sentence = (
        f"{named} says {{value}}, and must be a number of metres from 0 to 20000000: correct it or leave it empty."
    )
    sieve.refuse(bad | (metres < 0) | (metres > FARTHEST_M), "uncertainty", sentence, value=text)
    return np.where(given(text), metres, usual)


def ground(theatre: Theatre) -> Box | None:
    """Return west, south, east and north of where reports may come from; ``None`` if the theatre says nothing of it.

    That is the surroundings of its baselines and regions, and its declared area.
    """
    corners = [part.min(axis=0) for base in theatre.baselines for part in base.parts]
    corners += [part.max(axis=0) for base in theatre.baselines for part in base.parts]
    if len(theatre.regions):
        west, south, east, north = theatre.regions.total_bounds
        corners += [np.array([west, south]), np.array([east, north])]
    if not corners:
        return None
    corners = [corner + step for corner in corners for step in (-PAD_DEG, PAD_DEG)]
    if theatre.area is not None:
        corners += [np.array(theatre.area[:2]), np.array(theatre.area[2:])]
    (west, south), (east, north) = np.min(corners, axis=0), np.max(corners, axis=0)
    return float(west), float(south), float(east), float(north)


def _possible(sieve: Sieve, place: tuple[Reals, Reals], names: tuple[str, str], excused: Mask) -> None:
    lon, lat = place
    said = {"lon": sieve.records.text(names[0]), "lat": sieve.records.text(names[1])}
    stated = _stated(sieve, names)
    sieve.refuse(
        (np.isnan(lon) | np.isnan(lat)) & ~excused, "no_position", stated + "state both, in decimal degrees.", **said
    )
    off = (np.abs(lon) > _LON) | (np.abs(lat) > _LAT)
    sieve.refuse(off, "coordinate_range", stated + "a longitude lies within ±180 and a latitude within ±90.", **said)
    origin = (lon == 0) & (lat == 0)
    sieve.refuse(origin, "null_island", stated + "that is where unknown places end up; state the real one.", **said)


def _near(sieve: Sieve, place: tuple[Reals, Reals], names: tuple[str, str], box: Box | None) -> None:
    if box is None:
        return
    lon, lat = place
    # A missing coordinate compares as false, so that it counts as neither inside nor outside.
    outside = (lon < box[0]) | (lon > box[2]) | (lat < box[1]) | (lat > box[3])
    if not outside.any():
        return
    said = {"lon": sieve.records.text(names[0]), "lat": sieve.records.text(names[1])}
    stated = _stated(sieve, names)
    swapped = outside & _inside(lat, lon, box)
    advice = (
        "that is outside the theatre, and inside it with the two swapped; correct the file, nothing is swapped here."
    )
    sieve.refuse(swapped, "swapped?", stated + advice, **said)
    away = distance_m(lon, lat, np.clip(lon, box[0], box[2]), np.clip(lat, box[1], box[3])) / 1000
    advice = "that is roughly {away} km outside the theatre; correct the position, or send the file to another theatre."
    sieve.refuse(outside, "outside_theatre", stated + advice, away=_roughly(away), **said)


def _stated(sieve: Sieve, names: tuple[str, str]) -> str:
    return f"{sieve.records.name(names[0])} is {{lon}} and {sieve.records.name(names[1])} is {{lat}}: "


def _inside(lon: Reals, lat: Reals, box: Box) -> Mask:
    return (lon >= box[0]) & (lon <= box[2]) & (lat >= box[1]) & (lat <= box[3])


def _roughly(km: Reals) -> Reals:
    step = np.where(km < 100, 10, 100)  # noqa: PLR2004 -- two digits are enough
    return np.ceil(km / step) * step
