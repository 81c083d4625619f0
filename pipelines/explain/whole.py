"""What does an assessment say of a moment, made again?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines import recall
from pipelines.explain.answers import Answer, entry, find
from pipelines.layers import some
from pipelines.publications import Question
from pipelines.recall import memory
from pipelines.watch import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import pandas as pd

    from pipelines.recall import Memory
    from pipelines.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Whole(Answer):
    """A moment that was assessed again: all its tables, what was known, and the entry that was asked about."""

    item: Mapping[str, Any]
    known: Memory
    tables: Mapping[str, pd.DataFrame]


def assess(
    workspace: Workspace, name: str, number: int, *, as_of: datetime | None, known_at: datetime | None, at: datetime
) -> Whole:
    """Assess one moment again: the given one, else that of the last publication, which knew an entry if any did.

    Raises
    ------
    PolicyError
        If no entry that was known then bears the number of the name.
    """
    if known_at is not None:
        recall.require(workspace, Question(as_of or known_at, known_at), at=at)
    with workspace.ledger() as ledger:
        asked = find(ledger, number, as_of=as_of, known_at=known_at, at=at)
        item = entry(ledger, asked, name, number)
        known = memory(workspace, ledger, asked.known_at, asked.up_to_no)
    tables = judge(known, asked.as_of).tables
    moment = (asked.as_of, asked.known_at, asked.up_to_no)
    return Whole(workspace, *moment, known.settings, asked.past, partial(_told, tables), item, known, tables)


def _told(tables: Mapping[str, pd.DataFrame], name: str, column: str, wanted: Iterable[str]) -> pd.DataFrame:
    return some.told(tables[name], name, column, wanted)
