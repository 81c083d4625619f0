"""How do people call a place: "6 km NE of Horlivka"?

Names are for people: nothing is decided by them. What is said of a place is true of its whole footprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.spatial import cKDTree

from geo import crs

if TYPE_CHECKING:
    import numpy.typing as npt

    from geo.crs import Reals

    Texts = npt.NDArray[np.object_]

WINDS: Final = (
    "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
)  # fmt: skip
TIE_M: Final = 1.0  # distances are exact to a metre, so that closer ones are equal
_WHOLE_KM: Final = 950.0  # below this a distance is told in hundreds of metres


@dataclass(frozen=True, eq=False)
class Gazetteer:
    """Named places: WGS 84 degrees and inhabitants (0: unknown), one array element each."""

    name: Texts
    lon: Reals
    lat: Reals
    population: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.name)

    @cached_property
    def tree(self) -> cKDTree:
        """A tree over straight distances, which are never longer than geodesic ones."""
        return cKDTree(crs.ecef(self.lon, self.lat))

    @cached_property
    def rank(self) -> npt.NDArray[np.intp]:
        """Each place's position in the order in which equally near ones are named."""
        order = np.lexsort((self.lat, self.lon, self.name.astype(str), -self.population))
        rank = np.empty(len(self), np.intp)
        rank[order] = np.arange(len(self))
        return rank


NOWHERE: Final = Gazetteer(np.empty(0, object), np.empty(0), np.empty(0), np.empty(0, np.int64))


def describe(
    gazetteer: Gazetteer, lon: Reals, lat: Reals, radius_m: Reals, *, reach_m: float, inside_m: float
) -> Texts:
    """Say where footprints lie, by the place that is nearest to their centre.

    Parameters
    ----------
    lon, lat, radius_m
        Discs: WGS 84 degrees and metres. A missing radius counts as none.
    reach_m
        The whole footprint lies within this geodesic distance of the place, or nothing is said. 0: never.
    inside_m
        A footprint that lies wholly within this distance of the place is said to be in it.

    Returns
    -------
    ndarray
        Of texts, ``None`` where nothing is said: "in NAME"; "6 km NE of NAME", by the 16-wind word of the geodesic from
        the place, where the place lies outside the footprint; else "within 6 km of NAME". Of places equally near, to a
        metre, the most populous one is named, then the first by name.
    """
    words = np.full(len(lon), None, object)
    radius = np.nan_to_num(radius_m, nan=0.0)
    asked = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat) & (radius <= reach_m))
    if not len(gazetteer) or reach_m <= 0 or not len(asked):
        return words
    row, place, away = _nearest(gazetteer, lon[asked], lat[asked], reach_m)
    row = asked[row]
    told = away + radius[row] <= reach_m
    row, place, away = row[told], place[told], away[told]
    bearing, _, _ = crs.inverse(gazetteer.lon[place], gazetteer.lat[place], lon[row], lat[row])
    for at, name, metres, degrees, wide in zip(
        row.tolist(), gazetteer.name[place], away.tolist(), bearing.tolist(), radius[row].tolist(), strict=True
    ):
        words[at] = _words(str(name), metres, degrees, wide, inside_m)
    return words


def _words(name: str, away_m: float, bearing_deg: float, radius_m: float, inside_m: float) -> str:
    if away_m + radius_m <= inside_m:
        return f"in {name}"
    if radius_m < away_m:
        return f"{_length(away_m)} {wind(bearing_deg)} of {name}"
    return f"within {np.ceil((away_m + radius_m) / 1000):.0f} km of {name}"


def _length(metres: float) -> str:
    return f"{metres / 1000:.0f} km" if metres >= _WHOLE_KM else f"{max(np.round(metres, -2), 100):.0f} m"


def wind(bearing_deg: float) -> str:
    """Return the 16-wind word of a bearing, degrees clockwise from north."""
    return WINDS[round(bearing_deg / (360 / len(WINDS))) % len(WINDS)]


def _nearest(
    gazetteer: Gazetteer, lon: Reals, lat: Reals, reach_m: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Reals]:
    """Return the points that have a place in reach, that place, and its geodesic distance in metres."""
    points = crs.ecef(lon, lat)
    # The nearest by chord; what is as near by geodesic as that one has no longer a chord than its geodesic.
    chord, first = gazetteer.tree.query(points, distance_upper_bound=reach_m + TIE_M)
    near = np.flatnonzero(np.isfinite(chord))
    nearest = np.asarray(first, np.intp)[near]
    first_m = crs.distance_m(lon[near], lat[near], gazetteer.lon[nearest], gazetteer.lat[nearest])
    hits = gazetteer.tree.query_ball_point(points[near], first_m + TIE_M)
    row = np.repeat(near, [len(found) for found in hits])
    place = np.concatenate([np.empty(0, np.intp), *(np.asarray(found, np.intp) for found in hits)])
    away = crs.distance_m(lon[row], lat[row], gazetteer.lon[place], gazetteer.lat[place])
    least = np.full(len(lon), np.inf)
    np.minimum.at(least, row, away)
    tied = away <= least[row] + TIE_M
    row, place, away = row[tied], place[tied], away[tied]
    order = np.lexsort((gazetteer.rank[place], row))
    row, place, away = row[order], place[order], away[order]
    best = np.diff(row, prepend=-1) > 0
    return row[best], place[best], away[best]
