"""How does a file, a document or a publication enter the ledger?

Each is one batch in one transaction: rows first, then the header with the counts that the database compares with them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from geo.errors import PolicyError
from pipelines.ledger import canonical, caps, chain, recall, schema
from pipelines.ledger.classify import STORED, classify
from pipelines.ledger.recall import entries_frame
from pipelines.ledger.records import Batch, Known, Reading, micros

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from geo.theatre import Source
    from pipelines.ledger.store import Store

UNREAD: Final = ("reader_died", "resource_limit")
"""Reasons for which a whole file is one quarantined record, because its reader broke at it."""
_KINDS: Final = frozenset({"report", "retraction", *schema.BEATS})
_COUNT_COLUMNS: Final = {name: name if name == "rows" else f"rows_{name}" for name in schema.COUNTS}
_REFUSALS: Final = {
    "unknown_item": "This retraction names {ref!r}, which source {source!r} has not reported here; "
    "take in the file that reports it first, then send the retraction again in a file of its own.",
    "no_source_ref": "This retraction of source {source!r} names no source_ref, so nobody can tell what it takes back; "
    "give the source_ref of the report that it retracts.",
}


def append_reading(
    store: Store,
    reading: Reading,
    *,
    source: Source,
    file_name: str,
    sha256: str,
    recorded_at: datetime,
    known: Known,
) -> Batch:
    """Append what a reader made of a file; see ``Ledger.append``."""
    _check_known(store, known)
    earlier = repeats(store, source, sha256)
    if earlier is not None:
        return as_batch(earlier, repeated=True)
    batch = {"file_name": file_name, "sha256": sha256}
    with store.transaction():
        header, _ = enter_reading(store, reading, source=source, batch=batch, recorded_at=recorded_at, known=known)
    return as_batch(header)


def enter_reading(
    store: Store,
    reading: Reading,
    *,
    source: Source,
    batch: dict[str, Any],
    recorded_at: datetime,
    known: Known,
    capped: bool = True,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Append a reading inside a transaction; return the header of its batch, and the rows that were refused.

    ``batch`` gives ``file_name`` and ``sha256`` of the file that the rows came in.
    """
    found = judge(store, reading, source=source, recorded_at=recorded_at, known=known, capped=capped)
    header = found.header | {"source": source.id, **batch, "known": known}
    entry = _entries(found.rows, found.fates, source.id, header["batch_no"])
    quarantine = _quarantine(store, found.refused, header["batch_no"])
    header["last_no"] += entry.num_rows
    header["known_from"] = _known_from(store, entry, header["recorded_at"])
    _write(store, header, {"entry": entry, "quarantine": quarantine})
    return header, found.refused


@dataclass(frozen=True, eq=False)
class Judged:
    """What the ledger makes of a reading: each row with its fate, and the refused rows in file order.

    ``header`` is that of the batch with its counts; ``met`` are the earlier entries of the subjects that the rows
    speak of.
    """

    header: dict[str, Any]
    rows: pd.DataFrame
    fates: pd.DataFrame
    refused: list[dict[str, Any]]
    met: pd.DataFrame


def judge(
    store: Store, reading: Reading, *, source: Source, recorded_at: datetime, known: Known, capped: bool = True
) -> Judged:
    """Return what would become of a reading now; nothing is written. ``capped``: the source's cap holds."""
    _check_known(store, known)
    rows = _said(reading.intake, source)
    header = _header(store, "ingest", recorded_at)
    rows["known_at"] = _known_at(rows, known, header["recorded_at"])
    met = _met(store, rows)
    decide = partial(classify, known=met, authoritative=source.authoritative, next_no=header["first_no"])
    fates = decide(rows)
    waiting: list[dict[str, Any]] = []
    if capped and known == "recorded" and source.per_hour is not None:
        taken = caps.taken(store, source.id, header["recorded_at"])
        surplus = caps.surplus(rows, fates, met, source.per_hour - taken)
        if surplus.any():
            waiting = caps.deferred(rows[surplus], source, taken)
            rows = rows[~surplus].reset_index(drop=True)
            fates = decide(rows)
    if capped and (rows["kind"] == "retraction").any():
        late = caps.behind(rows, fates, caps.waiting(store, source.id, recall.released(store, None)))
        if late.any():
            waiting += caps.deferred_behind(rows[late], source)
            rows = rows[~late].reset_index(drop=True)
            fates = decide(rows)
    refused = _refused(rows, fates, reading.refused, source.id)
    refused = sorted([*refused, *waiting], key=lambda row: row["row_no"])
    return Judged(header | _counted(fates["fate"], len(refused)), rows, fates, refused, met)


