"""Which rows wait in quarantine, and how does a person let one in?

A row that waits is mended by a person, who says who they are and why. It is judged by the reader of its source like any
other row, and becomes a report of that source from that moment on; what was known before does not change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from geo.errors import InputError, PolicyError
from pipelines import intake, mending
from pipelines.ledger import DEFERRED, Order, raw_path, raw_state, store_raw
from pipelines.sources import Reading
from pipelines.workspace import require_replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from geo.theatre import Source
    from pipelines.ledger import Batch, Known, Quarantined
    from pipelines.workspace import Clock, Settings, Workspace

_SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Person:
    """Who decides, and why; both must say something."""

    who: str
    why: str

    def __post_init__(self) -> None:
        """Refuse an empty name or reason."""
        for option, text in (("--who", self.who), ("--why", self.why)):
            if not text.strip() or not text.isprintable():
                msg = f"{option} must say something, on one line: a decision has a person and a reason"
                raise PolicyError(msg)


@dataclass(frozen=True)
class Released:
    """What became of quarantined rows; ``batch`` counts them as what they are now."""

    rows: tuple[int, ...]
    batch: Batch

    def as_dict(self) -> dict[str, Any]:
        """Return it as one object for scripts."""
        counts = {kind: getattr(self.batch, kind) for kind in intake.COUNTS}
        named = [f"Q-{number}" for number in self.rows]
        return {"released": named, "batch_no": self.batch.batch_no, "rows": self.batch.rows, **counts}


def waiting(workspace: Workspace, *, source: str | None = None) -> pd.DataFrame:
    """Return the quarantined rows that nobody has released: columns of ``geo.tables.QUARANTINE``."""
    found = every(workspace)
    found = found[found["released_no"].isna()]
    return found if source is None else found[found["source"] == source]


def every(workspace: Workspace) -> pd.DataFrame:
    """Return every quarantined row, released or not: columns of ``geo.tables.QUARANTINE``."""
    with workspace.ledger() as ledger:
        return ledger.quarantine()


def number(name: str) -> int:
    """Return the number of a quarantined row from its name, Q-17.

    Raises
    ------
    PolicyError
        If the text is no such name.
    """
    digits = name.strip().upper().removeprefix("Q-")
    if not (digits.isascii() and digits.isdigit()):
        msg = f"{name!r} names no quarantined row; names are Q-1, Q-2, … (`ceasewatch quarantine WORKSPACE list`)"
        raise PolicyError(msg)
    return int(digits)


def show(workspace: Workspace, quarantine_no: int) -> Quarantined:
    """Return one quarantined row with its own bytes."""
    with workspace.ledger() as ledger:
        return ledger.quarantined(quarantine_no)


def release(
    workspace: Workspace,
    quarantine_no: int,
    person: Person,
    *,
    row: str | None,
    changes: Mapping[str, str],
    known: Known,
    clock: Clock,
) -> Released:
    """Let in a quarantined row as a person mended it.

    Parameters
    ----------
    workspace
        Where the theatre is watched.
    quarantine_no
        Its number: n of Q-n.
    person
        Who decides, and why.
    row, changes
        The row as mended; see ``mending.mended``.
    known
        When it is known: ``recorded`` (now), or in a replay workspace ``observed`` or ``reported``.
    clock
        Gives the present moment.

    Raises
    ------
    PolicyError
        If it cannot be mended like that, was released before, or its source is not declared any more.
    InputError
        If it is refused again, with the reason; nothing is recorded then.
    """
    settings, source, found = _open(workspace, quarantine_no, known, clock)
    if found.released_no is not None:
        msg = f"Q-{quarantine_no} was released before, by order {found.released_no}; nothing was recorded"
        raise PolicyError(msg)
    data, read_as = mending.mended(_file(workspace, found), found.raw, source, row=row, changes=changes)
    name = f"{found.file_name}, row {found.row_no}, mended"
    reading = intake.read(
        data, read_as, settings, name, "Nothing was recorded.", received_at=clock() if known == "recorded" else None
    )
    if len(reading.refused):
        code, reason = reading.refused[["reason_code", "reason"]].iloc[0]
        msg = f"{code}: {reason} (The mended row is still refused; nothing was recorded.)"
        raise InputError(code=code, message=msg)
    if len(reading.intake) != 1:
        msg = f"what is mended makes {len(reading.intake)} rows, and must be exactly one; nothing was recorded"
        raise PolicyError(msg)
    sha256 = store_raw(workspace.raw, data)
    order = Order((quarantine_no,), person.who, person.why)
    with workspace.ledger(write=True) as ledger:
        batch = ledger.release(
            order, reading, source=source, file_name=name, sha256=sha256, recorded_at=clock(), known=known
        )
    return Released(order.rows, batch)


@dataclass(frozen=True)
class Caught:
    """What became of rows that a cap had deferred; ``overtaken`` are those about which their source said more since."""

    released: tuple[Released, ...]
    overtaken: tuple[int, ...]


def release_deferred(workspace: Workspace, source_id: str, person: Person, clock: Clock) -> Caught:
    """Let in the rows of a source that its cap had deferred, oldest first, as they came.

    A row that would now correct what its source has said of the same item since stays where it is, to be looked at.

    Raises
    ------
    PolicyError
        If the source is not declared, or a file is not there any more, erased or lost.
    InputError
        If a file cannot be read any more.
    """
    workspace.remember(clock)
    found = waiting(workspace, source=source_id)
    found = found[found["reason_code"] == DEFERRED]
    with workspace.ledger() as ledger:
        settings = workspace.settings(ledger)
        since = {number: ledger.stated_since(source_id, int(number)) for number in found["batch_no"].unique()}
    source = settings.theatre.source(source_id)
    if source is None:
        msg = f"source {source_id!r} is not declared in theatre.toml: declare it, or name another"
        raise PolicyError(msg)
    released: list[Released] = []
    overtaken: list[int] = []
    for batch_no, rows in found.groupby("batch_no"):
        numbers = dict(zip(rows["row_no"].astype(int), rows["quarantine_id"].map(number), strict=True))
        late = _release_batch(workspace, (settings, source), numbers, since[batch_no], person, clock)
        overtaken += late.overtaken
        released += late.released
    return Caught(tuple(released), tuple(overtaken))


def _release_batch(
    workspace: Workspace,
    by: tuple[Settings, Source],
    numbers: dict[int, int],
    since: frozenset[str],
    person: Person,
    clock: Clock,
) -> Caught:
    settings, source = by
    first = show(workspace, next(iter(numbers.values())))
    data = _file(workspace, first)
    now = clock()
    whole = intake.read(data, source, settings, first.file_name, "Nothing was recorded.", received_at=now)
    reading = _only(whole, numbers)
    with workspace.ledger(write=True) as ledger:
        foreseen = ledger.preview(reading, source=source, sha256=None, recorded_at=now, capped=False).rows
        corrects = set(foreseen.loc[foreseen["becomes"] == "revision", "row_no"])
        stated = zip(reading.intake["row_no"], reading.intake["source_ref"], strict=True)
        late = {int(row_no) for row_no, ref in stated if row_no in corrects and ref in since}
        wanted = {row_no: name for row_no, name in numbers.items() if row_no not in late}
        overtaken = tuple(numbers[row_no] for row_no in sorted(late))
        if not wanted:
            return Caught((), overtaken)
        order = Order(tuple(wanted.values()), person.who, person.why)
        batch = ledger.release(
            order,
            _only(reading, wanted),
            source=source,
            file_name=f"{first.file_name}, deferred rows",
            sha256=first.sha256,
            recorded_at=now,
        )
    return Caught((Released(order.rows, batch),), overtaken)


def _only(reading: Reading, rows: Iterable[int]) -> Reading:
    kept = set(rows)
    intake_, refused = (frame[frame["row_no"].isin(kept)] for frame in (reading.intake, reading.refused))
    return Reading(intake_.reset_index(drop=True), refused.reset_index(drop=True))


def _open(workspace: Workspace, quarantine_no: int, known: Known, clock: Clock) -> tuple[Settings, Source, Quarantined]:
    workspace.remember(clock)
    with workspace.ledger() as ledger:
        require_replay(known, replay=ledger.replay)
        settings, found = workspace.settings(ledger), ledger.quarantined(quarantine_no)
    source = settings.theatre.source(found.source)
    if source is None:
        msg = f"source {found.source!r} of Q-{quarantine_no} is not declared in theatre.toml any more: declare it again"
        raise PolicyError(msg)
    return settings, source, found


def _file(workspace: Workspace, found: Quarantined) -> bytes:
    state = raw_state(workspace.raw, found.sha256)
    if state != "whole":
        msg = f"{found.file_name}: its raw file {found.sha256} is {state}, so its rows cannot be mended one by one"
        raise PolicyError(msg)
    return raw_path(workspace.raw, found.sha256).read_bytes()


def erase(workspace: Workspace, sha256: str, person: Person, clock: Clock) -> int:
    """Erase a raw file, and the text of its quarantined rows, on a person's order; return the order's ledger number.

    Raises
    ------
    PolicyError
        If the workspace never kept such a file.
    """
    if not _SHA256.fullmatch(sha256) or raw_state(workspace.raw, sha256) == "missing":
        msg = f"{sha256}: no raw file of that SHA-256 is kept here (64 hex digits; `ingest` prints them)"
        raise PolicyError(msg)
    with workspace.ledger(write=True) as ledger:
        return ledger.erase(workspace.raw, sha256, who=person.who, why=person.why, recorded_at=clock())
