"""Does the account of a backtest count what its rows say?"""

from __future__ import annotations

from typing import Any

import builders
import pandas as pd
import pytest
from test_backtest import history_of

from geo import account, tables
from geo.backtest import replay
from geo.steps import GONE, REVISIONS, STEPS


def at(hours: float) -> pd.Timestamp:
    return pd.Timestamp(builders.when(hours))


def told(*reports: dict[str, Any], steps: list[float]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Step through a history and return the names and the account."""
    moments = [builders.when(hour) for hour in steps]
    turns = list(replay(history_of(*reports), moments))
    rows = pd.DataFrame([row for turn in turns for row in turn.said], columns=STEPS.names)
    times = {c.name: pd.to_datetime(rows[c.name], utc=True) for c in STEPS.columns if c.kind == "time"}
    revised = pd.concat([turn.revised.assign(learned_at=pd.Timestamp(turn.at)) for turn in turns])
    revisions = tables.conform(revised.assign(learned_at=pd.to_datetime(revised["learned_at"], utc=True)), REVISIONS)
    names = account.names(tables.conform(rows.assign(**times), STEPS), revisions)
    return names, account.summarise(names, revisions, builders.theatre().windows, moments)


def test_the_first_shot_as_known_last_counts_until_the_breach_could_be_known() -> None:
    late = builders.report(2.0, known_at=builders.when(30.0))
    names, summary = told(builders.report(10.0, known_at=builders.when(11.0)), late, steps=[6, 12, 18, 36])
    [row] = names.to_dict("records")
    assert (row["first_t0_from"], row["t0_from"]) == (at(10.0), at(2.0))
    assert row["warned_after_h"] == pytest.approx(9.0)
    assert summary["warned_after_h"] == {"median": 9.0, "90 %": 9.0, "longest": 9.0}
    assert summary["revisions"]["by_change"]["t0"] == 1
    assert summary["revisions"]["by_news"] == {"late report": summary["revisions"]["all"]}


def test_quiet_spans_lie_between_incidents_inside_the_windows_longest_first() -> None:
    _, summary = told(builders.report(10.0), builders.report(100.0), steps=[0, 60, 120, 180])
    assert [(span["from"], span["to"]) for span in summary["quiet"]] == [
        (at(10.0), at(100.0)), (at(100.0), at(180.0)), (at(0.0), at(10.0)),
    ]  # fmt: skip
    assert (summary["incidents"], summary["tiers"]) == (2, {1: 2, 2: 0, 3: 0})


def test_a_name_that_is_gone_is_no_incident() -> None:
    gone = int(at(40.0).value // 1000)
    names, summary = told({**builders.report(2.0), "until": gone}, steps=[6, 12, 48])
    assert names["state"].tolist() == [GONE]
    assert (summary["incidents"], summary["names_gone"], summary["longest"]) == (0, 1, None)


def test_periods_count_what_opened_in_them_and_in_as_long_a_time_before() -> None:
    names, _ = told(*(builders.report(hour) for hour in (10.0, 60.0, 130.0)), steps=[0, 60, 120, 180])
    periods = pd.DataFrame(
        {
            "period": ["early", "late", "outside"],
            "start": [at(50.0), at(100.0), at(500.0)],
            "end": pd.to_datetime(pd.Series([None, at(150.0), None]), utc=True),
        }
    )
    moments = [builders.when(hour) for hour in (0, 180)]
    found = account.beside(names, periods, moments)
    assert [(row["period"], row["opened"], row["opened_before"]) for row in found] == [("early", 1, 1), ("late", 1, 1)]
    assert found[1]["days_to_first"] == pytest.approx(30 / 24)
