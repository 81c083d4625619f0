"""What becomes of a stranger's file, and of the child that read it?"""

from __future__ import annotations

import dataclasses
import os
import signal
from typing import TYPE_CHECKING, Final

from geo.errors import InputError, PolicyError
from pipelines import sources
from pipelines.jail import wire
from pipelines.jail.child import NO_MEMORY
from pipelines.jail.guard import READERS, SWITCH
from pipelines.jail.kernel import available
from pipelines.jail.limits import LARGEST, MIB, limits
from pipelines.sources.reading import Context, Reading, refused_whole

if TYPE_CHECKING:
    from datetime import datetime

    from geo.policy import Policy
    from geo.theatre import Source, Theatre
    from pipelines.jail.guard import Ended
    from pipelines.jail.limits import Limits

KEPT: Final = 1_000
"""How many of a refused file's first bytes stand in the quarantine; the file itself is kept whole."""


def read(
    data: bytes,
    source: Source,
    theatre: Theatre,
    policy: Policy,
    file_name: str,
    *,
    received_at: datetime | None = None,
) -> Reading:
    """Return what became of each record of a file, as ``sources.read`` does, without trusting the file.

    A file that breaks its reader, or asks for more than ``limits`` grants, is one refused record.

    Raises
    ------
    InputError
        If the file as a whole cannot be read; beside the codes of ``sources.read`` these: ``file_size``,
        ``time_limit``, ``reader_killed``.
    PolicyError
        As ``sources.read``; or if this system has none of the walls and nobody said to do without.
    """
    if os.environ.get(SWITCH) == "off":
        return sources.read(data, source, theatre, policy, file_name, received_at=received_at)
    if not available():
        msg = (
            "this system has neither Landlock (Linux 6.7) nor seccomp (x86-64), without which files of strangers are "
            f"not read; where that is done in a container without network or secrets, set {SWITCH}=off"
        )
        raise PolicyError(msg)
    most = limits(len(data))
    if len(data) > LARGEST:
        msg = f"{file_name}: it has {len(data) / MIB:,.0f} MiB, and {LARGEST / MIB:.0f} are read: cut it into several"
        raise InputError(code="file_size", message=msg)
    try:
        ended = READERS.ask(Context(source, _slim(theatre), policy, file_name, received_at), data, most)
    except OSError as error:
        msg = f"{file_name}: the process that reads files ended or fell silent ({error!r}): try again"
        raise InputError(code="reader_killed", message=msg) from error
    return judge(ended, most, data, file_name)


def _slim(theatre: Theatre) -> Theatre:
    """Return the theatre without what no reader looks at, and what can be large."""
    return dataclasses.replace(theatre, lines=(), rasters=(), exemptions=(), zones=())


def judge(ended: Ended, most: Limits, data: bytes, file_name: str) -> Reading:
    """Return what a child's end says of its file; raise ``InputError`` as ``read`` does."""
    if ended.timed_out:
        msg = f"{file_name}: reading took over {most.wall_s} s; if the machine was busy, try again, else cut the file"
        raise InputError(code="time_limit", message=msg)
    over_cpu = ended.code == -signal.SIGXCPU or (ended.code == -signal.SIGKILL and ended.cpu_s >= most.cpu_s)
    if ended.overflown or over_cpu or ended.code == NO_MEMORY:
        sentence = (
            f"Reading the file took more than {most.cpu_s} s of computing, {most.memory / MIB:,.0f} MiB of memory or "
            f"{most.answer / MIB:,.0f} MiB of answer, which no file of its size needs: export it again, or cut it."
        )
        return _refused("resource_limit", sentence, data)
    if ended.code == -signal.SIGKILL:
        msg = f"{file_name}: the process that read it was killed from outside: try again"
        raise InputError(code="reader_killed", message=msg)
    try:
        return wire.get_reading(ended.answer if not ended.code else b"")
    except (wire.GarbageError, wire.ReaderError) as fault:
        what = _named(ended.code) if ended.code else str(fault)
        sentence = f"The reader broke at the file ({what}): export it again; if it is whole, please report this."
        return _refused("reader_died", sentence, data)


def _named(code: int) -> str:
    return signal.Signals(-code).name if -code in set(signal.Signals) else f"exit code {code}"


def _refused(code: str, sentence: str, data: bytes) -> Reading:
    return refused_whole(code, sentence, data[:KEPT])
