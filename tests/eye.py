"""What does real QGIS see? Tests that ask are skipped where the system's Python has no PyQGIS."""

from __future__ import annotations

import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

PYTHON = "/usr/bin/python3"
EYE = Path(__file__).with_name("qgis_eye.py")


@lru_cache(maxsize=1)
def _there() -> bool:
    if not Path(PYTHON).exists():
        return False
    asked = subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    return asked.returncode == 0


def need() -> None:
    """Skip the test that asked, where PyQGIS cannot be had."""
    if not _there():
        pytest.skip(f"{PYTHON} has no PyQGIS")


def look(target: str, folder: Path, asked: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what QGIS says of a project or a file; pictures and its profile go to ``folder``."""
    folder.mkdir()
    (folder / "asked.json").write_text(json.dumps(asked))
    own = {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(folder), "QGIS_CUSTOM_CONFIG_PATH": str(folder)}
    own["TZ"] = "America/New_York"  # an analyst's clock need not be ours
    folder.chmod(0o700)
    words = [PYTHON, str(EYE), target, str(folder), str(folder / "asked.json")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, **own})
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert isinstance(said, dict)
    return said
