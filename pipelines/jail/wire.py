"""How does what a reader says come back from a process that nobody trusts?

A line of JSON, and behind it, if the file could be read, two Arrow streams: what is taken in, and what is refused. The
receiver knows every column and its type beforehand and takes nothing else; nothing that came is ever executed.
"""

from __future__ import annotations

import dataclasses
import json
import re
import struct
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from geo.errors import InputError, PolicyError
from geo.reports import INTAKE, TIME
from pipelines.jail.limits import MACHINE
from pipelines.linework.drawn import MOST_PARTS
from pipelines.sources.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from geo.crs import Reals

REFUSED: Final = {"row_no": "int64", "raw": "object", "reason_code": "str", "reason": "str"}
KINDS: Final = ("report", "retraction", "heartbeat", "outage")
LONGEST: Final = 10_000  # characters of a sentence
MOST_NOTES: Final = 100
_HEAD: Final = 12 * LONGEST * MOST_NOTES  # a character takes up to 12 bytes of JSON
_ROWS: Final = 65_536  # of one record batch
_CODE: Final = re.compile(r"[a-z][a-z0-9_?-]{0,39}")
_CARRIED: Final = frozenset({"intake", "refused", "notes"})
_WHOLE: Final = frozenset({"row_no", "kind", "raw", "reason_code", "reason"})
_ARROW: Final = {
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "float64": pa.float64(),
    "str": pa.large_string(),
    "object": pa.large_binary(),
    TIME: pa.timestamp("us", "UTC"),
}

_WHOLES, _NUMBERS = np.dtype("<i8"), np.dtype("<f8")

# Of Arrow's Message.fbs: which member of a message is its header, and which of a record batch its compression.
_HEADER, _COMPRESSION = 2, 3
_OFFSET, _BACK, _SHORT = struct.Struct("<I"), struct.Struct("<i"), struct.Struct("<H")
_UNREADABLE: Final = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    MemoryError,
    OSError,
    RecursionError,
    StopIteration,
    struct.error,
    pa.ArrowException,
)

if {field.name for field in dataclasses.fields(Reading)} != _CARRIED:
    _message = "a Reading has other parts than pipelines.jail.wire carries: teach it the new ones"
    raise AssertionError(_message)


class GarbageError(Exception):
    """What came back is not what a reader says."""


class ReaderError(Exception):
    """The reader failed at a file, as it says itself."""


def put_reading(out: IO[bytes], reading: Reading) -> None:
    """Write what a reader says."""
    _put_line(out, {"notes": [note[:LONGEST] for note in reading.notes[:MOST_NOTES]]})
    for frame, columns in ((reading.intake, INTAKE), (reading.refused, REFUSED)):
        table = pa.Table.from_pandas(frame, schema=_schema(columns), preserve_index=False, nthreads=1)
        with pa.ipc.new_stream(out, _schema(columns)) as stream:
            stream.write_table(table.replace_schema_metadata(None), max_chunksize=_ROWS)


def put_kept(out: IO[bytes], data: bytes) -> None:
    """Write what may be kept of a file."""
    _put_line(out, {"kept": len(data)})
    out.write(data)


def get_kept(data: bytes | bytearray) -> bytes:
    """Return what may be kept of a file; raise what ``get_reading`` raises."""
    with _opened(data) as (said, begin):
        kept = bytes(data[begin:])
        if len(kept) != said["kept"]:
            msg = "it was cut"
            raise ValueError(msg)
    return kept


def put_parts(out: IO[bytes], parts: Sequence[Sequence[tuple[float, float]]]) -> None:
    """Write the parts of a line: how many positions each has, and behind that their numbers."""
    _put_line(out, {"parts": len(parts)})
    out.write(np.array([len(part) for part in parts], _WHOLES).tobytes())
    out.write(np.array([place for part in parts for place in part], _NUMBERS).reshape(-1, 2).tobytes())


def get_parts(data: bytes | bytearray) -> list[Reals]:
    """Return the parts of a line, shape (n, 2) each, longitude first; raise what ``get_reading`` raises."""
    with _opened(data) as (said, begin):
        rest, count = bytes(data[begin:]), said["parts"]
        if type(count) is not int or not 0 <= count <= MOST_PARTS:
            msg = "no number of parts that is read"
            raise ValueError(msg)
        sizes = np.frombuffer(rest, _WHOLES, count=count)
        places = np.frombuffer(rest, _NUMBERS, offset=sizes.nbytes).reshape(-1, 2)
        if (sizes < 0).any() or (sizes > len(places)).any() or sizes.sum() != len(places):
            msg = "its parts do not add up"
            raise ValueError(msg)
    return np.split(places, np.cumsum(sizes))[:-1]


def put_failure(error: BaseException, out: IO[bytes]) -> None:
    """Write why nothing can be said."""
    code = error.code if isinstance(error, InputError) else ""
    _put_line(out, {"error": type(error).__name__, "code": code, "message": str(error)[:LONGEST]})


