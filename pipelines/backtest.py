"""What would have been said at every step of a history, and where does that stand?

The plain steps, for those that run them one by one::

    remember → replay → record

Nothing is published by it: a backtest is a study, and the workspace's map stays as it is.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from geo import account, nearness, tables
from geo.backtest import NEVER, Decided, History, Setting, replay
from geo.errors import PolicyError
from geo.steps import INCIDENTS, REVISIONS, STEPS
from pipelines import commands, recall
from pipelines.exports import plain_texts
from pipelines.markdown import table
from pipelines.outcome import stamp
from pipelines.publications import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta
    from pathlib import Path

    from geo.tables import Table
    from pipelines.ledger import Ledger
    from pipelines.workspace import Clock, Workspace

_log: Final = logging.getLogger(__name__)
_TOLD_EVERY: Final = 20  # parts of the whole after which progress is told
SHOWN: Final = 5
"""How many quiet periods are told to people."""


@dataclass(frozen=True)
class Plan:
    """What is asked: aware UTC moments from ``begin`` to ``end``, both included where a step falls on them."""

    begin: datetime
    end: datetime
    every: timedelta
    region: str | None = None
    hindsight: bool = False

    @property
    def moments(self) -> list[datetime]:
        """The steps.

        Raises
        ------
        PolicyError
            If there is none.
        """
        if self.end < self.begin or self.every.total_seconds() <= 0:
            msg = f"from {stamp(self.begin)} to {stamp(self.end)} is no span; --from comes first"
            raise PolicyError(msg)
        return [self.begin + n * self.every for n in range((self.end - self.begin) // self.every + 1)]


@dataclass(frozen=True, eq=False)
class Result:
    """What came of it: ``geo.steps`` tables, and the account of them as plain values."""

    steps: pd.DataFrame
    revisions: pd.DataFrame
    lineage: pd.DataFrame
    incidents: pd.DataFrame
    summary: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Past:
    """All that a backtest rests on."""

    history: History
    title: str
    standing: str
    replay: bool


def backtest(workspace: Workspace, plan: Plan, *, out: Path, periods: Path | None, clock: Clock) -> Result:
    """Step through history and write what would have been said.

    Parameters
    ----------
    workspace
        Where the theatre is watched.
    plan
        What is asked.
    out
        Folder for ``steps.csv``, ``revisions.csv``, ``lineage.csv``, ``incidents.csv`` and ``summary.json``; a former
        backtest there is replaced.
    periods
        A CSV of named periods to count beside; ``None``: none.
    clock
        Gives the present moment.

    Raises
    ------
    PolicyError
        If the region is unknown, a step is still to come, or the file of periods cannot be read.
    """
    named = None if periods is None else read_periods(periods)
    past = remember(workspace, plan, at=clock())
    _log.info("stepping through %s moments", f"{len(plan.moments):,}")
    result = run(past, plan, named)
    record(result, out)
    return result


def remember(workspace: Workspace, plan: Plan, *, at: datetime) -> Past:
    """Read all that ever became known."""
    last = plan.moments[-1]
    recall.require(workspace, Question(last, last, plan.region), at=at)
    recall.settle(workspace)
    with workspace.ledger() as ledger:
        versions = [*ledger.documents("theatre"), *ledger.documents("policy")]
        first = min(document.recorded_at for document in versions)
        settings = []
        for moment in sorted({document.recorded_at for document in versions}):
            known = workspace.settings(ledger, moment)
            since = NEVER if moment == first else nearness.instant(moment)
            settings.append(Setting(since, known.theatre, known.policies))
        history = History(ledger.history(), ledger.coverage(), tuple(settings), _decided(ledger))
        theatre = settings[-1].theatre
        return Past(
            history.with_hindsight() if plan.hindsight else history, theatre.title, theatre.status, ledger.replay
        )


def _decided(ledger: Ledger) -> tuple[Decided, ...]:
    """Return what people had decided, at each moment when that changed."""
    _, every = commands.known(ledger, None)
    moments = every["known_at"].drop_duplicates().sort_values()
    return tuple(Decided(nearness.instant(moment), commands.known(ledger, moment)[1]) for moment in moments)


def say(at: datetime, done: int, of: int) -> None:
    """Log how far a backtest has come: the moment, and how many of its steps are done."""
    _log.info("%s: %s of %s steps", stamp(at), f"{done:,}", f"{of:,}")


def run(
    past: Past, plan: Plan, periods: pd.DataFrame | None, tell: Callable[[datetime, int, int], None] = say
) -> Result:
    """Step through a history; touches nothing. ``tell`` is told now and then how far it has come."""
    said: list[dict[str, Any]] = []
    revised: list[pd.DataFrame] = []
    became: list[pd.DataFrame] = []
    moments = plan.moments
    for n, turn in enumerate(replay(past.history, moments)):
        said += [row for row in turn.said if _concerns(row, plan.region)]
        if len(turn.revised):
            revised.append(turn.revised.assign(learned_at=pd.Timestamp(turn.at)))
        if len(turn.lineage):
            became.append(turn.lineage)
        if n and n % max(1, len(moments) // _TOLD_EVERY) == 0:
            tell(turn.at, n, len(moments))
    steps = _table(pd.DataFrame(said, columns=STEPS.names), STEPS)
    revisions = _table(pd.concat(revised) if revised else tables.empty(REVISIONS), REVISIONS)
    lineage = _table(pd.concat(became) if became else tables.empty(tables.LINEAGE_TABLE), tables.LINEAGE_TABLE)
    if plan.region is not None:
        revisions = revisions[revisions["incident_id"].isin(steps["incident_id"])].reset_index(drop=True)
        lineage = lineage[lineage["from_id"].isin(steps["incident_id"])].reset_index(drop=True)
    told = account.names(steps, revisions)
    windows = past.history.settings[-1].theatre.windows
    summary = {
        "theatre": past.title,
        "standing": past.standing,
        "scope": plan.region or "whole",
        "replay": past.replay,
        "hindsight": plan.hindsight,
        "every_h": plan.every.total_seconds() / 3600,
        **account.summarise(told, revisions, windows, moments),
        "lineage": {str(kind): int(n) for kind, n in lineage["kind"].value_counts().sort_index().items()},
        "periods": [] if periods is None else account.beside(told, periods, moments),
    }
    return Result(steps, revisions, lineage, told, summary)


def _concerns(row: dict[str, Any], region: str | None) -> bool:
    return region is None or region in str(row["regions"] or "").split(", ")


def _table(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Return the declared columns; rows hold plain values, whose times may all be missing."""
    times = [column.name for column in table.columns if column.kind == "time"]
    typed = frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in times})
    return tables.conform(typed.reset_index(drop=True), table)


