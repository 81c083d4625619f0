"""What do the theatre's rasters say at a place, and under a footprint?

Rasters come from the user: GeoTIFF only, opened by that driver alone, without the files beside them, and read in
windows however large they are. No other module reads rasters. A cell without a value (nodata, NaN)
and ground beyond the raster's edge are unknown.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer

from geo import crs, exposure
from geo.crs import WGS84
from geo.errors import PolicyError
from geo.exposure import Measured
from pipelines.settings.files import file_hash

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from geo.crs import Reals
    from geo.theatre import Raster

    Shapes = npt.NDArray[np.object_]

DRIVER: Final = "GTiff"
_OPTIONS: Final = {
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
}
# These only trade memory for speed; no result depends on them.
_WINDOW: Final = 256  # cells a side
_MOST_CELLS: Final = 4_000_000
_LEAST_M: Final = 1.0  # a point is looked at as a disc of this radius


def check(folder: Path, rasters: Iterable[Raster]) -> None:
    """Raise ``PolicyError`` unless each raster can be used."""
    for raster in rasters:
        with _opened(folder, raster):
            pass


def survey(folder: Path, rasters: tuple[Raster, ...], answer: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the layers with ``exposure``, and with ``people`` on incidents.

    Raises
    ------
    PolicyError
        If a raster cannot be used, or is another one than was recorded.
    """
    shown = tuple(raster for raster in rasters if raster.statistic is not None)
    incidents, reports = answer["incidents"], answer["reports"]
    grounds = incidents["geometry"].to_numpy(object)
    points = reports["geometry"].to_numpy(object)
    lon, lat = np.asarray(shapely.get_x(points), float), np.asarray(shapely.get_y(points), float)
    covered = {raster.id: under(folder, raster, grounds) for raster in shown}
    found = {raster.id: at(folder, raster, lon, lat) for raster in shown}
    people = exposure.people(incidents, shown, covered)
    return {
        **answer,
        **{name: answer[name].assign(**people) for name in ("incidents", "incident_points")},
        "exposure": exposure.layer(incidents, reports, shown, covered, found),
    }


def under(folder: Path, raster: Raster, footprints: Shapes) -> Measured:
    """Return a raster's statistic under footprints (polygons, WGS 84 degrees).

    A cell counts by the share of it that is covered; for ``mean`` and ``majority`` in geographic coordinates by its
    area. ``known_share`` is a share of area in the raster's own plane.

    Raises
    ------
    PolicyError
        If the raster cannot be used, or is another one than was recorded.
    """
    with _opened(folder, raster) as source:
        found = _zonal(source, footprints, raster.statistic or "sum")
    _refuse_negative(raster, found["least"])
    share = np.clip(found["known"] / found["whole"], 0.0, 1.0)
    return Measured(np.where(share > 0, found["value"], np.nan), share)


def at(folder: Path, raster: Raster, lon: Reals, lat: Reals) -> Measured:
    """Return the value of the cell that holds each point (WGS 84 degrees); points may be missing (NaN)."""
    with _opened(folder, raster) as source:
        value = _cells(source, lon, lat)
    _refuse_negative(raster, value)
    return Measured(value, np.isfinite(value).astype(float))


def explained(folder: Path, rasters: Iterable[Raster], reports: pd.DataFrame, acts: Collection[str]) -> pd.Series:
    """Return for which reports of heat a permanent source of heat lies in the footprint.

    Parameters
    ----------
    rasters
        The theatre's; a cell of kind ``heat_sources`` is a source where its value is above 0.
    reports
        With act, lon, lat (degrees), uncertainty_m (metres).
    acts
        Those that are heat.

    Returns
    -------
    Series
        Of truths; missing for other reports, for those without a place, and where no raster of that kind is declared.
    """
    masks = [raster for raster in rasters if raster.kind == "heat_sources"]
    lon, lat, radius = (reports[name].to_numpy(float) for name in ("lon", "lat", "uncertainty_m"))
    heat = np.flatnonzero(reports["act"].isin(list(acts)).to_numpy(bool) & np.isfinite(lon) & np.isfinite(lat))
    found = pd.array([pd.NA] * len(reports), "boolean")
    if masks and len(heat):
        discs = crs.discs(lon[heat], lat[heat], np.fmax(radius[heat], _LEAST_M))
        hot = np.zeros(len(heat), bool)
        for raster in masks:
            with _opened(folder, raster) as source:
                hot |= _zonal(source, discs, "max")["value"] > 0
        found[heat] = hot
    return pd.Series(found, reports.index)


