"""What may be on a disk after a loss of power, and is what was acknowledged among it?

All that a process writes is recorded call by call. A disk keeps of it what was synced, and of the rest what it likes:
``MODELS`` are five kinds of disk, each of which holds what such a disk might after any call.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODELS = ("kept", "strict", "journal", "names", "torn")
"""All is there; only what was synced, name by name; any sync keeps all earlier names, and no data of other files; all
names and no data that was not synced; all names, and of such data any sectors."""
_SECTOR = 512
_UNMADE = ("-shm",)  # is made anew by whoever opens the database first


@dataclass
class File:
    """What is in a file: for its readers, on the disk for sure, and what came since."""

    live: bytearray = field(default_factory=bytearray)
    kept: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)  # bytes at a place; ``None``: it ends there

    def put(self, at: int, data: bytes | None) -> None:
        """Write data, or cut or lengthen the file."""
        _apply(self.live, at, data)
        self.since.append((at, data))

    def sync(self) -> None:
        """Keep all of it."""
        self.kept, self.since = bytes(self.live), []

    def torn(self, chance: random.Random) -> bytes:
        """Return what was kept, with any sectors of what came since."""
        found = bytearray(self.kept)
        for at, data in self.since:
            if data is None:
                if chance.random() < 0.5:
                    _apply(found, at, None)
                continue
            for start in range(0, len(data), _SECTOR):
                if chance.random() < 0.5:
                    _apply(found, at + start, data[start : start + _SECTOR])
        return bytes(found)


def _apply(content: bytearray, at: int, data: bytes | None) -> None:
    end = at if data is None else at + len(data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if data is None:
        del content[at:]
    else:
        content[at:end] = data


class Disk:
    """What a process has done to the files under ``root``: names for its readers, and those on the disk for sure."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: dict[str, File | None] = {}  # ``None``: a folder
        for path in sorted(root.rglob("*")):
            if path.is_dir():
                self.names[str(path)] = None
            else:
                self.names[str(path)] = file = File(bytearray(path.read_bytes()))
                file.sync()
        self.strict, self.journal = dict(self.names), dict(self.names)

    def see(self, call: calls.Call) -> None:
        """Take in a call as if it had been made."""
        if call.name not in {"chmod", "fchmod", "fchmodat"}:
            _SEEN[call.name](self, call, call.paths[0])

    def _write(self, call: calls.Call, path: str) -> None:
        if file := self.names.get(path):  # a file without a name goes with its process
            file.put(call.position(), call.data())

    def _cut(self, call: calls.Call, path: str) -> None:
        if file := self.names.get(path):
            file.put(call.arguments[1], None)

    def _make_folder(self, _: calls.Call, path: str) -> None:
        self.names.setdefault(path, None)

    def _remove(self, _: calls.Call, path: str) -> None:
        self.names.pop(path, None)

    def _rename(self, call: calls.Call, path: str) -> None:
        self.names[call.paths[1]] = self.names.pop(path)

    def _link(self, call: calls.Call, path: str) -> None:
        self.names.setdefault(call.paths[1], self.names[path])

    def _open(self, call: calls.Call, path: str) -> None:
        flags, file = call.arguments[2], self.names.get(path)
        if file is None and flags & os.O_CREAT:
            self.names[path] = File()
        elif isinstance(file, File) and flags & os.O_TRUNC and file.live:
            file.put(0, None)

    def _sync(self, _: calls.Call, path: str) -> None:
        file = self.names.get(path)
        if isinstance(file, File):
            file.sync()
        else:
            inside = {name for name in self.names | self.strict if os.path.dirname(name) == path}  # noqa: PTH120
            for name in inside:
                if name in self.names:
                    self.strict[name] = self.names[name]
                else:
                    del self.strict[name]
        self.journal = dict(self.names)

    def after(self, model: str, seed: int) -> Iterator[tuple[Path, bytes | None]]:
        """Yield what such a disk may hold now: files with their bytes, folders with ``None``; paths under ``root``."""
        names = {"strict": self.strict, "journal": self.journal}.get(model, self.names)
        chance = random.Random(seed)  # noqa: S311 -- a test's disk
        for name in sorted(names):
            path, file = Path(name).relative_to(self.root), names[name]
            folders = (str(self.root / folder) for folder in path.parents[:-1])
            if not name.endswith(_UNMADE) and all(folder in names for folder in folders):
                yield path, None if file is None else _content(file, model, chance)


_SEEN: dict[str, Callable[[Disk, calls.Call, str], None]] = {
    **dict.fromkeys(("fsync", "fdatasync"), Disk._sync),  # noqa: SLF001 -- this table is part of it
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev"), Disk._write),  # noqa: SLF001
    **dict.fromkeys(("ftruncate", "truncate"), Disk._cut),  # noqa: SLF001
    **dict.fromkeys(("mkdir", "mkdirat"), Disk._make_folder),  # noqa: SLF001
    **dict.fromkeys(("unlink", "unlinkat", "rmdir"), Disk._remove),  # noqa: SLF001
    **dict.fromkeys(("rename", "renameat", "renameat2"), Disk._rename),  # noqa: SLF001
    **dict.fromkeys(("link", "linkat"), Disk._link),  # noqa: SLF001
    "openat": Disk._open,  # noqa: SLF001
}


def _content(file: File, model: str, chance: random.Random) -> bytes:
    if model == "kept":
        return bytes(file.live)
    return file.torn(chance) if model == "torn" else file.kept


def record(work: Callable[[], object], root: Path, see: Callable[[calls.Call, Disk], None]) -> None:
    """Do work in a copy of this process, and show the disk after each of its calls."""
    disk = Disk(root)

    def decide(call: calls.Call) -> int:
        disk.see(call)
        see(call, disk)
        return 0

    code = calls.watched(work, root, decide)
    assert code == 0, code
