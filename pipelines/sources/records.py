"""Which columns does a table of text have, one record a line?

Text in the encoding that its source declares, or UTF-8 (a byte order mark is allowed, and UTF-16 needs one); one header
line, columns in any order, their names without regard to case. No value is interpreted here, and nothing is guessed:
the separator is the declared one, or the only one that splits the header into the columns that must be there.
"""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import reduce
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geo.errors import InputError
from pipelines.sources.fields import joined
from pipelines.sources.lines import Scan
from pipelines.sources.reading import Records, Text, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from geo.theatre import Dialect
    from pipelines.sources.reading import Context

MARKS: Final = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\0\0": None,  # UTF-32, which would pass for UTF-16
    b"\0\0\xfe\xff": None,
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
"""What a file begins with, and the encoding that it says."""
SEPARATORS: Final = (",", ";", "\t", "|")
SPACE: Final = " \t\r\n"
TOGETHER: Final = 2_000  # rows that become columns at once


def decode(data: bytes, file_name: str, encoding: str | None = None) -> str:
    """Return the file's text; ``encoding`` is what its source declares.

    Raises
    ------
    InputError
        ``encoding`` if the bytes are no such text (nothing is guessed), ``empty`` if there is no text at all.
    """
    body, name = _body(data, file_name, encoding)
    try:
        text = body.decode(name)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        wanted = name.upper()
        msg = (
            f"{file_name}: line {line} is not {wanted}: save the file as {wanted}, or declare the source's encoding in "
            "theatre.toml; encodings are never guessed"
        )
        raise InputError(code="encoding", message=msg) from None
    if not text.strip(SPACE):
        msg = f"{file_name}: the file is empty: send it again"
        raise InputError(code="empty", message=msg)
    return text


def _body(data: bytes, file_name: str, encoding: str | None) -> tuple[bytes, str]:
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    marked = MARKS.get(mark, encoding or "utf-8")
    if marked is None:
        msg = f"{file_name}: the file is UTF-32, which is not read: save it as UTF-8"
        raise InputError(code="encoding", message=msg)
    if encoding is not None and marked == encoding and not encoding.startswith("utf") and _is_utf8(data):
        # No text in a code page of one byte a letter happens to be UTF-8; read as declared, it would be gibberish.
        msg = (
            f"{file_name}: theatre.toml declares the encoding {encoding}, and the file is UTF-8: correct the one or "
            "the other"
        )
        raise InputError(code="encoding", message=msg)
    return data[len(mark) :], marked


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def clean(cells: Text) -> Text:
    """Return a text column trimmed of ASCII white space, null where nothing is left."""
    trimmed = pc.ascii_trim(cells, characters=SPACE)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def plainly(name: str) -> str:
    """Return a column's name as names are compared: trimmed, in lower case, its accents composed."""
    return unicodedata.normalize("NFC", name.strip(SPACE)).lower()


@dataclass(frozen=True)
class Layout:
    """Which columns a format has, in lower case.

    ``required`` must be there, ``known`` are kept, and others are dropped, named in the notes if ``note``. ``dated`` is
    the required column that begins with a date, by which a swallowed row is told. ``own`` is what the format calls a
    column, where that is another word or several ones that are joined.
    """

    required: tuple[str, ...]
    known: tuple[str, ...]
    dated: str
    note: bool = False
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Header:
    """The fields of the header line, and where each column of the layout stands: joined where it is several.

    ``names`` is what the file calls a column, ``dated`` where its begin of observation stands.
    """

    fields: tuple[str, ...]
    at: Mapping[str, tuple[int, ...]]
    names: Mapping[str, str]
    dated: int

    @property
    def read(self) -> frozenset[int]:
        """Return the places of the columns that are read."""
        return frozenset(at for places in self.at.values() for at in places)


def split(data: bytes, context: Context, layout: Layout) -> Records:
    """Return the records of a table of text.

    A last line without an end may be cut: it is refused if its last field is one that is read, unless the source is
    declared never to end it (``ended``), and in any case the notes say so. A file that was cut exactly behind the end
    of a line cannot be told from a whole one.

    Raises
    ------
    InputError
        ``encoding``, ``empty``, or ``header``: broken, a name twice, a required one missing, its separator in doubt.
    """
    text, scan, header = opened(data, context.source.dialect, layout, context.file_name)
    columns = _columns(header, scan.run(len(header.fields), header.dated))
    return Records(
        columns=columns,
        row_no=np.array(scan.row_nos, dtype=np.int64),
        raw=scan.raw,
        broken=tuple(scan.broken),
        notes=tuple(_notes(text, header, layout, context)),
        names=header.names,
        point=context.source.dialect.decimal,
    )


def opened(data: bytes, dialect: Dialect, layout: Layout, file_name: str) -> tuple[str, Scan, Header]:
    """Return a file's text, the scan of its records (behind the header), and what its header says.

    Raises
    ------
    InputError
        As ``split``.
    """
    text = decode(data, file_name, dialect.encoding)
    scan = Scan(text, _separator(text, dialect, layout, file_name))
    header = _header(scan.header(), dialect, layout, file_name)
    if dialect.ended and len(header.fields) - 1 in header.read:
        scan.doubt_the_end(header.fields[-1])
    return text, scan, header


