"""What became of each record of a file?

A format's reader sorts the records of one file into those that can be trusted as they stand (``intake``) and those that
cannot (``refused``), and none is in both or in neither. While it reads, a ``Sieve`` remembers the first thing that is
wrong with each record; ``close`` makes the two tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from geo.errors import PolicyError
from geo.reports import INTAKE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from geo.policy import Policy
    from geo.theatre import Source, Theatre

    Mask: TypeAlias = NDArray[np.bool_]
    Reals: TypeAlias = NDArray[np.float64]

Text: TypeAlias = "pa.Array"  # trimmed strings, null where the cell is empty
SHOWN: Final = 60  # characters of a value that a sentence quotes


@dataclass(frozen=True)
class Context:
    """What a reader needs to know beside the bytes."""

    source: Source
    theatre: Theatre
    policy: Policy
    file_name: str
    received_at: datetime | None = None
    """When the file came, aware; ``None``: not known, and then nothing is held to lie in the future."""


@dataclass(frozen=True)
class Refusal:
    """A record that cannot be trusted as it stands, with its own text: UTF-8, whatever the file's encoding."""

    row_no: int
    raw: bytes
    code: str
    reason: str


@dataclass(frozen=True, eq=False)
class Records:
    """The records of a file, as text and unjudged.

    ``columns`` holds only columns that the format knows; ``row_no`` (1-based) and ``raw`` are aligned with them.
    ``broken`` are the records that have no columns at all. ``names`` is what the file calls a column, where that is
    another word, and ``point`` its decimal sign.
    """

    columns: Mapping[str, Text]
    row_no: NDArray[np.int64]
    raw: Callable[[int], bytes]
    broken: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    point: str = "."

    def __len__(self) -> int:
        """Return how many records have columns."""
        return len(self.row_no)

    def text(self, name: str) -> Text:
        """Return the column of that name; all null where the file has none."""
        found = self.columns.get(name)
        return pa.nulls(len(self), pa.string()) if found is None else found

    def name(self, column: str) -> str:
        """Return what the file calls a column, so that it can stand in a sentence that will be formatted."""
        return literal(self.names.get(column, column))


@dataclass(frozen=True, eq=False)
class Reading:
    """What became of each record of a file: every ``row_no`` is in exactly one of the two tables.

    ``intake`` has the columns of ``geo.reports.INTAKE``; ``refused`` has row_no (int64, 1-based), raw (bytes),
    reason_code and reason (a sentence). ``notes`` are sentences about the file as a whole.
    """

    intake: pd.DataFrame
    refused: pd.DataFrame
    notes: tuple[str, ...] = ()


def refused_whole(code: str, sentence: str, raw: bytes) -> Reading:
    """Return what became of a file of which no record can be told apart: it counts as one, refused."""
    nothing = Records({}, np.array([], dtype=np.int64), lambda _: b"", (Refusal(1, raw, code, sentence),))
    return Sieve(nothing).close({})


def shown(value: str | None) -> str:
    """Return ``value`` as a sentence quotes it: on one line, invisible characters escaped, cut where long."""
    if value is None:
        return "empty"
    return repr(value) if len(value) <= SHOWN else f"{value[:SHOWN]!r}…"


def literal(text: str) -> str:
    """Return ``text`` so that it stands for itself in a sentence that will be formatted."""
    return text.replace("{", "{{").replace("}", "}}")


def constant(size: int, act: str, policy: Policy) -> dict[str, Text]:
    """Return the columns act and domain of a format whose records all state one act.

    Raises
    ------
    PolicyError
        If the policy does not know the act.
    """
    known = policy.acts.get(act)
    if known is None:
        msg = f"policy.toml lacks [acts.{act}], which this source's format states: add it"
        raise PolicyError(msg)
    return {"act": pa.repeat(act, size), "domain": pa.repeat(str(known.domain), size)}


class Sieve:
    """Which records are refused so far, and why? The first reason stands."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._out = np.zeros(len(records), dtype=bool)
        self._codes = np.full(len(records), None, dtype=object)
        self._reasons = np.full(len(records), None, dtype=object)
        self._notes = list(records.notes)

    def note(self, sentence: str) -> None:
        """Say something about the file as a whole."""
        self._notes.append(sentence)

    def restate(self, columns: Mapping[str, Text]) -> None:
        """Put columns in the place of those of the same name, or beside the others."""
        self.records = replace(self.records, columns={**self.records.columns, **columns})

    def first_rows(self, rows: Mask, most: int = 3) -> str:
        """Return the numbers of the first of those rows as a sentence lists them, and how many more there are."""
        numbers = self.records.row_no[rows]
        listed = ", ".join(str(number) for number in numbers[:most])
        more = f" and {len(numbers) - most:,} more" if len(numbers) > most else ""
        return f"row{'s' if len(numbers) > 1 else ''} {listed}{more}"

    def refuse(self, rows: Mask, code: str, sentence: str, **values: Text | Reals) -> None:
        """Refuse ``rows`` that are still in, with ``sentence`` formatted from the row's own ``values``.

        Texts are quoted, numbers are put in as they are.
        """
        at = np.flatnonzero(rows & ~self._out)
        if not len(at):
            return
        cells = {name: _cells(column, at) for name, column in values.items()}
        self._out[at] = True
        self._codes[at] = code
        for order, row in enumerate(at):
            self._reasons[row] = sentence.format(**{name: column[order] for name, column in cells.items()})

    def close(self, columns: Mapping[str, Text | NDArray[np.generic] | pd.Series]) -> Reading:
        """Return the two tables; ``columns`` are the intake's, aligned with the records (absent: missing)."""
        size = len(self.records)
        given = {"row_no": self.records.row_no, "kind": np.full(size, "report", dtype=object), **columns}
        intake = pd.DataFrame({name: _series(given.get(name), size, dtype) for name, dtype in INTAKE.items()})
        return Reading(intake.loc[~self._out].reset_index(drop=True), self._refused(self._out), tuple(self._notes))

    def _refused(self, rows: Mask) -> pd.DataFrame:
        records = self.records
        late = [
            Refusal(int(records.row_no[at]), records.raw(int(at)), self._codes[at], self._reasons[at])
            for at in np.flatnonzero(rows)
        ]
        found = sorted([*records.broken, *late], key=lambda refusal: refusal.row_no)
        return pd.DataFrame(
            {
                "row_no": pd.Series([refusal.row_no for refusal in found], dtype="int64"),
                "raw": pd.Series([refusal.raw for refusal in found], dtype="object"),
                "reason_code": pd.Series([refusal.code for refusal in found], dtype="str"),
                "reason": pd.Series([refusal.reason for refusal in found], dtype="str"),
            }
        )


def _cells(column: Text | Reals, at: NDArray[np.intp]) -> list[str]:
    if isinstance(column, np.ndarray):
        return [f"{value:,.0f}" for value in column[at]]
    return [shown(value) for value in column.take(pa.array(at)).to_pylist()]


def _series(values: Text | NDArray[np.generic] | pd.Series | None, size: int, dtype: str) -> pd.Series:
    if values is None:
        return pd.Series(index=pd.RangeIndex(size), dtype=dtype)
    series: pd.Series = values.to_pandas() if isinstance(values, pa.Array) else pd.Series(values)
    if dtype.startswith("datetime64"):
        return series.astype("datetime64[us]").dt.tz_localize("UTC")
    return series.astype(pd.api.types.pandas_dtype(dtype))
