"""Is a workspace whole: its chain, its counts, its raw files and what it published last?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipelines import lines, publications, reuse, reviews
from pipelines.ledger import Head
from pipelines.workspace import PAST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.ledger import Ledger
    from pipelines.publications import Publication
    from pipelines.workspace import Workspace

_PAUSES_S: Final = (0.2, 0.5, 1.0, 2.0)  # between looks: a run records its map a moment after it put it there


@dataclass(frozen=True)
class Audit:
    """What was found; without ``problems`` all is whole. ``erased`` are raw files erased on a person's order."""

    head: Head
    counts: dict[str, int]
    publications: int
    problems: tuple[str, ...]
    erased: tuple[str, ...]


def audit(workspace: Workspace, against: Sequence[str] = ()) -> Audit:
    """Read and compute everything anew.

    Parameters
    ----------
    workspace
        Where the theatre is watched.
    against
        Heads of the chain (64 hex digits) as they were printed or published before: each must have stood in it.
    """
    with workspace.ledger() as ledger:
        problems = ledger.verify(workspace.raw)
        try:
            problems += ledger.missing([head.strip().lower() for head in against])
            return _whole(workspace, ledger, problems)
        except Exception:
            if not problems:
                raise
            return Audit(Head(0, "", 0, ""), {"rows": 0}, 0, tuple(problems), ())  # what is damaged means nothing


def _whole(workspace: Workspace, ledger: Ledger, problems: list[str]) -> Audit:
    past = publications.history(ledger)
    beside = [*lines.problems(workspace, ledger), *reviews.problems(workspace, ledger), *_settled(workspace, past)]
    erased = [*ledger.erased(workspace.raw), *lines.erased(workspace, ledger), *reviews.erased(workspace, ledger)]
    return Audit(ledger.head(), ledger.counts(), len(past), (*problems, *beside), tuple(erased))


def _settled(workspace: Workspace, past: list[Publication]) -> list[str]:
    """Return what is wrong with the maps, also once a run that is at work has had the time to record its own."""
    found = list(_published(workspace, past))
    for pause_s in _PAUSES_S:
        if not found:
            break
        time.sleep(pause_s)
        with workspace.ledger() as ledger:
            found = list(_published(workspace, publications.history(ledger)))
    return found


def _published(workspace: Workspace, past: list[Publication]) -> Iterator[str]:
    last = {(found.region, found.profile): found for found in past if found.file is not None}
    for found in last.values():
        file = workspace.path / str(found.file)
        if not file.is_file():
            yield f"{found.file}: the last publication of {found.region or 'the whole theatre'} is gone; run it again"
        elif publications.file_hash(file) != found.sha256:
            yield f"{found.file}: is not the file that was published last; the next run replaces it"
    if (filed := publications.files_of_the_past(past)) is not None:
        yield from _past(workspace, filed)


def _past(workspace: Workspace, wanted: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the files of the past; another run of the day looks no further than at their names."""
    beside = workspace.target(None).parent
    stand = {path.name: path for path in (beside / PAST).glob("*.gpkg")}
    for name, sha256 in wanted.items():
        title = f"{beside.name}/{PAST}/{name}"
        if name not in stand:
            yield f"{title}: what was over in that year is gone; run the whole theatre again"
        elif publications.file_hash(stand[name]) != sha256:
            yield f"{title}: is not the file that was published last; remove it, and run the whole theatre again"
    for name in sorted(reuse.filed(beside).keys() - wanted.keys()):
        yield f"{beside.name}/{PAST}/{name}: the last publication has no such file; remove it"
