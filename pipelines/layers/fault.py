"""What if the layers cannot be published as they are?"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from geo.errors import CeasewatchError

if TYPE_CHECKING:
    from pathlib import Path

_FULL: Final = ("disk is full", "No space left")
_LONGEST: Final = 300  # of a library's own words, whose end says why


class PublicationError(CeasewatchError, RuntimeError):
    """The layers, or the file made of them, are not fit to be published: our fault; what stood before still stands."""


def unwritten(target: Path, fault: Exception) -> Exception:
    """Return what it means for the user that ``target`` could not be written; a full disk is nobody's fault."""
    words = str(fault)
    if any(sign in words for sign in _FULL) or getattr(fault, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
        sentence = "no space is left for the new map; what stood there before still stands. Make room, then run again"
        return OSError(errno.ENOSPC, sentence, str(target))
    why = words if len(words) <= _LONGEST else f"…{words[-_LONGEST:]}"
    return PublicationError(f"{target} could not be written: {why}. What stood there before still stands.")
