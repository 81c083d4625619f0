"""What a breach covers is the discs of its violations put together, and each day what had begun by its end."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
import shapely
from builders import coverage, policy, report, reports, theatre, versions, when

from geo import crs
from geo.assess import Assessment, assess

ROWS = [
    *(report(hour, (100.0 + hour / 40, 0.3 * (hour % 5))) for hour in range(1, 60, 3)),
    report(20.0, (100.2, 0.2), source="public"),
    *(report(80.0 + hour, (250.0, 1.0)) for hour in range(3)),
]
AS_OF = when(100.0)


@pytest.fixture(scope="module")
def answer() -> Assessment:
    return assess(reports(ROWS), coverage(), theatre(), versions(policy()), AS_OF)


def _same(found: shapely.Geometry, wanted: shapely.Geometry) -> bool:
    return bool(shapely.area(shapely.symmetric_difference(found, wanted)) < 1e-9 * shapely.area(wanted))


def test_each_day_shows_the_ground_so_far_and_the_last_one_all_of_it(answer: Assessment) -> None:
    found, days, incidents = (answer.tables[name] for name in ("violations", "incident_days", "incidents"))
    least = policy().publication.footprint_m
    assert set(incidents["state"]) == {"ended", "quiet"}
    for name, mine in days.groupby("incident_id"):
        own = found[(found["incident_id"] == name) & ~found["attached"].astype(bool)]
        at = own.geometry.to_numpy()
        discs = crs.discs(shapely.get_x(at), shapely.get_y(at), own["uncertainty_m"].clip(lower=least))
        for day, ground in zip(mine["day"], mine["geometry"], strict=True):
            until = datetime.fromisoformat(str(day)).replace(tzinfo=UTC) + pd.Timedelta(days=1)
            assert _same(ground, shapely.union_all(discs[(own["observed_from"] < until).to_numpy(bool)]))
        whole = incidents.set_index("incident_id").loc[name, "geometry"]
        assert shapely.to_wkb(whole) == shapely.to_wkb(mine["geometry"].iloc[-1])
    assert days["violations"].sum() == incidents["qualifying"].sum()


def test_a_crowded_day_covers_what_its_discs_cover_together() -> None:
    luck = np.random.default_rng(1)
    hours, along, off = luck.uniform(5, 15, 1200), luck.uniform(100.0, 130.0, 1200), luck.uniform(0.0, 4.0, 1200)
    stored = reports([report(h, (x, y)) for h, x, y in zip(hours, along, off, strict=True)])
    tables = assess(stored, coverage(), theatre(), versions(policy()), AS_OF).tables
    (ground,), found = tables["incidents"]["geometry"], tables["violations"]
    at = found.geometry.to_numpy()
    least = policy().publication.footprint_m
    discs = crs.discs(shapely.get_x(at), shapely.get_y(at), found["uncertainty_m"].clip(lower=least))
    assert len(discs) > 1000
    assert _same(ground, shapely.union_all(discs))


def test_what_is_left_out_of_a_crowd_is_covered_all_the_same_with_what_lay_there_before() -> None:
    rules = policy(**{"publication.footprint_m": 50.0})
    rings = [
        (110.0 + size * np.cos(turn), 2.0 + size * np.sin(turn))
        for size, count in ((0.8, 12), (2.5, 240))
        for turn in np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    ]
    rows = [
        report(1.0, (110.05, 2.0), uncertainty_m=100.0),  # the day before, where one disc alone covers the ground later
        *(report(25.0 + 0.01 * n, place, uncertainty_m=500.0) for n, place in enumerate(rings)),
        *(report(30.0 + 0.2 * n, (110.0, 2.0), uncertainty_m=500.0) for n in range(10)),
    ]
    tables = assess(reports(rows), coverage(), theatre(), versions(rules), AS_OF).tables
    (ground,), found = tables["incidents"]["geometry"], tables["violations"]
    at = found.geometry.to_numpy()
    discs = crs.discs(shapely.get_x(at), shapely.get_y(at), found["uncertainty_m"])
    assert _same(ground, shapely.union_all(discs))
    assert sorted(shapely.get_num_interior_rings(shapely.get_parts(ground))) == [0, 1]


def test_a_day_that_adds_nothing_repeats_the_one_before(answer: Assessment) -> None:
    days = answer.tables["incident_days"]
    first = days[days["incident_id"] == days["incident_id"].iloc[0]]
    quiet = first["violations"].to_numpy() == 0
    assert quiet.sum() == 1
    assert quiet[-1]
    assert first.geometry.iloc[-1].equals(first.geometry.iloc[-2])


def test_what_begins_in_the_last_second_of_a_day_counts_on_that_day() -> None:
    midnight = when(0.0).replace(hour=0, minute=0, second=0, microsecond=0) + pd.Timedelta(days=3)
    stored = reports([report(midnight - pd.Timedelta(milliseconds=400))])
    found = assess(stored, coverage(), theatre(), versions(policy()), midnight + pd.Timedelta(hours=20))
    days = found.tables["incident_days"]
    assert days["tier_effective"].tolist() == [1, 1]
    assert (days["valid_to"].dt.second == 59).all()


@pytest.mark.parametrize("radius_m", [5_000_000.0, 9_000_000.0, 20_000_000.0])
def test_a_report_from_anywhere_is_drawn_valid_around_its_place_and_published_as_stated(radius_m: float) -> None:
    found = assess(reports([report(1.0, uncertainty_m=radius_m)]), coverage(), theatre(), versions(policy()), AS_OF)
    [candidate], [violation] = (found.tables[name].itertuples() for name in ("incidents", "violations"))
    assert candidate.geometry.is_valid
    assert candidate.geometry.contains(violation.geometry)
    west, south, east, north = candidate.geometry.bounds
    assert max(-west, east) < 180.0
    assert max(-south, north) < 90.0
    assert violation.uncertainty_m == radius_m
