"""How is the ledger's file opened, read and written?

Everything goes through one driver, ADBC: rows travel as Arrow both ways, inside ordinary transactions. The standard
library's ``sqlite3`` is another copy of SQLite, and two copies in one process must never open the same file: closing
one drops the locks of the other (sqlite.org/howtocorrupt.html, section 2.2.1). So nothing else may open the ledger.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Literal

import adbc_driver_manager
import adbc_driver_sqlite.dbapi as adbc
import pyarrow as pa

from geo.errors import CeasewatchError, PolicyError
from pipelines.ledger import chain, schema
from pipelines.ledger.lock import LedgerBusy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# The driver infers a column's type from its first batch of rows; one batch for everything leaves it nothing to guess.
# It sets memory aside for a whole batch in every column, and ends the process where there is none: so the batch is no
# larger than what the file can hold, and where whole rows are read, than their table is, or what is asked for.
_BATCH: Final = "adbc.sqlite.query.batch_rows"
_FEWEST: Final = 1 << 16  # rows of a batch
_ROW: Final = 64  # bytes; a row of any table bears a hash or a document
_FAULTS: Final = (
    ("disk is full", errno.ENOSPC, "no space is left; what was being recorded is not. Make room, then do it again"),
    ("readonly", errno.EROFS, "may not be written; check the rights of the folder and its file system"),
    (
        "unable to open",
        errno.EIO,
        "cannot be opened; check the rights of the folder, its file system, and whether space is left",
    ),
    (
        "disk I/O error",
        errno.EIO,
        "the disk failed, or no space is left; what was being recorded is not. Mend it, then do it again",
    ),
)
_SETTINGS: Final = (
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "busy_timeout=30000",
    "synchronous=FULL",
    "cache_size=-65536",
)


class LedgerDamaged(CeasewatchError):  # noqa: N818 -- it is a state of the ledger
    """The ledger's file is not as it was written; the text says where it is and what to do."""


