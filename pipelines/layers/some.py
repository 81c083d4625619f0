"""What does a publication say of a few things?

Asked of the file by SQLite, so that the rest of it need not be read; and of a stage's table, which is then told as the
file would tell it, value by value.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from geo import reviews, tables
from pipelines.layers import rows as _rows
from pipelines.layers.proof import connect

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from geo.tables import Column, Table


def stored(path: Path, name: str, column: str, wanted: Iterable[str]) -> pd.DataFrame:
    """Return the rows of a declared table of a publication with one of some texts in a column, in their order.

    Typed as declared, without shapes. The file is one of ours: nothing is made of a stranger's.

    Raises
    ------
    sqlite3.Error
        If it is no publication.
    """
    table = _bare(name)
    columns = ", ".join(f'"{each}"' for each in table.names)
    names = sorted(set(wanted))
    among, given = _among(names)
    with closing(connect(path)) as file:
        span = _span(file, names[0]) if (name, column, len(names)) == ("evidence", "incident_id", 1) else None
        where = f'"{column}" {among}' if span is None else f'fid BETWEEN {span[0]} AND {span[1]} AND "{column}" {among}'
        asked = f'SELECT {columns} FROM "{name}" WHERE {where} ORDER BY fid'  # noqa: S608 -- our own names
        found = file.execute(asked, [given]).fetchall()
    values = zip(*found, strict=True) if found else [()] * len(table.columns)
    arrays = {each.name: _array(held, each) for each, held in zip(table.columns, values, strict=True)}
    return _rows.frame(pa.table(arrays), table)


def holds(path: Path, name: str, column: str, wanted: Iterable[str]) -> bool:
    """Tell whether ``stored`` would give any row."""
    among, given = _among(sorted(set(wanted)))
    with closing(connect(path)) as file:
        asked = f'SELECT EXISTS (SELECT 1 FROM "{name}" WHERE "{column}" {among})'  # noqa: S608 -- our own names
        return bool(file.execute(asked, [given]).fetchone()[0])


def _among(names: Sequence[str]) -> tuple[str, str]:
    """Return how SQLite is asked for one of some texts, and what it is given for that."""
    return ("IN (SELECT value FROM json_each(?))", json.dumps(names)) if len(names) != 1 else ("= ?", names[0])


def _span(file: sqlite3.Connection, incident: str) -> tuple[int, int]:
    """Return from which row of the evidence to which that of an incident stands: it is in order of their numbers.

    There can be millions, and an index of all would take longer to write than all the others together.
    """
    [(last,)] = file.execute("SELECT coalesce(max(fid), 0) FROM evidence").fetchall()
    rows = range(1, last + 1)

    def number(row: int) -> int:
        return reviews.number(file.execute("SELECT incident_id FROM evidence WHERE fid = ?", [row]).fetchone()[0])

    wanted = reviews.number(incident)
    return bisect_left(rows, wanted, key=number) + 1, bisect_right(rows, wanted, key=number)


def told(frame: pd.DataFrame, name: str, column: str, wanted: Iterable[str]) -> pd.DataFrame:
    """Return the same rows of what a stage made of the table, as the file would hold them."""
    table = _bare(name)
    return _rows.frame(_rows.prepared(frame[frame[column].isin(list(wanted))], table), table)


def _bare(name: str) -> Table:
    return replace(tables.BY_NAME[name], geometry=None)


def _array(values: Sequence[Any], column: Column) -> pa.Array:
    """Return what SQLite stored of a column as it was before."""
    kind = _rows.ARROW[column.kind]
    if column.kind == "bool":
        return pa.array([None if value is None else bool(value) for value in values], kind)
    if column.kind == "time":
        return pa.array(pd.to_datetime(pd.Series(values, dtype="str"), utc=True, format="ISO8601"), kind)
    return pa.array(values, pa.string()).cast(kind) if column.kind == "date" else pa.array(values, kind)
