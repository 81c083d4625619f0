"""Is the ledger whole, and as it was written?

Everything is read again and computed anew: the file's own structure, its rules, the numbers, the counts, both chains,
contents, documents, quarantined and raw bytes.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pipelines.ledger import canonical, chain, erasure, raw, schema
from pipelines.ledger.recall import entries_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from pipelines.ledger.store import Store

_KEYS: Final = {"entry": "ledger_no", "document": "ledger_no", "quarantine": "quarantine_no"}


def verify(store: Store, raw_dir: Path) -> list[str]:
    """Return what is wrong, a sentence each; empty when the ledger is whole."""
    found: list[str] = []
    try:
        damaged = [row["integrity_check"] for row in store.rows("PRAGMA integrity_check")]
        found += [f"the database is damaged: {what}" for what in damaged if what != "ok"]
        for part in () if found else (_rules(store), _numbers(store), _batches(store), _raw_files(store, raw_dir)):
            found.extend(part)
    except Exception as fault:  # noqa: BLE001 -- whatever damage does to a reader is the finding
        found.append(f"the ledger cannot be read as it was written: {fault}")
    return found


def missing(store: Store, heads: Iterable[str]) -> list[str]:
    """Return which heads never stood in the chain, a sentence each: what was recorded by then is not as it was."""
    known = {"genesis": [row["genesis"] for row in store.rows("SELECT genesis FROM ledger")]}
    known |= store.query("SELECT hash, inputs_hash FROM batch").to_pydict()
    stood = {head for heads in known.values() for head in heads}
    return [
        f"the chain never stood at {head}: what was recorded up to it was changed, cut off or put in anew, or it is "
        "another ledger's"
        for head in heads
        if head not in stood
    ]


def erased(store: Store, raw_dir: Path) -> list[str]:
    """Return which raw files were erased on a person's order, a sentence each."""
    orders = erasure.orders(store)
    return [
        f"raw file {batch['sha256']} ({batch['file_name']}, batch {batch['batch_no']}) was erased on order"
        f"{_ordered(orders.get(batch['sha256']))}"
        for batch in _ingests(store)
        if raw.state(raw_dir, batch["sha256"]) == "erased"
    ]


def _ordered(order: Mapping[str, Any] | None) -> str:
    return "" if order is None else f" {order['ledger_no']} of {order['who']}: {order['why']}"


def _rules(store: Store) -> Iterator[str]:
    found = {tuple(row.values()) for row in store.rows("SELECT type, name, tbl_name, sql FROM sqlite_master")}
    expected = {_catalogued(sql) for sql in schema.statements()}
    for *_, sql in sorted(expected - found):
        yield f"a rule of the ledger is gone or changed: {sql.splitlines()[0]}"
    for kind, name, _, sql in sorted(found - expected, key=repr):
        yield f"the ledger holds something that is not its own: {sql.splitlines()[0] if sql else f'{kind} {name}'}"


def _catalogued(sql: str) -> tuple[str, str, str, str]:
    """Return how SQLite catalogues what a statement makes: type, name, table and the statement."""
    _, kind, name, *rest = sql.split()
    return kind.lower(), name, name if kind == "TABLE" else rest[rest.index("ON") + 1], sql


def _numbers(store: Store) -> Iterator[str]:
    last = store.rows("SELECT coalesce(max(last_no), 0) AS no, coalesce(max(batch_no), 0) AS batch FROM batch")[0]
    held = store.rows(
        """SELECT count(*) AS rows, count(DISTINCT ledger_no) AS numbers, coalesce(max(ledger_no), 0) AS last
           FROM (SELECT ledger_no FROM entry UNION ALL SELECT ledger_no FROM document)"""
    )[0]
    if not held["rows"] == held["numbers"] == held["last"] == last["no"]:
        yield (
            f"ledger numbers: {held['rows']} rows bear {held['numbers']} numbers up to {held['last']}, "
            f"the batches end at {last['no']}"
        )
    for table in _KEYS:
        stray = store.rows(f"SELECT count(*) AS n FROM {table} WHERE batch_no NOT BETWEEN 1 AND {last['batch']}")  # noqa: S608 -- our own names
        if stray[0]["n"]:
            yield f"{table}: {stray[0]['n']} rows belong to no batch"


def _batches(store: Store) -> Iterator[str]:
    ledger = store.rows("SELECT * FROM ledger")[0]
    link = chain.genesis(replay=bool(ledger["replay"]), created_at=ledger["created_at"])
    if (ledger["only"], ledger["genesis"]) != (1, link.hash):
        yield "the ledger's own line was changed: its start of the chain does not fit replay and created_at"
    before = {"batch_no": 0, "last_no": 0, "recorded_at": ledger["created_at"]}
    for batch in store.select("batch", "true ORDER BY batch_no").to_pylist():
        name = f"batch {batch['batch_no']}"
        if batch["batch_no"] != before["batch_no"] + 1 or batch["first_no"] != before["last_no"] + 1:
            yield f"{name}: a batch before it is missing"
        if batch["recorded_at"] < before["recorded_at"]:
            yield f"{name}: recorded before the batch before it"
        if batch["previous"] != link.hash:
            yield f"{name}: it does not follow on the batch before it"
        yield from _batch(store, batch, name, link)
        link, before = chain.Link(batch["hash"], batch["inputs_hash"]), batch


