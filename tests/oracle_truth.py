"""Since when could each step be told? The naive answer to rules T."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from oracle_incidents import components, linked
from oracle_reports import Row, distance, pause
from oracle_violations import material, violation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import pandas as pd

    from geo.policy import Policy
    from geo.theatre import Theatre

    Known = Callable[[datetime], dict[str, list[Row]]]
    Parts = Callable[[list[Row]], list[Row]]


class Around(NamedTuple):
    """One neighbourhood in which people decided anything."""

    reports: list[Row]
    decided: list[datetime]

    def holds(self, incident: Row) -> bool:
        """Whether an incident is in it."""
        ids = {row["id"] for row in self.reports}
        return any(row["id"] in ids for v in incident["members"] for row in v["members"])


def neighbourhoods(
    rows: list[Row], incidents: list[Row], commands: pd.DataFrame | None, theatre: Theatre, policy: Policy
) -> list[Around]:
    """T8."""
    given = [] if commands is None else commands.to_dict("records")
    of = {f"D-{row['ledger_no']}": row for row in given}
    named = []
    for row in given:
        released = of.get(str(row["target"]).strip().upper(), {"subjects": {}})
        named.append(({*row["subjects"].values(), *released["subjects"].values()}, row["known_at"].to_pydatetime()))
    homes = [{r["id"] for v in i["members"] for r in v["members"]} for i in incidents if i["kind"] == "B"]
    rules, links = policy.corroboration, policy.grouping
    reach = max(links.link_m, rules.agree_m + 2 * rules.coarse_m)
    gap = max(policy.link_gap, timedelta(minutes=rules.agree_min))

    def neighbours(a: Row, b: Row) -> bool:
        return (
            (distance(a, b) <= reach and pause(a, b) <= gap)
            or any(a["id"] in home and b["id"] in home for home in homes)
            or any(a["no"] in items and b["no"] in items for items, _ in named)
        )

    every = components([row for row in rows if material(row, theatre) and not row["coarse"]], neighbours)
    said = [[known for items, known in named if any(row["no"] in items for row in group)] for group in every]
    return [Around(group, known) for group, known in zip(every, said, strict=True) if known]


def tell(incident: Row, around: list[Around], known: Known, parts: Parts, theatre: Theatre, policy: Policy) -> None:
    """Give every step of an incident the moment since when it could be told."""
    if incident["kind"] == "C":
        return
    touched = next((each for each in around if each.holds(incident)), None)
    opened: dict[str, datetime] = {}
    for step in sorted(incident["steps"], key=lambda s: s["kind"] != "opened"):
        floor = step["known_at"]
        if step["kind"] == "ended":
            floor = max(floor, opened[step["scenario"]])
        needs = incident["members"] if step["kind"] == "ended" else step["needs"]
        if touched is not None:
            step["known_at"] = in_the_answer(step, needs, floor, incident, touched, known, policy)
        else:
            step["known_at"] = by_itself(step, needs, floor, incident, parts, theatre, policy)
        if step["kind"] == "opened":
            opened[step["scenario"]] = step["known_at"]


def held_together(needs: list[Row], floor: datetime, incident: Row, policy: Policy) -> datetime | None:
    """T5: the earliest moment, from the floor on, at which what was known of the incident holds these together."""
    members, wanted = incident["members"], {v["id"] for v in needs}
    for moment in sorted({floor, *(v["qualified_known_at"] for v in members if v["qualified_known_at"] > floor)}):
        told = [v for v in members if v["qualified_known_at"] <= moment]
        if any(wanted <= {v["id"] for v in part} for part in components(told, lambda a, b: linked(a, b, policy))):
            return moment
    return None


def by_itself(
    step: Row, needs: list[Row], floor: datetime, incident: Row, parts: Parts, theatre: Theatre, policy: Policy
) -> datetime:
    """T5'."""
    members = incident["members"]
    links = held_together(needs, floor, incident, policy)
    assert links is not None
    spans = [sorted(row["known_at"] for row in v["carriers"]) for v in members]
    one_window = len({frozenset(v["windows"]) for v in members}) == 1
    if one_window and not any(span[0] <= links < span[-1] for span in spans):
        return links
    for moment in sorted({links, *(at for span in spans for at in span if at > links)}):
        then = []
        for v in members:
            left = [row for row in v["members"] if row["known_at"] <= moment]
            then += [{**violation(left, [], theatre, policy), "of": v["id"]}] if left else []
        for part in parts(then):
            if {v["id"] for v in needs} <= {v["of"] for v in part["members"]} and took(part, step):
                return moment
    raise AssertionError


def in_the_answer(
    step: Row, needs: list[Row], floor: datetime, incident: Row, touched: Around, known: Known, policy: Policy
) -> datetime:
    """T9."""
    carriers = [{row["id"]: row["known_at"] for row in v["carriers"]} for v in needs]
    links = None if step["kind"] in {"ended", "declared"} else held_together(needs, floor, incident, policy)
    late = [row["known_at"] for row in touched.reports if row["known_at"] >= max(touched.decided)]
    own = [at for each in carriers for at in each.values()]
    tried = sorted({at for at in [links, *own, *touched.decided, *late] if at is not None and at > floor})
    for moment in [floor, *tried]:
        for other in known(moment)["incidents"]:
            held = {row["id"] for v in other["members"] for row in v["members"]}
            if other["kind"] == "B" and took(other, step) and all(held & each.keys() for each in carriers):
                return moment
    return max([floor, *tried])


def took(part: Row, step: Row) -> bool:
    """Whether an incident takes a step of that scenario, kind and tier."""
    same = ("scenario", "kind", "tier_to")
    return any(all(own[name] == step[name] for name in same) for own in part["steps"])
