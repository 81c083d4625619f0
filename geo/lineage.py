"""What became of a name that an earlier answer gave to an incident?

Numbered rules, mirrored in the code and in the tests. The two answers may be about different moments: the earlier one
as it was published, the later one as it is. An incident is followed by the reports that made it up.

RULE 1  A name that still stands, and whose reports stand in no other incident, has no lineage.
RULE 2  Reports that stand in an incident which took up others, or bore its name before: *merge* into it.
RULE 3  Reports that stand in an incident of a name not said before: the name changed with the report that gave it,
        by *retraction* or *correction*. Where they stand in several incidents now, it is a *split* into each of them.
RULE 4  A name whose reports stand in no incident at all is withdrawn: by *retraction* where any was taken back, else by
        *correction*; ``to_id`` is empty.
RULE 5  It happened when the first of the reports began that are news and stand in the incident, or stood in the earlier
        one; without any, at the earlier T0. It was known when all of these were, and when it had happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from geo import tables
from geo.incidents import number_of
from geo.members import members

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geo.members import Members

    Answer = Mapping[str, pd.DataFrame]

_TOLD: Final = 5  # how many reports a reason names


class _Move(NamedTuple):
    """Where the reports of a name went; ``to_id`` ``None``: nowhere."""

    kind: str
    from_id: str
    to_id: str | None


def compare(then: Answer, now: Answer, news: pd.DataFrame) -> pd.DataFrame:
    """Return one row of ``tables.LINEAGE_TABLE`` for each name whose reports stand elsewhere now.

    Parameters
    ----------
    then, now
        The layers ``incident_points``, ``violations`` and ``reports`` of the two answers.
    news
        What ``geo.news.between`` says of the reports that the two rest on; what began between them is news too.
    """
    before, after = members(then), members(now)
    begun = pd.Series(then["incident_points"]["t0_from"].to_numpy(), then["incident_points"]["incident_id"])
    rows = [
        _row(move, before, after, news, begun[move.from_id])
        for name in sorted(before, key=number_of)
        for move in _moves(name, before, after, news)
    ]
    return tables.conform(pd.DataFrame(rows, columns=tables.LINEAGE_TABLE.names), tables.LINEAGE_TABLE)


def _moves(name: str, before: Members, after: Members, news: pd.DataFrame) -> Iterator[_Move]:
    heirs = sorted((heir for heir in after if after[heir] & before[name]), key=number_of)
    others = [heir for heir in heirs if heir != name]
    if not heirs and name not in after:  # RULE 4
        yield _Move(_why(before[name], news), name, None)
    elif name in after or len(others) > 1:  # RULES 1 and 3
        yield from (_Move("split", name, heir) for heir in others)
    else:
        [heir] = others
        taken = [other for other in before if other != name and after[heir] & before[other]]
        merged = heir in before or bool(taken)
        yield _Move("merge" if merged else _why(before[name], news), name, heir)  # RULES 2 and 3


def _why(reports: frozenset[str], news: pd.DataFrame) -> str:
    mine = news.loc[news["report_id"].isin(reports), "news"]
    return "retraction" if mine.eq("retraction").any() else "correction"


def _row(move: _Move, before: Members, after: Members, news: pd.DataFrame, t0: pd.Timestamp) -> tuple[object, ...]:
    bearing = before[move.from_id] | after.get(move.to_id or "", frozenset())
    mine = news[news["report_id"].isin(bearing)]
    at = mine["observed_from"].min() if len(mine) else t0  # RULE 5
    known = mine["known_at"].max()
    known_at = pd.NaT if pd.isna(known) else max(at, known)
    return (*move, at, known_at, _reason(move, mine))


def _reason(move: _Move, news: pd.DataFrame) -> str:
    what = {
        "merge": f"became one breach with {move.to_id}",
        "split": f"a part of it stands in {move.to_id}",
    }.get(move.kind, "the report that gave the name no longer carries it" if move.to_id else "withdrawn")
    return f"{what}, because {because(news)}" if len(news) else what


def because(news: pd.DataFrame) -> str:
    """Return what happened to the reports, in words: "R-9 arrived; R-4 was retracted"."""
    verbs = {
        "late report": "arrived",
        "correction": "corrected",
        "retraction": "retracted",
        "dispute": "contradicted by the own source",
    }
    told = []
    for kind, verb in verbs.items():
        ids = news.loc[news["news"] == kind, "report_id"].tolist()
        if ids:
            rest = f" and {len(ids) - _TOLD} more" if len(ids) > _TOLD else ""
            were = "" if kind == "late report" else "was " if len(ids) == 1 else "were "
            told.append(f"{', '.join(ids[:_TOLD])}{rest} {were}{verb}")
    return "; ".join(told)
