"""How are the files beside the GeoPackage put there?

Each is replaced by one rename, and only where it would change. They are no one atom with the GeoPackage: each names
the run that it belongs to, and what opens the others comes last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.layers import swap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def clear(folder: Path, names: Iterable[str]) -> None:
    """Remove files of an earlier run that the present one does not make, and what killed runs left in folders."""
    gone = [folder / name for name in names]
    gone += [left for nested in folder.glob("*/") if not nested.is_symlink() for left in nested.glob(".*.tmp-*.xml")]
    for path in gone:
        path.unlink(missing_ok=True)


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make these files stand in ``folder``, by name, in this order, read-only and durable."""
    for name, data in files.items():
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        swap.sweep(target)
        if target.is_file() and target.read_bytes() == data:
            continue
        new = swap.beside(target)
        try:
            with new.open("wb") as file:
                file.write(data)
            swap.seal(new)
            new.replace(target)
            swap.settle(target.parent)
        finally:
            new.unlink(missing_ok=True)
