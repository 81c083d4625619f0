"""Which ground may a report mean, where that is no disc?

A footprint is one line of text, as the ledger keeps it; the same ground gives the same text:

``sector LON LAT BEARING HALF NEAR FAR``
    what an observer at a place heard or saw: within HALF degrees of a bearing, between two distances in metres. ``?``
    for HALF: a bearing in degrees, as sure as the policy says; for FAR: undetermined, the reach of the act.
``pixel LON LAT SCAN TRACK``
    a satellite's pixel around a place: metres from east to west and from north to south.
``POLYGON …`` or ``MULTIPOLYGON …``
    a place's outline, WKT in degrees (WGS 84), edges straight in degrees.

Each is stood for by ``SAMPLES`` places of equal area, always the same ones, the nearest to its centre first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import numpy as np
import shapely

from geo.crs import distance_m, forward, inverse

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from geo.crs import Reals
    from geo.policy import Policy

SAMPLES: Final = 512  # a share is known to about one part in two hundred
_ORDER: Final = np.arange(SAMPLES // 2)
_LATTICE: Final = (_ORDER * (np.sqrt(5.0) - 1.0) / 2.0 + 0.25) % 1.0
# Together they fill a square evenly, each place beside its mirror image: of two sides neither is favoured.
_U: Final = np.repeat((_ORDER + 0.5) / len(_ORDER), 2)
_V: Final = np.stack([_LATTICE, 1.0 - _LATTICE], axis=1).ravel()
UNSAID: Final = "?"
ARC_DEG: Final = 1.0  # an arc is drawn with corners this close
EDGE_DEG: Final = 0.1  # longer edges are cut, so that they stay straight in degrees where areas are equal
MARGIN: Final = 1.0001  # an arc bulges over its corners' chords by less than this

LonLat: TypeAlias = "tuple[Reals, Reals]"


class Shape(Protocol):
    """Ground that a report may mean."""

    def centre(self) -> tuple[float, float]:
        """Return longitude and latitude of its centroid."""

    def places(self) -> LonLat:
        """Return longitude and latitude of ``SAMPLES`` places that stand for equal areas of it."""

    def rim(self) -> LonLat:
        """Return corners so close that a disc which holds them, ``MARGIN`` wider, holds all of it."""


@dataclass(frozen=True)
class Sector:
    """What an observer at ``lon``, ``lat`` means by a bearing and a distance; ``None``: not said."""

    lon: float
    lat: float
    bearing: float
    half_deg: float | None
    near_m: float
    far_m: float | None

    def __str__(self) -> str:
        """Return it as the ledger keeps it."""
        half, far = (UNSAID if part is None else repr(part + 0.0) for part in (self.half_deg, self.far_m))
        return f"sector {self.lon!r} {self.lat!r} {self.bearing!r} {half} {self.near_m!r} {far}"

    def _fan(self, azimuth: Reals, metres: Reals) -> LonLat:
        lon, lat = np.full(azimuth.shape, self.lon), np.full(azimuth.shape, self.lat)
        return forward(lon, lat, azimuth % 360.0, metres)[:2]

    def _sides(self) -> tuple[float, float, float]:
        if self.half_deg is None or self.far_m is None:
            msg = f"the footprint {self} has not been settled"
            raise ValueError(msg)
        return self.half_deg, self.near_m, self.far_m

    def centre(self) -> tuple[float, float]:
        """Return its centroid: on the bearing, nearer than the middle of its arc."""
        half, near, far = self._sides()
        mean = 2.0 / 3.0 * (far**3 - near**3) / (far**2 - near**2)
        lon, lat = self._fan(np.array([self.bearing]), np.array([mean * np.sinc(half / 180.0)]))
        return lon.item(), lat.item()

    def places(self) -> LonLat:
        """Return places of equal shares of the angle and of the squared distance."""
        half, near, far = self._sides()
        return self._fan(self.bearing + half * (2.0 * _V - 1.0), np.sqrt(near * near + _U * (far * far - near * near)))

    def rim(self) -> LonLat:
        """Return the far arc, then the near one backwards."""
        half, near, far = self._sides()
        turn = np.linspace(-half, half, int(np.ceil(2.0 * half / ARC_DEG)) + 1)
        azimuth = self.bearing + np.concatenate([turn, turn[::-1]])
        return self._fan(azimuth, np.repeat([far, near], len(turn)))

    def holds(self, lon: Reals, lat: Reals) -> npt.NDArray[np.bool_]:
        """Return which places (WGS 84 degrees, shape (n,)) lie in it, its rim included."""
        half, near, far = self._sides()
        azimuth, _, metres = inverse(np.full(lon.shape, self.lon), np.full(lat.shape, self.lat), lon, lat)
        aside = np.abs((azimuth - self.bearing + 180.0) % 360.0 - 180.0)
        return np.asarray((near <= metres) & (metres <= far) & (aside <= half))


@dataclass(frozen=True)
class Pixel:
    """A satellite's pixel, drawn north-up as its publisher draws it."""

    lon: float
    lat: float
    scan_m: float
    track_m: float

    def __str__(self) -> str:
        """Return it as the ledger keeps it."""
        return f"pixel {self.lon!r} {self.lat!r} {self.scan_m!r} {self.track_m!r}"

    def _away(self, east: Reals, north: Reals) -> LonLat:
        east, north = east * self.scan_m, north * self.track_m
        lon, lat = np.full(east.shape, self.lon), np.full(east.shape, self.lat)
        return forward(lon, lat, np.degrees(np.arctan2(east, north)), np.hypot(east, north))[:2]

    def centre(self) -> tuple[float, float]:
        """Return the place that the satellite gave."""
        return self.lon, self.lat

    def places(self) -> LonLat:
        """Return places evenly over the rectangle."""
        return self._away(_U - 0.5, _V - 0.5)  # of each place the mirror image north to south, as of discs

    def rim(self) -> LonLat:
        """Return its four corners."""
        return self._away(np.array([0.5, 0.5, -0.5, -0.5]), np.array([0.5, -0.5, -0.5, 0.5]))


