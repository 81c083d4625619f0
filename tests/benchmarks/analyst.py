"""What would a good analyst write by hand, with geopandas, DBSCAN and pyogrio?

Plain CSV in, points and incidents out as a GeoPackage: nearest segment with chainage and offset, the strictest zone,
reports grouped by the policy's links, and a ladder of 24 and 72 hours. Known traps are avoided: everything is measured
in one metric CRS, the merged line is buffered and not its segments, ``sjoin_nearest`` is asked once and its ties are
dropped. It has what one has of an agreement: its permanent segments, its zones, its numbers.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sklearn.cluster import DBSCAN

from geo.crs import WGS84

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pyproj import CRS

    from geo.policy import Policy
    from geo.theatre import Theatre

TIMES: Final = ("observed_from", "observed_to", "reported_at")
NO_REPORTS: Final = ("heartbeat", "outage", "retraction")
ORIGINS: Final = 2  # an incident of which fewer have told stays a candidate


@dataclass(frozen=True)
class Ground:
    """The agreement on the ground, in a metric CRS: permanent segments, and the ground of each zone, strictest first.

    ``zones`` are id, the weapon classes that it names (``None``: all), and its polygon.
    """

    crs: CRS
    segments: gpd.GeoDataFrame
    zones: tuple[tuple[str, frozenset[str] | None, shapely.Geometry], ...]


def ground(theatre: Theatre) -> Ground:
    """Project the segments, and draw the bands around the merged line, its ends round: flat, they cut off bends."""
    crs = theatre.baselines[0].segments.estimate_utm_crs()
    segments = theatre.baselines[0].segments.to_crs(crs)
    line = shapely.line_merge(segments.union_all())
    zones = [(zone.id, zone.weapons, line.buffer(zone.depth)) for zone in theatre.zones]
    return Ground(crs, segments, tuple(sorted(zones, key=lambda zone: zone[2].area)))


def read(files: Sequence[Path]) -> gpd.GeoDataFrame:
    """Return the last word on each item of each source, in WGS 84; items that were taken back are gone."""
    rows = pd.concat(map(_table, files), ignore_index=True)
    rows = rows.sort_values("reported_at").drop_duplicates(["source", "source_ref"], keep="last")
    rows = rows[~rows["act"].isin(NO_REPORTS)].dropna(subset=["lon", "lat"]).reset_index(drop=True)
    rows["observed_to"] = rows["observed_to"].fillna(rows["observed_from"] + pd.Timedelta(days=1))
    rows["origin"] = rows["origin"].fillna(rows["source"])
    return gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(rows["lon"], rows["lat"]), crs=WGS84)


def _table(file: Path) -> pd.DataFrame:
    rows = pd.read_csv(file, engine="pyarrow")
    times = {name: pd.to_datetime(rows[name], utc=True, format="ISO8601") for name in TIMES}
    return rows.assign(source=file.stem, **times)


def match(reports: gpd.GeoDataFrame, on: Ground, policy: Policy) -> gpd.GeoDataFrame:
    """Return reports with their nearest segment, ``distance_m``, ``chainage_m``, ``offset_m`` (left +), and zone."""
    near = reports[["geometry"]].to_crs(on.crs).sjoin_nearest(on.segments, distance_col="distance_m")
    near = near[~near.index.duplicated()]
    point, line = near.geometry.to_numpy(), on.segments.geometry.loc[near["index_right"]].to_numpy()
    along, whole = shapely.line_locate_point(line, point), shapely.length(line)
    (x0, y0), (x1, y1) = (
        shapely.get_coordinates(shapely.line_interpolate_point(line, np.clip(along + step, 0, whole))).T
        for step in (-1, 1)
    )
    x, y = shapely.get_coordinates(point).T
    side = np.sign((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0))
    length = near["chainage_to_m"] - near["chainage_from_m"]
    return reports.assign(
        segment_id=near["segment_id"],
        distance_m=near["distance_m"],
        chainage_m=near["chainage_from_m"] + along / whole * length,
        offset_m=side * near["distance_m"],
        zone_id=zones(reports["weapon"].map(policy.weapons), x, y, on),
        x=x,
        y=y,
    )


def zones(weapon: pd.Series, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], on: Ground) -> pd.Series:
    """Return the strictest zone that holds each point and names its weapon's class."""
    found = pd.Series(None, weapon.index, dtype="str")
    for name, classes, area in reversed(on.zones):
        shapely.prepare(area)
        bound = True if classes is None else weapon.isin(classes)
        found[shapely.contains_xy(area, x, y) & bound] = name
    return found


