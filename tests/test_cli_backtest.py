"""Does the command step through history as runs of their own would, and does every published name resolve?"""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

import cells
import pytest
from commandline import ceasewatch

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.workspace import Workspace

SAME = ("state", "end", "tier_eligible", "tier_effective", "tier_peak", "t0_from", "next_due", "next_due_what")


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    """Return a replay workspace: two shellings 16 km apart, and a report between them that came a day late."""
    made = cells.workspace(tmp_path / "ws", replay=True)
    rows = [cells.row("a0", 1.0, km=30.0), cells.row("b0", 3.0, km=46.0), cells.row("a1", 8.0, km=30.0)]
    late = cells.row("late", 4.0, km=38.0, reported_at=cells.at(26.0).isoformat())
    cells.bring(made, cells.write(tmp_path / "mission.csv", [*rows, late]), cells.Clock(), known="reported")
    return made


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def stamp(hours: float) -> str:
    return f"{cells.at(hours):%Y-%m-%dT%H:%M:%SZ}"


def test_every_step_says_what_a_run_of_its_own_says(place: Workspace, tmp_path: Path) -> None:
    words = ("--from", stamp(0), "--to", stamp(48), "--every", "12h", "--plain", "--json")
    result = ceasewatch("backtest", place.path, *words)
    assert result.exit_code == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["steps"], summary["incidents"], summary["names_gone"]) == (5, 1, 1)
    assert summary["lineage"] == {"merge": 1}
    assert summary["revisions"]["by_change"]["renamed"] == 1
    stood: dict[str, dict[str, str]] = {}
    steps = rows_of(place.path / "backtest" / "steps.csv")
    for hours in (0, 12, 24, 36, 48):
        for row in (row for row in steps if row["as_of"] == stamp(hours)):
            stood[row["incident_id"]] = row
        stood = {name: row for name, row in stood.items() if row["state"] != "gone"}
        if hours in (0, 24):  # the other three tell as much
            continue
        ran = ceasewatch("run", place.path, "--known-at", stamp(hours), "--plain", "--json", "--out", tmp_path / "out")
        incidents = json.loads(ran.stdout)["runs"][0]["incidents"]
        wanted = {row["incident_id"]: [_text(row[name]) for name in SAME] for row in incidents}
        assert {name: [row[column] for column in SAME] for name, row in stood.items()} == wanted
    late = [row for row in rows_of(place.path / "backtest" / "revisions.csv") if row["kind"] == "renamed"]
    assert [row["news"] for row in late] == ["late report"]


def _text(value: Any) -> str:  # noqa: ANN401 -- a plain value
    return "" if value is None else str(value)


def test_a_name_that_merged_says_into_which_when_and_because_of_which_report(place: Workspace) -> None:
    first = ceasewatch("run", place.path, "--known-at", stamp(20), "--plain", "--json")
    names = sorted(row["incident_id"] for row in json.loads(first.stdout)["runs"][0]["incidents"])
    assert len(names) == 2
    second = json.loads(ceasewatch("run", place.path, "--known-at", stamp(36), "--plain", "--json").stdout)["runs"][0]
    [kept] = [row["incident_id"] for row in second["incidents"]]
    [gone] = set(names) - {kept}
    told = ceasewatch("explain", place.path, gone)
    assert f"{gone} merged into {kept} (at {stamp(4)}, known {stamp(26)})" in told.stdout
    assert "became one breach" in told.stdout
    assert f"{gone} merged into {kept}" in ceasewatch("explain", place.path, kept).stdout
    [notice] = [row for row in second["notices"] if row["kind"] == "renamed"]
    assert notice["news"] == "late report"
    assert notice["since"] == stamp(1)
    assert notice["reports"] in told.stdout


def test_lineage_once_published_is_kept_by_later_publications(place: Workspace) -> None:
    from pipelines.layers import read_table  # noqa: PLC0415 -- sets up GDAL, which the command line does by itself

    for hours in (20, 36, 60, 72):
        assert ceasewatch("run", place.path, "--known-at", stamp(hours), "--plain").exit_code == 0
    lineage = read_table(place.target(None), "lineage")
    assert lineage["kind"].tolist() == ["merge"]
    assert ceasewatch("verify", place.path).exit_code == 0


def test_the_dossier_in_markdown_takes_nothing_of_a_source_for_markup(tmp_path: Path) -> None:
    made = cells.workspace(tmp_path / "ws", replay=True)
    file = cells.write(tmp_path / "mission.csv", [cells.row("[x](http://evil)|*", 1.0)])
    cells.bring(made, file, cells.Clock(), known="reported")
    run = json.loads(ceasewatch("run", made.path, "--known-at", stamp(6), "--plain", "--json").stdout)["runs"][0]
    text = ceasewatch("explain", made.path, run["incidents"][0]["incident_id"], "--markdown").stdout
    for head in ("# B-", "## Timeline", "## Steps and", "## What would have to happen next", "## Sources"):
        assert head in text
    assert re.search(r"(?<!\\)\]\(http", text) is None
    assert r"\[x\](http://evil)\|\*" in text


def test_a_span_that_runs_backwards_and_a_step_that_is_no_length_are_refused(place: Workspace) -> None:
    words = ("backtest", place.path, "--plain", "--from", stamp(48), "--to", stamp(0))
    assert "--from comes first" in ceasewatch(*words).stderr
    result = ceasewatch(*words, "--every", "soon")
    assert result.exit_code == 2
    assert "write it as 6h, 1d or 90m" in result.stderr
