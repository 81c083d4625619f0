"""What lies in the inbox, and what became of it?

A file is dropped into ``inbox/SOURCE/``, so that its source is told by its folder alone. It is taken when it rested
for a while, by a rename into ``inbox/_taking/``, ingested from there, and removed: its bytes are kept in ``raw/``. What
cannot be read at all goes to ``inbox/_refused/SOURCE/`` with the reason beside it. No id of a source begins with an
underscore.

A kill leaves a file in ``_taking``, which the next pass takes up; what was in the ledger by then counts as duplicate.
"""

from __future__ import annotations

import itertools
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from geo.errors import InputError, PolicyError
from pipelines.feeds.supply import supply
from pipelines.intake import Ingested, ingest
from pipelines.stages import stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.ledger import Known
    from pipelines.settings import Inbox
    from pipelines.workspace import Clock, Workspace

TAKING: Final = "_taking"
REFUSED: Final = "_refused"
REASON: Final = ".reason.txt"


@dataclass(frozen=True, eq=False)
class Found:
    """One thing in the inbox: taken (``done`` says what came of it), refused and moved away, or left where it is."""

    name: str
    fate: Literal["taken", "refused", "left"]
    reason: str | None = None
    done: Ingested | None = None

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
        If the theatre declares neither inbox nor feeds, or its files are not sound.
    """
    ways = supply(workspace, clock)
    limits = ways.inbox
    if limits is None:
        if ways.feeds:
            return
        msg = "theatre.toml has no [inbox]: nothing is taken; add it (data/theatres has one with every key)"
        raise PolicyError(msg)
    with workspace.ledger() as ledger:
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
    for folder in sorted((box / TAKING).glob("*/*")):
        if folder.parent.name in sources:
            yield from _files(folder, folder.parent.name)
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
    for entry in _entries(folder):
        kind = entry.stat(follow_symlinks=False)
        name = f"{source}/{_shown(entry.name)}"
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
    plain = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in plain)


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
    name = candidate.name
    if candidate.seen.st_size > limits.max_bytes:
        size = f"{candidate.seen.st_size:,} bytes are more than the {limits.max_bytes:,}"
        return _refuse(box, candidate, f"{size} of [inbox] max_bytes in theatre.toml; divide it, or raise the limit")
    try:
        claimed = _claim(box, candidate)
    except OSError as fault:
        return Found(name, "left", f"cannot be taken ({fault.strerror}); check the rights of the folder")
    why = _exchanged(claimed)
    if why:
        return Found(name, "left", why)
    try:
        done = ingest(workspace, claimed.path, source_id=candidate.source, known=known, clock=clock)
    except InputError as fault:
        return _refuse(box, claimed, str(fault))
    if _same(claimed.path.lstat(), claimed.seen):  # else more was written meanwhile, and the next pass takes it whole
        _dispose(claimed)
    return Found(name, "taken", None, done)


def _claim(box: Path, candidate: _Candidate) -> _Candidate:
    """Move a file to where nobody else writes, into a folder of its own, so that it keeps its name."""
    own = candidate.path.parent
    if own.parent.parent.name == TAKING:
        return candidate
    (box / TAKING).mkdir(mode=0o700, exist_ok=True)
    places = (box / TAKING / candidate.source / str(number) for number in itertools.count(1))
    folder = next(place for place in places if not place.exists())
    folder.mkdir(parents=True)
    return _Candidate(candidate.path.rename(folder / candidate.path.name), candidate.source, candidate.seen)


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


def _refuse(box: Path, candidate: _Candidate, reason: str) -> Found:
    folder = box / REFUSED / candidate.source
    folder.mkdir(parents=True, exist_ok=True)
    names = (f"{number}-{candidate.path.name}" for number in itertools.count(2))
    places = (folder / name for name in itertools.chain([candidate.path.name], names))
    target = next(place for place in places if not place.exists())
    target.with_name(target.name + REASON).write_text(reason + "\n", encoding="utf-8")
    candidate.path.rename(target)
    _tidy(candidate.path.parent)
    return Found(candidate.name, "refused", reason)


def _dispose(claimed: _Candidate) -> None:
    claimed.path.unlink()
    _tidy(claimed.path.parent)


def _tidy(folder: Path) -> None:
    if folder.parent.parent.name == TAKING and not any(folder.iterdir()):
        folder.rmdir()
