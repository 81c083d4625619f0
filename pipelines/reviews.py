"""How do the decisions of people become entries of the ledger?

From a file that someone names, whose bytes are kept first, and from ``reviews.gpkg`` in the workspace and beside each
of its maps, which are read before every run and never written to. What came before adds nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from geo.errors import PolicyError
from pipelines import commands
from pipelines.edge import read_bytes
from pipelines.layers import swap
from pipelines.ledger import raw_state, store_raw
from pipelines.workspace import WAIT_S, require_replay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.ledger import Ledger
    from pipelines.workspace import Clock, Workspace

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Brought:
    """What became of a file of commands: the ledger number of each row, and how many of them were new."""

    file: str
    numbers: tuple[int, ...]
    new: int


def bring(workspace: Workspace, file: Path, *, decided: bool, clock: Clock) -> Brought:
    """Keep a file of commands (CSV) and append those that are new.

    Parameters
    ----------
    workspace
        Where the theatre is watched.
    file
        The file, as it came.
    decided
        Whether, in a replay workspace, each command was known from the time of its decision on.
    clock
        Gives the present moment.

    Raises
    ------
    PolicyError
        If the file cannot be read, or history is imported into a workspace that is no replay.
    """
    with workspace.ledger() as ledger:
        require_replay("decided" if decided else "recorded", replay=ledger.replay)
    data = read_bytes(file)
    found = commands.read_csv(data, file.name, store_raw(workspace.raw, data))
    if decided:
        found = [entry.as_decided() for entry in found]
    return _append(workspace, file.name, found, clock)


def offer(workspace: Workspace, region: str | None) -> None:
    """Let a file for commands lie beside the map of a scope; one that lies there is people's, and left alone."""
    file = workspace.target(region).with_name(commands.FILE)
    left = file.parent.glob(f".{file.stem}.tmp-*")  # by killed runs
    if file.exists() and not any(left):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with swap.locked(file.parent, WAIT_S):
        swap.sweep(file)
        if not file.exists():
            commands.create(file)


def heed(workspace: Workspace, clock: Clock) -> Brought | None:
    """Append what is new in the workspace's own files for commands; ``None`` where none can be read.

    A file that cannot be read does not stop the watch: a warning says so, and what it had said before stands.
    """
    said = [found for file in workspace.desks() if (found := _said(file)) is not None]
    if not said:
        return None
    found = [entry for entries in said for entry in entries]
    with workspace.ledger() as ledger:
        before = {entry.content for _, entry in commands.entries(ledger)}
    if all(entry.content in before for entry in found):
        return Brought(commands.FILE, (), 0)  # no writer is kept waiting
    return _append(workspace, commands.FILE, found, clock)


def _said(file: Path) -> list[commands.Entry] | None:
    try:
        return commands.read_geopackage(file)
    except PolicyError as error:
        _log.warning("%s. What it said before stands.", error)
        return None


def _append(workspace: Workspace, name: str, found: list[commands.Entry], clock: Clock) -> Brought:
    with workspace.ledger(write=True) as ledger:
        placed = commands.append(ledger, found, clock())
    return Brought(name, tuple(number for number, _ in placed), sum(not before for _, before in placed))


def problems(workspace: Workspace, ledger: Ledger) -> Iterator[str]:
    """Yield what is wrong with the raw files of commands, a sentence each."""
    for raw, file in _raws(ledger).items():
        state = raw_state(workspace.raw, raw)
        if state in {"missing", "damaged"}:
            yield f"commands of {file}: its raw file {raw} is {state}"


def erased(workspace: Workspace, ledger: Ledger) -> Iterator[str]:
    """Yield which raw files of commands were erased on a person's order, a sentence each."""
    for raw, file in _raws(ledger).items():
        if raw_state(workspace.raw, raw) == "erased":
            yield f"raw file {raw} ({file}, commands) was erased on order"


def _raws(ledger: Ledger) -> dict[str, str]:
    return {entry.raw: entry.file for _, entry in commands.entries(ledger) if entry.raw is not None}