class Store:
    """An open ledger file; close it when done.

    Parameters
    ----------
    path
        The file.
    mode
        ``ro`` to read one unchanging state, ``rw`` to write, ``rwc`` to make the file, ``immutable`` to read a file
        that nobody can write.
    """

    def __init__(self, path: Path, mode: Literal["ro", "rw", "rwc", "immutable"]) -> None:
        self.path = path
        asked = "mode=ro&immutable=1" if mode == "immutable" else f"mode={mode}"
        self._connection = adbc.connect(f"{path.absolute().as_uri()}?{asked}", autocommit=True)
        try:
            for setting in _SETTINGS:
                self.query(f"PRAGMA {setting}")
        except BaseException:
            self._connection.close()
            raise

    def query(self, sql: str, parameters: Sequence[int | str | bytes] = (), *, most: int | None = None) -> pa.Table:
        """Run one statement and return its rows, ``most`` at most; a column without values comes as int64.

        Raises
        ------
        LedgerDamaged
            If the file is not as it was written.
        LedgerBusy
            If another program holds it.
        OSError
            If the disk is full, fails, or may not be written.
        """
        with self._told(), self._connection.cursor() as cursor:
            cursor.adbc_statement.set_options(**{_BATCH: str(self._most() if most is None else most)})
            cursor.execute(sql, list(parameters) or None)
            return cursor.fetch_arrow_table()

    def _most(self) -> int:
        """Return how many rows an answer can have."""
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        size = sum(file.stat().st_size for file in files if file.exists())
        return max(_FEWEST, size // _ROW)

    def rows(self, sql: str, parameters: Sequence[int | str | bytes] = ()) -> list[dict[str, Any]]:
        """Run one statement and return its rows as dictionaries."""
        found: list[dict[str, Any]] = self.query(sql, parameters).to_pylist()
        return found

    def select(
        self, table: str, where: str, parameters: Sequence[int | str | bytes] = (), *, most: int | None = None
    ) -> pa.Table:
        """Return whole rows of a table, ``most`` at most, typed as declared; ``where`` is all after that word."""
        names = ", ".join(f"{table}.{name}" for name in schema.COLUMNS[table])
        last = most or self.query(f"SELECT max(rowid) AS no FROM {table}", most=1)["no"][0].as_py() or 1  # noqa: S608 -- our own names
        found = self.query(f"SELECT {names} FROM {table} WHERE {where}", parameters, most=last)  # noqa: S608 -- our own names
        return pa.table([_typed(found[field.name], field.type) for field in schema.arrow(table)], schema.arrow(table))

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows with the declared columns; inside ``transaction`` only."""
        if rows.num_rows:
            with self._told(), self._connection.cursor() as cursor:
                cursor.adbc_ingest(table, rows.select(list(schema.COLUMNS[table])), mode="append")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what a fault of the database means for the user."""
        try:
            yield
        except adbc_driver_manager.Error as fault:
            raise _meaning(self.path, fault) from fault

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """Do everything inside, or nothing; durable when it ends."""
        self.query("BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            yield
        except BaseException:
            with suppress(Exception):  # SQLite rolls back by itself where the disk is full
                self.query("ROLLBACK")
            raise
        self.query("COMMIT")

    def freeze(self) -> None:
        """From here on read one state of the file, whatever others write."""
        self.query("BEGIN")
        self.query("SELECT only FROM ledger")

    def close(self) -> None:
        """Give the file back; what is not committed is rolled back."""
        self._connection.close()


def _meaning(path: Path, fault: adbc_driver_manager.Error) -> Exception:
    """Return the fault as the user can act on it; itself where it is ours."""
    text = str(fault)
    for sign, number, sentence in _FAULTS:
        if sign in text:
            return OSError(number, sentence, str(path))
    if any(sign in text for sign in ("malformed", "not a database", "Invalid UTF-8", "invalid UTF-8")):
        msg = f"{path}: the ledger is damaged ({text}); see `ceasewatch verify`, and restore it from a backup"
        return LedgerDamaged(msg)
    if "Cannot allocate memory" in text:
        return MemoryError(text)
    if "locked" in text:
        return LedgerBusy(f"{path}: another program holds this file ({text}); close it, and try again")
    return fault


def _typed(column: pa.ChunkedArray, dtype: pa.DataType) -> pa.ChunkedArray:
    if column.null_count == len(column):
        return pa.chunked_array([pa.nulls(len(column), dtype)])
    return column.cast(dtype)


def make(path: Path, *, replay: bool, created_at: int) -> None:
    """Make an empty ledger file: beside its place first, so that a half-made one never stands there.

    Raises
    ------
    PolicyError
        If there is a file already.
    """
    if path.exists():
        msg = f"{path}: there is a ledger already; choose another workspace"
        raise PolicyError(msg)
    start = chain.genesis(replay=replay, created_at=created_at).hash
    row = {"only": 1, "replay": int(replay), "created_at": created_at, "genesis": start}
    beside = path.with_name(path.name + ".new")
    for left in (beside, *(beside.with_name(beside.name + end) for end in ("-wal", "-shm"))):
        left.unlink(missing_ok=True)
    store = Store(beside, "rwc")
    try:
        _lay(store, pa.Table.from_pylist([row], schema.arrow("ledger")))
    finally:
        store.close()
    beside.rename(path)
    sync_folder(path.parent)


def _lay(store: Store, ledger: pa.Table) -> None:
    store.query("PRAGMA journal_mode=WAL")
    with store.transaction():
        for statement in schema.statements():
            store.query(statement)
        store.query(f"PRAGMA application_id={schema.APPLICATION_ID}")
        store.query(f"PRAGMA user_version={schema.VERSION}")
        store.insert("ledger", ledger)


def open_store(path: Path, *, write: bool) -> Store:
    """Open a ledger that exists.

    Raises
    ------
    PolicyError
        If there is none, or the file is something else, or a later version made it.
    """
    if not path.is_file():
        msg = f"{path}: there is no ledger here; make a workspace with `ceasewatch init`"
        raise PolicyError(msg)
    store = None
    try:
        store = Store(path, "rw" if write else "immutable" if _is_fixed(path) else "ro")
        _check(store)
        if not write:
            store.freeze()
    except BaseException as fault:
        if store is not None:
            store.close()
        if isinstance(fault, adbc_driver_manager.Error | LedgerDamaged):
            msg = f"{path}: cannot be opened as a ledger ({fault}); restore it from a copy"
            raise PolicyError(msg) from fault
        raise
    return store


def _is_fixed(path: Path) -> bool:
    """Tell whether nobody can write here and nothing is left in the log: SQLite then needs no files beside its own."""
    log = path.with_name(path.name + "-wal")
    return not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)


def _check(store: Store) -> None:
    found = store.rows("PRAGMA application_id")[0]["application_id"]
    version = store.rows("PRAGMA user_version")[0]["user_version"]
    if found != schema.APPLICATION_ID:
        msg = f"{store.path}: this file is no ledger; name the workspace's ledger"
        raise PolicyError(msg)
    if version != schema.VERSION:
        msg = f"{store.path}: ledger of format {version}, this program knows {schema.VERSION}; use the one that made it"
        raise PolicyError(msg)


def copy(path: Path, to: Path) -> None:
    """Write a copy of a ledger as it stands at one moment, while others write; ``to`` must not exist."""
    source = Store(path, "immutable" if _is_fixed(path) else "ro")
    try:
        source.query("VACUUM INTO ?", [str(to)])
    finally:
        source.close()
    made = Store(to, "rw")
    try:
        made.query("PRAGMA journal_mode=WAL")  # the copy of a file does not take over its mode
    finally:
        made.close()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
