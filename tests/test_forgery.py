"""Can anybody who only pretends move the ladder, and what does it show when a source is suspended?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import builders
import cells
import numpy as np
import pandas as pd
import pytest
from commandline import ceasewatch
from pandas.testing import assert_frame_equal

from geo.assess import Assessment, assess
from pipelines import backtest

if TYPE_CHECKING:
    from pathlib import Path

    from geo.theatre import Theatre
    from pipelines.outcome import Outcome
    from pipelines.workspace import Workspace

NAMES = ["incident_id", "state", "tier_eligible", "tier_effective", "tier_peak", "t0_from", "t0_to", "next_due"]
AS_OF = builders.when(60.0)


def asked(rows: pd.DataFrame, theatre: Theatre | None = None) -> Assessment:
    return assess(
        rows, builders.coverage([]), theatre or builders.theatre(), builders.versions(builders.policy()), AS_OF
    )


def honest() -> list[dict[str, Any]]:
    """Return two incidents 60 km apart, each seen by a mission and by an agency over two days."""
    return [
        builders.report(float(hour), (km, 1.0), source=source, minutes=10.0)
        for km in (70.0, 130.0)
        for hour in range(1, 50, 6)
        for source in ("mission", "media")
    ]


def forged(number: int, seed: int) -> pd.DataFrame:
    """Return forged reports under a tenth as many names, strung between the incidents and spread over their days."""
    luck = np.random.default_rng(seed)
    lon, lat = (
        np.array(axis) for axis in zip(*(builders.place(km, 1.0) for km in np.linspace(65, 135, 700)), strict=True)
    )
    at = luck.integers(0, 700, number)
    one = builders.reports([builders.report(source="sock", party_claimed="R", weapon="grad")])
    begin = pd.to_datetime(builders.when(0.0)) + pd.to_timedelta(luck.uniform(0, 60, number), unit="h").floor("us")
    no = np.arange(number) + 1_000
    rows = pd.concat([one] * number, ignore_index=True).assign(
        source=[f"sock {n % max(number // 10, 1)}" for n in range(number)],
        lon=lon[at], lat=lat[at], observed_from=begin, observed_to=begin, known_at=begin, recorded_at=begin,
        ledger_no=no, first_no=no, stands_no=no, report_id=[f"R-{n}" for n in no], content=[f"{n:064x}" for n in no],
    )  # fmt: skip
    return rows.astype(one.dtypes.to_dict())


def table(found: Assessment) -> pd.DataFrame:
    incidents = found.tables["incidents"]
    return incidents.loc[incidents["state"] != "candidate", NAMES].reset_index(drop=True)


def bridged(number: int, seed: int) -> None:
    rows = builders.reports(honest())
    alone, flooded = asked(rows), asked(pd.concat([rows, forged(number, seed)], ignore_index=True))
    assert len(table(alone)) == 2
    assert_frame_equal(table(alone), table(flooded))
    assert flooded.tables["incidents"]["reports_public"].sum() > 0, "nothing was attached: the flood shows nothing"


def test_forged_reports_that_bridge_two_incidents_move_nothing() -> None:
    bridged(300, seed=1)


@pytest.mark.slow
def test_a_hundred_thousand_forged_reports_under_ten_thousand_names_move_nothing() -> None:
    bridged(100_000, seed=2)


def test_the_same_flood_from_a_trusted_source_would_bridge_them() -> None:
    rows = builders.reports(honest())
    believed = forged(300, seed=1).assign(source="media")
    assert len(table(asked(pd.concat([rows, believed], ignore_index=True)))) != 2


def test_the_next_run_after_a_flood_has_the_trusted_report_and_explain_tells_the_attack(tmp_path: Path) -> None:
    place = cells.workspace(tmp_path / "ws")
    cells.bring(place, cells.shelling(tmp_path / "mission.csv", hours=6.0), cells.Clock(10))
    flood = [cells.row(f"f{n}", 1.0 + n / 10, km=30.0 + n) for n in range(30)]
    cells.bring(place, cells.write(tmp_path / "public.csv", flood), cells.Clock(11))
    cells.bring(place, cells.write(tmp_path / "mission.csv", [cells.row("late", 10.0)]), cells.Clock(12))
    assert mapped(cells.run(place, cells.Clock(13))) == [(4, 11)]
    told = ceasewatch("explain", place.path, "B-4").stdout
    assert "  mission (mission): 4 reports, 4 in what counts, recorded 2026-06-02T10:00:00Z to 12:00:00Z" in told
    assert "  public (public): 11 reports, 1 in what counts, recorded 2026-06-02T11:00:00Z" in told
    dossier = ceasewatch("explain", place.path, "B-4", "--markdown").stdout
    assert dossier.count("| no: only public sources | public |") == 10


# --- A suspended source ---


def suspended(hour: float, source: str = "mission") -> Theatre:
    changed = tuple(
        replace(each, suspended_from=builders.when(hour)) if each.id == source else each
        for each in builders.theatre().sources
    )
    return builders.theatre(sources=changed)


def test_what_a_suspended_source_says_since_counts_as_what_a_source_nobody_declared_says() -> None:
    rows = builders.reports(honest())
    late = (rows["source"] == "mission") & (rows["known_at"] >= builders.when(20.0))
    assert 0 < late.sum() < len(rows)
    renamed = rows.assign(source=rows["source"].where(~late, "mission (suspended)"))
    one, other = asked(rows, suspended(20.0)), asked(renamed)
    for name, told in one.tables.items():
        assert_frame_equal(told, other.tables[name], obj=name)
    assert set(one.tables["reports"]["source"]) == {"mission", "mission (suspended)", "media"}
    assert one.tables["violations"]["status"].tolist() != asked(rows).tables["violations"]["status"].tolist()


def test_suspended_before_it_said_anything_it_is_no_better_than_the_crowd() -> None:
    rows = builders.reports([builders.report(float(hour)) for hour in range(1, 40, 6)])
    assert len(table(asked(rows))) == 1
    assert len(table(asked(rows, suspended(0.0)))) == 0


def test_a_suspended_watcher_watches_nothing_any_more() -> None:
    rows = builders.reports([builders.report(float(hour)) for hour in (1, 3)])
    watched = builders.coverage([(0.0, 59.0, True)])  # declared when it was over
    ends = [
        assess(rows, watched, theatre, builders.versions(builders.policy()), AS_OF).tables["incidents"]["end"].tolist()
        for theatre in (builders.theatre(), suspended(50.0))
    ]
    assert ends == [["ceased"], ["assumed"]]


def mapped(outcome: Outcome) -> list[tuple[int, int]]:
    """Return of each incident on a map how many of its violations qualify, and how many of its reports are public."""
    with closing(sqlite3.connect(outcome.file)) as database:
        return database.execute("SELECT qualifying, reports_public FROM incidents").fetchall()


def suspend(place: Workspace, moment: str) -> None:
    about = place.theatre / "theatre.toml"
    text = about.read_text()
    assert text.count('id = "mission"\n') == 1
    about.write_text(text.replace('id = "mission"\n', f'id = "mission"\nsuspended_from = {moment}\n'))


def test_a_suspension_gives_back_what_was_taken_back_and_rewritten_since_and_is_known_from_its_edit_on(
    tmp_path: Path,
) -> None:
    place = cells.workspace(tmp_path / "ws")
    cells.bring(place, cells.shelling(tmp_path / "mission.csv", hours=9.0), cells.Clock(10))
    away = cells.row("s2", 7.0) | {"lon": "38.4"}
    taken = [cells.row(ref, 1.0) | {"act": "retraction"} for ref in ("s0", "s1")]
    cells.bring(place, cells.write(tmp_path / "mission.csv", [*taken, away, cells.row("t", 13.0)]), cells.Clock(21))
    robbed = mapped(cells.run(place, cells.Clock(22)))
    suspend(place, "2026-06-02T20:00:00Z")
    after = mapped(cells.run(place, cells.Clock(23)))
    again = mapped(cells.run(place, cells.Clock(24), known_at=22.0))
    assert robbed == [(2, 0), (1, 0)]
    assert after == [(4, 1)]
    assert again == robbed, "law 8: what was known then is not changed by the edit"
    plan = backtest.Plan(cells.at(20), cells.at(23), timedelta(hours=1))
    for hindsight, counts in ((False, [[4], [2, 1], [2, 1], [4]]), (True, [[4]] * 4)):
        past = backtest.remember(place, replace(plan, hindsight=hindsight), at=cells.at(24))
        steps = backtest.run(past, plan, None).steps
        stood = steps[steps["state"] != "gone"]
        assert [stood.loc[stood["as_of"] == at, "qualifying"].tolist() for at in plan.moments] == counts
    told = ceasewatch("explain", place.path, "R-4").stdout
    assert told.count("changes nothing: its source was suspended") == 1
