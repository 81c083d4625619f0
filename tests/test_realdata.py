"""Does the main job hold on real input? Skipped where the real data is absent."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import realdata
from realdata import need

from pipelines import intake, watch
from pipelines.edge import utc_now
from pipelines.layers import read_table
from pipelines.publications import Question
from pipelines.settings import find_theatre, read_folder
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

MINSK_II = pd.Timestamp("2015-02-14T22:00Z")
AS_OF = datetime(2022, 2, 1, tzinfo=UTC)


def publication(workspace: Workspace, out: Path, *, as_of: datetime, region: str | None = None) -> Path:
    """Publish and return the file."""
    watch.watch(workspace, Question(as_of, None, region), out=out, version="test", clock=utc_now)
    return out / "monitor.gpkg"


@pytest.fixture(scope="module")
def minsk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, intake.Ingested, Path]:
    """Return a replay of Minsk II along the real line, with the real events, and its publication."""
    place = tmp_path_factory.mktemp("minsk")
    workspace, taken = realdata.minsk(place / "w")
    return workspace, taken, publication(workspace, place / "whole", as_of=AS_OF)


def test_every_row_of_ucdp_is_accounted_for(minsk: tuple[Workspace, intake.Ingested, Path]) -> None:
    batch = minsk[1].batch
    assert (batch.rows, batch.new, batch.quarantined) == (3000, 3000, 0)


@pytest.mark.parametrize(("km", "events"), [(2, 521), (5, 829), (15, 1818), (30, 2201)])
def test_the_distances_to_the_line_are_the_known_ones(
    minsk: tuple[Workspace, intake.Ingested, Path], km: float, events: int
) -> None:
    distance = read_table(minsk[2], "reports")["distance_m"]
    assert (distance <= km * 1000).sum() == pytest.approx(events, abs=3)


def test_many_rows_on_one_point_are_no_sign_of_a_coarse_one(minsk: tuple[Workspace, intake.Ingested, Path]) -> None:
    reports = read_table(minsk[2], "reports")
    reports = reports.assign(day=pd.to_datetime(reports["observed_from"]).dt.date, where=reports["geometry"].to_wkb())
    shared = reports[reports.groupby("where")["day"].transform("nunique") > 10]
    assert (shared["where"].nunique(), len(shared), (shared["uncertainty_m"] == 5000.0).sum()) == (35, 1758, 409)
    assert reports["same_point_days"].isna().all()  # the precision of each is coded


def test_incidents_open_and_nothing_coarse_or_before_the_ceasefire_qualifies(
    minsk: tuple[Workspace, intake.Ingested, Path],
) -> None:
    incidents, violations = read_table(minsk[2], "incidents"), read_table(minsk[2], "violations")
    reports = read_table(minsk[2], "reports").merge(violations[["violation_id", "qualifying"]], on="violation_id")
    counted = reports.loc[reports["qualifying"].astype(bool)]
    assert incidents["incident_id"].str.startswith("B-").sum() > 20
    with need("minsk_2014_2022/ucdp_ged_ukraine_2014_2021.csv").open(encoding="utf-8", newline="") as file:
        precision = {row["id"]: int(row["where_prec"]) for row in csv.DictReader(file)}
    assert max(precision[ref] for ref in counted["source_ref"]) < 4
    assert counted["observed_from"].min() >= MINSK_II


def test_a_run_for_donetsk_is_the_whole_run_cut_to_it(
    minsk: tuple[Workspace, intake.Ingested, Path], tmp_path: Path
) -> None:
    workspace, _, whole = minsk
    alone = read_table(publication(workspace, tmp_path, as_of=AS_OF, region="UA-14"), "incidents")
    violations = read_table(whole, "violations")
    linked = violations.loc[(violations["region_id"] == "UA-14") & ~violations["attached"].astype(bool)]
    incidents = read_table(whole, "incidents")
    wanted = incidents.loc[incidents["incident_id"].isin(linked["incident_id"])].reset_index(drop=True)
    assert len(wanted) > 0
    pd.testing.assert_frame_equal(pd.DataFrame(alone), pd.DataFrame(wanted))


def test_heat_during_the_easter_truce_counts_by_the_instant_and_opens_nothing(tmp_path: Path) -> None:
    files = read_folder(find_theatre("ukraine-2026"))
    workspace = Workspace.create(tmp_path / "w", files, "ukraine-2026", replay=True, at=utc_now())
    for day in ("2026-04-11", "2026-04-12"):
        path = need(f"modern_2026/firms_{day}.csv")
        intake.ingest(workspace, path, source_id="firms", known="observed", clock=utc_now)
    path = publication(workspace, tmp_path / "out", as_of=datetime(2026, 4, 14, tzinfo=UTC))
    [run] = read_table(path, "run").to_dict("records")
    assert (run["reports"], run["reports_in_window"]) == (59, 28)
    assert read_table(path, "incidents").empty
    assert read_table(path, "violations").empty
