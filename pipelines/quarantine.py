"""Which rows wait in quarantine, and how does a person let one in?

A row that waits is mended by a person, who says who they are and why. It is judged by the reader of its source like any
other row, and becomes a report of that source from that moment on; what was known before does not change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from unicodedata import normalize

from geo.errors import InputError, PolicyError
from pipelines import intake, mending
from pipelines.ledger import DEFERRED, Order, raw_path, raw_state, store_raw
from pipelines.ledger.canonical import stated
from pipelines.ledger.caps import reference
from pipelines.sources import Reading
from pipelines.workspace import require_replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from geo.theatre import Source
    from pipelines.ledger import Batch, Known, Quarantined
    from pipelines.workspace import Clock, Settings, Workspace

UNDERSTOOD: Final = (DEFERRED, "unknown_item")
"""Codes of rows that their reader had understood, and the ledger refused."""
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
    """What became of quarantined rows; ``batch`` counts them as what they are now.

    ``sha256`` is that of the raw file which now says them: the mended one, or theirs as it came.
    """

    rows: tuple[int, ...]
    batch: Batch
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as one object for scripts."""
        counts = {kind: getattr(self.batch, kind) for kind in intake.COUNTS}
        named = [f"Q-{number}" for number in self.rows]
        told = {"released": named, "batch_no": self.batch.batch_no, "rows": self.batch.rows, "sha256": self.sha256}
        return {**told, **counts}


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
    """Return one quarantined row with its own bytes; one that its reader had understood, in plain columns."""
    with workspace.ledger() as ledger:
        found = ledger.quarantined(quarantine_no)
    said = _understood(found)
    return found if said is None else replace(found, raw=mending.table(said))


def _understood(found: Quarantined) -> dict[str, str] | None:
    """Return what a row says in plain columns, if it was not its reader that refused it, but the ledger."""
    if found.raw is None or found.reason_code not in UNDERSTOOD:
        return None
    return mending.columns(stated(found.raw))


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
    said = _understood(found) if row is None else None
    if said is not None:
        data, read_as = mending.restated(said, source, changes)
    else:
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
    order = Order((quarantine_no,), person.who, person.why)
    with workspace.ledger(write=True) as ledger:
        now = clock()
        foreseen = ledger.preview(reading, source=source, sha256=None, recorded_at=now, known=known, capped=False)
        fate = foreseen.rows.iloc[0]
        if fate["becomes"] == "quarantined":  # asked before its bytes are kept, so that none are left over
            raise InputError(code=fate["code"], message=fate["why"])
        sha256 = store_raw(workspace.raw, data)
        batch = ledger.release(
            order, reading, source=source, file_name=name, sha256=sha256, recorded_at=now, known=known
        )
    return Released(order.rows, batch, sha256)


