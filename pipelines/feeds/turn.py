"""Whose turn is it in this workspace?

The ledger has one writer at a time anyway. A turn is longer: from the first look into the inbox to the last line of a
scheduled run. It is a lock of the operating system, so it ends with its holder, however that one ends.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pipelines.ledger import LedgerBusy
from pipelines.ledger.lock import WriterLock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.workspace import Workspace

RUNNING: Final = "running"
SERVING: Final = "serving"
COPYING: Final = "copying"
TURN_S: Final = 3600.0
"""How long a scheduled run waits for another one of the same workspace, seconds."""
_DOING: Final = {
    RUNNING: "taking files in, or at a scheduled run",
    SERVING: "serving its schedules",
    COPYING: "copying it for the night",
}


@contextmanager
def turn(workspace: Workspace, what: str = RUNNING, *, wait_s: float) -> Iterator[None]:
    """Have the workspace for oneself, as far as ``what`` goes.

    Raises
    ------
    LedgerBusy
        If somebody else still has it after ``wait_s`` seconds.
    """
    file = workspace.path / what
    try:
        lock = WriterLock(file, wait_s)
    except LedgerBusy as busy:
        holder = str(busy).removeprefix(f"{file}: ").split(" is writing", 1)[0]
        msg = f"{workspace.path}: {holder} is {_DOING[what]}; waited {wait_s:g} s. Try again when it has ended."
        raise LedgerBusy(msg) from None
    try:
        yield
    finally:
        lock.release()
