"""What would a reader do that trusts its file? It runs behind the walls here, to show that they hold by themselves."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

import pyogrio  # with all its drivers: the list of allowed ones is switched off
import pyogrio.raw


def warm(_: object) -> None:
    """Load nothing."""


def settle(argument: tuple[str, str, int]) -> None:
    """Load nothing, or fail at it."""
    if argument[0] == "unsettled":
        raise LookupError(*argument[:1])


def fail(error: BaseException, out: IO[bytes]) -> None:
    """Tell what stopped it."""
    out.write(f"failed: {type(error).__name__}: {error}".encode())


def work(argument: tuple[str, str, int], data: bytes, out: IO[bytes]) -> None:
    """Do with the file, a folder, or a port what the first word says."""
    what, place, port = argument
    while what == "flood":
        out.write(b"x" * 65_536)
    out.write(repr(_DO[what](data, place, port)).encode())


def _gdal(data: bytes, _: str, __: int) -> object:
    return [column.tolist() for column in pyogrio.raw.read(data)[3]]


def _open(_: bytes, place: str, __: int) -> object:
    return Path(place, "canary.csv").read_bytes()


def _write(_: bytes, place: str, __: int) -> object:
    return Path(place, "written").write_bytes(b"x")


def _remove(_: bytes, place: str, __: int) -> object:
    return Path(place, "canary.csv").unlink()


def _list(_: bytes, place: str, __: int) -> object:
    return list(Path(place).iterdir())


def _connect(_: bytes, __: str, port: int) -> object:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as stream:
        stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
    return "connected"


def _program(_: bytes, place: str, __: int) -> object:
    return subprocess.run(["/bin/cat", f"{place}/canary.csv"], capture_output=True, check=True).stdout


def _thread(_: bytes, __: str, ___: int) -> object:
    done: list[str] = []
    thread = threading.Thread(target=done.append, args=("worked",))
    thread.start()
    thread.join()
    return done


def _fork(_: bytes, __: str, ___: int) -> object:
    if not os.fork():
        os._exit(0)
    return "forked"


def _signal(_: bytes, __: str, ___: int) -> object:
    os.kill(os.getppid(), 9)
    return "killed"


def _memory(_: bytes, __: str, ___: int) -> object:
    return len(bytearray(2**32))


def _spin(_: bytes, __: str, ___: int) -> object:
    while True:
        pass


def _sleep(_: bytes, __: str, ___: int) -> object:
    time.sleep(60)
    return "slept"


def _crash(_: bytes, __: str, ___: int) -> object:
    return ctypes.string_at(0)


def _secrets(_: bytes, __: str, ___: int) -> object:
    return sorted(os.environ)


_DO = {
    "gdal": _gdal, "open": _open, "write": _write, "remove": _remove, "list": _list, "connect": _connect,
    "program": _program, "signal": _signal, "memory": _memory, "spin": _spin, "sleep": _sleep, "crash": _crash,
    "secrets": _secrets, "thread": _thread, "fork": _fork,
}  # fmt: skip