@dataclass(frozen=True)
class Area:
    """A place's outline as valid WKT."""

    wkt: str

    def __str__(self) -> str:
        """Return it as the ledger keeps it."""
        return self.wkt

    def _flat(self) -> shapely.Geometry:
        """Return it where equal areas are equal: longitude beside the sine of the latitude, both in radians."""
        fine = shapely.segmentize(shapely.from_wkt(self.wkt), EDGE_DEG)
        return shapely.transform(fine, lambda at: np.column_stack([np.radians(at[:, 0]), np.sin(np.radians(at[:, 1]))]))

    def centre(self) -> tuple[float, float]:
        """Return its centroid."""
        lon, lat = _unflat(shapely.get_coordinates(shapely.centroid(self._flat())))
        return lon.item(), lat.item()

    def places(self) -> LonLat:
        """Return places of equal shares of its triangles' area."""
        corners = shapely.get_coordinates(shapely.get_parts(shapely.constrained_delaunay_triangles(self._flat())))
        corners = corners.reshape(-1, 4, 2)[:, :3]
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
        upto = np.cumsum(area) / area.sum()
        mine = np.minimum(np.searchsorted(upto, _U), len(area) - 1)
        within = np.sqrt(np.clip((upto[mine] - _U) * area.sum() / area[mine], 0.0, 1.0))[:, None]
        side = _V[:, None]
        return _unflat((1 - within) * a[mine] + within * ((1 - side) * b[mine] + side * c[mine]))

    def rim(self) -> LonLat:
        """Return its corners."""
        lon, lat = shapely.get_coordinates(shapely.segmentize(shapely.from_wkt(self.wkt), EDGE_DEG)).T
        return lon, lat

    def holds(self, lon: Reals, lat: Reals) -> npt.NDArray[np.bool_]:
        """Return which places (WGS 84 degrees, shape (n,)) lie in it, its border included."""
        outline = shapely.from_wkt(self.wkt)
        shapely.prepare(outline)
        return np.asarray(shapely.intersects_xy(outline, lon, lat))


def _unflat(at: Reals) -> LonLat:
    return np.degrees(at[:, 0]), np.degrees(np.arcsin(at[:, 1]))


@lru_cache(maxsize=65_536)
def parse(text: str) -> Sector | Pixel | Area:
    """Return what a footprint's text says.

    Raises
    ------
    ValueError
        If it is no footprint as this module writes them: our fault, readers refuse what is not.
    """
    kind, *words = text.split(" ")
    if kind == "sector":
        lon, lat, bearing, half, near, far = (None if word == UNSAID else float(word) for word in words)
        if lon is None or lat is None or bearing is None or near is None:
            msg = f"no footprint: {text!r}"
            raise ValueError(msg)
        return Sector(lon, lat, bearing, half, near, far)
    if kind == "pixel":
        return Pixel(*map(float, words))
    return Area(text)


@lru_cache(maxsize=4_096)
def samples(text: str) -> LonLat:
    """Return longitude and latitude of the places that stand for a settled footprint, shape (SAMPLES,)."""
    shape = parse(text)
    lon, lat = shape.places()
    order = np.argsort(distance_m(*shape.centre(), lon, lat), kind="stable")
    return lon[order], lat[order]


@lru_cache(maxsize=65_536)
def disc(text: str) -> tuple[float, float, float]:
    """Return longitude, latitude and radius (metres) of the disc around a settled footprint's centre that holds it."""
    shape = parse(text)
    lon, lat = shape.centre()
    return lon, lat, float(distance_m(lon, lat, *shape.rim()).max()) * MARGIN


def settle(reports: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Return reports whose footprints are whole, each placed by the disc that holds its footprint.

    What a sector leaves open (``?``) is taken from the policy. ``lon``, ``lat`` and ``uncertainty_m`` of a report
    with a footprint become those of the disc around it, so that what is coarse is told by its size. The words of a
    report seen from somewhere (``text``) are dropped: they may say where the observer stood.
    """
    shaped = np.flatnonzero(reports["footprint"].notna())
    if not len(shaped):
        return reports
    said = zip(reports["footprint"].iloc[shaped], reports["act"].iloc[shaped], strict=True)
    whole = [str(settled(parse(footprint), act, policy)) for footprint, act in said]
    out = reports.copy()
    for name, values in zip(("lon", "lat", "uncertainty_m"), zip(*map(disc, whole), strict=True), strict=True):
        out[name] = _put(out[name], shaped, values)
    out["footprint"] = _put(out["footprint"], shaped, whole)
    seen = out["footprint"].str.startswith("sector ", na=False)
    return out.assign(text=out["text"].where(~seen, None))


def settled(shape: Sector | Pixel | Area, act: str | None, policy: Policy) -> Sector | Pixel | Area:
    """Return a footprint of which nothing is left unsaid: that is then as the policy has it for the act."""
    if not isinstance(shape, Sector):
        return shape
    half = policy.matching.bearing_deg if shape.half_deg is None else shape.half_deg
    far = policy.matching.reach(act) if shape.far_m is None else shape.far_m
    return replace(shape, half_deg=half, far_m=far)


def _put(column: pd.Series, rows: np.ndarray[tuple[int], np.dtype[np.intp]], values: object) -> pd.Series:
    out = column.copy()
    out.iloc[rows] = values
    return out
