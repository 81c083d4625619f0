"""What does Prefect tell those who wait for something to happen?

``ceasewatch.tier.raised``, ``ceasewatch.tier.effective``, ``ceasewatch.tier.lowered``, ``ceasewatch.incident.ended``
and ``ceasewatch.incident.gone`` for each incident that changed since the last publication, ``ceasewatch.feed.stale``
and ``ceasewatch.feed.fresh`` for each feed that became so. Automations of a server can react to them; without a server
nobody hears them. They repeat what is published: nothing hangs on an event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from prefect.events import emit_event

from pipelines.imprint import WHOLE
from pipelines.outcome import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipelines.feeds.health import Health
    from pipelines.feeds.rounds import Asked
    from pipelines.outcome import Outcome
    from pipelines.workspace import Workspace

RAISED: Final = "ceasewatch.tier.raised"
EFFECTIVE: Final = "ceasewatch.tier.effective"
LOWERED: Final = "ceasewatch.tier.lowered"
ENDED: Final = "ceasewatch.incident.ended"
GONE: Final = "ceasewatch.incident.gone"
STALE: Final = "ceasewatch.feed.stale"
FRESH: Final = "ceasewatch.feed.fresh"
_SAID: Final = ("incident_id", "name", "state", "tier_eligible", "tier_effective", "tier_peak", "next_due")


def tell(outcome: Outcome) -> None:
    """Emit what changed by a run; nothing where its publication was there already, or a later one stands."""
    for event, resource, payload in changes(outcome):
        emit_event(event=event, resource=resource, payload=payload)


def tell_feeds(place: Workspace, asked: Sequence[Asked]) -> None:
    """Emit which feeds became stale, or ceased to be: as soon as it is known, whatever becomes of the run after it."""
    for one in asked:
        if one.turned:
            event, resource, payload = health(place, one.health)
            emit_event(event=event, resource=resource, payload=payload)


def changes(outcome: Outcome) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    """Yield event, resource and payload for each incident that reached a tier, lost one, ended, or is no more.

    Of one that had ended before anybody told of it, its tiers are told by what was in effect, and its end.
    """
    if not outcome.written or outcome.overtaken or outcome.readings:
        return
    told, changed = {row["incident_id"]: row for row in outcome.as_dict()["incidents"]}, outcome.changes
    raised = (name for name in (*changed.new, *changed.escalated) if told[name]["tier_eligible"])
    over = (name for name in changed.new if told[name]["state"] == "ended")
    found = {
        RAISED: raised,
        EFFECTIVE: changed.effective,
        LOWERED: changed.lowered,
        ENDED: (*over, *changed.ended),
        GONE: changed.gone,
    }
    for event, names in found.items():
        for name in names:
            # What is gone, or ended while nobody ran for longer than the map's window, has no row there any more.
            row = told.get(name, {"incident_id": name, "state": event.rpartition(".")[2]})
            payload = {key: row.get(key) for key in _SAID} | _about(outcome)
            yield event, _resource("incident", name, outcome.scope, outcome.file), payload


def health(place: Workspace, feed: Health) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return event, resource and payload of a feed that became stale, or ceased to be."""
    with place.ledger() as ledger:
        theatre = place.settings(ledger).theatre
    about = {"theatre": theatre.title, "standing": theatre.status, "as_of": stamp(feed.asked_at)}
    resource = _resource("feed", feed.feed, WHOLE, place.target(None))
    return (STALE if feed.stale else FRESH), resource, feed.as_dict() | about


def _about(outcome: Outcome) -> dict[str, Any]:
    return {"theatre": outcome.title, "standing": outcome.standing, "as_of": stamp(outcome.as_of)}


def _resource(kind: str, name: str, scope: str, file: Path) -> dict[str, str]:
    return {
        "prefect.resource.id": f"ceasewatch.{kind}.{name}",
        "prefect.resource.name": name,
        "ceasewatch.scope": scope,
        "ceasewatch.file": str(file),
    }
