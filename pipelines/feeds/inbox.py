"""What lies in the inbox, and what became of it?

A file is dropped into ``inbox/SOURCE/``, so that its source is told by its folder alone. It is taken when it rested
for a while, by a rename into ``inbox/_taking/``, ingested from there, and removed: its bytes are kept in ``raw/``. What
cannot be read at all goes to ``inbox/_refused/SOURCE/`` with the reason beside it. No id of a source begins with an
underscore.

A kill leaves a file in ``_taking``, which the next pass takes up; what was in the ledger by then counts as duplicate.
Where the machine or the settings are at fault and not the file, it stays there too, and is tried again.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from geo.errors import InputError, PolicyError
from pipelines.edge import plain
from pipelines.feeds.aside import move_aside
from pipelines.feeds.faults import FAULTS, ends_all, said
from pipelines.feeds.supply import supply
from pipelines.intake import Ingested, ingest
from pipelines.stages import stage
from pipelines.workspace import require_replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.ledger import Known
    from pipelines.settings import Inbox
    from pipelines.workspace import Clock, Workspace

TAKING: Final = "_taking"
REFUSED: Final = "_refused"
_PASSES: Final = 3  # in how many a machine may be at fault; then it is the file
_TRIES: Final = ".tries"  # hidden beside a file that is taken: a byte for each pass that broke off
_MACHINE: Final = frozenset({"time_limit", "reader_killed"})


@dataclass(frozen=True, eq=False)
class Found:
    """One thing in the inbox: taken (``done`` says what came of it), refused and moved away, or left where it is.

    ``amiss``: whether somebody has to know, since it is no matter of waiting until a file rests.
    """

    name: str
    fate: Literal["taken", "refused", "left"]
    reason: str | None = None
    done: Ingested | None = None
    amiss: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as one object for scripts."""
        counts = self.done.as_dict() if self.done else {}
        return {"found": self.name, "fate": self.fate, "reason": self.reason, **counts}


def _fates(found: list[Found]) -> dict[str, int]:
    rows = {"rows": sum(one.done.batch.rows for one in found if one.done)}
    return {fate: sum(one.fate == fate for one in found) for fate in ("taken", "refused", "left")} | rows


@stage("inbox", _fates)
def empty(workspace: Workspace, clock: Clock) -> list[Found]:
    """Take what lies in the inbox; as ``take``, in one go."""
    return list(take(workspace, clock))


@dataclass(frozen=True)
class _Candidate:
    path: Path
    source: str
    seen: os.stat_result

    @property
    def name(self) -> str:
        return f"{self.source}/{self.path.name}"


def take(
    workspace: Workspace,
    clock: Clock,
    *,
    known: Known = "recorded",
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Found]:
    """Yield what became of each thing in the inbox, oldest first; hidden files and folders are not looked at.

    Parameters
    ----------
    workspace
        Where the theatre is watched; the caller has its turn.
    clock
        Gives the present moment.
    known
        When the rows were known, as for ``ingest``.
    pause
        Lets so many seconds pass between the two looks.

    Raises
    ------
    PolicyError
        If the theatre declares neither inbox nor feeds, its files are not sound, or history is brought into a workspace
        that is no replay.
    LedgerBusy, LedgerDamaged, OSError
        If no other file would fare better. Any other fault leaves or refuses its file, and the others go on.
    """
    ways = supply(workspace, clock)
    limits = ways.inbox
    if limits is None:
        if ways.feeds:
            return
        msg = "theatre.toml has no [inbox]: nothing is taken; add it (data/theatres has one with every key)"
        raise PolicyError(msg)
    with workspace.ledger() as ledger:
        require_replay(known, replay=ledger.replay)
        sources = [source.id for source in workspace.settings(ledger).theatre.sources]
    box = workspace.path / "inbox"
    for source in sources:
        if not os.path.lexists(box / source):
            (box / source).mkdir(parents=True)
    waiting = list(_look(box, sources))
    candidates = [one for one in waiting if isinstance(one, _Candidate)]
    yield from (one for one in waiting if isinstance(one, Found))
    if candidates:
        pause(limits.settle_s)
    for candidate in sorted(candidates, key=lambda one: (one.seen.st_mtime_ns, one.name)):
        why = _unfit(candidate)
        yield Found(candidate.name, "left", why) if why else _bring(box, candidate, workspace, limits, known, clock)


def _look(box: Path, sources: list[str]) -> Iterator[_Candidate | Found]:
    for folder in sorted((box / TAKING).glob("*/*/")):
        source, found = folder.parent.name, list(_files(folder, folder.parent.name))
        if not found:
            _tidy(folder)  # a kill came between
        elif source in sources:
            yield from found
        else:
            why = f"source {source} is no longer declared; declare it again, or move the file out of {folder}"
            yield from (Found(f"{TAKING}/{_shown(one.name)}", "left", why, amiss=True) for one in found)
    for entry in sorted(_entries(box), key=lambda entry: entry.name):
        if entry.name in {TAKING, REFUSED}:
            continue
        if entry.name in sources and entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), entry.name)
        elif entry.is_dir(follow_symlinks=False):
            yield Found(_shown(entry.name), "left", f"no source of that name; declared are: {', '.join(sources)}")
        else:
            yield Found(_shown(entry.name), "left", "put it into the folder of its source, such as inbox/csv/")


