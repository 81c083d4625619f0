"""Does the computation say of every simulated breach exactly what is true of it?

The whole way: files → readers → ledger → ``geo.assess``, under each reading of the ladder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from test_simulator import world

from geo.assess import assess
from geo.policy import PolicyVersion
from pipelines.ledger import Ledger
from pipelines.simulator import simulate, write
from pipelines.sources import read

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from geo.policy import Policy
    from geo.theatre import Theatre
    from pipelines.simulator import Simulation
    from pipelines.simulator.truth import TrueIncident

READINGS = {
    "as shipped": {},
    "literal": {"persist_reading": "literal"},
    "deadline": {"broad_reading": "deadline"},
    "repeated": {"open_reading": "repeated", "open_n": 2},
    "single vetted": {"single_vetted": True},
    "long quiet": {"quiet_h": 24.0},
}
CASES = [
    *(("ukraine-2026", reading) for reading in READINGS),
    *((world, reading) for world in ("minsk-2015", "csv-only", "straight") for reading in ("as shipped", "repeated")),
]


@dataclass(frozen=True)
class Told:
    """A simulation and what was made of it: reports by (source, reference) → violation, and every layer."""

    simulation: Simulation
    tables: dict[str, pd.DataFrame]
    violation_of: dict[tuple[str, str], str]
    incident_of: dict[str, str]

    def found(self, incident: TrueIncident) -> str:
        """Return the name of the incident that holds a true one's violations; all of them, in one."""
        by_id = {violation.id: violation for violation in self.simulation.truth.violations}
        names = {
            self.incident_of.get(self.violation_of[report])
            for name in incident.violations
            for report in by_id[name].reports
        }
        assert len(names) == 1, (incident.scene, names)
        return str(names.pop())

    def row(self, incident: TrueIncident) -> pd.Series:
        """Return the published row of a true incident."""
        table = self.tables["incidents"].set_index("incident_id")
        return table.loc[self.found(incident)]


def settings(name: str, reading: str) -> tuple[Theatre, Policy]:
    """Return one of the worlds, its ladder read in one of the ways."""
    theatre, policy = world(name)
    ladder = policy.ladder.model_copy(update=READINGS[reading])
    return theatre, policy.model_copy(update={"ladder": ladder})


def watch(theatre: Theatre, policy: Policy, simulation: Simulation, folder: Path) -> Told:
    """Take the simulation's files through readers and ledger, and assess them at its end."""
    paths = write(simulation, folder / "files")[:-1]
    at = simulation.truth.as_of
    with Ledger.create(folder / "ledger.sqlite", replay=True, recorded_at=at) as ledger:
        for path in paths:
            source = theatre.source(path.stem)
            assert source is not None
            reading = read(path.read_bytes(), source, theatre, policy, path.name)
            ledger.append(
                reading, source=source, file_name=path.name, sha256=path.stem, recorded_at=at, known="reported"
            )
        reports, coverage = ledger.reports(), ledger.coverage()
    tables = assess(reports, coverage, theatre, (PolicyVersion(policy=policy),), at).tables
    stated = tables["reports"]
    keys = zip(stated["source"], stated["source_ref"], strict=True)
    found = tables["violations"]
    return Told(
        simulation,
        tables,
        dict(zip(keys, stated["violation_id"], strict=True)),
        dict(zip(found["violation_id"], found["incident_id"], strict=True)),
    )


@pytest.fixture(scope="module", params=CASES, ids=" ".join)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    name, reading = request.param
    theatre, policy = settings(name, reading)
    simulation = simulate(theatre, policy, seed=len(reading), days=10)
    return watch(theatre, policy, simulation, tmp_path_factory.mktemp("told"))


