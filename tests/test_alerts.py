"""Is each step told once, in good form, as surely as it is known, and taken back when it goes?"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import builders
import cap
import numpy as np
import pytest
import shapely
import situation
from hypothesis import given
from hypothesis import strategies as st

from geo import crs
from pipelines.alerts import Sent, alerts, status
from pipelines.alerts.area import circle
from pipelines.alerts.steps import TOLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from xml.etree import ElementTree as ET

    import pandas as pd

GRID_M = 10_000.0
ROWS = situation.burning()


def send(content: Mapping[str, pd.DataFrame], before: Iterable[Sequence[str]] = (), *, live: bool = True) -> Sent:
    return alerts(content, tuple(before), live=live, grid_m=GRID_M)


def read(sent: Sent) -> list[ET.Element]:
    """Return the messages, each found to be well-formed."""
    return [cap.check(body) for body in sent.files.values()]


def until(hour: float, **run: Any) -> dict[str, pd.DataFrame]:  # noqa: ANN401 -- any column of the table run
    """Return what is said at an hour; every run has an id of its own."""
    told = situation.at(hour)
    return {**told, "run": told["run"].assign(**{"run_id": f"run-{hour:g}", **run})}


def of(rows: Iterable[dict[str, Any]], hour: float) -> dict[str, pd.DataFrame]:
    """Return what would be said at an hour if only these had been reported."""
    return situation.content(rows, hour, run_id=f"other-{hour:g}")


def test_what_must_be_said_of_every_figure_stands_in_every_message() -> None:
    found = read(send(until(60, hindsight=True, replay=True)))
    assert found
    for one in found:
        note = cap.text(one, "note")
        assert "Hindsight: later knowledge is used." in note
        assert "Replay: history, or a simulation, and not the present." in note


def test_each_step_from_effective_on_has_a_message_of_its_own() -> None:
    told = situation.burnt()
    steps = told["transitions"]
    wanted = steps[(steps["scenario"] == "any") & steps["kind"].isin(TOLD)]
    sent = send(told)
    found = read(sent)
    assert len(found) == len(wanted) == len(sent.rows) > 3
    assert len({cap.text(one, "identifier") for one in found}) == len(found)
    assert [cap.text(one, "incidents") for one in found] == wanted["incident_id"].tolist()
    assert [cap.text(one, "info/effective") for one in found] == [
        f"{at:%Y-%m-%dT%H:%M:%S}-00:00" for at in wanted["at"]
    ]


def test_the_first_message_of_an_incident_alerts_and_each_later_one_updates_those_before() -> None:
    mine = [one for one in read(send(situation.burnt())) if cap.text(one, "incidents") == "B-1"]
    assert [cap.text(one, "msgType") for one in mine] == ["Alert", "Update"]
    first = ",".join(cap.text(mine[0], name) for name in ("sender", "identifier", "sent"))
    assert cap.text(mine[1], "references") == first
    assert [cap.text(one, "info/severity") for one in mine] == ["Moderate", "Severe"]


def test_what_was_told_is_not_told_again_however_many_runs() -> None:
    hours = (30.0, 45.0, situation.HOUR)
    rows: list[tuple[str, ...]] = []
    names: list[str] = []
    for hour in hours:
        sent = send(until(hour), rows)
        rows.extend(sent.rows)
        names.extend(sent.files)
    steps = [row[:4] for row in rows]
    assert len(set(names)) == len(names)
    assert sorted(steps) == sorted(row[:4] for row in send(until(situation.HOUR)).rows)
    assert send(until(situation.HOUR, run_id="later"), rows).files == {}


def test_a_step_that_is_dated_anew_is_updated() -> None:
    before = send(until(20.0))
    earlier = builders.report(0.5, (100.0, 1.0), source="vetted", known_at=builders.when(19.0))
    sent = send(of([*ROWS, earlier], 20.0), before.rows)
    [update] = [one for one in read(sent) if cap.text(one, "incidents") == "B-1"]
    assert cap.text(update, "msgType") == "Update"
    assert "Corrects what was said of this step" in cap.text(update, "note")
    assert cap.text(update, "info/effective") == f"{builders.when(0.5):%Y-%m-%dT%H:%M:%S}-00:00"
    assert cap.text(update, "references").split(",")[1] in {row[6] for row in before.rows}


def test_a_step_that_is_gone_is_cancelled_and_then_forgotten() -> None:
    before = send(until(20.0))
    rest = [row for row in ROWS if row["lon"] < builders.place(150.0, 0.0)[0]]  # the one at 200 km was withdrawn
    after = send(of(rest, 20.0), before.rows)
    [cancel] = read(after)
    assert (cap.text(cancel, "msgType"), cap.text(cancel, "incidents")) == ("Cancel", "B-21")
    assert cap.text(cancel, "references").split(",")[1] in {row[6] for row in before.rows}
    assert "effective, tier 1" in cap.text(cancel, "note")
    assert send(of(rest, 20.0), (*before.rows, *after.rows)).files == {}
    again = read(send(until(20.0), (*before.rows, *after.rows)))
    assert [(cap.text(one, "msgType"), cap.text(one, "incidents")) for one in again] == [("Alert", "B-21")]


@pytest.mark.parametrize(
    ("run", "live", "meant"),
    [
        ({}, True, "Actual"),
        ({}, False, "Draft"),
        ({"hindsight": True}, True, "Actual"),  # what came in while it started
        ({"replay": True}, True, "Exercise"),
        ({"standing": "illustrative"}, True, "Exercise"),
        ({"standing": "illustrative"}, False, "Exercise"),
    ],
)
def test_only_a_schedule_over_an_operational_theatre_is_in_earnest(
    run: dict[str, Any],
    live: bool,  # noqa: FBT001
    meant: str,
) -> None:
    told = until(20.0, **run)
    assert {cap.text(one, "status") for one in read(send(told, live=live))} == {meant}
    assert status(next(iter(told["run"].to_dict("records"))), live=live) == meant


def test_a_draft_never_stands_for_the_real_thing() -> None:
    drafts = send(until(20.0), live=False)
    assert len(send(until(20.0), drafts.rows).files) == len(drafts.files)
    assert send(until(20.0), drafts.rows, live=False).files == {}


def test_certainty_follows_the_status_and_an_end_what_was_watched() -> None:
    found = {
        (cap.text(one, "incidents"), cap.text(one, "info/event")): cap.text(one, "info/certainty")
        for one in read(send(situation.burnt()))
    }
    assert found["B-21", "Ceasefire breach ended"] == "Possible"  # assumed: nobody declared to see
    told = situation.burnt()
    for (name, event), certainty in found.items():
        if event != "Ceasefire breach ended":
            mine = told["violations"][told["violations"]["incident_id"] == name]["status"]
            assert certainty == {"confirmed": "Observed", "corroborated": "Likely", "alleged": "Possible"}[mine.iloc[0]]


def test_nothing_of_a_report_is_in_a_message() -> None:
    rows = [builders.report(1.0, text="<evil>& words", url="https://x.example"), builders.report(2.0, source="vetted")]
    for body in send(of(rows, 5.0)).files.values():
        assert b"evil" not in body
        assert b"x.example" not in body


@given(
    st.floats(-170, 170),
    st.floats(-70, 70),
    st.floats(0.001, 0.6),
    st.sampled_from([1000.0, 5000.0, 10_000.0, 25_000.0]),
)
def test_a_circle_holds_the_footprint_on_a_grid(lon: float, lat: float, size: float, grid_m: float) -> None:
    footprint = shapely.box(lon, lat, lon + size, lat + size / 2)
    told = circle(footprint, grid_m)
    assert told is not None
    place, radius = told.split(" ")
    north, east = map(float, place.split(","))
    corners = shapely.get_coordinates(footprint)
    reach = crs.distance_m([east], [north], corners[:, 0], corners[:, 1])
    assert float(radius) * 1000 >= reach.max()
    assert float(radius) * 1000 % grid_m == 0
    assert float(radius) * 1000 <= reach.max() + grid_m


def test_places_near_each_other_are_told_alike() -> None:
    rng = np.random.default_rng(1)
    discs = [
        shapely.Point(x, y).buffer(0.005)
        for x, y in zip(rng.uniform(37, 37.5, 300), rng.uniform(48, 48.5, 300), strict=True)
    ]
    told = {circle(disc, GRID_M) for disc in discs}
    assert len(told) < 60
    assert all(float(one.split(" ")[1]) >= 10 for one in told if one)


def test_without_a_place_or_a_grid_no_circle_is_drawn() -> None:
    assert circle(None, GRID_M) is None
    assert circle(shapely.Polygon(), GRID_M) is None
    assert circle(shapely.box(37, 48, 38, 49), 0.0) is None


def test_the_same_run_sends_the_same_bytes() -> None:
    one, two = (send(until(situation.HOUR)) for _ in range(2))
    assert one == two
    assert all(a < b for a, b in itertools.pairwise(sorted(one.files)))
