"""Before which system call that changes the disk is a process, and what shall become of it there?

A filter in the kernel (user notification of seccomp; Linux 5.5, x86-64) holds a process before every such call and asks
this one. It may let it go on, let the call fail, or kill the process. Nothing of that process is changed: calls of
Python, SQLite and GDAL are all seen, in every thread.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import platform
import select
import signal
import socket
import struct
import sys
import traceback
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WRITES = {1: "write", 18: "pwrite64", 20: "writev", 296: "pwritev", 328: "pwritev2"}
_BY_HANDLE = WRITES | {74: "fsync", 75: "fdatasync", 77: "ftruncate", 91: "fchmod", 285: "fallocate"}
_BY_PATH = {76: "truncate", 83: "mkdir", 84: "rmdir", 85: "creat", 87: "unlink", 90: "chmod"}
_TWO_PATHS = {82: "rename", 86: "link", 88: "symlink"}
_AT = {257: "openat", 258: "mkdirat", 263: "unlinkat", 268: "fchmodat"}
_TWO_AT = {264: "renameat", 265: "linkat", 316: "renameat2"}
NAMES = _BY_HANDLE | _BY_PATH | _TWO_PATHS | _AT | _TWO_AT
_OPENAT, _MAKES = 257, os.O_CREAT | os.O_TRUNC

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _SECCOMP, _MODE_FILTER, _NEW_LISTENER = 1, 38, 317, 1, 8
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_GO_ON = 1
_X86_64 = 0xC000003E
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_ASKED, _ANSWER = struct.Struct("QIIiIQ6Q"), struct.Struct("QqiI")


@dataclass(frozen=True)
class Call:
    """A system call that is about to be made: ``paths`` is what it changes, and for a rename what that becomes."""

    number: int
    task: int
    arguments: tuple[int, ...]
    paths: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return NAMES[self.number]

    def data(self) -> bytes:
        """Return the bytes that it is about to write."""
        _, at, size, *_ = self.arguments
        if self.name in {"write", "pwrite64"}:
            return _memory(self.task, at, size)
        vectors = struct.iter_unpack("QQ", _memory(self.task, at, 16 * size))
        return b"".join(_memory(self.task, start, length) for start, length in vectors)

    def position(self) -> int:
        """Return where in its file it is about to write, bytes."""
        if self.name in {"pwrite64", "pwritev"}:
            return self.arguments[3]
        told = Path(f"/proc/{self.task}/fdinfo/{self.arguments[0]}").read_text().split()
        flags = int(told[told.index("flags:") + 1], 8)
        at = int(told[told.index("pos:") + 1])
        return Path(f"/proc/{self.task}/fd/{self.arguments[0]}").stat().st_size if flags & os.O_APPEND else at


class Kill(Exception):  # noqa: N818 -- it is an order
    """Says that the process dies before the call that was shown."""


@cache
def available() -> bool:
    """Tell whether processes can be held here."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    try:
        return watched(lambda: None, Path("/"), lambda _: 0) == 0
    except OSError:
        return False


def watched(work: Callable[[], object], root: Path, decide: Callable[[Call], int]) -> int:
    """Do work in a copy of this process, and ask about every call of it that changes something under ``root``.

    ``decide`` gives 0 to let the call be made, or the error that it ends with instead; it may raise ``Kill``. Returned
    is how the process ended: its exit code, or minus the signal.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = os.fork()
        if child == 0:
            _be_watched(work, theirs)
        theirs.close()
        told, handles, *_ = socket.recv_fds(ours, 1, 1)
        if not told or not handles:
            os.waitpid(child, 0)
            raise OSError
        try:
            _answer(handles[0], root, decide)
        except Kill:
            os.kill(child, signal.SIGKILL)
        except BaseException:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise
        finally:
            os.close(handles[0])
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _be_watched(work: Callable[[], object], theirs: socket.socket) -> None:
    try:
        socket.send_fds(theirs, [b"x"], [_listener()])
    except BaseException:  # noqa: BLE001 -- a copy of this process must never go on as one
        os._exit(255)
    try:
        work()
    except BaseException:  # noqa: BLE001 -- likewise
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _answer(listener: int, root: Path, decide: Callable[[Call], int]) -> None:
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    while True:
        ((_, events),) = waiting.poll()
        if not events & select.POLLIN:
            return  # nobody is left whom the filter holds
        asked = bytearray(_ASKED.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, asked)
        except FileNotFoundError:
            continue  # it ended in between
        key, task, _, number, _, _, *arguments = _ASKED.unpack(asked)
        call = Call(number, task, tuple(arguments), tuple(_paths(task, number, arguments)))
        inside = any(path.startswith(f"{root}/") for path in call.paths)
        error = decide(call) if inside else 0
        try:
            fcntl.ioctl(listener, _SEND, _ANSWER.pack(key, -1 if error else 0, -error, 0 if error else _GO_ON))
        except FileNotFoundError:
            continue


def _paths(task: int, number: int, arguments: list[int]) -> Iterator[str]:
    """Yield the paths that a call changes, absolute."""
    if number in _BY_HANDLE:
        yield _handle(task, arguments[0])
    elif number in _BY_PATH:
        yield _path(task, arguments[0])
    elif number in _TWO_PATHS:
        yield from (_path(task, argument) for argument in arguments[:2])
    elif number in _AT:
        yield _path(task, arguments[1], arguments[0])
    else:
        yield from (_path(task, arguments[n + 1], arguments[n]) for n in (0, 2))


def _handle(task: int, handle: int) -> str:
    try:
        return str(Path(f"/proc/{task}/fd/{handle}").readlink())
    except OSError:
        return ""


def _path(task: int, at: int, folder: int = -100) -> str:
    text = b""
    while b"\0" not in text:
        here = at + len(text)
        text += _memory(task, here, mmap.PAGESIZE - here % mmap.PAGESIZE)
    path = os.fsdecode(text.split(b"\0")[0])
    if path.startswith("/"):
        return path
    known = ctypes.c_int(folder).value
    base = str(Path(f"/proc/{task}/cwd").readlink()) if known == -100 else _handle(task, known)
    return os.path.normpath(f"{base}/{path}")


def _memory(task: int, at: int, size: int) -> bytes:
    with open(f"/proc/{task}/mem", "rb", buffering=0) as memory:  # noqa: PTH123 -- not a path's file
        memory.seek(at)
        return memory.read(size)


def _listener() -> int:
    """Have this process held, for good, and return where the questions are read."""
    libc = ctypes.CDLL(None, use_errno=True)
    program = b"".join(struct.pack("HBBI", *step) for step in _program())

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))

    held = Program(len(program) // 8, program)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    listener = libc.syscall(_SECCOMP, _MODE_FILTER, _NEW_LISTENER, ctypes.byref(held))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return int(listener)


def _program() -> list[tuple[int, int, int, int]]:
    """Return the filter: (operation, jump if true, jump if false, operand)."""
    asked = sorted(NAMES.keys() - {_OPENAT})
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, 0),
        (_EQUAL, 0, 4, _OPENAT),
        (_LOAD, 0, 0, 32),
        (_ANY_BIT, 0, 1, _MAKES),
        (_RETURN, 0, 0, _ASK),
        (_RETURN, 0, 0, _ALLOW),
    ]
    steps += [(_EQUAL, len(asked) - at, 0, number) for at, number in enumerate(asked)]
    return [*steps, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ASK)]
