"""Is the order of day and month told by the file or its source, and never guessed row by row?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from readings import GOOD, POLICY, THEATRE, one, reading, source, table

from geo.theatre import Dialect, Source
from pipelines.sources import Reading, read

DAYS = [f"2026-02-{day:02}" for day in range(1, 10)]


def writer(dates: str, zone: str | None = "UTC") -> Source:
    return source(zone=zone, dialect=Dialect(dates=dates))  # type: ignore[arg-type]


def told(*dates: str, dialect: str = "judged") -> Reading:
    return reading(table([{**GOOD, "observed_from": each} for each in dates]), writer(dialect))


def days(result: Reading) -> list[str]:
    return result.intake["observed_from"].dt.strftime("%Y-%m-%d").tolist()


# What is said, the order declared, and the first instant that it means (``None``: refused for what).
SAID = [
    ("03.02.2026", "day-first", "2026-02-03T00:00"),
    ("3.2.2026", "day-first", "2026-02-03T00:00"),
    ("03/02/2026", "day-first", "2026-02-03T00:00"),
    ("03-02-2026", "day-first", "2026-02-03T00:00"),
    ("03/02/2026", "month-first", "2026-03-02T00:00"),
    ("03.02.2026 14:05", "day-first", "2026-02-03T14:05"),
    ("03.02.2026, 14:05", "day-first", "2026-02-03T14:05"),
    ("03.02.2026T14:05:09", "day-first", "2026-02-03T14:05:09"),
    ("3/2/2026 9:05", "month-first", "2026-03-02T09:05"),
    ("3/2/2026 9:05 PM", "month-first", "2026-03-02T21:05"),
    ("3/2/2026 12:05 a.m.", "month-first", "2026-03-02T00:05"),
    ("3/2/2026 12:05 PM", "month-first", "2026-03-02T12:05"),
    ("03.02.2026 14:05Z", "day-first", "2026-02-03T14:05"),
    ("03.02.2026 14:05+02:00", "day-first", "2026-02-03T12:05"),
    ("03.02.2026 24:00", "day-first", "2026-02-04T00:00"),
    ("29.02.2024", "day-first", "2024-02-29T00:00"),
    ("2026-02-03", "day-first", "2026-02-03T00:00"),
    ("2026-02-03T14:05Z", "month-first", "2026-02-03T14:05"),
    ("3 February 2026", "day-first", "2026-02-03T00:00"),
    ("3 February 2026", "month-first", "2026-02-03T00:00"),
    ("03-Feb-2026", "day-first", "2026-02-03T00:00"),
    ("3. FEB 2026", "judged", "2026-02-03T00:00"),
    ("February 3, 2026", "day-first", "2026-02-03T00:00"),
    ("Feb 03, 2026 14:05", "judged", "2026-02-03T14:05"),
    ("25.02.2026", "judged", "2026-02-25T00:00"),
    ("02/25/2026", "judged", "2026-02-25T00:00"),
    ("02/02/2026", "judged", "2026-02-02T00:00"),
]
REFUSED = [
    ("25/02/2026", "month-first", "time"),
    ("02/25/2026", "day-first", "time"),
    ("30.02.2026", "day-first", "time"),
    ("29.02.2026", "day-first", "time"),
    ("31/04/2026", "judged", "time"),
    ("00.02.2026", "day-first", "time"),
    ("03.02.2026 25:00", "day-first", "time"),
    ("03.02.2026 14:60", "day-first", "time"),
    ("03.02.2026 13:05 PM", "day-first", "time"),
    ("03.02.2026 0:05 AM", "day-first", "time"),
    ("03.02.2026 14", "day-first", "time"),
    ("03.02/2026", "day-first", "time"),
    ("03 02 2026", "day-first", "time"),
    ("2026/02/03", "day-first", "time"),
    ("2026.02.03", "judged", "time"),
    ("20260203", "judged", "time"),
    ("3 Febtember 2026", "day-first", "time"),
    ("3 Fe 2026", "day-first", "time"),
    ("31 April 2026", "judged", "time"),
    ("3 лютого 2026", "day-first", "time"),
    ("\uff13.2.2026", "day-first", "time"),
    ("٣.٢.٢٠٢٦", "day-first", "time"),
    ("46056", "judged", "time"),
    ("46056.5", "day-first", "time"),
    ("yesterday", "judged", "time"),
    ("03.02.26", "day-first", "year"),
    ("3/2/26 14:05", "month-first", "year"),
    ("25/02/26", "judged", "year"),
    ("03.02.0026", "day-first", "year"),
    ("03.02.1926", "day-first", "year"),
    ("03.02.2126", "judged", "ambiguous_date"),
    ("25.02.2126", "judged", "year"),
    ("03.02.2026", "judged", "ambiguous_date"),
    ("03.02.2026", "iso", "time"),
    ("3 February 2026", "iso", "time"),
]


@pytest.mark.parametrize(("said", "order", "first"), SAID)
def test_a_date_is_read_in_the_order_that_its_source_declares(said: str, order: str, first: str) -> None:
    assert one(writer(order), observed_from=said)["observed_from"] == pd.Timestamp(first, tz="UTC")


@pytest.mark.parametrize(("said", "order", "code"), REFUSED)
def test_a_date_that_cannot_be_told_is_refused(said: str, order: str, code: str) -> None:
    refused = one(writer(order), observed_from=said)
    assert refused["reason_code"] == code
    assert refused["reason"].startswith(f"observed_from says {said!r}")


@pytest.mark.parametrize("order", ["day-first", "month-first", "judged"])
@pytest.mark.parametrize(
    ("said", "gap"), [("29.03.2026 03:30", True), ("03/29/2026 03:30", True), ("25.10.2026 03:30", False)]
)
def test_clock_changes_hold_in_every_order(order: str, said: str, *, gap: bool) -> None:
    row = one(writer(order, "Europe/Kyiv"), observed_from=said)
    if order != "judged" and (order == "month-first") != ("/" in said):
        assert row["reason_code"] == "time"
    elif gap:
        assert row["reason_code"] == "no_such_time"
    else:
        assert row["observed_to"] - row["observed_from"] == timedelta(hours=1)


def test_a_day_in_any_order_is_a_local_day() -> None:
    row = one(writer("day-first", "Europe/Kyiv"), observed_from="03.02.2026")
    assert (row["observed_from"], row["observed_to"]) == (
        pd.Timestamp("2026-02-02T22:00Z"),
        pd.Timestamp("2026-02-03T21:59:59Z"),
    )


def test_a_naive_date_still_needs_a_zone() -> None:
    assert one(writer("day-first", None), observed_from="03.02.2026")["reason_code"] == "naive_time"


# ---------------------------------------------------------------- judged by the file


def test_one_impossible_month_decides_for_every_row() -> None:
    result = told("03.02.2026", "25.02.2026", "04.02.2026")
    assert days(result) == ["2026-02-03", "2026-02-25", "2026-02-04"]
    assert result.notes == (
        "Rows whose dates have two readings (2) are read with the day first, as the file shows in row 2.",
    )
    assert days(told("03/02/2026", "02/25/2026")) == ["2026-03-02", "2026-02-25"]


def test_the_evidence_of_one_column_holds_for_the_others() -> None:
    rows = [{**GOOD, "observed_from": "03.02.2026", "reported_at": "25.02.2026"}]
    assert days(reading(table(rows), writer("judged"))) == ["2026-02-03"]


def test_contradictory_evidence_decides_nothing_and_costs_only_what_has_two_readings() -> None:
    result = told("03.02.2026", "25.02.2026", "02.25.2026", "2026-02-03", "05.05.2026", "01.02.2026")
    assert days(result) == ["2026-02-25", "2026-02-25", "2026-02-03", "2026-05-05"]
    assert result.refused["row_no"].tolist() == [1, 6]
    assert set(result.refused["reason_code"]) == {"ambiguous_date"}
    assert result.notes == (
        (
            "Rows whose dates have two readings (2) are refused, because the file contradicts itself: row 2 with the "
            "day first, row 3 with the month first."
        ),
    )


def test_without_evidence_nothing_is_guessed() -> None:
    result = told("03.02.2026", "2026-02-04", "05.02.2026")
    assert days(result) == ["2026-02-04"]
    assert "nothing in the file says whether the day or the month is first" in result.notes[0]
    reason = result.refused["reason"].iloc[0]
    assert reason == (
        "observed_from says '03.02.2026', and nothing tells the day from the month: write the date as 2026-02-03, or "
        "declare dates for source s1 in theatre.toml."
    )


@pytest.mark.parametrize("backward", [False, True])
def test_a_date_between_two_that_are_known_is_told_by_its_neighbours(*, backward: bool) -> None:
    said = [*DAYS[:4], "05/02/2026", *DAYS[5:]]
    result = told(*(reversed(said) if backward else said))
    assert sorted(days(result)) == sorted(DAYS)
    assert "day first, as the file shows in row 5" in result.notes[0]


def test_neighbours_in_no_order_tell_nothing() -> None:
    result = told(*DAYS[4:], "05/02/2026", *DAYS[:4])
    assert len(result.refused) == 1


def test_few_neighbours_tell_nothing() -> None:
    assert len(told("2026-02-04", "05/02/2026", "2026-02-06").refused) == 1


def test_a_file_in_order_of_time_in_one_reading_only_is_read_so() -> None:
    said = [
        "01.02.2026",
        "03.02.2026",
        "07.02.2026",
        "09.02.2026",
        "11.02.2026",
        "02.03.2026",
        "04.03.2026",
        "06.03.2026",
    ]
    result = told(*said)
    assert days(result)[4:6] == ["2026-02-11", "2026-03-02"]
    assert "day first, as the file shows in rows 1, 2, 3 and 5 more" in result.notes[0]
    turned = ["/".join([each[3:5], each[:2], each[6:]]) for each in said]
    assert days(told(*turned)) == days(result)


def test_a_file_in_order_in_both_readings_tells_nothing() -> None:
    # The first of each month, and the January of the tens: in order whichever number is the day.
    assert not len(told(*(f"0{month}/02/2026" for month in range(1, 10) if month != 2)).intake)


def test_order_that_contradicts_an_impossible_value_decides_nothing() -> None:
    said = [
        "01.02.2026",
        "03.02.2026",
        "07.02.2026",
        "09.02.2026",
        "11.02.2026",
        "02.03.2026",
        "04.03.2026",
        "03.31.2026",
    ]
    result = told(*said)
    assert days(result) == ["2026-03-31"]
    assert "contradicts itself" in result.notes[0]


def test_a_declared_order_is_not_judged() -> None:
    result = told("03.02.2026", "02.25.2026", dialect="day-first")
    assert days(result) == ["2026-02-03"]
    assert result.refused["reason"].tolist() == [
        (
            "observed_from says '02.25.2026', which is no date with the day first: write 03.02.2026, 2026-02-03 or "
            "2026-02-03T14:05Z."
        )
    ]
    assert not result.notes


@given(st.lists(st.dates(datetime(2026, 1, 1).date(), datetime(2026, 12, 31).date()), max_size=12), st.booleans())  # noqa: DTZ001
def test_what_one_writer_wrote_is_read_as_meant_or_refused(dates: list, day_first: bool) -> None:  # type: ignore[type-arg]  # noqa: FBT001
    form = "%d.%m.%Y" if day_first else "%m/%d/%Y"
    result = told(*(each.strftime(form) for each in dates)) if dates else None
    if result is not None:
        assert days(result) == [dates[number - 1].isoformat() for number in result.intake["row_no"]]
        assert len(result.intake) + len(result.refused) == len(dates)


# ---------------------------------------------------------------- the future, and titles

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


def at(moment: datetime | None, **cells: str) -> pd.Series:
    result = read(table([{**GOOD, **cells}]), writer("iso"), THEATRE, POLICY, "file.csv", received_at=moment)
    return (result.intake if len(result.intake) else result.refused).iloc[0]


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("2026-02-03T12:00Z", True),
        ("2026-02-03T12:15Z", True),
        ("2026-02-03T12:15:01Z", False),
        ("2026-02-03T14:16+02:00", False),
        ("2026-02-03", True),
        ("2026-02-04", False),
        ("2062-02-03T12:00Z", False),
    ],
)
def test_what_had_not_come_when_the_file_did_is_refused(said: str, *, taken: bool) -> None:
    assert at(NOON, observed_from=said).get("reason_code", "taken") == ("taken" if taken else "future")
    assert at(None, observed_from=said).get("reason_code", "taken") == "taken"


def test_coverage_may_be_declared_ahead() -> None:
    assert at(NOON, observed_from="2026-02-05", act="outage")["kind"] == "outage"


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("Strike of 3 February 2026", False),
        ("Strike of 2 February 2026", False),
        ("Strike of 13 March 2026", True),
        ("Strike of March 13th, 2026", True),
        ("[2026-03-13] strike", True),
        ("2026-03-13 to 2026-02-03", False),
        ("Strike of 2025-02-03", True),
        ("Unit 2026, 13 March", False),
        ("The 31 April 2026 that never was", False),
        ("in 2026", False),
        ("id 12026-03-131", False),
    ],
)
def test_a_text_that_names_another_day_is_noted_and_the_row_taken(text: str, *, noted: bool) -> None:
    result = reading(table([{**GOOD, "text": text}]))
    assert len(result.intake) == 1
    assert bool(result.notes) == noted
    assert not noted or result.notes == (
        "Rows whose text names another day than their date are taken as dated (1): row 1.",
    )


@pytest.mark.parametrize(
    ("begins", "noted"),
    [
        (["2026-02-03T10:00Z", "2026-02-03T10:00Z"], False),
        (["2026-02-03T10:00Z", "2026-02-05T10:00Z"], True),
        (["2026-02-03", "2026-02-03T10:00Z"], False),
        (["2026-02-03", "2026-02-04", "2026-02-03"], True),
    ],
)
def test_one_id_for_observations_with_no_moment_in_common_is_noted_and_no_row_lost(
    begins: list[str], *, noted: bool
) -> None:
    result = reading(table([{**GOOD, "source_ref": "x", "observed_from": begin} for begin in begins]))
    assert len(result.intake) == len(begins)
    assert [note.partition(",")[0] for note in result.notes] == [
        "Ids that name observations with no moment in common (1: 'x' in rows 1"
    ][: int(noted)]
    other = reading(table([{**GOOD, "source_ref": f"x{n}", "observed_from": begin} for n, begin in enumerate(begins)]))
    assert other.notes == ()
