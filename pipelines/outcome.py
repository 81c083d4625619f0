"""What came of a run: where is the answer, what is in it, and what changed since the one before?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from geo.policy import READ_AS
from pipelines.markdown import plain, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from pathlib import Path

    from pipelines.publications import Publication

HEADLINE: Final = (
    "incident_id", "name", "state", "end", "tier_eligible", "tier_effective", "tier_peak", "t0_from", "next_due",
    "next_due_what",
)  # fmt: skip
EARLIER: Final = "What was stands in past/, beside the map of the whole theatre."
ANSWERED: Final = ("review_id", "command", "target", "answer", "why")


@dataclass(frozen=True)
class Changes:
    """Incidents that changed since the last publication of the same scope; ``since`` ``None``: it is the first one.

    ``lowered``: a correction or a person took a tier back of what goes on; ``effective``: a message of this run is the
    first to tell that a tier took effect.
    """

    since: datetime | None
    new: tuple[str, ...]
    escalated: tuple[str, ...]
    ended: tuple[str, ...]
    gone: tuple[str, ...]
    lowered: tuple[str, ...] = ()
    effective: tuple[str, ...] = ()

    @classmethod
    def between(
        cls,
        before: Publication | None,
        incidents: pd.DataFrame,
        over: AbstractSet[str] = frozenset(),
        effective: tuple[str, ...] = (),
    ) -> Changes:
        """Compare the incidents with those of an earlier publication; those ``over`` left the map, and are not gone.

        What had not ended there and is over since then ended while nobody ran, longer than the map's window.
        """
        said = before.states if before else {}
        present = dict(
            zip(incidents["incident_id"], zip(incidents["state"], incidents["tier_eligible"], strict=True), strict=True)
        )
        known = [name for name in present if name in said]
        return cls(
            before.as_of if before else None,
            tuple(name for name in present if name not in said),
            tuple(name for name in known if present[name][1] > said[name][1]),
            (
                *(name for name in known if present[name][0] == "ended" != said[name][0]),
                *(name for name in said if name not in present and name in over and said[name][0] != "ended"),
            ),
            tuple(name for name in said if name not in present and name not in over),
            tuple(name for name in known if present[name][1] < said[name][1] and present[name][0] != "ended"),
            effective,
        )


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a run gave. Times are aware UTC.

    ``written`` is false where the same publication was there already; ``overtaken``: a later map stands there;
    ``alerts``: rows of what its messages told; ``head``: of the ledger's chain of inputs, as the table ``run`` has it;
    ``stale``: a sentence for each feed that is silent for too long; ``window_from``: what was over before stands in the
    files of the past, ``None``: the map holds everything; ``readings``: how the plan is read otherwise than the policy
    says, empty: as it says.
    """

    run_id: str
    title: str
    standing: str
    scope: str
    as_of: datetime
    known_at: datetime | None
    hindsight: bool
    replay: bool
    file: Path
    written: bool
    overtaken: bool
    counts: Mapping[str, int]
    quarantine: Mapping[str, int]
    changes: Changes
    notices: pd.DataFrame
    reviews: pd.DataFrame
    incidents: pd.DataFrame
    alerts: tuple[tuple[str, ...], ...]
    head: str
    stale: tuple[str, ...] = ()
    window_from: datetime | None = None
    readings: str = ""

    @property
    def answers(self) -> list[dict[str, Any]]:
        """What became of each command of a person; who gave it stands in the publication only."""
        return records(self.reviews[list(ANSWERED)])

    @property
    def states(self) -> dict[str, tuple[str, int]]:
        """State and eligible tier of each incident, by name."""
        rows = self.incidents
        return {
            str(name): (str(state), int(tier))
            for name, state, tier in zip(rows["incident_id"], rows["state"], rows["tier_eligible"], strict=True)
        }

    def as_dict(self) -> dict[str, Any]:
        """Return it as one object for scripts: plain values, times as ISO 8601 text."""
        return {
            "run_id": self.run_id,
            "theatre": self.title,
            "standing": self.standing,
            "scope": self.scope,
            "as_of": stamp(self.as_of),
            "known_at": stamp(self.known_at),
            "window_from": stamp(self.window_from),
            "hindsight": self.hindsight,
            "replay": self.replay,
            "file": str(self.file),
            "written": self.written,
            "head": self.head,
            "overtaken": self.overtaken,
            "readings": self.readings,
            "stale_feeds": list(self.stale),
            "counts": dict(self.counts),
            "quarantine": dict(self.quarantine),
            "changes": {
                "since": stamp(self.changes.since),
                "new": list(self.changes.new),
                "escalated": list(self.changes.escalated),
                "ended": list(self.changes.ended),
                "gone": list(self.changes.gone),
                "lowered": list(self.changes.lowered),
                "effective": list(self.changes.effective),
            },
            "notices": records(self.notices),
            "reviews": self.answers,
            "incidents": records(self.incidents),
        }


