"""How do named cells, from whatever container, become records?

Readers of files that are no plain text hand over one item after the other, each as its plain columns in text; the items
are numbered as they come, those that can be read and those that cannot alike.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NoReturn

import numpy as np
import pyarrow as pa

from geo.errors import InputError
from pipelines.sources.plain import COLUMNS
from pipelines.sources.reading import Records, Refusal, shown
from pipelines.sources.records import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_UNTEXT: Final = re.compile("[\0\ud800-\udfff]")


class Gathered:
    """The items of a file so far, and its notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.unread: dict[str, None] = {}
        self._rows: list[dict[str, str]] = []
        self._row_nos: list[int] = []
        self._raw: list[bytes] = []
        self._broken: list[Refusal] = []

    def __len__(self) -> int:
        """Return how many items there are, readable or not."""
        return len(self._rows) + len(self._broken)

    def add(self, cells: Mapping[str, str], raw: bytes) -> None:
        """Take an item, of which cells of other names than the plain columns are not read."""
        row: dict[str, str] = {}
        for name, value in cells.items():
            if name not in COLUMNS:
                self.unread[name] = None
            elif _UNTEXT.search(value):
                self.refuse("value", f"{name} says {shown(value)}, with a sign that no text has: export it again.", raw)
                return
            else:
                row[name] = value
        self._rows.append(row)
        self._raw.append(raw)
        self._row_nos.append(len(self))

    def refuse(self, code: str, reason: str, raw: bytes) -> None:
        """Take an item that cannot be read."""
        self._broken.append(Refusal(len(self) + 1, raw, code, reason))

    def records(self, file_name: str) -> Records:
        """Return all of them."""
        if self.unread:
            listed = ", ".join(shown(name) for name in self.unread)
            self.notes.append(f"{file_name}: columns that are not read: {listed}.")
        raw = self._raw
        return Records(
            columns={name: clean(pa.array([row.get(name, "") for row in self._rows], pa.string())) for name in COLUMNS},
            row_no=np.array(self._row_nos, dtype=np.int64),
            raw=lambda at: raw[at],
            broken=tuple(self._broken),
            notes=tuple(self.notes),
        )


def written(cells: Sequence[object]) -> bytes:
    """Return the cells of an item that has no text of its own, as one line that a person can read."""
    return json.dumps([cell if isinstance(cell, str) else repr(cell) for cell in cells], ensure_ascii=True).encode()


def number(value: float) -> str:
    """Return a number that was stored as a binary one; a whole one without a decimal point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def refuse_file(code: str, sentence: str, file_name: str) -> NoReturn:
    """Raise the error of a file that cannot be read at all."""
    raise InputError(code, f"{file_name}: {sentence}") from None
