"""Which column of a table stands where, by its header line?

Names are compared without regard to case. A source may call its columns otherwise; a column that is declared must be
there. The separator is the declared one, or the only one that splits the header into the columns that must be there.
"""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from geo.errors import InputError
from pipelines.sources.reading import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from geo.theatre import Dialect

SEPARATORS: Final = (",", ";", "\t", "|")
_BLANK: Final = " \t\r\n"


def plainly(name: str) -> str:
    """Return a column's name as names are compared: trimmed, in lower case, its accents composed."""
    return unicodedata.normalize("NFC", name.strip(_BLANK)).lower()


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


def separator(text: str, dialect: Dialect, layout: Layout, file_name: str) -> str:
    """Return what stands between the fields of a text; where no separator fits, the one that lacks the fewest columns.

    Raises
    ------
    InputError
        ``header`` if more than one fits.
    """
    if dialect.separator is not None:
        return dialect.separator
    line = text.lstrip(_BLANK).split("\n", 1)[0].split("\r", 1)[0]
    lacks = {sign: len(missing(_fields(line, sign), dialect, layout)) for sign in SEPARATORS}
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


def read_header(row: Sequence[str] | None, dialect: Dialect, layout: Layout, file_name: str) -> Header:
    """Return where each column stands, by the cells of the header; ``None``: its quotes are broken.

    Raises
    ------
    InputError
        ``header``: broken, a name twice, one that is required or declared missing.
    """
    if row is None:
        msg = f"{file_name}: the header line has a quote that does not fit: close it or take it out"
        raise InputError(code="header", message=msg)
    fields = [plainly(cell) for cell in row]
    own = _own(dialect, layout)
    _check(fields, missing(fields, dialect, layout), file_name)
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


def missing(fields: Collection[str], dialect: Dialect, layout: Layout) -> list[str]:
    """Return which columns must be there, by the layout or because they are declared, and are not."""
    musts = {*layout.required, *dict(dialect.columns)}
    own = _own(dialect, layout)
    return [each for name, names in own.items() if name in musts for each in names if plainly(each) not in fields]


def _check(fields: Sequence[str], lacking: Collection[str], file_name: str) -> None:
    twice = sorted({name for name in fields if name and fields.count(name) > 1})
    if twice:
        msg = f"{file_name}: the header has {', '.join(twice)} more than once: rename or take out all but one"
        raise InputError(code="header", message=msg)
    if lacking:
        msg = f"{file_name}: the header lacks {', '.join(lacking)}: add what is missing{_hint(fields, lacking)}"
        raise InputError(code="header", message=msg)


def _hint(fields: Sequence[str], lacking: Collection[str]) -> str:
    near = [(name, *get_close_matches(plainly(name), fields, 1)) for name in lacking]
    alike = [f"{name} is {each[0]!r}" for name, *each in near if each]
    if "\0" in "".join(fields):
        return "; the file seems to be UTF-16 without its byte order mark: save it as UTF-8"
    if alike:
        return f", or declare in theatre.toml under columns which is which (perhaps {', '.join(alike)})"
    return f"; it has {', '.join(shown(name) for name in fields)}"
