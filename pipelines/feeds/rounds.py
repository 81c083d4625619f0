"""What came of asking every feed?

A feed that fails stops no other one. What a feed sent is ingested as a file of its source, and only then counts as had:
a kill in between makes it be asked for again, and counted as duplicate.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from geo.errors import InputError
from pipelines.feeds import health, silence
from pipelines.feeds.body import NoAnswerError
from pipelines.feeds.faults import FAULTS, ends_all, said
from pipelines.feeds.fetch import Answer, fetch
from pipelines.feeds.supply import supply
from pipelines.intake import Ingested, ingest
from pipelines.stages import stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pipelines.feeds.health import Health, Heard, Validators
    from pipelines.settings import Feed, Network
    from pipelines.workspace import Clock, Workspace

TAKING: Final = "_taking"
_NEWS: Final = ("new", "revision", "conflict", "retraction", "heartbeat")


@dataclass(frozen=True, eq=False)
class Asked:
    """What came of asking one feed; ``turned``: it became stale by this, or ceased to be."""

    health: Health
    turned: bool
    done: Ingested | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as one object for scripts."""
        return {**self.health.as_dict(), **(self.done.as_dict() if self.done else {})}


def go_round(
    workspace: Workspace, clock: Clock, *, ask: Callable[[Feed, Network, Validators], Answer] = fetch
) -> Iterator[Asked]:
    """Yield what came of asking each feed of the theatre in force, in its order; the caller has the workspace's turn.

    Raises
    ------
    PolicyError
        If the theatre's files are not sound.
    LedgerBusy, LedgerDamaged, OSError
        If no other feed would fare better. Any other fault makes its feed a failed one, and the others go on.
    """
    ways = supply(workspace, clock)
    _clear(workspace)
    if ways.network is not None:
        for feed in ways.feeds:
            yield _one(workspace, feed, partial(ask, feed, ways.network), clock)


def _counts(asked: list[Asked]) -> dict[str, int]:
    found = [one.health for one in asked]
    failed, stale = sum(one.heard == "failed" for one in found), sum(one.stale for one in found)
    rows = sum(one.done.batch.rows for one in asked if one.done)
    return {"asked": len(asked), "failed": failed, "stale": stale, "rows": rows}


@stage("feeds", _counts)
def ask_all(workspace: Workspace, clock: Clock) -> list[Asked]:
    """Ask every feed; as ``go_round``, in one go."""
    return list(go_round(workspace, clock))


def _clear(workspace: Workspace) -> None:
    """Remove what a kill left of an answer: it is asked for again."""
    for file in (workspace.path / health.FOLDER / TAKING).glob("*"):
        with suppress(OSError):
            file.unlink()


def _one(workspace: Workspace, feed: Feed, ask: Callable[[Validators], Answer], clock: Clock) -> Asked:
    before = health.recall(workspace, feed, clock())
    after, done = _hear(workspace, feed, ask, before, clock)
    now = clock()
    after = replace(after, asked_at=now).at(feed, now)
    try:
        # Whatever fails from here on: what was heard is kept, and that the feed turned is told by the next round.
        health.remember(workspace, feed, replace(after, stale=before.stale))
        if after.stale:
            after = _declare(workspace, feed, after, clock)
        health.remember(workspace, feed, after)
    except OSError as fault:
        if ends_all(fault):
            raise
        after = replace(after, heard="failed", reason=f"what was heard cannot be kept in feeds/ ({said(fault)})")
    return Asked(after, after.stale != before.stale, done)


def _hear(
    workspace: Workspace, feed: Feed, ask: Callable[[Validators], Answer], before: Health, clock: Clock
) -> tuple[Health, Ingested | None]:
    """Return how a feed does after it was asked, and what became of its answer."""
    try:
        answer = ask(before.validators)
        if answer.body is None:
            return replace(before, heard="unchanged", reason=None), None
        done = _bring(workspace, feed, answer.body, clock)
        return _judged(before, answer, done, clock()), done
    except NoAnswerError as fault:
        return replace(before, heard="failed", reason=str(fault)), None
    except FAULTS as fault:
        if ends_all(fault):
            raise
        empty = isinstance(fault, InputError) and fault.code == "empty"
        heard: Heard = "empty" if empty else "failed"
        return replace(before, heard=heard, reason=said(fault), etag=None, last_modified=None), None


def _declare(workspace: Workspace, feed: Feed, heard: Health, clock: Clock) -> Health:
    """Return how a stale feed does once its silence is declared, or why that failed; the next round declares it all."""
    try:
        unseen_to = silence.declare(workspace, feed, heard.unseen_to or heard.since, clock)
    except FAULTS as fault:
        if ends_all(fault):
            raise
        said_before = f"{heard.reason}; " if heard.reason else ""
        return replace(heard, heard="failed", reason=f"{said_before}its silence cannot be recorded: {said(fault)}")
    return replace(heard, unseen_to=unseen_to or heard.unseen_to)


def _judged(before: Health, answer: Answer, done: Ingested, now: datetime) -> Health:
    """Return how the feed does after an answer; one that is empty is not believed, and asked for again."""
    if done.batch.rows == 0 and before.filled:
        return replace(before, heard="empty", reason="came empty, which it had not been", etag=None, last_modified=None)
    refused = done.batch.quarantined
    news = any(getattr(done.batch, kind) for kind in _NEWS) and not done.batch.repeated
    return replace(
        before,
        heard="new" if news else "unchanged",
        reason=f"{refused:,} of its rows are in quarantine" if refused else None,
        since=now if news else before.since,
        unseen_to=None if news else before.unseen_to,
        etag=answer.validators.etag,
        last_modified=answer.validators.last_modified,
        filled=before.filled or done.batch.rows > 0,
    )


def _bring(workspace: Workspace, feed: Feed, body: bytes, clock: Clock) -> Ingested:
    folder = workspace.path / health.FOLDER / TAKING
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / _file_name(feed)
    file.write_bytes(body)
    try:
        return ingest(workspace, file, source_id=feed.source, known="recorded", clock=clock)
    finally:
        file.unlink(missing_ok=True)


def _file_name(feed: Feed) -> str:
    """Return what the ledger calls the file: the feed, with the ending of its address."""
    ending = PurePosixPath(urlsplit(feed.url).path).suffix
    return feed.id + (ending if ending[1:].isalnum() and ending.isascii() else "")
