"""In which reference system is the map drawn, and how is it written down?"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pyproj import CRS, Transformer

from geo.crs import WGS84
from pipelines.cartography.nodes import node

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from pipelines.cartography.sheet import Box

_ZONE_DEGREES: Final = 6
_NORTH, _SOUTH = 32600, 32700
_DENSITY: Final = 21


def code(box: Box) -> str:
    """Return the UTM zone of the middle of a map: conformal, in metres, north nearly up."""
    longitude, latitude = (box.west + box.east) / 2, (box.south + box.north) / 2
    zone = min(math.floor((longitude + 180) / _ZONE_DEGREES), 59) + 1
    return f"EPSG:{(_NORTH if latitude >= 0 else _SOUTH) + zone}"


def _text(authority: str) -> tuple[str, str, str, bool, str]:
    crs = CRS.from_user_input(authority)
    geographic = crs.is_geographic
    projection = "longlat" if geographic else "utm"
    proj4 = "+proj=longlat +datum=WGS84 +no_defs" if geographic else _proj4(authority)
    return crs.to_wkt("WKT2_2019"), proj4, projection, geographic, crs.name


def _proj4(authority: str) -> str:
    number = int(authority.removeprefix("EPSG:"))
    south = " +south" if number > _SOUTH else ""
    return f"+proj=utm +zone={number % 100}{south} +datum=WGS84 +units=m +no_defs"


def own(wkt: str) -> ET.Element:
    """Return a reference system that no authority lists."""
    crs = CRS.from_wkt(wkt)
    return node(
        "spatialrefsys",
        node("wkt", text=crs.to_wkt("WKT2_2019")),
        node("srid", text="0"),
        node("authid"),
        node("description", text=crs.name),
        node("geographicflag", text="false"),
    )


@lru_cache(maxsize=8)
def system(authority: str) -> ET.Element:
    """Return a reference system, not to be changed; QGIS takes it as valid only with its text."""
    wkt, proj4, projection, geographic, name = _text(authority)
    return node(
        "spatialrefsys",
        node("wkt", text=wkt),
        node("proj4", text=proj4),
        node("srid", text=authority.removeprefix("EPSG:")),
        node("authid", text=authority),
        node("description", text=name),
        node("projectionacronym", text=projection),
        node("ellipsoidacronym", text="EPSG:7030"),
        node("geographicflag", text="true" if geographic else "false"),
    )


def projected(box: Box, authority: str) -> Box:
    """Return an extent in metres of a reference system, to whole metres."""
    across = Transformer.from_crs(WGS84, authority, always_xy=True)
    west, south, east, north = across.transform_bounds(*box, densify_pts=_DENSITY)
    return type(box)(*(float(round(edge)) for edge in (west, south, east, north)))


def extent(box: Box) -> tuple[ET.Element, ...]:
    """Return the four edges as QGIS writes them."""
    edges = (("xmin", box.west), ("ymin", box.south), ("xmax", box.east), ("ymax", box.north))
    return tuple(node(name, text=f"{value:.9g}") for name, value in edges)
