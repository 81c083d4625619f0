"""Does nothing leave the cell but segments, zones, days and tiers?"""

from __future__ import annotations

from typing import Any

import builders
import pandas as pd
import pytest
import shapely
from builders import place, report, reports, theatre, versions, when

from geo import tables
from geo.assess import assess
from geo.sharing import LEAVES, share
from pipelines import sides

AS_OF = 60.0
CANARY = "canary"
WORLD = theatre(zones=(builders.band("near", depth_m=6_000.0),), regions=builders.boxes())
DECLARED = ({"observed_from": 0.0, "observed_to": 40.0, "sees": True, "km": (103.0, 0.0), "uncertainty_m": 9_000.0},)


def answer(*rows: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return every layer, as a run composes them."""
    known = assess(reports(rows), builders.coverage(DECLARED), WORLD, versions(builders.policy()), when(AS_OF))
    rest = [table for table in tables.TABLES if table.name not in known.tables]
    named = {"sides": sides.layer(WORLD.baselines[0], ("Left", "Right"))}
    return {**known.tables, **{table.name: tables.empty(table) for table in rest}, **named}


def shared(*rows: dict[str, Any], **rules: Any) -> dict[str, pd.DataFrame]:  # noqa: ANN401
    """Return what leaves."""
    policy = builders.policy(**{f"sharing.{name}": value for name, value in rules.items()})
    assert policy.sharing is not None
    return share(answer(*rows), WORLD.baselines[0], policy.sharing)


def strike(km: tuple[float, float], at: float, **fields: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Return a strike that two independent sources tell."""
    return [report(at, km, source=source, **fields) for source in ("mission", "vetted")]


HERE = [*strike((103.0, 2.0), 1.2), *strike((104.0, -3.0), 20.7), *strike((112.0, 2.0), 30.3)]
ASIDE = [*strike((106.5, 1.0), 1.2), *strike((107.0, -0.5), 20.7), *strike((112.5, 4.5), 30.3)]


def test_wherever_on_its_segment_and_zone_a_strike_fell_the_same_leaves() -> None:
    one, other = shared(*HERE), shared(*ASIDE)
    for name in tables.BY_NAME:
        pd.testing.assert_frame_equal(one[name], other[name], obj=name)
    assert len(one["incidents"]) == 1


def test_no_text_of_a_report_leaves() -> None:
    told = shared(
        *strike((103.0, 2.0), 1.2, text=CANARY * 9, url=f"https://{CANARY}", source_ref=CANARY, direction=CANARY)
    )
    assert CANARY not in "".join(frame.to_csv() for frame in told.values())


def test_what_has_no_name_stays() -> None:
    told = shared(*HERE)
    for name in ("reports", "violations", "evidence", "reviews", "quarantine", "notices", "exposure", "front_line"):
        assert told[name].empty
    for name, table in tables.BY_NAME.items():
        blank = [column for column in table.names if column not in LEAVES.get(name, ())]
        assert told[name][blank].isna().all(axis=None)
        assert set(LEAVES.get(name, ())) <= set(table.names)


def test_an_incident_lies_on_whole_segments() -> None:
    row = shared(*HERE)["incidents"].iloc[0]
    assert (row["segments"], row["name"]) == ("S0011, S0012", "S0011 to S0012")
    assert (row["chainage_from_m"], row["chainage_to_m"]) == pytest.approx((100_000, 120_000))
    assert row.geometry.covers(shapely.Point(place(100.5, 4.0)))
    assert not row.geometry.covers(shapely.Point(place(121.0, 0.0)))


def test_times_and_counts_are_cut_as_the_policy_says() -> None:
    plain, coarse = shared(*HERE)["incidents"].iloc[0], shared(*HERE, round_h=6, round_n=5)["incidents"].iloc[0]
    assert (plain["t0_from"], plain["violations"]) == (when(1), 3)
    assert (coarse["t0_from"], coarse["violations"]) == (when(0), 5)
    counts = shared(*HERE, round_n=5)["counts"]
    assert counts[["violations", "not_qualifying"]].to_numpy().tolist() == [[5, 0]] * 3


def test_coverage_is_told_of_both_sides_alike_and_of_no_segment() -> None:
    table = shared(*HERE)["coverage"]
    assert set(table["segment_id"]) == {"all"}
    assert table.groupby("span", sort=False)["side"].apply(list).to_dict() == {
        span: ["both", "left", "right"] for span in ("24h", "72h", "7d")
    }
    week = table[table["span"] == "7d"].set_index("side")
    assert week["violations"].to_dict() == {"both": 3, "left": 2, "right": 1}
    detail = answer(*HERE)["coverage"].query("span == '7d' and side == 'left'")
    assert week.loc["left", "covered_h"] == pytest.approx(detail["covered_h"].mean(), abs=0.5)
    assert week["coverage"].to_dict() == dict.fromkeys(("both", "left", "right"), "partly")


def test_counts_tell_day_segment_side_and_zone() -> None:
    counts = answer(*HERE)["counts"]
    assert counts[["segment_id", "side", "zone_id", "violations"]].to_numpy().tolist() == [
        ["S0011", "left", "near", 1],
        ["S0011", "right", "near", 1],
        ["S0012", "left", "near", 1],
    ]
    assert counts["violations"].sum() == answer(*HERE)["incidents"]["violations"].sum()
