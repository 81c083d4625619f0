"""What does a feed's silence say of what its source could see?

A source that covers regions sees nothing there while its feed is stale. That enters the ledger as an outage of the
source, as if it had said so itself: it is knowledge like any other, and coverage, the ends of incidents and answers
about the past follow from it by the usual rules. A source that covers nothing declares nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geo.theatre import Dialect
from pipelines.ledger import store_raw
from pipelines.sources import plain
from pipelines.sources.reading import Context

if TYPE_CHECKING:
    from datetime import datetime

    from pipelines.settings import Feed
    from pipelines.workspace import Clock, Workspace


def declare(workspace: Workspace, feed: Feed, begin: datetime, clock: Clock) -> datetime | None:
    """Record that the feed's source could not see from a moment until now.

    Parameters
    ----------
    begin
        When something new came last, or up to when it was declared already; aware UTC.

    Returns
    -------
    datetime | None
        Up to when it is declared; ``None``: its source covers nothing.
    """
    with workspace.ledger() as ledger:
        settings = workspace.settings(ledger)
    source, end = settings.theatre.source(feed.source), clock()
    if source is None or not source.covers or end <= begin:
        return None
    name = f"silence of feed {feed.id}.csv"
    told = f"observed_from,observed_to,lon,lat,act\n{begin.isoformat()},{end.isoformat()},,,outage\n".encode()
    ours = replace(source, format=plain.FORMAT, dialect=Dialect())  # however its own files are written
    reading = plain.read(told, Context(ours, settings.theatre, settings.policies[-1].policy, name))
    sha256 = store_raw(workspace.raw, told)
    with workspace.ledger(write=True) as ledger:
        ledger.append(reading, source=source, file_name=name, sha256=sha256, recorded_at=clock(), known="recorded")
    return end