def _separator(text: str, dialect: Dialect, layout: Layout, file_name: str) -> str:
    if dialect.separator is not None:
        return dialect.separator
    line = text.lstrip(SPACE).split("\n", 1)[0].split("\r", 1)[0]
    lacks = {sign: len(_missing(_fields(line, sign), dialect, layout)) for sign in SEPARATORS}
    fits = [sign for sign in SEPARATORS if not lacks[sign]]
    if len(fits) > 1:
        msg = f"{file_name}: the header can be split by {' and by '.join(map(repr, fits))}: declare the separator"
        raise InputError(code="header", message=msg)
    return fits[0] if fits else min(lacks, key=lacks.__getitem__)


def _fields(line: str, sign: str) -> list[str]:
    try:
        return [plainly(cell) for cell in next(csv.reader([line], delimiter=sign, strict=True), [])]
    except csv.Error:
        return []


def _columns(header: Header, batches: Iterable[list[list[str]]]) -> dict[str, Text]:
    # Rows become columns a few at a time: millions of small Python objects would fill the memory.
    pieces: dict[int, list[Text]] = {at: [] for at in sorted(header.read)}
    for rows in _gathered(batches):
        cells = list(zip(*rows, strict=True))
        for at, piece in pieces.items():
            piece.append(pa.array(cells[at], pa.string()))
    nothing = pa.array([], pa.string())
    whole = {at: clean(pa.concat_arrays([nothing, *piece])) for at, piece in pieces.items()}
    return {name: _joined([whole[at] for at in each]) for name, each in header.at.items()}


def _joined(parts: list[Text]) -> Text:
    return reduce(lambda one, two: joined(one, two, " "), parts)


def _gathered(batches: Iterable[list[list[str]]]) -> Iterator[list[list[str]]]:
    rows: list[list[str]] = []
    for batch in batches:
        rows += batch
        if len(rows) >= TOGETHER:
            yield rows
            rows = []
    if rows:
        yield rows


def _header(row: list[str] | None, dialect: Dialect, layout: Layout, file_name: str) -> Header:
    if row is None:
        msg = f"{file_name}: the header line has a quote that does not fit: close it or take it out"
        raise InputError(code="header", message=msg)
    fields = [plainly(cell) for cell in row]
    own = _own(dialect, layout)
    _check(fields, _missing(fields, dialect, layout), file_name)
    at = {
        name: places
        for name, names in own.items()
        if (places := tuple(fields.index(plainly(each)) for each in names if plainly(each) in fields))
    }
    called = {name: " with ".join(names) for name, names in own.items() if names != (name,)}
    return Header(tuple(fields), at, called, at[layout.dated][0])


def _own(dialect: Dialect, layout: Layout) -> dict[str, tuple[str, ...]]:
    """Return what the file calls each column."""
    return {name: layout.own.get(name, (name,)) for name in layout.known} | dict(dialect.columns)


def _missing(fields: Collection[str], dialect: Dialect, layout: Layout) -> list[str]:
    musts = {*layout.required, *dict(dialect.columns)}
    own = _own(dialect, layout)
    return [each for name, names in own.items() if name in musts for each in names if plainly(each) not in fields]


def _check(fields: Sequence[str], missing: Collection[str], file_name: str) -> None:
    twice = sorted({name for name in fields if name and fields.count(name) > 1})
    if twice:
        msg = f"{file_name}: the header has {', '.join(twice)} more than once: rename or take out all but one"
        raise InputError(code="header", message=msg)
    if missing:
        msg = f"{file_name}: the header lacks {', '.join(missing)}: add what is missing{_hint(fields, missing)}"
        raise InputError(code="header", message=msg)


def _hint(fields: Sequence[str], missing: Collection[str]) -> str:
    near = [(name, *get_close_matches(plainly(name), fields, 1)) for name in missing]
    alike = [f"{name} is {each[0]!r}" for name, *each in near if each]
    if "\0" in "".join(fields):
        return "; the file seems to be UTF-16 without its byte order mark: save it as UTF-8"
    if alike:
        return f", or declare in theatre.toml under columns which is which (perhaps {', '.join(alike)})"
    return f"; it has {', '.join(shown(name) for name in fields)}"


def _notes(text: str, header: Header, layout: Layout, context: Context) -> Iterator[str]:
    dropped = {plainly(name) for name in context.source.dialect.drop}
    extra = [name for at, name in enumerate(header.fields) if at not in header.read and name not in dropped]
    if extra and layout.note:
        listed = ", ".join(shown(name) if name else "one without a name" for name in extra)
        yield f"{context.file_name}: columns that are not read: {listed}."
    if not text.endswith(("\n", "\r")):
        yield f"{context.file_name}: the last line has no end; make sure that the file was not cut short."
