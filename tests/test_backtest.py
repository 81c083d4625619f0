"""Does a backtest say at every step what a run of its own would have said?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import builders
import numpy as np
import pandas as pd
import strategies
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from geo import nearness, news, notices, summary
from geo.assess import Standing, stand
from geo.backtest import FOREVER, NEVER, History, Setting, replay
from geo.steps import GONE, STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

HOUR_US = 3600 * 10**6
SAID = [name for name in STEPS.names if name not in {"as_of", "opened_known_at"}]
TOLD = ["incident_id", "kind", "said", "says", "since", "as_of", "known_at"]
FATES = st.sampled_from(["stays"] * 5 + ["withdrawn", "corrected", "disputed"])


@st.composite
def histories(draw: st.DrawFn) -> tuple[History, list[datetime]]:
    """Return a history in which some reports are corrected, withdrawn or disputed, and moments to step through."""
    world = draw(strategies.worlds(sizes=(5, 8, 12)))
    rows = []
    for row in world.stored.to_dict("records"):
        since = nearness.instant(row["known_at"])
        turn = since + round(draw(st.sampled_from([0.5, 7.0, 30.0])) * HOUR_US)
        fate = draw(FATES)
        rows.append({**row, "since": since, "until": FOREVER if fate == "stays" else turn})
        if fate == "disputed":
            rows.append({**row, "disputed": not row["disputed"], "since": turn, "until": FOREVER})
        if fate == "corrected":
            other = draw(st.sampled_from(world.stored.to_dict("records")))
            place = {name: other[name] for name in ("lon", "lat", "observed_from", "observed_to", "uncertainty_m")}
            number = 1000 + len(rows)
            moved = {**row, **place, "ledger_no": number, "stands_no": number, "content": f"again {number}"}
            rows.append({**moved, "known_at": pd.Timestamp(turn, unit="us", tz="UTC"), "since": turn, "until": FOREVER})
    frame = pd.DataFrame(rows)
    columns = {
        name: pd.to_datetime(frame[name], utc=True) if "datetime" in str(dtype) else frame[name]
        for name, dtype in world.stored.dtypes.items()
    }
    spans = {name: frame[name].astype("int64") for name in ("since", "until")}
    reports = pd.DataFrame({**columns, **spans}).astype(world.stored.dtypes.to_dict())
    reports = reports.sort_values(["ledger_no", "since"], ignore_index=True)
    settings = [Setting(NEVER, world.theatre, world.policies)]
    if draw(st.integers(0, 3)) == 0:  # people edited the policy while it was being watched
        other_policy = builders.versions(builders.policy(**{"grouping.link_m": 6000.0, "ladder.persist_h": 12.0}))
        settings.append(Setting(nearness.instant(builders.when(20.0)), world.theatre, other_policy))
    every = timedelta(hours=draw(st.sampled_from([6, 12, 24])))
    first = builders.when(draw(st.sampled_from([0.0, 5.0])))
    moments = [first + n * every for n in range(draw(st.integers(3, 9)))]
    return History(reports, world.coverage, tuple(settings)), moments


def stands(history: History, as_of: datetime, known_at: datetime) -> tuple[Standing, Setting, pd.DataFrame]:
    """Assess the whole theatre, with what was known; nothing is kept from one moment to the next."""
    at = nearness.instant(known_at)
    reports, coverage = history.reports, history.coverage
    known = reports[(reports["since"] <= at) & (at < reports["until"])].drop(columns=["since", "until"])
    setting = [each for each in history.settings if each.since <= at][-1]
    seen = coverage[coverage["known_at"] <= known_at].reset_index(drop=True)
    return stand(known, seen, setting.theatre, setting.policies, as_of), setting, known


def answer(history: History, as_of: datetime, known_at: datetime) -> dict[str, pd.DataFrame]:
    """Return the tables of the whole theatre as a run gives them, as far as notices read them."""
    found, setting, known = stands(history, as_of, known_at)
    violations = found.grouping.violations.assign(place_name=None)
    violations["place_name"] = violations["place_name"].astype("str")
    rows = summary.incident_rows(found.breaches, violations, found.reports, setting.theatre)
    home = violations.set_index("violation_id")["incident_id"]
    return {
        "incident_points": rows[rows["incident_id"].str.startswith("B-")].reset_index(drop=True),
        "violations": violations,
        "reports": found.reports.assign(incident_id=found.reports["violation_id"].map(home)),
        "transitions": summary.moves(found.breaches),
        "known": known,
    }


def plain(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows that can be compared: missing values as None, in order of name."""
    told = [{name: None if pd.isna(row[name]) else row[name] for name in SAID if name != "name"} for row in rows]
    return sorted(told, key=lambda row: str(row["incident_id"]))


@strategies.tries(3)
@given(histories())
def test_filled_forward_every_step_says_what_the_whole_theatre_says_with_what_was_known_then(
    drawn: tuple[History, list[datetime]],
) -> None:
    history, moments = drawn
    stood: dict[str, dict[str, Any]] = {}
    for turn in replay(history, moments):
        for row in turn.said:
            assert row["as_of"] == turn.at
            if row["state"] == GONE:
                del stood[row["incident_id"]]
            else:
                stood[row["incident_id"]] = row
        whole = answer(history, turn.at, turn.at)["incident_points"].to_dict("records")
        assert plain(list(stood.values())) == plain([{str(k): v for k, v in row.items()} for row in whole])


