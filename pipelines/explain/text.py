"""How is an explanation told to people?"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from pipelines.edge import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH: Final = 100
SHOWN: Final = 8
"""How many of a step's reports are listed, pivotal ones first, unless all are asked for."""


def tell(explanation: dict[str, Any], *, every: bool = False) -> str:
    """Return the explanation as plain text; ``every``: with all reports of each step."""
    lines = _TELL[explanation["kind"]](explanation, None if every else SHOWN)
    moment = f"at {explanation['as_of']}, " + (
        f"as known at {explanation['known_at']}" if explanation["known_at"] else "with all that is known"
    )
    return "\n".join([*lines, "", f"({moment})"])


def _incident(told: dict[str, Any], limit: int | None) -> Iterator[str]:
    row = told["incident"]
    yield f"{told['name']}  {row['name']}"
    yield f"  state      {_state(row)}"
    if told["kind"] == "incident":
        steps = f"eligible {row['tier_eligible']} ({row['tier_label']}), effective {row['tier_effective']}"
        yield f"  tier       {steps}, declared {_or(row['tier_declared'])}; highest ever eligible {row['tier_peak']}"
        yield f"  T0         {_span(row['t0_from'], row['t0_to'])}"
    yield f"  observed   {_span(row['first_observed'], row['last_observed'])}"
    yield f"  next due   {row['next_due_what']} by {row['next_due']}" if row["next_due"] else "  next due   nothing"
    reports = f"{row['reports']} reports ({row['reports_public']} public) of {row['origins']} independent origins"
    yield f"  counted    {row['violations']} violations ({row['qualifying']} qualify), {reports}"
    yield from _extras(row)
    if told["steps"]:
        yield from ("", "How it got there")
    yield from _steps(told["steps"], limit)
    yield from _voices(told["voices"], limit)
    yield from _decided(told["decisions"])
    if told["lineage"]:
        yield from ("", "Lineage")
    for row in told["lineage"]:
        yield from _wrapped(descent(row), "  ")
    yield from ("", "What would have to happen next")
    for need in told["next"]:
        yield from _wrapped(needed(need), "  ")


def descent(row: dict[str, Any]) -> str:
    """Return a row of lineage as a sentence."""
    what = {
        "merge": f"{row['from_id']} merged into {row['to_id']}",
        "split": f"{row['from_id']} was split, a part is {row['to_id']}",
        "recurrence": f"{row['to_id']} takes up {row['from_id']}",
    }.get(
        row["kind"],
        f"{row['from_id']} is {row['to_id']} now, by {row['kind']}"
        if row["to_id"]
        else f"{row['from_id']} was withdrawn, by {row['kind']}",
    )
    known = f", known {row['known_at']}" if row["known_at"] else ""
    return f"{what} (at {row['at']}{known}): {row['reason']}."


def needed(need: dict[str, Any]) -> str:
    """Return what a step waits for as a sentence."""
    if need["tier"]:
        return f"Tier {need['tier']}: {need['needs']}."
    due = f" by {need['not_before']}" if need["needs"].startswith("next due") else ""
    return f"{need['needs'][0].upper()}{need['needs'][1:]}{due}."


def _state(row: dict[str, Any]) -> str:
    return (
        str(row["state"])
        + (f" ({row['end']})" if row["end"] else "")
        + (f", hostilities beyond the first window: {row['persistence']}" if row["persistence"] else "")
    )


def _extras(row: dict[str, Any]) -> Iterator[str]:
    if row["expansion"]:
        yield f"  growth     {row['expansion']}"
    if row["recurrence_of"]:
        yield f"  recurrence of {row['recurrence_of']}, pause watched: {'yes' if row['gap_covered'] else 'no'}"
    if row["weak_link"]:
        yield "  weak link  one link alone holds two parts of it together; a person should look"


def _voices(voices: list[dict[str, Any]], limit: int | None) -> Iterator[str]:
    """Tell who spoke of it, how often, and when that arrived: a flood stands there with its names and its hours."""
    yield from ("", "Who told of it, in order of arrival")
    for one in voices[:limit]:
        count = f"{one['reports']:,} {'report' if one['reports'] == 1 else 'reports'}, {one['count']:,} in what counts"
        yield f"  {one['source']} ({one['trust']}): {count}, recorded {_span(one['first'], one['last'])}"
    rest = voices[:0] if limit is None else voices[limit:]
    if rest:
        crowd = sum(one["reports"] for one in rest)
        yield f"  … and {len(rest):,} more sources with {crowd:,} reports (--all lists them)"


