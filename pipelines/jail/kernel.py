"""Which rights can a process give up for good?

Two walls of the Linux kernel, each enough by itself, and limits on what is left. **Landlock** (from 5.13, for the
network from 6.7): no file below any folder can be opened, made or removed, no TCP port bound or reached, no signal sent
outside. **seccomp** (x86-64): of the system calls only those are left that work on memory and on files already open; a
thread may be started, a process not. Neither can be taken down again, by nobody.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pipelines.jail.limits import Limits

LANDLOCK: Final = "landlock"
SECCOMP: Final = "seccomp"
WALLS: Final = (LANDLOCK, SECCOMP)
NO_FILES: Final = "no-files"
"""No wall by itself, since files can still be removed: nothing more can be opened."""

_PROBE: Final = "import sys; sys.path.insert(0, sys.argv[1]); from pipelines.jail.kernel import probe; probe()"

_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same numbers on every architecture
_VERSION: Final = 1
_TCP_SINCE: Final = 4
_SCOPE_SINCE: Final = 6
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 5: 16}  # how many rights are known since which version

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_FILTER: Final = 2
_X86_64: Final = 0xC000003E
_CALLS: Final = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
    "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "writev": 20,
    "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "fcntl": 72,
    "getrusage": 98, "sysinfo": 99, "sigaltstack": 131, "gettid": 186, "futex": 202, "sched_getaffinity": 204,
    "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
    "set_robust_list": 273, "getrandom": 318, "membarrier": 324, "rseq": 334,
}  # fmt: skip
_CLONE, _CLONE3, _CLONE_THREAD = 56, 435, 0x10000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENT_AT = 0, 4, 16
_ALLOW, _KILL, _NOT_PERMITTED, _NOT_THERE = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026


@lru_cache(maxsize=1)
def available() -> tuple[str, ...]:
    """Return which of ``WALLS`` stand on this system: each keeps files and network shut by itself.

    Tried out in a process of its own, since a container may refuse what its kernel has.
    """
    if sys.platform != "linux":
        return ()
    words = [sys.executable, "-I", "-S", "-c", _PROBE, str(Path(__file__).parents[2])]
    told = subprocess.run(words, env={}, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 -- our own interpreter, our own words
    return tuple(wall for wall in WALLS if wall in told.stdout.decode().split())


def probe() -> None:
    """Put up each wall in this process, for good, and write the name of each that then keeps a folder shut."""
    _control(_PR_SET_NO_NEW_PRIVS, 1)
    for wall, whole, put_up, refusal in (
        (LANDLOCK, _landlock_version() >= _TCP_SINCE, _landlock, errno.EACCES),
        (SECCOMP, platform.machine() == "x86_64", _seccomp, errno.EPERM),
    ):
        if whole and _refusal_behind(put_up) == refusal:
            os.write(1, f"{wall}\n".encode())
    os._exit(0)


def _refusal_behind(put_up: Callable[[], None]) -> int | None:
    try:
        put_up()
    except OSError:
        return None
    try:
        os.open("/", os.O_RDONLY)
    except OSError as refused:
        return refused.errno
    return None


def confine(limits: Limits, walls: Collection[str]) -> None:
    """Give up, in this process and for good, everything but memory and open files; raise ``OSError`` if that fails."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory, limits.memory))
    _control(_PR_SET_DUMPABLE, 0)
    _control(_PR_SET_NO_NEW_PRIVS, 1)
    if LANDLOCK in walls:
        _landlock()
    if NO_FILES in walls:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    if SECCOMP in walls:
        _seccomp()


def die_with_parent() -> None:
    """Have this process killed when the one that started it ends."""
    _control(_PR_SET_PDEATHSIG, signal.SIGKILL)


@lru_cache(maxsize=1)
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _control(option: int, value: int) -> None:
    if _libc().prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        _fail("prctl")


def _fail(what: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}")


def _landlock_version() -> int:
    return int(_libc().syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION)))


def _landlock() -> None:
    version = _landlock_version()
    files = max(rights for since, rights in _FILE_RIGHTS.items() if since <= max(version, 1))
    # All rights are taken and no rule gives one back.
    attributes = struct.pack(
        "QQQ", 2**files - 1, 3 if version >= _TCP_SINCE else 0, 3 if version >= _SCOPE_SINCE else 0
    )
    size = 24 if version >= _SCOPE_SINCE else 16 if version >= _TCP_SINCE else 8
    rules = _libc().syscall(ctypes.c_long(_CREATE_RULESET), attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    if rules < 0:
        _fail("landlock_create_ruleset")
    if _libc().syscall(ctypes.c_long(_RESTRICT_SELF), ctypes.c_int(rules), ctypes.c_uint(0)):
        _fail("landlock_restrict_self")
    os.close(rules)


def _seccomp() -> None:
    program = b"".join(struct.pack("HBBI", *step) for step in _program())

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))

    held = Program(len(program) // 8, program)
    if _libc().prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), ctypes.byref(held), 0, 0):
        _fail("seccomp")


def _program() -> list[tuple[int, int, int, int]]:
    """Return the filter: (operation, jump if true, jump if false, operand)."""
    calls = sorted(_CALLS.values())
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, _X86_64),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        # The C library falls back to clone where clone3, whose arguments cannot be looked at, is not there.
        (_EQUAL, 0, 1, _CLONE3),
        (_RETURN, 0, 0, _NOT_THERE),
        (_EQUAL, 0, 3, _CLONE),
        (_LOAD, 0, 0, _ARGUMENT_AT),
        (_ANY_BIT, len(calls) + 2, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _NOT_PERMITTED),
    ]
    steps += [(_EQUAL, len(calls) - at, 0, number) for at, number in enumerate(calls)]
    return [*steps, (_RETURN, 0, 0, _NOT_PERMITTED), (_RETURN, 0, 0, _ALLOW)]
