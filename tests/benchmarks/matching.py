"""How fast is a point placed on the line, beside geopandas and SedonaDB, and do they agree?

Run ``poe bench-matching`` (1,000,000 points) or ``poe bench-matching 100000``. Every table is measured in one run on
one machine, the faster of two. Answers are compared before any time is believed: the peers measure in a metric CRS
around the line, in which a distance is off by up to one percent, and give neither chainage nor side.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from timing import peak, say, timed

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from geo.crs import Reals
    from geo.fronts import Baseline, Located
    from geo.pieces import Indices
    from geo.shares import Counted

POINTS = 1_000_000
VERTICES = 1_500
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
DEPTHS_M = (2_000.0, 5_000.0, 15_000.0, 30_000.0, 60_000.0)


@dataclass(frozen=True)
class Case:
    """A line, the points around it, and what the peers are given: projected points, segments and bands."""

    line: Baseline
    lon: Reals
    lat: Reals

    def projected(self) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
        """Return points, segments and drawn bands in a metric CRS."""
        import geopandas as gpd  # noqa: PLC0415 -- the rows of other tables need none of it

        from geo.crs import WGS84, drawing_crs  # noqa: PLC0415

        west, south, east, north = self.line.segments.total_bounds
        crs = drawing_crs((west + east) / 2, (south + north) / 2)
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(self.lon, self.lat, crs=WGS84)).to_crs(crs)
        segments = self.line.segments[["segment_id", "geometry"]].to_crs(crs)
        whole = segments.geometry.union_all()
        bands = gpd.GeoDataFrame(geometry=[whole.buffer(depth) for depth in DEPTHS_M], crs=crs)
        return points.assign(point=np.arange(len(points))), segments, bands.assign(band=np.arange(len(bands)))


def front(vertices: int) -> shapely.LineString:
    """Return a winding line of about 1,200 km; more vertices draw finer detail."""
    at = np.linspace(0.0, 1.0, vertices)
    lon = 30 + 10 * at + 0.005 * np.sin(700 * at)
    lat = 50 - 4 * at + 0.4 * np.sin(15 * at) + 0.04 * np.cos(170 * at) + 0.01 * np.cos(900 * at)
    return shapely.LineString(np.column_stack([lon, lat]))


def case(points: int, vertices: int = VERTICES) -> Case:
    """Return points around a line, most within 60 km."""
    from geo.fronts import Baseline  # noqa: PLC0415

    line = Baseline.build("front", front(vertices), segment_length_m=10_000.0, valid_from=SINCE)
    rng = np.random.default_rng(1)
    lon, lat = line.at(rng.uniform(0, line.length_m, points), rng.normal(0, 25_000, points))
    return Case(line, lon, lat)


def bands(count: int, located: Located) -> np.ndarray[Any, Any]:
    """Return which points lie in each of so many depth bands."""
    depths = np.sort(np.resize(DEPTHS_M, count)) * np.linspace(0.5, 1.0, count) if count > len(DEPTHS_M) else DEPTHS_M
    inside = np.empty((count, len(located.distance_m)), bool)
    valid = (located.side != 0) | located.on_line
    for band, depth in enumerate(depths[:count]):
        np.logical_and(located.distance_m <= depth, valid, out=inside[band])
    return inside


def ours(of: Case, count: int = len(DEPTHS_M)) -> tuple[Located, np.ndarray[Any, Any]]:
    """Place the points and tell their bands."""
    located = of.line.locate(of.lon, of.lat)
    return located, bands(count, located)


def by_geopandas(
    points: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, areas: gpd.GeoDataFrame
) -> tuple[Reals, Any, Any]:
    """Return distance, segment and (point, band) of geopandas."""
    near = points.sjoin_nearest(segments, distance_col="metres")
    near = near[~near.index.duplicated()]
    within = points.sjoin(areas, predicate="within")
    pairs = (within.index.to_numpy(), within["band"].to_numpy())
    return near["metres"].to_numpy(), near["index_right"].to_numpy(), pairs


def by_sedona(points: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> tuple[Reals, Any, Any]:
    """Return the same of SedonaDB."""
    import pyarrow as pa  # noqa: PLC0415
    import sedonadb  # noqa: PLC0415

    db = sedonadb.connect()
    for name, frame in (("p", points), ("s", segments.assign(segment=np.arange(len(segments)))), ("b", areas)):
        db.create_data_frame(frame).to_view(name, overwrite=True)
    near = pa.table(
        db.sql(
            "SELECT p.point, s.segment, ST_Distance(p.geometry, s.geometry) AS metres "
            "FROM p JOIN s ON ST_KNN(p.geometry, s.geometry, 1, FALSE)"
        )
    )
    within = pa.table(db.sql("SELECT p.point, b.band FROM p JOIN b ON ST_Within(p.geometry, b.geometry)"))
    order = np.argsort(near["point"].to_numpy())
    pairs = (within["point"].to_numpy(), within["band"].to_numpy())
    return near["metres"].to_numpy()[order], near["segment"].to_numpy()[order], pairs


def distance_to(of: Case, segment: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> Reals:
    """Return the geodesic distance from some points to the segment that a peer names for each, metres."""
    from geo.fronts import feet  # noqa: PLC0415

    own = [np.flatnonzero(of.line.pieces.segment == segment[row]) for row in rows]
    point = np.repeat(rows, [len(pieces) for pieces in own])
    metres = feet(of.line.pieces, np.concatenate([np.empty(0, np.intp), *own]), of.lon[point], of.lat[point]).metres
    return np.minimum.reduceat(metres, np.flatnonzero(np.diff(point, prepend=-1))) if rows.size else np.empty(0)


def disagreement(of: Case, ours_: tuple[Located, np.ndarray[Any, Any]], peer: tuple[Reals, Any, Any]) -> str:
    """Compare answers, and say how many differ by more than the peer's projection explains.

    Raises
    ------
    AssertionError
        If a distance differs by more than 1 % or 5 m, or a named segment is farther than that allows, or a band differs
        for a point that is not within that of its edge or beyond the line's ends.
    """
    located, inside = ours_
    metres, segment, (point, band) = peer
    slack = np.maximum(5.0, 0.01 * located.distance_m)
    assert (np.abs(metres - located.distance_m) <= slack).all()
    other = np.flatnonzero(segment != located.segment)
    assert (distance_to(of, segment, other) <= (located.distance_m + slack)[other]).all()
    theirs = np.zeros_like(inside)
    theirs[band, point] = True
    edge = np.abs(located.distance_m[None, :] - np.array(DEPTHS_M)[:, None]) <= np.maximum(slack, 120.0)
    differs = (theirs != inside) & ~edge & ((located.side != 0) | located.on_line)
    assert not differs.any(), f"{differs.sum()} bands differ"
    return f"{len(other) / len(segment):.2%}"


def compare(count: int) -> None:
    """Print our time beside the peers', in one run."""
    from geo import fronts  # noqa: PLC0415

    of = case(count)

    def first() -> None:
        fronts.COMPILED_FROM.update(search=0, others=0, spread=0)
        of.line.locate(of.lon[:1], of.lat[:1])

    _, start, start_busy = timed(first)
    points, segments, areas = of.projected()
    mine, wall, busy = timed(lambda: ours(of), 2)
    rows = [("Ceasewatch", wall, busy, "")]
    for name, work in (("geopandas", by_geopandas), ("SedonaDB", by_sedona)):
        answer, seconds, cpu = timed(lambda work=work: work(points, segments, areas), 2)  # type: ignore[misc]
        rows.append((name, seconds, cpu, disagreement(of, mine, answer)))
    say("| | seconds | of processors | times as long | other segment, as near |\n|:--|--:|--:|--:|--:|")
    for name, seconds, cpu, other in rows:
        say(f"| {name} | {seconds:.2f} | {cpu:.2f} | {seconds / wall:.1f} | {other} |")
    say(f"\nStart-up, once: {start:.1f} s ({start_busy:.1f} s of processors). Peak memory: {peak():,.0f} MB.\n")


