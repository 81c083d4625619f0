"""When are two statements the same, byte for byte?

Two forms are defined here and depend on no library's version. The canonical text of a report decides what is a
duplicate: it is what the source said, whatever the format of the file. The canonical bytes of a table are what the
hash chain covers.
"""

from __future__ import annotations

import binascii
import hashlib
import struct
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geo.reports import INTAKE, TIME
from pipelines.ledger import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: What a source says in a report. The list is part of the ledger's format: a later column of the intake must not make
#: old contents look new.
SAID: Final = (
    "kind", "source_ref", "observed_from", "observed_to", "lon", "lat", "uncertainty_m", "act", "domain", "weapon",
    "direction", "count_low", "count_best", "count_high", "killed", "injured", "party_claimed", "origin",
    "reported_at", "text", "url", "footprint", "means", "credibility",
)  # fmt: skip
#: What the computation decides by; a revision that changes none of it stands since the one before. Words, link and
#: figures, which tell copies, are left out: a corrected spelling shall not make an old report look new.
DECIDING: Final = (
    "kind", "source_ref", "observed_from", "observed_to", "lon", "lat", "uncertainty_m", "act", "domain", "weapon",
    "party_claimed", "origin", "footprint", "means", "credibility",
)  # fmt: skip
_MISSING: Final = "-"
_DIGEST: Final = hashlib.sha256().digest_size
_BORDER: Final = pa.scalar("\x1f", pa.large_string())
_COLON: Final = pa.scalar(":", pa.large_string())


def normalise(intake: pd.DataFrame) -> pd.DataFrame:
    """Return the intake columns, typed and numbered from 0, with text in Unicode's composed form (NFC).

    Minus zero is zero, as SQLite gives it back.
    """
    rows = intake[list(INTAKE)].astype(INTAKE).reset_index(drop=True)
    texts = {name: _composed(rows[name]) for name, dtype in INTAKE.items() if dtype == "str"}
    return rows.assign(**texts, **{name: rows[name] + 0.0 for name, dtype in INTAKE.items() if dtype == "float64"})


def _composed(text: pd.Series[Any]) -> pd.Series[Any]:
    if pc.all(pc.string_is_ascii(pa.array(text, from_pandas=True)), min_count=0).as_py():
        return text
    return text.map(lambda value: unicodedata.normalize("NFC", value), na_action="ignore").astype("str")


def lines(rows: pd.DataFrame, columns: Sequence[str]) -> pa.LargeStringArray:
    """Return the canonical text of each row: equal where, and only where, every one of the columns is.

    Text carries its length, so that no content can imitate the border of a column; missing differs from empty. Reals
    are Python's ``repr`` (the shortest that reads back the same), times microseconds since 1970 in UTC.
    """
    if rows.empty:
        return pa.array([], pa.large_string())
    return pc.binary_join_element_wise(*(_cells(rows[name]) for name in columns), _BORDER)


def stated(said: bytes) -> dict[str, str]:
    """Return what a row's canonical text says, by column; see ``lines``. Times are µs since 1970."""
    text, found = said.decode(), {}
    for name in SAID:
        value, _, rest = text.partition(_BORDER.as_py())
        if value != _MISSING and INTAKE[name] == "str":
            length, _, rest = text.partition(":")
            value, rest = rest[: int(length)], rest[int(length) + 1 :]
            found[name] = value
        elif value != _MISSING:
            found[name] = value
        text = rest
    return found


def _cells(column: pd.Series[Any]) -> pa.LargeStringArray:
    kind = INTAKE[str(column.name)]
    if kind == "float64":
        values = column.to_numpy("float64") + 0.0  # minus zero is zero
        texts = pa.array(list(map(repr, values.tolist())), pa.large_string(), mask=np.isnan(values))
        return pc.fill_null(texts, _MISSING)
    found = _plain(pa.array(column, from_pandas=True))
    if kind == "str":
        text = found.cast(pa.large_string())
        found = pc.binary_join_element_wise(pc.utf8_length(text).cast(pa.large_string()), text, _COLON)
    elif kind == TIME:
        found = found.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return pc.fill_null(found.cast(pa.large_string()), _MISSING)


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def digests(texts: pa.LargeStringArray) -> pa.FixedSizeBinaryArray:
    """Return the SHA-256 of each text in UTF-8."""
    bounds, values = _bounds(texts)
    view = memoryview(values)
    found = b"".join([hashlib.sha256(view[start:end]).digest() for start, end in pairwise(bounds.tolist())])
    return pa.Array.from_buffers(pa.binary(_DIGEST), len(texts), [None, pa.py_buffer(found)])


def hexed(found: pa.ChunkedArray | pa.Array) -> pd.Series[Any]:
    """Return bytes, such as digests, as text of hex digits."""
    data = _plain(found).cast(pa.large_binary())
    bounds, text = _bounds(data)[0], binascii.hexlify(_joined(data))
    buffers = [None, pa.py_buffer(2 * (bounds - bounds[0])), pa.py_buffer(text)]
    texts = pa.Array.from_buffers(pa.large_string(), len(data), buffers)
    return pd.Series(texts.to_pandas(types_mapper={pa.large_string(): pd.StringDtype(na_value=np.nan)}.get))


def unhexed(texts: pd.Series[Any]) -> pa.LargeBinaryArray:
    """Return the bytes that were ``hexed``."""
    data = _plain(pa.array(texts, from_pandas=True)).cast(pa.large_binary())
    bounds, found = _bounds(data)[0], binascii.unhexlify(_joined(data))
    buffers = [None, pa.py_buffer((bounds - bounds[0]) // 2), pa.py_buffer(found)]
    return pa.Array.from_buffers(pa.large_binary(), len(data), buffers)


def subjects(rows: pd.DataFrame) -> pd.Series[Any]:
    """Return what each row speaks of: the source's own id, else its ``content``.

    Heartbeats and outages are known by their content alone.
    """
    own = rows["kind"].isin(["report", *schema.STATEMENTS]) & rows["source_ref"].notna()
    return ("ref:" + rows["source_ref"]).where(own, "content:" + rows["content"])


def subject_keys(source: str, names: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return a number for each subject by which it is found; not unique, so what is found must be compared."""
    texts = _plain(pa.array(f"{len(source)}:{source}" + names)).cast(pa.large_string())
    _, data = digests(texts).buffers()
    return np.frombuffer(data, "<i8").reshape(-1, _DIGEST // 8)[:, 0].astype("int64")


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
    bounds, values = _bounds(data)
    return bytes(memoryview(values)[int(bounds[0]) : int(bounds[-1])])


def _bounds(data: pa.LargeBinaryArray) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Any]:
    """Return where each value begins and the last one ends, and the buffer that they lie in."""
    _, offsets, values = data.buffers()
    if not len(data):
        return np.zeros(1, "int64"), b""
    bounds = np.frombuffer(offsets, "<i8")[data.offset : data.offset + len(data) + 1]
    return bounds, b"" if values is None else values