def test_every_true_violation_is_one_qualifying_violation(told: Told) -> None:
    found = told.tables["violations"].set_index("violation_id")
    for violation in told.simulation.truth.violations:
        names = {told.violation_of[report] for report in violation.reports}
        assert len(names) == 1, violation
        row = found.loc[names.pop()]
        assert bool(row["qualifying"]), (violation, row["why_not"])
        assert (row["observed_from"], row["observed_to"]) == (violation.observed_from, violation.observed_to)
        assert row["origins"] == len(violation.origins)
        assert row["reports"] == len(violation.reports)
        assert row["heat_consistent"] == violation.heat_consistent
        assert (None if pd.isna(row["party_claimed"]) else row["party_claimed"]) == (
            "+".join(violation.parties) or None
        )
        assert row["chainage_m"] == pytest.approx(violation.chainage_m, abs=1.0)
        assert row["distance_m"] == pytest.approx(violation.distance_m, abs=1.0)


def test_exactly_the_true_violations_qualify(told: Told) -> None:
    found = told.tables["violations"]
    true = {told.violation_of[violation.reports[0]] for violation in told.simulation.truth.violations}
    assert set(found.loc[found["qualifying"].astype(bool), "violation_id"]) == true


def test_exactly_the_true_incidents_are_opened(told: Told) -> None:
    opened = {name for name in told.tables["incidents"]["incident_id"] if name.startswith("B-")}
    assert opened == {told.found(incident) for incident in told.simulation.truth.incidents}
    assert len(opened) == len(told.simulation.truth.incidents)


def test_every_incident_made_exactly_its_true_steps_at_exactly_their_instants(told: Told) -> None:
    table = told.tables["transitions"]
    for incident in told.simulation.truth.incidents:
        name = told.found(incident)
        rows = table.loc[table["incident_id"] == name]
        made = {
            scenario: sorted((kind, 0 if kind in {"opened", "ended"} else int(tier), at) for kind, tier, at in steps)
            for scenario, group in rows.groupby("scenario")
            for steps in [zip(group["kind"], group["tier_to"], group["at"], strict=True)]
        }
        true = {
            scenario: sorted(
                (step.kind, 0 if step.kind == "opened" else step.tier, pd.Timestamp(step.at)) for step in steps
            )
            for scenario, steps in incident.steps.items()
        }
        assert made == true, incident.scene


def test_every_incident_stands_as_it_truly_does(told: Told) -> None:
    for incident in told.simulation.truth.incidents:
        row = told.row(incident)
        assert row["state"] == incident.state, incident.scene
        assert (None if pd.isna(row["end"]) else row["end"]) == incident.end, incident.scene
        for column in ("t0_from", "t0_to", "tier_eligible", "tier_effective", "tier_peak"):
            assert row[column] == getattr(incident, column), (incident.scene, column)
        assert row["qualifying"] == len(incident.violations)


def test_a_breach_after_a_pause_is_the_recurrence_of_the_one_before(told: Told) -> None:
    by_id = {incident.id: incident for incident in told.simulation.truth.incidents}
    for incident in by_id.values():
        row = told.row(incident)
        before = None if incident.recurrence_of is None else told.found(by_id[incident.recurrence_of])
        assert (None if pd.isna(row["recurrence_of"]) else row["recurrence_of"]) == before, incident.scene
        assert (None if pd.isna(row["gap_covered"]) else bool(row["gap_covered"])) == incident.gap_covered


def test_stories_without_a_breach_open_nothing(told: Told) -> None:
    quiet = [scene for scene in told.simulation.truth.scenes if not scene.incidents]
    assert "retracted" in {scene.name for scene in quiet}
    for scene in quiet:
        names = {told.incident_of.get(told.violation_of[r]) for r in scene.reports if r in told.violation_of}
        assert not [name for name in names if isinstance(name, str) and name.startswith("B-")], scene.name


def test_ten_copies_of_one_post_are_one_origin(told: Told) -> None:
    reports = next((scene.reports for scene in told.simulation.truth.scenes if scene.name == "reposts"), ())
    found = told.tables["violations"].set_index("violation_id")
    for report in reports:
        row = found.loc[told.violation_of[report]]
        assert (row["status"], row["origins"]) == ("alleged", 1)


