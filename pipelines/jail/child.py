"""What runs behind the walls, and in which order?

First what is ours is unpacked: source, theatre and policy. Then the rights are given up, for good. Only then is the
file looked at.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from pipelines.jail.kernel import confine, die_with_parent

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.jail.limits import Limits

NO_MEMORY: Final = 70
"""Exit code of a child whose memory did not suffice."""
DEEPEST: Final = 2_000  # frames of Python: what is nested deeper ends in RecursionError and not in the C stack
UNTOLD: Final = 71
"""Exit code of a child that could not even say what failed."""
UNPREPARED: Final = 72
"""Exit code of a child that ended before it looked at the file; its answer says why, in our own words."""
_WHY: Final = 1_000  # characters of that
_LENGTH: Final = struct.Struct(">Q")


class Task(Protocol):
    """What a child is for; a module can be one."""

    def warm(self, argument: Any) -> None:  # noqa: ANN401 -- whatever the task takes
        """Load whatever the work needs from disk; runs once, in the warden, on nothing of a stranger's."""

    def settle(self, argument: Any) -> None:  # noqa: ANN401 -- whatever the task takes
        """Load what this argument needs from disk; runs before the walls stand."""

    def work(self, argument: Any, data: bytes, out: IO[bytes]) -> None:  # noqa: ANN401 -- whatever the task takes
        """Write what is to be said of ``data``; runs behind the walls."""

    def fail(self, error: BaseException, out: IO[bytes]) -> None:
        """Write that the work failed."""


@dataclass(frozen=True)
class Job:
    """One file's work; ``argument`` is ours, only the bytes that travel beside it are a stranger's."""

    argument: Any
    limits: Limits

    def pack(self) -> bytes:
        """Return it as it travels, in front of the bytes."""
        body = pickle.dumps(self, protocol=5)
        return _LENGTH.pack(len(body)) + body


def argument_of(job: int) -> object:
    """Return what a job is about, and leave the open file where it was."""
    (length,) = _LENGTH.unpack(os.pread(job, _LENGTH.size, 0))
    asked: Job = pickle.loads(os.pread(job, length, _LENGTH.size))  # noqa: S301 -- by our own parent, which made it
    return asked.argument


def run(task: Task, job: int, out: int, walls: Collection[str]) -> None:
    """Do the work in this process, which then ends; ``job`` and ``out`` are open files."""
    try:
        die_with_parent()
        asked, data = _prepared(task, job)
        stream = os.fdopen(out, "wb")
        confine(asked.limits, walls)
    except BaseException as error:  # noqa: BLE001 -- a copy of the warden must never go on as one
        with suppress(OSError):
            os.write(out, repr(error)[:_WHY].encode(errors="replace"))
        os._exit(UNPREPARED)
    try:
        with stream:
            _work(task, asked, data, stream)
    except MemoryError:
        os._exit(NO_MEMORY)
    except BaseException:  # noqa: BLE001 -- likewise
        os._exit(UNTOLD)
    os._exit(0)


def _prepared(task: Task, job: int) -> tuple[Job, bytes]:
    """Return what is ours, with all that it needs from disk, and the bytes, which nobody has looked at."""
    with os.fdopen(job, "rb") as file:
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        asked: Job = pickle.loads(file.read(length))  # noqa: S301 -- by our own parent, which made it
        task.settle(asked.argument)
        return asked, file.read()


def _work(task: Task, asked: Job, data: bytes, stream: IO[bytes]) -> None:
    sys.setrecursionlimit(DEEPEST)
    try:
        task.work(asked.argument, data, stream)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 -- the edge of the process: its parent is told
        task.fail(error, stream)
