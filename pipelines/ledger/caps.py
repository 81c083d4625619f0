"""How much of what a source says is taken in an hour?

A cap is declared in the theatre, source by source, so that a flood of one never holds up another. What is beyond it
waits in quarantine with the code ``deferred``, kept and counted, until a person releases it. A retraction of what is
known never waits; one of an item that itself waits, waits behind it, so that what was taken back cannot come in alone.
History that is imported, and what a person releases, is not capped and takes no room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipelines.ledger import canonical, schema

if TYPE_CHECKING:
    from collections.abc import Container

    import pandas as pd
    from numpy.typing import NDArray

    from geo.theatre import Source
    from pipelines.ledger.store import Store

CODE: Final = "deferred"
HOUR_US: Final = 3_600_000_000
_COUNTED: Final = ("new", "revision", "conflict", *schema.BEATS)


def taken(store: Store, source: str, at: int) -> int:
    """Return how many rows of a source were taken within the hour before ``at`` (µs since 1970)."""
    found = store.rows(
        """SELECT coalesce(sum(rows_new + rows_revision + rows_conflict + rows_heartbeat), 0) AS n FROM batch
           WHERE kind = 'ingest' AND source = ? AND known = 'recorded' AND recorded_at > ?
             AND batch_no NOT IN (SELECT 1 + batch_no FROM document WHERE kind = 'release')""",
        [source, at - HOUR_US],
    )
    return int(found[0]["n"])


def surplus(rows: pd.DataFrame, fates: pd.DataFrame, met: pd.DataFrame, room: int) -> NDArray[np.bool_]:
    """Return which rows are beyond the ``room``, in file order.

    Behind the last row that is taken, all waits but what adds nothing to what is known or taken, and what takes it
    back: a duplicate, or a retraction, of something that itself waits, waits with it.
    """
    counted = fates["fate"].isin(_COUNTED).to_numpy()
    late = np.cumsum(counted) > max(room, 0)
    early = rows[~late]
    said = set(zip(met["subject"], met["content"], strict=True)) | set(
        zip(early["subject"], early["content"], strict=True)
    )
    subjects = set(met["subject"]) | set(early["subject"])
    again = [pair in said for pair in zip(rows["subject"], rows["content"], strict=True)]
    known = rows["subject"].isin(subjects).to_numpy() & (rows["kind"] == "retraction").to_numpy()
    wrong = fates["fate"].isin(["unknown_item", "no_source_ref"])
    repeated = (fates["fate"] == "duplicate").to_numpy() & np.array(again, dtype=bool)
    waits: NDArray[np.bool_] = late & ~repeated & ~known & ~wrong.to_numpy()
    return waits


def waiting(store: Store, source: str, released: Container[int]) -> frozenset[str]:
    """Return the ids of its own of what a source said that waits, but for the rows that were released or erased."""
    found = store.rows(
        """SELECT quarantine_no, raw FROM quarantine JOIN batch USING (batch_no)
           WHERE source = ? AND reason_code = ? AND raw IS NOT NULL""",
        [source, CODE],
    )
    refs = (reference(row["raw"]) for row in found if row["quarantine_no"] not in released)
    return frozenset(ref for ref in refs if ref is not None)


def reference(said: bytes) -> str | None:
    """Return the source's own id from the canonical text of a row that waits."""
    return canonical.stated(said).get("source_ref")


def behind(rows: pd.DataFrame, fates: pd.DataFrame, refs: frozenset[str]) -> NDArray[np.bool_]:
    """Return which rows take back nothing now, but something that waits: ``refs``, as ``waiting`` gives them."""
    idle = (rows["kind"] == "retraction") & fates["fate"].isin(["unknown_item", "duplicate"])
    found: NDArray[np.bool_] = (idle & rows["source_ref"].isin(refs)).to_numpy(dtype=bool)
    return found


def deferred_behind(rows: pd.DataFrame, source: Source) -> list[dict[str, Any]]:
    """Return retractions as quarantined rows that wait behind what they take back."""
    reason = (
        f"what it takes back waits itself, being beyond the cap of source {source.id!r}; release both, in order, with "
        "`ceasewatch quarantine … deferred`"
    )
    return _quarantined(rows, reason)


def deferred(rows: pd.DataFrame, source: Source, before: int) -> list[dict[str, Any]]:
    """Return the surplus as quarantined rows."""
    reason = (
        f"source {source.id!r} may say {source.per_hour:,} rows an hour (per_hour in theatre.toml), and had said "
        f"{before:,} in the hour before this file; release it with `ceasewatch quarantine … deferred`"
    )
    return _quarantined(rows, reason)


def _quarantined(rows: pd.DataFrame, reason: str) -> list[dict[str, Any]]:
    said = canonical.lines(rows, canonical.SAID).to_pylist()
    return [
        {"row_no": int(row_no), "raw": text.encode(), "reason_code": CODE, "reason": reason}
        for row_no, text in zip(rows["row_no"], said, strict=True)
    ]
