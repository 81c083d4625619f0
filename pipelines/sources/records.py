"""Which columns does a comma-separated file have, as text?

Strict UTF-8 (a byte order mark is allowed), one header line, columns in any order, their names without regard to case.
No value is interpreted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geo.errors import InputError
from pipelines.sources.lines import Scan
from pipelines.sources.reading import Records, Text, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

BOM: Final = b"\xef\xbb\xbf"
SPACE: Final = " \t\r\n"
TOGETHER: Final = 2_000  # rows that become columns at once


def decode(data: bytes, file_name: str) -> str:
    """Return the file's text.

    Raises
    ------
    InputError
        ``encoding`` if the bytes are not UTF-8 (nothing is guessed), ``empty`` if there is no text at all.
    """
    body = data.removeprefix(BOM)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        msg = f"{file_name}: line {line} is not UTF-8: save the file as UTF-8; encodings are never guessed"
        raise InputError(code="encoding", message=msg) from None
    if not text.strip(SPACE):
        msg = f"{file_name}: the file is empty: send it again"
        raise InputError(code="empty", message=msg)
    return text


def clean(cells: Text) -> Text:
    """Return a text column trimmed of ASCII white space, null where nothing is left."""
    trimmed = pc.ascii_trim(cells, characters=SPACE)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


@dataclass(frozen=True)
class Layout:
    """Which columns a format has, in lower case.

    ``required`` must be there, ``known`` are kept, and others are dropped, named in the notes if ``note``. ``dated`` is
    the required column that begins with a date, by which a swallowed row is told.
    """

    required: tuple[str, ...]
    known: tuple[str, ...]
    dated: str
    note: bool = False


def split(data: bytes, file_name: str, layout: Layout) -> Records:
    """Return the records of a comma-separated file.

    Raises
    ------
    InputError
        ``encoding``, ``empty``, or ``header``: broken, a name twice, a required one missing.
    """
    text = decode(data, file_name)
    scan = Scan(text)
    header = _names(scan.header(), file_name)
    _check(header, file_name, layout.required)
    columns = _columns(header, layout.known, scan.run(len(header), header.index(layout.dated)))
    return Records(
        columns=columns,
        row_no=np.array(scan.row_nos, dtype=np.int64),
        raw=scan.raw,
        broken=tuple(scan.broken),
        notes=tuple(_notes(text, header, layout, file_name)),
    )


def _columns(header: Sequence[str], known: Collection[str], batches: Iterable[list[list[str]]]) -> dict[str, Text]:
    # Rows become columns a few at a time: millions of small Python objects would fill the memory.
    kept = [(at, name) for at, name in enumerate(header) if name in known]
    pieces: list[list[Text]] = [[] for _ in kept]
    for rows in _gathered(batches):
        cells = list(zip(*rows, strict=True))
        for piece, (at, _) in zip(pieces, kept, strict=True):
            piece.append(pa.array(cells[at], pa.string()))
    nothing = pa.array([], pa.string())
    return {name: clean(pa.concat_arrays([nothing, *piece])) for piece, (_, name) in zip(pieces, kept, strict=True)}


def _gathered(batches: Iterable[list[list[str]]]) -> Iterator[list[list[str]]]:
    rows: list[list[str]] = []
    for batch in batches:
        rows += batch
        if len(rows) >= TOGETHER:
            yield rows
            rows = []
    if rows:
        yield rows


def _names(row: list[str] | None, file_name: str) -> list[str]:
    if row is None:
        msg = f"{file_name}: the header line has a quote that does not fit: close it or take it out"
        raise InputError(code="header", message=msg)
    return [cell.strip(SPACE).lower() for cell in row]


def _check(names: Sequence[str], file_name: str, required: Collection[str]) -> None:
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        msg = f"{file_name}: the header has {', '.join(twice)} more than once: rename or take out all but one"
        raise InputError(code="header", message=msg)
    missing = [name for name in required if name not in names]
    if missing:
        hint = "; fields are separated by ',', and here it seems to be ';'" if ";" in "".join(names) else ""
        msg = f"{file_name}: the header lacks {', '.join(missing)}: add what is missing{hint}"
        raise InputError(code="header", message=msg)


def _notes(text: str, names: Sequence[str], layout: Layout, file_name: str) -> Iterator[str]:
    extra = [shown(name) if name else "one without a name" for name in names if name not in layout.known]
    if extra and layout.note:
        yield f"{file_name}: columns that are not read: {', '.join(extra)}."
    if not text.endswith(("\n", "\r")):
        yield f"{file_name}: the last line has no end; make sure that the file was not cut short."
