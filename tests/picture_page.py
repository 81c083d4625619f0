"""Draw the picture of the page: ``python tests/picture_page.py demo/workspace/published/sitrep.html OUT``."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from browser import browser

mpl.use("Agg")
import matplotlib.pyplot as plt

PARTS = ("header", "[aria-labelledby=h-figures]", "#when")
WIDTH_PX = 900


def draw(page: Path, out: Path) -> None:
    """Draw the head of the page and its diagram, one below the other."""
    with browser() as running:
        shown = running.new_context(offline=True, viewport={"width": WIDTH_PX, "height": 900}).new_page()
        shown.goto(page.resolve().as_uri())
        parts = [_picture(shown.locator(part)) for part in PARTS]
    least = min(part.shape[1] for part in parts)
    plt.imsave(out, np.concatenate([part[:, :least] for part in parts]))


def _picture(part: Any) -> Any:  # noqa: ANN401 -- a place of the page, and its pixels
    return plt.imread(io.BytesIO(part.screenshot()))[:, :, :3]


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