def counting(reports: gpd.GeoDataFrame, theatre: Theatre, policy: Policy) -> pd.Series:
    """Return which reports may make an incident: prohibited, neither coarse nor the public's."""
    limits, trust = policy.corroboration, {source.id: source.trust for source in theatre.sources}
    acts = {name: act.prohibited for name, act in policy.acts.items()}
    prohibited = reports["act"].map(acts)
    hours = (reports["observed_to"] - reports["observed_from"]).dt.total_seconds() / 3600
    return (
        ((prohibited == "everywhere") | ((prohibited == "in_zone") & reports["zone_id"].notna()))
        & (reports["uncertainty_m"].fillna(0.0) <= limits.coarse_m)
        & (hours <= limits.coarse_h)
        & (reports["source"].map(trust) != "public")
    )


def scaled(reports: gpd.GeoDataFrame, policy: Policy) -> np.ndarray[Any, Any]:
    """Return space and time in units of a link, shape (n, 3)."""
    hours = (reports["observed_from"] - pd.Timestamp(0, tz="UTC")).dt.total_seconds() / 3600
    links = policy.grouping
    return np.column_stack([reports["x"] / links.link_m, reports["y"] / links.link_m, hours / links.link_gap_h])


def group(reports: gpd.GeoDataFrame, counts: pd.Series, policy: Policy) -> pd.Series:
    """Return the group of each report that counts: what is within a link's box of space and time, transitively."""
    some = reports[counts]
    found = DBSCAN(eps=1.0, min_samples=1, metric="chebyshev").fit_predict(scaled(some, policy))
    return pd.Series(found, some.index).reindex(reports.index).astype("Int64")


def ladder(reports: gpd.GeoDataFrame, policy: Policy, crs: CRS) -> gpd.GeoDataFrame:
    """Return a row for each group: since when, where, told by how many, and the tier that it has reached."""
    some = reports[reports["incident"].notna()].sort_values("incident")
    found = some.groupby("incident").agg(
        reports=("source_ref", "size"),
        origins=("origin", "nunique"),
        t0=("observed_from", "min"),
        last=("observed_to", "max"),
        chainage_from_m=("chainage_m", "min"),
        chainage_to_m=("chainage_m", "max"),
    )
    lasted = (found["last"] - found["t0"]).dt.total_seconds() / 3600
    broad = found["chainage_to_m"] - found["chainage_from_m"] >= policy.expansion.extent_m
    opened, rules = found["origins"] >= ORIGINS, policy.ladder
    rungs = [opened & broad & (lasted >= rules.broad_h), opened & (lasted >= rules.persist_h), opened]
    points = shapely.points(some["x"], some["y"])
    drawn = shapely.convex_hull(shapely.multipoints(points, indices=some["incident"].astype(int).to_numpy()))
    area = gpd.GeoSeries(shapely.buffer(drawn, policy.publication.footprint_m), found.index, crs=crs).to_crs(WGS84)
    return gpd.GeoDataFrame(found.assign(tier=np.select(rungs, [3, 2, 1], 0)), geometry=area).reset_index()


def write(reports: gpd.GeoDataFrame, incidents: gpd.GeoDataFrame, out: Path) -> None:
    """Write both layers."""
    for name, layer in {"reports": reports.drop(columns=["x", "y"]), "incidents": incidents}.items():
        layer.to_file(out, layer=name, driver="GPKG", use_arrow=True)


def run(files: Sequence[Path], theatre: Theatre, policy: Policy, out: Path) -> dict[str, float]:
    """Go the whole way, and return the seconds of each step."""
    seconds: dict[str, float] = {}
    step = functools.partial(_timed, seconds)
    on = step("match", lambda: ground(theatre))
    reports = step("read", lambda: read(files))
    reports = step("match", lambda: match(reports, on, policy))
    reports["incident"] = step("group", lambda: group(reports, counting(reports, theatre, policy), policy))
    incidents = step("ladder", lambda: ladder(reports, policy, on.crs))
    step("write", lambda: write(reports, incidents, out))
    return seconds


def _timed(seconds: dict[str, float], name: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 -- whatever it returns
    begin = time.perf_counter()
    answer = work()
    seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - begin
    return answer
