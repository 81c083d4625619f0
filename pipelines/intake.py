"""How does a file become entries of the ledger?

Its bytes are kept first (less the columns that may never be), then parsed, then appended: whatever goes wrong later,
what came is there.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from geo.errors import InputError, PolicyError
from pipelines.edge import read_bytes
from pipelines.jail import door
from pipelines.ledger import raw_state, store_raw
from pipelines.workspace import require_replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

    from geo.theatre import Source, Theatre
    from pipelines import sources
    from pipelines.ledger import Batch, Known, Preview
    from pipelines.workspace import Clock, Settings, Workspace

BY_EXTENSION: Final = {
    ".csv": "csv", ".geojson": "geojson", ".json": "geojson", ".kml": "kml", ".kmz": "kml", ".xlsx": "xlsx",
    ".gpkg": "gpkg",
}  # fmt: skip
COUNTS: Final = ("new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")
SHOWN: Final = 5
"""How many row numbers a reason is illustrated with."""


@dataclass(frozen=True, eq=False)
class Ingested:
    """What became of one file, kept under ``sha256``; ``head`` is that of the ledger's chain behind it.

    ``refused`` has the columns of ``geo.tables.QUARANTINE``, ``notes`` are sentences.
    """

    file_name: str
    source: str
    batch: Batch
    refused: pd.DataFrame
    versions: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: str
    head: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as one object for scripts; the counts add up to ``rows``."""
        return {
            "file": self.file_name,
            "source": self.source,
            "sha256": self.sha256,
            "batch_no": self.batch.batch_no,
            "repeated": self.batch.repeated,
            "rows": self.batch.rows,
            **{kind: getattr(self.batch, kind) for kind in COUNTS},
            "notes": list(self.notes),
            "head": self.head,
            "reasons": {code: count for code, count, _, _ in self.reasons()},
        }

    def reasons(self) -> Iterator[tuple[str, int, str, list[int]]]:
        """Yield for each reason its code, number of rows, first sentence, and the first row numbers."""
        for code, rows in self.refused.groupby("reason_code", sort=True):
            yield str(code), len(rows), str(rows["reason"].iloc[0]), rows["row_no"].head(SHOWN).tolist()


def ingest(workspace: Workspace, file: Path, *, source_id: str | None, known: Known, clock: Clock) -> Ingested:
    """Keep a file, read it as its source's, and append what it says.

    Parameters
    ----------
    workspace
        Where the theatre is watched.
    file
        The file, as it came.
    source_id
        Declared source that it comes from; ``None``: told by its name.
    known
        When its rows were known: ``recorded``, or in a replay workspace ``observed`` or ``reported``.
    clock
        Gives the present moment.

    Raises
    ------
    PolicyError
        If the source is not declared, or history is imported into a workspace that is no replay.
    InputError
        If the file cannot be read at all; its bytes are kept.
    """
    [bring] = in_turn(workspace, [file], source_id=source_id, known=known, clock=clock)
    return bring()


def in_turn(
    workspace: Workspace, files: Sequence[Path], *, source_id: str | None, known: Known, clock: Clock
) -> Iterator[Callable[[], Ingested]]:
    """Yield what ingests each file, to be called in this order: the next file is kept and read while one is appended.

    Parameters are those of ``ingest``, and so is what is raised, by each file when its turn comes.
    """
    begun: dict[Path, tuple[object, Future[_Read]]] = {}

    def bring(file: Path, following: Sequence[Path]) -> Ingested:
        versions = workspace.remember(clock)
        with workspace.ledger() as ledger:
            settings = workspace.settings(ledger)
            require_replay(known, replay=ledger.replay)
        by = settings.theatre_hash, settings.policy_hashes
        take = partial(_take, workspace, settings, source_id, _received(known, clock))
        rules, waiting = begun.pop(file, (None, None))
        read = take(file) if waiting is None or rules != by else waiting.result()
        begun.update((after, (by, beside.submit(take, after))) for after in following)
        done = enter(workspace, read.reading, read.source, file.name, read.sha256, known, clock)
        return replace(done, versions=versions)

    with ThreadPoolExecutor(1) as beside:
        for number, file in enumerate(files, 1):
            yield partial(bring, file, files[number : number + 1])


class _Read(NamedTuple):
    """What a source's reader made of a file; its bytes are kept."""

    source: Source
    sha256: str
    reading: sources.Reading


