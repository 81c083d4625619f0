"""How is a tier told apart, by colour, by shape and by word, wherever it is drawn?

Colours follow the order of ISO 22324 (grey: no verdict, yellow and orange: caution, red: danger), and darken from tier
to tier, so that the order survives grey print and the common kinds of colour-blindness. Nothing rests on colour alone:
each tier has a shape and its number. What is over is drawn hollow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from geo.terms import TIER_LABELS, TIERS

Shape = Literal["diamond", "circle", "square", "triangle"]


@dataclass(frozen=True)
class Look:
    """How a tier is drawn: sRGB colours in hex, ``colour`` on a light ground, ``on_dark`` on a dark one.

    ``ink`` is the colour of letters on ``colour``, and on ``on_dark`` black is.
    """

    tier: int
    label: str
    colour: str
    on_dark: str
    ink: str
    shape: Shape


_DRAWN: Final[tuple[tuple[str, str, str, Shape], ...]] = (
    ("#626b76", "#a7b0ba", "#ffffff", "diamond"),
    ("#f2b705", "#ffd54a", "#1a1a1a", "circle"),
    ("#c44c00", "#ff9a4d", "#ffffff", "square"),
    ("#a3001e", "#ff6b7d", "#ffffff", "triangle"),
)
LOOKS: Final = tuple(Look(tier, label, *drawn) for tier, label, drawn in zip(TIERS, TIER_LABELS, _DRAWN, strict=True))
"""The look of each tier, from 0 on."""
