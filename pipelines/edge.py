"""What does the program take from its surroundings: which moment, which version, which bytes?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import TYPE_CHECKING

from geo.errors import PolicyError

if TYPE_CHECKING:
    from pathlib import Path

DISTRIBUTION = "ceasewatch"


def utc_now() -> datetime:
    """Return the present moment, aware UTC."""
    return datetime.now(UTC)


def whole_second(moment: datetime) -> datetime:
    """Return a moment cut upwards to whole seconds: what was recorded within this second is no hindsight."""
    return moment.replace(microsecond=0) + timedelta(seconds=moment.microsecond > 0)


def version() -> str:
    """Return the version of Ceasewatch that is installed; ``unknown`` where it runs without being installed."""
    try:
        return installed(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


def plain(text: str) -> str:
    """Return a text in one line, with every sign that could steer a screen written out as its escape."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def read_bytes(file: Path) -> bytes:
    """Return a file that a user named, as it is.

    Raises
    ------
    PolicyError
        If it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        msg = f"{file}: cannot be read ({error.strerror}); check its name and rights"
        raise PolicyError(msg) from error
