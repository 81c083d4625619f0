"""What if the layers cannot be published as they are?"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final

from geo.errors import CeasewatchError

if TYPE_CHECKING:
    from pathlib import Path

_FULL: Final = ("disk is full", "No space left")
# SQLite ends a transaction by itself where the disk fails; GDAL then cannot, and says only that.
_FAILED: Final = ("disk I/O error", "unable to open", "readonly database", "no transaction is active")
_LONGEST: Final = 300  # of a library's own words, whose end says why


class PublicationError(CeasewatchError, RuntimeError):
    """The layers, or the file made of them, are not fit to be published: our fault; what stood before still stands."""


def unwritten(target: Path, fault: Exception) -> Exception:
    """Return what it means for the user that ``target`` could not be written; the disk's faults are nobody's here."""
    words = str(fault)
    number = getattr(fault, "errno", None)
    if any(sign in words for sign in _FULL) or number in {errno.ENOSPC, errno.EDQUOT}:
        sentence = "no space is left for it; what stands there is whole. Make room, then run again"
        return OSError(errno.ENOSPC, sentence, str(target))
    if any(sign in words for sign in _FAILED) or number == errno.EIO:
        sentence = "the disk failed, or no space is left for it; what stands there is whole. Mend it, then run again"
        return OSError(errno.EIO, sentence, str(target))
    why = words if len(words) <= _LONGEST else f"…{words[-_LONGEST:]}"
    return PublicationError(f"{target} could not be written: {why}. What stood there before still stands.")


def unaccompanied(target: Path, fault: OSError) -> Exception:
    """Return what it means for the user that ``target`` is new, and what belongs beside it could not be written."""
    sentence = f"is new and whole, but not all that belongs beside it ({fault.strerror}). Mend that, then run it again"
    return OSError(fault.errno, sentence, str(target))