@dataclass(frozen=True)
class Left:
    """Quarantined rows that still wait, and why."""

    rows: tuple[int, ...]
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as one object for scripts."""
        return {"rows": [f"Q-{number}" for number in self.rows], "reason": self.reason}


@dataclass(frozen=True)
class Caught:
    """What became of rows that a cap had deferred; ``overtaken`` are those about which their source said more since.

    These wait on, as do those that are ``left``: erased, not to be read any more, or refused.
    """

    released: tuple[Released, ...]
    overtaken: tuple[int, ...]
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, eq=False)
class _Deferred:
    """The deferred rows of one file: ``names`` gives their quarantine numbers by row number, ``whole`` is all of it."""

    first: Quarantined
    names: Mapping[int, int]
    whole: Reading

    def lost(self) -> tuple[int, ...]:
        """Return the quarantine numbers of the rows that the file, read as of now, does not give."""
        there = set(self.whole.intake["row_no"])
        return tuple(name for row_no, name in self.names.items() if row_no not in there)


def release_deferred(workspace: Workspace, source_id: str, person: Person, clock: Clock) -> Caught:
    """Let in the rows of a source that its cap had deferred, oldest first, as they came.

    A row about which its source has said more since stays where it is, to be looked at: it may have been corrected, or
    taken back. Each file is treated on its own: one that is gone, or cannot be read any more, keeps nobody else's rows.

    Raises
    ------
    PolicyError
        If the source is not declared.
    """
    workspace.remember(clock)
    found = waiting(workspace, source=source_id)
    found = found[found["reason_code"] == DEFERRED]
    with workspace.ledger() as ledger:
        settings = workspace.settings(ledger)
        since = {int(batch): ledger.stated_since(source_id, int(batch)) for batch in found["batch_no"].unique()}
    source = settings.theatre.source(source_id)
    if source is None:
        msg = f"source {source_id!r} is not declared in theatre.toml: declare it, or name another"
        raise PolicyError(msg)
    by = settings, source
    waits = {int(batch): found[found["batch_no"] == batch] for batch in sorted(found["batch_no"].unique())}
    lost: dict[int, tuple[int, ...]] = {}
    left: dict[int, Left] = {}
    for batch, rows in waits.items():
        file = _reread(workspace, by, rows, clock)
        if isinstance(file, Left):
            left[batch], lost[batch] = file, file.rows
        else:
            lost[batch] = file.lost()
    unread = {batch: _references(workspace, names) for batch, names in lost.items()}
    done = [Caught((), (), tuple(left.values()))]
    for batch in (batch for batch in waits if batch not in left):
        file = _reread(workspace, by, waits[batch], clock)  # once more, so that one is held at a time
        if isinstance(file, Left):
            done.append(Caught((), (), (file,)))
            continue
        said = since[batch].union(*(refs for other, refs in unread.items() if other >= batch))
        done.append(_release_file(workspace, file, source, said, person, clock))
    return Caught(
        tuple(one for caught in done for one in caught.released),
        tuple(number for caught in done for number in caught.overtaken),
        tuple(one for caught in done for one in caught.left),
    )


def _reread(workspace: Workspace, by: tuple[Settings, Source], rows: pd.DataFrame, clock: Clock) -> _Deferred | Left:
    """Return the file of deferred rows, or that they are left because it cannot be read."""
    settings, source = by
    names = dict(zip(rows["row_no"].astype(int), rows["quarantine_id"].map(number), strict=True))
    first = show(workspace, next(iter(names.values())))
    try:
        data = _file(workspace, first)
        whole = intake.read(data, source, settings, first.file_name, "Its rows wait on.", received_at=clock())
    except (InputError, PolicyError) as fault:
        return Left(tuple(names.values()), str(fault))
    return _Deferred(first, names, whole)


def _references(workspace: Workspace, lost: tuple[int, ...]) -> frozenset[str]:
    """Return of what rows that cannot be released speak; what they took back must not come in without them."""
    with workspace.ledger() as ledger:
        texts = [ledger.quarantined(name).raw for name in lost]
    return frozenset(ref for text in texts if text is not None and (ref := reference(text)) is not None)


def _release_file(
    workspace: Workspace, file: _Deferred, source: Source, since: frozenset[str], person: Person, clock: Clock
) -> Caught:
    late = _overtaken(file, since)
    wanted = _only(file.whole, set(file.names) - late)
    now = clock()
    with workspace.ledger(write=True) as ledger:
        foreseen = ledger.preview(wanted, source=source, sha256=None, recorded_at=now, capped=False).rows
        fates: dict[int, Any] = dict(zip(foreseen["row_no"], foreseen.to_dict("records"), strict=True))
        amiss = {no: _amiss(file, fates.get(no)) for no in file.names if no not in late}
        kept = {no: file.names[no] for no, reason in amiss.items() if reason is None}
        left = tuple(Left((file.names[no],), reason) for no, reason in amiss.items() if reason is not None)
        overtaken = tuple(file.names[no] for no in sorted(late))
        if not kept:
            return Caught((), overtaken, left)
        order = Order(tuple(kept.values()), person.who, person.why)
        name, sha256 = f"{file.first.file_name}, deferred rows", file.first.sha256
        batch = ledger.release(
            order, _only(wanted, kept), source=source, file_name=name, sha256=sha256, recorded_at=now
        )
    return Caught((Released(order.rows, batch, sha256),), overtaken, left)


def _overtaken(file: _Deferred, since: frozenset[str]) -> set[int]:
    """Return the rows of whose item their source said more: later in the file, and not deferred, or ``since``."""
    said, late = set(since), set()
    rows = file.whole.intake.sort_values("row_no", ascending=False)
    rows = rows[rows["kind"].isin(["report", "retraction"]) & rows["source_ref"].notna()]
    for row_no, text in zip(rows["row_no"].astype(int), rows["source_ref"], strict=True):
        ref = normalize("NFC", text)  # as the ledger keeps it
        if row_no not in file.names:
            said.add(ref)
        elif ref in said:
            late.add(row_no)
    return late


def _amiss(file: _Deferred, fate: Mapping[str, Any] | None) -> str | None:
    """Return why a row cannot be released; ``None`` if it can."""
    if fate is None:
        broken = file.whole.refused["reason"].tolist()[:1] if file.whole.intake.empty else []
        return " ".join([f"{file.first.file_name}: read as of now, the file does not give this row.", *broken])
    return f"{fate['code']}: {fate['why']}" if fate["becomes"] == "quarantined" else None


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
