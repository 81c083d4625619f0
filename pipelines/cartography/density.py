"""How does the raster of intensity stand on the map? One layer a span; all are off at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines import intensity
from pipelines.cartography import reference
from pipelines.cartography.nodes import REFRESH_MS, node, option

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from pipelines.intensity import Bands

GROUP: Final = "How dense"
_SOURCE: Final = f"./{intensity.FILE}"


def key(hours: int) -> str:
    """Return the name by which the project knows the layer of a span."""
    return f"monitor_density_{hours}h"


def keys(bands: Bands | None) -> list[str]:
    """Return the names of all of them, in order of the bands."""
    return [key(hours) for hours in bands.spans_h] if bands else []


def branch(bands: Bands | None) -> list[ET.Element]:
    """Return the group of these layers in the panel; none where there is no raster."""
    if bands is None:
        return []
    leaves = [
        node(
            "layer-tree-layer", node("customproperties", option(None, {})), id=key(hours), name=_title(hours),
            source=_SOURCE, providerKey="gdal", checked="Qt::Checked" if hours == bands.spans_h[0] else "Qt::Unchecked",
            expanded=0, legend_exp="", legend_split_behavior=0, patch_size="-1,-1",
        )
        for hours in bands.spans_h
    ]  # fmt: skip
    group = node("layer-tree-group", node("customproperties", option(None, {})), *leaves, name=GROUP)
    for name, value in (("checked", "Qt::Unchecked"), ("expanded", "0"), ("mutually-exclusive", "1")):
        group.set(name, value)
    group.set("mutually-exclusive-child", "0")
    return [group]


def layers(bands: Bands | None) -> list[ET.Element]:
    """Return the layers."""
    if bands is None:
        return []
    return [
        node(
            "maplayer",
            node("id", text=key(hours)),
            node("datasource", text=_SOURCE),
            node("layername", text=_title(hours)),
            node("srs", reference.own(bands.wkt)),
            node("provider", text="gdal"),
            node("map-layer-style-manager", node("map-layer-style", name="default"), current="default"),
            intensity.pipe(band),
            node("blendMode", text="0"),
            type="raster",
            hasScaleBasedVisibilityFlag=0,
            autoRefreshEnabled=1,
            autoRefreshMode="ReloadData",
            autoRefreshTime=REFRESH_MS,
        )
        for band, hours in enumerate(bands.spans_h, start=1)
    ]


def _title(hours: int) -> str:
    return f"Density, {intensity.span(hours)}"
