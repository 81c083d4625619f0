"""What does each row of a file add to what is known of its subject?

A subject is what one source speaks of under one id of its own. Every row has exactly one fate; the rules are numbered
as in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ledger import schema
from pipelines.ledger.canonical import DECIDING, lines

if TYPE_CHECKING:
    from collections.abc import Iterable

STORED: Final = (*schema.STATEMENTS, *schema.BEATS)
#: Numbers that a stored row carries besides its own; provisional ones are negative: -1 is the first row of the file.
_LINKS: Final = ("subject_no", "first_no", "stands_no")


@dataclass
class _Subject:
    """What is known of a subject so far; numbers are ledger numbers, or provisional."""

    subject_no: int
    stands_no: int
    deciding: str
    known_at: int
    revision: int = 1
    retracted: bool = False
    broken: bool = False  # retracted since its first item was last stated

    def retract(self, known_at: int) -> tuple[str, int, int, int, int, int]:
        self.known_at = max(self.known_at, known_at)
        self.retracted = self.broken = True
        return "retraction", self.subject_no, self.subject_no, self.stands_no, self.revision, self.known_at

    def revise(self, no: int, deciding: str, known_at: int) -> tuple[str, int, int, int, int, int]:
        self.known_at = max(self.known_at, known_at)
        if self.broken or deciding != self.deciding:
            self.stands_no, self.deciding = no, deciding
        self.revision += 1
        self.retracted = self.broken = False
        return "revision", self.subject_no, self.subject_no, self.stands_no, self.revision, self.known_at

    def contradict(self, no: int, known_at: int) -> tuple[str, int, int, int, int, int]:
        self.known_at = max(self.known_at, known_at)
        self.retracted = False
        return "conflict", self.subject_no, no, no, 1, self.known_at


def classify(rows: pd.DataFrame, known: pd.DataFrame, *, authoritative: bool, next_no: int) -> pd.DataFrame:
    """Return the fate of each row, in file order, and the numbers that it gets.

    Parameters
    ----------
    rows
        Normalised intake, with ``subject``, ``content`` (hex) and ``known_at`` (µs since 1970, as its source or the
        clock says).
    known
        Earlier entries of these subjects, in order of ``ledger_no``, with ``subject`` and ``content`` likewise.
    authoritative
        Whether the source may revise its own items.
    next_no
        Ledger number of the first row that is stored.

    Returns
    -------
    pandas.DataFrame
        ``fate`` (a kind of ``entry``, ``duplicate``, ``unknown_item`` or ``no_source_ref``), ``ledger_no``,
        ``subject_no``, ``first_no``, ``stands_no``, ``revision`` and ``known_at``; the numbers are 0 where nothing is
        stored. ``known_at`` never falls along the entries of a subject.
    """
    fates = _unrepeated(rows, known)
    open_rows = fates["fate"] == ""
    again = rows.loc[open_rows, "subject"].duplicated(keep=False).reindex(rows.index, fill_value=False)
    involved = open_rows & (again | _among(rows["subject"], known["subject"]))
    alone = open_rows & ~involved
    fates.loc[alone, "fate"] = np.where(rows.loc[alone, "kind"] == "report", "new", "unknown_item")
    _settle(
        fates,
        rows[involved],
        known[_among(known["subject"], rows.loc[involved, "subject"])],
        authoritative=authoritative,
    )
    return _numbered(fates, next_no)


def _unrepeated(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    own = -1 - np.arange(len(rows))
    fates = pd.DataFrame(
        {"fate": "", "revision": 1, "known_at": rows["known_at"], **dict.fromkeys(_LINKS, own)}, index=rows.index
    )
    retraction = rows["kind"] == "retraction"
    # RULE 1 what is known by its content, or said before under the same id, is a duplicate
    said = rows["subject"] + "=" + rows["content"]
    repeated = said[~retraction].duplicated().reindex(rows.index, fill_value=False)
    again = _among(said, known["subject"] + "=" + known["content"]) | repeated
    beat = rows["kind"].isin(schema.BEATS)
    fates["fate"] = np.select(
        [~retraction & again, beat, retraction & rows["source_ref"].isna()],
        ["duplicate", rows["kind"], "no_source_ref"],
        default="",
    )
    return fates


def _among(texts: pd.Series[Any], others: pd.Series[Any]) -> pd.Series[bool]:
    """Say of each text whether it is among the others; ``Series.isin`` takes seconds for 100,000 texts."""
    found = pc.is_in(pa.array(texts), value_set=pa.array(others))
    return pd.Series(found.to_numpy(zero_copy_only=False), index=texts.index, dtype=bool)


def _settle(fates: pd.DataFrame, rows: pd.DataFrame, known: pd.DataFrame, *, authoritative: bool) -> None:
    subjects = _so_far(known)
    settled = []
    each = zip(
        rows.index,
        rows["kind"],
        rows["subject"],
        lines(rows, DECIDING).to_pylist(),
        rows["known_at"].tolist(),
        strict=True,
    )
    for index, kind, subject, deciding, known_at in each:
        no, state = -1 - index, subjects.get(subject)
        if kind == "retraction":
            # RULE 2 a retraction of what is known and stands; again: a duplicate; of nothing: refused
            settled.append(_retraction(state, no, known_at))
        elif state is None:
            # RULE 3 an unknown item is new
            subjects[subject] = _Subject(no, no, deciding, known_at)
            settled.append(("new", no, no, no, 1, known_at))
        elif authoritative:
            # RULE 4 other content revises where the source has authority over its ids
            settled.append(state.revise(no, deciding, known_at))
        else:
            # RULE 5 elsewhere it is a conflict, an item of its own
            settled.append(state.contradict(no, known_at))
    columns = ["fate", *_LINKS, "revision", "known_at"]
    fates.loc[rows.index, columns] = pd.DataFrame(settled, index=rows.index, columns=columns)


def _retraction(state: _Subject | None, no: int, known_at: int) -> tuple[str, int, int, int, int, int]:
    if state is None:
        return "unknown_item", no, no, no, 1, known_at
    if state.retracted:
        return "duplicate", no, no, no, 1, known_at
    return state.retract(known_at)


def _so_far(known: pd.DataFrame) -> dict[str, _Subject]:
    subjects: dict[str, _Subject] = {}
    deciding = lines(known.assign(kind="report"), DECIDING).to_pylist()
    names = ["subject", "kind", "subject_no", "first_no", "stands_no", "revision", "known_at"]
    each: Iterable[tuple[str, str, int, int, int, int, int]] = known[names].itertuples(index=False, name=None)
    for (subject, kind, subject_no, first_no, stands_no, revision, known_at), words in zip(each, deciding, strict=True):
        state = subjects.setdefault(subject, _Subject(subject_no, stands_no, words, known_at))
        state.known_at = max(state.known_at, known_at)
        state.retracted = kind == "retraction"
        if kind == "retraction":
            state.broken = True
        elif first_no == subject_no:
            state.stands_no, state.revision, state.deciding, state.broken = stands_no, revision, words, False
    return subjects


def _numbered(fates: pd.DataFrame, next_no: int) -> pd.DataFrame:
    stored = fates["fate"].isin(STORED).to_numpy()
    numbers = np.where(stored, next_no - 1 + np.cumsum(stored), 0)
    for name in _LINKS:
        links = fates[name].to_numpy("int64")
        within = numbers[np.clip(-1 - links, 0, len(fates) - 1)] if len(fates) else links
        fates[name] = np.where(stored, np.where(links < 0, within, links), 0)
    return fates.assign(ledger_no=numbers)
