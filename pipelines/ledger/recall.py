"""What was known at a moment?

Every question takes ``known_at`` (aware UTC; ``None``: all that the ledger holds) and is answered from what had
arrived by then, so that nothing that comes later changes the answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from geo.reports import COVERAGE, INTAKE, STORED, TIME
from geo.tables import PANDAS, QUARANTINE
from pipelines.ledger import canonical, schema
from pipelines.ledger.records import Document, Head, micros, moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from pipelines.ledger.outline import Some
    from pipelines.ledger.store import Store

_TEXT: Final = pd.StringDtype(na_value=np.nan)
_DTYPES: Final = {**INTAKE, "recorded_at": TIME}
_FOREVER: Final = 2**63 - 1
_FEW: Final = 64  # documents read at once where mostly the newest is enough
RELEASE: Final = "release"
"""The kind of document by which a person releases quarantined rows."""


def until(known_at: datetime | None) -> int:
    """Return the moment in microseconds since 1970; the end of time for ``None``."""
    return _FOREVER if known_at is None else micros(known_at)


def entries_frame(entries: pa.Table) -> pd.DataFrame:
    """Return entries as a frame: intake columns typed as such, ``content`` in hex, all other numbers int64."""
    columns = {name: _series(entries[name], _DTYPES.get(name)) for name in entries.column_names}
    return pd.DataFrame(columns, copy=False)


def _series(column: pa.ChunkedArray, dtype: str | None) -> pd.Series[Any]:
    if pa.types.is_binary(column.type):
        return canonical.hexed(column)
    if pa.types.is_string(column.type):
        whole = column.cast(pa.large_string()).combine_chunks()  # what is taken from pieces takes three times as long
        return pd.Series(whole.to_pandas(types_mapper={pa.large_string(): _TEXT}.get))
    if dtype == TIME:
        return pd.Series(column.cast(pa.timestamp("us", "UTC")).to_pandas()).astype(TIME)
    if dtype == "Int64":
        return pd.Series(column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get))
    return pd.Series(column.to_pandas())


def _entries(
    store: Store, kinds: tuple[str, ...], known_at: datetime | None, up_to_no: int | None, only: Some | None = None
) -> pd.DataFrame:
    last = min(head(store, None).ledger_no, _FOREVER if up_to_no is None else up_to_no)
    among = ", ".join(f"'{kind}'" for kind in kinds)
    where = f"known_at <= ? AND kind IN ({among}) ORDER BY ledger_no"
    pieces = [
        store.select("entry", f"{these} AND {where}", [*by, until(known_at)], most=schema.ROWS_A_READ)
        for these, by in _asked(last, only)
    ]
    return entries_frame(pa.concat_tables(pieces) if pieces else schema.arrow("entry").empty_table())


def _asked(last: int, only: Some | None) -> Iterator[tuple[str, list[int | str]]]:
    """Yield which numbers are read at once, as a condition and its parameters; ascending, each entry once."""
    every = schema.ROWS_A_READ
    if only is not None:
        named = only.numbers[only.numbers <= min(last, only.after)]
        for start in range(0, len(named), every):
            yield "ledger_no IN (SELECT value FROM json_each(?))", [json.dumps(named[start : start + every].tolist())]
    for start in range(1 if only is None else only.after + 1, last + 1, every):
        yield "ledger_no BETWEEN ? AND ?", [start, min(start + every - 1, last)]


class Asked(NamedTuple):
    """What is asked for: what was known at a moment, up to a number, without what suspended sources said since."""

    known_at: datetime | None
    up_to_no: int | None
    suspended: Mapping[str, datetime]


def states(store: Store, asked: Sequence[Asked], only: Some | None = None) -> list[pd.DataFrame]:
    """Return by question the newest known revision of each item that was not taken back; see ``Ledger.reports``.

    Entries are read once for all, and of those that know the same from the same sources one is made.
    """
    moments = [one.known_at for one in asked if one.known_at is not None]
    numbers = [one.up_to_no for one in asked if one.up_to_no is not None]
    known_at = max(moments) if len(moments) == len(asked) else None
    up_to_no = max(numbers) if len(numbers) == len(asked) else None
    entries = _entries(store, schema.STATEMENTS, known_at, up_to_no, only)
    made: list[tuple[Mapping[str, datetime], NDArray[np.bool_], pd.DataFrame]] = []
    for suspended, known in ((one.suspended, _known(entries, one)) for one in asked):
        same = [frame for whom, rows, frame in made if whom == suspended and np.array_equal(rows, known)]
        made.append((suspended, known, same[0] if same else _standing(store, entries, known, suspended)))
    return [frame for *_, frame in made]


def _known(entries: pd.DataFrame, asked: Asked) -> NDArray[np.bool_]:
    last = _FOREVER if asked.up_to_no is None else asked.up_to_no
    found = (entries["known_at"] <= until(asked.known_at)) & (entries["ledger_no"] <= last)
    return found.to_numpy(bool)


def _standing(
    store: Store, entries: pd.DataFrame, known: NDArray[np.bool_], suspended: Mapping[str, datetime]
) -> pd.DataFrame:
    some = heeded(entries if known.all() else entries[known].reset_index(drop=True), suspended)
    return _stored(store, _active(some.assign(moment=0)))[list(STORED)].astype(STORED)


def history(store: Store, suspended: Mapping[str, datetime]) -> pd.DataFrame:
    """Return every state of every item with the span in which it was what was known; see ``Ledger.history``."""
    entries = heeded(_entries(store, schema.STATEMENTS, None, None), suspended)
    states = _active(_unfolded(entries)).rename(columns={"moment": "since"})
    turns = entries[["subject_no", "known_at"]].drop_duplicates().sort_values(["subject_no", "known_at"])
    turns["until"] = turns.groupby("subject_no")["known_at"].shift(-1, fill_value=_FOREVER)
    until = turns.rename(columns={"known_at": "since"})
    states = _stored(store, states).merge(until, on=["subject_no", "since"], validate="many_to_one")
    spans = {"since": "int64", "until": "int64"}
    out: pd.DataFrame = states[[*STORED, *spans]].astype({**STORED, **spans})
    return out.sort_values(["ledger_no", "since"], ignore_index=True)


def heeded(entries: pd.DataFrame, suspended: Mapping[str, datetime]) -> pd.DataFrame:
    """Return entries without what suspended sources said, from that moment of knowledge on, of items known before.

    By a correction, a contradiction or a retraction alike somebody who has its keys would silence it.
    """
    if not suspended:
        return entries
    since = entries["source"].map({source: micros(at) for source, at in suspended.items()}).astype("float64")
    late = entries["known_at"] >= since
    before = entries.loc[since.notna() & ~late, "subject_no"]
    return entries[~(late & entries["subject_no"].isin(before))].reset_index(drop=True)


def _unfolded(entries: pd.DataFrame) -> pd.DataFrame:
    """Return for each moment at which a subject's news became known all its entries known by then."""
    moments = entries[["subject_no", "known_at"]].drop_duplicates().rename(columns={"known_at": "moment"})
    pairs = entries.merge(moments, on="subject_no")
    return pairs[pairs["known_at"] <= pairs["moment"]].sort_values(["moment", "ledger_no"], ignore_index=True)


