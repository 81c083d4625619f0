"""How is a workspace copied while others write to it?

The ledger is copied as it stood at one moment, and the raw files after it: each was kept before the ledger spoke of it.
With them go the theatre and what people decided; maps are left out, because the next run makes them anew. What was
written is verified before it gets its name, so that a folder of that name is a whole workspace.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from geo.errors import PolicyError
from pipelines import lines, reviews
from pipelines.ledger import Ledger, LedgerDamaged
from pipelines.workspace import FOLDERS, LEDGER_FILE, Workspace, name_of

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.ledger import Head

_MOMENT: Final = "%Y%m%dT%H%M%SZ"  # as a part of a name: in the order of names they are in order of time


@dataclass(frozen=True)
class Copied:
    """What a copy holds: the head of its chain, and how many rows and files."""

    path: Path
    head: Head
    rows: int
    files: int


def backup(workspace: Workspace, to: Path) -> Copied:
    """Copy a workspace, whole or not at all.

    Parameters
    ----------
    workspace
        Where the theatre is watched; others may go on writing.
    to
        A folder that does not exist yet. It becomes a workspace.

    Raises
    ------
    PolicyError
        If there is something of that name.
    LedgerDamaged
        If what was written is not whole, because what is copied is not; nothing is left of it.
    """
    if to.exists() or to.resolve().is_relative_to(workspace.path.resolve()):
        msg = f"{to}: is there already, or lies inside the workspace; name a folder that does not exist yet"
        raise PolicyError(msg)
    to.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.parent))
    try:
        _fill(workspace, draft)
        found = _checked(Workspace(draft, workspace.name), to)
        shutil.copymode(workspace.path, draft)
        shutil.copymode(workspace.path / LEDGER_FILE, draft / LEDGER_FILE)
        os.sync()
        draft.rename(to)
    except BaseException as fault:
        shutil.rmtree(draft, ignore_errors=True)
        if isinstance(fault, shutil.Error):  # of many files: (from, to, what went wrong) each
            source, _, what = fault.args[0][0]
            msg = f"{to}: {source} could not be copied ({what}); nothing was left there: make room, or see to that file"
            raise PolicyError(msg) from fault
        raise
    return found


def rotate(workspace: Workspace, folder: Path, *, keep: int, at: datetime) -> Copied:
    """Copy a workspace into a folder under a name of its own and a moment, and keep only the newest copies of it there.

    Nothing is removed before the new copy is whole; what bears another name is never touched, so that workspaces may
    share the folder. What a kill left of a copy, or of one that was being removed, goes first: the caller sees to it
    that nobody else copies this workspace there.
    """
    for left in _named(workspace, folder, unfinished=True):
        shutil.rmtree(left, ignore_errors=True)
    done = backup(workspace, folder / f"{name_of(workspace.path)}-{at:{_MOMENT}}")
    before = [path for path in _named(workspace, folder) if path != done.path]  # some may bear a time still to come
    for old in before[: max(0, len(before) + 1 - keep)]:
        # A folder of that name is a whole workspace, to the last moment.
        shutil.rmtree(old.rename(folder / f".{old.name}-removed"))
    return done


def made_since(workspace: Workspace, folder: Path, moment: datetime, now: datetime) -> Path | None:
    """Return the newest copy that ``rotate`` made of a workspace from a moment on, until now; aware UTC."""
    names = [f"{name_of(workspace.path)}-{each:{_MOMENT}}" for each in (moment, now)]
    found = [path for path in _named(workspace, folder) if names[0] <= path.name <= names[1]]
    return found[-1] if found else None


def _named(workspace: Workspace, folder: Path, *, unfinished: bool = False) -> list[Path]:
    """Return the copies of a workspace in a folder, oldest first, or what is left of unfinished ones."""
    name = re.escape(name_of(workspace.path)) + r"-\d{8}T\d{6}Z"
    wanted = re.compile(rf"\.{name}-.+" if unfinished else name)
    return sorted(path for path in folder.glob("*") if wanted.fullmatch(path.name))


def _fill(workspace: Workspace, draft: Path) -> None:
    for folder in FOLDERS:
        (draft / folder).mkdir()
    Ledger.copy(workspace.path / LEDGER_FILE, draft / LEDGER_FILE)
    for folder in ("raw", "theatre"):
        unfinished = shutil.ignore_patterns(".*.tmp")
        shutil.copytree(workspace.path / folder, draft / folder, dirs_exist_ok=True, ignore=unfinished)
    for desk in workspace.desks():
        copy = draft / desk.relative_to(workspace.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        source = sqlite3.connect(f"{desk.resolve().as_uri()}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(copy)) as target:
            source.backup(target)  # what is committed, while others edit


def _checked(copy: Workspace, to: Path) -> Copied:
    with copy.ledger() as ledger:
        wrong = [*ledger.verify(copy.raw), *lines.problems(copy, ledger), *reviews.problems(copy, ledger)]
        if wrong:
            msg = f"{copy.path.name}: the copy is not whole ({'; '.join(wrong[:3])}); verify what was copied"
            raise LedgerDamaged(msg)
        files = sum(file.is_file() for file in copy.path.rglob("*"))
        found = Copied(to, ledger.head(), ledger.counts()["rows"], files)
    for left in ("-shm", "-wal"):
        (copy.path / f"{LEDGER_FILE}{left}").unlink(missing_ok=True)
    return found
