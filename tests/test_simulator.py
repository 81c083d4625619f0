"""Does a simulation say the same twice, is every row readable, and is its truth consistent with itself?"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import builders
import numpy as np
import pandas as pd
import pytest

from geo.crs import distance_m
from geo.errors import PolicyError
from geo.theatre import Source
from pipelines.settings import find_theatre, load_policy, load_theatre, read_folder
from pipelines.simulator import simulate, write
from pipelines.sources import read

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from geo.policy import Policy
    from geo.theatre import Theatre
    from pipelines.simulator import Simulation

EVERY_STORY = {
    "growth",
    "stalled-growth",
    "shelling",
    "still-going",
    "single-shot",
    "short-lull",
    "long-lull",
    "deep-strike",
    "grave-weapon",
    "two-parties",
    "reposts",
    "rumours",
    "late",
    "coarse",
    "retracted",
    "corrected",
}
CSV_ONLY = (Source("plain", "csv", "media", "plain", "column", authoritative=True, radius_m=500.0),)


@lru_cache
def shipped(name: str) -> tuple[Theatre, Policy]:
    files = read_folder(find_theatre(name))
    return load_theatre(files, name), load_policy(files, name)


@lru_cache
def world(name: str) -> tuple[Theatre, Policy]:
    """Return a theatre and its policy: a shipped one, or a small straight one of few sources."""
    if name == "straight":
        return builders.theatre(), builders.policy()
    if name == "csv-only":
        corroborated = {"corroboration.qualifying_status": "corroborated"}
        return builders.theatre(sources=CSV_ONLY), builders.policy(**corroborated)
    return shipped(name)


@lru_cache
def played(name: str, seed: int = 7, days: int = 10, reports: int | None = None) -> Simulation:
    theatre, policy = world(name)
    return simulate(theatre, policy, seed=seed, days=days, reports=reports)


def distances(places: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return metres between all pairs of (lon, lat)."""
    lon, lat = np.asarray(places, float).T
    return distance_m(lon[:, None], lat[:, None], lon[None, :], lat[None, :])


WORLDS = pytest.mark.parametrize("name", ["ukraine-2026", "minsk-2015", "straight", "csv-only"])


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    theatre, policy = shipped("ukraine-2026")
    files = []
    for folder in ("first", "second"):
        paths = write(simulate(theatre, policy, seed=3, days=10, reports=2000), tmp_path / folder)
        files.append({path.name: path.read_bytes() for path in paths})
    assert files[0] == files[1]
    assert "truth.json" in files[0]


def test_another_seed_gives_another_simulation() -> None:
    assert played("ukraine-2026", seed=3).truth.violations != played("ukraine-2026", seed=4).truth.violations


@pytest.mark.parametrize("seed", range(4))
def test_ten_days_on_the_shipped_line_hold_every_story(seed: int) -> None:
    truth = played("ukraine-2026", seed=seed).truth
    assert {scene.name for scene in truth.scenes} == EVERY_STORY
    assert truth.left_out == ()


def test_every_tier_is_reached_something_has_ended_and_something_goes_on() -> None:
    incidents = played("ukraine-2026").truth.incidents
    assert {incident.tier_peak for incident in incidents} == {1, 2, 3}
    assert {incident.end for incident in incidents} >= {"ceased", "assumed", "unresolved"}
    assert [incident.scene for incident in incidents if incident.state != "ended"] == ["still-going"]


@WORLDS
def test_every_row_is_readable(name: str, tmp_path: Path) -> None:
    theatre, policy = world(name)
    simulation = played(name)
    for path in write(simulation, tmp_path)[:-1]:
        source = theatre.source(path.stem)
        assert source is not None
        reading = read(path.read_bytes(), source, theatre, policy, path.name)
        assert reading.refused.empty, reading.refused["reason"].tolist()
        assert len(reading.intake) == simulation.truth.rows[path.stem]


@WORLDS
def test_scenes_lie_out_of_each_others_reach(name: str) -> None:
    _, policy = world(name)
    violations = played(name).truth.violations
    metres = distances([(violation.lon, violation.lat) for violation in violations])
    scenes = np.array([violation.scene for violation in violations])
    apart = 3 if name == "ukraine-2026" else 1.2
    assert metres[scenes[:, None] != scenes[None, :]].min() > apart * policy.grouping.link_m


@WORLDS
def test_no_two_violations_can_be_taken_for_one(name: str) -> None:
    """Reports of different violations are too far apart in time, or in place, to agree."""
    rules = world(name)[1].corroboration
    simulation = played(name)
    owner = {report: violation.id for violation in simulation.truth.violations for report in violation.reports}
    rows = pd.concat([frame.assign(source=source) for source, frame in simulation.rows.items()])
    rows = rows.drop_duplicates(["source", "source_ref"], keep="last")
    rows["owner"] = [owner.get(key) for key in zip(rows["source"], rows["source_ref"], strict=True)]
    rows = rows.dropna(subset="owner")
    begin, stop = (pd.to_datetime(rows[column]).to_numpy() for column in ("observed_from", "observed_to"))
    gap = np.maximum(begin[:, None] - stop[None, :], begin[None, :] - stop[:, None])
    radius = rows["uncertainty_m"].astype(float).to_numpy()
    edges = distances(rows[["lon", "lat"]].astype(float).to_numpy()) - radius[:, None] - radius[None, :]
    near = (gap <= np.timedelta64(int(rules.agree_min), "m")) & (edges <= rules.agree_m)
    same = rows["owner"].to_numpy()[:, None] == rows["owner"].to_numpy()[None, :]
    assert (near == same).all()


