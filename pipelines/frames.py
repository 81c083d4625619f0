"""How does a frame become bytes, and bytes the same frame again?

As Arrow keeps them, shapes as WKB: every value, and every column's type, comes back as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from geo.crs import WGS84

if TYPE_CHECKING:
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
