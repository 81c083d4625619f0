"""What does the ledger's file hold, and what does it refuse by itself?

Five tables, each append-only by trigger. ``entry``, ``document`` and ``batch`` number their rows without gaps, and a
batch cannot be closed unless its counts are those of the rows that were written. The columns are listed here and not
taken from ``geo.reports``: a file keeps the shape that it was made with. Times are microseconds since 1970 in UTC.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

APPLICATION_ID: Final = 0x43574C47  # "CWLG"
VERSION: Final = 2
ROWS_A_READ: Final = 65_536  # keeps every text column of one read far below the 2 GiB that its offsets can address

#: What a batch can hold, in the order in which its counts stand; the rest of its rows are duplicates or quarantined.
STATEMENTS: Final = ("new", "revision", "conflict", "retraction")
BEATS: Final = ("heartbeat", "outage")
COUNTS: Final = ("rows", "new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")

_TYPES: Final = {"INTEGER": pa.int64(), "REAL": pa.float64(), "TEXT": pa.string(), "BLOB": pa.binary()}

COLUMNS: Final[dict[str, dict[str, str]]] = {
    "ledger": {
        "only": "INTEGER PRIMARY KEY CHECK (only = 1)",
        "replay": "INTEGER NOT NULL CHECK (replay IN (0, 1))",
        "created_at": "INTEGER NOT NULL",
        "genesis": "TEXT NOT NULL",
    },
    "batch": {
        "batch_no": "INTEGER PRIMARY KEY",
        "kind": "TEXT NOT NULL CHECK (kind IN ('ingest', 'document', 'publication'))",
        "source": "TEXT",
        "file_name": "TEXT",
        "sha256": "TEXT NOT NULL",
        "known": "TEXT NOT NULL CHECK (known IN ('recorded', 'observed', 'reported'))",
        "recorded_at": "INTEGER NOT NULL",
        "known_from": "INTEGER NOT NULL",
        **{f"rows_{name}" if name != "rows" else name: "INTEGER NOT NULL" for name in COUNTS},
        "first_no": "INTEGER NOT NULL",
        "last_no": "INTEGER NOT NULL",
        "previous": "TEXT NOT NULL",
        "hash": "TEXT NOT NULL",
        "inputs_hash": "TEXT NOT NULL",
    },
    "entry": {
        "ledger_no": "INTEGER PRIMARY KEY",
        "batch_no": "INTEGER NOT NULL",
        "row_no": "INTEGER NOT NULL",
        "kind": "TEXT NOT NULL CHECK (kind IN ('new', 'revision', 'conflict', 'retraction', 'heartbeat', 'outage'))",
        "source": "TEXT NOT NULL",
        "source_ref": "TEXT",
        "observed_from": "INTEGER",
        "observed_to": "INTEGER",
        "lon": "REAL",
        "lat": "REAL",
        "uncertainty_m": "REAL",
        "act": "TEXT",
        "domain": "TEXT",
        "weapon": "TEXT",
        "direction": "TEXT",
        "count_low": "INTEGER",
        "count_best": "INTEGER",
        "count_high": "INTEGER",
        "killed": "INTEGER",
        "injured": "INTEGER",
        "party_claimed": "TEXT",
        "origin": "TEXT",
        "reported_at": "INTEGER",
        "text": "TEXT",
        "url": "TEXT",
        "footprint": "TEXT",
        "means": "TEXT",
        "credibility": "INTEGER",
        "subject_key": "INTEGER NOT NULL",
        "subject_no": "INTEGER NOT NULL CHECK (subject_no <= ledger_no)",
        "first_no": "INTEGER NOT NULL CHECK (first_no <= ledger_no)",
        "stands_no": "INTEGER NOT NULL CHECK (stands_no <= ledger_no)",
        "revision": "INTEGER NOT NULL CHECK (revision >= 1)",
        "known_at": "INTEGER NOT NULL",
        "content": "BLOB NOT NULL CHECK (length(content) = 32)",
    },
    "quarantine": {
        "quarantine_no": "INTEGER PRIMARY KEY",
        "batch_no": "INTEGER NOT NULL",
        "row_no": "INTEGER NOT NULL",
        "reason_code": "TEXT NOT NULL",
        "reason": "TEXT NOT NULL",
        "raw_sha256": "TEXT NOT NULL",
        "raw": "BLOB",
    },
    "document": {
        "ledger_no": "INTEGER PRIMARY KEY",
        "batch_no": "INTEGER NOT NULL",
        "kind": "TEXT NOT NULL",
        "sha256": "TEXT NOT NULL",
        "body": "BLOB NOT NULL",
    },
}

#: Columns of the header that the hash of a batch does not cover, because they hold it, and raw bytes, which are
#: covered by their own SHA-256, so that they can be erased without breaking the chain.
UNHASHED: Final = {"batch": {"previous", "hash", "inputs_hash"}, "quarantine": {"raw"}}

_LAST_NO: Final = """max(coalesce((SELECT max(ledger_no) FROM entry), 0),
                         coalesce((SELECT max(ledger_no) FROM document), 0))"""
_NEXT_BATCH: Final = "1 + coalesce((SELECT max(batch_no) FROM batch), 0)"
_LAST_BATCH: Final = "FROM batch ORDER BY batch_no DESC LIMIT 1"

_RULES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "ledger": (("there is one ledger in a file", "EXISTS (SELECT 1 FROM ledger)"),),
    "entry": (
        ("ledger number out of sequence", f"new.ledger_no IS NOT 1 + {_LAST_NO}"),
        ("entry outside of its batch", f"new.batch_no IS NOT {_NEXT_BATCH}"),
    ),
    "document": (
        ("ledger number out of sequence", f"new.ledger_no IS NOT 1 + {_LAST_NO}"),
        ("document outside of its batch", f"new.batch_no IS NOT {_NEXT_BATCH}"),
    ),
    "quarantine": (
        (
            "quarantine number out of sequence",
            "new.quarantine_no IS NOT 1 + coalesce((SELECT max(quarantine_no) FROM quarantine), 0)",
        ),
        ("quarantined row outside of its batch", f"new.batch_no IS NOT {_NEXT_BATCH}"),
    ),
    "batch": (
        ("batch number out of sequence", f"new.batch_no IS NOT {_NEXT_BATCH}"),
        ("ledger numbers out of sequence", f"new.first_no IS NOT 1 + coalesce((SELECT last_no {_LAST_BATCH}), 0)"),
        ("recorded_at runs backwards", f"new.recorded_at < (SELECT recorded_at {_LAST_BATCH})"),
        (
            "hash chain broken",
            f"new.previous IS NOT coalesce((SELECT hash {_LAST_BATCH}), (SELECT genesis FROM ledger))",  # noqa: S608 -- our own text
        ),
        (
            "counts differ from the rows written",
            """(new.rows_new, new.rows_revision, new.rows_conflict, new.rows_retraction, new.rows_heartbeat) IS NOT
               (SELECT count(*) FILTER (WHERE kind = 'new'), count(*) FILTER (WHERE kind = 'revision'),
                       count(*) FILTER (WHERE kind = 'conflict'), count(*) FILTER (WHERE kind = 'retraction'),
                       count(*) FILTER (WHERE kind IN ('heartbeat', 'outage'))
                FROM entry WHERE ledger_no >= new.first_no)
               OR new.rows_quarantined IS NOT (SELECT count(*) FROM quarantine WHERE batch_no = new.batch_no)
               OR (new.kind <> 'ingest') IS NOT (SELECT count(*) FROM document WHERE ledger_no >= new.first_no)""",
        ),
    ),
}

_BATCH_CHECKS: Final = """,
  CHECK (rows = rows_new + rows_revision + rows_duplicate + rows_conflict + rows_retraction + rows_heartbeat
                + rows_quarantined),
  CHECK (min(rows_new, rows_revision, rows_duplicate, rows_conflict, rows_retraction, rows_heartbeat,
             rows_quarantined) >= 0),
  CHECK (last_no - first_no + 1 = rows_new + rows_revision + rows_conflict + rows_retraction + rows_heartbeat
                                  + (kind <> 'ingest'))"""


def arrow(table: str) -> pa.Schema:
    """Return the table's columns in their order, as Arrow types."""
    return pa.schema([(name, _TYPES[sql.split()[0]]) for name, sql in COLUMNS[table].items()])