def _active(entries: pd.DataFrame) -> pd.DataFrame:
    """Return the entries that stand at each ``moment`` among those given for it, in order of ``ledger_no``.

    A later revision takes the place of an earlier one, a retraction withdraws what its subject said before it, and
    what conflicts with something is ``disputed``, as that is.
    """
    keys = entries[["moment", "subject_no", "first_no", "ledger_no", "kind"]]  # the others are copied once
    taken_back = keys["kind"] == "retraction"
    last_retraction = keys[taken_back].groupby(["moment", "subject_no"])["ledger_no"].max().rename("retracted_no")
    newest = keys[~taken_back].drop_duplicates(["moment", "first_no"], keep="last")
    newest = newest.join(last_retraction, on=["moment", "subject_no"])
    active = newest[newest["ledger_no"] > newest["retracted_no"].fillna(0)]
    conflicts = keys.loc[keys["kind"] == "conflict", ["moment", "subject_no"]].drop_duplicates()
    marked = active.merge(conflicts.assign(disputed=True), on=["moment", "subject_no"], how="left")
    known = entries.drop_duplicates("ledger_no").set_index("ledger_no")["known_at"]
    found = entries if len(active) == len(entries) else entries.loc[active.index]  # mostly all of them stand
    found = found.assign(disputed=marked["disputed"].notna().to_numpy(), stood_at=found["stands_no"].map(known))
    if found["ledger_no"].is_monotonic_increasing:
        return found.reset_index(drop=True)
    return found.sort_values("ledger_no", ignore_index=True)


def _stored(store: Store, active: pd.DataFrame) -> pd.DataFrame:
    extra = {
        "report_id": "R-" + active["first_no"].astype("str"),
        "recorded_at": _recorded_at(store, active["batch_no"]),
        "known_at": _times(active["stood_at"]),
    }
    return active.assign(**extra)


