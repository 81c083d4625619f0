"""Does a day of scheduled operation lose nothing and keep every law, whatever happens on the way?

A day of ticks: a mission's feed that sends all it has, media that bring a file into the inbox. Reports come late, some
are taken back; one tick is killed and made again, the feed falls silent for hours, the line of the day is corrected.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import pandas as pd
import pytest
from cells import Clock
from loopback import sends, serving
from test_feeds import DECLARED

from pipelines import lines
from pipelines.audit import audit
from pipelines.explain import explain
from pipelines.feeds import inbox, rounds
from pipelines.feeds.turn import turn
from pipelines.layers import read_table
from pipelines.publications import Question
from pipelines.watch import watch
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loopback import Server

    from pipelines.outcome import Outcome

ROOT = Path(__file__).resolve().parents[1]
FIRST, EVERY = 26.0, 0.25  # hours: the first tick, and from one to the next
STALE_H = 1.0
ACTS_KM = ((30.0, 1.0, 60.0), (31.0, 9.0, 30.0), (80.0, 27.0, 42.0))  # where something goes on, from when, until when


@dataclass(frozen=True)
class Word:
    """One row of a source, and the hour at which it comes."""

    source: str
    arrives: float
    row: dict[str, str]


def story(seed: int = 1) -> list[Word]:
    """Return all that is ever said, in order of arrival."""
    chance = random.Random(seed)  # noqa: S311 -- a test's story
    told = []
    for km, begin, end in ACTS_KM:
        for n, hours in enumerate(begin + 0.75 * step for step in range(int((end - begin) / 0.75))):
            source = ("mission", "media")[n % 2]
            row = cells.row(f"{source}-{km:g}-{n}", hours, km=km, off_km=chance.uniform(-2.0, 2.0))
            comes = hours + 1.5 + (chance.uniform(4.0, 12.0) if chance.random() < 0.1 else 0.0)
            told.append(Word(source, comes, row))
            if chance.random() < 0.05:
                told.append(Word(source, comes + 3.0, {**row, "act": "retraction"}))
    return sorted(told, key=lambda word: word.arrives)


def said(words: Sequence[Word], source: str, until: float, since: float = -1.0) -> list[dict[str, str]]:
    """Return what a source has said between two hours."""
    return [word.row for word in words if word.source == source and since < word.arrives <= until]


def tick(place: Workspace, hours: float) -> Outcome:
    """Do what a scheduled run does."""
    clock = Clock(hours)
    with turn(place, wait_s=60.0):
        inbox.empty(place, clock)
        rounds.ask_all(place, clock)
        return watch(place, Question(clock.now, scheduled=True), out=None, version="test", clock=clock)


def begun(path: Path, hours: float) -> None:
    """Do it in a process of its own."""
    tick(Workspace.open(path), hours)


def killed(place: Workspace, hours: float, after_s: float) -> None:
    """Let a process of its own do it, and kill that in the midst."""
    code = "import sys, test_day as t; print('begun', flush=True); t.begun(t.Path(sys.argv[1]), float(sys.argv[2]))"
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    words = [sys.executable, "-c", code, place.path, str(hours)]
    with subprocess.Popen(words, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(after_s)
        child.kill()


@dataclass
class Day:
    """A day as it goes: what every tick gave, by its hour, and at which hours the feed was silent."""

    place: Workspace
    server: Server
    folder: Path
    words: list[Word]
    gave: dict[float, Outcome] = field(default_factory=dict)
    silent: list[float] = field(default_factory=list)

    def go(self, ticks: int) -> None:
        """Let it pass: silence from a third to two thirds, a kill at a quarter, another line at half time."""
        hours = [FIRST + EVERY * n for n in range(ticks)]
        self.silent = hours[ticks // 3 : 2 * ticks // 3]
        for n, now in enumerate(hours):
            if now in self.silent:
                self.server.does(sends(b"", 500))
            else:
                whole = cells.write(self.folder / "feed.csv", said(self.words, "mission", now))
                self.server.does(sends(whole.read_bytes()))
            if fresh := said(self.words, "media", now, now - EVERY if n else -1.0):
                cells.write(self.place.path / "inbox" / "media" / f"{n}.csv", fresh)
            if n in {ticks // 4, ticks // 2}:
                self.draw(now, 0.01 * n)
            if n == ticks // 4:
                killed(self.place, now, random.Random(n).uniform(0.2, 2.0))  # noqa: S311 -- a test's moment
            self.gave[now] = tick(self.place, now)

    def draw(self, now: float, off: float) -> None:
        """Say where the line runs on this day, the second time otherwise than the first."""
        line = {"type": "LineString", "coordinates": [[37.0, 48.0 + off], [38.5, 48.0 + off]]}
        file = self.folder / "2026-06-03.geojson"
        file.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": line}))
        lines.bring(self.place, file, valid_from=None, source="maps", observed=False, clock=Clock(now))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a server on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as made:
        yield made


def begin(folder: Path, server: Server) -> Day:
    """Return the day before its first tick."""
    place = cells.workspace(folder / "ws")
    settings = place.theatre / "theatre.toml"
    feeds = (
        DECLARED.format(url=server.url())
        .replace("stale_h = 9.0", f"stale_h = {STALE_H}")
        .replace("tries = 2", "tries = 1")
    )
    settings.write_text(settings.read_text().replace("settle_s = 5", "settle_s = 0") + feeds)
    return Day(place, server, folder, story())


def shape(place: Workspace, hours: float) -> set[tuple[object, ...]]:
    """Return the incidents of a workspace, called by what they are made of, with their tiers and T0."""
    done = cells.run(place, Clock(hours + 100.0), as_of=hours, out=place.path / "again")
    reports, incidents = (read_table(done.file, name) for name in ("reports", "incidents"))
    made = reports.groupby("incident_id")["source_ref"].agg(frozenset)
    kept = ["tier_eligible", "tier_effective", "tier_peak", "t0_from", "t0_to", "qualifying", "violations"]
    return {(made[row["incident_id"]], *(row[name] for name in kept)) for _, row in incidents.iterrows()}


def hold(day: Day) -> None:
    """Ask whether the day has kept what it must."""
    place, last = day.place, max(day.gave)
    spoken = [word for word in day.words if word.arrives <= last]
    gone = {word.row["source_ref"] for word in spoken if word.row["act"] == "retraction"}
    with place.ledger() as ledger:
        assert set(ledger.reports()["source_ref"]) == {word.row["source_ref"] for word in spoken} - gone
        assert ledger.counts()["quarantined"] == 0
    assert audit(place).problems == ()

    # Batches, order, kills and silence change no incident: another workspace hears all of it at once.
    other = cells.workspace(day.folder / "other")
    for source in ("media", "mission"):
        file = cells.write(day.folder / f"{source}.csv", said(day.words, source, last))
        cells.bring(other, file, Clock(last), source=source)
    assert shape(place, last) == shape(other, last)

    # The past stands: each tick's answer is what would be said today of what was known then.
    for now in random.Random(1).sample(sorted(day.gave), 3):  # noqa: S311 -- a test's choice
        again = cells.run(place, Clock(last + 200.0), as_of=now, known_at=now, out=day.folder / f"then-{now}")
        pd.testing.assert_frame_equal(again.incidents, day.gave[now].incidents)

    # Names last: whatever was ever called something can be asked for.
    names = {name for outcome in day.gave.values() for name in outcome.incidents["incident_id"]}
    assert names
    for name in sorted(names)[:6]:
        assert explain(place, name, as_of=None, known_at=None, at=cells.at(last))["kind"] in {
            "incident",
            "candidate",
            "lost",
        }

    # The silence is told from its limit on until it ends, and the corrected line is the one that is drawn.
    stale = {now for now, outcome in day.gave.items() if outcome.stale}
    assert {now for now in day.silent if now >= min(day.silent) + STALE_H} <= stale
    assert last not in stale
    assert read_table(day.gave[last].file, "front_line")["geometry"].iloc[0].bounds[1] > 48.0 + 0.01


@pytest.mark.slow
def test_a_day_of_ticks_loses_nothing_and_keeps_every_law(tmp_path: Path, server: Server) -> None:
    day = begin(tmp_path, server)
    day.go(96)
    hold(day)