def _take(
    workspace: Workspace, settings: Settings, source_id: str | None, received_at: datetime | None, file: Path
) -> _Read:
    """Keep a file, and read it."""
    source = choose_source(settings.theatre, file, source_id)
    policy = settings.policies[-1].policy
    data = door.admit(read_bytes(file), source, settings.theatre, policy, file.name)
    sha256 = store_raw(workspace.raw, data)
    if raw_state(workspace.raw, sha256) == "erased":
        msg = f"{file.name}: these bytes ({sha256}) were erased on a person's order, and are not taken in again"
        raise InputError(code="erased", message=msg)
    kept = f"Nothing was ingested; the file is kept as raw/{sha256[:2]}/{sha256}."
    return _Read(source, sha256, read(data, source, settings, file.name, kept, received_at=received_at))


def enter(
    workspace: Workspace, reading: sources.Reading, source: Source, name: str, sha256: str, known: Known, clock: Clock
) -> Ingested:
    """Append what was read of a file whose bytes are kept, and return what became of it."""
    with workspace.ledger(write=True) as ledger:
        batch = ledger.append(reading, source=source, file_name=name, sha256=sha256, recorded_at=clock(), known=known)
    with workspace.ledger() as ledger:
        refused, senders, head = ledger.quarantine(), ledger.senders(sha256), ledger.head().hash
    refused = refused[refused["batch_no"] == batch.batch_no]
    notes = (*reading.notes, *_twice(senders, source))
    return Ingested(name, source.id, batch, refused, (), notes, sha256, head)


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What would become of a file that was read; ``edited`` are the kinds of settings that would be recorded first."""

    file_name: str
    source: str
    preview: Preview
    edited: tuple[str, ...]
    notes: tuple[str, ...]
    reading: sources.Reading

    def as_dict(self) -> dict[str, Any]:
        """Return it as one object for scripts; the counts are those of ``each`` row, and add up to ``rows``."""
        rows = self.preview.rows
        found = rows["becomes"].value_counts().to_dict()
        each = rows.astype("object").where(rows.notna(), None).to_dict("records")
        return {
            "file": self.file_name,
            "source": self.source,
            "repeated": self.preview.batch.repeated,
            "rows": len(rows),
            **{kind: int(found.get(kind, 0)) for kind in COUNTS},
            "notes": list(self.notes),
            "each": each,
        }


def foresee(workspace: Workspace, file: Path, *, source_id: str | None, known: Known, clock: Clock) -> Foreseen:
    """Return what ``ingest`` would do with a file, row by row; nothing is written.

    Parameters and errors are those of ``ingest``. Each file is judged by what the ledger holds now, and with the
    settings as their files stand.
    """
    data = read_bytes(file)
    with workspace.ledger() as ledger:
        require_replay(known, replay=ledger.replay)
        settings, edited = workspace.draft(ledger)
        source = choose_source(settings.theatre, file, source_id)
        data = door.admit(data, source, settings.theatre, settings.policies[-1].policy, file.name)
        reading = read(
            data, source, settings, file.name, "Nothing would be ingested.", received_at=_received(known, clock)
        )
        sha256 = None if edited else hashlib.sha256(data).hexdigest()
        found = ledger.preview(reading, source=source, sha256=sha256, recorded_at=clock(), known=known)
        return Foreseen(file.name, source.id, found, edited, reading.notes, reading)


def _received(known: Known, clock: Clock) -> datetime | None:
    return clock() if known == "recorded" else None


def _twice(senders: tuple[str, ...], source: Source) -> Iterator[str]:
    others = ", ".join(repr(name) for name in senders if name != source.id)
    if others:
        yield (
            f"the same bytes came from {others} too, so they may now count as said by two; if they were not, take the "
            "rows of the wrong source back: ingest rows of act 'retraction' with their source_ref from it"
        )


def choose_source(theatre: Theatre, file: Path, source_id: str | None) -> Source:
    """Return the declared source of a file: as told, else by its name, else by its extension."""
    declared = ", ".join(source.id for source in theatre.sources)
    if source_id is not None:
        chosen = theatre.source(source_id)
        if chosen is None:
            msg = f"source {source_id!r} is not declared in theatre.toml; declared are: {declared}"
            raise PolicyError(msg)
        return chosen
    guess = theatre.source(file.stem) or theatre.source(BY_EXTENSION.get(file.suffix.lower(), ""))
    if guess is None:
        msg = f"{file.name}: its name does not tell the source; say --source ID (declared are: {declared})"
        raise PolicyError(msg)
    return guess


def read(
    data: bytes, source: Source, settings: Settings, file_name: str, kept: str, *, received_at: datetime | None
) -> sources.Reading:
    """Return what a source's reader makes of bytes that came at a moment (``None``: history, known at its own).

    If they cannot be read at all, ``kept`` ends the sentence.
    """
    policy = settings.policies[-1].policy
    try:
        return door.read(data, source, settings.theatre, policy, file_name, received_at=received_at)
    except InputError as error:
        msg = f"{error} ({kept})"
        raise InputError(error.code, msg) from error
