"""How do people call a place: "6 km NE of Horlivka"?

Names are for people: nothing is decided by them. What is said of a place is true of its whole footprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from geo import crs

if TYPE_CHECKING:
    import numpy.typing as npt
    from scipy.spatial import cKDTree

    from geo.crs import Reals

    Texts = npt.NDArray[np.object_]

WINDS: Final = (
    "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
)  # fmt: skip
TIE_M: Final = 1.0  # distances are exact to a metre, so that closer ones are equal
_WHOLE_KM: Final = 950.0  # below this a distance is told in hundreds of metres
_IN, _KM, _M, _WITHIN = range(4)  # the ways to say where something lies


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
        from scipy.spatial import cKDTree  # noqa: PLC0415 -- it takes a while to load, and only who assesses needs it

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
    first, which = _different(lon[asked], lat[asked], radius[asked])
    words[asked] = _said(gazetteer, asked[first], (lon, lat, radius), reach_m, inside_m)[which]
    return words


def _different(lon: Reals, lat: Reals, radius_m: Reals) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the first of each different footprint, and of each which one it is."""
    place, wide = pd.factorize(lon + 1j * lat)[0], pd.factorize(radius_m)[0]
    which = pd.factorize(place * (int(wide.max()) + 1) + wide)[0]
    first = np.empty(int(which.max()) + 1, np.intp)
    first[which[::-1]] = np.arange(len(which))[::-1]
    return first, which


def _said(
    gazetteer: Gazetteer, some: npt.NDArray[np.intp], discs: tuple[Reals, Reals, Reals], reach_m: float, inside_m: float
) -> Texts:
    """Return what is said of some of the footprints."""
    lon, lat, radius = (each[some] for each in discs)
    words = np.full(len(some), None, object)
    row, place, away = _nearest(gazetteer, lon, lat, reach_m)
    told = away + radius[row] <= reach_m
    row, place, away = row[told], place[told], away[told]
    bearing, _, _ = crs.inverse(gazetteer.lon[place], gazetteer.lat[place], lon[row], lat[row])
    words[row] = _words(gazetteer.name, place, away, bearing, radius[row], inside_m)
    return words


def _words(
    names: Texts, place: npt.NDArray[np.intp], away_m: Reals, bearing_deg: Reals, radius_m: Reals, inside_m: float
) -> Texts:
    """Return what is said of footprints beside places; of many footprints much the same is said."""
    how = np.select([away_m + radius_m <= inside_m, radius_m < away_m], [_IN, np.where(_far(away_m), _KM, _M)], _WITHIN)
    far = np.choose(how, [np.zeros_like(away_m), np.rint(away_m / 1000), np.maximum(np.round(away_m, -2), 100),
                          np.ceil((away_m + radius_m) / 1000)])  # fmt: skip
    way = np.where((how == _KM) | (how == _M), _wind(bearing_deg), 0)
    dims = len(names), _WITHIN + 1, len(WINDS), int(far.max(initial=0)) + 1
    said, which = np.unique(np.ravel_multi_index((place, how, way, far.astype(np.int64)), dims), return_inverse=True)
    parts = zip(*(part.tolist() for part in np.unravel_index(said, dims)), strict=True)
    texts: Texts = np.array([_text(str(names[at]), *how_far) for at, *how_far in parts], object)
    return texts[which]


def _far(away_m: Reals) -> npt.NDArray[np.bool_]:
    return away_m >= _WHOLE_KM


def _text(name: str, how: int, way: int, far: int) -> str:
    if how == _IN:
        return f"in {name}"
    if how == _WITHIN:
        return f"within {far} km of {name}"
    return f"{far} {'km' if how == _KM else 'm'} {WINDS[way]} of {name}"


def wind(bearing_deg: float) -> str:
    """Return the 16-wind word of a bearing, degrees clockwise from north."""
    return WINDS[int(_wind(np.array(bearing_deg)))]


def _wind(bearing_deg: Reals) -> npt.NDArray[np.int64]:
    return np.rint(bearing_deg / (360 / len(WINDS))).astype(np.int64) % len(WINDS)


def _nearest(
    gazetteer: Gazetteer, lon: Reals, lat: Reals, reach_m: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Reals]:
    """Return the points that have a place in reach, that place, and its geodesic distance in metres."""
    points = crs.ecef(lon, lat)
    # The nearest by chord; what is as near by geodesic as that one has no longer a chord than its geodesic.
    found = gazetteer.tree.query(points, k=2, distance_upper_bound=reach_m + TIE_M)
    chord, first = np.asarray(found[0], float), np.asarray(found[1], np.intp)
    near = np.flatnonzero(np.isfinite(chord[:, 0]))
    nearest = first[near, 0]
    first_m = crs.distance_m(lon[near], lat[near], gazetteer.lon[nearest], gazetteer.lat[nearest])
    rivalled = chord[near, 1] <= first_m + TIE_M
    alone, near = near[~rivalled], near[rivalled]
    hits = gazetteer.tree.query_ball_point(points[near], first_m[rivalled] + TIE_M)
    row = np.repeat(near, [len(found) for found in hits])
    place = np.concatenate([np.empty(0, np.intp), *(np.asarray(found, np.intp) for found in hits)])
    away = crs.distance_m(lon[row], lat[row], gazetteer.lon[place], gazetteer.lat[place])
    row, place = np.concatenate([alone, row]), np.concatenate([nearest[~rivalled], place])
    away = np.concatenate([first_m[~rivalled], away])
    least = np.full(len(lon), np.inf)
    np.minimum.at(least, row, away)
    tied = away <= least[row] + TIE_M
    row, place, away = row[tied], place[tied], away[tied]
    order = np.lexsort((gazetteer.rank[place], row))
    row, place, away = row[order], place[order], away[order]
    best = np.diff(row, prepend=-1) > 0
    return row[best], place[best], away[best]
