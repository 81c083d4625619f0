"""What is a published column, and what must a frame be like to be published?

The layers themselves are declared in ``geo.tables``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["text", "int", "real", "bool", "time", "date"]
Geometry = Literal["Point", "LineString", "MultiLineString", "MultiPolygon"]

PANDAS: Final[dict[Kind, str]] = {
    "text": "str",
    "int": "Int64",
    "real": "float64",
    "bool": "boolean",
    "time": "datetime64[us, UTC]",
    "date": "str",
}


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, meaning and, where it is a closed list, the allowed values."""

    name: str
    kind: Kind
    doc: str
    allowed: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Table:
    """One layer or table of the GeoPackage; ``geometry`` is ``None`` for a table without places."""

    name: str
    geometry: Geometry | None
    row: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in their published order, without the geometry."""
        return [column.name for column in self.columns]


def column(name: str, kind: Kind, doc: str, allowed: Iterable[str | int] = ()) -> Column:
    """Declare a column."""
    return Column(name, kind, doc, tuple(allowed))


def conform(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return ``frame`` with exactly the declared columns, in order and typed, and ``geometry`` last where declared.

    Raises
    ------
    KeyError
        If a declared column is missing: a stage forgot it, which is our fault.
    """
    names = [*table.names, "geometry"] if table.geometry else table.names
    nothing = [c.name for c in table.columns if c.kind == "time" and frame[c.name].isna().all()]
    typed = {column.name: PANDAS[column.kind] for column in table.columns}
    # A column without a single time has no zone yet; one that has times must bring its own.
    blank = {name: pd.Series(pd.NaT, frame.index, dtype=PANDAS["time"]) for name in nothing}
    return frame[names].assign(**blank).astype(typed)


def empty(table: Table) -> pd.DataFrame:
    """Return a frame without rows that has the declared columns (no geometry column)."""
    return pd.DataFrame({c.name: pd.Series(dtype=PANDAS[c.kind]) for c in table.columns})
