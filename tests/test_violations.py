"""Which reports become one violation? One test a rule, in the order of the module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from builders import coverage, policy, report, reports, theatre, versions, when

from geo.assess import assess
from geo.violations import by_content

if TYPE_CHECKING:
    from geo.policy import Policy


def violations(*rows: dict[str, Any], rules: Policy | None = None, **world: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return the violations that reports amount to."""
    answer = assess(reports(rows), coverage(), theatre(**world), versions(rules or policy()), when(1000))
    return answer.tables["violations"]


def members(*rows: dict[str, Any], rules: Policy | None = None) -> list[set[str]]:
    """Return the reports of each violation."""
    answer = assess(reports(rows), coverage(), theatre(), versions(rules or policy()), when(1000))
    grouped = answer.tables["reports"].groupby("violation_id")["report_id"]
    return sorted((set(names) for _, names in grouped), key=min)


def test_rule_2_independent_origins_that_agree_are_one_violation() -> None:
    assert members(report(1), report(1.5, source="media", origin="a")) == [{"R-1", "R-2"}]


def test_rule_2_two_items_of_one_origin_are_two_violations() -> None:
    assert members(report(1), report(1)) == [{"R-1"}, {"R-2"}]


def test_rule_2_ten_reposts_of_one_post_are_one_origin() -> None:
    posts = [report(1, source="media", origin="the same post") for _ in range(10)]
    table = violations(*posts)
    assert len(table) == 10
    assert set(table["status"]) == {"alleged"}


@pytest.mark.parametrize(("hours", "joined"), [(1.99, True), (2.0, True), (2.01, False)])
def test_rule_2_intervals_agree_up_to_the_tolerance(hours: float, joined: bool) -> None:  # noqa: FBT001 -- a column
    assert (len(members(report(1), report(hours, source="media"))) == 1) is joined


@pytest.mark.parametrize(("km", "joined"), [(101.1, True), (101.3, False)])
def test_rule_2_footprints_agree_up_to_the_gap_between_them(km: float, joined: bool) -> None:  # noqa: FBT001 -- a column
    rows = report(1, (100, 1)), report(1, (km, 1), source="media")  # two radii of 100 m and a tolerance of 1 km
    assert (len(members(*rows)) == 1) is joined


@pytest.mark.parametrize(("act", "joined"), [("shelling", True), ("small_arms", False), ("strike", True)])
def test_rule_2_acts_agree_within_a_family_or_when_one_is_undetermined(act: str, joined: bool) -> None:  # noqa: FBT001
    assert (len(members(report(1, act="shelling"), report(1, source="media", act=act))) == 1) is joined


def test_rule_2_all_members_agree_pairwise() -> None:
    chain = [report(1), report(1.9, source="media", origin="a"), report(2.8, source="satellite")]
    assert members(*chain) in ([{"R-1", "R-2"}, {"R-3"}], [{"R-1"}, {"R-2", "R-3"}])


def test_rule_3_a_coarse_report_stands_alone() -> None:
    assert len(members(report(1), report(1, source="media", uncertainty_m=5001.0))) == 2
    assert len(members(report(1), report(0, source="media", to=25.5))) == 2


def test_rule_4_public_reports_join_last_and_change_nothing() -> None:
    plain = report(1), report(1.2, (100.5, 1), source="media", uncertainty_m=900.0)
    crowd = [report(1.1, (100.3, 1), source="public", origin=f"voice {n}", uncertainty_m=1.0) for n in range(3)]
    alone, crowded = violations(*plain), violations(*plain, *crowd)
    same = ["violation_id", "status", "qualifying", "origins", "observed_from", "uncertainty_m", "chainage_m"]
    assert crowded[same].equals(alone[same])
    assert crowded["reports"].tolist() == [5]


def test_rule_5_the_shortest_interval_dates_and_the_smallest_footprint_places() -> None:
    precise_time = report(1, (100, 1), minutes=0, uncertainty_m=900.0)
    precise_place = report(0.5, (100.4, 1), minutes=90, uncertainty_m=50.0, source="media")
    [row] = violations(precise_time, precise_place).to_dict("records")
    assert (row["observed_from"], row["uncertainty_m"]) == (when(1), 50.0)
    assert row["chainage_m"] == pytest.approx(100_400, abs=2)


def test_rule_2_who_saw_it_at_the_same_time_comes_before_who_was_nearer_by() -> None:
    first = report(1, (100, 1), minutes=10), report(1, (101, 1), minutes=10, source="media")
    second = report(1.9, (101, 1), minutes=10), report(1.9, (100, 1), minutes=10, source="media")
    assert sorted(members(*first, *second), key=sorted) == [{"R-1", "R-2"}, {"R-3", "R-4"}]


def test_rule_5_a_party_moves_neither_time_nor_place_of_what_others_saw() -> None:
    seen = report(1, (100, 1), minutes=30, uncertainty_m=500.0)
    for party in ("party-l", "party-r"):
        forged = report(2.4, (100.9, 1), minutes=0, uncertainty_m=1.0, source=party)
        told = report(2.4, (100.9, 1), minutes=0, uncertainty_m=1.0, source="media", origin=party)
        for word in (forged, told):
            [row] = violations(seen, word).to_dict("records")
            assert (row["observed_from"], row["uncertainty_m"], row["status"]) == (when(1), 500.0, "confirmed")


