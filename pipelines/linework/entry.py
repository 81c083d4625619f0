"""What does the ledger keep of the line of a day?

A document of kind ``line``: date, source, name and hash of the file as it came, when it was known, and either the line
itself or why there is none. Two documents are the same line when they say the same of the same day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Self

import shapely
from shapely import MultiLineString

from geo.lines import CurrentLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.ledger import Document

KIND: Final = "line"
_FORM: Final = 1


@dataclass(frozen=True, eq=False)
class LineEntry:
    """The line of one day, as it came; times are aware UTC.

    ``known_at`` is stated in a replay workspace only; elsewhere a line is known from when it was recorded.
    """

    line: CurrentLine
    file: str
    raw: str
    known_at: datetime | None
    notes: tuple[str, ...] = ()

    def body(self) -> bytes:
        """Return the entry's canonical text."""
        line = self.line
        parts = [shapely.get_coordinates(part).tolist() for part in shapely.get_parts(line.geometry)]
        stored = {
            "form": _FORM,
            "valid_from": line.valid_from.isoformat(),
            "source": line.source,
            "file": self.file,
            "raw": self.raw,
            "known_at": None if self.known_at is None else self.known_at.isoformat(),
            "unusable": line.unusable,
            "notes": list(self.notes),
            "parts": parts,
        }
        return json.dumps(stored, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return the entry that a document holds."""
        stored: dict[str, Any] = json.loads(body)
        line = CurrentLine(
            datetime.fromisoformat(stored["valid_from"]),
            stored["source"],
            MultiLineString(stored["parts"]),
            stored["unusable"],
        )
        known_at = stored["known_at"]
        return cls(
            line,
            stored["file"],
            stored["raw"],
            None if known_at is None else datetime.fromisoformat(known_at),
            tuple(stored["notes"]),
        )

    def repeats(self, earlier: LineEntry) -> bool:
        """Whether it says of the day what an earlier entry says."""
        mine, its = self.line, earlier.line
        return (self.raw, self.known_at, mine.valid_from, mine.source, mine.unusable) == (
            earlier.raw,
            earlier.known_at,
            its.valid_from,
            its.source,
            its.unusable,
        )


entry_of = lru_cache(maxsize=512)(LineEntry.read)
"""Read a document's body; the same body gives the same line, so that it is made ready for measuring once."""


def known(
    documents: Sequence[Document], known_at: datetime | None, up_to_no: int | None = None
) -> tuple[tuple[str, CurrentLine], ...]:
    """Return hash and line of the documents known by a moment (``None``: all), up to a ledger number, in order."""
    found = [(document, entry_of(document.body)) for document in documents]
    return tuple(
        (document.sha256, entry.line)
        for document, entry in found
        if (known_at is None or (entry.known_at or document.recorded_at) <= known_at)
        and (up_to_no is None or document.ledger_no <= up_to_no)
    )
