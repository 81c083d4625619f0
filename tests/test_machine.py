"""Does a workspace keep its promises, whatever arrives in whatever order while it is being watched?

A machine reports, repeats, corrects, withdraws, writes nonsense, decides, publishes and looks back at random, on a real
workspace with its ledger. A short walk is part of every test run; ``pytest -m slow tests/test_machine.py`` takes 500
steps, five walks of a hundred. With ``CEASEWATCH_WORLDS=3`` in the environment it takes three times as many, other ones
every time.
"""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import cells
import hypothesis.strategies as st
import pytest
import strategies
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from hypothesis.strategies._internal.featureflags import FeatureFlags
from pandas.testing import assert_frame_equal

from pipelines import commands, reviews
from pipelines.audit import audit
from pipelines.explain import explain
from pipelines.ledger import Ledger
from pipelines.publications import Question
from pipelines.recall import recall
from pipelines.sources import read
from pipelines.watch import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from geo.assess import Assessment

SOURCES = ("mission", "media", "satellite", "party-ua", "party-ru", "public")
HEARD = ("mission", "media", "mission", "satellite", "media", "party-ua", "party-ru", "public")  # who reports how often
HOURS = (-30.0, -24.0, -12.5, -6.0, -0.5, 0.0)  # of an observation, against the present
PLACES = (30.0, 30.5, 38.0, 47.9, 90.0)  # kilometres along the line
SAID = ("confirm", "refute", "attribute", "declare", "declare", "set_t0", "end", "reopen", "merge", "fix", "release")
PEOPLE = ("First Reviewer", "Second Reviewer")
FATES = ("new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")

MET: Counter[str] = Counter()  # what became of all rows of all walks, and how much was published, decided and said

Row = dict[str, str]


