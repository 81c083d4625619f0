"""What becomes of a stranger's file, and of the child that read it?"""

from __future__ import annotations

import dataclasses
import os
import signal
from typing import TYPE_CHECKING, Final, TypeVar

from geo.errors import InputError, PolicyError
from pipelines import sources
from pipelines.jail import reports, wire
from pipelines.jail.child import NO_MEMORY, UNPREPARED
from pipelines.jail.guard import LINE_READERS, READERS, SWITCH
from pipelines.jail.kernel import available
from pipelines.jail.limits import LARGEST, MIB, limits, weight
from pipelines.linework import reading
from pipelines.sources.reading import Context, Reading, refused_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from geo.crs import Reals
    from geo.policy import Policy
    from geo.theatre import Source, Theatre
    from pipelines.jail.guard import Ended, Guard
    from pipelines.jail.limits import Limits
    from pipelines.linework.drawn import Position

T = TypeVar("T")

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
    if _open():
        return sources.read(data, source, theatre, policy, file_name, received_at=received_at)
    context = Context(source, _slim(theatre), policy, file_name, received_at)
    ended, most = _ask(READERS, reports.Asked(context, admits=False), data, file_name)
    return judge(ended, most, data, file_name)


def admit(data: bytes, source: Source, theatre: Theatre, policy: Policy, file_name: str) -> bytes:
    """Return what may be stored of a file, as ``sources.admit`` does, without trusting the file.

    Raises
    ------
    InputError
        If nobody can say what may be kept; beside the codes of ``sources.admit`` those of ``read``, and
        ``resource_limit`` and ``reader_died``. Nothing of the file is kept then.
    PolicyError
        As ``read``.
    """
    if not sources.unwanted(source):
        return data
    if _open():
        return sources.admit(data, source, file_name)
    asked = reports.Asked(Context(source, _slim(theatre), policy, file_name), admits=True)
    ended, most = _ask(READERS, asked, data, file_name)
    try:
        return _heard(ended, most, file_name, wire.get_kept)
    except _RefusedError as refused:
        msg = f"{file_name}: nobody can say what of it may be kept, so nothing is. {refused.sentence}"
        raise InputError(refused.code, msg) from None


def positions(data: bytes, file_name: str) -> Sequence[Sequence[Position] | Reals]:
    """Return the positions of each part that a file draws, as ``linework.reading`` does, without trusting the file.

    Raises
    ------
    InputError
        If they cannot be had; beside the codes of ``linework`` those of ``read``, and ``resource_limit`` and
        ``reader_died``.
    PolicyError
        As ``read``.
    """
    if _open():
        return reading.positions(data, file_name)
    ended, most = _ask(LINE_READERS, file_name, data, file_name)
    try:
        return _heard(ended, most, file_name, wire.get_parts)
    except _RefusedError as refused:
        raise InputError(refused.code, refused.sentence) from None


def _open() -> bool:
    """Return whether files are read without walls; raise ``PolicyError`` if there are none and nobody said so."""
    if os.environ.get(SWITCH) == "off":
        return True
    if not available():
        msg = (
            "this system has, or allows, neither Landlock (Linux 6.7) nor seccomp (x86-64), without which files of "
            f"strangers are not read; where that is done in a container without network or secrets, set {SWITCH}=off"
        )
        raise PolicyError(msg)
    return False


def _ask(guard: Guard, asked: object, data: bytes, file_name: str) -> tuple[Ended, Limits]:
    most = limits(weight(data))
    if len(data) > LARGEST:
        msg = f"{file_name}: it has {len(data) / MIB:,.0f} MiB, and {LARGEST / MIB:.0f} are read: cut it into several"
        raise InputError(code="file_size", message=msg)
    try:
        return guard.ask(asked, data, most), most
    except OSError as error:
        msg = f"{file_name}: the process that reads files ended or fell silent ({error!r}): try again"
        raise InputError(code="reader_killed", message=msg) from error


def _slim(theatre: Theatre) -> Theatre:
    """Return the theatre without what no reader looks at, and what can be large."""
    return dataclasses.replace(theatre, lines=(), rasters=(), exemptions=(), zones=())


def judge(ended: Ended, most: Limits, data: bytes, file_name: str) -> Reading:
    """Return what a child's end says of its file; raise ``InputError`` as ``read`` does."""
    try:
        return _heard(ended, most, file_name, wire.get_reading)
    except _RefusedError as refused:
        return refused_whole(refused.code, refused.sentence, data[:KEPT])


class _RefusedError(Exception):
    """The file broke its reader, or asked for too much."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code, self.sentence = code, sentence


def _heard(ended: Ended, most: Limits, file_name: str, get: Callable[[bytearray], T]) -> T:
    """Return what a child said, taken from the wire by ``get``; raise ``_RefusedError``, and what ``get`` was told."""
    exceeded = _exceeded(ended, most, file_name)
    if exceeded is not None:
        raise _RefusedError(*exceeded)
    try:
        return get(bytearray() if ended.code else ended.answer)
    except (wire.GarbageError, wire.ReaderError) as fault:
        code = "reader_died"
        raise _RefusedError(code, _broken(ended, fault)) from fault


def _exceeded(ended: Ended, most: Limits, file_name: str) -> tuple[str, str] | None:
    """Return code and sentence of a file that asked for too much; raise where the machine may be at fault."""
    if ended.code == UNPREPARED:
        why = wire.legible(ended.answer.decode(errors="replace"))
        msg = f"{file_name}: the process that reads files could not be made ready ({why}): mend that and try again"
        raise InputError(code="reader_killed", message=msg)
    if ended.timed_out:
        msg = f"{file_name}: reading took over {most.wall_s} s; if the machine was busy, try again, else cut the file"
        raise InputError(code="time_limit", message=msg)
    over_cpu = ended.code == -signal.SIGXCPU or (ended.code == -signal.SIGKILL and ended.cpu_s >= most.cpu_s)
    if ended.overflown or over_cpu or ended.code == NO_MEMORY:
        return "resource_limit", (
            f"Reading the file took more than {most.cpu_s} s of computing, {most.memory / MIB:,.0f} MiB of memory or "
            f"{most.answer / MIB:,.0f} MiB of answer, which no file of its size needs: export it again, or cut it."
        )
    if ended.code == -signal.SIGKILL:
        msg = f"{file_name}: the process that read it was killed from outside: try again"
        raise InputError(code="reader_killed", message=msg)
    return None


def _broken(ended: Ended, fault: Exception) -> str:
    what = _named(ended.code) if ended.code else str(fault)
    return f"The reader broke at the file ({what}): export it again; if it is whole, please report this."


def _named(code: int) -> str:
    return signal.Signals(-code).name if -code in set(signal.Signals) else f"exit code {code}"
