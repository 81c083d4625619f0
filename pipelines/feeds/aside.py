"""How is a file moved aside, with the reason beside it?

Whatever lies there already is somebody's evidence too: neither a file nor a reason takes the place of another.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REASON: Final = ".reason.txt"
_LONGEST: Final = 255  # bytes of a name, on every usual file system


def move_aside(file: Path, folder: Path, reason: str) -> Path:
    """Move a file into a folder, which is made where missing, and return where it is.

    Raises
    ------
    OSError
        If it cannot be moved; it is then where it was, and nothing beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places = ((folder / name, folder / (name + REASON)) for name in _names(file))
    target, note = next(pair for pair in places if not any(map(os.path.lexists, pair)))
    with note.open("x", encoding="utf-8", errors="backslashreplace") as opened:
        opened.write(reason + "\n")
    try:
        file.rename(target)
    except OSError:
        note.unlink()
        raise
    return target


def _names(file: Path) -> Iterator[str]:
    yield _cut("", file)
    yield from (_cut(f"{number}-", file) for number in itertools.count(2))


def _cut(prefix: str, file: Path) -> str:
    """Return a file's name behind a prefix, so short that the reason's name is one too; its ending is kept."""
    room = _LONGEST - len((prefix + REASON).encode())
    ending = file.suffix if len(file.suffix.encode()) < room else ""
    stem = file.name.removesuffix(ending).encode()[: room - len(ending.encode())]
    return prefix + stem.decode(errors="ignore") + ending