def _files(folder: Path, source: str) -> Iterator[_Candidate | Found]:
    try:
        entries = list(_entries(folder))
    except OSError as fault:
        if ends_all(fault):
            raise
        yield Found(source, "left", f"cannot be looked into ({said(fault)}); check its rights", amiss=True)
        return
    for entry in entries:
        name = f"{source}/{_shown(entry.name)}"
        try:
            kind = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # renamed or removed since; the next pass sees it under its new name
        if not stat.S_ISREG(kind.st_mode):
            yield Found(name, "left", "is no plain file; drop a copy of the file itself")
        elif _shown(entry.name) != entry.name:
            yield Found(name, "left", "has a name that is no text; rename it")
        else:
            yield _Candidate(Path(entry.path), source, kind)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if not entry.name.startswith("."))


def _shown(name: str) -> str:
    """Return a file's name as it can be written down: bytes that are no text, and controls, as signs."""
    return plain(name.encode(errors="surrogateescape").decode(errors="backslashreplace"))


def _unfit(candidate: _Candidate) -> str | None:
    """Return why a file cannot be taken yet."""
    try:
        now = candidate.path.lstat()
    except OSError as fault:
        return f"cannot be looked at ({fault.strerror})"
    if not _same(now, candidate.seen):
        return "is still being written; it is taken when it rests"
    if now.st_size == 0:
        return "is empty so far"
    return "has a second name (a hard link); drop a copy of it" if now.st_nlink > 1 else None


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return all(
        getattr(one, name) == getattr(other, name) for name in ("st_mode", "st_dev", "st_ino", "st_size", "st_mtime_ns")
    )


def _bring(box: Path, candidate: _Candidate, workspace: Workspace, limits: Inbox, known: Known, clock: Clock) -> Found:
    """Take one file; what is wrong with it, or at it, is said of it alone."""
    try:
        return _try(box, candidate, workspace, limits, known, clock)
    except FAULTS as fault:
        if ends_all(fault):
            raise
        return Found(candidate.name, "left", f"cannot be taken: {said(fault)}", amiss=True)


def _try(box: Path, candidate: _Candidate, workspace: Workspace, limits: Inbox, known: Known, clock: Clock) -> Found:
    name = candidate.name
    if candidate.seen.st_size > limits.max_bytes:
        size = f"{candidate.seen.st_size:,} bytes are more than the {limits.max_bytes:,}"
        return _refuse(box, candidate, f"{size} of [inbox] max_bytes in theatre.toml; divide it, or raise the limit")
    claimed = _claim(box, candidate)
    why = _exchanged(claimed)
    if why:
        return Found(name, "left", why)
    try:
        done = ingest(workspace, claimed.path, source_id=candidate.source, known=known, clock=clock)
    except InputError as fault:
        tried = _count(claimed) if fault.code in _MACHINE else _PASSES
        if tried >= _PASSES:
            return _refuse(box, claimed, str(fault))
        return Found(name, "left", f"{fault} (pass {tried} of {_PASSES}: tried again by the next)", amiss=True)
    return Found(name, "taken", _dispose(claimed), done)


def _claim(box: Path, candidate: _Candidate) -> _Candidate:
    """Move a file to where nobody else writes, into a folder of its own, so that it keeps its name."""
    if _is_claimed(candidate.path):
        return candidate
    (box / TAKING).mkdir(mode=0o700, exist_ok=True)
    places = (box / TAKING / candidate.source / str(number) for number in itertools.count(1))
    folder = next(place for place in places if not place.exists())
    folder.mkdir(parents=True)
    try:
        moved = candidate.path.rename(folder / candidate.path.name)
    except OSError as fault:
        folder.rmdir()
        if fault.errno == errno.EXDEV:
            msg = f"inbox/{candidate.source} is on another file system than inbox/; put all of inbox/ on one"
            raise InputError(code="other_file_system", message=msg) from fault
        raise
    return _Candidate(moved, candidate.source, candidate.seen)


def _is_claimed(file: Path) -> bool:
    return file.parent.parent.parent.name == TAKING


def _exchanged(claimed: _Candidate) -> str | None:
    """Return why the file is not the one that was looked at, without following a link or waiting for a pipe."""
    try:
        handle = os.open(claimed.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as fault:
        return f"cannot be read ({fault.strerror}); check its rights"
    try:
        same = _same(os.fstat(handle), claimed.seen)
    finally:
        os.close(handle)
    return None if same else "was exchanged while it was taken; the next pass looks at it anew"


def _count(claimed: _Candidate) -> int:
    """Return in how many passes the reading of a file has broken off, this one among them."""
    with (claimed.path.parent / _TRIES).open("ab") as tries:
        tries.write(b".")
        return tries.tell()


def _refuse(box: Path, candidate: _Candidate, reason: str) -> Found:
    move_aside(candidate.path, box / REFUSED / candidate.source, reason)
    _tidy(candidate.path.parent)
    return Found(candidate.name, "refused", reason, amiss=True)


def _dispose(claimed: _Candidate) -> str | None:
    """Remove a file that is in the ledger; return why it still lies there."""
    try:
        if not _same(claimed.path.lstat(), claimed.seen):
            return "more was written to it while it was read; the next pass takes it whole"
        claimed.path.unlink()
        _tidy(claimed.path.parent)
    except OSError as fault:
        return f"in the ledger, but could not be removed ({said(fault)})"
    return None


def _tidy(folder: Path) -> None:
    """Remove the folder of a file that was taken, once only the count of its passes is in it."""
    if folder.parent.parent.name == TAKING and all(left.name == _TRIES for left in folder.iterdir()):
        (folder / _TRIES).unlink(missing_ok=True)
        folder.rmdir()