class Watch(RuleBasedStateMachine):
    """A cell of analysts and those that report to it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.place = cells.workspace(self.folder / "w")
        self.clock = cells.Clock(0.0)
        self.hour = 0.0
        self.files = 0
        self.sent: dict[str, list[Row]] = {source: [] for source in SOURCES}
        self.rows = 0
        self.said: list[tuple[float, Mapping[str, pd.DataFrame]]] = []
        self.names: set[str] = set()
        self.decided: list[str] = []

    def teardown(self) -> None:
        """Read the whole ledger again, compare with a fresh one, note what was met, and tidy up."""
        assert audit(self.place).problems == ()
        self.hear_it_all_again_in_another_order()
        MET.update({**self.counts(), "names": len(self.names), "decided": len(self.decided), "said": len(self.said)})
        shutil.rmtree(self.folder)

    @initialize(walk=st.integers(0, 2**32))
    def set_out(self, walk: int) -> None:
        """Begin with a breach that was published: there is a name to ask for, and something to decide on.

        The simplest of all walks, which hypothesis takes first, is refused: it takes the same step over and over.
        """
        assume(walk > 0)
        self.send("mission", [cells.row(f"breach {n}", self.hour + at) for n, at in enumerate((-6.0, -3.0))])
        self.publish(None)
        assert self.names

    # What arrives.

    @rule(
        source=st.sampled_from(HEARD),
        spots=st.lists(st.tuples(st.sampled_from(HOURS), st.sampled_from(PLACES)), min_size=1, max_size=4),
        origin=st.sampled_from(["", "anna", "boris"]),
    )
    def report(self, source: str, spots: list[tuple[float, float]], origin: str) -> None:
        """Several new items of one source."""
        first = len(self.sent[source])
        self.send(
            source,
            [cells.row(f"{first + n}", self.hour + at, km=km, origin=origin) for n, (at, km) in enumerate(spots)],
        )

    @precondition(lambda self: any(self.sent.values()))
    @rule(data=st.data(), hour=st.sampled_from(HOURS), km=st.sampled_from(PLACES))
    def correct(self, data: st.DataObject, hour: float, km: float) -> None:
        """Send an item again with another hour and place: a revision, or a conflict where the source may not revise."""
        source, row = self.some_item(data)
        self.send(source, [cells.row(row["source_ref"], self.hour + hour, km=km)])

    @precondition(lambda self: any(self.sent.values()))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """Take an item back."""
        source, row = self.some_item(data)
        self.send(source, [{**row, "act": "retraction"}])

    @precondition(lambda self: any(self.sent.values()))
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Send the same row once more in a file of its own."""
        source, row = self.some_item(data)
        before = self.counts()
        self.send(source, [row])
        after = self.counts()
        assert after["new"] == before["new"]

    @rule(source=st.sampled_from(SOURCES))
    def write_nonsense(self, source: str) -> None:
        """Send a row that says nothing: quarantined."""
        before = self.counts()["quarantined"]
        self.send(source, [{**cells.row("nonsense", self.hour), "lon": "east"}])
        assert self.counts()["quarantined"] == before + 1

    # What people decide and ask.

    @precondition(lambda self: self.names)
    @rule(data=st.data(), said=st.sampled_from(SAID), who=st.sampled_from(PEOPLE), ago=st.sampled_from([0.0, 0.0, 7.0]))
    def decide(self, data: st.DataObject, said: str, who: str, ago: float) -> None:
        """Give a command on something that was published: recorded once, and answered, from then on and not before."""
        name = data.draw(st.sampled_from(sorted(self.names)))
        target = f"V{name[1:]}" if said in {"confirm", "refute", "attribute", "fix"} else name
        if said == "release":
            target = data.draw(st.sampled_from(self.decided)) if self.decided else name
        at = cells.at(self.hour - ago).isoformat()
        values = {
            "attribute": "unknown", "declare": data.draw(st.sampled_from("123")), "fix": "confirmed",
            "set_t0": cells.at(self.hour - 8).isoformat(), "merge": data.draw(st.sampled_from(sorted(self.names))),
        }  # fmt: skip
        plain = {"command": said, "target": target, "value": values.get(said, ""), "reviewer": who, "reason": "seen"}
        file = self.folder / f"{self.files}-{self.hour}.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, commands.COLUMNS)
            writer.writeheader()
            writer.writerow({**plain, "at": at})
        brought = [reviews.bring(self.place, file, decided=False, clock=self.clock) for _ in range(2)]
        assert [each.new for each in brought] == [1, 0]
        assert brought[0].numbers == brought[1].numbers
        self.decided.append(f"D-{brought[0].numbers[0]}")
        answered = self.answer(self.hour).tables["reviews"]
        assert answered["review_id"].tolist() == self.decided
        assert answered["answer"].notna().all()
        assert explain(self.place, self.decided[-1], as_of=cells.at(self.hour), known_at=None, at=self.clock())
        self.turn()

    @rule(region=st.sampled_from([None, None, "west"]))
    def publish(self, region: str | None) -> None:
        """Run, and audit what stands then."""
        outcome = cells.run(self.place, self.clock, region=region)
        assert outcome.file.is_file()
        self.names |= {name for name in outcome.incidents["incident_id"] if name.startswith("B-")}
        assert audit(self.place).problems == ()

    @rule()
    def look(self) -> None:
        """Ask for the present, and keep the answer."""
        found = self.answer(self.hour)
        self.said.append((self.hour, found.tables))
        self.turn()

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def look_back(self, data: st.DataObject) -> None:
        """Law 8: an earlier knowledge gives the answer that was given then."""
        hour, then = data.draw(st.sampled_from(self.said))
        for name, table in self.answer(hour).tables.items():
            assert_frame_equal(table, then[name], obj=name)

    @precondition(lambda self: self.names)
    @rule(data=st.data())
    def ask_for_a_name(self, data: st.DataObject) -> None:
        """Law 4: every name ever published resolves."""
        name = data.draw(st.sampled_from(sorted(self.names)))
        assert explain(self.place, name, as_of=None, known_at=None, at=self.clock())

    @precondition(lambda self: any(self.sent.values()))
    @rule()
    def hear_it_all_again_in_another_order(self) -> None:
        """Law 3: a fresh ledger that gets the same rows, source by source in another order, says the same."""
        moment, theatre = cells.at(self.hour), cells.theatre()
        with self.place.ledger() as ledger:
            policies = self.place.settings(ledger).policies
        path = self.folder / f"again {self.files} {self.rows} {self.hour}.sqlite"
        if path.exists():
            return
        with Ledger.create(path, replay=False, recorded_at=cells.START) as fresh:
            for source_id, rows in reversed(self.sent.items()):
                source = theatre.source(source_id)
                assert source is not None
                if rows:
                    file = cells.write(self.folder / "again.csv", rows)
                    reading = read(file.read_bytes(), source, theatre, policies[-1].policy, file.name)
                    fresh.append(
                        reading, source=source, file_name=file.name, sha256=f"{source_id:x<64}", recorded_at=moment
                    )
            memory = recall(self.place, Question(moment, None, None), version="test", at=self.clock()).now
            memory = replace(memory, commands=memory.commands.iloc[:0])  # they mean items by name, in order of arrival
            again = replace(memory, reports=fresh.reports(), coverage=fresh.coverage())
        assert by_content(judge(again, moment)) == by_content(judge(memory, moment))

    # How it is done.

    def send(self, source: str, rows: list[Row]) -> None:
        """Ingest a file, and hold law 2 against it."""
        self.files += 1
        self.rows += len(rows)
        batch = cells.bring(
            self.place, cells.write(self.folder / f"{self.files}.csv", rows), self.clock, source=source
        ).batch
        assert not batch.repeated or len(rows) == batch.rows
        assert sum(getattr(batch, fate) for fate in FATES) == batch.rows == len(rows)
        if batch.repeated:  # the very bytes of an earlier file are not heard again, whatever was said in between
            self.rows -= len(rows)
        else:
            self.sent[source] += rows
        counts = self.counts()
        assert counts["rows"] == sum(counts[fate] for fate in FATES) == self.rows
        self.turn()

    def turn(self) -> None:
        """Let an hour pass."""
        self.hour += 1.0
        self.clock.turn(self.hour)

    def counts(self) -> dict[str, int]:
        """Return what became of all rows."""
        with self.place.ledger() as ledger:
            return ledger.counts()

    def some_item(self, data: st.DataObject) -> tuple[str, Row]:
        """Return a row that was sent, and by whom."""
        items = [(source, row) for source, rows in self.sent.items() for row in rows if row["lon"] != "east"]
        return data.draw(st.sampled_from(items)) if items else ("mission", cells.row("first", self.hour))

    def answer(self, hour: float) -> Assessment:
        """Assess a moment with what was known then."""
        question = Question(cells.at(hour), cells.at(hour), None)
        return judge(recall(self.place, question, version="test", at=self.clock()).now, cells.at(hour))


