"""When are two statements the same, byte for byte?

Two forms are defined here and depend on no library's version. The canonical text of a report decides what is a
duplicate: it is what the source said, whatever the format of the file. The canonical bytes of a table are what the
hash chain covers.
"""

from __future__ import annotations

import hashlib
import struct
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geo.reports import INTAKE, TIME
from pipelines.ledger import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

#: What a source says in a report. The list is part of the ledger's format: a later column of the intake must not make
#: old contents look new.
SAID: Final = (
    "kind", "source_ref", "observed_from", "observed_to", "lon", "lat", "uncertainty_m", "act", "domain", "weapon",
    "direction", "count_low", "count_best", "count_high", "killed", "injured", "party_claimed", "origin",
    "reported_at", "text", "url",
)  # fmt: skip
#: What the computation decides by; a revision that changes none of it stands since the one before.
DECIDING: Final = (
    "kind", "source_ref", "observed_from", "observed_to", "lon", "lat", "uncertainty_m", "act", "domain", "weapon",
    "party_claimed", "origin",
)  # fmt: skip
_MISSING: Final = "-"


def normalise(intake: pd.DataFrame) -> pd.DataFrame:
    """Return the intake columns, typed and numbered from 0, with text in Unicode's composed form (NFC)."""
    rows = intake[list(INTAKE)].astype(INTAKE).reset_index(drop=True)
    return rows.assign(**{name: _composed(rows[name]) for name, dtype in INTAKE.items() if dtype == "str"})


def _composed(text: pd.Series[Any]) -> pd.Series[Any]:
    if text.dropna().map(str.isascii).all():
        return text
    return text.map(lambda value: unicodedata.normalize("NFC", value), na_action="ignore").astype("str")


def lines(rows: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the canonical text of each row: equal where, and only where, every one of the columns is.

    Text carries its length, so that no content can imitate the border of a column; missing differs from empty. Reals
    are Python's ``repr`` (shortest that reads back the same), times UTC to the microsecond.
    """
    if rows.empty:
        return []
    return ["\x1f".join(cells) for cells in zip(*(_cells(rows[name]) for name in columns), strict=True)]


def _cells(column: pd.Series[Any]) -> list[str]:
    missing = column.isna()
    if missing.all():
        return [_MISSING] * len(column)
    texts = _texts(column)
    return [_MISSING if gone else text for gone, text in zip(missing.tolist(), texts, strict=True)]


def _texts(column: pd.Series[Any]) -> list[str]:
    kind = INTAKE[str(column.name)]
    if kind == TIME:
        naive = column.dt.tz_convert(None).to_numpy("datetime64[us]")
        return [f"{text}Z" for text in np.datetime_as_string(naive, unit="us").tolist()]
    if kind == "float64":
        return list(map(repr, (column.to_numpy("float64") + 0.0).tolist()))  # + 0.0: minus zero is zero
    if kind == "Int64":
        return list(map(str, column.tolist()))
    return [f"{len(text)}:{text}" if isinstance(text, str) else "" for text in column.tolist()]


def digests(texts: Sequence[str]) -> list[bytes]:
    """Return the SHA-256 of each text in UTF-8."""
    return [hashlib.sha256(text.encode()).digest() for text in texts]


def subjects(rows: pd.DataFrame, content: Sequence[bytes]) -> list[str]:
    """Return what each row speaks of: the source's own id, else the content itself.

    Heartbeats and outages are known by their content alone.
    """
    own = rows["source_ref"].where(rows["kind"].isin(["report", *schema.STATEMENTS]))
    return [
        f"ref:{ref}" if isinstance(ref, str) else f"content:{digest.hex()}"
        for ref, digest in zip(own.tolist(), content, strict=True)
    ]


def subject_keys(source: str, names: Sequence[str]) -> list[int]:
    """Return a number for each subject by which it is found; not unique, so what is found must be compared."""
    prefix = f"{len(source)}:{source}"
    return [
        int.from_bytes(hashlib.sha256((prefix + name).encode()).digest()[:8], "little", signed=True) for name in names
    ]


def encode(table: pa.Table) -> Iterator[bytes]:
    """Yield the canonical bytes of a table.

    Blocks of 65,536 rows; in each the number of rows and columns (little-endian, 64 bits), then for each column the
    length of its name and the name, one byte for its type (i, f, t, b), one bit a row that says whether there is a
    value (lowest bit first), and the values: integers and IEEE doubles of 64 bits, little-endian, 0 where missing;
    text (UTF-8) and bytes as 64-bit lengths followed by everything joined.
    """
    for start in range(0, table.num_rows, schema.ROWS_A_READ):
        block = table.slice(start, schema.ROWS_A_READ)
        yield struct.pack("<QQ", block.num_rows, block.num_columns)
        for name in block.column_names:
            label = name.encode()
            yield struct.pack("<Q", len(label)) + label
            yield from _column(block[name].combine_chunks())


def _column(column: pa.Array) -> Iterator[bytes]:
    valid = np.packbits(pc.is_valid(column).to_numpy(zero_copy_only=False), bitorder="little").tobytes()
    if pa.types.is_integer(column.type):
        yield b"i" + valid + pc.fill_null(column, 0).to_numpy().astype("<i8").tobytes()
    elif pa.types.is_floating(column.type):
        yield b"f" + valid + pc.fill_null(column, 0.0).to_numpy().astype("<f8").tobytes()
    else:
        yield (b"t" if pa.types.is_string(column.type) else b"b") + valid
        data = pc.fill_null(column.cast(pa.large_binary()), b"")
        yield pc.binary_length(data).to_numpy().astype("<u8").tobytes()
        yield _joined(data)


def _joined(data: pa.LargeBinaryArray) -> bytes:
    _, offsets, values = data.buffers()
    bounds = np.frombuffer(offsets, "<i8")[data.offset : data.offset + len(data) + 1]
    return bytes(values[int(bounds[0]) : int(bounds[-1])]) if values is not None else b""
