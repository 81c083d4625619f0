"""Does the density of violations add up to their number, wherever they lie and however vague they are?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import builders
import numpy as np
import pandas as pd
import pytest
import strategies
from builders import place, theatre, when
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer
from scipy.stats import norm

from geo.crs import WGS84
from geo.intensity import Intensity, survey
from geo.sights import settle

AS_OF = 800.0
RULES = builders.policy()
LINE = theatre().baselines[0]


def violation(km: tuple[float, float], begin: float, end: float | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a violation at a place of the small theatre, hours before the moment."""
    lon, lat = place(*km)
    to = begin if end is None else end
    times = {"observed_from": when(AS_OF + begin), "observed_to": when(AS_OF + to)}
    return {"lon": lon, "lat": lat, "uncertainty_m": 500.0, "status": "confirmed", **times, **fields}


def look(*rows: dict[str, Any], declared: tuple[dict[str, Any], ...] = ()) -> Intensity:
    """Return the intensity at the end of the spans."""
    empty = violation((0, 0), 0)
    frame = pd.DataFrame(list(rows) or [empty]).iloc[: len(rows)]
    settled = settle(builders.coverage(declared), theatre(), RULES)
    assert RULES.intensity is not None
    return survey(frame, settled, LINE, RULES.intensity, RULES.coverage, when(AS_OF))


def number(found: Intensity) -> list[float]:
    """Return how many violations each band says there were: density times area times days."""
    days = np.array(found.spans_h) / 24
    return (np.nansum(found.density, axis=(1, 2), dtype=float) * (found.grid.cell_m / 1000) ** 2 * days).tolist()


def value(found: Intensity, km: tuple[float, float], band: int = 0) -> float:
    """Return the cell that holds a place."""
    x, y = Transformer.from_crs(WGS84, found.grid.crs, always_xy=True).transform(*place(*km))
    row, column = found.grid.north - 1 - int(np.floor(y / 1000)), int(np.floor(x / 1000)) - found.grid.west
    return float(found.density[band, row, column])


rows = st.lists(
    st.builds(
        violation,
        st.tuples(st.floats(0, 290), st.floats(-80, 80)),
        st.floats(-760, -1),
        uncertainty_m=st.sampled_from([0.0, 30.0, 500.0, 3_000.0, 40_000.0, np.nan]),
        status=st.sampled_from(["alleged", "contested", "corroborated", "confirmed", "refuted", "exempt"]),
    ),
    max_size=6,
)


@strategies.tries(20)
@given(rows)
def test_the_cells_add_up_to_the_weights(some: list[dict[str, Any]]) -> None:
    found = look(*some)
    weights = {"alleged": 0.5, "contested": 0.5, "corroborated": 1.0, "confirmed": 1.0}
    begun = {hours: when(AS_OF) - timedelta(hours=hours) for hours in found.spans_h}
    wanted = [
        sum(weights.get(one["status"], 0.0) for one in some if one["observed_from"] > begun[hours])
        for hours in found.spans_h
    ]
    assert found.weight.tolist() == pytest.approx(wanted)
    assert number(found) == pytest.approx(wanted, rel=1e-3)


def test_a_vague_report_spreads_and_peaks_nowhere() -> None:
    sharp, vague = (look(violation((50.0, 5.0), -2, uncertainty_m=radius)) for radius in (100.0, 20_000.0))
    assert np.nanmax(sharp.density[0]) > 0.2
    assert np.nanmax(vague.density[0]) == pytest.approx(norm.pdf(0, scale=10) ** 2, rel=0.01)
    assert value(vague, (50.0, 5.0)) == pytest.approx(np.nanmax(vague.density[0]), rel=0.01)


def test_of_a_long_interval_the_part_within_the_span_counts() -> None:
    found = look(violation((50.0, 5.0), -36, 12))
    assert found.weight.tolist() == pytest.approx([2 / 3, 1, 1, 1])


def test_what_is_too_vague_to_be_drawn_is_told_beside() -> None:
    found = look(violation((50.0, 5.0), -2), violation((50.0, 5.0), -2, uncertainty_m=20_000_000.0))
    assert (found.weight.tolist(), found.unplaced.tolist()) == ([1] * 4, [1] * 4)
    assert found.density.shape == look(violation((50.0, 5.0), -2)).density.shape


def test_a_span_begins_after_its_first_instant_and_ends_with_its_last() -> None:
    assert look(violation((50.0, 5.0), -24)).weight.tolist() == [0, 1, 1, 1]
    assert look(violation((50.0, 5.0), 0)).weight.tolist() == [1, 1, 1, 1]


def test_two_runs_have_the_same_cells() -> None:
    one, two = look(violation((50.0, 5.0), -2)), look(violation((50.3, 5.4), -2), violation((150.0, -9.0), -1))
    assert (one.grid.west, one.grid.north, one.density.shape) == (two.grid.west, two.grid.north, two.density.shape)
    far = look(violation((50.0, 5.0), -2), violation((100.0, 300.0), -2)).grid
    assert (far.north - one.grid.north) % 64 == 0
    assert far.north > one.grid.north


def test_where_nobody_could_see_there_is_no_value() -> None:
    dark = {"km": (105.0, 0.0), "uncertainty_m": 60_000.0, "sees": False}
    out = {"observed_from": AS_OF - 30, "observed_to": AS_OF, **dark}
    found = look(violation((20.0, 5.0), -2), declared=(out,))
    assert np.isnan(value(found, (105.0, 5.0)))
    assert np.isnan(value(found, (105.0, -5.0)))
    assert value(found, (20.0, 5.0)) > 0
    assert value(found, (10.0, -5.0)) == 0, "nobody declared anything there: assumed"
    seen = {**out, "sees": True, "observed_from": AS_OF - 60, "observed_to": AS_OF - 50}
    again = look(violation((20.0, 5.0), -2), declared=(out, seen))
    assert np.isnan(value(again, (105.0, 5.0)))
    assert value(again, (105.0, 5.0), band=1) == 0


def test_without_violations_all_is_zero() -> None:
    found = look()
    assert (found.density == 0).all()