def _zonal(source: Any, footprints: Shapes, operation: str) -> dict[str, Reals]:  # noqa: ANN401 -- rasterio ships no types
    """Return value, least value, known area and whole area of each footprint; areas in the raster's own plane."""
    from exactextract import exact_extract  # noqa: PLC0415 -- not before a raster is declared
    from exactextract.feature import JSONFeatureSource  # noqa: PLC0415
    from exactextract.raster import RasterioRasterSource  # noqa: PLC0415

    to_raster = _transformer(source)
    grounds = shapely.transform(footprints, lambda xy: np.column_stack(to_raster.transform(xy[:, 0], xy[:, 1])))
    drawn = np.isfinite(shapely.bounds(grounds)).all(axis=1)  # the rest lies where the raster's plane does not reach
    by_area = operation in {"mean", "majority"} and source.crs.is_geographic
    weight = "(coverage_weight=area_spherical_m2)" if by_area else ""
    features = [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(one)} for one in grounds[drawn]
    ]
    told = exact_extract(
        RasterioRasterSource(source),
        JSONFeatureSource(features, srs_wkt=source.crs.wkt),
        [f"value={operation}{weight}", "least=min", "known=count(coverage_weight=area_cartesian)"],
        max_cells_in_memory=_MOST_CELLS,
    )
    columns = {name: np.full(len(footprints), np.nan) for name in ("value", "least", "known")}
    for name, column in columns.items():
        column[drawn] = [_number(one["properties"].get(name)) for one in told]
    return {
        **columns,
        "known": np.nan_to_num(columns["known"]),
        "whole": np.asarray(shapely.area(np.where(drawn, grounds, footprints)), float),
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _cells(source: Any, lon: Reals, lat: Reals) -> Reals:  # noqa: ANN401
    """Read the cells at points, window by window; NaN where unknown."""
    from rasterio.windows import Window  # noqa: PLC0415

    x, y = _transformer(source).transform(lon, lat)
    grid = source.transform
    column, row = np.floor((np.asarray(x) - grid.c) / grid.a), np.floor((np.asarray(y) - grid.f) / grid.e)
    inside = (column >= 0) & (column < source.width) & (row >= 0) & (row < source.height)
    value = np.full(len(lon), np.nan)
    points = np.flatnonzero(inside)
    across, down = column[points].astype(np.int64), row[points].astype(np.int64)
    tile = (down // _WINDOW) * (source.width // _WINDOW + 1) + across // _WINDOW
    order = np.argsort(tile, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(tile[order])) + 1) if len(points) else ():
        left, top = across[members].min(), down[members].min()
        size = across[members].max() - left + 1, down[members].max() - top + 1
        read = source.read(1, window=Window(left, top, *size), masked=True)
        cells = np.ma.filled(read.astype(float), np.nan) * source.scales[0] + source.offsets[0]
        value[points[members]] = cells[down[members] - top, across[members] - left]
    return value


def _transformer(source: Any) -> Transformer:  # noqa: ANN401
    return Transformer.from_crs(CRS.from_user_input(WGS84), CRS.from_wkt(source.crs.to_wkt()), always_xy=True)


@contextmanager
def _opened(folder: Path, raster: Raster) -> Iterator[Any]:
    """Open a raster as its declaration says it is."""
    import rasterio  # noqa: PLC0415
    from rasterio.errors import RasterioError  # noqa: PLC0415

    path = folder / raster.file
    if not path.is_file():
        _refuse(raster, "is not there", "put it there, or correct its name in theatre.toml")
    if file_hash(path) != raster.sha256:
        wrong = f"is not the file that was recorded (SHA-256 {raster.sha256[:12]}…)"
        _refuse(raster, wrong, "bring that file back to ask about that time, or ask about the present")
    with rasterio.Env(**_OPTIONS):
        try:
            source = rasterio.open(path.resolve(), driver=DRIVER)
        except RasterioError as fault:
            _refuse(raster, f"cannot be read as GeoTIFF ({fault})", "convert it: gdal_translate -of COG IN OUT.tif")
        with source:
            _refuse_unfit(raster, source)
            try:
                yield source
            except RasterioError as fault:
                _refuse(raster, f"is damaged ({fault})", "bring a whole copy of it")


def _refuse_unfit(raster: Raster, source: Any) -> None:  # noqa: ANN401
    if source.count != 1:
        todo = "keep the one that is meant: gdal_translate -b 1 IN OUT.tif"
        _refuse(raster, f"has {source.count} bands", todo)
    if source.crs is None:
        _refuse(raster, "does not say its reference system", "write it in: gdal_edit -a_srs EPSG:… FILE")
    step = source.transform
    if step.b or step.d or step.a <= 0 or step.e >= 0:
        _refuse(raster, "does not have north up", "warp it: gdalwarp IN OUT.tif")
    if source.dtypes[0].startswith("complex"):
        _refuse(raster, "holds complex numbers", "give one of plain numbers")


def _refuse_negative(raster: Raster, values: Reals) -> None:
    if raster.kind == "population" and (values < 0).any():
        wrong = f"holds {np.nanmin(values):g} people in a cell"
        _refuse(raster, wrong, "say which value means unknown: gdal_edit -a_nodata VALUE FILE")


def _refuse(raster: Raster, wrong: str, todo: str) -> None:
    msg = f"raster {raster.id!r} ({raster.file}) {wrong}; {todo}."
    raise PolicyError(msg)
