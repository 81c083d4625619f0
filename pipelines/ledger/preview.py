"""What would become of each row of a file, and why?

The same judgement as when the file is appended, told row by row; nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pandas as pd

from pipelines.ledger import canonical, schema
from pipelines.ledger.append import as_batch, judge, repeats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from geo.theatre import Source
    from pipelines.ledger.append import Judged
    from pipelines.ledger.records import Batch, Known, Reading
    from pipelines.ledger.store import Store

_COLUMNS: Final = {"row_no": "int64", "becomes": "str", "code": "str", "why": "str"}
_COMPARED: Final = tuple(name for name in canonical.SAID if name not in {"kind", "source_ref"})
_BEATS: Final = {
    "heartbeat": "it says when and where its source could see",
    "outage": "it says when and where its source could not see",
}


@dataclass(frozen=True, eq=False)
class Preview:
    """What would become of a file, with the counts and numbers that it would get.

    ``rows`` has, for each record in file order, ``row_no``, ``becomes`` (one of the counts of ``Batch``), ``code``
    (the reason's code where it would be quarantined) and ``why``. Where ``batch.repeated``, the same bytes came before
    and nothing would be added.
    """

    batch: Batch
    rows: pd.DataFrame


def preview(
    store: Store,
    reading: Reading,
    *,
    source: Source,
    sha256: str | None,
    recorded_at: datetime,
    known: Known,
    capped: bool,
) -> Preview:
    """Return what would become of a reading now; see ``Ledger.preview``."""
    found = judge(store, reading, source=source, recorded_at=recorded_at, known=known, capped=capped)
    refused = ((row["row_no"], "quarantined", row["reason_code"], row["reason"]) for row in found.refused)
    rows = pd.DataFrame([*_kept(found), *refused], columns=list(_COLUMNS)).astype(_COLUMNS)
    rows = rows.sort_values("row_no", kind="stable", ignore_index=True)
    earlier = None if sha256 is None else repeats(store, source, sha256)
    return Preview(as_batch(found.header) if earlier is None else as_batch(earlier, repeated=True), rows)


def _kept(found: Judged) -> Iterator[tuple[int, str, str | None, str]]:
    """Yield row number, fate and reason of each row that would not be quarantined."""
    reasons = _Reasons(found)
    columns = [found.rows["row_no"], found.fates["fate"], found.fates["subject_no"], found.rows["kind"]]
    for at, (row_no, fate, subject_no, kind) in enumerate(zip(*columns, strict=True)):
        if fate in schema.BEATS:
            yield row_no, "heartbeat", None, _BEATS[fate]
        elif fate in reasons.of:
            yield row_no, fate, None, reasons.of[fate](at, subject_no, kind)


class _Reasons:
    """Why does a row become what it becomes?"""

    def __init__(self, found: Judged) -> None:
        self._found, self._rows = found, found.rows
        self._first_no = found.header["first_no"]
        self._row_of = dict(zip(found.fates["ledger_no"], self._rows["row_no"], strict=True))
        self._same = _first_said(found)
        self._changes = dict(_changes(found))
        self.of: dict[str, Callable[[int, int, str], str]] = {
            "new": lambda *_: "its source has not reported this item before",
            "duplicate": self._duplicate,
            "revision": self._revision,
            "conflict": self._conflict,
            "retraction": lambda _, subject_no, __: f"it takes back {self._item(subject_no)}",
        }

    def _item(self, number: int) -> str:
        before = number < self._first_no
        return f"R-{number}" if before else f"what row {self._row_of[number]} of this file says"

    def _duplicate(self, at: int, _: int, kind: str) -> str:
        if kind == "retraction":
            return "its item has been taken back already"
        return f"the same was said by {self._same[_key(self._rows, at)]}"

    def _revision(self, at: int, subject_no: int, _: str) -> str:
        changed = self._changes[at]
        said = f"it changes {changed} of" if changed else "it states again, as it was,"
        return f"{said} {self._item(subject_no)}"

    def _conflict(self, at: int, subject_no: int, _: str) -> str:
        said = f"it differs in {self._changes[at] or 'nothing'} from {self._item(subject_no)}"
        return f"{said}, and its source is not authoritative for its ids: both are kept"


def _key(rows: pd.DataFrame, at: int) -> tuple[str, str]:
    return str(rows["subject"].iloc[at]), str(rows["content"].iloc[at])


def _first_said(found: Judged) -> dict[tuple[str, str], str]:
    """Return where each content was said first: an entry of the ledger, or a row of the file."""
    rows, met = found.rows, found.met
    own = zip(rows["subject"], rows["content"], rows["row_no"], strict=True)
    said = {(subject, content): f"row {row_no} of this file" for subject, content, row_no in reversed(list(own))}
    earlier = zip(met["subject"], met["content"], met["kind"], met["first_no"], met["ledger_no"], strict=True)
    for subject, content, kind, first_no, ledger_no in earlier:
        said[subject, content] = f"R-{first_no}" if kind in schema.STATEMENTS else f"entry {ledger_no}"
    return said


def _changes(found: Judged) -> Iterator[tuple[int, str]]:
    """Yield for each revision and conflict which columns differ from what its item said last."""
    fates = found.fates["fate"].reset_index(drop=True)
    subjects = found.rows.loc[fates.isin(["revision", "conflict"]).to_numpy(), "subject"]
    met = found.met[found.met["subject"].isin(subjects) & (found.met["kind"] != "retraction")]
    rows = found.rows[found.rows["subject"].isin(subjects) & fates.isin(["new", "revision", "conflict"]).to_numpy()]
    last = dict(_said(met))
    for at, (subject, values) in zip(rows.index, _said(rows), strict=True):
        before = last.get(subject, values)
        pairs = zip(_COMPARED, before, values, strict=True)
        yield at, ", ".join(name for name, old, new in pairs if old != new)
        if fates[at] != "conflict":
            last[subject] = values


def _said(rows: pd.DataFrame) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the subject of each row and what it says, column by column, in canonical text."""
    columns = (canonical.lines(rows, [name]).to_pylist() for name in _COMPARED)
    return zip(rows["subject"], zip(*columns, strict=True), strict=True)
