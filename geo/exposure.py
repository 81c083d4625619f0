"""Who and what is under a breach: how many people live there, on what ground?

Rasters are read elsewhere; what they say comes in as values. A cell without a value is unknown, never nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from geo import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geo.crs import Reals
    from geo.theatre import Raster


class Measured(NamedTuple):
    """What a raster says of grounds, one array element each.

    ``value`` is missing (NaN) where nothing is known; ``known_share`` is the share of the ground whose cells have a
    value, 0 to 1.
    """

    value: Reals
    known_share: Reals


AT_A_POINT: Final = "cell"


def layer(
    incidents: gpd.GeoDataFrame,
    reports: pd.DataFrame,
    rasters: tuple[Raster, ...],
    under: Mapping[str, Measured],
    at: Mapping[str, Measured],
) -> pd.DataFrame:
    """Return the table ``exposure``: incidents, then reports, each in their order, by raster as declared.

    Parameters
    ----------
    incidents, reports
        The layers.
    rasters
        Those that are published.
    under, at
        By raster: what lies under each incident's footprint, and at each report's place.
    """
    parts = [tables.empty(tables.EXPOSURE)]
    for frame, key, found in ((incidents, "incident_id", under), (reports, "report_id", at)):
        if not len(frame) or not rasters:
            continue
        names = np.repeat(frame[key].to_numpy(object), len(rasters))
        told = {
            "raster_id": [raster.id for raster in rasters],
            "kind": [raster.kind for raster in rasters],
            "unit": [raster.unit for raster in rasters],
            "statistic": [AT_A_POINT if key == "report_id" else raster.statistic for raster in rasters],
        }
        columns: dict[str, object] = {"incident_id": None, "report_id": None, key: names}
        columns |= {name: np.tile(np.array(values, object), len(frame)) for name, values in told.items()}
        for name in Measured._fields:
            columns[name] = np.column_stack([getattr(found[raster.id], name) for raster in rasters]).ravel()
        parts.append(tables.conform(pd.DataFrame(columns), tables.EXPOSURE))
    return pd.concat(parts, ignore_index=True)


def people(incidents: pd.DataFrame, rasters: tuple[Raster, ...], under: Mapping[str, Measured]) -> dict[str, Reals]:
    """Return ``people`` and ``people_known_share`` of incidents: the sum of the first raster that counts people."""
    counts = [raster.id for raster in rasters if raster.kind == "population" and raster.statistic == "sum"]
    if not counts:
        return {"people": np.full(len(incidents), np.nan), "people_known_share": np.full(len(incidents), np.nan)}
    found = under[counts[0]]
    return {"people": found.value, "people_known_share": found.known_share}
