"""Where on the line is each report, how far from it, and in which zone and region?

A report's footprint is a disc. What is published of the centre (chainage, offset, distance, side, region) is exact; the
segment and the zone are the likeliest ones of the footprint, with their share of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import shapely

from geo import footprints
from geo.crs import GEOD
from geo.zones import applies, contains

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt

    from geo.crs import Reals
    from geo.fronts import Baseline, Located
    from geo.pieces import Bools, Indices
    from geo.theatre import Theatre
    from geo.zones import Zone

BLOCK: Final = 10_000  # footprints sampled at a time
SIDES: Final = np.array(["right", "none", "left"])


@dataclass(frozen=True, eq=False)
class _Places:
    """Distinct footprints (shape (n,)) and which zones bind their reports (shape (n, zones)); radius NaN: unknown."""

    lon: Reals
    lat: Reals
    radius: Reals
    binding: Bools

    def __getitem__(self, rows: Indices | slice) -> _Places:
        return _Places(self.lon[rows], self.lat[rows], self.radius[rows], self.binding[rows])


def match(reports: pd.DataFrame, theatre: Theatre) -> pd.DataFrame:
    """Return reports with their place on the line, in zones and in regions.

    Parameters
    ----------
    reports
        With ``lon``, ``lat`` (WGS 84 degrees), ``uncertainty_m`` (metres), ``observed_from`` (aware UTC),
        ``weapon_class`` and ``party_claimed``. Not changed.
    theatre
        Its first baseline is the one whose segments and chainages are given.

    Returns
    -------
    DataFrame
        The same rows and index, with ``segment_id``, ``segment_share``, ``chainage_m``, ``offset_m``, ``distance_m``,
        ``side``, ``zone_id``, ``zone_share``, ``region_id`` and ``in_zone`` (the centre lies in a zone that binds the
        report). ``offset_m`` is missing beyond the line's ends, and 0 with side ``none`` on the line itself. Without
        coordinates everything is missing, ``side`` is ``none`` and ``in_zone`` false. With an unknown radius the
        shares are missing and the centre decides. A row's answer does not depend on the other rows.
    """
    zones = tuple(sorted(theatre.zones, key=lambda zone: zone.id))
    placed = np.isfinite(reports["lon"].to_numpy(float)) & np.isfinite(reports["lat"].to_numpy(float))
    places, which = _distinct(reports[placed], zones)
    row = np.full(len(reports), -1, dtype=np.intp)
    row[placed] = which
    found = _answer(places, zones, theatre).reindex(row).set_axis(reports.index)
    found["side"] = found["side"].fillna("none")
    found["in_zone"] = found["in_zone"].eq(1.0)
    return reports.assign(**{str(name): column for name, column in found.items()})


def _distinct(reports: pd.DataFrame, zones: tuple[Zone, ...]) -> tuple[_Places, Indices]:
    """Return each different question once, and which of them each report asks."""
    binding = np.array([applies(zone, reports) for zone in zones], dtype=bool).reshape(len(zones), len(reports)).T
    keys = reports[["lon", "lat", "uncertainty_m"]].astype(float)
    keys = keys.assign(binding=[packed.tobytes() for packed in np.packbits(binding, axis=1)])
    which = keys.groupby(list(keys.columns), sort=False, dropna=False).ngroup().to_numpy(np.intp)
    first = np.unique(which, return_index=True)[1]
    lon, lat, radius = (keys[name].to_numpy(float)[first] for name in ("lon", "lat", "uncertainty_m"))
    return _Places(lon, lat, radius, binding[first]), which.astype(np.intp)


def _answer(places: _Places, zones: tuple[Zone, ...], theatre: Theatre) -> pd.DataFrame:
    """Return the answers of places, one row each; ``in_zone`` is 1 or 0."""
    baselines = {baseline.id: baseline for baseline in theatre.baselines}
    used = [baselines[zone.baseline_id] for zone in zones if zone.kind == "band" and zone.baseline_id is not None]
    lines = tuple(dict.fromkeys([theatre.baselines[0], *used]))
    located = {line.id: line.locate(places.lon, places.lat) for line in lines}
    main = located[lines[0].id]
    segment, zone = main.segment.copy(), _strictest(places, zones, located)
    in_zone = zone < len(zones)
    segment_share = np.where(np.isnan(places.radius), np.nan, 1.0)
    zone_share = segment_share.copy()
    unsure = np.flatnonzero(_unsure(places, zones, located, main))
    for start in range(0, len(unsure), BLOCK):
        rows = unsure[start : start + BLOCK]
        segments, codes = _sample(places[rows], zones, lines, {key: item[rows] for key, item in located.items()})
        segment[rows], segment_share[rows] = _likeliest(segments)
        zone[rows], zone_share[rows] = _likeliest(codes)
    ids = np.array([*(item.id for item in zones), None], dtype=object)
    offset = np.where((main.side == 0) & ~main.on_line, np.nan, main.distance_m * main.side)
    return pd.DataFrame(
        {
            "segment_id": pd.Series(lines[0].segments["segment_id"].to_numpy(object)[segment], dtype="str"),
            "segment_share": segment_share,
            "chainage_m": main.chainage_m,
            "offset_m": offset,
            "distance_m": main.distance_m,
            "side": pd.Series(SIDES[main.side + 1], dtype="str"),
            "zone_id": pd.Series(ids[zone], dtype="str"),
            "zone_share": np.where(zone < len(zones), zone_share, np.nan),
            "region_id": _regions(places.lon, places.lat, theatre.regions),
            "in_zone": in_zone.astype(float),
        }
    )


def _strictest(places: _Places, zones: tuple[Zone, ...], located: dict[str, Located]) -> Indices:
    """Return the strictest zone that binds and contains each place; ``len(zones)`` where there is none."""
    strictest = np.full(places.lon.shape, len(zones), dtype=np.intp)
    for code in sorted(range(len(zones)), key=lambda code: zones[code].strictness, reverse=True):
        zone, bound = zones[code], np.flatnonzero(places.binding[:, code])
        if bound.size:
            line = located.get(zone.baseline_id or "")
            inside = contains(zone, places.lon[bound], places.lat[bound], line[bound] if line else None)
            strictest[bound] = np.where(inside, code, strictest[bound])
    return strictest


def _unsure(places: _Places, zones: tuple[Zone, ...], located: dict[str, Located], main: Located) -> Bools:
    """Return which footprints may lie in more than one segment or have more than one answer about zones."""
    radius = places.radius
    unsure = 2 * radius >= main.clear_m
    for code, zone in enumerate(zones):
        bound = places.binding[:, code] & (radius > 0) & ~unsure
        if bound.any():
            rows = np.flatnonzero(bound)
            unsure[rows] = _straddles(zone, places[rows], located.get(zone.baseline_id or ""), rows)
    return unsure & (radius > 0)


def _straddles(zone: Zone, places: _Places, located: Located | None, rows: Indices) -> Bools:
    """Return which footprints may lie partly in a zone; ``located`` is of all places, ``rows`` those asked."""
    if zone.kind == "polygon" or located is None:
        return _near_border(zone, places)
    metres, radius = located.distance_m[rows], places.radius
    one_side = (radius < metres) if zone.side != "both" else np.ones(len(rows), dtype=bool)
    inside = (metres + radius <= zone.depth) & one_side & (2 * radius < located.clear_m[rows])
    return np.asarray(~(inside | (metres - radius > zone.depth)))


def _near_border(zone: Zone, places: _Places) -> Bools:
    """Return which footprints may reach the border of a polygon."""
    border = shapely.boundary(zone.geometry)
    shapely.prepare(border)
    high = np.degrees(places.radius / GEOD.b) * 1.01
    wide = high / np.maximum(np.cos(np.radians(np.minimum(np.abs(places.lat) + high, 89.0))), 0.01)
    boxes = shapely.box(places.lon - wide, places.lat - high, places.lon + wide, places.lat + high)
    return np.asarray(shapely.intersects(border, boxes))


def _sample(
    places: _Places, zones: tuple[Zone, ...], lines: tuple[Baseline, ...], centres: dict[str, Located]
) -> tuple[Indices, Indices]:
    """Return segment and strictest zone of equal shares of footprints, shape (n, samples); the centre first."""
    disc = (places.lon, places.lat, places.radius)
    located = {line.id: footprints.spread(line, *disc, centres[line.id]) for line in lines}
    return located[lines[0].id].segment, _strictest(_spread(places, zones), zones, located)


def _spread(places: _Places, zones: tuple[Zone, ...]) -> _Places:
    """Return the samples' places where a polygon's border needs them; elsewhere the centre stands for its disc."""
    lon, lat = (np.repeat(item[:, None], footprints.SAMPLES, axis=1) for item in (places.lon, places.lat))
    border = np.zeros(len(lon), dtype=bool)
    for code, zone in enumerate(zones):
        if zone.kind == "polygon":
            rows = np.flatnonzero(places.binding[:, code] & ~border)
            border[rows] = _near_border(zone, places[rows])
    lon[border], lat[border] = footprints.places(places.lon[border], places.lat[border], places.radius[border])
    return _Places(lon, lat, places.radius, places.binding)


def _likeliest(codes: Indices) -> tuple[Indices, Reals]:
    """Return the commonest code of each row (ties: the lowest) and its share."""
    ranked = np.sort(codes, axis=1)
    place = np.arange(codes.shape[1])
    begins = np.where(np.diff(ranked, axis=1, prepend=ranked[:, :1] - 1) != 0, place, 0)
    runs = place - np.maximum.accumulate(begins, axis=1) + 1
    best = runs.argmax(axis=1)
    rows = np.arange(len(codes))
    return ranked[rows, best], runs[rows, best] / codes.shape[1]


def _regions(lon: Reals, lat: Reals, regions: gpd.GeoDataFrame) -> pd.Series:
    """Return the id of the region that holds each point, borders included (ties: the lowest)."""
    ordered = regions.sort_values("region_id", kind="stable")
    tree = shapely.STRtree(np.asarray(shapely.points(lon, lat)))
    region, point = tree.query(ordered.geometry.to_numpy(), predicate="intersects")
    lowest = np.full(len(lon), len(ordered), dtype=np.intp)
    np.minimum.at(lowest, point, region)
    ids: npt.NDArray[np.object_] = np.array([*ordered["region_id"], None], dtype=object)
    return pd.Series(ids[lowest], dtype="str")