@dataclass
class _Watch:
    """What is seen of a batch's rows while its hash is computed."""

    kinds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def over(self, table: str, pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Pass the pieces on, having looked at them."""
        for piece in pieces:
            self.kinds.update(piece["kind"].to_pylist() if table == "entry" else {table: piece.num_rows})
            self.problems.extend(_WRONG[table](piece))
            yield piece

    @property
    def counts(self) -> dict[str, int]:
        """Counts under the names of the columns of ``batch``."""
        return {
            **{f"rows_{kind}": self.kinds[kind] for kind in schema.STATEMENTS},
            "rows_heartbeat": sum(self.kinds[kind] for kind in schema.BEATS),
            "rows_quarantined": self.kinds["quarantine"],
        }


def _batch(store: Store, batch: Mapping[str, Any], name: str, link: chain.Link) -> Iterator[str]:
    watch = _Watch()
    rows = [(table, watch.over(table, _pieces(store, table, batch))) for table in chain.ROW_TABLES]
    if link.then(chain.body(batch, rows), batch["kind"]) != chain.Link(batch["hash"], batch["inputs_hash"]):
        yield f"{name}: its hash is not that of its rows; something in it was changed"
    for column, count in watch.counts.items():
        if batch[column] != count:
            yield f"{name}: says {column} = {batch[column]}, holds {count}"
    parts = sum(batch[f"rows_{part}"] for part in schema.COUNTS[1:])
    if batch["rows"] != parts:
        yield f"{name}: its counts add up to {parts}, not to {batch['rows']} rows"
    for problem in watch.problems:
        yield f"{name}: {problem}"


def _pieces(store: Store, table: str, batch: Mapping[str, Any]) -> Iterator[pa.Table]:
    """Yield the rows of a batch in order, cut where they were cut when the hash was made."""
    if table != "quarantine":
        for start in range(batch["first_no"], batch["last_no"] + 1, schema.ROWS_A_READ):
            end = min(start + schema.ROWS_A_READ - 1, batch["last_no"])
            yield store.select(table, "ledger_no BETWEEN ? AND ? ORDER BY ledger_no", [start, end])
        return
    after, more = 0, True
    while more:
        where = f"batch_no = ? AND quarantine_no > ? ORDER BY quarantine_no LIMIT {schema.ROWS_A_READ}"
        piece = store.select(table, where, [batch["batch_no"], after])
        more = piece.num_rows == schema.ROWS_A_READ
        after = piece[_KEYS[table]][-1].as_py() if more else after
        yield piece


def _wrong_entries(piece: pa.Table) -> Iterator[str]:
    entries = entries_frame(piece)
    entries["kind"] = entries["kind"].where(entries["kind"].isin(["retraction", *schema.BEATS]), "report")
    said = canonical.hexed(canonical.digests(canonical.lines(entries, canonical.SAID)))
    wrong = (said != entries["content"]).to_numpy(bool, copy=True)
    subjects = canonical.subjects(entries.assign(content=said))
    for source, names in subjects.groupby(entries["source"]):
        wrong[names.index] |= canonical.subject_keys(str(source), names) != entries.loc[names.index, "subject_key"]
    for number in entries.loc[wrong, "ledger_no"]:
        yield f"entry {number}: its content is not what its source said"


def _wrong_raw(piece: pa.Table) -> Iterator[str]:
    for row in piece.select(["row_no", "raw", "raw_sha256"]).to_pylist():
        if row["raw"] is not None and hashlib.sha256(row["raw"]).hexdigest() != row["raw_sha256"]:
            yield f"quarantined row {row['row_no']}: its raw bytes were changed"


def _wrong_bodies(piece: pa.Table) -> Iterator[str]:
    for row in piece.to_pylist():
        if hashlib.sha256(row["body"]).hexdigest() != row["sha256"]:
            yield f"document {row['ledger_no']} ({row['kind']}): it was changed"


_WRONG: Final[dict[str, Callable[[pa.Table], Iterator[str]]]] = {
    "entry": _wrong_entries,
    "quarantine": _wrong_raw,
    "document": _wrong_bodies,
}


def _ingests(store: Store) -> list[dict[str, Any]]:
    return store.rows("SELECT batch_no, file_name, sha256 FROM batch WHERE kind = 'ingest' ORDER BY batch_no")


def _raw_files(store: Store, raw_dir: Path) -> Iterator[str]:
    ordered = erasure.orders(store)
    for batch in _ingests(store):
        state = raw.state(raw_dir, batch["sha256"])
        if state in {"missing", "damaged"}:
            yield f"batch {batch['batch_no']}: its raw file {batch['sha256']} ({batch['file_name']}) is {state}"
        if state == "erased" and batch["sha256"] not in ordered:
            yield f"batch {batch['batch_no']}: its raw file {batch['sha256']} was erased, and nobody ordered that"
    yield from erasure.unfinished(store, raw_dir)
    yield from erasure.unordered(store)