def _decided(decisions: list[dict[str, Any]]) -> Iterator[str]:
    """Tell what people decided, who, why, and what became of it."""
    if decisions:
        yield from ("", "What people decided")
    for one in decisions:
        words = (one["command"], one["target"], one["value"], one["violations"])
        until = f" until {one['expires']}" if one["expires"] else ""
        yield f"  {one['review_id']}  {' '.join(word for word in words if word)}, {one['at']}{until}: {one['answer']}"
        yield from _wrapped(f"{_or(one['reviewer'])}: {_or(one['reason'])}", "      ")
        if one["why"]:
            yield from _wrapped(f"({one['why']})", "      ")


def _steps(steps: list[dict[str, Any]], limit: int | None) -> Iterator[str]:
    """Tell the steps with all violations counted in full, those of the other scenarios in a line each."""
    shown: dict[tuple[tuple[str, bool], ...], int] = {}
    for step in (step for step in steps if step["scenario"] == "any"):
        yield from _step(step)
        carriers = tuple((report["report_id"], report["pivotal"]) for report in step["reports"])
        if carriers in shown:
            yield f"      carried by the same {len(carriers)} reports as step {shown[carriers]}"
        else:
            yield from _carriers(step["reports"], limit)
            shown[carriers] = step["seq"]
    yield ""
    yield from _other_scenarios(steps)


def _step(step: dict[str, Any]) -> Iterator[str]:
    late = f" (known {step['known_at']})" if step["known_at"] != step["at"] else ""
    yield f"  {step['seq']}. {what(step)}, {step['at']}{late}"
    yield from _wrapped(f"{step['rule']}: {step['reason']}", "      ")


def what(step: dict[str, Any]) -> str:
    """Return the kind of a step, and which tiers it is between."""
    change = step["tier_from"] != step["tier_to"]
    tiers = f"tier {step['tier_from']} → {step['tier_to']}" if change else f"tier {step['tier_to']}"
    return f"{step['kind']}, {tiers}"


def _carriers(carriers: list[dict[str, Any]], limit: int | None) -> Iterator[str]:
    reports = sorted(carriers, key=lambda report: not report["pivotal"])
    for report in reports[:limit]:
        yield f"      {'*' if report['pivotal'] else '-'} {report_line(report)}"
    rest = len(reports) - len(reports[:limit])
    if rest:
        yield f"      … and {rest} more (--all lists them)"
    if any(report["pivotal"] for report in reports):
        yield "      (* pivotal: without this report alone the tier would be gone)"


def _other_scenarios(steps: list[dict[str, Any]]) -> Iterator[str]:
    everything = _course(steps, "any")
    for scenario in dict.fromkeys(step["scenario"] for step in steps if step["scenario"] != "any"):
        course = _course(steps, scenario)
        head = f"  Counting only violations attributed to {scenario.replace('+unknown', ' or to nobody')}:"
        if course == everything:
            yield f"{head} the same steps"
            continue
        yield head
        yield from (f"    {move}, {at}" for move, at in course)


def _course(steps: list[dict[str, Any]], scenario: str) -> list[tuple[str, str]]:
    return [(what(step), step["at"]) for step in steps if step["scenario"] == scenario]


