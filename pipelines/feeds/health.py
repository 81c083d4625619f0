"""How does each feed do?

One small file a feed in ``feeds/`` of the workspace. Losing it loses nothing: the feed is then asked without
conditions, and what is known already is counted as duplicate.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from pipelines.feeds.supply import declared

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.settings import Feed
    from pipelines.workspace import Workspace

FOLDER: Final = "feeds"
_TIMES: Final = ("since", "asked_at", "unseen_to")
Heard = Literal["new", "unchanged", "empty", "failed", "unasked"]


@dataclass(frozen=True)
class Validators:
    """What a server said of the answer before, so that it can say whether there is another one."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers of a conditional request."""
        said = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Health:
    """What is known of a feed; times are aware UTC.

    ``heard``: what the last asking gave. ``since``: when something new came last; before the first time, when it was
    first asked. ``stale``: whether it was silent for longer than its ``stale_h`` when it was asked last. ``filled``:
    whether it ever had a row. ``unseen_to``: up to when its silence is declared in the ledger.
    """

    feed: str
    source: str
    address: str
    since: datetime
    asked_at: datetime
    heard: Heard = "unasked"
    reason: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    filled: bool = False
    stale: bool = False
    unseen_to: datetime | None = None

    @property
    def validators(self) -> Validators:
        """What the server said of its last answer."""
        return Validators(self.etag, self.last_modified)

    def at(self, feed: Feed, moment: datetime) -> Health:
        """Return it as it is at a moment."""
        return replace(self, stale=moment - self.since > timedelta(hours=feed.stale_h))

    def as_dict(self) -> dict[str, Any]:
        """Return what people are told, as one object for scripts."""
        return {
            "feed": self.feed,
            "source": self.source,
            "heard": self.heard,
            "reason": self.reason,
            "since": self.since.isoformat(),
            "asked_at": self.asked_at.isoformat(),
            "stale": self.stale,
        }

    def sentence(self) -> str:
        """Return in words why it is stale."""
        last = f"; when it was asked last: {self.reason or self.heard}"
        return f"nothing new from feed {self.feed!r} (source {self.source}) since {self.since:%Y-%m-%d %H:%MZ}{last}"


def recall(workspace: Workspace, feed: Feed, moment: datetime) -> Health:
    """Return what is known of a feed; another address or source makes it another feed.

    No time is later than the moment: a clock that had run ahead would make its silence news for as long.
    """
    fresh = Health(feed.id, feed.source, feed.url, moment, moment)
    try:
        stored = json.loads(_file(workspace, feed).read_bytes())
        said = _TIMES if stored["unseen_to"] else _TIMES[:-1]
        told = {name: datetime.fromisoformat(stored[name]) for name in said}
        known = Health(**{**stored, **{name: min(at, moment) for name, at in told.items()}})
    except (OSError, ValueError, TypeError, KeyError):
        return fresh
    return known if (known.address, known.source) == (feed.url, feed.source) else fresh


def remember(workspace: Workspace, feed: Feed, health: Health) -> None:
    """Keep what is known of a feed, whole or not at all."""
    file = _file(workspace, feed)
    file.parent.mkdir(exist_ok=True)
    draft = file.with_name(file.name + ".part")
    text = json.dumps(asdict(health), default=datetime.isoformat, indent=1)
    with draft.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    draft.replace(file)


def _file(workspace: Workspace, feed: Feed) -> Path:
    return workspace.path / FOLDER / f"{feed.id}.json"


def stale(workspace: Workspace, moment: datetime) -> tuple[Health, ...]:
    """Return the feeds that are stale at a moment, aware UTC."""
    if not (workspace.path / FOLDER).is_dir():
        return ()  # nobody was ever asked
    feeds = declared(workspace).feeds
    known = (recall(workspace, feed, moment).at(feed, moment) for feed in feeds)
    return tuple(health for health in known if health.stale)
