"""Where are the bytes that a source sent, exactly as they came?

In ``raw_dir/ab/<sha256>``, written before anything is parsed. They stand outside the hash chain, so that a person can
order them erased: ``<sha256>.erased`` is then left in their place.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.ledger.store import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ERASED = ".erased"
_DRAFT = ".draft.tmp"


def store_raw(raw_dir: Path, data: bytes) -> str:
    """Keep bytes by their SHA-256; when this returns they survive a loss of power.

    Doing it again changes nothing. Bytes that were erased on a person's order are not brought back.

    Parameters
    ----------
    raw_dir
        Folder of the raw files; made where missing.
    data
        The bytes.

    Returns
    -------
    str
        Their SHA-256, 64 hex digits.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    target = raw_path(raw_dir, sha256)
    if state(raw_dir, sha256) in {"whole", "erased"}:
        return sha256
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target, data)
    for folder in (target.parent, raw_dir, raw_dir.parent):
        sync_folder(folder)
    return sha256


def raw_path(raw_dir: Path, sha256: str) -> Path:
    """Return where the bytes with that SHA-256 are kept."""
    return raw_dir / sha256[:2] / sha256


def state(raw_dir: Path, sha256: str) -> str:
    """Return ``whole``, ``erased``, ``missing`` or ``damaged`` (not the bytes that came)."""
    path = raw_path(raw_dir, sha256)
    if path.with_name(path.name + _ERASED).exists():
        return "erased"
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return "whole" if hashlib.file_digest(file, "sha256").hexdigest() == sha256 else "damaged"


def erase_raw(raw_dir: Path, sha256: str) -> None:
    """Erase bytes and leave a tombstone, which is there before they are gone; doing it again changes nothing."""
    path = raw_path(raw_dir, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path.with_name(path.name + _ERASED), b"")
    sync_folder(path.parent)
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def _write(target: Path, data: bytes) -> None:
    """Put bytes in their place at once; what a kill left of others, which nobody could erase any more, is cleared."""
    raw_dir = target.parent.parent
    draft = raw_dir / _DRAFT
    with _alone(raw_dir):
        try:
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def _alone(raw_dir: Path) -> Iterator[None]:
    """Hold the only right to write here; it ends with the process."""
    folder = os.open(raw_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
