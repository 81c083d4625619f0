"""The closed formulas agree with an independent brute force, and compiled they give the same bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from shapely import LineString
from test_fronts import LINES, around, build

from geo import arcs, footprints, fronts
from geo.crs import GEOD, ecef
from geo.fronts import Beside

if TYPE_CHECKING:
    import numpy.typing as npt

    from geo.crs import Reals
    from geo.fronts import Baseline

NAMES = ("segment", "chainage_m", "distance_m", "side")


class Feet(NamedTuple):
    """The nearest place of each of some edges to a point: metres from there, the side, and metres to the nearer end."""

    metres: Reals
    side: Reals
    inside: Reals


def feet(edges: Reals, lon: Reals, lat: Reals) -> Feet:
    """Search edges (lon, lat, lon, lat; shape (n, 4)), each for its place nearest to a point, by PROJ's geodesics."""
    start_lon, start_lat, end_lon, end_lat = edges.T
    heading, _, length = GEOD.inv(start_lon, start_lat, end_lon, end_lat)

    def metres(along: Reals) -> Reals:
        foot = GEOD.fwd(start_lon, start_lat, heading, along)
        return np.asarray(GEOD.inv(foot[0], foot[1], lon, lat)[2])

    best = np.argmin([metres(length * step / 8) for step in range(9)], axis=0)
    low, high = length * np.maximum(best - 1, 0) / 8, length * np.minimum(best + 1, 8) / 8
    while (high - low).max() > 0.1:
        one, two = low + (high - low) / 3, high - (high - low) / 3
        nearer = metres(one) < metres(two)
        low, high = np.where(nearer, low, one), np.where(nearer, two, high)
    along = (low + high) / 2
    along = np.choose(np.argmin([metres(along), metres(0.0 * length), metres(length)], axis=0), [along, 0.0, length])
    foot_lon, foot_lat, back = GEOD.fwd(start_lon, start_lat, heading, along)
    azimuth, _, away = GEOD.inv(foot_lon, foot_lat, lon, lat)
    side = np.where((azimuth - (back + 180.0)) % 360.0 > 180.0, 1, -1)
    return Feet(np.asarray(away), side, np.minimum(along, length - along))


def drawn(rng: np.random.Generator) -> tuple[Reals, Reals, Reals, tuple[Reals, ...]]:
    """Return a random line of few edges, points near, far, at its vertices and on it, and what ``locate`` says."""
    while True:
        corners = int(rng.integers(2, 5))
        start = np.array([rng.uniform(-120, 120), rng.uniform(-60, 60)])
        scale = 10 ** rng.uniform(-3, 0.3)
        turns = np.cumsum(rng.normal(0, 0.6, corners - 1)) + rng.uniform(0, 2 * np.pi)
        ring = start + np.vstack([[0, 0], np.cumsum(scale * np.column_stack([np.cos(turns), np.sin(turns)]), axis=0)])
        if LineString(ring).is_simple:
            break
    line = build(LineString(ring), float(10 ** rng.uniform(3, 5)))
    near = line.at(rng.uniform(0, line.length_m, 4), rng.normal(0, 1, 4) * 10 ** rng.uniform(-2, 5, 4))
    lon, lat = np.hstack([near, ring[rng.integers(0, corners, 2)].T + rng.normal(0, 0.2 * scale, (2, 2)), ring[:1].T])
    found = line.locate(lon, lat)
    foot_lon, foot_lat = line.at(np.minimum(found.chainage_m, line.length_m), 0.0)
    table = line.segments.iloc[found.segment]
    assert (found.chainage_m >= table["chainage_from_m"].to_numpy() - 0.01).all()
    assert (found.chainage_m <= table["chainage_to_m"].to_numpy() + 0.01).all()
    return np.hstack([ring[:-1], ring[1:]]), lon, lat, (found.distance_m, found.side, foot_lon, foot_lat)


def holds(rng: np.random.Generator, count: int) -> int:
    """Hold the promise against every edge of random lines; return how many sides were plain enough to be compared."""
    lines = []
    while sum(len(lon) for _, lon, _, _ in lines) < count:
        lines.append(drawn(rng))
    pairs = np.concatenate([np.tile(edges, (len(lon), 1)) for edges, lon, _, _ in lines])
    edges = np.concatenate([np.full(len(lon), len(edges)) for edges, lon, _, _ in lines])  # of each point's line
    lon, lat = (np.concatenate([line[column] for line in lines]) for column in (1, 2))
    told, side, foot_lon, foot_lat = (np.concatenate([line[3][column] for line in lines]) for column in range(4))
    truth = feet(pairs, np.repeat(lon, edges), np.repeat(lat, edges))
    first = np.cumsum(edges) - edges
    least = np.minimum.reduceat(truth.metres, first)
    reached = np.asarray(GEOD.inv(foot_lon, foot_lat, lon, lat)[2])
    off = np.maximum(np.abs(told - least), np.abs(reached - least)) - np.maximum(1.0, 1e-5 * least)
    worst = int(off.argmax())
    assert off[worst] <= 0, (pairs[first[worst] : first[worst] + edges[worst]].tolist(), lon[worst], lat[worst])
    # Where one edge alone is nearest, between its ends and not on it, the side is that of its heading.
    close = truth.metres <= np.repeat(least + 2.0, edges)
    alone = np.add.reduceat(close, first) == 1
    mine = np.flatnonzero(close & np.repeat(alone, edges))
    plain = (truth.metres[mine] > 1.0) & (truth.inside[mine] > 1.0)
    point = np.repeat(np.arange(len(lon)), edges)[mine][plain]
    wrong = side[point] != truth.side[mine][plain]
    assert not wrong.any(), (lon[point[wrong]], lat[point[wrong]])
    return len(point)


