"""Which colours, shapes and letters tell what, on every map and in print?

How a tier is told is the same everywhere, and stands in ``pipelines.palette``. Sizes are millimetres on paper, letters
points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines.palette import LOOKS

if TYPE_CHECKING:
    from pipelines.palette import Look

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
    """How a tier looks on the map: as everywhere, with sizes.

    ``letter`` is the height of its number, ``drop`` how far below the middle it stands: shares of the sign's size.
    """

    look: Look
    size_mm: float
    width_mm: float
    letter: float
    drop: float = 0

    @property
    def tier(self) -> int:
        """The tier."""
        return self.look.tier

    @property
    def words(self) -> str:
        """Its number and name."""
        return f"{self.tier} {self.look.label}"


MARKS: Final = (
    Mark(LOOKS[0], 3.4, 1.2, 0.5),
    Mark(LOOKS[1], 5.0, 1.7, 0.66),
    Mark(LOOKS[2], 5.2, 2.3, 0.66),
    Mark(LOOKS[3], 7.6, 3.0, 0.46, 0.1),
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
