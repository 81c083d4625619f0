"""What does the ledger hand out?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import pandas as pd

Known = Literal["recorded", "observed", "reported"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Reading(Protocol):
    """What a reader made of a file: every record is in exactly one of the two frames."""

    @property
    def intake(self) -> pd.DataFrame:
        """Rows with the columns of ``geo.reports.INTAKE``."""

    @property
    def refused(self) -> pd.DataFrame:
        """Rows with ``row_no``, ``raw`` (bytes), ``reason_code`` and ``reason``."""


@dataclass(frozen=True)
class Batch:
    """What became of the rows of one file; the counts after ``rows`` add up to it.

    ``first_no`` to ``last_no`` are the ledger numbers given, both inclusive; ``last_no`` is ``first_no - 1`` where
    nothing was stored. ``repeated``: the same bytes came from the same source before, and this is what became of them
    then; nothing was added.
    """

    batch_no: int
    rows: int
    new: int
    revision: int
    duplicate: int
    conflict: int
    retraction: int
    heartbeat: int
    quarantined: int
    first_no: int
    last_no: int
    repeated: bool = False


@dataclass(frozen=True)
class Document:
    """One version of a theatre, policy, workspace or review, a line or a publication; ``recorded_at`` is aware UTC."""

    ledger_no: int
    kind: str
    sha256: str
    body: bytes
    recorded_at: datetime


@dataclass(frozen=True)
class Head:
    """How far the ledger goes: last ledger number and head of the hash chain (64 hex digits).

    ``inputs_no`` and ``inputs_hash`` say the same of everything but publications: publishing does not move them.
    """

    ledger_no: int
    hash: str
    inputs_no: int
    inputs_hash: str


def micros(at: datetime) -> int:
    """Return microseconds since 1970-01-01T00:00Z of an aware time.

    Raises
    ------
    ValueError
        If the time is naive.
    """
    if at.tzinfo is None:
        msg = f"naive time {at.isoformat()}: give it a zone"
        raise ValueError(msg)
    return (at - _EPOCH) // _TICK


def moment(value: int) -> datetime:
    """Return the aware UTC time of microseconds since 1970."""
    return _EPOCH + value * _TICK
