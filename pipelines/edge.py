"""What does the program take from its surroundings: which moment is it, and which version is this?"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

DISTRIBUTION = "ceasewatch"


def utc_now() -> datetime:
    """Return the present moment, aware UTC."""
    return datetime.now(UTC)


def version() -> str:
    """Return the version of Ceasewatch that is installed; ``unknown`` where it runs without being installed."""
    try:
        return installed(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
