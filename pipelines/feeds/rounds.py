"""What came of asking every feed?

A feed that fails stops no other one. What a feed sent is ingested as a file of its source, and only then counts as had:
a kill in between makes it be asked for again, and counted as duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from geo.errors import InputError
from pipelines.feeds import health, silence
from pipelines.feeds.body import NoAnswerError
from pipelines.feeds.fetch import Answer, fetch
from pipelines.feeds.supply import supply
from pipelines.intake import Ingested, ingest
from pipelines.stages import stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pipelines.feeds.fetch import Validators
    from pipelines.feeds.health import Health, Heard
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
    """
    ways = supply(workspace, clock)
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


def _one(workspace: Workspace, feed: Feed, ask: Callable[[Validators], Answer], clock: Clock) -> Asked:
    before = health.recall(workspace, feed, clock())
    done = None
    try:
        answer = ask(before.validators)
        if answer.body is None:
            after = replace(before, heard="unchanged", reason=None)
        else:
            done = _bring(workspace, feed, answer.body, clock)
            after = _judged(before, answer, done, clock())
    except NoAnswerError as fault:
        after = replace(before, heard="failed", reason=str(fault))
    except InputError as fault:
        heard: Heard = "empty" if fault.code == "empty" else "failed"
        after = replace(before, heard=heard, reason=str(fault), etag=None, last_modified=None)
    now = clock()
    after = replace(after, asked_at=now).at(feed, now)
    if after.stale:
        unseen_to = silence.declare(workspace, feed, after.unseen_to or after.since, clock)
        after = replace(after, unseen_to=unseen_to or after.unseen_to)
    health.remember(workspace, feed, after)
    return Asked(after, after.stale != before.stale, done)


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
