"""What stands on the page that is printed?

One A4 page, landscape: the map, what it shows, a legend, a scale bar, and everything by which the same page can be made
again. All measures are millimetres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pipelines.cartography import reference, themes
from pipelines.cartography.labels import Letters, text_style
from pipelines.cartography.nodes import identity, node, option
from pipelines.cartography.palette import FAMILY, INK, SOFT_INK
from pipelines.cartography.sheet import Box
from pipelines.cartography.symbols import ground, stroke, symbol

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

    from pipelines.cartography.sheet import Sheet
    from pipelines.cartography.views import View

NAME: Final = "A4 situation map"
_PAGE, _LABEL, _MAP, _LEGEND, _SCALE = 65638, 65641, 65639, 65642, 65646
_LEFT, _RIGHT = 1, 2
_WARNING: Final = "#b0101f"
_LEGEND_LAYERS: Final = ("incident_points", "segments_24h", "front_line", "zones")
_LEGEND_STYLES: Final[dict[str, tuple[float, dict[str, float]]]] = {
    "title": (9, {}),
    "group": (8, {"marginTop": 2}),
    "subgroup": (7.5, {"marginTop": 2, "marginBottom": 0.6}),
    "symbol": (7, {"marginTop": 0.7}),
    "symbolLabel": (7, {"marginTop": 0.7, "marginLeft": 1.6}),
}
_ROUND: Final = (1, 2, 5)
_GOING: Final = "\"state\" IN ('active', 'quiet')"
_LISTED: Final = 5  # incidents that have room on the page


class Place(NamedTuple):
    """A rectangle of the page, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


_WHOLE: Final = Place(0, 0, 297, 210)
_SHEET: Final = Place(8, 23, 207, 174)
_SIDE_X, _SIDE_WIDTH = 219, 70


def layouts(sheet: Sheet, views: Sequence[View], sources: dict[str, str]) -> ET.Element:
    """Return the page, as a project holds it."""
    page = node("PageCollection", symbol("fill", ground("#ffffff", "#ffffff", opacity=255, dash="no"), name=""), _item(
        "page", _PAGE, _WHOLE, background=True
    ))  # fmt: skip
    items = [*_words(sheet), _scale(sheet), _legend(views, sources), _map(sheet)]
    for order, item in enumerate(reversed(items), start=1):
        item.set("zValue", str(order))
    return node("Layouts", node("Layout", page, *items, name=NAME, units="mm", printResolution=300, worldFileMap=""))


def _item(
    name: str, kind: int, place: Place, *children: ET.Element, background: bool = False, **more: object
) -> ET.Element:
    where, size = f"{place.x},{place.y},mm", f"{place.width},{place.height},mm"
    return node(
        "LayoutItem", _colour("FrameColor", "#8a8d91"), _colour("BackgroundColor", "#ffffff"), *children, type=kind,
        uuid=identity("layout", name), templateUuid=identity("layout", name), id=name, position=where,
        positionOnPage=where, size=size, background=background, opacity=1, visibility=1, blendMode=0, referencePoint=0,
        itemRotation=0, outlineWidthM="0.25,mm", groupUuid="", excludeFromExports=0, positionLock=True, **more,
    )  # fmt: skip


def _colour(tag: str, colour: str) -> ET.Element:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return node(tag, red=red, green=green, blue=blue, alpha=255)


def _label(
    name: str, text: str, place: Place, letters: Letters, *, right: bool = False, html: bool = False
) -> ET.Element:
    weight = 75 if letters.bold else 50
    font = f"{FAMILY},{letters.size:g},-1,5,{weight},{int(letters.italic)},0,0,0,0"
    return _item(
        name, _LABEL, place, node("LabelFont", description=font, style="Bold" if letters.bold else ""),
        _colour("FontColor", letters.colour), labelText=text, halign=_RIGHT if right else _LEFT, valign=32, marginX=0,
        marginY=0, htmlState=int(html), frame=False,
    )  # fmt: skip


def _words(sheet: Sheet) -> list[ET.Element]:
    """Return every text on the page. What others wrote stands in variables, so that nothing of it is computed."""
    notice = Letters(size=9, bold=True, colour=_WARNING)
    small = Letters(size=6.5, colour=SOFT_INK)
    made = [
        _label("title", "[% @monitor_title %]", Place(8, 7, 281, 8), Letters(size=15, bold=True)),
        _label("moment", "[% @monitor_moment %]", Place(8, 15.5, 207, 6), Letters(size=10, colour=SOFT_INK)),
        _label("count", _count(), Place(_SIDE_X, 23, _SIDE_WIDTH, 5), Letters(size=9, bold=True)),
        _label("due", _due(), Place(_SIDE_X, 28, _SIDE_WIDTH, 51), Letters(size=7.5)),
        _label("facts", "[% @monitor_facts %]", Place(8, 199, 281, 8), small),
    ]
    if sheet.notice:
        made.append(
            _label(
                "notice", "[% @monitor_notice %]", Place(_SIDE_X - 40, 15.5, _SIDE_WIDTH + 40, 6), notice, right=True
            )
        )
    return made