def _wrapped(sentence: str, indent: str) -> list[str]:
    return textwrap.wrap(sentence, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def report_line(report: dict[str, Any]) -> str:
    """Return a report as one line: who said it, when, what, where, and where it can be read."""
    return f"{report['report_id']}, {_statement(report)}"


def _statement(report: dict[str, Any]) -> str:
    words = [
        report["source"] + (f" {report['source_ref']!r}" if report["source_ref"] else ""),
        _span(report["observed_from"], report["observed_to"]),
        report["act"] + (f" ({report['weapon']})" if report["weapon"] else ""),
        _place(report),
        plain(report["url"] or ""),
    ]
    return ", ".join(word for word in words if word)


def _place(row: dict[str, Any]) -> str:
    if row["distance_m"] is None:
        return "not located"
    segment = row["segment_id"] or "between segments"
    if row["withheld"]:
        return f"{segment}, zone {row['zone_id']}" if row["zone_id"] else segment
    side = {"left": " to the left", "right": " to the right"}.get(row["side"], ", beyond the line's ends")
    zone = f", zone {row['zone_id']}" if row["zone_id"] else ""
    name = f"{row['place_name']}, " if row["place_name"] else ""
    return f"{name}{segment} at km {row['chainage_m'] / 1000:.1f}, {row['distance_m'] / 1000:.1f} km{side}{zone}"


def _violation(told: dict[str, Any], _limit: int | None) -> Iterator[str]:
    row = told["violation"]
    yield f"{told['name']}  {row['act']}, {_span(row['observed_from'], row['observed_to'])}, {_place(row)}"
    yield f"  status     {row['status']}, {row['origins']} independent origins"
    yield f"  qualifies  {'yes' if row['qualifying'] else 'no: ' + _or(row['why_not'])}"
    yield f"  incident   {_or(row['incident_id'])}" + (
        " (attached: changes nothing about it)" if row["attached"] else ""
    )
    yield from ("  reports", *(f"    - {report_line(report)}" for report in told["reports"]))
    yield from _decided(told["decisions"])


def _report(told: dict[str, Any], _limit: int | None) -> Iterator[str]:
    row = told["report"]
    yield f"{told['name']}  {_statement(row)}"
    yield f"  revision   {row['revision']}, entry {row['ledger_no']}, recorded {row['recorded_at']}"
    yield f"  violation  {_or(row['violation_id'])}"
    yield f"  incident   {_or(row['incident_id'])}"
    if row["same_point_days"]:
        days = f"its source used exactly this point on {row['same_point_days']} days; if it stands for a settlement or"
        yield from _wrapped(f"same point {days} a district, say so in theatre.toml, points of the source", "  ")
    if row["text"]:
        yield f"  text       {plain(row['text'])}"
    yield from _career(told["career"])


def _career(entries: list[dict[str, Any]]) -> Iterator[str]:
    """Tell how a report came to be what it is: by which files and rows, and who let in what had been refused."""
    if entries:
        yield from ("", "How it came in")
    for entry in entries:
        late = f" (known {entry['known_at']})" if entry["known_at"] != entry["recorded_at"] else ""
        kind = f"revision {entry['revision']}" if entry["kind"] == "revision" else entry["kind"]
        file = plain(entry["file_name"])
        row = file if entry["released"] else f"row {entry['row_no']} of {file}"
        unheard = "" if entry["heeded"] else "; changes nothing: its source was suspended"
        yield f"  entry {entry['ledger_no']}, {kind}: {row}, recorded {entry['recorded_at']}{late}{unheard}"
        order = entry["released"]
        if order:
            whole = f"released from quarantine ({', '.join(order['rows'])}) by {order['who']}: {order['why']}"
            yield from _wrapped(f"{whole} (entry {order['order']})", "      ")


def _decision(told: dict[str, Any], _limit: int | None) -> Iterator[str]:
    row = told["decision"]
    words = " ".join(word for word in (row["command"], row["target"], row["value"], row["violations"]) if word)
    yield f"{told['name']}  {words}"
    yield from _wrapped(f"decided    by {_or(row['reviewer'])}, {_or(row['at'])}: {_or(row['reason'])}", "  ")
    yield f"  until      {row['expires'] or 'it is released or overruled'}"
    yield from _wrapped(f"answer     {row['answer']}" + (f": {row['why']}" if row["why"] else ""), "  ")
    yield f"  known      {_or(row['known_at'])}"
    yield f"  bears on   {row['violation_id'] or row['incident_id'] or 'nothing now'}" + (
        f" of {row['incident_id']}" if row["violation_id"] and row["incident_id"] else ""
    )
    if told["steps"]:
        yield from ("", "Steps that rest on it")
    for step in told["steps"]:
        yield from _step(step)
    if told["others"]:
        yield from ("", f"What else people decided of {row['incident_id']}")
        yield from list(_decided(told["others"]))[2:]


def _lost(told: dict[str, Any], _limit: int | None) -> Iterator[str]:
    entry, became = told["entry"], told["became"]
    what = {"B": "incident", "C": "candidate", "V": "violation", "R": "active report", "D": "decision"}[told["name"][0]]
    yield f"{told['name']} is no {what} at this moment."
    source = f" of source {entry['source']}" if entry.get("source") else ""
    ref = f", item {entry['source_ref']!r}" if entry.get("source_ref") else ""
    kind = "report" if entry["kind"] == "new" else entry["kind"]
    yield f"  Its number is that of a ledger entry: {kind}{source}{ref}."
    for found in told["published"]:
        yield f"  It was published under this name ({found['scope']}) for {found['as_of']}."
    for row in told["lineage"]:
        yield from _wrapped(descent(row), "  ")
    if became is None:
        yield "  What it said is not among the active reports of this moment: retracted, not yet known, or no report."
    elif became["incident_id"]:
        home = f"{became['violation_id']} of {became['incident_id']}"
        yield f"  What it said is report {became['report_id']}, now in {home}."
    else:
        violation = f"violation {_or(became['violation_id'])}"
        yield f"  What it said is report {became['report_id']}, which belongs to no incident now ({violation})."
    yield from _career(told["career"])


_TELL: Final = {
    "incident": _incident,
    "candidate": _incident,
    "violation": _violation,
    "report": _report,
    "decision": _decision,
    "lost": _lost,
}


def _span(begin: str | None, end: str | None) -> str:
    if begin is None or end is None:
        return _or(begin or end)
    if begin == end:
        return begin
    shared = begin[:11] == end[:11]
    return f"{begin} to {end[11:] if shared else end}"


def _or(value: object) -> str:
    return "none" if value is None else str(value)