def get_reading(data: bytes | bytearray) -> Reading:
    """Return what a reader said.

    Raises
    ------
    InputError, PolicyError
        If that is what it said.
    ReaderError
        If it failed at the file.
    GarbageError
        If it is none of these.
    """
    with _opened(data) as (said, begin):
        notes = tuple(legible(note) for note in said["notes"])
        stream = pa.BufferReader(pa.py_buffer(data).slice(begin))
        intake, refused = (_get_frame(stream, columns) for columns in (INTAKE, REFUSED))
    _check(intake, refused)
    return Reading(intake, refused, notes)


@contextmanager
def _opened(data: bytes | bytearray) -> Iterator[tuple[dict[str, Any], int]]:
    """Give the first line of what came, and where the rest begins; what cannot be read of either is garbage."""
    length = data.find(b"\n", 0, _HEAD)
    try:
        said = json.loads(data[:length])
        if "error" in said:
            raise _error(said)
        yield said, length + 1
    except _UNREADABLE as fault:
        msg = f"{type(fault).__name__}: {fault}"
        raise GarbageError(msg) from fault


def _put_line(out: IO[bytes], said: Mapping[str, Any]) -> None:
    out.write(json.dumps(said).encode() + b"\n")


def _error(said: Mapping[str, Any]) -> Exception:
    message, code = legible(said["message"]), str(said["code"])
    if said["error"] == InputError.__name__ and _CODE.fullmatch(code) and code not in MACHINE:
        return InputError(code, message)
    if said["error"] == PolicyError.__name__:
        return PolicyError(message)
    return ReaderError(f"{said['error']:.60}: {message}")


def legible(text: Any) -> str:  # noqa: ANN401 -- whatever came
    """Return a sentence that came back without signs that steer a screen; raise ``TypeError`` if it is none."""
    if not isinstance(text, str):
        msg = "a sentence is no text"
        raise TypeError(msg)
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text[:LONGEST])


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    return pa.schema([pa.field(name, _ARROW[dtype]) for name, dtype in columns.items()])


def _get_frame(source: pa.BufferReader, columns: Mapping[str, str]) -> pd.DataFrame:
    # One message after the other, since a whole stream would be unpacked before it could be refused.
    messages = pa.ipc.MessageReader.open_stream(source)
    schema = pa.ipc.read_schema(messages.read_next_message())
    if not schema.equals(_schema(columns)):
        msg = "other columns than a reader gives"
        raise ValueError(msg)
    table = pa.Table.from_batches([_batch(message, schema) for message in messages], schema)
    if table.nbytes > source.size():
        msg = "its columns lie over each other"
        raise ValueError(msg)
    table.validate(full=True)
    for name in _WHOLE & set(columns):
        if table.column(name).null_count:
            msg = f"{name} is missing somewhere"
            raise ValueError(msg)
    return pd.DataFrame({name: _series(table.column(name), dtype) for name, dtype in columns.items()})


def _batch(message: pa.Message, schema: pa.Schema) -> pa.RecordBatch:
    if message.type != "record batch" or _is_packed(message.metadata.to_pybytes()):
        msg = "other messages than a reader gives"
        raise ValueError(msg)
    return pa.ipc.read_record_batch(message, schema)


def _is_packed(metadata: bytes) -> bool:
    """Return whether a record batch says how its body is compressed, which pyarrow does not tell."""
    (message,) = _OFFSET.unpack_from(metadata)
    header = _member(metadata, message, _HEADER)
    return bool(_member(metadata, header + _OFFSET.unpack_from(metadata, header)[0], _COMPRESSION))


def _member(metadata: bytes, table: int, number: int) -> int:
    """Return where a member of a table of FlatBuffers stands; 0: it is not there."""
    members = table - _BACK.unpack_from(metadata, table)[0]
    (length,) = _SHORT.unpack_from(metadata, members)
    at = 4 + 2 * number  # behind the lengths of both tables
    offset = _SHORT.unpack_from(metadata, members + at)[0] if at < length else 0
    return table + offset if offset else 0


def _series(column: pa.ChunkedArray, dtype: str) -> pd.Series:
    types = {pa.int64(): pd.Int64Dtype()}.get if dtype == "Int64" else None
    series: pd.Series = column.to_pandas(types_mapper=types)
    return series.astype(pd.api.types.pandas_dtype(dtype))


def _check(intake: pd.DataFrame, refused: pd.DataFrame) -> None:
    numbers = np.concatenate([intake["row_no"].to_numpy(), refused["row_no"].to_numpy()])
    if len(np.unique(numbers)) != len(numbers) or (numbers < 1).any():
        msg = "a row is told twice, or has no number"
        raise GarbageError(msg)
    if not intake["kind"].isin(KINDS).all() or not all(map(_CODE.fullmatch, refused["reason_code"].unique())):
        msg = "a kind or a reason that no reader gives"
        raise GarbageError(msg)
