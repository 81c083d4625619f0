"""Who is writing to the ledger?

One writer at a time, by a lock of the operating system that dies with its holder. The lock file says who holds it; it
is never deleted, because a lock on a deleted file excludes nobody.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from geo.errors import CeasewatchError

if TYPE_CHECKING:
    from pathlib import Path

_POLL_S: Final = 0.05


class LedgerBusy(CeasewatchError):  # noqa: N818 -- it is a state of the ledger and nobody's error
    """Someone else is writing; the text names process, host and since when."""


class WriterLock:
    """The right to write, held from the making of this object until ``release``.

    Parameters
    ----------
    ledger
        Path of the ledger; the lock file is beside it, with ``.lock`` appended.
    wait_s
        How long to wait for another writer, seconds.

    Raises
    ------
    LedgerBusy
        If another writer still holds the lock after that time.
    """

    def __init__(self, ledger: Path, wait_s: float) -> None:
        path = ledger.with_name(ledger.name + ".lock")
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _acquire(self._fd, ledger, wait_s)
            _say(self._fd, {"pid": os.getpid(), "host": socket.gethostname(), "since": _now()})
        except BaseException:
            os.close(self._fd)
            raise

    def release(self) -> None:
        """Let the next writer in."""
        _say(self._fd, None)
        os.close(self._fd)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _acquire(fd: int, ledger: Path, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise LedgerBusy(_busy(fd, ledger, wait_s)) from None
            time.sleep(_POLL_S)
        else:
            return


def _busy(fd: int, ledger: Path, wait_s: float) -> str:
    try:
        holder = json.loads(os.pread(fd, 4096, 0))
        who = f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        who = "a process that has not said its name yet"
    return f"{ledger}: {who} is writing to this ledger; waited {wait_s:g} s. Try again when it has ended."


def _say(fd: int, holder: dict[str, object] | None) -> None:
    os.ftruncate(fd, 0)
    if holder is not None:
        os.pwrite(fd, json.dumps(holder).encode(), 0)
