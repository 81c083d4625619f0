"""The closed formulas agree with an independent brute force, and compiled they give the same bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

    from geo.fronts import Baseline

NAMES = ("segment", "chainage_m", "distance_m", "side", "clear_m")
EARTH = Geodesic.WGS84


def slow(edge: npt.NDArray[np.float64], lon: float, lat: float, least: float = np.inf) -> float:
    """Return the distance to an edge, by ternary search over geographiclib's geodesics; roughly, if above ``least``."""
    line = EARTH.InverseLine(edge[0, 1], edge[0, 0], edge[1, 1], edge[1, 0])

    def metres(along: float) -> float:
        foot = line.Position(along)
        return float(EARTH.Inverse(foot["lat2"], foot["lon2"], lat, lon, Geodesic.DISTANCE)["s12"])

    steps = np.linspace(0.0, line.s13, 9)
    coarse = [metres(step) for step in steps]
    best = int(np.argmin(coarse))
    if coarse[best] - line.s13 / 8 > least:
        return coarse[best]
    low, high = steps[max(best - 1, 0)], steps[min(best + 1, 8)]
    while high - low > 0.5:
        one, two = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, two) if metres(one) < metres(two) else (one, high)
    return min(metres((low + high) / 2), *coarse)


def holds(rng: np.random.Generator, count: int) -> None:
    """Hold the promise against every edge of random lines of few edges, near and far, at their vertices and on them."""
    done = 0
    while done < count:
        corners = int(rng.integers(2, 5))
        start = np.array([rng.uniform(-120, 120), rng.uniform(-60, 60)])
        scale = 10 ** rng.uniform(-3, 0.3)
        turns = np.cumsum(rng.normal(0, 0.6, corners - 1)) + rng.uniform(0, 2 * np.pi)
        ring = start + np.vstack([[0, 0], np.cumsum(scale * np.column_stack([np.cos(turns), np.sin(turns)]), axis=0)])
        if not LineString(ring).is_simple:
            continue
        line = build(LineString(ring), float(10 ** rng.uniform(3, 5)))
        near = line.at(rng.uniform(0, line.length_m, 4), rng.normal(0, 1, 4) * 10 ** rng.uniform(-2, 5, 4))
        lon, lat = np.hstack(
            [near, ring[rng.integers(0, corners, 2)].T + rng.normal(0, 0.2 * scale, (2, 2)), ring[:1].T]
        )
        found = line.locate(lon, lat)
        foot_lon, foot_lat = line.at(np.minimum(found.chainage_m, line.length_m), 0.0)
        table = line.segments.iloc[found.segment]
        assert (found.chainage_m >= table["chainage_from_m"].to_numpy() - 0.01).all()
        assert (found.chainage_m <= table["chainage_to_m"].to_numpy() + 0.01).all()
        for k in range(len(lon)):
            truth = np.inf
            for n in range(corners - 1):
                truth = min(truth, slow(ring[n : n + 2], lon[k], lat[k], truth))
            allowed = max(1.0, 1e-5 * truth)
            reached = EARTH.Inverse(foot_lat[k], foot_lon[k], lat[k], lon[k], Geodesic.DISTANCE)["s12"]
            assert abs(found.distance_m[k] - truth) <= allowed, (ring.tolist(), lon[k], lat[k])
            assert abs(reached - truth) <= allowed, (ring.tolist(), lon[k], lat[k])
        done += len(lon)


def test_a_thousand_points_agree_with_every_edge_by_geographiclib() -> None:
    holds(np.random.default_rng(21), 1_000)


@pytest.mark.slow
def test_a_hundred_thousand_points_agree_with_every_edge_by_geographiclib() -> None:
    holds(np.random.default_rng(22), 100_000)


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
         radius: npt.NDArray[np.float64] | None = None) -> list[Beside]:  # fmt: skip
    """Return the answers in arrays and compiled."""
    answers: list[Beside] = []
    for compiled in (False, True):
        for module in (fronts, footprints):
            monkeypatch.setattr(module, "compiled", lambda _, __, compiled=compiled: compiled)
        found = line.locate(lon, lat)
        answers.append(found if radius is None else footprints.spread(line, lon, lat, radius, found))
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
    arrays, compiled = both(line, lon, lat, monkeypatch)
    for field in NAMES:
        np.testing.assert_array_equal(getattr(arrays, field), getattr(compiled, field))
    near = slice(None, None, 7)
    radius = rng.choice([0.5, 300.0, 9_000.0], len(lon[near]))
    arrays, compiled = both(line, lon[near], lat[near], monkeypatch, radius)
    for field in Beside.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(arrays, field), getattr(compiled, field))


def test_an_answer_does_not_depend_on_how_many_are_asked_for() -> None:
    line = build(LINES["spiral"])
    lon, lat = around(line, fronts.COMPILED_FROM["locate"], np.random.default_rng(25))
    whole = line.locate(lon, lat)
    some = np.arange(0, len(lon), 997)
    few = fronts._measure(line, ecef(lon[some], lat[some]))  # noqa: SLF001
    assert (few.metres == whole.distance_m[some]).all()
    assert (line.pieces.segment[few.piece] == whole.segment[some]).all()
