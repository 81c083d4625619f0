"""What does the head of the ledger vouch for?

The body of a batch is the SHA-256 of its header and of every row that it wrote, in canonical bytes. Two chains run
over the bodies: ``hash`` over all batches, ``inputs_hash`` over all but publications. Whoever has kept a head can tell
whether anything before it was changed, left out or put in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pipelines.ledger import schema
from pipelines.ledger.canonical import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MARK: Final = b"ceasewatch ledger 1\0"
ROW_TABLES: Final = ("entry", "quarantine", "document")


@dataclass(frozen=True)
class Link:
    """Where the two chains stand after a batch (64 hex digits each)."""

    hash: str
    inputs_hash: str

    def then(self, body: bytes, kind: str) -> Link:
        """Return where they stand after the next batch, of that body and kind."""
        return Link(
            _chained(self.hash, body), self.inputs_hash if kind == "publication" else _chained(self.inputs_hash, body)
        )


def _chained(previous: str, body: bytes) -> str:
    return hashlib.sha256(bytes.fromhex(previous) + body).hexdigest()


def genesis(*, replay: bool, created_at: int) -> Link:
    """Return where both chains start: what the ledger itself is."""
    start = hashlib.sha256(_MARK + f"{int(replay)} {created_at}".encode()).hexdigest()
    return Link(start, start)


def body(header: Mapping[str, Any], rows: Iterable[tuple[str, Iterable[pa.Table]]]) -> bytes:
    """Return the SHA-256 of a batch.

    Parameters
    ----------
    header
        The columns of ``batch``; those that hold the chain itself are left out.
    rows
        For each table of ``ROW_TABLES``, in that order, the rows of the batch in their order, in pieces of which all
        but the last have a multiple of 65,536 rows.
    """
    digest = hashlib.sha256(_MARK)
    names = schema.hashed("batch")
    _feed(digest, "batch", [pa.table({name: [header[name]] for name in names}, _part("batch", names))])
    for table, pieces in rows:
        _feed(digest, table, pieces)
    return digest.digest()


def _part(table: str, names: list[str]) -> pa.Schema:
    return pa.schema([schema.arrow(table).field(name) for name in names])


def _feed(digest: hashlib._Hash, table: str, pieces: Iterable[pa.Table]) -> None:
    digest.update(table.encode() + b"\0")
    for piece in pieces:
        for part in encode(piece.select(schema.hashed(table))):
            digest.update(part)
