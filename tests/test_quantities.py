"""How many were there, by several reports? One test a rule, in the order of the module."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import coverage, policy, report, reports, theatre, versions, when

from geo.assess import assess
from geo.groups import Groups
from geo.quantities import merged

Said = tuple[int | None, int | None, int | None]


def counted(*said: Said, reliability: str | None = None) -> Said:
    """Return the bounds and the best of one violation, by what each report says: low, best, high."""
    grades = list(reliability or "F" * len(said))
    frame = pd.DataFrame(
        {"reliability": grades, "uncertainty_m": 100.0, "killed": pd.NA, "injured": pd.NA},
        index=range(len(said)),
    ).astype({"killed": "Int64", "injured": "Int64"})
    for name, values in zip(("count_low", "count_best", "count_high"), zip(*said, strict=True), strict=True):
        frame[name] = pd.array(values, dtype="Int64")
    [row] = pd.DataFrame(merged(frame, Groups(np.zeros(len(frame), np.int64)))).to_dict("records")
    low, best, high = (
        None if pd.isna(row[name]) else int(row[name]) for name in ("count_low", "count_best", "count_high")
    )
    return low, best, high


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([(2, None, 5), (4, None, 9)], (4, None, 5)),
        ([(2, None, 5), (None, None, None)], (2, None, 5)),
        ([(11, None, None), (None, 60, None)], (11, 60, None)),
        ([(5, 5, 5), (5, 5, 5)], (5, 5, 5)),  # the same five, not ten
        ([(None, None, None)], (None, None, None)),
    ],
)
def test_rule_1_statements_that_can_all_be_true_narrow_each_other(said: list[Said], found: Said) -> None:
    assert counted(*said) == counted(*reversed(said)) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([(5, 5, 5), (3, 3, 3)], (3, 5)),
        ([(2, None, 4), (8, None, 9), (3, None, 3)], (2, 9)),
        ([(11, None, None), (3, None, 5)], (3, None)),
    ],
)
def test_rule_2_statements_that_contradict_each_other_widen(said: list[Said], found: tuple[Any, Any]) -> None:
    low, _, high = counted(*said)
    assert (low, high) == found


def test_rule_3_best_is_of_the_most_reliable_then_of_the_most_precise_within_the_bounds() -> None:
    assert counted((None, 4, None), (2, 3, 6), reliability="FB")[1] == 3
    assert counted((None, 4, None), (2, 3, 6), reliability="BF")[1] == 4
    assert counted((2, 4, 6), (3, 5, 5))[1] == 5
    assert counted((None, 40, None), (2, None, 6), reliability="AF")[1] is None
    assert counted((5, 5, 5), (3, 3, 3), reliability="FA")[1] == 3


def test_rule_4_people_are_merged_over_reports_and_added_up_over_violations() -> None:
    rows = [
        report(1, source="mission", killed=3, count_low=2, count_high=4),
        report(1, source="media", origin="a", killed=5, injured=1, count_low=3, count_best=3, count_high=3),
        report(1, source="party-l", count_low=1),
        report(5, source="mission", killed=1, count_low=7, count_best=7, count_high=7),
        report(9, source="mission", count_low=2, count_best=2, count_high=2),
    ]
    tables = assess(reports(rows), coverage(), theatre(), versions(policy()), when(20)).tables
    first = tables["violations"].iloc[0]
    assert first[["killed_low", "killed", "injured_low", "injured"]].tolist() == [3, 5, 1, 1]
    assert first[["count_low", "count_best", "count_high"]].tolist() == [3, 3, 3]
    [whole] = tables["incidents"].to_dict("records")
    assert (whole["killed_low"], whole["killed"], whole["injured_low"], whole["injured"]) == (4, 6, 1, 1)
    assert (whole["count_low"], whole["count_best"], whole["count_high"]) == (12, 12, 12)


def test_the_largest_number_of_an_incident_is_open_where_that_of_a_violation_is() -> None:
    rows = report(1, source="mission", count_low=2, count_high=4), report(5, source="mission", count_low=11)
    [whole] = (
        assess(reports(rows), coverage(), theatre(), versions(policy()), when(20))
        .tables["incidents"]
        .to_dict("records")
    )
    assert whole["count_low"] == 13
    assert pd.isna(whole["count_high"])


def test_a_copy_adds_to_no_figure() -> None:
    said = "Two shells fell on the yard of the mill at noon."
    original = report(1, source="mission", text=said, killed=3, count_low=2, count_best=2, count_high=2)
    copy = report(1, source="media", text=said, killed=30, count_low=20, count_best=20, count_high=20)
    [row] = (
        assess(reports([original, copy]), coverage(), theatre(), versions(policy()), when(20))
        .tables["violations"]
        .to_dict("records")
    )
    assert (row["reports"], row["killed"], row["count_low"], row["count_high"]) == (2, 3, 2, 2)
