"""Does every name that is gone say what became of it?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from geo import news
from geo.lineage import compare

if TYPE_CHECKING:
    from collections.abc import Mapping

T0 = pd.Timestamp("2026-06-02T10:00Z")


def hours(n: float) -> pd.Timestamp:
    return T0 + pd.Timedelta(hours=n)


def answer(**incidents: list[int]) -> dict[str, pd.DataFrame]:
    """Return layers in which ``B4=[4, 9]`` is B-4 with V-4 of R-4 and V-9 of R-9."""
    names = {f"{key[0]}-{key[1:]}": numbers for key, numbers in incidents.items()}
    members = [(name, number) for name, numbers in names.items() for number in numbers]
    violations = {
        "violation_id": [f"V-{number}" for _, number in members],
        "qualifying": [True] * len(members),
        "incident_id": [name for name, _ in members],
    }
    reports = {
        "report_id": [f"R-{number}" for _, number in members],
        "violation_id": violations["violation_id"],
        "incident_id": violations["incident_id"],
    }
    return {
        "incident_points": pd.DataFrame({"incident_id": list(names), "t0_from": [T0] * len(names)}),
        "violations": pd.DataFrame(violations).astype({"violation_id": "str", "incident_id": "str"}),
        "reports": pd.DataFrame(reports).astype("str"),
    }


def told(*rows: tuple[int, str, float, float | None]) -> pd.DataFrame:
    """Return news: number, kind, hours after T0 at which it began, and at which it was known."""
    times = {"observed_from": 2, "known_at": 3}
    frame = pd.DataFrame({"report_id": [f"R-{row[0]}" for row in rows], "news": [row[1] for row in rows]})
    stamps = {
        name: pd.to_datetime(
            pd.Series([None if row[n] is None else hours(row[n]) for row in rows], dtype=object), utc=True
        )
        for name, n in times.items()
    }
    return frame.assign(**stamps).astype({"report_id": "str", "news": "str"})


def moves(then: Mapping[str, Any], now: Mapping[str, Any], came: pd.DataFrame) -> list[tuple[str, str, str | None]]:
    rows = compare(then, now, came)
    return [(row.kind, row.from_id, None if pd.isna(row.to_id) else row.to_id) for row in rows.itertuples()]


def test_rule_1_a_name_that_stands_alone_has_no_lineage() -> None:
    assert moves(answer(B4=[4, 9]), answer(B4=[4, 9, 12], B20=[20]), told((12, "late report", 1, 2))) == []


def test_rule_2_what_a_late_report_joins_merges_into_the_older_name_and_names_the_report() -> None:
    came = told((12, "late report", 3.0, 8.0))
    rows = compare(answer(B4=[4], B9=[9]), answer(B4=[4, 9, 12]), came)
    [row] = rows.to_dict("records")
    assert (row["kind"], row["from_id"], row["to_id"]) == ("merge", "B-9", "B-4")
    assert (row["at"], row["known_at"]) == (hours(3), hours(8))
    assert row["reason"] == "became one breach with B-4, because R-12 arrived"


def test_rule_2_two_that_merge_under_a_new_name_are_both_merged() -> None:
    came = told((4, "retraction", 0, 5))
    assert moves(answer(B4=[4, 5], B9=[9]), answer(B5=[5, 9]), came) == [
        ("merge", "B-4", "B-5"),
        ("merge", "B-9", "B-5"),
    ]


@pytest.mark.parametrize("kind", ["retraction", "correction"])
def test_rule_3_the_name_goes_with_the_report_that_gave_it(kind: str) -> None:
    assert moves(answer(B4=[4, 9]), answer(B9=[9]), told((4, kind, 0, 5))) == [(kind, "B-4", "B-9")]


def test_rule_3_what_falls_apart_is_split_into_each_part() -> None:
    came = told((7, "retraction", 1, 5))
    assert moves(answer(B4=[4, 7, 9]), answer(B4=[4], B9=[9]), came) == [("split", "B-4", "B-9")]
    assert moves(answer(B4=[4, 7, 9]), answer(B7=[7], B9=[9]), told((4, "retraction", 0, 5))) == [
        ("split", "B-4", "B-7"),
        ("split", "B-4", "B-9"),
    ]


def test_rule_4_a_name_whose_reports_stand_nowhere_is_withdrawn_and_says_why() -> None:
    rows = compare(answer(B4=[4]), answer(), told((4, "retraction", 0, 7)))
    [row] = rows.to_dict("records")
    assert row["kind"] == "retraction"
    assert pd.isna(row["to_id"])
    assert row["reason"] == "withdrawn, because R-4 was retracted"
    assert moves(answer(B4=[4]), answer(), told((4, "correction", 0, 7))) == [("correction", "B-4", None)]


def test_rule_5_without_news_it_happened_at_t0_and_nobody_can_say_when_it_was_known() -> None:
    [row] = compare(answer(B4=[4]), answer(), told()).to_dict("records")
    assert row["at"] == T0
    assert pd.isna(row["known_at"])


def test_news_tells_what_came_was_corrected_taken_back_or_disputed() -> None:
    columns = {"stands_no": 1, "disputed": False, "observed_from": T0, "known_at": hours(1)}
    plain = pd.DataFrame([{"report_id": f"R-{n}", **columns} for n in (1, 2, 3, 10)])
    then = plain[plain["report_id"] != "R-10"].reset_index(drop=True)
    now = plain[plain["report_id"] != "R-1"].reset_index(drop=True)
    now.loc[now["report_id"] == "R-2", "stands_no"] = 7
    now.loc[now["report_id"] == "R-3", "disputed"] = True
    found = news.between(then, now, datetime(2026, 6, 3, tzinfo=UTC), {"R-1": hours(9)})
    assert list(zip(found["report_id"], found["news"], strict=True)) == [
        ("R-1", "retraction"), ("R-2", "correction"), ("R-3", "dispute"), ("R-10", "late report"),
    ]  # fmt: skip
    assert found["known_at"].iloc[0] == hours(9)
    assert news.between(then, now, datetime(2026, 6, 1, tzinfo=UTC)).empty
    first = news.between(then.iloc[:0], now, datetime(2026, 6, 3, tzinfo=UTC))
    assert first["news"].tolist() == ["late report"] * 3
