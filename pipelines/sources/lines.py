"""Which physical lines of a table of text form a record, and which form none?

RFC 4180: a quoted field may run over several lines. A broken quote must not swallow the rows behind it: where strict
parsing fails, the lines are taken one at a time until one that has the right number of fields by itself, and each line
before that is refused. Where a quoted field does close, but its first and last line each read as a dated row, nobody
can tell two stray quotes from a text that imitates rows: every line of it is refused. So is every line of a text that
is too long for any report. Otherwise a text makes no row, whatever its lines look like.

Blank lines are no records, nor are lines of nothing but white space.
"""

from __future__ import annotations

import csv
import io
import re
from array import array
from typing import TYPE_CHECKING, Final

from pipelines.sources.reading import Refusal, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LINES: Final = 200  # a record over more lines is an unclosed quote; this bounds the work on hostile files
FIELD: Final = 131_072  # characters of a line that no report has
_SIGNS: Final = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a vertical bar"}
LIMITLESS: Final = 2**31 - 1
IMITATION: Final = (
    "bad_quote",
    (
        "A quoted field runs over lines {first} to {last} of the file, and they read as rows of their own: close the "
        "stray quote, or take the line ends out of the text."
    ),
)
TOO_LONG: Final = (
    "record_size",
    "A quoted field runs over lines {first} to {last} of the file, and no report is that long: shorten its text.",
)
BATCH: Final = 64  # lines that are first tried together
_DATE: Final = re.compile(r"[ \t]*\"?([0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}|[0-9]{8}|[0-9]{1,2} [A-Za-z]{3})")


