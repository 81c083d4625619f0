"""What of a file may be kept at all?

Columns about people who report, or about where a unit stood, are emptied before anything is stored, and so are records
of which nobody can say what stands in which column. The table keeps its header and its records their numbers.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from geo.errors import InputError
from pipelines.sources.headers import plainly
from pipelines.sources.reading import shown
from pipelines.sources.records import SPACE, opened

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from geo.theatre import Dialect
    from pipelines.sources.headers import Layout

NOT_KEPT: Final = "(not kept, because it does not fit the header)"
END: Final = "\r\n"  # a field that holds either of its signs is quoted because it does; before Python 3.13 no other is
_JOINTS: Final = re.compile(r"[\s_-]+")  # no-break spaces too


def emptied(data: bytes, dialect: Dialect, layout: Layout, own: Collection[str], file_name: str) -> bytes:
    """Return the table with the unwanted columns empty, as UTF-8 with its mark; as it came if it has none of them.

    Those of ``own``, the format's, may be missing, and are known however their words are joined; those that the
    dialect drops must be there. A record that does not fit the header becomes a line that says so, and that is refused
    when it is read. A last line without an end stays without one, so that it is doubted then.

    Raises
    ------
    InputError
        If the table cannot be read, so that nobody can say what stands where: ``encoding``, ``empty``, ``header``.
    """
    text, scan, header = opened(data, replace(dialect, ended=False), layout, file_name)
    empty = _unwanted(header.fields, dialect.drop, own, file_name)
    if not empty:
        return data
    rows = [row for batch in scan.run(len(header.fields), header.dated) for row in batch]
    kept: dict[int, list[str]] = {}
    for number, row in zip(scan.row_nos, rows, strict=True):
        for at in empty:
            row[at] = ""
        kept[number] = row
    kept |= {refusal.row_no: [NOT_KEPT] for refusal in scan.broken}
    out = io.StringIO()
    writer = csv.writer(out, delimiter=scan.separator, lineterminator=END)
    writer.writerows([header.fields, *(kept[number] for number in sorted(kept))])
    return _ended_as(text, out.getvalue()).encode("utf-8-sig")


def _unwanted(fields: Sequence[str], declared: Collection[str], own: Collection[str], file_name: str) -> list[int]:
    """Return where the columns stand that are not kept."""
    lacking = [name for name in declared if plainly(name) not in fields]
    if lacking:
        has = ", ".join(shown(name) for name in fields)
        msg = (
            f"{file_name}: theatre.toml drops {', '.join(lacking)}, and the header has {has}: correct drop, or the "
            "header"
        )
        raise InputError(code="header", message=msg)
    exact, loose = {plainly(name) for name in declared}, {_bare(name) for name in own}
    return [at for at, name in enumerate(fields) if name in exact or _bare(name) in loose]


def _bare(name: str) -> str:
    return _JOINTS.sub("", plainly(name))


def _ended_as(text: str, told: str) -> str:
    """Return ``told``, whose last record has a line end only if that of ``text`` has one."""
    last = text[max(text.rfind("\n"), text.rfind("\r")) + 1 :]
    return told.removesuffix(END) if last.strip(SPACE) else told + last
