"""What is left of bytes that a person ordered erased?

A tombstone in their place, and the order: a document of kind ``erasure`` with the SHA-256, who and why. The order is
recorded first, so that nothing is ever gone without one; whatever interrupts the rest, giving it again completes it.
Quarantined rows of the file lose their own text with it. Their hashes stay, so the chain holds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pipelines.ledger import raw, recall, schema
from pipelines.ledger.lock import LedgerBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.ledger.store import Store

KIND: Final = "erasure"
_FORM: Final = 1
_GUARD: Final = "quarantine_update"


def body(sha256: str, who: str, why: str) -> bytes:
    """Return an order's canonical text."""
    order = {"form": _FORM, "sha256": sha256, "who": who, "why": why}
    return json.dumps(order, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def orders(store: Store) -> dict[str, dict[str, Any]]:
    """Return the order to erase each file, by SHA-256, with its ``ledger_no``; the first where there are several."""
    found = [
        {**json.loads(document.body), "ledger_no": document.ledger_no} for document in recall.documents(store, KIND)
    ]
    return {order["sha256"]: order for order in reversed(found)}


def forget(store: Store, sha256: str) -> int:
    """Erase the text of quarantined rows that came in a file; return of how many.

    The rule that nothing is changed is lifted for that one statement, inside its transaction, and the file is written
    anew, so that nothing of the text stays in its pages or its log.
    """
    of_file = "raw IS NOT NULL AND batch_no IN (SELECT batch_no FROM batch WHERE sha256 = ?)"
    count = int(store.rows(f"SELECT count(*) AS n FROM quarantine WHERE {of_file}", [sha256])[0]["n"])  # noqa: S608 -- our own text
    if count:
        with store.transaction():
            store.query(f"DROP TRIGGER {_GUARD}")
            store.query(f"UPDATE quarantine SET raw = NULL WHERE {of_file}", [sha256])  # noqa: S608 -- our own text
            store.query(schema.trigger(_GUARD))
    # Also where nothing is left to erase: an order that was interrupted may have come as far as the line above. Pages
    # keep stale copies of what once stood in them, which only a rewritten file is rid of.
    store.query("VACUUM")
    if store.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]["busy"]:
        msg = (
            f"{store.path}: somebody reads the ledger, so the erased text is still in its file; the order is recorded: "
            "give it again when that run has ended"
        )
        raise LedgerBusy(msg)
    return count


def unordered(store: Store) -> Iterator[str]:
    """Yield the quarantined rows whose text is gone though nobody ordered their file erased, a sentence each."""
    gone = store.rows("SELECT quarantine_no, sha256 FROM quarantine JOIN batch USING (batch_no) WHERE raw IS NULL")
    ordered = orders(store)
    for row in gone:
        if row["sha256"] not in ordered:
            yield f"Q-{row['quarantine_no']}: its text is gone, and nobody ordered that"


def unfinished(store: Store, raw_dir: Path) -> Iterator[str]:
    """Yield the orders that were not carried out, a sentence each."""
    for sha256, order in orders(store).items():
        if raw.state(raw_dir, sha256) != "erased" or raw.raw_path(raw_dir, sha256).exists():
            yield f"raw file {sha256}: order {order['ledger_no']} to erase it was not carried out; give it again"
