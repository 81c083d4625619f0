"""Is a workspace whole: its chain, its counts, its raw files and what it published last?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines import lines, publications, reviews

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.ledger import Head
    from pipelines.publications import Publication
    from pipelines.workspace import Workspace


@dataclass(frozen=True)
class Audit:
    """What was found; without ``problems`` all is whole. ``erased`` are raw files erased on a person's order."""

    head: Head
    counts: dict[str, int]
    publications: int
    problems: tuple[str, ...]
    erased: tuple[str, ...]


def audit(workspace: Workspace) -> Audit:
    """Read and compute everything anew."""
    with workspace.ledger() as ledger:
        past = publications.history(ledger)
        files = [
            *ledger.verify(workspace.raw),
            *lines.problems(workspace, ledger),
            *reviews.problems(workspace, ledger),
        ]
        problems = [*files, *_published(workspace, past)]
        erased = [*ledger.erased(workspace.raw), *lines.erased(workspace, ledger), *reviews.erased(workspace, ledger)]
        return Audit(ledger.head(), ledger.counts(), len(past), tuple(problems), tuple(erased))


def _published(workspace: Workspace, past: list[Publication]) -> Iterator[str]:
    last = {found.region: found for found in past if found.file is not None}
    for found in last.values():
        file = workspace.path / str(found.file)
        if not file.is_file():
            yield f"{found.file}: the last publication of {found.region or 'the whole theatre'} is gone; run it again"
        elif publications.file_hash(file) != found.sha256:
            yield f"{found.file}: is not the file that was published last; the next run replaces it"
