"""What is a symbol made of?

Sizes and widths are millimetres, angles degrees, colours ``#rrggbb`` with an opacity of 0 to 255.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pipelines.cartography.nodes import node, option
from pipelines.cartography.palette import FAMILY, rgb

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

Kind = Literal["marker", "line", "fill"]
Dash = Literal["solid", "dash", "dot", "no"]


def symbol(kind: Kind, *layers: ET.Element, name: str = "0") -> ET.Element:
    """Return a symbol of layers, the lowest first."""
    return node("symbol", *layers, name=name, type=kind, alpha=1, clip_to_extent=1, force_rhr=0)


def _layer(name: str, settings: dict[str, object], *within: ET.Element) -> ET.Element:
    written = {key: str(value) for key, value in settings.items()}
    return node("layer", option(None, written), *within, class_=name, enabled=1, locked=0, pass_=0)


def shape(
    name: str, fill: str, stroke: str, size: float, *, width: float = 0.3, opacity: int = 255, dash: Dash = "solid"
) -> ET.Element:
    """Return a plain marker."""
    return _layer(
        "SimpleMarker",
        {
            "name": name, "color": rgb(fill, opacity), "outline_color": rgb(stroke), "outline_width": width,
            "outline_width_unit": "MM", "outline_style": dash, "size": size, "size_unit": "MM",
            "scale_method": "diameter", "joinstyle": "miter", "cap_style": "flat",
        },
    )  # fmt: skip


def letter(sign: str, colour: str, size: float, drop: float) -> ET.Element:
    """Return a letter in the middle of a marker, or so far below it."""
    return _layer(
        "FontMarker",
        {
            "font": FAMILY, "font_style": "Bold", "chr": sign, "color": rgb(colour), "size": size, "size_unit": "MM",
            "outline_width": 0, "outline_color": rgb(colour, 0), "horizontal_anchor_point": 1,
            "vertical_anchor_point": 1, "offset": f"0,{drop:g}", "offset_unit": "MM",
        },
    )  # fmt: skip


def stroke(colour: str, width: float, *, dashes: tuple[float, float] | None = None, opacity: int = 255) -> ET.Element:
    """Return a line, plain or of dashes with gaps."""
    return _layer(
        "SimpleLine",
        {
            "line_color": rgb(colour, opacity), "line_width": width, "line_width_unit": "MM", "line_style": "solid",
            "capstyle": "flat", "joinstyle": "round", "use_custom_dash": int(dashes is not None),
            "customdash": ";".join(f"{each:g}" for each in dashes or (5, 2)), "customdash_unit": "MM",
        },
    )  # fmt: skip


def ticks(colour: str, length: float, width: float) -> ET.Element:
    """Return short strokes across the start of a line."""
    return _layer(
        "MarkerLine",
        {"placement": "firstvertex", "placements": "FirstVertex", "rotate": 1, "interval": 3, "interval_unit": "MM"},
        symbol("marker", shape("line", colour, colour, length, width=width), name="@0@0"),
    )


def ground(
    fill: str, outline: str, *, opacity: int, width: float = 0.26, dash: Dash = "solid", edge_opacity: int = 255
) -> ET.Element:
    """Return a plain fill with an outline."""
    return _layer(
        "SimpleFill",
        {
            "color": rgb(fill, opacity), "style": "solid" if opacity else "no",
            "outline_color": rgb(outline, edge_opacity),
            "outline_width": width, "outline_width_unit": "MM", "outline_style": dash, "joinstyle": "round",
        },
    )  # fmt: skip


def middle(marker: ET.Element) -> ET.Element:
    """Return a marker in the middle of an area, so that small areas are seen from afar."""
    return _layer("CentroidFill", {"point_on_surface": 1, "point_on_all_parts": 0, "clip_points": 0}, marker)


def hatch(colour: str, angle: float, distance: float, width: float) -> ET.Element:
    """Return parallel strokes over an area."""
    return _layer(
        "LinePatternFill",
        {"angle": angle, "distance": distance, "distance_unit": "MM", "line_width": width, "line_width_unit": "MM",
         "color": rgb(colour)},
        symbol("line", stroke(colour, width), name="@0@0"),
    )  # fmt: skip