def test_a_thousand_points_agree_with_every_edge_by_geodesics() -> None:
    assert holds(np.random.default_rng(21), 1_000) > 300


def test_the_search_itself_agrees_with_geographiclib() -> None:
    edge = np.array([[37.0, 48.0, 38.5, 48.4]])
    line = Geodesic.WGS84.InverseLine(48.0, 37.0, 48.4, 38.5)
    for along, off_m in ((0.2, 30.0), (0.7, -40_000.0), (0.95, 500.0)):
        foot = line.Position(along * line.s13)
        away = Geodesic.WGS84.Direct(foot["lat2"], foot["lon2"], foot["azi2"] - 90.0, off_m)
        found = feet(edge, np.array([away["lon2"]]), np.array([away["lat2"]]))
        assert found.metres.item() == pytest.approx(abs(off_m), abs=1e-3)
        assert found.side.item() == np.sign(off_m)


@pytest.mark.slow
def test_a_hundred_thousand_points_agree_with_every_edge_by_geodesics() -> None:
    rng = np.random.default_rng(22)
    assert sum(holds(rng, 10_000) for _ in range(10)) > 30_000


@pytest.mark.parametrize(("reach_m", "off_m"), [(1e3, 1e-6), (1e5, 1e-6), (2e5, 1e-4), (5e5, 2e-3)])
def test_the_formulas_are_as_exact_as_they_say(reach_m: float, off_m: float) -> None:
    line = build(LineString([(20, 10), (21, 44), (50, 60)]), 50_000.0)
    rng = np.random.default_rng(23)
    chainage, offset = rng.uniform(0, line.length_m, 2_000), rng.uniform(-reach_m, reach_m, 2_000)
    lon, lat = line.at(chainage, offset)
    piece = np.searchsorted(line.pieces.chainage, chainage, side="right") - 1
    point, row = fronts._vector(ecef(lon, lat)), line.pieces.rows[piece].T  # noqa: SLF001
    share = arcs.settle(point, row)
    along = line.pieces.chainage[piece] + share * line.pieces.length[piece]
    assert np.abs(along - chainage).max() < max(1e-4, 3 * off_m)
    assert np.abs(arcs.metres(point, row, share) - np.abs(offset)).max() < off_m


def both(line: Baseline, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64], monkeypatch: pytest.MonkeyPatch,
         radius: npt.NDArray[np.float64] | None = None) -> list[tuple[Beside, Reals]]:  # fmt: skip
    """Return the answers, and how clear the points are, in arrays and compiled."""
    answers: list[tuple[Beside, Reals]] = []
    for compiled in (False, True):
        for module in (fronts, footprints):
            monkeypatch.setattr(module, "compiled", lambda _, __, compiled=compiled: compiled)
        found = line.locate(lon, lat)
        spread = found if radius is None else footprints.spread(line, lon, lat, radius, found)
        answers.append((spread, line.clear(lon, lat, found)))
    return answers


@pytest.mark.parametrize("name", [*LINES, "circle", "fine"])
def test_compiled_answers_are_the_same_to_the_last_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    angle = np.linspace(0, 6, 300)
    rough = np.column_stack([37 + np.arange(4_000) / 4_000, 48 + 0.01 * np.sin(np.arange(4_000) / 50)])
    more = {"circle": LineString(np.column_stack(GEOD.fwd(
        np.full(300, 37.0), np.full(300, 48.0), np.degrees(angle), np.full(300, 40_000.0))[:2])),
        "fine": LineString(rough)}  # fmt: skip
    line = build({**LINES, **more}[name])
    rng = np.random.default_rng(24)
    lon, lat = around(line, 400, rng, reach_deg=1.5)
    vertices = np.concatenate(line.parts)[:100]
    # Vertices, the middle of the circle (all is equally near), and the far side of the earth.
    lon = np.concatenate([lon, vertices[:, 0], [37.0, -140.0, 0.0]])
    lat = np.concatenate([lat, vertices[:, 1], [48.0, -48.0, 89.0]])
    (arrays, clear), (compiled, clear_too) = both(line, lon, lat, monkeypatch)
    for field in NAMES:
        np.testing.assert_array_equal(getattr(arrays, field), getattr(compiled, field))
    np.testing.assert_array_equal(clear, clear_too)
    near = slice(None, None, 7)
    radius = rng.choice([0.5, 300.0, 9_000.0], len(lon[near]))
    (arrays, _), (compiled, _) = both(line, lon[near], lat[near], monkeypatch, radius)
    for field in Beside.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(arrays, field), getattr(compiled, field))


def test_an_answer_does_not_depend_on_how_many_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    line = build(LINES["spiral"])
    lon, lat = around(line, fronts.COMPILED_FROM["search"], np.random.default_rng(25))
    whole = line.locate(lon, lat)
    some = np.arange(0, len(lon), 997)
    monkeypatch.setattr(fronts, "compiled", lambda *_: False)
    few = line.locate(lon[some], lat[some])
    for field in NAMES:
        np.testing.assert_array_equal(getattr(few, field), getattr(whole, field)[some])
