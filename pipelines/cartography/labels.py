"""What is written on the map, and what gives way where two would collide?

Sizes are points, distances millimetres, scales denominators.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipelines.cartography.nodes import identity, node, properties
from pipelines.cartography.palette import FAMILIES, FAMILY, INK, PAPER, rgb

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Sequence

AROUND: Final = 6  # in the first free place of a cartographer's order around the point
OVER: Final = 1  # on the point itself
ALONG: Final = 3  # curved along a line
LEVEL: Final = 4  # level, inside
AROUND_MIDDLE: Final = 0  # somewhere around the middle of an area
_BOLD, _NORMAL = 75, 50


@dataclass(frozen=True)
class Letters:
    """How a text looks; ``halo`` is the width of the light edge around it, millimetres."""

    size: float = 8
    colour: str = INK
    bold: bool = False
    italic: bool = False
    capitals: bool = False
    spacing: float = 0
    halo: float = 0.7
    halo_opacity: float = 0.85


@dataclass(frozen=True)
class Label:
    """What is written for a row.

    ``text`` is an expression, and is never taken for HTML. ``where`` is an expression for the place, on a layer of
    lines; ``towards`` one for where the text lies as seen from there, from 0 (upper left) over 4 (on it) to 8 (lower
    right). ``priority`` is an expression (0 to 10): of two that collide the higher stays. ``farthest`` and ``nearest``
    bound the scales; 0: no bound. ``solid`` (0 to 2): how much other labels shun what is labelled, 0: not
    at all. ``drawn``: whether it is written, and does not only take its room.
    """

    text: str
    letters: Letters = field(default_factory=Letters)
    placement: int = AROUND
    distance: float = 0
    priority: str | None = None
    where: str | None = None
    towards: str | None = None
    farthest: int = 0
    nearest: int = 0
    solid: float = 1
    merged: bool = False
    drawn: bool = True


def simple(label: Label) -> ET.Element:
    """Return a labelling that treats every row alike."""
    return node("labeling", _settings(label), type="simple")


def kept_free() -> ET.Element:
    """Return a labelling that writes nothing, and keeps off areas what matters less than the names of incidents."""
    return simple(Label("''", drawn=False))


def ruled(rules: Sequence[tuple[str, str, Label]]) -> ET.Element:
    """Return a labelling by rules: name, filter and label each."""
    made = [
        node("rule", _settings(label), key=identity("label", name, filter_), filter=filter_, description=name)
        for name, filter_, label in rules
    ]
    return node("labeling", node("rules", *made, key=identity("labels")), type="rule-based")


def text_style(letters: Letters, expression: str = "") -> ET.Element:
    """Return the letters of a label, a scale bar or a legend."""
    buffer = node(
        "text-buffer", bufferDraw=int(letters.halo > 0), bufferSize=letters.halo, bufferSizeUnits="MM",
        bufferColor=rgb(PAPER), bufferOpacity=letters.halo_opacity, bufferNoFill=1, bufferJoinStyle=128,
    )  # fmt: skip
    return node(
        "text-style", node("families", *(node("family", name=name) for name in FAMILIES)), buffer,
        fontFamily=FAMILY, namedStyle="Bold" if letters.bold else "", fontSize=letters.size, fontSizeUnit="Point",
        fontWeight=_BOLD if letters.bold else _NORMAL, fontItalic=int(letters.italic), textColor=rgb(letters.colour),
        textOpacity=1, fontLetterSpacing=letters.spacing, capitalization=int(letters.capitals), allowHtml=0,
        multilineHeight=0.95, fieldName=expression, isExpression=1, useSubstitutions=0, fontKerning=1,
    )  # fmt: skip


def _settings(label: Label) -> ET.Element:
    scaled = bool(label.nearest or label.farthest)
    told = {"Priority": label.priority, "OffsetQuad": label.towards}
    decided = {name: expression for name, expression in told.items() if expression is not None}
    place = node(
        "placement", placement=label.placement, dist=label.distance, distUnits="MM", priority=5,
        offsetType=int(label.where is None),
        predefinedPositionOrder="TR,BR,TL,BL,R,L,TSR,BSR", placementFlags=9, polygonPlacementFlags=2,
        geometryGeneratorEnabled=int(label.where is not None), geometryGenerator=label.where or "",
        geometryGeneratorType="PointGeometry", layerType="UnknownGeometry", centroidInside=1, repeatDistance=0,
        quadOffset=4, maxCurvedCharAngleIn=25, maxCurvedCharAngleOut=-25,
    )  # fmt: skip
    drawn = node(
        "rendering", drawLabels=int(label.drawn), obstacle=int(label.solid > 0), obstacleFactor=label.solid,
        obstacleType=int(label.drawn),  # the edge of an area, or all of it
        displayAll=0, mergeLines=int(label.merged), labelPerPart=0, upsidedownLabels=0,
        fontMinPixelSize=3, fontMaxPixelSize=10000,
        scaleVisibility=int(scaled), scaleMin=label.nearest, scaleMax=label.farthest, minFeatureSize=0, zIndex=0,
        limitNumLabels=0, maxNumLabels=2000, fontLimitPixelSize=0,
    )  # fmt: skip
    lines = node("text-format", wrapChar="\\n", multilineAlign=3, autoWrapLength=0, useMaxLineLengthForAutoWrap=1)
    return node(
        "settings", text_style(label.letters, label.text), lines, place, drawn,
        node("dd_properties", properties(decided)), calloutType="simple",
    )  # fmt: skip
