"""What became of a name that means nothing at a moment?

Its number is that of an entry of the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo import lineage, news
from pipelines import publications
from pipelines.explain.answers import career, head, stamped, unknown
from pipelines.outcome import records, stamp
from pipelines.recall import memory
from pipelines.watch import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.explain.answers import Answer
    from pipelines.explain.whole import Whole
    from pipelines.publications import Publication


def lost(answer: Whole, name: str) -> dict[str, Any]:
    """Say what became of a name, of which a publication may once have spoken.

    Raises
    ------
    PolicyError
        If the entry that bears its number was not known.
    """
    item = answer.item
    since = item.get("known_at", item["recorded_at"])
    if answer.known_at is not None and since > answer.known_at:
        raise unknown(answer, name, item["ledger_no"], there=True)
    with answer.workspace.ledger() as ledger:
        named = publications.naming(ledger, name)
    said = [found for found in named if _heard(answer, found)]
    return {
        **head(answer, name),
        "kind": "lost",
        "entry": stamped(item),
        "career": career(answer, item["report_id"]) if "report_id" in item else [],
        "published": [
            {"as_of": stamp(found.as_of), "known_at": stamp(found.known_at), "scope": found.region or "whole"}
            for found in said
        ],
        "lineage": _fate(answer, name, said),
        "became": _became(answer, item),
    }


def _heard(answer: Answer, found: Publication) -> bool:
    """Tell whether a publication rests on no later knowledge than this answer."""
    return answer.known_at is None or found.knowledge <= answer.known_at


def _fate(answer: Whole, name: str, said: list[Publication]) -> list[dict[str, Any]]:
    """Return what became of a name since the last publication that said it, by this moment's answer."""
    told = [found for found in said if found.as_of <= answer.as_of]
    if not told:
        return []
    last = told[-1]
    with answer.workspace.ledger() as ledger:
        then = memory(answer.workspace, ledger, last.known_at, last.ledger_no)
    begun = then.reports[then.reports["observed_from"] <= last.as_of]
    came = answer.known.reports[answer.known.reports["observed_from"] <= answer.as_of]
    arrived = news.between(begun, came, None, answer.known.withdrawn)
    rows = lineage.compare(judge(then, last.as_of).tables, answer.tables, arrived)
    return records(rows[rows["from_id"] == name])


def _became(answer: Whole, item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return where the item that once gave a name stands now, or ``None`` where it stands nowhere."""
    reports = answer.tables["reports"]
    mine = reports[reports["report_id"] == item.get("report_id")]
    return records(mine[["report_id", "violation_id", "incident_id"]])[0] if len(mine) else None
