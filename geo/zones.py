"""Where does the agreement forbid something, to whom, and since when?

Membership is decided by geodesic distance and side; what is drawn on the map is a likeness of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

import geopandas as gpd
import numpy as np
import shapely
from shapely import MultiPolygon

from geo.crs import WGS84, drawing_crs
from geo.errors import PolicyError

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from pyproj import CRS
    from shapely import Polygon

    from geo.crs import Reals
    from geo.fronts import Baseline, Beside
    from geo.pieces import Bools

SIGNS: Final = {"left": (1,), "right": (-1,), "both": (1, -1)}
FINENESS: Final = 20  # samples of the line within one depth
STEP_M: Final = 250.0  # and no coarser: where the line nearly touches itself, drawn sides mix below this scale
FAR_M: Final = 100_000.0  # up to this depth all bands are cut from the same ground
MOST_SAMPLES: Final = 10_000
SEAM_DEG: Final = 180.0


@dataclass(frozen=True, eq=False)
class Zone:
    """Ground where the agreement forbids something.

    A ``band`` is the ground within ``depth_m`` (inclusive) of a baseline on one side or both, without what lies beyond
    the line's ends; a ``polygon`` is ``geometry`` (WGS 84, edges straight in degrees), borders included. ``weapons``
    are the weapon classes that it forbids (``None``: all), ``party`` the party that it binds (``None``: all). It is in
    force from ``valid_from`` (inclusive; ``None``: always was) to ``valid_to`` (exclusive; ``None``: open), aware UTC.
    ``forbids`` is ``presence`` where a weapon may not even stand, ``all`` where it may not be used.
    """

    id: str
    kind: Literal["band", "polygon"]
    baseline_id: str | None
    side: Literal["left", "right", "both"]
    depth_m: float | None
    geometry: Polygon | MultiPolygon | None
    weapons: frozenset[str] | None
    party: str | None
    rule: str
    valid_from: datetime | None
    valid_to: datetime | None
    forbids: Literal["all", "presence"] = "all"

    @property
    def strictness(self) -> tuple[bool, float, str]:
        """What zones are sorted by, strictest first: polygons, then bands by depth, then by id."""
        return (self.kind == "band", self.depth_m or 0.0, self.id)

    @property
    def depth(self) -> float:
        """Depth of a band in metres; 0 for a polygon."""
        return self.depth_m or 0.0


def applies(zone: Zone, reports: pd.DataFrame) -> Bools:
    """Return which reports a zone binds, wherever they are, shape (n,).

    Reads ``observed_from``, ``weapon_class`` and ``party_claimed``. The zone is in force at ``observed_from``; an
    unknown weapon is bound only by a zone for all weapons; a report that names no party is bound by every party's zone.
    """
    bound = np.ones(len(reports), dtype=bool)
    if zone.valid_from is not None:
        bound &= (reports["observed_from"] >= zone.valid_from).to_numpy(bool)
    if zone.valid_to is not None:
        bound &= (reports["observed_from"] < zone.valid_to).to_numpy(bool)
    if zone.weapons is not None:
        bound &= reports["weapon_class"].isin(sorted(zone.weapons)).to_numpy(bool)
    if zone.party is not None:
        named = reports["party_claimed"]
        bound &= (named.isna() | (named == zone.party)).to_numpy(bool)
    return bound


def contains(zone: Zone, lon: Reals, lat: Reals, located: Beside | None) -> Bools:
    """Return which points (WGS 84 degrees, shape (n,)) lie in a zone; ``located`` is on the band's baseline.

    A point on the line itself lies in the bands of both sides.
    """
    if zone.kind == "polygon":
        shapely.prepare(zone.geometry)
        return np.asarray(shapely.intersects_xy(zone.geometry, lon, lat))
    if located is None:
        msg = f"the band {zone.id} needs the places relative to its baseline"
        raise ValueError(msg)
    return in_band(zone, located)


def in_band(zone: Zone, located: Beside) -> Bools:
    """Return which places lie in a band; ``located``, of any shape, is on its baseline."""
    fits = (located.side != 0) if zone.side == "both" else (located.side == SIGNS[zone.side][0])
    fits |= located.on_line
    return np.asarray(fits & (located.distance_m <= zone.depth))


def draw(zone: Zone, baseline: Baseline | None) -> MultiPolygon:
    """Return a zone as a valid MultiPolygon in WGS 84, counter-clockwise, for the map.

    A band is what lies nearest to samples of its side of the line, within the depth in a metric CRS around the line: it
    follows bends, parts that lie close and open ends as membership does, and differs from it by some metres in a
    thousand of depth.

    Raises
    ------
    PolicyError
        If the band reaches over the antimeridian.
    """
    if zone.kind == "polygon":
        return _whole(zone.geometry)
    if baseline is None:
        msg = f"the band {zone.id} needs its baseline to be drawn"
        raise ValueError(msg)
    crs, line = _flat(baseline)
    step_m = max(min(zone.depth / FINENESS, STEP_M), baseline.length_m / MOST_SAMPLES)
    beside = _beside(baseline, step_m, max(zone.depth, FAR_M), SIGNS[zone.side])
    drawn = shapely.intersection(beside, shapely.buffer(line, zone.depth, quad_segs=16))
    band = gpd.GeoSeries([drawn], crs=crs).to_crs(WGS84).iloc[0]
    if np.ptp(shapely.get_coordinates(band)[:, 0]) > SEAM_DEG:
        msg = f"zone {zone.id!r} reaches over the antimeridian, which is not supported; make it less deep"
        raise PolicyError(msg)
    return _whole(band)


@lru_cache(maxsize=2)
def _flat(baseline: Baseline) -> tuple[CRS, shapely.Geometry]:
    """Return a metric CRS around a line, and the line in it."""
    bounds = baseline.segments.total_bounds
    crs = drawing_crs(float(bounds[0] + bounds[2]) / 2, float(bounds[1] + bounds[3]) / 2)
    # Merged, since its buffer takes a hundredth of the time then.
    return crs, shapely.line_merge(baseline.segments.geometry.to_crs(crs).union_all())


@lru_cache(maxsize=4)  # most bands of a line ask for the same
def _beside(baseline: Baseline, step_m: float, reach_m: float, signs: tuple[int, ...]) -> shapely.Geometry:
    """Return the ground, in the CRS around a line, that lies nearest to samples of these sides, +1 or -1.

    It reaches at least so far from the line.
    """
    crs, line = _flat(baseline)
    lon, lat, side = baseline.samples(step_m)
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat, crs=WGS84)).to_crs(crs).to_numpy()
    west, south, east, north = shapely.bounds(line)
    around = shapely.box(west - reach_m, south - reach_m, east + reach_m, north + reach_m)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=around))
    cell, sample = shapely.STRtree(points).query(cells, predicate="contains")
    return shapely.coverage_union_all(cells[cell][np.isin(side[sample], signs)])


def _whole(geometry: shapely.Geometry | None) -> MultiPolygon:
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(geometry)))
    areas = [part for part in parts if part.geom_type == "Polygon" and part.area > 0]
    return MultiPolygon(list(shapely.orient_polygons(np.array(areas, dtype=object))))