def by_content(found: Assessment) -> tuple[list[Any], list[Any]]:
    """Return violations and incidents by what was reported of them, without any name."""
    reports, violations = found.tables["reports"], found.tables["violations"]
    told = reports.assign(
        key=list(zip(reports["source"], reports["source_ref"], reports["observed_from"], strict=True))
    )
    said = told.dropna(subset=["violation_id"]).groupby("violation_id")["key"].agg(lambda keys: tuple(sorted(keys)))
    acts = sorted(
        zip(violations["violation_id"].map(said), violations["status"], violations["qualifying"], strict=True)
    )
    linked = violations.loc[~violations["attached"].fillna(value=False).astype(bool)].dropna(subset=["incident_id"])
    held = linked.groupby("incident_id")["violation_id"].agg(lambda names: tuple(sorted(said[name] for name in names)))
    columns = ["state", "end", "tier_eligible", "tier_effective", "tier_peak", "t0_from", "t0_to", "last_observed"]
    table = found.tables["incidents"].set_index("incident_id")
    return acts, sorted((held[name], *map(str, table.loc[name, columns])) for name in table.index)


def walk(walks: int, steps: int) -> None:
    """Let the machine take so many steps, so many times."""
    MET.clear()
    with mock.patch.object(FeatureFlags, "is_enabled", return_value=True):  # else each walk does without some rules
        run_state_machine_as_test(
            Watch,
            settings=settings(
                max_examples=walks,
                stateful_step_count=steps,
                deadline=None,
                derandomize=strategies.MORE == 1,
                print_blob=True,
                phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_a_workspace_keeps_its_promises_on_a_short_walk() -> None:
    walk(1, 16)
    assert MET["new"]
    assert MET["names"]


@pytest.mark.slow
def test_a_workspace_keeps_its_promises_for_500_steps() -> None:
    walk(5 * strategies.MORE, 100)
    assert all(MET[what] for what in ("new", "revision", "duplicate", "conflict", "retraction", "quarantined"))
    assert all(MET[what] for what in ("names", "decided", "said"))
