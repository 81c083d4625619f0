"""What is a published column, and what must a frame be like to be published?

The layers themselves are declared in ``geo.tables``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pandas.api.extensions import ExtensionDtype

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
_TYPES: Final = {kind: pd.api.types.pandas_dtype(name) for kind, name in PANDAS.items()}
_SPAN: Final = re.compile(r"(.+)_(\d+)([hd])")


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, meaning and, where it is a closed list, the allowed values."""

    name: str
    kind: Kind
    doc: str
    allowed: tuple[str | int, ...] = ()

    @property
    def title(self) -> str:
        """Its name in words, with its unit: ``extent_m`` is "Extent (m)", ``tier_24h`` "Tier, last 24 h"."""
        stem, span = self.name, ""
        if found := _SPAN.fullmatch(stem):
            stem, span = found[1], f", last {found[2]} {found[3]}"
        if self.kind == "time":
            unit = " (UTC)"
        elif self.kind == "real" and stem.endswith(("_m", "_h")):
            stem, unit = stem[:-2], f" ({stem[-1]})"
        else:
            unit = ""
        words = stem.removesuffix("_id").replace("_", " ")
        return f"{words[:1].upper()}{words[1:]}{span}{unit}"


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

    Texts that are categorical stay so.

    Raises
    ------
    KeyError
        If a declared column is missing: a stage forgot it, which is our fault.
    """
    if _is_whole(frame, table):
        return frame.copy(deep=False)
    columns: dict[str, pd.Series] = {}
    for column in table.columns:  # one by one: to cast a whole frame at once takes several times as long
        values, wanted = frame[column.name], _TYPES[column.kind]
        if column.kind == "time" and values.dtype != wanted and values.isna().all():
            # A column without a single time has no zone yet; one that has times must bring its own.
            values = pd.Series(pd.NaT, frame.index, dtype=wanted)
        columns[column.name] = values if plain(values.dtype) == wanted else values.astype(wanted)
    made = pd.DataFrame(columns, frame.index, copy=False)
    if table.geometry is None:
        return made
    placed: pd.DataFrame = gpd.GeoDataFrame(made, geometry=frame["geometry"])
    return placed


def _is_whole(frame: pd.DataFrame, table: Table) -> bool:
    names = [*table.names, "geometry"] if table.geometry else table.names
    return frame.columns.tolist() == names and all(
        plain(found) == _TYPES[column.kind] for found, column in zip(frame.dtypes, table.columns, strict=False)
    )


def plain(dtype: ExtensionDtype | np.dtype[Any]) -> ExtensionDtype | np.dtype[Any]:
    """Return the type of a column's values: where few texts stand in many rows, a column may be categorical."""
    return dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype


def texts(column: pd.Series) -> list[str | None]:
    """Return a column of texts, ``None`` where one is missing; equal texts are one object, and take room once."""
    code, each = pd.factorize(column)
    return np.append(each.to_numpy(object), [None])[code].tolist()  # type: ignore[no-any-return]  # the last: -1


def empty(table: Table) -> pd.DataFrame:
    """Return a frame without rows that has the declared columns (no geometry column)."""
    return pd.DataFrame({c.name: pd.Series(dtype=PANDAS[c.kind]) for c in table.columns})