def scale(count: int) -> None:
    """Print how our time grows with points, vertices and bands, and what footprints take."""
    from geo import fronts  # noqa: PLC0415
    from geo.footprints import spread  # noqa: PLC0415
    from geo.matching import AT_MOST, BLOCK  # noqa: PLC0415
    from geo.shares import Division  # noqa: PLC0415
    from geo.shares import count as count_codes  # noqa: PLC0415
    from geo.threads import mapped  # noqa: PLC0415

    fronts.COMPILED_FROM.update(search=0, others=0, spread=0)
    of = case(count)
    ours(of)
    _, *base = timed(lambda: ours(of), 3)
    say("| what | seconds | to the match above | of processors | to the match above |\n|:--|--:|--:|--:|--:|")

    def row(what: str, work: Callable[[], Any], times: int = 1) -> None:
        _, wall, busy = timed(work, times)
        say(f"| {what} | {wall:.2f} | {wall / base[0]:.2f} | {busy:.2f} | {busy / base[1]:.2f} |")

    row(f"{count:,} points, {VERTICES:,} vertices, 5 bands", lambda: ours(of), 3)
    for number in (0, 20):
        row(f"{number} bands", lambda number=number: ours(of, number), 3)  # type: ignore[misc]
    tenth = Case(of.line, of.lon[: count // 10], of.lat[: count // 10])
    row(f"{count // 10:,} points", lambda: ours(tenth), 3)
    for vertices in (100, 1_000, 10_000, 100_000):
        other = case(count, vertices)
        row(f"{vertices:,} vertices", lambda other=other: ours(other), 3)  # type: ignore[misc]
    radius = 10 ** np.random.default_rng(2).uniform(2, 4, count)
    located = of.line.locate(of.lon, of.lat)
    edge = np.min([np.abs(located.distance_m - depth) for depth in DEPTHS_M], axis=0)

    def unsure() -> Indices:
        """Return which footprints may reach over a border of a segment, the line or a band."""
        clear = of.line.clear(of.lon, of.lat, located)
        return np.flatnonzero((2 * radius >= clear) | (radius >= np.minimum(located.distance_m, edge)))

    def footprints(rows: np.ndarray[Any, Any]) -> list[Division]:
        """Divide footprints among segments, sides and bands."""

        def counted(first: int) -> list[Counted]:
            some = rows[first : first + BLOCK]
            found = spread(of.line, of.lon[some], of.lat[some], radius[some], located[some])
            band = sum((found.distance_m > depth).astype(np.int8) for depth in DEPTHS_M)
            return [count_codes(some, codes) for codes in (found.segment, found.side + np.int8(1), band)]

        blocks = mapped(counted, range(0, len(rows), BLOCK), AT_MOST)
        return [Division.of(located.segment, parts) for parts in zip(*blocks, strict=True)]

    def start() -> None:
        footprints(np.arange(1))
        of.line.clear(of.lon[:1], of.lat[:1], located[:1])

    _, begin, begin_busy = timed(start)
    row("shares of footprints of 100 m to 10 km, all sampled", lambda: footprints(np.arange(count)))
    row(f"shares where a footprint needs samples ({len(unsure()) / count:.0%})", lambda: footprints(unsure()))
    say(f"\nStart-up of footprints, once: {begin:.1f} s ({begin_busy:.1f} s of processors).")
    say(f"Peak memory: {peak():,.0f} MB.")


def main(arguments: list[str]) -> None:
    """Print the tables, one process each."""
    if arguments[:1] in (["compare"], ["scale"]):
        {"compare": compare, "scale": scale}[arguments[0]](int(arguments[1]))
        return
    for table in ("compare", "scale"):
        subprocess.run([sys.executable, __file__, table, arguments[0] if arguments else str(POINTS)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
