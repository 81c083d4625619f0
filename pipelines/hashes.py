"""What is the SHA-256 of a published file, without reading all of it again?

Reading a file of a gigabyte takes longer than finding in it what is asked for. So a run writes down of what it
published what the file system says: which file it is, how long, and when its content and it itself were changed last.
While all that stays, so do its bytes. The file may be deleted at any time: what it spoke of is then read.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from pipelines.layers import beside, swap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipelines.layers.swap import State
    from pipelines.workspace import Workspace

FOLDER: Final = "settled"
FILE: Final = "hashes.json"


def remember(workspace: Workspace, found: Mapping[Path, tuple[str, State]]) -> None:
    """Write down the SHA-256 of files of a workspace, where they are still what they were as it was computed.

    ``found`` gives it with the state that they were in before. A disk that is full costs later commands their time.
    """
    folder = workspace.path / FOLDER
    same = {path: sha256 for path, (sha256, state) in found.items() if swap.state(path) == state}
    marks = {_name(workspace, path): [sha256, *_mark(path)] for path, sha256 in same.items()}
    try:
        folder.mkdir(exist_ok=True)
        beside.put(folder, {FILE: json.dumps({**_remembered(workspace), **marks}, sort_keys=True).encode()})
    except OSError:
        return


def computed(workspace: Workspace, paths: Iterable[Path]) -> dict[Path, str]:
    """Return the SHA-256 of files of a workspace, hex; those that are not there are left out."""
    known, there = _remembered(workspace), [path for path in paths if path.is_file()]
    with ThreadPoolExecutor() as beside_another:
        return dict(zip(there, beside_another.map(lambda path: _sha256(workspace, known, path), there), strict=True))


def untouched(workspace: Workspace, path: Path) -> tuple[str, State] | None:
    """Return SHA-256 and state of a file that is remembered, if nobody has changed it since; else ``None``."""
    if path.is_file() and path.is_relative_to(workspace.path):
        match _remembered(workspace).get(_name(workspace, path)):
            case [str(sha256), *mark] if mark == _mark(path):
                return sha256, swap.state(path)
    return None


def _sha256(workspace: Workspace, known: Mapping[str, Any], path: Path) -> str:
    match known.get(_name(workspace, path)):
        case [str(sha256), *mark] if mark == _mark(path):
            return sha256
    return swap.digest(path)


def _remembered(workspace: Workspace) -> dict[str, Any]:
    try:
        found = json.loads((workspace.path / FOLDER / FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _name(workspace: Workspace, path: Path) -> str:
    return path.relative_to(workspace.path).as_posix()


def _mark(path: Path) -> list[int]:
    """Return what no program can leave as it was that changes a file: also when the file itself was changed last."""
    return [*swap.state(path), path.stat().st_ctime_ns]
