"""Does a scheduled run take in what came, publish, and tell those who wait?"""

# ruff: noqa: PLC0415 -- Prefect is imported when its settings stand

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import pytest
import yaml
from loopback import sends, serving
from test_feeds import DECLARED
from test_ticks import Cell

from geo.errors import PolicyError
from pipelines import stages
from pipelines.feeds.turn import turn
from pipelines.ledger import LedgerBusy
from pipelines.outcome import Changes, markdown
from pipelines.publications import Publication

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loopback import Server

    from pipelines.outcome import Outcome
    from pipelines.workspace import Workspace

pytestmark = pytest.mark.usefixtures("prefect")
H = timedelta(hours=1)
KEPT = {
    "run_id": "1", "region": None, "as_of": cells.at(40), "known_at": None, "ledger_no": 1, "file": None, "sha256": "",
    "version": "",
}  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a server on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, server: Server) -> Workspace:
    """Return a workspace with a feed and an inbox whose files need not rest."""
    made = cells.workspace(tmp_path / "ws")
    settings = made.theatre / "theatre.toml"
    text = settings.read_text().replace("settle_s = 5", "settle_s = 0")
    settings.write_text(text + DECLARED.format(url=server.url()))
    return made


def go(place: Workspace, **words: object) -> Outcome:
    """Run the flow in this process."""
    from pipelines.flows.ingestion import ingestion
    from pipelines.flows.monitor import here

    return here(lambda: ingestion(place.path, **words))  # type: ignore[arg-type]


