"""What would have been said at every step of history, and how was it revised?

At each step the answer is the one for ``as_of = known_at =`` that moment, exactly as a run of its own would give it.
What cannot have changed since the step before is not computed again: an incident that has ended, and in whose reach
nothing began, arrived, or was corrected or withdrawn, stands as it stood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from geo import breaches, hearing, lineage, nearness, news, notices, reach, reviews, tables
from geo.assess import Standing, gather, place
from geo.decisions import Decisions
from geo.placing import Placer
from geo.policy import in_force
from geo.replays import Replays, unexamined
from geo.steps import GONE
from geo.stories import Story, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from geo.incidents import Grouping
    from geo.policy import Policy, PolicyVersion
    from geo.reviews import Docket
    from geo.theatre import Theatre

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]
    from geo.stories import Tables

    Row = dict[str, Any]

NEVER: Final = int(np.iinfo(np.int64).min)
FOREVER: Final = int(np.iinfo(np.int64).max)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Setting(NamedTuple):
    """Theatre and policies, as they were known from ``since`` on (µs since 1970 UTC)."""

    since: int
    theatre: Theatre
    policies: tuple[PolicyVersion, ...]


class Decided(NamedTuple):
    """The commands of people (``geo.reviews.REVIEWS``), as they were known from ``since`` on (µs since 1970 UTC)."""

    since: int
    commands: pd.DataFrame


@dataclass(frozen=True, eq=False)
class History:
    """All that ever became known.

    ``reports`` has the columns of ``geo.reports.STORED`` with ``since`` and ``until``: the span of knowledge in which a
    row stood, µs since 1970 UTC, half-open. ``settings`` are in order of ``since``, the first holds always; ``decided``
    likewise, and before the first nobody had decided anything.
    """

    reports: pd.DataFrame
    coverage: pd.DataFrame
    settings: tuple[Setting, ...]
    decided: tuple[Decided, ...] = ()

    def with_hindsight(self) -> History:
        """Return the history of one who always knew what is known at the end."""
        last = self.reports[self.reports["until"] == FOREVER].assign(since=np.int64(NEVER)).reset_index(drop=True)
        known = self.coverage.assign(known_at=pd.Timestamp(_EPOCH))
        decided = tuple(one._replace(since=NEVER) for one in self.decided[-1:])
        return History(last, known, (self.settings[-1]._replace(since=NEVER),), decided)


@dataclass(frozen=True, eq=False)
class Turn:
    """One step: what was said then of every incident that was going on or of which something else was said before.

    ``said`` are plain values by column of ``geo.steps.STEPS``; what is not repeated stands as it was said last.
    ``revised`` are ``tables.NOTICES_TABLE``: what the news since the step before changed about the moment of that step.
    ``lineage`` are ``tables.LINEAGE_TABLE``: what became of names that the step before had said.
    """

    at: datetime
    said: list[Row]
    revised: pd.DataFrame
    lineage: pd.DataFrame


class _Knowledge(NamedTuple):
    """A moment that is spoken of, and one of knowledge, µs since 1970 UTC."""

    as_of: int
    known_at: int


def replay(history: History, moments: Sequence[datetime]) -> Iterator[Turn]:
    """Yield the answer of each step.

    Parameters
    ----------
    history
        All that ever became known.
    moments
        The steps, ascending, aware UTC.

    Yields
    ------
    Turn
        One a step. Filled forward, its rows are the incidents of ``assess`` with what was known at the step.
    """
    engine = _Engine(history)
    before: int | None = None
    for moment in moments:
        at = nearness.instant(moment)
        yield engine.step(before, at)
        before = at


class _Engine:
    """Steps through a history and keeps what need not be computed again."""

    def __init__(self, history: History) -> None:
        self._history = replace(history, settings=tuple(_bare(setting) for setting in history.settings))
        self._placer = Placer()
        self._reach = reach.survey(self._placed(), history.coverage)
        table = history.reports
        self._begin = nearness.micros(table["observed_from"])
        self._since, self._until = (table[name].to_numpy(np.int64) for name in ("since", "until"))
        self._number = table["ledger_no"].to_numpy(np.int64)
        self._covered = nearness.micros(history.coverage["known_at"])
        self._stored = table.drop(columns=["since", "until"])
        self._stories: dict[int, Story] = {}
        self._open: set[int] = set()
        self._gathered: tuple[Any, tuple[pd.DataFrame, Grouping]] | None = None

    def _placed(self) -> list[tuple[pd.DataFrame, Policy]]:
        """Return all reports as placed by every theatre and policy that ever held; that also fills the placer."""
        out: list[tuple[pd.DataFrame, Policy]] = []
        seen: list[tuple[Theatre, Policy]] = []
        late = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
        whole = self._history.reports.assign(ledger_no=np.arange(len(self._history.reports)))
        for setting in self._history.settings:
            for version in setting.policies:
                if any(theatre is setting.theatre and policy == version.policy for theatre, policy in seen):
                    continue
                seen.append((setting.theatre, version.policy))
                one = (version.model_copy(update={"in_force_from": None}),)
                placed = place(whole, setting.theatre, one, late, self._placer).sort_values("ledger_no")
                out.append((placed.reset_index(drop=True), version.policy))
        return out

    def step(self, before: int | None, at: int) -> Turn:
        """Return what is said at a moment, and what that revises of the step before."""
        moment, now = _moment(at), _Knowledge(at, at)
        revised = tables.empty(tables.NOTICES_TABLE) if before is None else self._revised(before, at)
        then = None if before is None else _Knowledge(before, before)
        affected = self._spread(self._changed(then, now), now) | self._open
        old = {cluster: self._stories[cluster] for cluster in affected if cluster in self._stories}
        new = self._tell(affected, now)
        self._put(affected, new)
        became = (
            lineage.compare(*_both(old, new, self._withdrawn(before, at)))
            if old
            else tables.empty(tables.LINEAGE_TABLE)
        )
        said = [row | {"as_of": pd.Timestamp(moment)} for row in _said(old, new)]
        return Turn(moment, said, revised, became)

    def _put(self, affected: set[int], new: dict[int, Story]) -> None:
        for cluster in affected:
            self._stories.pop(cluster, None)
        self._stories.update(new)
        self._open = (self._open - affected) | {cluster for cluster, story in new.items() if story.pending}

    def _revised(self, before: int, at: int) -> pd.DataFrame:
        """Return what is said now of the moment of the step before, against what was said then."""
        then, now = _Knowledge(before, before), _Knowledge(before, at)
        changed = self._changed(then, now)
        affected = self._spread(changed, now)
        new = self._tell(affected, now)
        old = {cluster: self._stories[cluster] for cluster in affected if cluster in self._stories}
        if not old and not any(story.names for story in new.values()):
            return tables.empty(tables.NOTICES_TABLE)
        said, says, arrived = _both(old, new, self._withdrawn(before, at))
        other = self._other(then, now)
        return notices.compare(said, says, as_of=_moment(before), known_at=_moment(before), news=arrived, other=[other])

    def _other(self, one: _Knowledge, other: _Knowledge) -> str:
        """Return what may have changed an answer where no report did."""
        if self._rules(one) != self._rules(other):
            return "settings"
        same = self._commands(one.known_at) is self._commands(other.known_at)
        return "coverage" if same else "decisions"

    def _withdrawn(self, before: int | None, at: int) -> dict[str, pd.Timestamp]:
        """Return when each report ceased to stand since the step before, by its id."""
        rows = np.flatnonzero((self._until <= at) & (self._until > (NEVER if before is None else before)))
        times = pd.to_datetime(self._until[rows], unit="us", utc=True)
        return dict(zip(self._stored["report_id"].iloc[rows], times, strict=True))

    def _setting(self, known_at: int) -> Setting:
        known = [setting for setting in self._history.settings if setting.since <= known_at]
        return known[-1] if known else self._history.settings[0]

    def _commands(self, known_at: int) -> pd.DataFrame | None:
        known = [decided.commands for decided in self._history.decided if decided.since <= known_at]
        return known[-1] if known else None

    def _visible(self, knowledge: _Knowledge) -> Bools:
        return (
            (self._since <= knowledge.known_at) & (knowledge.known_at < self._until) & (self._begin <= knowledge.as_of)
        )

    def _changed(self, one: _Knowledge | None, other: _Knowledge) -> set[int] | None:
        """Return the clusters that something new bears on by itself; ``None``: any."""
        if one is None or self._rules(one) != self._rules(other) or self._commands(other.known_at) is not None:
            return None  # what people decide can join what is far apart, and speaks from its own moment on
        rows = np.flatnonzero(self._visible(one) != self._visible(other))
        watched = np.flatnonzero((self._covered <= one.known_at) != (self._covered <= other.known_at))
        seen = (self._reach.watched.get(int(row), set()) for row in watched)
        return self._reach.touched(rows.tolist()).union(*seen)

    def _rules(self, knowledge: _Knowledge) -> tuple[int, int]:
        """Tell the rules of one answer from those of another."""
        setting = self._setting(knowledge.known_at)
        return id(setting), id(in_force(setting.policies, _moment(knowledge.as_of)))

    def _spread(self, changed: set[int] | None, now: _Knowledge) -> set[int]:
        """Return the clusters whose answers may change: with theirs, what attaches to one of several may move."""
        if changed is None:
            return set(self._reach.members)
        return changed | self._reach.touched(self._reach.loose(changed, self._visible(now)))

    def _tell(self, clusters: set[int], knowledge: _Knowledge) -> dict[int, Story]:
        """Assess some clusters with all that can bear on them, and return what is found in each."""
        visible = self._visible(knowledge)
        clusters = {cluster for cluster in clusters if visible[self._reach.members[cluster]].any()}
        if not clusters:
            return {}
        loose = self._reach.loose(clusters, visible)
        needed = clusters | self._reach.touched(loose)
        members = [self._reach.members[cluster] for cluster in needed]
        rows = np.unique(np.concatenate([np.fromiter(loose, np.int64, len(loose)), *members]))
        rows = rows[visible[rows]]
        setting, moment = self._setting(knowledge.known_at), _moment(knowledge.as_of)
        commands = self._commands(knowledge.known_at)
        docket = hearing.hear(reviews.none() if commands is None else commands, setting.theatre, moment)
        matched, grouping = self._gather(rows, setting, moment, docket)
        rules = in_force(setting.policies, moment)
        covered = self._coverage(needed, knowledge.known_at)
        decided = Decisions(docket, matched, grouping.violations, rules)
        found = breaches.escalate(grouping, matched, covered, setting.theatre, setting.policies, moment, decided)
        found = Replays(matched, grouping, decided, setting.theatre, setting.policies, moment).correct(found)
        cluster = dict(zip(self._number[rows].tolist(), self._reach.cluster[rows].tolist(), strict=True))
        stories = told(Standing(matched, grouping, found), setting.theatre, rules.publication, cluster)
        return {home: story for home, story in stories.items() if home in clusters}

    def _gather(self, rows: Ints, setting: Setting, moment: datetime, docket: Docket) -> tuple[pd.DataFrame, Grouping]:
        """Put reports together, or return what the same ones gave just before."""
        key = rows.tobytes(), id(setting), id(in_force(setting.policies, moment))
        if self._gathered is None or self._gathered[0] != key or docket.commands:
            some = self._stored.iloc[rows]
            whole = gather(some, setting.theatre, setting.policies, moment, self._placer, docket)
            self._gathered = key, whole
        return self._gathered[1]

    def _coverage(self, clusters: set[int], known_at: int) -> pd.DataFrame:
        rows = [row for row, seen in self._reach.watched.items() if seen & clusters and self._covered[row] <= known_at]
        return self._history.coverage.iloc[sorted(rows)].reset_index(drop=True)


def _bare(setting: Setting) -> Setting:
    """Leave out what bears on no incident: current lines, and the search for pivotal reports."""
    return setting._replace(
        theatre=replace(setting.theatre, lines=()), policies=tuple(unexamined(version) for version in setting.policies)
    )


def _moment(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


def _both(
    old: dict[int, Story], new: dict[int, Story], withdrawn: dict[str, pd.Timestamp]
) -> tuple[Tables, Tables, pd.DataFrame]:
    """Return two answers as tables, and the news of the reports between them."""
    then, now = Story.joined(old.values()), Story.joined(new.values())
    return then, now, news.between(then["reports"], now["reports"], None, withdrawn)


def _said(old: dict[int, Story], new: dict[int, Story]) -> Iterator[Row]:
    """Yield what is worth a row: what goes on, what is said anew, and what is gone."""
    for cluster in sorted(old.keys() | new.keys()):
        before = old[cluster].rows if cluster in old else {}
        now = new[cluster].rows if cluster in new else {}
        yield from (row for name, row in now.items() if row["state"] != "ended" or row != before.get(name))
        yield from ({**row, "state": GONE} for name, row in before.items() if name not in now)
