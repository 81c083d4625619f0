"""Which colours, shapes and letters tell what, on every map and in print?

A tier is told three times over, by colour, by shape and by its number. Colours follow the order of ISO 22324 (grey:
watch; yellow, orange, red: rising danger) and darken as they rise, so that the order survives a grey print and eyes
that see no red or green. Sizes are millimetres on paper, letters points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geo import terms

INK: Final = "#1c1c1e"
SOFT_INK: Final = "#5b6066"
PAPER: Final = "#ffffff"
WATER: Final = "#2b5c8a"
QUIET: Final = "#4d7f9e"
UNSEEN: Final = "#7b2d8b"
FAMILY: Final = "Arial"
# Families that stand in where Arial is missing: none that a GIS would try to download.
FAMILIES: Final = ("Segoe UI", "Helvetica", "Liberation Sans", "DejaVu Sans")


@dataclass(frozen=True)
class Mark:
    """How a tier looks; ``ink`` is legible on ``colour``."""

    tier: int
    colour: str
    ink: str
    shape: str
    size_mm: float
    width_mm: float

    @property
    def words(self) -> str:
        """Its number and name."""
        return f"{self.tier} {terms.TIER_LABELS[self.tier]}"


MARKS: Final = (
    Mark(0, "#a9adb2", INK, "circle", 3.4, 1.2),
    Mark(1, "#ffd23f", INK, "circle", 5.0, 1.7),
    Mark(2, "#ef7d00", INK, "square", 5.2, 2.3),
    Mark(3, "#b0101f", PAPER, "diamond", 7.4, 3.0),
)
SEVERE_FIRST: Final = tuple(reversed(MARKS))


@dataclass(frozen=True)
class Face:
    """How a violation's status looks."""

    status: str
    fill: str
    stroke: str
    shape: str


FACES: Final = (
    Face("confirmed", INK, PAPER, "circle"),
    Face("corroborated", SOFT_INK, PAPER, "circle"),
    Face("alleged", PAPER, INK, "circle"),
    Face("contested", PAPER, UNSEEN, "diamond"),
    Face("exempt", PAPER, QUIET, "square"),
    Face("refuted", INK, INK, "cross2"),
)
"""From the best established to the least, and then what does not count."""


def rgb(colour: str, alpha: int = 255) -> str:
    """Return ``#rrggbb`` as QGIS writes it, with opacity 0 to 255."""
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return ",".join(map(str, [*parts, alpha]))