def repeats(store: Store, source: Source, sha256: str) -> dict[str, Any] | None:
    """Return the batch in which the same bytes came from the same source and were read.

    None if settings have changed since, or if their reader broke: a later one may be able to read them.
    """
    same = "sha256 = ? AND source = ? AND kind = 'ingest'"
    earlier: list[dict[str, Any]] = store.select("batch", same, [sha256, source.id]).to_pylist()
    if not earlier or _settings_since(store, earlier[-1]["batch_no"]) or _unread(store, earlier[-1]["batch_no"]):
        return None
    return earlier[-1]


def _unread(store: Store, batch_no: int) -> bool:
    found = "SELECT count(*) AS n FROM quarantine WHERE batch_no = ? AND reason_code IN (?, ?)"
    return bool(store.rows(found, [batch_no, *UNREAD])[0]["n"])


def _settings_since(store: Store, batch_no: int) -> bool:
    """Return whether theatre or policy changed after a batch: the same bytes may then be read otherwise."""
    changed = "SELECT count(*) AS n FROM document WHERE kind IN ('theatre', 'policy') AND batch_no > ?"
    return bool(store.rows(changed, [batch_no])[0]["n"])


def append_document(store: Store, kind: str, body: bytes, recorded_at: datetime) -> int:
    """Append a document (kind ``publication``: a publication) and return its ledger number."""
    return append_documents(store, kind, [body], recorded_at)[0]


def append_documents(store: Store, kind: str, bodies: Iterable[bytes], recorded_at: datetime) -> list[int]:
    """Append documents, all or none, and return their ledger numbers."""
    with store.transaction():
        return [enter_document(store, kind, body, recorded_at) for body in bodies]


def enter_document(store: Store, kind: str, body: bytes, recorded_at: datetime) -> int:
    """Append a document inside a transaction and return its ledger number."""
    header = _header(store, "publication" if kind == "publication" else "document", recorded_at)
    number, sha256 = header["first_no"], hashlib.sha256(body).hexdigest()
    header |= {"last_no": number, "sha256": sha256}
    row = {"ledger_no": number, "batch_no": header["batch_no"], "kind": kind, "sha256": sha256, "body": body}
    _write(store, header, {"document": pa.Table.from_pylist([row], schema.arrow("document"))})
    return int(number)


def as_batch(header: Mapping[str, Any], *, repeated: bool = False) -> Batch:
    """Return what callers see of a row of ``batch``."""
    numbers = {name: header[column] for name, column in _COUNT_COLUMNS.items()}
    return Batch(
        header["batch_no"], **numbers, first_no=header["first_no"], last_no=header["last_no"], repeated=repeated
    )


def is_replay(store: Store) -> bool:
    """Return whether history may be imported with the knowledge time of its sources."""
    return bool(store.rows("SELECT replay FROM ledger")[0]["replay"])


def _check_known(store: Store, known: str) -> None:
    if known not in get_args(Known):
        msg = f"known = {known!r}: it is one of {', '.join(get_args(Known))}"
        raise PolicyError(msg)
    if known != "recorded" and not is_replay(store):
        msg = (
            f"this workspace takes reports as they come, so they are known from when they are recorded, not {known!r}; "
            "make a workspace with `ceasewatch init --replay` to import history"
        )
        raise PolicyError(msg)


def _said(intake: pd.DataFrame, source: Source) -> pd.DataFrame:
    rows = canonical.normalise(intake)
    strange = set(rows["kind"].dropna().unique()) - _KINDS
    if strange or rows["kind"].isna().any():
        msg = f"the reader of {source.format!r} gave kinds that no row can have: {sorted(strange) or 'missing'}"
        raise ValueError(msg)
    rows["content"] = canonical.hexed(canonical.digests(canonical.lines(rows, canonical.SAID)))
    rows["subject"] = canonical.subjects(rows)
    rows["subject_key"] = canonical.subject_keys(source.id, rows["subject"])
    rows["source"] = pd.Series([source.id] * len(rows), dtype="str")
    return rows


def _header(store: Store, kind: str, recorded_at: datetime) -> dict[str, Any]:
    """Return the header of the next batch, as yet without rows. The clock may step back, ``recorded_at`` does not."""
    last = store.rows("SELECT batch_no, recorded_at, last_no FROM batch ORDER BY batch_no DESC LIMIT 1")
    ledger = store.rows("SELECT created_at FROM ledger")[0]
    before = last[0] if last else {"batch_no": 0, "recorded_at": ledger["created_at"], "last_no": 0}
    at = max(micros(recorded_at), before["recorded_at"])
    return {
        "batch_no": before["batch_no"] + 1,
        "kind": kind,
        "source": None,
        "file_name": None,
        "known": "recorded",
        "recorded_at": at,
        "known_from": at,
        **dict.fromkeys(_COUNT_COLUMNS.values(), 0),
        "first_no": before["last_no"] + 1,
        "last_no": before["last_no"],
    }


