"""What does a person's file of commands say, and what does the ledger keep of it?

A command is a document of kind ``review``: every row is kept as it was given, with what is wrong with it, so that it
can be answered. Two rows are the same command when they say the same. Who decided stands there in clear: a decision has
a person.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

import pandas as pd
import pyarrow as pa

from geo import reviews
from geo.books import COMMANDS_TABLE
from geo.errors import InputError, PolicyError
from pipelines.layers import swap
from pipelines.layers.fault import PublicationError, unwritten
from pipelines.layers.proof import prove_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipelines.ledger import Ledger

KIND: Final = "review"
FILE: Final = "reviews.gpkg"
REQUIRED: Final = ("command", "target", "reviewer", "reason", "at")
_TIMES: Final = ("at", "expires")
COLUMNS: Final = tuple(COMMANDS_TABLE.names)
_FORM: Final = 1


@dataclass(frozen=True)
class Entry:
    """One row as it was given: text by column, empty where it says nothing, times as ISO 8601 in UTC where readable.

    ``fault`` says why it cannot be read. ``raw`` is the SHA-256 of the file as it came, ``None`` for a GeoPackage,
    which stays with the analysts. ``known_at`` (aware UTC) is stated in a replay workspace only.
    """

    said: tuple[str, ...]
    fault: str | None
    file: str
    raw: str | None
    known_at: datetime | None = None

    @classmethod
    def of(cls, row: Mapping[str, str], fault: str | None, file: str, raw: str | None) -> Self:
        """Read one row."""
        plain = {name: _plain(row.get(name) or "") for name in COLUMNS}
        plain["command"] = plain["command"].lower()
        plain["target"] = plain["target"].upper()
        for name in _TIMES:
            plain[name], wrong = _time(plain[name], name)
            fault = fault or wrong
        return cls(tuple(plain[name] for name in COLUMNS), fault, file, raw)

    @property
    def row(self) -> dict[str, str]:
        """What it says, by column."""
        return dict(zip(COLUMNS, self.said, strict=True))

    @property
    def content(self) -> tuple[str, ...]:
        """What makes it the same command as another: all that it says, the person compared as such."""
        row = self.row
        return (*(value for name, value in row.items() if name != "reviewer"), reviews.person(row["reviewer"]))

    def as_decided(self) -> Entry:
        """Return it as known from the time of its decision on."""
        at = self.row["at"]
        return self if self.fault or not at else replace(self, known_at=datetime.fromisoformat(at))

    def body(self) -> bytes:
        """Return the entry's canonical text."""
        known_at = None if self.known_at is None else self.known_at.isoformat()
        about = {"form": _FORM, "fault": self.fault, "file": self.file, "raw": self.raw, "known_at": known_at}
        return json.dumps({**about, **self.row}, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return the entry that a document holds."""
        stored: dict[str, Any] = json.loads(body)
        known_at = stored["known_at"]
        return cls(
            tuple(stored[name] for name in COLUMNS),
            stored["fault"],
            stored["file"],
            stored["raw"],
            None if known_at is None else datetime.fromisoformat(known_at),
        )


def _plain(text: str) -> str:
    """Return a text in one line, without signs that steer a screen."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _time(text: str, name: str) -> tuple[str, str | None]:
    """Return a time as ISO 8601 in UTC, or the text as it is and what is wrong with it."""
    if not text:
        return "", None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text, f"{name} {text!r} is no time; write it as 2026-03-01T12:00Z"
    if moment.tzinfo is None:
        return text, f"{name} {text!r} does not say its offset from UTC; write {moment.isoformat(timespec='minutes')}Z"
    return moment.astimezone(UTC).isoformat(), None


def read_csv(data: bytes, file: str, raw: str) -> list[Entry]:
    """Return the rows of a comma-separated file in UTF-8, blank ones left out.

    Raises
    ------
    PolicyError
        If it is not UTF-8, or no header line names the columns.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8"
        raise PolicyError(msg) from error
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(lines, [])]
        _require(header, file)
        return [_entry(header, cells, file, raw) for cells in lines if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        msg = f"{file}: line {lines.line_num}: {error}; check its quotes"
        raise PolicyError(msg) from error


def _require(header: list[str], file: str) -> None:
    missing = [name for name in REQUIRED if name not in header]
    if missing or len(set(header)) < len(header):
        what = f"has no column {', '.join(missing)}" if missing else "names a column twice"
        msg = f"{file}: its first line {what}; it is: {','.join(COLUMNS)}"
        raise PolicyError(msg)


def _entry(header: list[str], cells: list[str], file: str, raw: str) -> Entry:
    more = len(cells) > len(header)
    wrong = f"the row has {len(cells)} cells and the header {len(header)}" if more else None
    return Entry.of(dict(zip(header, cells, strict=False)), wrong, file, raw)


def create(path: Path) -> None:
    """Make an empty GeoPackage for commands, for people to fill; what stands there already is theirs, and stays.

    Raises
    ------
    PublicationError
        If what was written is not what is read back.
    OSError
        If the disk is full or fails.
    """
    from pipelines.layers.write import twice  # noqa: PLC0415 -- who only reads commands waits for no writer

    draft = swap.beside(path)
    try:
        draft.unlink(missing_ok=True)
        twice(draft, _write)
        swap.settle(draft)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        swap.settle(path.parent)
    except (sqlite3.Error, RuntimeError, OSError) as fault:
        if isinstance(fault, PublicationError):
            raise
        raise unwritten(path, fault) from fault
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path) -> None:
    from pipelines import gdal  # noqa: PLC0415 -- likewise

    rows = pa.table({name: pa.array([], pa.string()) for name in COLUMNS})
    gdal.write(rows, path, COMMANDS_TABLE, title="Commands", description="What people decide; read before every run.")
    prove_table(path, COMMANDS_TABLE, rows)


def read_geopackage(path: Path) -> list[Entry]:
    """Return the rows of the table ``commands`` of a GeoPackage that others may be editing: what is committed.

    Raises
    ------
    PolicyError
        If it cannot be read, or has no such table.
    """
    try:
        rows = _committed(path)
    except (sqlite3.Error, InputError) as error:
        msg = f"{path.name}: its commands cannot be read ({error}); mend it, or move it away"
        raise PolicyError(msg) from error
    return [Entry.of(row, None, path.name, None) for row in map(_texts, rows) if any(row.values())]


def _committed(path: Path) -> list[dict[str, object]]:
    """Return what is committed, also what an editor has not yet written through.

    From a copy, and by SQLite itself: GDAL would take a time without an offset for UTC.
    """
    from pipelines.sources.gpkg import secure  # noqa: PLC0415 -- its package has a reader for every format

    source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    with closing(source), closing(sqlite3.connect(":memory:")) as copy:
        source.backup(copy)
        secure(copy, path.name)
        copy.text_factory = str  # what is no text is a mistake, and no command
        copy.row_factory = sqlite3.Row
        return [dict(row) for row in copy.execute("SELECT * FROM commands ORDER BY rowid")]


def _texts(row: Mapping[str, object]) -> dict[str, str]:
    return {name.lower(): "" if value is None else str(value) for name, value in row.items() if name.lower() in COLUMNS}


def entries(ledger: Ledger) -> list[tuple[int, Entry]]:
    """Return every command of the ledger with its number, in order."""
    return [(document.ledger_no, Entry.read(document.body)) for document in ledger.documents(KIND)]


def append(ledger: Ledger, found: Iterable[Entry], at: datetime) -> list[tuple[int, bool]]:
    """Append those that the ledger does not have yet, all or none.

    Return the number of each, and whether it came before, also in the same file.
    """
    found = list(found)
    numbers = {entry.content: number for number, entry in entries(ledger)}
    came = set(numbers)
    new: dict[tuple[str, ...], bytes] = {}
    for entry in found:
        if entry.content not in came:
            new.setdefault(entry.content, entry.body())
    numbers |= zip(new, ledger.put_documents(KIND, new.values(), at), strict=True)
    out = []
    for entry in found:
        out.append((numbers[entry.content], entry.content in came))
        came.add(entry.content)
    return out


def known(
    ledger: Ledger, known_at: datetime | None, up_to_no: int | None = None
) -> tuple[tuple[str, ...], pd.DataFrame]:
    """Return the hashes and the frame (``geo.reviews.REVIEWS``) of the commands known by a moment (``None``: all)."""
    found = [
        (document, entry, entry.known_at or document.recorded_at)
        for document in ledger.documents(KIND)
        for entry in [Entry.read(document.body)]
    ]
    found = [
        (document, entry, since)
        for document, entry, since in found
        if (known_at is None or since <= known_at) and (up_to_no is None or document.ledger_no <= up_to_no)
    ]
    means = _Means(ledger, known_at, up_to_no)
    rows = [
        {
            **{name: value or None for name, value in entry.row.items()},
            "ledger_no": document.ledger_no,
            "known_at": since,
            "fault": entry.fault,
            "subjects": dict(means.subjects(entry)),
        }
        for document, entry, since in found
    ]
    return tuple(document.sha256 for document, _, _ in found), _frame(rows)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(reviews.REVIEWS), dtype="object")
    for name in ("at", "expires", "known_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True, errors="coerce", format="ISO8601")
    return frame.astype(reviews.REVIEWS)


class _Means:
    """Which item does a name mean, by what was known?"""

    def __init__(self, ledger: Ledger, known_at: datetime | None, up_to_no: int | None) -> None:
        self._ledger, self._known_at, self._up_to_no = ledger, known_at, up_to_no
        self._found: dict[int, int | None] = {}

    def subjects(self, entry: Entry) -> Iterator[tuple[str, int]]:
        """Yield each name that a command uses with the first number of the item that it means, where there is one."""
        row = entry.row
        for name in reviews.names(row["target"], row["value"], row["violations"]):
            item = self._item(reviews.number(name))
            if item is not None:
                yield name, item

    def _item(self, number: int) -> int | None:
        if number not in self._found:
            self._found[number] = None  # a command that names itself means nothing
            self._found[number] = self._look(number)
        return self._found[number]

    def _look(self, number: int) -> int | None:
        entry = self._ledger.item(number)
        if entry is None or (self._up_to_no is not None and number > self._up_to_no):
            return None
        if entry["kind"] == KIND:  # an incident that a person's confirmation opened bears the command's number
            target = next(one for no, one in entries(self._ledger) if no == number).row["target"]
            names = reviews.names(target, "", "")
            return self._item(reviews.number(names[0])) if names else None
        late = self._known_at is not None and entry.get("known_at", entry["recorded_at"]) > self._known_at
        return None if late or "report_id" not in entry else int(entry["first_no"])