class _Feed:
    """Hands lines to ``csv.reader``, and says where it is; never more lines than ``stop``."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0
        self.stop = 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.at >= self.stop:
            raise StopIteration
        self.at += 1
        return self.lines[self.at - 1]


class Scan:
    """The records of a text: rows with as many fields as the header, and ``broken`` for all others.

    ``row_nos`` (1-based, counted over both) is aligned with the rows.
    """

    def __init__(self, text: str, separator: str = ",") -> None:
        self.row_nos = array("q")
        self._starts = array("q")
        self._stops = array("q")
        self.broken: list[Refusal] = []
        self._lines = list(io.StringIO(text, newline=""))
        self._feed = _Feed(self._lines)
        self.separator = separator
        self._reader = self._read(self._feed)
        self._has_nul = "\0" in text
        self._last = ""
        self._width = self._dated = 0
        self._count = 0

    def header(self) -> list[str] | None:
        """Return the fields of the first line that is not blank, ``None`` if its quotes are broken."""
        row = self._next()
        while row is not None and not any(cell.strip() for cell in row) and self._feed.at < len(self._lines):
            row = self._next()
        return row

    def doubt_the_end(self, last: str) -> None:
        """Let a last line without an end form no record: its last field, ``last``, may be cut."""
        if not self._lines[-1].endswith(("\n", "\r")):
            self._last = last

    def _read(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.separator, strict=True)

    def run(self, width: int, dated: int) -> Iterator[list[list[str]]]:
        """Yield everything behind the header in order, some rows at a time, each of ``width`` fields.

        Field ``dated`` begins with a date. ``row_nos`` and ``broken`` are whole when nothing is left.
        """
        self._width, self._dated = width, dated
        while (start := self._feed.at) < len(self._lines):
            stop = min(start + BATCH, len(self._lines))
            yield self._batch(start, stop) or list(self._one_by_one(stop))

    def _batch(self, start: int, stop: int) -> list[list[str]]:
        """Return the rows of those lines if each line is one whole row, else nothing."""
        try:
            rows = [] if self._has_nul else list(self._read(self._lines[start:stop]))
        except csv.Error:
            return []
        if len(rows) != stop - start or set(map(len, rows)) != {self._width} or self._is_cut(stop):
            return []
        self.row_nos.extend(range(self._count + 1, self._count + 1 + len(rows)))
        self._starts.extend(range(start, stop))
        self._stops.extend(range(start + 1, stop + 1))
        self._count += len(rows)
        self._feed.at = stop
        return rows

    def _one_by_one(self, stop: int) -> Iterator[list[str]]:
        while (start := self._feed.at) < stop:
            row = self._next()
            if row is None:
                self._unreadable(start)
            elif self._feed.at > start + 1 and self._is_suspect(row, start):
                self._refuse_lines(start, self._feed.at, IMITATION)
            elif self._is_blank(start) or not self._take(row, start):
                continue
            else:
                yield row

    def raw(self, at: int) -> bytes:
        """Return the bytes of row ``at`` (0-based among the rows), without its last line end."""
        return self._bytes(self._starts[at], self._stops[at])

    def _bytes(self, start: int, stop: int) -> bytes:
        return "".join(self._lines[start:stop]).rstrip("\r\n").encode()

    def _next(self) -> list[str] | None:
        self._feed.stop = min(self._feed.at + LINES, len(self._lines))
        try:
            return next(self._reader)
        except csv.Error:
            self._reader = self._read(self._feed)
            return None

    def _take(self, row: list[str], start: int) -> bool:
        if self._has_nul and any("\0" in cell for cell in row):
            reason = "The record contains a NUL character, which no text has: the file is damaged; export it again."
            self._refuse(start, self._feed.at, "nul", reason)
        elif len(row) != self._width:
            reason = (
                f"The record has {len(row)} fields and the header {self._width}: "
                f"add what is missing, or quote the field that contains {_SIGNS[self.separator]}."
            )
            self._refuse(start, self._feed.at, "field_count", reason)
        elif self._is_cut(self._feed.at):
            reason = (
                f"The last line of the file has no end, so that {shown(self._last)} may be cut: end the line if it is "
                "whole, or send the file again (ended = false in theatre.toml says that the source never ends it)."
            )
            self._refuse(start, self._feed.at, "truncated", reason)
        else:
            self._count += 1
            self.row_nos.append(self._count)
            self._starts.append(start)
            self._stops.append(self._feed.at)
            return True
        return False

    def _is_cut(self, stop: int) -> bool:
        return bool(self._last) and stop == len(self._lines)

    def _refuse(self, start: int, stop: int, code: str, reason: str) -> None:
        self._count += 1
        self.broken.append(Refusal(self._count, self._bytes(start, stop), code, reason))

    def _resynchronise(self, start: int) -> None:
        at = start
        while at < len(self._lines) and (at == start or len(self._alone(self._lines[at])) != self._width):
            if not self._is_blank(at):
                self._broken_line(at)
            at += 1
        self._feed.at = at

    def _broken_line(self, at: int) -> None:
        if len(self._lines[at]) > FIELD:
            reason = f"The line has {len(self._lines[at]):,} characters, which no report has: shorten it."
            self._refuse(at, at + 1, "field_size", reason)
        else:
            reason = (
                f"Line {at + 1} of the file has a quote that does not fit: "
                "double each quote inside a quoted field, and close the field."
            )
            self._refuse(at, at + 1, "bad_quote", reason)

    def _refuse_lines(self, start: int, stop: int, reason: tuple[str, str]) -> None:
        code, sentence = reason
        for at in range(start, stop):
            if not self._is_blank(at):
                self._refuse(at, at + 1, code, sentence.format(first=start + 1, last=stop))
        self._feed.at = stop

    def _unreadable(self, start: int) -> None:
        # Legal, and only too long: the lines of its text are no rows, whatever they look like.
        stop = self._closed(start)
        if stop > start + 1:
            self._refuse_lines(start, stop, TOO_LONG)
        else:
            self._resynchronise(start)

    def _closed(self, start: int) -> int:
        """Return behind which line a record of any length that begins at ``start`` ends, 0 if it is not legal."""
        stop, quotes = start, 0
        while stop == start or (quotes % 2 and stop < len(self._lines)):
            quotes += self._lines[stop].count('"')
            stop += 1
        usual = csv.field_size_limit(LIMITLESS)
        try:
            return stop if len(list(self._read(self._lines[start:stop]))) == 1 else 0
        except csv.Error:
            return 0
        finally:
            csv.field_size_limit(usual)

    def _is_blank(self, at: int) -> bool:
        return not self._lines[at].strip(" \t\r\n".replace(self.separator, ""))  # a row of empty fields is a row

    def _is_suspect(self, row: list[str], start: int) -> bool:
        lines = self._lines[start : self._feed.at]
        if len(row) == self._width:
            return self._may_be_row(lines[0]) and self._may_be_row(lines[-1])
        return any(map(self._may_be_row, lines[1:]))

    def _may_be_row(self, line: str) -> bool:
        plain = csv.reader([line], delimiter=self.separator, quoting=csv.QUOTE_NONE)
        readings = (next(reader, []) for reader in (csv.reader([line], delimiter=self.separator), plain))
        return any(len(row) == self._width and _DATE.match(row[self._dated]) for row in readings)

    def _alone(self, line: str) -> list[str]:
        try:
            return next(self._read([line]), [])
        except csv.Error:
            return []