def headlines(incidents: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each incident, without candidates: those going on first, then by tier reached and name."""
    rows = incidents.loc[incidents["state"] != "candidate", list(HEADLINE)]
    rank = pd.DataFrame(
        {
            "over": rows["state"] == "ended",
            "tier": -rows["tier_peak"].astype("int64"),
            "number": rows["incident_id"].str.slice(2).astype("int64"),
        }
    )
    return rows.loc[rank.sort_values(["over", "tier", "number"]).index].reset_index(drop=True)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as plain values: missing as ``None``, times as ISO 8601 text."""
    names = list(map(str, frame.columns))
    columns = [plain_values(frame[name]) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def plain_values(column: pd.Series[Any]) -> list[Any]:
    """Return a column as ``records`` has it."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        moments = column.dt.tz_convert(None).dt.floor("s").to_numpy("datetime64[s]")
        return [None if text == "NaT" else f"{text}Z" for text in np.datetime_as_string(moments).tolist()]
    if column.dtype == object:
        return [_plain(value) for value in column]
    return _objects(column)


def rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows as they are: missing as ``None``, times as ``pandas.Timestamp``, shapes as shapes."""
    names = list(map(str, frame.columns))
    columns = [_objects(frame[name]) for name in frame.columns]
    yield from (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _objects(column: pd.Series[Any]) -> list[Any]:
    return [None if gone else value for value, gone in zip(column.to_list(), column.isna().to_list(), strict=True)]


def stamp(moment: datetime | None) -> str | None:
    """Return a moment as ISO 8601 text in UTC, or ``None``."""
    return (
        None
        if moment is None or pd.isna(moment)
        else pd.Timestamp(moment).tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    )


def _plain(value: object) -> object:
    if isinstance(value, pd.Timestamp):
        return stamp(value)
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124 -- NaN alone differs from itself
        return None
    return value.item() if hasattr(value, "item") else value


def markdown(outcome: Outcome) -> str:
    """Return the account of a run for people: what changed, what late news changed, what was refused."""
    return "\n".join(_lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    changes = outcome.changes
    yield f"# {plain(outcome.title)}: {plain(outcome.scope)}, {stamp(outcome.as_of)}"
    yield ""
    yield f"*{_standing(outcome)}*"
    yield ""
    for sentence in outcome.stale:
        yield f"**Stale: {plain(sentence)}.** What its source would have seen since is not known, and is no quiet."
        yield ""
    yield f"File: `{outcome.file}`" + ("" if outcome.written else " (the same publication was there already)")
    if outcome.overtaken:
        yield ""
        yield "The workspace's current map speaks of a later moment, and stays as it is."
    if outcome.window_from is not None:
        yield ""
        yield f"It holds what was not over by {stamp(outcome.window_from)}. {EARLIER}"
    yield ""
    yield (
        "Compared with no earlier publication."
        if changes.since is None
        else f"Since the publication for {stamp(changes.since)}:"
    )
    yield ""
    named = dict(zip(outcome.incidents["incident_id"], outcome.incidents["name"], strict=True))
    for title, names in (
        ("New", changes.new),
        ("Escalated", changes.escalated),
        ("Ended", changes.ended),
        ("Gone", changes.gone),
        ("Lowered", changes.lowered),
        ("Took effect", changes.effective),
    ):
        listed = "; ".join(plain(f"{name} {named.get(name, '')}") for name in names) or "none"
        yield f"- **{title}** ({len(names)}): {listed}"
    yield from _table("Incidents", outcome.incidents)
    yield from _table("Notices: what late news changed", outcome.notices)
    yield from _table("What people decided", outcome.reviews[list(ANSWERED)])
    yield ""
    yield "## Refused rows"
    yield ""
    yield from (f"- {code}: {number}" for code, number in outcome.quarantine.items())
    if not outcome.quarantine:
        yield "none"


def caveats(run: Mapping[str, Any]) -> list[str]:
    """Return what must be said of every figure of a run, by its row in the table ``run``."""
    readings = (run["policy_version"] or "").partition(READ_AS)[2]
    return [
        *(["illustrative, without legal meaning"] if run["standing"] == "illustrative" else []),
        *(["hindsight: later knowledge is used"] if run["hindsight"] else []),
        *(["replay: history, or a simulation, and not the present"] if run["replay"] else []),
        *([f"the plan is read otherwise than the policy says: {readings}"] if readings else []),
        *([f"region {run['scope']} only"] if run["scope"] != "whole" else []),
    ]


def _standing(outcome: Outcome) -> str:
    words = [
        "Illustrative, without legal meaning" if outcome.standing == "illustrative" else "Operational",
        f"known at {stamp(outcome.known_at)}" if outcome.known_at else "all that is known",
        *(["hindsight"] if outcome.hindsight else []),
        *(["replay"] if outcome.replay else []),
        *([f"the plan read otherwise than the policy says: {outcome.readings}"] if outcome.readings else []),
    ]
    return "; ".join(words) + "."


def _table(title: str, frame: pd.DataFrame) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    if frame.empty:
        yield "none"
        return
    yield from table(list(map(str, frame.columns)), (row.values() for row in records(frame)))
