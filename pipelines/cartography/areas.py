"""How do footprints, zones and regions look?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.cartography import labels, renderers
from pipelines.cartography.labels import AROUND_MIDDLE, LEVEL, Label, Letters
from pipelines.cartography.palette import INK, SEVERE_FIRST, SOFT_INK
from pipelines.cartography.points import NAMED, NEAR, late, sign
from pipelines.cartography.renderers import Rule
from pipelines.cartography.symbols import ground, hatch, middle, symbol

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from pipelines.cartography.palette import Mark
    from pipelines.cartography.sheet import Sheet

_FARTHEST: Final = 4_000_000
_LAND: Final = "#f3f1ea"
_BORDER: Final = "#b4b1a6"
_BAND: Final = "#4a6a94"
_TINT: Final = "#aec3da"
_PERIMETER: Final = 7
_SMALLER: Final = 0.75


def footprints(sheet: Sheet) -> ET.Element:
    """Return footprints by tier: those going on tinted, late ones outlined, those of long ago only close by."""
    going = "\"state\" IN ('active', 'quiet')"
    return renderers.ruled(
        [
            *(
                Rule(mark.words, f'{going} AND coalesce("tier_eligible", 0) = {mark.tier}',
                     symbol("fill", ground(mark.look.colour, INK, opacity=95, width=0.3)))
                for mark in SEVERE_FIRST
            ),
            Rule("ended, or a candidate, in the last 7 days", f"NOT ({going}) AND {late(sheet)}", symbol(
                "fill", ground(SOFT_INK, SOFT_INK, opacity=14, width=0.25, dash="dash", edge_opacity=190)
            )),
            Rule("ended earlier", f"\"state\" = 'ended' AND NOT {late(sheet)}", _long_ago(), farthest=NEAR),
            Rule("a candidate, earlier", "ELSE", _long_ago(), farthest=NAMED),
        ],
        order='coalesce("tier_eligible", 0)',
    )  # fmt: skip


def _long_ago() -> ET.Element:
    return symbol("fill", ground(SOFT_INK, SOFT_INK, opacity=0, width=0.2, dash="dot", edge_opacity=140))


def days() -> ET.Element:
    """Return what the time slider plays: footprints so far, by the tier in effect at the end of the day."""
    return renderers.ruled(
        [Rule(mark.words, f'coalesce("tier_effective", 0) = {mark.tier}', _day(mark)) for mark in SEVERE_FIRST],
        order='coalesce("tier_effective", 0)',
    )


def _day(mark: Mark) -> ET.Element:
    seen = middle(symbol("marker", *sign(mark, mark.size_mm * _SMALLER)))
    return symbol("fill", ground(mark.look.colour, INK, opacity=70, width=0.35), seen)


def day_outlines() -> ET.Element:
    """Return footprints so far as outlines, which cover nothing where all days are drawn at once."""
    return renderers.single(symbol("fill", ground(SOFT_INK, SOFT_INK, opacity=0, width=0.2, edge_opacity=120)))


def day_names() -> ET.Element:
    """Return an incident's name and its violations of the day."""
    text = "\"incident_id\" || ' · ' || \"violations\" || ' that day'"
    first = '4 + coalesce("tier_effective", 0)'
    return labels.simple(Label(text, Letters(size=7), placement=AROUND_MIDDLE, distance=2.6, priority=first))


def zones() -> ET.Element:
    """Return bands as outlines whose tints add up towards the line, and drawn areas hatched."""
    return renderers.ruled(
        [
            Rule("depth band", "coalesce(\"kind\", 'band') = 'band'",
                 symbol("fill", ground(_TINT, _BAND, opacity=24, width=0.2, dash="dash", edge_opacity=170))),
            Rule("drawn area", "ELSE", symbol(
                "fill", hatch(_BAND, 45, 1.6, 0.15), ground(_BAND, _BAND, opacity=20, width=0.35)
            )),
        ]
    )  # fmt: skip


def zone_names() -> ET.Element:
    """Return a zone's depth and id along its edge."""
    text = "coalesce(to_string(round(\"depth_m\" / 1000)) || ' km · ', '') || coalesce(\"zone_id\", '')"
    return labels.simple(
        Label(
            text,
            Letters(size=6.5, colour=_BAND),
            placement=_PERIMETER,
            priority="1",
            farthest=_FARTHEST,
            distance=0.4,
            solid=0,
        )
    )


def regions() -> ET.Element:
    """Return regions as quiet ground."""
    return renderers.single(symbol("fill", ground(_LAND, _BORDER, opacity=255, width=0.3)))


def borders() -> ET.Element:
    """Return regions as outlines, which cover nothing whatever they are drawn on."""
    return renderers.single(symbol("fill", ground(_LAND, _BORDER, opacity=0, width=0.4)))


def region_names() -> ET.Element:
    """Return the names of regions, giving way to everything else."""
    letters = Letters(size=8, colour="#8a877b", spacing=0.6, capitals=True, halo=0.6)
    return labels.simple(Label('"name"', letters, placement=LEVEL, priority="0", solid=0))
