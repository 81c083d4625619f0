"""Do a crossing, an overflight, a weapon in its forbidden zone and a strike far behind the line become incidents?

From a row of a file to the layer, land, air and sea apart.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import builders
import pytest
from builders import band, place, policy, theatre, versions
from readings import table

from geo.assess import assess
from pipelines.ledger import Ledger
from pipelines.sources import read

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from geo.theatre import Theatre

RULES = policy(**{
    "acts.crossing": {"family": "crossing", "domain": "land", "prohibited": "everywhere"},
    "acts.overflight": {"family": "overflight", "domain": "air", "prohibited": "in_zone"},
    "acts.naval_fire": {"family": "naval", "domain": "sea", "prohibited": "everywhere"},
    "ladder.single_vetted": True,
})  # fmt: skip
LATE = builders.START + timedelta(days=20)


def told(folder: Path, *rows: dict[str, str], where: Theatre | None = None) -> dict[str, pd.DataFrame]:
    """Return the answer to the rows of a mission's CSV file; places are kilometres along and off the line."""
    world, rules = where or theatre(), RULES
    mission = world.source("mission")
    assert mission is not None
    reading = read(table(_written(row) for row in rows), mission, world, rules, "file.csv")
    assert reading.refused.empty
    with Ledger.create(folder / "ledger.sqlite", replay=True, recorded_at=LATE) as ledger:
        ledger.append(reading, source=mission, file_name="file.csv", sha256="f", recorded_at=LATE, known="observed")
        reports, coverage = ledger.reports(), ledger.coverage()
    return assess(reports, coverage, world, versions(rules), LATE).tables


def _written(row: dict[str, str]) -> dict[str, str]:
    said = {"observed_from": "2026-02-03T14:05Z", "uncertainty_m": "100", "km": "105,1", **row}
    lon, lat = place(*map(float, said.pop("km").split(",")))
    return {**said, "lon": str(lon), "lat": str(lat)}


@pytest.mark.parametrize("act", ["crossing", "overflight", "presence"])
def test_an_act_without_a_shot_opens_an_incident(act: str, tmp_path: Path) -> None:
    found = told(tmp_path, {"act": act})
    assert found["violations"][["act", "status", "qualifying"]].to_numpy().tolist() == [[act, "confirmed", True]]
    assert found["incidents"][["incident_id", "tier_peak"]].to_numpy().tolist() == [["B-1", 1]]


@pytest.mark.parametrize("act", ["overflight", "presence"])
def test_where_no_zone_forbids_it_there_is_nothing(act: str, tmp_path: Path) -> None:
    assert told(tmp_path, {"act": act, "km": "105,40"})["violations"].empty
    guns = theatre(zones=(band(weapons=frozenset({"artillery"})),))
    (tmp_path / "guns").mkdir()
    armed, light = {"act": act, "weapon": "howitzer 152"}, {"act": act, "weapon": "mortar 82"}
    assert told(tmp_path / "guns", armed, light, where=guns)["violations"]["weapon"].tolist() == ["howitzer 152"]


def test_a_shot_and_a_crossing_are_two_violations_of_one_incident(tmp_path: Path) -> None:
    found = told(tmp_path, {"act": "crossing"}, {"act": "shelling"})
    assert found["violations"]["incident_id"].tolist() == ["B-1", "B-1"]


def test_land_air_and_sea_are_counted_apart(tmp_path: Path) -> None:
    acts = ("shelling", "crossing", "overflight", "naval_fire")
    [whole] = told(tmp_path, *({"act": act} for act in acts))["incidents"].to_dict("records")
    apart = [whole[f"violations_{domain}"] for domain in ("land", "air", "sea")]
    assert apart == [2, 1, 1]
    assert sum(apart) == whole["violations"]


def test_a_strike_far_behind_the_line_is_a_violation_whose_depth_the_ladder_reads(tmp_path: Path) -> None:
    found = told(tmp_path, {"act": "strike", "km": "105,80"}, {"act": "strike", "km": "105,79"})
    assert found["violations"]["zone_id"].isna().all()
    assert found["violations"]["distance_m"].round(-3).tolist() == [80_000, 79_000]
    [whole] = found["incidents"].to_dict("records")
    assert whole["qualifying"] == 2
    steps = found["transitions"]
    assert "depth 80.0 km ≥ 50 km" in " ".join(steps["reason"])
