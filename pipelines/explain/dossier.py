"""How is an explanation written down, whole, with its sources?

As Markdown: where it stands, the timeline, the chain from each report through violation and incident to every step,
what would have to happen next, and every source with its link. What is no incident is told as plain text in a block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipelines.explain.text import descent, needed, report_line, tell, what
from pipelines.markdown import plain, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def dossier(explanation: dict[str, Any]) -> str:
    """Return the whole explanation as Markdown; nothing that a source wrote is taken for markup."""
    if explanation["kind"] != "incident":
        return f"```\n{tell(explanation, every=True)}\n```"
    return "\n".join(_lines(explanation))


def _lines(told: dict[str, Any]) -> Iterator[str]:
    row = told["incident"]
    known = f"as known at {told['known_at']}" if told["known_at"] else "with all that is known"
    yield f"# {told['name']}: {plain(row['name'])}"
    yield from ("", f"At {told['as_of']}, {known}. Eligible, effective and declared are three things.", "")
    yield from table(("", ""), [(title, row[name]) for title, name in _STANDING.items()])
    yield from ("", "## Timeline", "")
    head = ("begin", "end", "known", "violation", "act", "where", "status", "counts", "sources", "reports")
    yield from table(head, [_event(each) for each in told["timeline"]])
    yield from ("", "## Steps and the reports that carry them", "")
    for step in told["steps"]:
        if step["scenario"] == "any":
            yield from _step(told["name"], step)
    if told["lineage"]:
        yield from ("## Lineage", "", *(f"- {plain(descent(each))}" for each in told["lineage"]), "")
    yield from ("## What would have to happen next", "", *(f"- {plain(needed(each))}" for each in told["next"]), "")
    yield from ("## Sources", "")
    yield from (f"- {_source(report)}" for report in _sources(told["steps"]))


_STANDING: Final = {
    "state": "state", "end": "end", "tier eligible": "tier_eligible", "tier effective": "tier_effective",
    "tier declared": "tier_declared", "highest ever eligible": "tier_peak", "T0 from": "t0_from", "T0 to": "t0_to",
    "known at": "t0_known_at", "last observed": "last_observed", "next due": "next_due", "what is due": "next_due_what",
    "persistence": "persistence", "growth": "expansion", "violations that count": "qualifying",
    "independent origins": "origins", "segments": "segments", "regions": "regions",
}  # fmt: skip


def _event(each: dict[str, Any]) -> tuple[object, ...]:
    counts = "yes" if each["qualifying"] else f"no: {each['why_not']}"
    times = (each["observed_from"], each["observed_to"], each["recorded_at"])
    what = (each["violation_id"], each["act"], each["place_name"], each["status"], counts)
    return (*times, *what, ", ".join(each["sources"]), ", ".join(each["reports"]))


def _step(name: str, step: dict[str, Any]) -> Iterator[str]:
    yield f"### {step['seq']}. {plain(what(step))}, {step['at']}"
    late = f" Known {step['known_at']}." if step["known_at"] != step["at"] else ""
    yield from (
        "",
        f"{plain(step['rule'])}: {plain(step['reason'])}.{late} Policy {plain(step['policy_version'])}.",
        "",
    )
    head = ("report", "source", "violation", "incident", "step", "pivotal")
    signs = {True: "yes", False: "no", None: "not examined"}
    rows = [
        (each["report_id"], each["source"], each["violation_id"], name, what(step), signs[each["pivotal"]])
        for each in step["reports"]
    ]
    yield from table(head, rows)
    yield ""


def _sources(steps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return every report that carries a step, once, in order of its number."""
    found = {each["report_id"]: each for step in steps for each in step["reports"]}
    return sorted(found.values(), key=lambda each: int(each["report_id"].split("-")[1]))


def _source(report: dict[str, Any]) -> str:
    url = report["url"]
    line = plain(report_line({**report, "url": None}))
    if url is None:
        return line
    safe = url.startswith(("https://", "http://")) and not set(url) & set("<> \n\r\t")
    return f"{line}, <{url}>" if safe else f"{line}, {plain(url)}"
