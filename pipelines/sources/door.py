"""What of a file may be kept at all?

Columns about people who report, or about where a unit stood, are emptied before anything is stored, and so are records
of which nobody can say what stands in which column. The table keeps its header and its records their numbers.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from pipelines.sources.headers import plainly
from pipelines.sources.records import opened

if TYPE_CHECKING:
    from collections.abc import Collection

    from geo.theatre import Dialect
    from pipelines.sources.headers import Layout

NOT_KEPT: Final = "(not kept, because it does not fit the header)"


def emptied(data: bytes, dialect: Dialect, layout: Layout, drop: Collection[str], file_name: str) -> bytes:
    """Return the table with the columns ``drop`` empty, as UTF-8 with its mark; as it came if it has none of them.

    A record that does not fit the header becomes a line that says so, and that is refused when it is read.

    Raises
    ------
    InputError
        If the table cannot be read, so that nobody can say what stands where: ``encoding``, ``empty``, ``header``.
    """
    unwanted = {plainly(name) for name in drop}
    _, scan, header = opened(data, dialect, layout, file_name)
    empty = [at for at, name in enumerate(header.fields) if name in unwanted]
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
    writer = csv.writer(out, delimiter=scan.separator, lineterminator="\n")
    writer.writerows([header.fields, *(kept[number] for number in sorted(kept))])
    return out.getvalue().encode("utf-8-sig")
