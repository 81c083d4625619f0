"""How does a frame become bytes, and bytes the same frame again?

As Arrow keeps them, shapes as WKB: every value, and every column's type, comes back as it was. A digest is shorter, and
depends on the values alone.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geo.crs import WGS84
from geo.threads import mapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_SHAPES: Final = "geometry"
_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="lz4")


def packed(frame: pd.DataFrame) -> NDArray[np.uint8]:
    """Return a frame with a plain index as bytes; a column ``geometry`` holds shapes in WGS 84."""
    plain = pd.DataFrame({name: frame[name] for name in frame.columns if name != _SHAPES})
    table = pa.Table.from_pandas(plain, preserve_index=False)
    if _SHAPES in frame:
        table = table.append_column(_SHAPES, pa.array(shapely.to_wkb(frame[_SHAPES].to_numpy(object)), pa.binary()))
    held = pa.BufferOutputStream()
    with pa.ipc.new_file(held, table.schema, options=_OPTIONS) as file:
        file.write_table(table)
    return np.frombuffer(held.getvalue(), np.uint8)


def unpacked(data: NDArray[np.uint8]) -> pd.DataFrame:
    """Return the frame that was ``packed``."""
    table = pa.ipc.open_file(pa.py_buffer(data)).read_all()
    if _SHAPES not in table.column_names:
        return pd.DataFrame(table.to_pandas(split_blocks=True))
    wkb = table[_SHAPES].to_numpy()
    whole: pd.DataFrame = gpd.GeoDataFrame(
        table.drop(_SHAPES).to_pandas(split_blocks=True), geometry=shapely.from_wkb(wkb), crs=WGS84
    )
    return whole


def digest(frames: Iterable[tuple[str, pd.DataFrame]]) -> str:
    """Return the SHA-256 (hex) over what frames hold, value by value, in order."""
    whole = hashlib.sha256()
    for name, frame in frames:
        whole.update(f"{name} {len(frame)} {list(frame.columns)}".encode())
        held = frame.columns if len(frame) else ()  # of no rows there is nothing to add
        for hashed in mapped(_hashed, [frame[column] for column in held]):
            whole.update(hashed)
    return whole.hexdigest()


def _hashed(column: pd.Series[Any]) -> bytes:
    whole = hashlib.sha256()
    for values in _values(column):
        whole.update(np.ascontiguousarray(values).data)
    return whole.digest()


def _values(column: pd.Series[Any]) -> Iterator[NDArray[Any]]:
    """Yield what a column holds, as numbers that depend on its values alone: nothing of what stands where none is."""
    if column.name == _SHAPES:
        yield from _shapes(column.to_numpy(object))
    elif isinstance(column.dtype, (pd.Int64Dtype, pd.BooleanDtype)):
        yield column.isna().to_numpy(bool)
        yield column.to_numpy(np.int64, na_value=0)
    elif isinstance(column.dtype, pd.StringDtype):
        yield from _texts(pa.Array.from_pandas(column, type=pa.large_string()))
    elif column.dtype.kind == "M":
        yield column.to_numpy("datetime64[us]").view(np.int64)
    else:
        yield pd.util.hash_pandas_object(column, index=False).to_numpy()


def _shapes(shapes: NDArray[np.object_]) -> Iterator[NDArray[Any]]:
    if set(np.unique(shapely.get_type_id(shapes)).tolist()) <= {-1, shapely.GeometryType.POINT}:
        yield shapely.get_num_coordinates(shapes)
        yield shapely.get_coordinates(shapes)
    else:
        yield from _texts(pa.array(shapely.to_wkb(shapes), pa.large_binary()))


def _texts(values: pa.Array | pa.ChunkedArray) -> Iterator[NDArray[Any]]:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    yield pc.fill_null(pc.binary_length(whole), -1).to_numpy()
    said = whole.drop_null()
    if len(said):
        _, ends, held = said.buffers()
        first, last = np.frombuffer(ends, np.int64)[[said.offset, said.offset + len(said)]]
        yield np.frombuffer(held or b"", np.uint8)[first:last]
