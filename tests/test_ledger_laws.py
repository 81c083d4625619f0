"""Does the ledger keep laws 2 and 8, whatever it is given?

The fast classification is compared with a naive one, written from the rules: a list of what was said for each subject.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_world import HOUR, MEDIA, MISSION, OTHER, T0, World, row

Row = dict[str, Any]

ROWS = st.builds(
    lambda kind, ref, lat, text, hours: row(
        ref, kind=kind, lat=lat, text=text, observed_to=T0 + hours * HOUR, observed_from=T0 - 9 * HOUR
    ),
    kind=st.sampled_from(["report"] * 6 + ["retraction"] * 2 + ["heartbeat", "outage"]),
    ref=st.sampled_from(["a", "b", "c", None]),
    lat=st.sampled_from([48.0, 48.1, float("nan")]),
    text=st.sampled_from(["one", "two", None]),
    hours=st.just(0),
)
FILES = st.lists(st.tuples(st.lists(ROWS, max_size=9), st.integers(0, 2)), min_size=1, max_size=5)
#: Small worlds, many of them; no deadline, because each waits for the disk.
MANY = settings(max_examples=5, deadline=None)


class Naive:
    """What the rules say, one row after the other."""

    def __init__(self, *, authoritative: bool) -> None:
        self.authoritative = authoritative
        self.last_no = 0
        self.heard: dict[str, list[dict[str, Any]]] = {}

    def take(self, said: Row) -> str:
        """Return the fate of a row."""
        content = repr(sorted(said.items(), key=lambda pair: pair[0]))
        if said["kind"] in {"heartbeat", "outage"}:
            return self._beat(content)
        if said["kind"] == "retraction" and said["source_ref"] is None:
            return "quarantined"
        subject = content if said["source_ref"] is None else f"id {said['source_ref']}"
        past = self.heard.get(subject, [])
        fate = self._fate(said, content, past)
        if fate not in {"duplicate", "quarantined"}:
            self.last_no += 1
            self.heard.setdefault(subject, []).append({"no": self.last_no, "fate": fate, "content": content, **said})
        return fate

    def _beat(self, content: str) -> str:
        if content in self.heard:
            return "duplicate"
        self.last_no += 1
        self.heard[content] = []
        return "heartbeat"

    def _fate(self, said: Row, content: str, past: list[dict[str, Any]]) -> str:
        if said["kind"] == "retraction":
            if not past:
                return "quarantined"
            return "duplicate" if past[-1]["fate"] == "retraction" else "retraction"
        if content in [each["content"] for each in past]:
            return "duplicate"
        if not past:
            return "new"
        return "revision" if self.authoritative else "conflict"

    def standing(self) -> dict[int, tuple[Any, ...]]:
        """Return ledger_no → (first_no, revision, stands_no, lat, disputed) of all that stands."""
        found = {}
        for past in self.heard.values():
            retracted = max([each["no"] for each in past if each["fate"] == "retraction"], default=0)
            disputed = any(each["fate"] == "conflict" for each in past)
            stated = [each for each in past if each["fate"] != "retraction"]
            items = [[each] for each in stated] if disputed else [stated]
            for item in items:
                if item and item[-1]["no"] > retracted:
                    stands = self._stands(past, item)
                    found[item[-1]["no"]] = (item[0]["no"], len(item), stands, repr(item[-1]["lat"]), disputed)
        return found

    @staticmethod
    def _stands(past: list[dict[str, Any]], item: list[dict[str, Any]]) -> int:
        stands = item[-1]
        for earlier in reversed(item[:-1]):
            between = [each for each in past if earlier["no"] < each["no"] < stands["no"]]
            if repr(earlier["lat"]) != repr(stands["lat"]) or any(each["fate"] == "retraction" for each in between):
                break
            stands = earlier
        return int(stands["no"])


def standing(reports: pd.DataFrame) -> dict[int, tuple[Any, ...]]:
    return {
        each["ledger_no"]: (each["first_no"], each["revision"], each["stands_no"], repr(each["lat"]), each["disputed"])
        for each in reports.to_dict("records")
    }


def recalled(history: pd.DataFrame, at: datetime) -> pd.DataFrame:
    """Return what stood at a moment of knowledge, by the spans of the history."""
    ticks = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    then = history[(history["since"] <= ticks) & (ticks < history["until"])]
    return then.drop(columns=["since", "until"]).reset_index(drop=True)


@MANY
@given(files=FILES, authoritative=st.booleans())
def test_law_2_every_row_has_exactly_one_fate_and_law_8_the_past_stands(
    files: list[tuple[list[Row], int]], *, authoritative: bool
) -> None:
    naive = Naive(authoritative=authoritative)
    source = MISSION if authoritative else MEDIA
    said_then = []
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for rows, refused in files:
            batch = world.take(*rows, source=source, refused=[b"bad"] * refused)
            fates = Counter(naive.take(each) for each in rows)
            fates["quarantined"] += refused
            names = ("new", "revision", "duplicate", "conflict", "retraction", "heartbeat", "quarantined")
            assert {name: getattr(batch, name) for name in names} == {name: fates[name] for name in names}
            assert batch.rows == len(rows) + refused == fates.total()
            assert batch.last_no == naive.last_no
            assert standing(world.ledger.reports()) == naive.standing()
            said_then.append(
                (world.ledger.reports(), world.ledger.coverage(), world.ledger.counts(), world.ledger.head())
            )
        assert sum(world.ledger.counts().values()) == 2 * sum(len(rows) + refused for rows, refused in files)
        for number, (reports, coverage, counts, head) in enumerate(said_then, 1):
            at = T0 + number * HOUR
            pd.testing.assert_frame_equal(world.ledger.reports(at), reports)
            pd.testing.assert_frame_equal(world.ledger.coverage(at), coverage)
            pd.testing.assert_frame_equal(recalled(world.ledger.history(), at), reports)
            assert world.ledger.counts(at) == counts
            assert world.ledger.head(at) == head
        assert world.ledger.verify(world.raw) == []
        world.close()


@MANY
@given(
    before=st.lists(ROWS, min_size=1, max_size=8),
    later=st.lists(ROWS, max_size=8),
    hours=st.lists(st.integers(-8, 8), min_size=8, max_size=8),
    at=st.integers(-8, 0),
)
def test_law_8_in_a_replay_ledger_what_is_known_later_changes_nothing(
    before: list[Row], later: list[Row], hours: list[int], at: int
) -> None:
    moment = T0 + at * HOUR
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), replay=True)
        old = [{**each, "observed_to": T0 + h * HOUR} for each, h in zip(before, hours, strict=False)]
        world.take(*old, known="observed")
        then = world.ledger.reports(moment), world.ledger.coverage(moment)
        world.take(*({**each, "observed_to": T0 + HOUR} for each in later), known="observed")
        pd.testing.assert_frame_equal(world.ledger.reports(moment), then[0])
        pd.testing.assert_frame_equal(world.ledger.coverage(moment), then[1])
        for hour in range(-8, 2):
            then_known = world.ledger.reports(T0 + hour * HOUR)
            pd.testing.assert_frame_equal(recalled(world.ledger.history(), T0 + hour * HOUR), then_known)
        known = world.ledger.reports()["known_at"]
        assert (world.ledger.reports(moment)["known_at"] <= moment).all()
        assert (known >= T0 - 8 * HOUR).all()
        world.close()


@MANY
@given(rows=st.lists(ROWS, max_size=12), cuts=st.sets(st.integers(1, 11)))
def test_law_3_a_file_cut_into_several_gives_the_same_entries(rows: list[Row], cuts: set[int]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        whole, parts = World(Path(one)), World(Path(many))
        whole.take(*rows, at=T0)
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(rows)], strict=True):
            parts.take(*rows[start:end], at=T0)
        pd.testing.assert_frame_equal(whole.ledger.reports(), parts.ledger.reports())
        pd.testing.assert_frame_equal(whole.ledger.coverage(), parts.ledger.coverage())
        assert whole.ledger.counts() == parts.ledger.counts()
        whole.close()
        parts.close()


@MANY
@given(
    before=st.lists(ROWS, max_size=8),
    added=st.lists(st.tuples(st.sampled_from([48.0, 48.1]), st.booleans()), min_size=1, max_size=5),
    authoritative=st.booleans(),
)
def test_what_is_added_and_taken_back_leaves_what_was_there_before(
    before: list[Row], added: list[tuple[float, bool]], *, authoritative: bool
) -> None:
    source = MISSION if authoritative else MEDIA
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.take(*before, source=source)
        then = world.ledger.reports(), world.ledger.coverage()
        for n, (lat, said_again) in enumerate(added):
            world.take(row(f"new {n}", lat=lat), source=source)
            if said_again:
                world.take(row(f"new {n}", lat=lat + 1.0), source=source)
        assert len(world.ledger.reports()) > len(then[0])
        world.take(*(row(f"new {n}", kind="retraction") for n in range(len(added))), source=source)
        pd.testing.assert_frame_equal(world.ledger.reports(), then[0])
        pd.testing.assert_frame_equal(world.ledger.coverage(), then[1])
        world.close()


@MANY
@given(before=st.lists(ROWS, min_size=1, max_size=8), since=st.lists(ROWS, max_size=8), authoritative=st.booleans())
def test_what_a_source_had_said_stands_as_it_stood_when_it_was_suspended(
    before: list[Row], since: list[Row], *, authoritative: bool
) -> None:
    source = MISSION if authoritative else MEDIA
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.take(*before, source=source)
        world.take(*before, source=OTHER)
        stood, known = world.ledger.reports(), {each["source_ref"] for each in before if each["kind"] == "report"}
        world.take(*since, source=source)
        world.take(*since, source=OTHER)
        suspended = {source.id: T0 + 3 * HOUR}
        heard, unheard = world.ledger.reports(suspended=suspended), world.ledger.reports()
        mine = heard["source"] == source.id
        pd.testing.assert_frame_equal(
            heard[mine & (heard["known_at"] < suspended[source.id])].reset_index(drop=True),
            stood[stood["source"] == source.id].reset_index(drop=True),
        )
        fresh = unheard[(unheard["source"] == source.id) & (unheard["known_at"] >= suspended[source.id])]
        fresh = fresh[~fresh["source_ref"].isin(known - {None})]
        assert set(heard.loc[mine & (heard["known_at"] >= suspended[source.id]), "ledger_no"]) == set(
            fresh["ledger_no"]
        )
        assert set(heard.loc[~mine, "ledger_no"]) == set(unheard.loc[unheard["source"] == OTHER.id, "ledger_no"])
        for hours in range(1, 6):
            at = T0 + hours * HOUR
            told = world.ledger.reports(at, suspended=suspended)
            pd.testing.assert_frame_equal(recalled(world.ledger.history(suspended), at), told)
        world.close()
