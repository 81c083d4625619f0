"""Is a time read as it was said, never more precisely, and refused where it cannot be told?"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from readings import one, source

from pipelines.sources.times import parse

KYIV = "Europe/Kyiv"

# What is said, in which zone, and the two instants that it may mean.
SAID = [
    ("2026-02-03T14:05Z", None, "2026-02-03T14:05:00", None),
    ("2026-02-03 14:05Z", None, "2026-02-03T14:05:00", None),
    ("2026-02-03T14:05:07Z", None, "2026-02-03T14:05:07", None),
    ("2026-02-03T14:05:07.5Z", None, "2026-02-03T14:05:07.500000", None),
    ("2026-02-03T14:05:07.123456Z", None, "2026-02-03T14:05:07.123456", None),
    ("2026-02-03T14:05:07.123456999Z", None, "2026-02-03T14:05:07.123456", None),
    ("2026-02-03T14:05:07.000001Z", None, "2026-02-03T14:05:07.000001", None),
    ("2026-02-03T14:05+02:00", None, "2026-02-03T12:05:00", None),
    ("2026-02-03T14:05-05:30", None, "2026-02-03T19:35:00", None),
    ("2026-02-03T00:30+14:00", None, "2026-02-02T10:30:00", None),
    ("2026-02-03T14:05-00:00", None, "2026-02-03T14:05:00", None),
    ("2026-02-03T24:00Z", None, "2026-02-04T00:00:00", None),
    ("2026-02-03T24:00:00Z", None, "2026-02-04T00:00:00", None),
    ("2026-12-31T24:00", "UTC", "2027-01-01T00:00:00", None),
    ("2024-02-29", "UTC", "2024-02-29T00:00:00", "2024-02-29T23:59:59"),
    ("2000-02-29", "UTC", "2000-02-29T00:00:00", "2000-02-29T23:59:59"),
    ("1990-01-01", "UTC", "1990-01-01T00:00:00", "1990-01-01T23:59:59"),
    ("2100-12-31", "UTC", "2100-12-31T00:00:00", "2100-12-31T23:59:59"),
    ("2026-02-03", KYIV, "2026-02-02T22:00:00", "2026-02-03T21:59:59"),
    ("2026-07-03", KYIV, "2026-07-02T21:00:00", "2026-07-03T20:59:59"),
    ("2026-02-03T14:05", KYIV, "2026-02-03T12:05:00", None),
    ("2026-07-03T14:05", KYIV, "2026-07-03T11:05:00", None),
    ("2026-07-03T14:05Z", KYIV, "2026-07-03T14:05:00", None),
    ("2026-07-03T24:00", KYIV, "2026-07-03T21:00:00", None),
    # The night of 29 March 2026: 03:00 becomes 04:00, and the day has 23 hours.
    ("2026-03-29", KYIV, "2026-03-28T22:00:00", "2026-03-29T20:59:59"),
    ("2026-03-29T02:59:59", KYIV, "2026-03-29T00:59:59", None),
    ("2026-03-29T04:00", KYIV, "2026-03-29T01:00:00", None),
    ("2026-03-29T03:30+03:00", KYIV, "2026-03-29T00:30:00", None),
    # The night of 25 October 2026: 04:00 becomes 03:00, and the day has 25 hours.
    ("2026-10-25", KYIV, "2026-10-24T21:00:00", "2026-10-25T21:59:59"),
    ("2026-10-25T02:59:59", KYIV, "2026-10-24T23:59:59", None),
    ("2026-10-25T03:00", KYIV, "2026-10-25T00:00:00", "2026-10-25T01:00:00"),
    ("2026-10-25T03:30", KYIV, "2026-10-25T00:30:00", "2026-10-25T01:30:00"),
    ("2026-10-25T03:59:59", KYIV, "2026-10-25T00:59:59", "2026-10-25T01:59:59"),
    ("2026-10-25T04:00", KYIV, "2026-10-25T02:00:00", None),
    ("2026-10-25T03:30+02:00", KYIV, "2026-10-25T01:30:00", None),
    # Moscow set its clocks back for good, without daylight saving, on 26 October 2014.
    ("2014-10-26T01:30", "Europe/Moscow", "2014-10-25T21:30:00", "2014-10-25T22:30:00"),
    # In Beirut midnight itself never occurred on 29 March 2026, and the day did.
    ("2026-03-29", "Asia/Beirut", "2026-03-28T22:00:00", "2026-03-29T20:59:59"),
]
REFUSED = [
    ("2026-03-29T03:00", KYIV, "no_such_time"),
    ("2026-03-29T03:30", KYIV, "no_such_time"),
    ("2026-03-29 03:59:59", KYIV, "no_such_time"),
    ("2026-03-29T00:30", "Asia/Beirut", "no_such_time"),
    ("2026-02-03T14:05", None, "naive_time"),
    ("2026-02-03", None, "naive_time"),
    ("1989-12-31", "UTC", "year"),
    ("2101-01-01T00:00Z", "UTC", "year"),
    ("0025-02-03", "UTC", "year"),
    ("9999-12-31T23:59:59Z", "UTC", "year"),
    *(
        (said, "UTC", "time")
        for said in (
            "26-02-03", "2026-2-3", "2026-02-30", "2025-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-02-00",
            "03.02.2026", "03/02/2026", "2026/02/03", "20260203", "2026-W06-2", "2026-034", "2026-02-03T14", "14:05",
            "2026-02-03T24:01Z", "2026-02-03T24:00:01Z", "2026-02-03T24:00:00.0Z", "2026-02-03T25:00Z",
            "2026-02-03T14:60Z", "2026-02-03T14:05:60Z", "2026-02-03T14:05:07,5Z", "2026-02-03T14:05:07.Z",
            "2026-02-03T14:05 Z", "2026-02-03T14:05z", "2026-02-03T14:05+02", "2026-02-03T14:05+0200",
            "2026-02-03T14:05+14:01", "2026-02-03T14:05+02:60", "2026-02-03T14:05 EET", "2026-02-03Z",
            "\uff12\uff10\uff12\uff16-02-03", "٢٠٢٦-02-03", "2026-02-03T14:05Z\u00a0", "1770120300",
            "1770120300000", "45000.5",
            "now",
            "today", "NaT", "nan", "0", "-2026-02-03", "+2026-02-03", "2026-02-03T14:05Z; 2026-02-04",
            "2026\u201102\u201103",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("said", "zone", "first", "last"), SAID)
def test_a_time_bounds_what_it_may_mean(said: str, zone: str | None, first: str, last: str | None) -> None:
    row = one(source(zone=zone), observed_from=said)
    assert row["observed_from"] == pd.Timestamp(first, tz="UTC")
    assert row["observed_to"] == pd.Timestamp(last or first, tz="UTC")


@pytest.mark.parametrize(("said", "zone", "code"), REFUSED)
def test_a_time_that_cannot_be_told_is_refused(said: str, zone: str | None, code: str) -> None:
    row = one(source(zone=zone), observed_from=said)
    assert row["reason_code"] == code
    assert row["reason"].startswith("observed_from says ")


@pytest.mark.parametrize(
    ("begin", "end", "last"),
    [
        ("2026-02-03T10:00Z", "2026-02-03T12:00Z", "2026-02-03T12:00:00"),
        ("2026-02-03T10:00Z", "2026-02-03T10:00Z", "2026-02-03T10:00:00"),
        ("2026-02-03", "2026-02-05", "2026-02-05T21:59:59"),
        ("2026-02-03T10:00Z", "2026-02-03", "2026-02-03T21:59:59"),
        ("2026-02-03", "2026-02-03T10:00Z", "2026-02-03T10:00:00"),
        # Half past three may be the first one; ten to four then lies behind it.
        ("2026-10-25T03:30", "2026-10-25T03:50", "2026-10-25T01:50:00"),
        ("2026-10-25T03:50", "2026-10-25T03:10", "2026-10-25T01:10:00"),
    ],
)
def test_an_observation_ends_where_its_end_may_last_be(begin: str, end: str, last: str) -> None:
    assert one(observed_from=begin, observed_to=end)["observed_to"] == pd.Timestamp(last, tz="UTC")


@pytest.mark.parametrize(
    ("begin", "end"), [("2026-02-03T10:00Z", "2026-02-03T09:59:59Z"), ("2026-02-03", "2026-02-02")]
)
def test_an_observation_that_ends_before_it_begins_is_refused(begin: str, end: str) -> None:
    row = one(observed_from=begin, observed_to=end)
    assert row["reason_code"] == "reversed"
    assert begin in row["reason"]
    assert end in row["reason"]


def test_an_empty_begin_is_refused() -> None:
    assert one(observed_from=" ")["reason_code"] == "no_time"


def test_a_bad_end_or_time_of_report_is_refused_by_its_own_name() -> None:
    assert "observed_to says 'soon'" in one(observed_to="soon")["reason"]
    assert "reported_at says 'soon'" in one(reported_at="soon")["reason"]


def test_a_report_known_to_the_day_was_made_by_the_end_of_it() -> None:
    assert one(reported_at="2026-02-04")["reported_at"] == pd.Timestamp("2026-02-04T21:59:59Z")


def test_the_sentence_names_the_zone_in_which_a_time_never_was() -> None:
    assert "never occurred in Europe/Kyiv" in one(observed_from="2026-03-29T03:30")["reason"]


@given(st.datetimes(datetime(1990, 1, 2), datetime(2100, 12, 30)))  # noqa: DTZ001 -- the zone follows
def test_every_instant_written_in_utc_is_read_back(moment: datetime) -> None:
    text = pa.array([moment.replace(tzinfo=UTC).isoformat(), moment.isoformat(" ") + "Z"])
    times = parse(text, None)
    assert (times.first == np.datetime64(moment, "us")).all()
    assert (times.last == times.first).all()


@given(st.text(max_size=30))
def test_a_cell_is_read_or_at_fault_in_exactly_one_way(cell: str) -> None:
    times = parse(pa.array([cell or None], pa.string()), KYIV)
    ways = sum(int(rows[0]) for rows in times.faults.values()) + int(not np.isnat(times.first[0]))
    assert ways == (1 if cell else 0)
