"""Which items does a new edition of a data set no longer hold?

Where a person says that a file is the whole of what its source stands by, what the source had stated before and the
file lacks is taken back, by a table of retractions that is kept, read and entered like any other file. While a row of
the file waits in quarantine nobody knows of which item it speaks, and nothing is taken back; nor is it by a file that
names none.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

from geo.theatre import Dialect
from pipelines import intake
from pipelines.ledger import raw_path, store_raw
from pipelines.mending import PLAIN
from pipelines.sources.door import END

if TYPE_CHECKING:
    from pathlib import Path

    from geo.theatre import Source
    from pipelines.intake import Foreseen, Ingested
    from pipelines.ledger import Ledger
    from pipelines.sources import Reading
    from pipelines.workspace import Clock, Settings, Workspace

_HEADER: Final = ("source_ref", "act", "observed_from", "lon", "lat", "text")
_KEPT: Final = "Nothing was taken back."
_WAITS: Final = (
    "rows of it wait in quarantine, so that nobody can say what it lacks: nothing is taken back; mend the file, and "
    "ingest it again"
)
_EMPTY: Final = "it names no report by an id, and is no edition of anything: nothing is taken back"


def bring(workspace: Workspace, file: Path, *, source_id: str | None, clock: Clock) -> tuple[Ingested, ...]:
    """Take in a file as all of its source's data set, then take back what it lacks: two batches, or one.

    Parameters and errors are those of ``intake.ingest``. Killed between the two, the same command does what is left.
    """
    done = intake.ingest(workspace, file, source_id=source_id, known="recorded", clock=clock)
    with workspace.ledger() as ledger:
        settings = workspace.settings(ledger)
        source = intake.choose_source(settings.theatre, file, done.source)
        data = raw_path(workspace.raw, done.sha256).read_bytes()
        reading = intake.read(data, source, settings, file.name, _KEPT, received_at=clock())
        note = _WAITS if len(done.refused) or len(reading.refused) else None if _named(reading) else _EMPTY
        gone = () if note else lacking(ledger, source, reading)
    if note:
        return (replace(done, notes=(*done.notes, note)),)
    if not gone:
        return (done,)
    why = f"not in {file.name} (SHA-256 {done.sha256})"
    name, table, taken = _absent(gone, file, why, source, settings, clock)
    return done, intake.enter(workspace, taken, source, name, store_raw(workspace.raw, table), "recorded", clock)


def foresee(workspace: Workspace, file: Path, *, source_id: str | None, clock: Clock) -> tuple[Foreseen, ...]:
    """Return what ``bring`` would do: what would become of the file, then of what it lacks; nothing is written."""
    found = intake.foresee(workspace, file, source_id=source_id, known="recorded", clock=clock)
    waits = (found.preview.rows["becomes"] == "quarantined").any()
    with workspace.ledger() as ledger:
        settings, _ = workspace.draft(ledger)
        source = intake.choose_source(settings.theatre, file, found.source)
        note = _WAITS if waits else None if _named(found.reading) else _EMPTY
        taken_back = _named(found.reading, "retraction")
        gone = () if note else tuple(ref for ref in lacking(ledger, source, found.reading) if ref not in taken_back)
        if note:
            return (replace(found, notes=(*found.notes, note)),)
        if not gone:
            return (found,)
        name, _, taken = _absent(gone, file, f"not in {file.name}", source, settings, clock)
        told = ledger.preview(taken, source=source, sha256=None, recorded_at=clock(), known="recorded")
    return found, replace(found, file_name=name, preview=told, edited=(), notes=taken.notes, reading=taken)


def lacking(ledger: Ledger, source: Source, reading: Reading) -> tuple[str, ...]:
    """Return the ids under which a source has something standing, and which a reading of a file of it does not hold."""
    stands = ledger.reports()
    mine = stands.loc[stands["source"] == source.id, "source_ref"].dropna()
    return tuple(sorted(set(mine) - _named(reading)))


def _named(reading: Reading, kind: str = "report") -> set[str]:
    """Return the ids of a file's reports, or of another kind of its rows, as the ledger keeps them."""
    stated = reading.intake.loc[reading.intake["kind"] == kind, "source_ref"].dropna()
    return {normalize("NFC", ref) for ref in stated}


def _absent(
    refs: tuple[str, ...], file: Path, why: str, source: Source, settings: Settings, clock: Clock
) -> tuple[str, bytes, Reading]:
    """Return the table that takes items back: its name, its bytes and how it reads."""
    name, table = f"{file.name}, what it lacks", _retractions(refs, why)
    plain = replace(source, format=PLAIN, dialect=Dialect())
    return name, table, intake.read(table, plain, settings, name, _KEPT, received_at=clock())


def _retractions(refs: tuple[str, ...], why: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=END)
    writer.writerow(_HEADER)
    writer.writerows([ref, "retraction", "", "", "", why] for ref in refs)
    return out.getvalue().encode()
