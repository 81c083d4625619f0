"""What does the sign of a tier look like in SVG?"""

from __future__ import annotations

from typing import Final

from pipelines.palette import LOOKS, Shape

_OUTLINES: Final[dict[Shape, str]] = {
    "diamond": "m0-6 5 6-5 6-5-6z",
    "circle": "m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z",
    "square": "m-5.5-5.5h11v11h-11z",
    "triangle": "m0-7 7 12.5h-14z",
}
OUTLINES: Final = {look.tier: _OUTLINES[look.shape] for look in LOOKS}
"""Path of each tier's sign around the pen's place, about 12 pixels wide."""
