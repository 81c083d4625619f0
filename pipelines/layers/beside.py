"""How are the files beside the GeoPackage put there?

Each is replaced by one rename, and only where it would change. They are no one atom with the GeoPackage: each names
the run that it belongs to, and what opens the others comes last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.threads import mapped
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
    """Make these files stand in ``folder``, by name, read-only and durable; each takes its place in this order.

    All are written before the first takes its place, and a folder is made durable once: a run may send a thousand
    messages.
    """
    targets = {folder / name: data for name, data in files.items()}
    for target in targets:
        if target.parent == folder:  # others are cleared together
            swap.sweep(target)
    for place in dict.fromkeys(target.parent for target in targets):
        place.mkdir(exist_ok=True)
    drafts = {target: swap.beside(target) for target, data in targets.items() if not _holds(target, data)}
    try:
        mapped(lambda target: _write(drafts[target], targets[target]), drafts)  # a disk makes several durable at once
        for target, new in drafts.items():
            new.replace(target)
        for place in dict.fromkeys(target.parent for target in drafts):
            swap.settle(place)
    except BaseException:
        for new in drafts.values():
            new.unlink(missing_ok=True)
        raise


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    swap.seal(path)
