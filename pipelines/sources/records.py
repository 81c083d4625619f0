"""What are the cells of a table of text, one record a line?

Text in the encoding that its source declares, or UTF-8 (a byte order mark is allowed, and UTF-16 needs one); one header
line, columns in any order. No value is interpreted here, and no encoding is guessed.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geo.errors import InputError
from pipelines.sources.fields import joined
from pipelines.sources.headers import plainly, read_header, separator
from pipelines.sources.lines import Scan
from pipelines.sources.reading import Records, Text, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geo.theatre import Dialect
    from pipelines.sources.headers import Header, Layout
    from pipelines.sources.reading import Context

MARKS: Final = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\0\0": None,  # UTF-32, which would pass for UTF-16
    b"\0\0\xfe\xff": None,
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
"""What a file begins with, and the encoding that it says."""
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
    scan = Scan(text, separator(text, dialect, layout, file_name))
    header = read_header(scan.header(), dialect, layout, file_name)
    if dialect.ended and len(header.fields) - 1 in header.read:
        scan.doubt_the_end(header.fields[-1])
    return text, scan, header


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


def _notes(text: str, header: Header, layout: Layout, context: Context) -> Iterator[str]:
    dropped = {plainly(name) for name in context.source.dialect.drop}
    extra = [name for at, name in enumerate(header.fields) if at not in header.read and name not in dropped]
    if extra and layout.note:
        listed = ", ".join(shown(name) if name else "one without a name" for name in extra)
        yield f"{context.file_name}: columns that are not read: {listed}."
    if not text.endswith(("\n", "\r")):
        yield f"{context.file_name}: the last line has no end; make sure that the file was not cut short."