def test_a_retracted_report_is_gone_and_a_corrected_one_says_the_last_word(told: Told) -> None:
    scenes = {scene.name: scene for scene in told.simulation.truth.scenes}
    assert not any(report in told.violation_of for report in scenes["retracted"].reports)
    stated = told.tables["reports"].set_index(["source", "source_ref"])
    key = next(violation for violation in told.simulation.truth.violations if violation.scene == "corrected")
    assert stated.loc[key.reports[0], "revision"] == 2
    assert stated.loc[key.reports[0], "observed_from"] == key.observed_from


def test_coarse_reports_only_attach_and_make_the_quiet_after_it_uncertain(told: Told) -> None:
    truth = told.simulation.truth
    scene = next(scene for scene in truth.scenes if scene.name == "coarse")
    incident = next((incident for incident in truth.incidents if incident.scene == "coarse"), None)
    if incident is None:
        return  # one shot opens nothing where two are asked for
    own = {report for v in truth.violations if v.scene == "coarse" for report in v.reports}
    found = told.tables["violations"].set_index("violation_id")
    for report in set(scene.reports) - own:
        row = found.loc[told.violation_of[report]]
        assert (bool(row["qualifying"]), bool(row["attached"]), row["incident_id"]) == (
            False,
            True,
            told.found(incident),
        )
    assert told.row(incident)["persistence"] == "indeterminate"


def test_the_ladder_of_the_plan_word_for_word() -> None:
    """Say in plain figures what the shipped policy's truth is, so that truth and computation cannot err together."""
    theatre, policy = settings("ukraine-2026", "as shipped")
    truth = simulate(theatre, policy, seed=1, days=10).truth
    steps = {
        incident.scene: {(step.kind, step.tier): hours(incident, step.at) for step in incident.steps["any"]}
        for incident in truth.incidents
    }
    assert steps["single-shot"].keys() == {("opened", 1), ("eligible", 1), ("effective", 1), ("ended", 0)}
    assert steps["single-shot"]["ended", 0] == 24
    assert steps["shelling"]["eligible", 2] == steps["shelling"]["effective", 2] == 24
    assert ("eligible", 3) not in steps["shelling"]
    assert 24 < steps["growth"]["eligible", 3] < 72 == steps["growth"]["effective", 3]
    assert 24 < steps["stalled-growth"]["eligible", 3] < 60
    assert ("effective", 3) not in steps["stalled-growth"]
    assert steps["grave-weapon"]["eligible", 3] == pytest.approx(-2 / 60)
    assert ("eligible", 2) not in steps["grave-weapon"]


def test_thousands_of_other_reports_change_nothing_about_the_scenes(tmp_path: Path) -> None:
    theatre, policy = settings("ukraine-2026", "as shipped")
    crowded = watch(theatre, policy, simulate(theatre, policy, seed=5, days=10, reports=3000), tmp_path)
    assert len(crowded.tables["incidents"]) > 2 * len(crowded.simulation.truth.incidents)
    test_every_true_violation_is_one_qualifying_violation(crowded)
    test_every_incident_made_exactly_its_true_steps_at_exactly_their_instants(crowded)
    test_every_incident_stands_as_it_truly_does(crowded)
    test_coarse_reports_only_attach_and_make_the_quiet_after_it_uncertain(crowded)


def test_a_changed_policy_is_noticed(tmp_path: Path) -> None:
    """Show that the comparison can fail: the truth of one reading is not what another reading says."""
    theatre, policy = settings("ukraine-2026", "as shipped")
    simulation = simulate(theatre, settings("ukraine-2026", "deadline")[1], seed=1, days=10)
    told = watch(theatre, policy, simulation, tmp_path)
    with pytest.raises(AssertionError, match="growth"):
        test_every_incident_made_exactly_its_true_steps_at_exactly_their_instants(told)


def hours(incident: TrueIncident, at: datetime) -> float:
    """Return hours since ``t0_to``."""
    return (at - incident.t0_to).total_seconds() / 3600
