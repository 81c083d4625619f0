"""Where is a browser? The system's Chromium, without a network; tests that need one are skipped where it is absent."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("chromium", "chromium-browser", "google-chrome")


def need() -> str:
    """Return the path of a Chromium (``CEASEWATCH_CHROMIUM``, else the system's), or skip the test that asked."""
    found = os.environ.get("CEASEWATCH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


@contextmanager
def browser() -> Iterator[Any]:
    """Give a running headless browser of Playwright."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = need()
    with playwright.sync_playwright() as driver:
        # A container's root has no sandbox of its own; what is opened here is ours.
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield running
        running.close()