def test_rule_5_where_only_parties_speak_the_sharpest_word_is_taken() -> None:
    [row] = violations(report(1, source="party-l", minutes=30), report(1, source="party-r", minutes=0)).to_dict(
        "records"
    )
    assert (row["observed_to"], row["origins"]) == (when(1), 2)


def test_rule_6_a_party_s_word_is_its_own_whoever_carries_it() -> None:
    spoken = report(1, source="party-l")
    assert len(members(spoken, report(1, source="media", origin="party-l-air"))) == 2
    assert len(members(spoken, report(1, source="media", origin="party-r"))) == 1


@pytest.mark.parametrize(
    ("sources", "status"),
    [
        (["media"], "alleged"),
        (["party-l"], "alleged"),
        (["media", "party-l"], "corroborated"),
        (["party-l", "party-l-air"], "alleged"),
        (["party-l", "party-r"], "corroborated"),
        (["mission"], "confirmed"),
        (["satellite", "media"], "confirmed"),
    ],
)
def test_rule_6_voices_make_the_status(sources: list[str], status: str) -> None:
    rows = [report(1, source=source, origin=None) for source in sources]
    assert violations(*rows)["status"].iloc[0] == status


def test_rule_6_two_sources_of_one_party_never_corroborate_each_other() -> None:
    assert len(members(report(1, source="party-l"), report(1, source="party-l-air"))) == 2


def test_rule_6_a_report_that_its_source_contradicts_is_contested() -> None:
    [row] = violations(report(1, disputed=True)).to_dict("records")
    assert (row["status"], row["qualifying"]) == ("contested", False)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (report(1, source="public"), "only public sources"),
        (report(1, uncertainty_m=5001.0), "coarse in place or time"),
        (report(-1, to=1), "not surely inside a ceasefire window"),
        (report(49, to=51), "not surely inside a ceasefire window"),
        (report(50 - 1 / 3600, to=50), "not surely inside a ceasefire window"),
    ],
)
def test_rule_7_what_keeps_a_violation_from_qualifying_is_said(row: dict[str, Any], why: str) -> None:
    [found] = violations(row, windows=[(0, 50)]).to_dict("records")
    assert (found["qualifying"], found["why_not"]) == (False, why)


@pytest.mark.parametrize("row", [report(1, uncertainty_m=5000.0), report(1, to=26)])
def test_rule_7_what_is_as_coarse_as_the_policy_allows_is_not_coarse(row: dict[str, Any]) -> None:
    assert violations(row)["qualifying"].tolist() == [True]


def test_rule_7_the_window_is_half_open() -> None:
    assert violations(report(0), windows=[(0, 50)])["qualifying"].tolist() == [True]
    assert violations(report(50), windows=[(0, 50)]).empty


def test_rule_7_the_least_status_is_the_policys() -> None:
    strict = policy(**{"corroboration.qualifying_status": "corroborated"})
    [row] = violations(report(1, source="media"), rules=strict).to_dict("records")
    assert row["why_not"] == "alleged, while corroborated is needed"


def test_rule_7_a_weapon_present_is_a_violation_only_where_a_zone_forbids_it() -> None:
    inside, outside = report(1, (105, 3), act="presence"), report(1, (105, 40), act="presence")
    table = violations(inside, outside)
    assert table["violation_id"].tolist() == ["V-1"]


def test_rule_8_the_anchor_is_the_arrival_that_made_it_qualify() -> None:
    strict = policy(**{"corroboration.qualifying_status": "corroborated"})
    rows = report(1, source="media", origin="a"), report(60, (200, 1)), report(1, source="party-l")
    answer = assess(reports(rows), coverage(), theatre(), versions(strict), when(70))
    assert answer.tables["incidents"]["incident_id"].tolist() == ["B-2", "B-3"]
    assert answer.tables["violations"]["violation_id"].tolist() == ["V-1", "V-2"]


def test_heat_marks_and_makes_nothing() -> None:
    heat = report(1.5, (100.5, 1), source="firms", act="heat", uncertainty_m=375.0)
    assert violations(heat).empty
    assert violations(report(1), heat)["heat_consistent"].tolist() == [True]
    assert violations(report(1, (120, 1)), heat)["heat_consistent"].tolist() == [False]
    assert violations(report(1), {**heat, "source": "stranger"})["heat_consistent"].tolist() == [False]


def test_a_source_that_nobody_declared_is_public() -> None:
    [row] = violations(report(1, source="stranger")).to_dict("records")
    assert row["why_not"] == "only public sources"


def test_the_order_of_content_is_that_of_content_then_source_then_number() -> None:
    content = ["abcdefgh2", "abcdefgh1", "b", "abcdefgh2", "a", "abcdefgh2", "b"]
    source, first_no = ["n", "m", "m", "m", "m", "m", "m"], [1, 2, 9, 5, 6, 4, 8]
    frame = pd.DataFrame({"content": pd.Series(content, dtype="str"), "source": source, "first_no": first_no})
    rows = list(zip(content, source, first_no, strict=True))
    assert by_content(frame).tolist() == sorted(range(len(rows)), key=rows.__getitem__)
    assert by_content(frame.iloc[:0]).tolist() == []