def hashed(table: str) -> list[str]:
    """Return the names of the columns that the hash of a batch covers, in order."""
    return [name for name in COLUMNS[table] if name not in UNHASHED.get(table, ())]


def _table(name: str) -> str:
    columns = ",\n  ".join(f"{column} {sql}" for column, sql in COLUMNS[name].items())
    return f"CREATE TABLE {name} (\n  {columns}{_BATCH_CHECKS if name == 'batch' else ''}\n) STRICT"


def _triggers(name: str) -> list[str]:
    rules = "\n".join(f"  SELECT RAISE(ABORT, '{why}') WHERE {when};" for why, when in _RULES[name])
    return [
        f"CREATE TRIGGER {name}_insert BEFORE INSERT ON {name} BEGIN\n{rules}\nEND",
        *(
            f"CREATE TRIGGER {name}_{what.lower()} BEFORE {what} ON {name} BEGIN\n"
            f"  SELECT RAISE(ABORT, 'append-only');\nEND"
            for what in ("UPDATE", "DELETE")
        ),
    ]


def trigger(name: str) -> str:
    """Return the statement that makes the trigger of that name."""
    start = f"CREATE TRIGGER {name} "
    return next(sql for table in COLUMNS for sql in _triggers(table) if sql.startswith(start))


def statements() -> list[str]:
    """Return the statements that make an empty ledger, in order."""
    return [
        *(_table(name) for name in COLUMNS),
        "CREATE INDEX entry_subject ON entry (subject_key)",
        "CREATE INDEX batch_file ON batch (sha256)",
        "CREATE INDEX quarantine_batch ON quarantine (batch_no)",
        *(trigger for name in COLUMNS for trigger in _triggers(name)),
    ]
