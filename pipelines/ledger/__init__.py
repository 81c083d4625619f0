"""What has been reported, and when did we know it?

One SQLite file, append-only, hash-chained (DESIGN section 7). Reading order is import order::

    schema → records → lock → store → raw → canonical → chain → classify → caps → outline → recall → append → preview
        → release → erasure → verify → book
"""

from pipelines.ledger.book import Ledger
from pipelines.ledger.caps import CODE as DEFERRED
from pipelines.ledger.lock import LedgerBusy
from pipelines.ledger.outline import Some
from pipelines.ledger.preview import Preview
from pipelines.ledger.raw import raw_path, store_raw
from pipelines.ledger.raw import state as raw_state
from pipelines.ledger.records import Batch, Document, Head, Known, Reading
from pipelines.ledger.release import Order, Quarantined
from pipelines.ledger.store import LedgerDamaged

__all__ = [
    "DEFERRED",
    "Batch",
    "Document",
    "Head",
    "Known",
    "Ledger",
    "LedgerBusy",
    "LedgerDamaged",
    "Order",
    "Preview",
    "Quarantined",
    "Reading",
    "Some",
    "raw_path",
    "raw_state",
    "store_raw",
]
