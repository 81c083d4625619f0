"""Does a fault concern one file or feed, or everything?

What concerns one must not hinder the others, nor the publication after them.
"""

from __future__ import annotations

import errno
from typing import Final

from geo.errors import CeasewatchError
from pipelines.ledger import LedgerBusy, LedgerDamaged

FAULTS: Final = (CeasewatchError, OSError)
"""What a file or feed, the settings or the world can be at fault with; anything else is ours."""
_EVERYTHING: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


def ends_all(fault: Exception) -> bool:
    """Return whether the next file would fare no better: the ledger's own trouble, or the disk's."""
    return isinstance(fault, (LedgerBusy, LedgerDamaged)) or (isinstance(fault, OSError) and fault.errno in _EVERYTHING)


def said(fault: Exception) -> str:
    """Return a fault that concerns one file or feed as a clause."""
    return f"{fault.strerror or fault}" if isinstance(fault, OSError) else str(fault)