def _due() -> str:
    """Return what is going on, the worst first, three lines each; and how many more there are."""
    line = (
        '"incident_id" || \' · \' || "tier_eligible" || \' \' || "tier_label" || '
        "if(\"tier_effective\" < \"tier_eligible\", ' (in effect: ' || \"tier_effective\" || ')', '') || "
        "'\\n     ' || coalesce(\"name\", '') || "
        "coalesce('\\n     due ' || format_date(\"next_due\", 'd MMM HH:mm', 'en') || ' UTC', '')"
    )
    worst = '-"tier_eligible"'
    all_of_them = f"aggregate('monitor_incident_points', 'array_agg', {line}, {_GOING}, order_by:={worst})"
    return (
        f"[% with_variable('going', coalesce({all_of_them}, array()), "
        f"array_to_string(array_slice(@going, 0, {_LISTED - 1}), '\\n') || "
        f"if(array_length(@going) > {_LISTED}, '\\n… and ' || (array_length(@going) - {_LISTED}) || ' more', '')) %]"
    )


def _count() -> str:
    return f"Going on: [% coalesce(aggregate('monitor_incident_points', 'count', \"fid\", {_GOING}), 0) %]"


def _map(sheet: Sheet) -> ET.Element:
    metric = reference.code(sheet.box)
    box = _fitted(reference.projected(sheet.box, metric), _SHEET.width / _SHEET.height)
    return _item(
        "map", _MAP, _SHEET,
        node("Extent", xmin=box.west, ymin=box.south, xmax=box.east, ymax=box.north),
        reference.system(metric),
        background=True, frame=True, followPreset=True, followPresetName=themes.NOW, keepLayerSet=False, mapRotation=0,
        drawCanvasItems=True, labelMargin="1,mm", mapFlags=0, isTemporal=0,
    )  # fmt: skip


def _fitted(box: Box, ratio: float) -> Box:
    """Return an extent that holds another and has the page's ratio of width to height."""
    width, height = box.east - box.west, box.north - box.south
    wide, high = max(width, height * ratio), max(height, width / ratio)
    x, y = (box.west + box.east) / 2, (box.south + box.north) / 2
    return Box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def _scale(sheet: Sheet) -> ET.Element:
    metric = reference.code(sheet.box)
    box = _fitted(reference.projected(sheet.box, metric), _SHEET.width / _SHEET.height)
    unit = _rounded((box.east - box.west) / 1000 / 10)
    look = symbol("line", stroke(INK, 0.25))
    letters = node("numericFormat", option(None, {"decimals": 3, "show_thousand_separator": False}), id="basic")
    return _item(
        "scale", _SCALE, Place(_SIDE_X, 186, _SIDE_WIDTH, 11), text_style(Letters(size=7, halo=0.8)), letters,
        node("lineSymbol", look), node("divisionLineSymbol", look), node("subdivisionLineSymbol", look),
        node("fillSymbol", symbol("fill", ground(INK, INK, opacity=255, width=0.2))),
        node("fillSymbol2", symbol("fill", ground("#ffffff", INK, opacity=255, width=0.2))),
        style="Single Box", unitType="km", unitLabel="km", numUnitsPerSegment=unit, numMapUnitsPerScaleBarUnit=1,
        numSegments=2, numSegmentsLeft=0, height=2, segmentSizeMode=0, mapUuid=identity("layout", "map"),
        labelBarSpace=1, boxContentSpace=1, alignment=0, labelVerticalPlacement=0, labelHorizontalPlacement=0,
        frame=False, minBarWidth=20, maxBarWidth=60, numSubdivisions=1, subdivisionsHeight=1.5, segmentMillimeters=20,
        outlineWidth=0.25, lineJoinStyle="miter", lineCapStyle="square",
    )  # fmt: skip


def _rounded(value: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, … that is not above a value; at least 1 when that is above nothing."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    return max((step * power for step in _ROUND if step * power <= value), default=power)


def _legend(views: Sequence[View], sources: dict[str, str]) -> ET.Element:
    by_key = {view.key.removeprefix("monitor_"): view for view in views}
    layers = [_listed(by_key[key], sources) for key in _LEGEND_LAYERS if key in by_key]
    order = node("custom-order", enabled=0)
    tree = node("layer-tree-group", node("customproperties", option(None, {})), *layers, order)
    styles = [_legend_style(name, size, gaps) for name, (size, gaps) in _LEGEND_STYLES.items()]
    return _item(
        "legend", _LEGEND, Place(_SIDE_X - 1, 80, _SIDE_WIDTH, 105), node("styles", *styles), tree,
        map_uuid=identity("layout", "map"), legendFilterByAtlas=0, resizeToContents=1, title="", titleAlignment=1,
        columnCount=1, splitLayer=0, equalColumnWidth=0, symbolWidth=7, symbolHeight=3, maxSymbolSize=0,
        minSymbolSize=0, symbolAlignment=1, lineSpacing=0.8, columnSpace=2, boxSpace=1, wrapChar="", fontColor=INK,
        frame=False,
    )  # fmt: skip


def _listed(view: View, sources: dict[str, str]) -> ET.Element:
    return node(
        "layer-tree-layer", node("customproperties", option(None, {})), id=view.key, name=view.title,
        checked="Qt::Checked", expanded=1, providerKey="ogr", source=sources[view.key], legend_exp="",
        legend_split_behavior=0, patch_size="-1,-1",
    )  # fmt: skip


def _legend_style(name: str, size: float, gaps: dict[str, float]) -> ET.Element:
    bold = name in {"title", "group", "subgroup"}
    font = f"{FAMILY},{size:g},-1,5,{75 if bold else 50},0,0,0,0,0"
    style = node("style", node("styleFont", description=font, style="Bold" if bold else ""), name=name, alignment=1)
    for gap, width in gaps.items():
        style.set(gap, f"{width:g}")
    return style
