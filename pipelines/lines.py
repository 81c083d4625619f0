"""How does the line of a day become an entry of the ledger, and which line is used if it cannot?

Its bytes are kept first. Whatever the file holds becomes one entry: the line, or the reason why there is none, so that
the last good line goes on being used and everybody can see why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import shapely
from shapely import MultiLineString

from geo.errors import InputError, PolicyError
from geo.lines import CurrentLine, newest, survey
from pipelines.edge import read_bytes
from pipelines.jail import door
from pipelines.jail.limits import MACHINE
from pipelines.ledger import raw_state, store_raw
from pipelines.linework import reading
from pipelines.linework.drawn import judge
from pipelines.linework.entry import KIND, LineEntry, entry_of
from pipelines.workspace import require_replay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from geo.theatre import Theatre
    from pipelines.ledger import Ledger
    from pipelines.workspace import Clock, Workspace

LONGEST: Final = 80
"""How many characters the name of a line's source may have."""


@dataclass(frozen=True, eq=False)
class Brought:
    """What became of the file of a day.

    ``used`` is the line that holds at its date now: itself, a correction of it, or the last good one; ``None``: only
    the baseline is known. ``repeated``: the same had come before, and nothing was added.
    """

    entry: LineEntry
    repeated: bool
    used: CurrentLine | None
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as one object for scripts."""
        line = self.entry.line
        return {
            "file": self.entry.file,
            "source": line.source,
            "valid_from": line.valid_from.isoformat(),
            "usable": line.unusable is None,
            "reason": line.unusable,
            "repeated": self.repeated,
            "parts": len(shapely.get_parts(line.geometry)),
            "vertices": len(shapely.get_coordinates(line.geometry)),
            "used": None if self.used is None else self.used.name,
            "notes": list(self.notes),
        }


def bring(
    workspace: Workspace,
    file: Path,
    *,
    valid_from: datetime | None,
    source: str,
    observed: bool,
    clock: Clock,
) -> Brought:
    """Keep the file of a day and append the line that it draws.

    Parameters
    ----------
    workspace
        Where the theatre is watched.
    file
        The file, as it came.
    valid_from
        From when the line ran like that, aware UTC; ``None``: the day that the file's name tells.
    source
        Who drew it.
    observed
        Whether, in a replay workspace, it was known from its own date on.
    clock
        Gives the present moment.

    Raises
    ------
    PolicyError
        If the format or date cannot be told, the date is still to come, or history is imported into a workspace that
        is no replay. Nothing is recorded then.
    InputError
        If the file is too large, or the machine was too busy to read it. Nothing is recorded then either.
    """
    reading.require_format(file)
    source = _source(source)
    start = valid_from or reading.day_of(file.name)
    workspace.remember(clock)
    with workspace.ledger() as ledger:
        theatre = workspace.settings(ledger).theatre
        require_replay("observed" if observed else "recorded", replay=ledger.replay)
    if start > clock():
        msg = f"{file.name}: its date {start:%Y-%m-%dT%H:%MZ} is still to come; correct --date, or the file's name"
        raise PolicyError(msg)
    data = read_bytes(file)
    entry = _entry(data, file, start, source, store_raw(workspace.raw, data), theatre)
    entry = LineEntry(entry.line, entry.file, entry.raw, start if observed else None, entry.notes)
    with workspace.ledger(write=True) as ledger:
        repeated = _repeats(entry, ledger)
        if not repeated:
            ledger.put_document(KIND, entry.body(), clock())
        theatre = workspace.settings(ledger).theatre
    return Brought(entry, repeated, newest(theatre.lines, start), (*entry.notes, *_doubts(entry, theatre)))


def problems(workspace: Workspace, ledger: Ledger) -> Iterator[str]:
    """Yield what is wrong with the raw files of the lines, a sentence each."""
    for number, entry in _entries(ledger):
        state = raw_state(workspace.raw, entry.raw)
        if state in {"missing", "damaged"}:
            yield f"line {number}: its raw file {entry.raw} ({entry.file}) is {state}"


def erased(workspace: Workspace, ledger: Ledger) -> Iterator[str]:
    """Yield which raw files of lines were erased on a person's order, a sentence each."""
    for number, entry in _entries(ledger):
        if raw_state(workspace.raw, entry.raw) == "erased":
            yield f"raw file {entry.raw} ({entry.file}, line {number}) was erased on order"


def _entries(ledger: Ledger) -> list[tuple[int, LineEntry]]:
    return [(document.ledger_no, entry_of(document.body)) for document in ledger.documents(KIND)]


def _entry(data: bytes, file: Path, start: datetime, source: str, sha256: str, theatre: Theatre) -> LineEntry:
    west, south, east, north = theatre.baselines[0].segments.total_bounds.tolist()
    try:
        drawn = judge(door.positions(data, file.name), (west, south, east, north))
    except InputError as error:
        if error.code in MACHINE:
            raise
        line = CurrentLine(start, source, MultiLineString(), str(error).rstrip("."))
        return LineEntry(line, file.name, sha256, None)
    return LineEntry(CurrentLine(start, source, drawn.geometry), file.name, sha256, None, drawn.notes)


def _repeats(entry: LineEntry, ledger: Ledger) -> bool:
    """Tell whether the newest entry of the same day and source says the same: an older one may have been corrected."""
    same = [
        earlier
        for _, earlier in _entries(ledger)
        if (earlier.line.valid_from, earlier.line.source) == (entry.line.valid_from, entry.line.source)
    ]
    return bool(same) and entry.repeats(same[-1])


def _doubts(entry: LineEntry, theatre: Theatre) -> Iterator[str]:
    if entry.line.unusable is None and (doubt := survey(entry.line, theatre.baselines[0]).doubt):
        yield doubt


def _source(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST or not name.isprintable():
        msg = f"--source must name who drew the line, in 1 to {LONGEST} printable characters"
        raise PolicyError(msg)
    return name