@strategies.tries(2)
@given(histories())
def test_every_revision_is_the_notice_of_what_is_known_a_step_later(drawn: tuple[History, list[datetime]]) -> None:
    history, moments = drawn
    before = None
    for turn in replay(history, moments):
        if before is not None:
            then, now = answer(history, before, before), answer(history, before, turn.at)
            arrived = news.between(then["known"], now["known"], before)
            wanted = notices.compare(then, now, as_of=before, known_at=before, news=arrived)
            assert_frame_equal(turn.revised[TOLD], wanted[TOLD])
            told = wanted["reports"].notna()
            assert_frame_equal(turn.revised.loc[told, ["news", "reports"]], wanted.loc[told, ["news", "reports"]])
        before = turn.at


def history_of(*rows: dict[str, Any]) -> History:
    """Return a history of rows of ``builders.report``, each known from its ``known_at`` on unless it says otherwise."""
    spans = [(row.pop("since", None), row.pop("until", None)) for row in rows]
    reports = builders.reports(rows)
    since = [s if s is not None else nearness.instant(k) for (s, _), k in zip(spans, reports["known_at"], strict=True)]
    until = [u if u is not None else FOREVER for _, u in spans]
    reports = reports.assign(since=np.array(since, np.int64), until=np.array(until, np.int64))
    return History(reports, builders.coverage(), (Setting(NEVER, builders.theatre(), builders.versions(POLICY)),))


POLICY = builders.policy()


def test_a_report_that_comes_late_revises_the_step_before_and_a_retraction_takes_the_name_away() -> None:
    gone = nearness.instant(builders.when(20.0))
    late = builders.report(2.0, known_at=builders.when(14.0))
    turns = list(replay(history_of({**late, "until": gone}), [builders.when(hour) for hour in (6, 12, 18, 24, 30)]))
    assert [[(row["incident_id"], row["state"]) for row in turn.said] for turn in turns] == [
        [], [], [("B-1", "quiet")], [("B-1", GONE)], [],
    ]  # fmt: skip
    assert [turn.revised["kind"].tolist() for turn in turns] == [[], [], ["opened"], ["withdrawn"], []]
    assert turns[2].revised[["news", "reports"]].to_numpy().tolist() == [["late report", "R-1"]]
    assert turns[3].revised[["news", "reports"]].to_numpy().tolist() == [["retraction", "R-1"]]
    became = turns[3].lineage
    assert became[["kind", "from_id"]].to_numpy().tolist() == [["retraction", "B-1"]]
    assert became["to_id"].isna().all()
    assert "R-1 was retracted" in became["reason"].iloc[0]


def test_with_hindsight_nothing_is_ever_revised() -> None:
    late = builders.report(2.0, known_at=builders.when(140.0))
    history = history_of(late, builders.report(3.0))
    moments = [builders.when(hour) for hour in (1, 4, 40)]
    knowing = list(replay(history.with_hindsight(), moments))
    assert [[row["qualifying"] for row in turn.said] for turn in knowing] == [[], [2], [2]]
    assert all(turn.revised.empty for turn in knowing)
    assert [[row["qualifying"] for row in turn.said] for turn in replay(history, moments)] == [[], [1], [1]]


def test_violations_that_one_report_places_and_another_dates_are_told_together_where_they_are_linked() -> None:
    rows = (
        builders.report(0.0, (100.0, 1.0), minutes=60.0),
        builders.report(1.9, (99.1, 1.0), source="satellite", minutes=6.0, uncertainty_m=300.0),
        builders.report(26.0, (110.7, 1.0), source="satellite", minutes=6.0, uncertainty_m=300.0),
        builders.report(27.0, (109.8, 1.0), minutes=60.0),
    )  # no report of one is in reach of one of the other in place and in time
    turns = replay(history_of(*rows), [builders.when(hour) for hour in (20, 30, 40)])
    said = [[(row["incident_id"], row["qualifying"]) for row in turn.said] for turn in turns]
    assert said == [[("B-1", 1)], [("B-1", 2)], [("B-1", 2)]]


def test_a_candidate_elsewhere_that_was_told_of_with_an_incident_revises_nothing_of_it() -> None:
    seen = builders.coverage([(0.0, 3.0, True)])
    history = history_of(builders.report(1.0), builders.report(1.0, (180.0, 1.0), disputed=True))
    history = replace(history, coverage=seen.assign(known_at=pd.Timestamp(builders.when(8.0))))
    [first, second] = replay(history, [builders.when(hour) for hour in (6, 12)])
    assert [row["incident_id"] for row in first.said] == ["B-1"]
    assert second.revised.empty


def test_what_has_ended_is_told_of_again_when_its_persistence_is_judged() -> None:
    history = history_of(builders.report(1.0))
    later = builders.versions(builders.policy(**{"ladder.persist_h": 48.0}))
    history = replace(history, settings=(history.settings[0]._replace(policies=later),))
    turns = replay(history, [builders.when(hour) for hour in (20, 30, 60, 80)])
    assert [[(row["state"], row["persistence"]) for row in turn.said] for turn in turns] == [
        [("quiet", None)], [("ended", None)], [("ended", "ceased")], [],
    ]  # fmt: skip