def test_a_scheduled_run_takes_in_inbox_and_feeds_publishes_and_tells_of_each_tier(
    place: Workspace, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.flows import events, ingestion

    said: list[tuple[str, str]] = []
    lines: list[dict[str, object]] = []

    def hear(event: str, resource: dict[str, str], payload: dict[str, object]) -> None:
        assert payload["standing"] == "illustrative"
        said.append((event, resource["prefect.resource.name"]))

    monkeypatch.setattr(events, "emit_event", hear)
    monkeypatch.setattr(stages, "_tell", lambda _, said: lines.append(said))
    monkeypatch.setattr(ingestion, "utc_now", cells.Clock(36))
    whole = cells.shelling(tmp_path / "mission.csv").read_bytes().splitlines(keepends=True)
    server.does(sends(whole[0] + b"".join(whole[1:6])))
    (place.path / "inbox" / "mission" / "rest.csv").write_bytes(whole[0] + b"".join(whole[6:]))
    outcome = go(place)
    assert outcome.as_of == cells.at(36)
    assert (outcome.counts["rows_new"], outcome.hindsight, outcome.written) == (11, False, True)
    assert outcome.file == place.target(None)
    (name,) = outcome.incidents["incident_id"]
    assert said == [(events.RAISED, name), (events.EFFECTIVE, name)]
    assert [each["stage"] for each in lines] == [
        "inbox",
        "feeds",
        "recall",
        "assess",
        "compare",
        "compose",
        "publish",
        "record",
    ]

    said.clear()
    monkeypatch.setattr(ingestion, "utc_now", cells.Clock(36 + 40))
    server.does(sends(b"", 500))
    assert go(place).changes.ended == (name,)
    assert said == [(events.STALE, "wire"), (events.ENDED, name)]

    said.clear()
    assert not go(place).written
    assert said == []


def test_that_a_feed_became_stale_is_told_though_the_run_fails_after_it(
    place: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.flows import events, ingestion

    def full(*_: object) -> None:
        msg = "the disk"
        raise OSError(msg)

    said: list[str] = []
    monkeypatch.setattr(events, "emit_event", lambda event, **_: said.append(event))
    server.does(sends(b"", 500))
    monkeypatch.setattr(ingestion, "utc_now", cells.Clock(0))
    go(place)
    monkeypatch.setattr(ingestion, "utc_now", cells.Clock(40))
    monkeypatch.setattr(ingestion, "answer", full)
    with pytest.raises(OSError, match="the disk"):
        go(place)
    assert said == [events.STALE]


def test_the_end_of_an_incident_that_has_left_the_maps_window_is_told_too(tmp_path: Path) -> None:
    from pipelines.flows import events

    cell = Cell(tmp_path)
    cell.turn(36)
    cell.send(*[cells.row(f"s{n}", 1.0 + 3 * n) for n in range(11)])
    (name,) = cells.run(cell.place, cell.clock).incidents["incident_id"]
    cell.turn(30 * 24)
    outcome = cells.run(cell.place, cell.clock)
    ((event, resource, payload),) = events.changes(outcome)
    assert name not in set(outcome.incidents["incident_id"])
    assert (event, resource["prefect.resource.name"]) == (events.ENDED, name)
    assert (payload["incident_id"], payload["state"], payload["as_of"]) == (name, "ended", "2026-07-03T12:00:00Z")


def test_a_tier_that_only_its_hour_puts_in_effect_is_told_once_and_not_when_it_is_dated_anew(tmp_path: Path) -> None:
    from pipelines.flows import events

    place, clock, said = cells.workspace(tmp_path / "ws"), cells.Clock(), []
    for now, hours in ((40, range(1, 40, 3)), (66, (40, 48, 56, 62)), (74, (68, 72)), (75, (0,))):
        clock.turn(now)
        rows = [cells.row(f"{hour}-{place}", float(hour), km=10.0 + 9 * place) for hour in hours for place in range(9)]
        for source, origin in (("mission", ""), ("csv", "elsewhere")):
            told = cells.write(tmp_path / f"{source}{now}.csv", [row | {"origin": origin} for row in rows])
            cells.bring(place, told, clock, source=source)
        outcome = cells.run(place, clock)
        said.append(
            [(event, each["tier_eligible"], each["tier_effective"]) for event, _, each in events.changes(outcome)]
        )
    assert said == [[(events.RAISED, 3, 2), (events.EFFECTIVE, 3, 2)], [], [(events.EFFECTIVE, 3, 3)], []]
    assert {row[5] for row in outcome.alerts if row[1] == "effective"} == {"Update"}, "T0 is an hour earlier now"


def test_of_a_breach_that_nobody_told_of_before_it_was_over_its_tier_and_its_end_are_told(tmp_path: Path) -> None:
    from pipelines.flows import events

    place, clock = cells.workspace(tmp_path / "ws"), cells.Clock(36 + 40)
    cells.bring(place, cells.shelling(tmp_path / "mission.csv"), clock)
    outcome = cells.run(place, clock)
    told = [(event, each["state"], each["tier_peak"]) for event, _, each in events.changes(outcome)]
    assert told == [(events.EFFECTIVE, "ended", 1), (events.ENDED, "ended", 1)]


def test_who_was_told_of_a_tier_is_told_that_it_was_taken_back(tmp_path: Path) -> None:
    from pipelines.flows import events

    place, clock = cells.shelled(tmp_path), cells.Clock(41)
    before = cells.run(place, clock)
    ((name, (state, tier)),) = before.states.items()
    assert (state, tier) != ("ended", 0)
    said = before.states | {name: (state, tier + 1), "B-9": ("active", 1), "B-10": ("ended", 0)}
    changes = Changes.between(Publication(**KEPT, incidents=said), before.incidents, {"B-10"})
    assert (changes.lowered, changes.gone, changes.escalated, changes.ended) == ((name,), ("B-9",), (), ())
    outcome = replace(before, changes=changes)
    told = [(event, payload["incident_id"], payload["state"]) for event, _, payload in events.changes(outcome)]
    assert told == [(events.LOWERED, name, state), (events.GONE, "B-9", "gone")]
    assert f"**Lowered** (1): {name}" in markdown(outcome)
    assert "later moment, and stays" in markdown(replace(outcome, overtaken=True))


def test_the_example_of_automations_is_one_that_prefect_takes_and_waits_for_events_that_are_emitted() -> None:
    from prefect.events.schemas.automations import AutomationCore, EventTrigger

    from pipelines.flows import events

    text = (Path(__file__).parent.parent / "data" / "automations.yaml").read_text(encoding="utf-8")
    made = [AutomationCore.model_validate(one) for one in yaml.safe_load(text)["automations"]]
    awaited = {name for one in made if isinstance(one.trigger, EventTrigger) for name in one.trigger.expect}
    assert awaited == {events.RAISED, events.EFFECTIVE, events.LOWERED, events.GONE, events.STALE}


def test_a_run_waits_for_its_turn_and_says_who_has_it(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.flows import ingestion

    monkeypatch.setattr(ingestion, "TURN_S", 0.0)
    with turn(place, wait_s=0), pytest.raises(LedgerBusy, match="taking files in, or at a scheduled run"):
        go(place)


def test_settings_that_are_not_sound_stop_a_run_before_anything_is_taken(place: Workspace) -> None:
    cells.shelling(place.path / "inbox" / "mission" / "a.csv")
    settings = place.theatre / "theatre.toml"
    settings.write_text(settings.read_text().replace('source = "mission"', 'source = "nobody"'))
    with pytest.raises(PolicyError, match="'nobody' is no declared source"):
        go(place)
    assert (place.path / "inbox" / "mission" / "a.csv").exists()


def test_a_run_in_time_is_about_the_present_and_one_that_catches_up_about_its_own_time() -> None:
    from pipelines.flows.ingestion import moment

    due, soon = cells.at(0), timedelta(seconds=7, milliseconds=300)
    assert moment(due, due + soon, H) == due + timedelta(seconds=8)
    assert moment(due, due + soon, None) == due + timedelta(seconds=8)
    assert moment(due, due + H, H) == due
    assert moment(due, due + 30 * H, None) == due + 30 * H
