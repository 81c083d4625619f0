"""What has been reported, and when did we know it?

The ledger is one file beside its lock file. It only grows: reports, revisions, conflicts, retractions, heartbeats,
documents and publications bear one sequence of ledger numbers, in the order in which they arrived.
"""

from __future__ import annotations

import weakref
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from pipelines.ledger import append, erasure, outline, recall
from pipelines.ledger.lock import WriterLock
from pipelines.ledger.preview import preview
from pipelines.ledger.raw import erase_raw
from pipelines.ledger.records import micros
from pipelines.ledger.release import append_release, quarantined
from pipelines.ledger.store import Store, copy, make, open_store
from pipelines.ledger.verify import erased, missing, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    import pandas as pd

    from geo.theatre import Source
    from pipelines.ledger.outline import Some
    from pipelines.ledger.preview import Preview
    from pipelines.ledger.records import Batch, Document, Head, Known, Reading
    from pipelines.ledger.release import Order, Quarantined

_PUBLICATION = "publication"
NOBODY: Final[Mapping[str, datetime]] = MappingProxyType({})


class Ledger:
    """The append-only record of one workspace; made by ``create`` or ``open``, closed by ``with`` or ``close``.

    Opened for reading it shows one state, that of the moment of opening, whatever others append meanwhile. Opened for
    writing it holds the lock until it is closed.

    Attributes
    ----------
    replay : bool
        Whether history may be imported with the knowledge time of its sources.
    """

    def __init__(self, store: Store, lock: WriterLock | None) -> None:
        self._store = store
        self._writable = lock is not None
        self.replay = append.is_replay(store)
        self._close = weakref.finalize(self, _close, store, lock)

    @classmethod
    def create(cls, path: Path | str, *, replay: bool, recorded_at: datetime) -> Self:
        """Make a ledger and open it for writing.

        Raises
        ------
        PolicyError
            If there is a file already.
        LedgerBusy
            If someone else is making it.
        """
        path = Path(path)
        lock = WriterLock(path, 0.0)
        try:
            make(path, replay=replay, created_at=micros(recorded_at))
            return cls(open_store(path, write=True), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path | str, *, write: bool = False, wait_s: float = 0.0) -> Self:
        """Open a ledger that exists.

        Parameters
        ----------
        path
            Its file.
        write
            Whether to append; readers need no lock and block nobody.
        wait_s
            How long to wait for another writer, seconds.

        Raises
        ------
        LedgerBusy
            If another writer holds the lock; the text names it.
        PolicyError
            If there is no ledger, or the file is something else or of another format.
        """
        path = Path(path)
        if not write:
            return cls(open_store(path, write=False), None)
        if not path.is_file():
            open_store(path, write=True)
        lock = WriterLock(path, wait_s)
        try:
            return cls(open_store(path, write=True), lock)
        except BaseException:
            lock.release()
            raise

    @staticmethod
    def copy(path: Path | str, to: Path | str) -> None:
        """Copy a ledger as it stands at one moment, while others may write to it; ``to`` must not exist."""
        copy(Path(path), Path(to))

    def __enter__(self) -> Self:
        """Return the ledger itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give back file and lock; doing it again does nothing."""
        self._close()

    def append(
        self,
        reading: Reading,
        *,
        source: Source,
        file_name: str,
        sha256: str,
        recorded_at: datetime,
        known: Known = "recorded",
    ) -> Batch:
        """Append what a reader made of one file, whole or not at all; durable when this returns.

        Parameters
        ----------
        reading
            ``intake`` with the columns of ``geo.reports.INTAKE`` and ``refused`` with ``row_no``, ``raw``,
            ``reason_code``, ``reason``; together every record of the file.
        source
            Where it comes from; ``authoritative`` decides between revision and conflict.
        file_name, sha256
            Name and SHA-256 of the file. The same bytes from the same source add nothing (``Batch.repeated``), unless
            the theatre or policy changed since: then every row is judged again, by its content.
        recorded_at
            Now, aware. A clock that stepped back is held at the last batch's time.
        known
            When its rows were known: as ``recorded``, or in a replay ledger when ``observed`` (its end) or
            ``reported``; the other where that is missing, and ``recorded`` where both are.

        Raises
        ------
        PolicyError
            If ``known`` is not ``recorded`` and this is no replay ledger.
        """
        self._need_write()
        return append.append_reading(
            self._store,
            reading,
            source=source,
            file_name=file_name,
            sha256=sha256,
            recorded_at=recorded_at,
            known=known,
        )

    def preview(
        self,
        reading: Reading,
        *,
        source: Source,
        sha256: str | None,
        recorded_at: datetime,
        known: Known = "recorded",
        capped: bool = True,
    ) -> Preview:
        """Return what ``append`` would make of a file, row by row and why; nothing is written.

        ``sha256`` ``None``: it is judged even if the same bytes came before. ``capped``: the source's cap holds.

        Raises
        ------
        PolicyError
            If ``known`` is not ``recorded`` and this is no replay ledger.
        """
        return preview(
            self._store, reading, source=source, sha256=sha256, recorded_at=recorded_at, known=known, capped=capped
        )

    def quarantined(self, quarantine_no: int) -> Quarantined:
        """Return one quarantined row whole.

        Raises
        ------
        PolicyError
            If there is none of that number.
        """
        return quarantined(self._store, quarantine_no)

    def stated_since(self, source: str, batch_no: int) -> frozenset[str]:
        """Return the ids of its own under which a source said something after a batch."""
        return recall.stated_since(self._store, source, batch_no)

    def release(
        self,
        order: Order,
        reading: Reading,
        *,
        source: Source,
        file_name: str,
        sha256: str,
        recorded_at: datetime,
        known: Known = "recorded",
    ) -> Batch:
        """Append a person's order to release quarantined rows, with what they say now: both or neither.

        Parameters are those of ``append``; ``reading`` holds the rows as mended, or as they are, and is judged even if
        the same bytes came before.

        Raises
        ------
        PolicyError
            If a row was released before.
        InputError
            If the only row is refused again; nothing is recorded then.
        """
        self._need_write()
        batch = {"file_name": file_name, "sha256": sha256}
        return append_release(
            self._store, order, reading, source=source, batch=batch, recorded_at=recorded_at, known=known
        )

    def erase(self, raw_dir: Path | str, sha256: str, *, who: str, why: str, recorded_at: datetime) -> int:
        """Record a person's order to erase a raw file, and carry it out; return the order's ledger number.

        The bytes and the text of the file's quarantined rows are gone, a tombstone and all hashes stay. Giving an order
        again completes what was interrupted, and adds nothing.
        """
        self._need_write()
        order = erasure.orders(self._store).get(sha256)
        number: int = (
            append.append_document(self._store, erasure.KIND, erasure.body(sha256, who, why), recorded_at)
            if order is None
            else order["ledger_no"]
        )
        erasure.forget(self._store, sha256)
        erase_raw(Path(raw_dir), sha256)
        return number

    def put_document(self, kind: str, body: bytes, recorded_at: datetime) -> int | None:
        """Append a version of a document and return its ledger number; ``None`` if it equals the newest of its kind."""
        self._need_write()
        if kind == _PUBLICATION:
            msg = "a publication is put by put_publication"
            raise ValueError(msg)
        if recall.newest(self._store, kind) == body:
            return None
        return append.append_document(self._store, kind, body, recorded_at)

    def put_documents(self, kind: str, bodies: Iterable[bytes], recorded_at: datetime) -> list[int]:
        """Append documents that may equal earlier ones, all or none, and return their ledger numbers."""
        self._need_write()
        return append.append_documents(self._store, kind, bodies, recorded_at)

    def documents(self, kind: str) -> list[Document]:
        """Return every version of a kind of document, oldest first."""
        return recall.documents(self._store, kind)

    def put_publication(self, body: bytes, recorded_at: datetime) -> int:
        """Append what was published and return its ledger number."""
        self._need_write()
        return append.append_document(self._store, _PUBLICATION, body, recorded_at)

    def publications(
        self, *, without: str | None = None, ledger_no: int | None = None, having: str | None = None
    ) -> list[Document]:
        """Return every publication, oldest first, or that of one number, or those ``having`` something at a JSON path.

        They come ``without`` one of their members.
        """
        return recall.documents(self._store, _PUBLICATION, without=without, ledger_no=ledger_no, having=having)

    def last_publications(self, *, without: str | None = None) -> Iterator[Document]:
        """Yield every publication, newest first; JSON ``without`` one of its members."""
        return recall.newest_first(self._store, _PUBLICATION, without=without)

    def reports(
        self,
        known_at: datetime | None = None,
        *,
        up_to_no: int | None = None,
        suspended: Mapping[str, datetime] = NOBODY,
        only: Some | None = None,
    ) -> pd.DataFrame:
        """Return what stands: of each item the newest revision known, unless it was taken back.

        Columns and types are those of ``geo.reports.STORED``, rows are in order of ``ledger_no``, coordinates WGS 84.
        Nothing that becomes known after ``known_at`` changes the answer, and with ``up_to_no`` nothing that bears a
        higher ledger number. What a ``suspended`` source said, from that moment of knowledge on (aware UTC), of items
        of which it had spoken before changes nothing. ``only`` names the entries to look at: all of an item, or none.
        """
        return self.states([recall.Asked(known_at, up_to_no, suspended)], only)[0]

    def states(self, asked: Sequence[recall.Asked], only: Some | None = None) -> list[pd.DataFrame]:
        """Return ``reports`` of several states of knowledge; what they share is read once, and may be one frame."""
        return recall.states(self._store, asked, only)

    def outline(self, after: int = 0) -> pd.DataFrame:
        """Return which item each entry after a ledger number is about, and when that was: see ``ledger.outline``."""
        return outline.read(self._store, after)

    def history(self, suspended: Mapping[str, datetime] = NOBODY) -> pd.DataFrame:
        """Return all that ever stood: the rows of ``reports`` at every moment of knowledge, each once.

        Columns are those of ``geo.reports.STORED`` with ``since`` and ``until``, µs since 1970: ``reports(T)``, asked
        with the same ``suspended``, gives a row exactly for ``since <= T < until``.
        """
        return recall.history(self._store, suspended)

    def withdrawn(self, known_at: datetime | None = None) -> dict[str, pd.Timestamp]:
        """Return when each report was taken back last, by its id, whether or not it was stated again."""
        return recall.withdrawn(self._store, known_at)

    def coverage(
        self, known_at: datetime | None = None, *, up_to_no: int | None = None, only: Some | None = None
    ) -> pd.DataFrame:
        """Return when and where could be seen and could not, by ``geo.reports.COVERAGE``; all are among ``only``."""
        return recall.coverage(self._store, known_at, up_to_no, only)

    def quarantine(self, known_at: datetime | None = None) -> pd.DataFrame:
        """Return the refused rows: columns of ``geo.tables.QUARANTINE``, in order of arrival."""
        return recall.quarantine(self._store, known_at)

    def counts(self, known_at: datetime | None = None) -> dict[str, int]:
        """Return what became of all rows of all files: ``rows``, and the counts of ``Batch`` that add up to it."""
        return recall.counts(self._store, known_at)

    def senders(self, sha256: str) -> tuple[str, ...]:
        """Return the sources from which a file with these bytes came, in order of arrival."""
        return recall.senders(self._store, sha256)

    def head(self, known_at: datetime | None = None) -> Head:
        """Return how far the ledger goes. In a replay ledger a batch is known from its first known row on."""
        return recall.head(self._store, known_at)

    def item(self, ledger_no: int) -> dict[str, Any] | None:
        """Return what the entry with that number was, or ``None``.

        Always ``ledger_no``, ``kind``, ``batch_no`` and ``recorded_at``; for a document its ``sha256``, else
        ``source``, ``source_ref``, ``first_no``, ``stands_no``, ``revision``, ``known_at``, and ``report_id`` where it
        speaks of a report.
        """
        return recall.item(self._store, ledger_no)

    def career(
        self,
        first_no: int,
        known_at: datetime | None = None,
        *,
        up_to_no: int | None = None,
        suspended: Mapping[str, datetime] = NOBODY,
    ) -> list[dict[str, Any]]:
        """Return how the report R-``first_no`` came to be what it is: entries in order of arrival.

        Its own, what took it back, and what was said of the same item in contradiction.
        Each has ``ledger_no``, ``kind``, ``revision``, ``file_name``, ``row_no``, ``recorded_at``, ``known_at``, and
        ``released``: by which order (its number), of which rows, ``who`` and ``why``; ``None`` where none was needed.
        ``heeded`` is false of what a ``suspended`` source said too late, as in ``reports``.
        """
        return recall.career(self._store, first_no, known_at, up_to_no, suspended)

    def verify(self, raw_dir: Path | str) -> list[str]:
        """Read and compute everything anew and return what is wrong, a sentence each; empty when all is whole."""
        return verify(self._store, Path(raw_dir))

    def missing(self, heads: Sequence[str]) -> list[str]:
        """Return which heads, of either chain, never stood in this ledger, a sentence each."""
        return missing(self._store, heads)

    def erased(self, raw_dir: Path | str) -> list[str]:
        """Return which raw files were erased on a person's order, a sentence each; ``verify`` accepts them."""
        return erased(self._store, Path(raw_dir))

    def _need_write(self) -> None:
        if not self._writable:
            msg = "this ledger was opened for reading; open it with write=True"
            raise RuntimeError(msg)


def _close(store: Store, lock: WriterLock | None) -> None:
    try:
        store.close()
    finally:
        if lock is not None:
            lock.release()