def _known_at(rows: pd.DataFrame, known: Known, recorded_at: int) -> pd.Series[int]:
    """Return when each row was known, µs. What a retraction observes is long past: it is known when it was reported."""
    recorded = pd.Series(recorded_at, index=rows.index, dtype="int64")
    if known == "recorded":
        return recorded
    observed, reported = rows["observed_to"], rows["reported_at"]
    at = observed.fillna(reported) if known == "observed" else reported.fillna(observed)
    at = at.where(rows["kind"] != "retraction", reported.fillna(observed))
    ticks = pd.Series(at.dt.tz_convert(None).to_numpy("datetime64[us]").astype("int64"), index=at.index)
    return ticks.where(at.notna(), recorded)


def _met(store: Store, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the earlier entries of the subjects that the rows speak of, in order."""
    keys = json.dumps(rows["subject_key"].drop_duplicates().tolist())
    found = store.select("entry", "subject_key IN (SELECT value FROM json_each(?)) ORDER BY ledger_no", [keys])
    known = entries_frame(found)
    known["subject"] = canonical.subjects(known)
    return known[known["source"].isin(rows["source"].unique())]


def _entries(rows: pd.DataFrame, fates: pd.DataFrame, source: str, batch_no: int) -> pa.Table:
    stored = fates["fate"].isin(STORED)
    kept = rows[stored].drop(columns=["kind", "known_at"]).join(fates[stored]).rename(columns={"fate": "kind"})
    columns = {}
    for field in schema.arrow("entry"):
        columns[field.name] = _arrow(kept, field, {"source": source, "batch_no": batch_no})
    return pa.table(columns, schema.arrow("entry"))


def _arrow(kept: pd.DataFrame, field: pa.Field, constant: Mapping[str, Any]) -> pa.Array:
    if field.name in constant:
        return pa.array([constant[field.name]] * len(kept), field.type)
    if field.name == "content":
        return canonical.unhexed(kept["content"]).cast(field.type)
    return pa.array(kept[field.name], from_pandas=True).cast(field.type)


def _refused(rows: pd.DataFrame, fates: pd.DataFrame, refused: pd.DataFrame, source: str) -> list[dict[str, Any]]:
    """Return the quarantined rows in file order: the reader's, and those that the ledger cannot take."""
    found = [
        {"row_no": int(row_no), "raw": bytes(raw), "reason_code": str(code), "reason": str(reason)}
        for row_no, raw, code, reason in refused[["row_no", "raw", "reason_code", "reason"]].itertuples(index=False)
    ]
    for code, sentence in _REFUSALS.items():
        wrong = rows[fates["fate"] == code]
        said = [line.encode() for line in canonical.lines(wrong, canonical.SAID).to_pylist()]
        for row_no, ref, raw in zip(wrong["row_no"], wrong["source_ref"], said, strict=True):
            reason = sentence.format(ref=ref, source=source)
            found.append({"row_no": int(row_no), "raw": raw, "reason_code": code, "reason": reason})
    return sorted(found, key=lambda row: row["row_no"])


def _quarantine(store: Store, refused: list[dict[str, Any]], batch_no: int) -> pa.Table:
    last = store.rows("SELECT coalesce(max(quarantine_no), 0) AS no FROM quarantine")[0]["no"]
    rows = [
        {"quarantine_no": no, "batch_no": batch_no, "raw_sha256": hashlib.sha256(row["raw"]).hexdigest(), **row}
        for no, row in enumerate(refused, last + 1)
    ]
    return pa.Table.from_pylist(rows, schema.arrow("quarantine"))


def _counted(fates: pd.Series[str], refused: int) -> dict[str, int]:
    found = fates.value_counts().to_dict()
    counts = {f"rows_{name}": int(found.get(name, 0)) for name in (*schema.STATEMENTS, "duplicate")}
    counts["rows_heartbeat"] = sum(int(found.get(name, 0)) for name in schema.BEATS)
    counts["rows_quarantined"] = refused
    return {**counts, "rows": sum(counts.values())}


def _known_from(store: Store, entry: pa.Table, recorded_at: int) -> int:
    if not entry.num_rows or not is_replay(store):
        return recorded_at
    return int(np.min(entry["known_at"].to_numpy()))


def _write(store: Store, header: dict[str, Any], tables: Mapping[str, pa.Table]) -> None:
    last = store.rows("SELECT hash, inputs_hash FROM batch ORDER BY batch_no DESC LIMIT 1")
    start = store.rows("SELECT genesis AS hash, genesis AS inputs_hash FROM ledger")
    before = chain.Link(**(last or start)[0])
    for name, rows in tables.items():
        store.insert(name, rows)
    body = chain.body(header, [(name, [tables[name]] if name in tables else []) for name in chain.ROW_TABLES])
    after = before.then(body, header["kind"])
    header |= {"previous": before.hash, "hash": after.hash, "inputs_hash": after.inputs_hash}
    store.insert("batch", pa.Table.from_pylist([header], schema.arrow("batch")))
