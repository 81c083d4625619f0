"""How far is it, in metres?

The one door from degrees to metres. Distances are geodesic on WGS 84; nothing planar leaves this module. Longitudes and
latitudes are WGS 84 degrees; arrays are float64, one item a point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Geod

if TYPE_CHECKING:
    from collections.abc import Sequence

WGS84: Final = "EPSG:4326"
GEOD: Final = Geod(ellps="WGS84")
SHARPEST_M: Final = GEOD.b**2 / GEOD.a  # the least radius of curvature that a geodesic has
QUARTER: Final = 8  # corners that a drawn disc has in each quarter
_ROUNDING_M: Final = 1e-6  # more than what rounding makes of coordinates and distances
_ROUNDING: Final = 1e-12

Reals: TypeAlias = npt.NDArray[np.float64]
RealsLike: TypeAlias = "npt.ArrayLike | Sequence[float]"


def distance_m(lon1: RealsLike, lat1: RealsLike, lon2: RealsLike, lat2: RealsLike) -> Reals:
    """Return geodesic distances in metres.

    Parameters
    ----------
    lon1, lat1, lon2, lat2
        Degrees; broadcast against each other.

    Returns
    -------
    ndarray
        Of the broadcast shape. Swapping the two points changes no bit of the result; equal points give 0; a missing
        coordinate (NaN) gives NaN.
    """
    a_lon, a_lat, b_lon, b_lat = (
        np.array(item) for item in np.broadcast_arrays(*(np.asarray(v, float) for v in (lon1, lat1, lon2, lat2)))
    )
    swap = (a_lon > b_lon) | ((a_lon == b_lon) & (a_lat > b_lat))
    _, _, metres = inverse(
        np.where(swap, b_lon, a_lon),
        np.where(swap, b_lat, a_lat),
        np.where(swap, a_lon, b_lon),
        np.where(swap, a_lat, b_lat),
    )
    return metres


def inverse(lon1: Reals, lat1: Reals, lon2: Reals, lat2: Reals) -> tuple[Reals, Reals, Reals]:
    """Return the azimuth at the first point, the forward azimuth at the second, and the distance in metres.

    Azimuths are degrees clockwise from north, in the direction of travel at both ends. All arrays have one shape.
    """
    there, back, metres = GEOD.inv(lon1, lat1, lon2, lat2)
    return np.asarray(there, float), np.asarray(back, float) + 180.0, np.asarray(metres, float)


def forward(lon: Reals, lat: Reals, azimuth: Reals, metres: Reals) -> tuple[Reals, Reals, Reals]:
    """Return longitude, latitude and forward azimuth of the points reached along geodesics.

    Negative ``metres`` go backwards; the azimuth stays that of travelling forwards. All arrays have one shape.
    """
    far_lon, far_lat, back = GEOD.fwd(lon, lat, azimuth, metres)
    return np.asarray(far_lon, float), np.asarray(far_lat, float), np.asarray(back, float) + 180.0


def ecef(lon: RealsLike, lat: RealsLike) -> Reals:
    """Return earth-centred coordinates of points on the ellipsoid, shape (n, 3), metres.

    The straight distance between two of them never exceeds their geodesic distance, so a search within a radius in
    this space misses nothing.
    """
    lam, phi = np.radians(np.asarray(lon, float)), np.radians(np.asarray(lat, float))
    normal = GEOD.a / np.sqrt(1.0 - GEOD.es * np.sin(phi) ** 2)
    return np.stack(
        [
            normal * np.cos(phi) * np.cos(lam),
            normal * np.cos(phi) * np.sin(lam),
            normal * (1.0 - GEOD.es) * np.sin(phi),
        ],
        axis=-1,
    )


def chords(reach_m: RealsLike) -> tuple[Reals, Reals]:
    """Return the straight distance (m) up to which points surely are within reach, and that beyond which none is.

    A geodesic is at least as long as the straight way, and bends nowhere more than the meridian at the equator does, so
    that it is at most as long as the arc of that curvature over the same straight way. Between the two it must be
    measured.
    """
    reach = np.asarray(reach_m, float)
    slack = _ROUNDING_M + _ROUNDING * reach
    surely = np.maximum(reach - slack, 0.0)
    return 2.0 * SHARPEST_M * np.sin(np.minimum(surely / (2.0 * SHARPEST_M), np.pi / 2)), reach + slack


def discs(lon: RealsLike, lat: RealsLike, radius_m: RealsLike, quarter: int = QUARTER) -> npt.NDArray[np.object_]:
    """Return geodesic discs as shapely polygons in WGS 84 degrees, shape (n,), counter-clockwise.

    The 4 * ``quarter`` corners lie exactly ``radius_m`` from the centre. Made for theatres away from the antimeridian
    and the poles, and for radii up to ``widest_m``.
    """
    corners = 4 * quarter
    centres = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float)) for v in (lon, lat, radius_m)))
    around = np.tile(-np.arange(corners) * 360.0 / corners, centres[0].size)
    at_lon, at_lat, radius = (np.repeat(item, corners) for item in centres)
    rim_lon, rim_lat, _ = forward(at_lon, at_lat, around, radius)
    rings = np.stack([rim_lon, rim_lat], axis=-1).reshape(-1, corners, 2)
    return np.asarray(shapely.polygons(shapely.linearrings(rings)))


def widest_m(lon: RealsLike, lat: RealsLike) -> Reals:
    """Return radii (m) up to which discs surely hold no pole and do not cross the antimeridian.

    Beyond them a ring in degrees no longer bounds what lies within. On a globe of the sharpest bend, on which nothing
    is farther away than it is on the ellipsoid, that is the distance to the meridian of ±180°, or to the pole before.
    """
    away = np.minimum(180.0 - np.abs(np.asarray(lon, float)), 90.0)
    sine = np.cos(np.radians(np.asarray(lat, float))) * np.sin(np.radians(away))
    return np.asarray(SHARPEST_M * np.arcsin(np.clip(sine, 0.0, 1.0)))


def drawing_crs(lon: float, lat: float) -> CRS:
    """Return a metric CRS (Lambert azimuthal equal-area) around a place, for candidates and drawing only."""
    return CRS.from_dict({"proj": "laea", "lon_0": lon, "lat_0": lat, "datum": "WGS84", "units": "m"})