def withdrawn(store: Store, known_at: datetime | None) -> dict[str, pd.Timestamp]:
    """Return when each report was taken back last, by its id, whether or not it was stated again."""
    found = store.rows(
        """SELECT stated.first_no, max(taken.known_at) AS known_at
           FROM entry AS taken JOIN entry AS stated USING (subject_no)
           WHERE taken.kind = 'retraction' AND stated.kind IN ('new', 'conflict') AND taken.known_at <= ?
           GROUP BY stated.first_no""",
        [until(known_at)],
    )
    return {f"R-{row['first_no']}": pd.Timestamp(row["known_at"], unit="us", tz="UTC") for row in found}


def coverage(
    store: Store, known_at: datetime | None, up_to_no: int | None = None, only: Some | None = None
) -> pd.DataFrame:
    """Return heartbeats (could see) and outages (could not), one row each; all are among ``only``."""
    beats = _entries(store, schema.BEATS, known_at, up_to_no, only)
    beats["sees"] = beats["kind"] == "heartbeat"
    beats["known_at"] = _times(beats["known_at"])
    return beats[list(COVERAGE)].astype(COVERAGE)


def _times(ticks: pd.Series[Any]) -> pd.Series[Any]:
    return pd.Series(pd.to_datetime(ticks.astype("int64"), unit="us", utc=True)).astype(TIME)


def _recorded_at(store: Store, batch_no: pd.Series[int]) -> pd.Series[Any]:
    batches = store.query("SELECT batch_no, recorded_at FROM batch").to_pandas().set_index("batch_no")["recorded_at"]
    return _times(batch_no.map(batches))


def quarantine(store: Store, known_at: datetime | None) -> pd.DataFrame:
    """Return the refused rows without their raw bytes."""
    found = store.query(
        """SELECT quarantine.batch_no, source, file_name AS file, row_no, reason_code, reason, quarantine_no
           FROM quarantine JOIN batch USING (batch_no) WHERE known_from <= ? ORDER BY quarantine_no""",
        [until(known_at)],
    )
    frame = pd.DataFrame({name: found[name].to_pylist() for name in found.column_names})
    frame["released_no"] = frame["quarantine_no"].map(released(store, known_at))
    frame["quarantine_id"] = "Q-" + frame["quarantine_no"].astype("str")
    return frame[QUARANTINE.names].astype({column.name: PANDAS[column.kind] for column in QUARANTINE.columns})


def released(store: Store, known_at: datetime | None) -> dict[int, int]:
    """Return for each quarantined row that a person had released by then the number of the order."""
    return {
        number: document.ledger_no
        for document in documents(store, RELEASE)
        if known_at is None or document.recorded_at <= known_at
        for number in json.loads(document.body)["rows"]
    }


def career(
    store: Store, first_no: int, known_at: datetime | None, up_to_no: int | None, suspended: Mapping[str, datetime]
) -> list[dict[str, Any]]:
    """Return the entries of a report, what took it back and what contradicts it, in order of arrival.

    Each has the order by which it was released, if it was, and whether it is heeded.
    """
    found = store.rows(
        """SELECT entry.ledger_no, entry.kind, revision, file_name, row_no, batch.recorded_at, entry.known_at,
                  document.ledger_no AS order_no, body
           FROM entry JOIN batch USING (batch_no)
           LEFT JOIN document ON document.batch_no = entry.batch_no - 1 AND document.kind = ?
           WHERE entry.subject_no = (SELECT subject_no FROM entry WHERE ledger_no = ?)
             AND (entry.first_no = ? OR entry.kind = 'conflict' OR (entry.kind = 'retraction' AND entry.ledger_no > ?))
             AND entry.known_at <= ? AND entry.ledger_no <= ? ORDER BY entry.ledger_no""",
        [RELEASE, first_no, first_no, first_no, until(known_at), _FOREVER if up_to_no is None else up_to_no],
    )
    said = store.rows(
        """SELECT ledger_no, source, subject_no, known_at FROM entry
           WHERE subject_no = (SELECT subject_no FROM entry WHERE ledger_no = ?)""",
        [first_no],
    )
    heard = set(heeded(pd.DataFrame(said), suspended)["ledger_no"]) if said else set()
    return [
        {
            **{name: row[name] for name in ("ledger_no", "kind", "revision", "file_name", "row_no")},
            "heeded": row["ledger_no"] in heard,
            **{name: moment(row[name]) for name in ("recorded_at", "known_at")},
            "released": None if row["body"] is None else {"order": row["order_no"], **_order(row["body"])},
        }
        for row in found
    ]


def _order(body: bytes) -> dict[str, Any]:
    order = json.loads(body)
    return {"rows": [f"Q-{number}" for number in order["rows"]], "who": order["who"], "why": order["why"]}


def stated_since(store: Store, source: str, batch_no: int) -> frozenset[str]:
    """Return the ids of its own under which a source said something after a batch."""
    later = "SELECT DISTINCT source_ref FROM entry WHERE source = ? AND batch_no > ? AND source_ref IS NOT NULL"
    return frozenset(row["source_ref"] for row in store.rows(later, [source, batch_no]))


