"""What became of a name that means nothing at a moment?

Its number is that of an entry of the ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo import lineage, news
from geo.errors import PolicyError
from pipelines import publications
from pipelines.explain.answers import career, head, stamped
from pipelines.outcome import records, stamp
from pipelines.recall import memory
from pipelines.watch import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.explain.answers import Answer
    from pipelines.explain.whole import Whole
    from pipelines.publications import Publication


def lost(answer: Whole, name: str, number: int) -> dict[str, Any]:
    """Say what became of a name, of which a publication may once have spoken.

    Raises
    ------
    PolicyError
        If no entry that was known bears its number.
    """
    with answer.workspace.ledger() as ledger:
        item, named = ledger.item(number), publications.naming(ledger, name)
    if item is None or not _known(answer, item):
        then = "" if answer.known_at is None else f" that was known at {stamp(answer.known_at)}"
        msg = f"{name}: the ledger has no entry {number}{then}, so nothing bore that name"
        if item is not None and answer.known_at is None:  # else what came later would change what is said of then
            last = f"the last publication, as of {stamp(answer.as_of)}"
            msg = f"{name}: entry {number} came in after {last}, of which this speaks; run again, or give --as-of"
        raise PolicyError(msg)
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


def _known(answer: Answer, item: Mapping[str, Any]) -> bool:
    """Tell whether an entry had arrived by the moment of knowledge."""
    since = item.get("known_at", item["recorded_at"])
    late = answer.known_at is not None and since is not None and since > answer.known_at
    return not late and (answer.up_to_no is None or item["ledger_no"] <= answer.up_to_no)


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