def read_periods(path: Path) -> pd.DataFrame:
    """Read named periods from a CSV with a header: ``period``, ``start_utc`` and ``end_utc`` (empty: open).

    ``truce_id`` stands for ``period`` too.

    Raises
    ------
    PolicyError
        If a column is missing or a time cannot be read.
    """
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    key = next((name for name in ("period", "truce_id") if rows and name in rows[0]), None)
    if key is None or not {"start_utc", "end_utc"} <= set(rows[0]):
        msg = f"{path}: needs the columns period, start_utc and end_utc"
        raise PolicyError(msg)
    try:
        return pd.DataFrame(
            {
                "period": [row[key] for row in rows],
                "start": pd.to_datetime([row["start_utc"] for row in rows], utc=True),
                "end": pd.to_datetime(pd.Series([row["end_utc"] or None for row in rows]), utc=True),
            }
        )
    except ValueError as fault:
        msg = f"{path}: {fault}; write times as 2026-03-01T12:00Z"
        raise PolicyError(msg) from fault


def record(result: Result, out: Path) -> None:
    """Write the tables as CSV and the account as JSON, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    written = {"steps": STEPS, "revisions": REVISIONS, "lineage": tables.LINEAGE_TABLE, "incidents": INCIDENTS}
    for name, declared in written.items():
        frame: pd.DataFrame = getattr(result, name)
        times = [column.name for column in declared.columns if column.kind == "time"]
        plain = frame.assign(**{each: frame[each].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for each in times})
        _replace(out / f"{name}.csv", plain_texts(plain).to_csv(index=False, lineterminator="\n"))
    _replace(out / "summary.json", json.dumps(plain_values(result.summary), ensure_ascii=False, indent=1) + "\n")


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8", newline="")
    os.replace(draft, path)  # noqa: PTH105 -- atomic, and Path.replace says the same


def plain_values(value: Any) -> Any:  # noqa: ANN401 -- a tree of plain values
    """Return a tree of values with its times as ISO 8601 text."""
    if isinstance(value, dict):
        return {str(key): plain_values(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain_values(each) for each in value]
    return stamp(value) if isinstance(value, pd.Timestamp) else value


def markdown(summary: dict[str, Any]) -> str:
    """Return the account for people, as Markdown."""
    return "\n".join(_lines(plain_values(summary)))


def _lines(told: dict[str, Any]) -> Iterator[str]:
    labels = [
        *(["illustrative, without legal meaning"] if told["standing"] == "illustrative" else []),
        *(["hindsight"] if told["hindsight"] else ["as it was known then"]),
        *(["replay"] if told["replay"] else []),
    ]
    yield f"{told['theatre']}: {told['scope']}, {told['from']} to {told['to']} ({'; '.join(labels)})"
    yield ""
    tiers = ", ".join(f"{n} of tier {tier}" for tier, n in told["tiers"].items())
    gone = f"; {told['names_gone']} names are gone ({_named(told['lineage'])})" if told["names_gone"] else ""
    yield f"- {told['steps']:,} steps, every {told['every_h']:g} h; {told['incidents']} incidents: {tiers}{gone}"
    if told["longest"]:
        one = told["longest"]
        yield f"- longest: {one['incident_id']}, {one['name']}: {one['hours']:.1f} h, {one['from']} to {one['to']}"
    if told["warned_after_h"]:
        spread = ", ".join(f"{word} {hours:.1f} h" for word, hours in told["warned_after_h"].items())
        yield f"- from the first shot until tier 1 could be known: {spread}"
    revised = told["revisions"]
    yield (
        f"- {revised['all']} revisions of what had been said, of {revised['incidents_revised']} incidents: "
        f"{_named(revised['by_change'])}; by {_named(revised['by_news'])}"
    )
    spans = [f"{span['days']:.0f} d from {span['from'][:10]}" for span in told["quiet"][:SHOWN]]
    yield f"- longest spans without a known qualifying violation: {', '.join(spans) or 'none'}"
    if told["periods"]:
        yield ""
        head = ("period", "from", "days", "opened", "before, as long", "days to the first")
        yield from table(head, map(_period, told["periods"]))


def _period(row: dict[str, Any]) -> tuple[object, ...]:
    first = None if row["days_to_first"] is None else f"{row['days_to_first']:.1f}"
    return (row["period"], row["from"][:10], f"{row['days']:.0f}", row["opened"], row["opened_before"], first)


def _named(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items()) or "none"