def counts(store: Store, known_at: datetime | None) -> dict[str, int]:
    """Return the summed counts of all ingested files."""
    sums = ", ".join(
        f"coalesce(sum({'rows' if name == 'rows' else f'rows_{name}'}), 0) AS '{name}'" for name in schema.COUNTS
    )
    return store.rows(f"SELECT {sums} FROM batch WHERE kind = 'ingest' AND known_from <= ?", [until(known_at)])[0]  # noqa: S608 -- our own names


def head(store: Store, known_at: datetime | None) -> Head:
    """Return how far the ledger went."""
    at = until(known_at)
    start = store.rows("SELECT genesis AS hash, genesis AS inputs_hash, 0 AS last_no FROM ledger")
    newest = "known_from <= ? ORDER BY batch_no DESC LIMIT 1"
    columns = "hash, inputs_hash, last_no"
    whole = (store.rows(f"SELECT {columns} FROM batch WHERE {newest}", [at]) or start)[0]  # noqa: S608 -- our own names
    inputs = store.rows(
        """SELECT coalesce(max(last_no), 0) AS no FROM batch
           WHERE known_from <= ? AND kind <> 'publication' AND last_no >= first_no""",
        [at],
    )
    return Head(whole["last_no"], whole["hash"], inputs[0]["no"], whole["inputs_hash"])


def documents(
    store: Store, kind: str, *, without: str | None = None, ledger_no: int | None = None, having: str | None = None
) -> list[Document]:
    """Return every document of a kind, oldest first, or the one of a number, or JSON ``having`` something at a path.

    JSON comes ``without`` one of its members.
    """
    if ledger_no is not None:
        return _documents(store, kind, without, "AND ledger_no = ?", [ledger_no])
    if having is not None:
        return _documents(store, kind, without, "AND json_type(CAST(body AS TEXT), ?) IS NOT NULL", [having])
    return _documents(store, kind, without, "", [])


def newest_first(store: Store, kind: str, *, without: str | None = None) -> Iterator[Document]:
    """Yield every document of a kind, newest first, reading a few at a time; JSON ``without`` one of its members."""
    before = _FOREVER
    while found := _documents(
        store, kind, without, f"AND ledger_no < ? ORDER BY ledger_no DESC LIMIT {_FEW}", [before]
    ):
        yield from reversed(found)
        before = found[0].ledger_no


def _documents(store: Store, kind: str, without: str | None, which: str, by: list[int | str]) -> list[Document]:
    """Return the documents of a kind ``which`` are asked for, oldest first."""
    body = "body" if without is None else f"CAST(json_remove(CAST(body AS TEXT), '$.{without}') AS BLOB) AS body"
    found = store.rows(
        f"""SELECT ledger_no, document.kind, document.sha256, {body}, recorded_at
            FROM document JOIN batch USING (batch_no) WHERE document.kind = ? {which}""",  # noqa: S608 -- our own names
        [kind, *by],
    )
    made = (Document(**{**row, "recorded_at": moment(row["recorded_at"])}) for row in found)
    return sorted(made, key=lambda document: document.ledger_no)


def newest(store: Store, kind: str) -> bytes | None:
    """Return the body of the newest document of a kind, if there is any."""
    found = store.rows("SELECT body FROM document WHERE kind = ? ORDER BY ledger_no DESC LIMIT 1", [kind])
    return found[0]["body"] if found else None


def senders(store: Store, sha256: str) -> tuple[str, ...]:
    """Return the sources from which a file with these bytes came, in order of arrival."""
    batches = store.select("batch", "sha256 = ? AND kind = 'ingest'", [sha256]).to_pylist()
    return tuple(dict.fromkeys(batch["source"] for batch in batches))


def item(store: Store, ledger_no: int) -> dict[str, Any] | None:
    """Return what the entry with that number was, or ``None``."""
    found = store.rows(
        """SELECT ledger_no, entry.kind, entry.batch_no, entry.source, source_ref, entry.first_no, stands_no, revision,
                  known_at, recorded_at
           FROM entry JOIN batch USING (batch_no) WHERE ledger_no = ?""",
        [ledger_no],
    ) or store.rows(
        """SELECT ledger_no, document.kind, document.batch_no, document.sha256, recorded_at
           FROM document JOIN batch USING (batch_no) WHERE ledger_no = ?""",
        [ledger_no],
    )
    if not found:
        return None
    times: dict[str, Any] = {name: moment(found[0][name]) for name in ("recorded_at", "known_at") if name in found[0]}
    named = {"report_id": f"R-{found[0]['first_no']}"} if found[0]["kind"] in schema.STATEMENTS else {}
    return {**found[0], **times, **named}
