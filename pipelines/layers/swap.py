"""How does a new file take the place of the old one, at once and whole?

It is built and checked beside the old one and renamed over it. A program that has the old file open keeps it, whole.
A process killed at any instant leaves the old file or the new one, and at most a hidden leftover that the next run
clears.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from pipelines.layers.fault import PublicationError
from pipelines.layers.fill import ASIDE
from pipelines.layers.proof import SIDECARS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK: Final = ".publish.lock"
VERSIONS: Final = "versions"
READ_ONLY: Final = 0o444
_PAUSE_S: Final = 0.05
_INDEX: Final = r"\.tmp_rtree_\w+\.db(-journal)?"
"""What GDAL puts beside a file while it makes the spatial index of many rows."""


@contextmanager
def locked(folder: Path, wait_s: float) -> Iterator[None]:
    """Hold the only right to publish into ``folder``, waiting at most ``wait_s`` seconds for it.

    The right ends with the process, however it ends.

    Raises
    ------
    PublicationError
        If another process still holds it; the message names that process.
    """
    with (folder / LOCK).open("a+", encoding="ascii") as file:
        until = time.monotonic() + wait_s
        while not _taken(file.fileno()):
            if time.monotonic() >= until:
                file.seek(0)
                holder = file.read().strip() or "?"
                message = f"process {holder} is publishing into {folder}; try again when it is done."
                raise PublicationError(message)
            time.sleep(_PAUSE_S)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def beside(target: Path) -> Path:
    """Return the hidden name under which the next ``target`` is built."""
    return target.with_name(f".{target.stem}.tmp-{os.getpid()}{target.suffix}")


def sweep(target: Path) -> None:
    """Remove what killed runs left: whoever holds the lock knows that no other run is at work."""
    name = rf"\.{re.escape(target.stem)}(-.+)?\.tmp-\d+{re.escape(target.suffix)}"
    dead = re.compile(f"{name}({'|'.join((*SIDECARS, re.escape(ASIDE), _INDEX))})?")
    for folder in (target.parent, target.parent / VERSIONS):
        for path in folder.glob(f".{target.stem}*.tmp-*"):
            if dead.fullmatch(path.name):
                path.unlink()


def seal(path: Path) -> None:
    """Make a finished file read-only and durable."""
    path.chmod(READ_ONLY)
    settle(path)


class State(NamedTuple):
    """Which file it is, how long, in bytes, and when its content was changed last, in nanoseconds since 1970."""

    number: int
    size: int
    changed: int


def state(path: Path) -> State:
    """Return what the file system says of a file; the same while it is renamed and sealed, as its content is."""
    found = path.stat()
    return State(found.st_ino, found.st_size, found.st_mtime_ns)


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def swap(new: Path, target: Path, *, old_id: str | None) -> None:
    """Put ``new`` in the place of ``target``, keeping the old file.

    Parameters
    ----------
    new
        A sealed file in the folder of ``target``.
    target
        May be missing.
    old_id
        What the old file calls itself; ``None``: it cannot be read, and goes by its SHA-256.
    """
    versions = target.parent / VERSIONS
    versions.mkdir(exist_ok=True)
    name = f"{target.stem}-{old_id or _fingerprint(target)}"
    set_aside(target, name)
    if target.exists():
        _keep(target, versions / f"{name}{target.suffix}")
    new.replace(target)
    # A program that was writing to the old file against our wish may have begun a log in between.
    set_aside(target, name)


def finish(target: Path, keep: int) -> None:
    """Make what stands outlast a loss of power, and of the earlier files leave ``keep`` in ``versions/``.

    A run that was killed before may have come no further than to put the file in its place.
    """
    settle(target.parent)
    versions = target.parent / VERSIONS
    if versions.is_dir():
        _prune(target, keep)
        settle(versions)


def set_aside(target: Path, name: str) -> None:
    """Move logs that a crashed program left beside ``target`` out of reach: they would be replayed on the new file.

    What they hold was never ours; it is kept as ``versions/NAME.stale-…``, under no name that SQLite would look for.
    """
    for suffix in SIDECARS:
        log = target.with_name(target.name + suffix)
        if not log.exists():
            continue
        if log.stat().st_size:
            log.replace(target.parent / VERSIONS / f"{name}.stale{suffix}.{_fingerprint(log)}")
        else:
            log.unlink()


def _keep(target: Path, version: Path) -> None:
    """Give the present file a second name, in one step; where the disk knows no second names, a copy."""
    if version.exists() and version.samefile(target):
        return
    draft = beside(version)
    try:
        os.link(target, draft)
    except OSError:
        shutil.copy2(target, draft)
        settle(draft)
    draft.replace(version)


def _prune(target: Path, keep: int) -> None:
    """Leave the newest ``keep`` earlier files, by the time at which they were built, and as many logs set aside."""
    for pattern in (f"{target.stem}-*{target.suffix}", f"{target.stem}-*.stale-*"):
        found = (target.parent / VERSIONS).glob(pattern)
        newest_first = sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
        for path in newest_first[keep:]:
            path.unlink()


def _fingerprint(path: Path) -> str:
    return digest(path)[:12] if path.exists() else "none"


def settle(path: Path) -> None:
    """Make what stands at a path, a file or a folder, outlast a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
