"""Where is the real data? Never part of the project: tests that use it are skipped where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CEASEWATCH_REALDATA", Path(__file__).parents[2] / "shared" / "realdata"))


def need(name: str) -> Path:
    """Return the path of a real file, or skip the test that asked for it."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"real data not here: {name}")
    return path