def test_a_violation_has_its_reports_in_the_files() -> None:
    simulation = played("ukraine-2026")
    there = {(source, ref) for source, frame in simulation.rows.items() for ref in frame["source_ref"]}
    told = [report for violation in simulation.truth.violations for report in violation.reports]
    assert set(told) <= there
    assert len(told) == len(set(told))


def test_the_truth_is_consistent_with_itself() -> None:
    truth = played("ukraine-2026").truth
    by_id = {violation.id: violation for violation in truth.violations}
    for incident in truth.incidents:
        members = [by_id[name] for name in incident.violations]
        assert {member.scene for member in members} == {incident.scene}
        assert incident.t0_from == min(member.observed_from for member in members)
        steps = incident.steps["any"]
        assert [step.at for step in steps] == sorted(step.at for step in steps) or incident.tier_peak == 3
        assert (steps[-1].kind == "ended") == (incident.state == "ended")
        assert all(truth.start <= step.at <= truth.as_of for step in steps)


def test_rows_are_in_the_order_of_their_reporting_and_corrections_come_later() -> None:
    for frame in played("ukraine-2026").rows.values():
        assert frame["reported_at"].is_monotonic_increasing
    mission = played("ukraine-2026").rows["mission"]
    twice = mission.loc[mission["source_ref"].str.startswith(("corrected", "retracted"))]
    assert twice.groupby("source_ref").size().tolist() == [2, 2]
    assert twice.loc[twice["source_ref"].str.startswith("retracted"), "act"].tolist()[-1] == "retraction"


def test_the_written_truth_is_plain_json(tmp_path: Path) -> None:
    simulation = played("ukraine-2026")
    truth = json.loads(write(simulation, tmp_path)[-1].read_text("utf-8"))
    assert truth["as_of"].endswith("Z")
    assert len(truth["incidents"]) == len(simulation.truth.incidents)
    assert truth["violations"][0]["reports"] == [list(item) for item in simulation.truth.violations[0].reports]


@pytest.mark.parametrize("name", ["ukraine-2026", "minsk-2015"])
def test_background_fills_up_to_the_number_asked_for_and_keeps_off_the_scenes(name: str) -> None:
    _, policy = world(name)
    simulation = played(name, reports=3000)
    assert sum(len(frame) for frame in simulation.rows.values()) == 3000 == sum(simulation.truth.rows.values())
    assert simulation.truth.violations == played(name).truth.violations, "background changes no scene"
    rows = pd.concat(simulation.rows.values())
    background = rows.loc[rows["source_ref"].str.startswith("background")]
    assert len(background) == simulation.truth.background_rows
    lon, lat = background["lon"].astype(float).to_numpy(), background["lat"].astype(float).to_numpy()
    for violation in simulation.truth.violations:
        assert distance_m(violation.lon, violation.lat, lon, lat).min() > 1.1 * policy.grouping.link_m


def test_stories_that_do_not_fit_into_the_days_are_named() -> None:
    truth = played("ukraine-2026", days=2).truth
    assert {"growth", "shelling"} <= set(truth.left_out)
    assert {scene.name for scene in truth.scenes} | set(truth.left_out) == EVERY_STORY


def test_without_a_start_the_last_open_window_is_played() -> None:
    theatre, _ = shipped("ukraine-2026")
    assert played("ukraine-2026").truth.start == next(w.start for w in theatre.windows if w.end is None)


def test_a_time_outside_every_window_is_refused() -> None:
    theatre, policy = shipped("ukraine-2026")
    with pytest.raises(PolicyError, match="no ceasefire window holds all"):
        simulate(theatre, policy, seed=1, days=10, start=theatre.windows[0].start)


def test_a_start_without_a_time_zone_is_refused() -> None:
    theatre, policy = shipped("ukraine-2026")
    with pytest.raises(PolicyError, match="says no time zone"):
        simulate(theatre, policy, seed=1, days=10, start=theatre.windows[-1].start.replace(tzinfo=None))


def test_fewer_rows_than_the_scenes_need_are_refused() -> None:
    theatre, policy = shipped("ukraine-2026")
    with pytest.raises(PolicyError, match=r"the scenes alone are \d+ rows, so 10 cannot hold them"):
        simulate(theatre, policy, seed=1, days=10, reports=10)


def test_sources_that_can_carry_nothing_are_refused() -> None:
    theatre, policy = shipped("ukraine-2026")
    crowd = tuple(source for source in theatre.sources if source.trust == "public")
    with pytest.raises(PolicyError, match="no set of its plain CSV sources can make a violation"):
        simulate(replace(theatre, sources=crowd), policy, seed=1, days=10)
