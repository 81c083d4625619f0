"""What did people decide, worked out the long way? The naive answer to rules P."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any

from oracle_incidents import linked
from oracle_reports import ALWAYS, Row, distance, pause

if TYPE_CHECKING:
    import pandas as pd

    from geo.policy import Policy

STATUS = {"confirm": "confirmed", "refute": "refuted", "exempt": "exempt"}


def read_commands(frame: pd.DataFrame | None) -> list[Row]:
    """Return the commands as dicts, in order of the ledger; tests give no malformed ones but unknown names."""
    if frame is None:
        return []
    rows: list[Row] = []
    for record in frame.sort_values("ledger_no").to_dict("records"):
        row: Row = {str(name): value for name, value in record.items()}
        listed = row["violations"] if isinstance(row["violations"], str) else ""
        person = " ".join(unicodedata.normalize("NFKC", row["reviewer"]).casefold().split())
        expires = row["expires"].to_pydatetime() if row["expires"] == row["expires"] else ALWAYS
        row |= {"no": row["ledger_no"], "at": row["at"].to_pydatetime(), "expires": expires, "person": person}
        row |= {"known_at": row["known_at"].to_pydatetime(), "listed": listed.split(), "says": None}
        fine = (row["command"] != "split" or row["listed"]) and row["expires"] > max(row["at"], row["known_at"])
        rows += [row] if fine else []
    return rows


def speaking(rows: list[Row], as_of: datetime) -> list[Row]:
    """P2 to P4."""
    accepted: list[Row] = []
    for row in rows:
        if legal(row, accepted):
            accepted.append(row)
    return [row for row in accepted if row["at"] <= as_of < row["expires"] and not released(row, accepted, as_of)]


def legal(row: Row, earlier: list[Row]) -> bool:
    """P2 and P3."""
    if row["command"] == "release":
        return any(takes_back(row, one) for one in earlier)
    fixes = [one for one in earlier if one["command"] == "fix" and one["at"] <= row["at"] < one["expires"]]
    if any(items(fix) & items(row) and not released(fix, earlier, row["at"]) for fix in fixes):
        return False
    if row["command"] == "fix" and row["target"][0] == "V":
        row["says"] = row["value"] or held(row, earlier)
        return row["says"] is not None
    row["says"] = STATUS.get(row["command"], row["value"])
    return True


def held(fix: Row, earlier: list[Row]) -> Any:  # noqa: ANN401 -- a status or nothing
    """Return the status that people had given to that very item."""
    mine = [
        one
        for one in earlier
        if one["command"] in STATUS
        and one["target"][0] == "V"
        and item(one) == item(fix)
        and one["at"] <= fix["at"] < one["expires"]
        and not released(one, earlier, fix["at"])
    ]
    return last_word(mine)["says"] if mine else None


def item(row: Row) -> int:
    """Return the item that the target means."""
    return int(row["subjects"][row["target"]])


def items(row: Row) -> set[tuple[bool, int]]:
    """Return everything that a command names."""
    return {(name[0] == "B", number) for name, number in row["subjects"].items()}


def takes_back(release: Row, one: Row) -> bool:
    """P3."""
    if one["command"] == "release" or one["no"] >= release["no"]:
        return False
    if release["target"][0] == "D":
        return bool(one["no"] == int(release["target"][2:]))
    return one["command"] == "fix" and (release["target"][0] == "B", item(release)) in items(one)


def released(one: Row, accepted: list[Row], when: datetime) -> bool:
    """P3."""
    return any(
        row["command"] == "release" and row["at"] <= when < row["expires"] and takes_back(row, one) for row in accepted
    )


def last_word(rows: list[Row]) -> Row:
    """P5, fixes aside."""
    own = {row["person"]: row for row in sorted(rows, key=lambda row: (row["at"], row["no"]))}
    return max(own.values(), key=lambda row: int(row["no"]))


def say(rows: list[Row], commands: list[Row]) -> list[Row]:
    """P6: leave out what is disregarded, and write on every report what is said by it."""
    gone = {item(row) for row in commands if row["command"] == "refute" and row["target"][0] == "R"}
    kinds = {*STATUS, "attribute", "fix"}
    spoken = [row for row in commands if row["command"] in kinds and row["target"][0] == "V"]
    return [{**row, "said": [one for one in spoken if item(one) == row["no"]]} for row in rows if row["no"] not in gone]


def decided(carriers: list[Row], *, party: bool = False) -> Row | None:
    """P5 and P6: the command that holds on the status, or on the party, of a violation."""
    every = {one["no"]: one for row in carriers for one in row.get("said", [])}
    mine = [one for _, one in sorted(every.items()) if (one["command"] == "attribute") == party]
    fixes = [one for one in mine if one["command"] == "fix"]
    return fixes[0] if fixes else last_word(mine) if mine else None


def arrange(parts: list[list[Row]], commands: list[Row], policy: Policy) -> list[list[Row]]:
    """P8: the components as people want them."""
    for row in commands:
        parts = rearranged(parts, row, policy)
    return parts


def rearranged(parts: list[list[Row]], row: Row, policy: Policy) -> list[list[Row]]:
    """P8: what one command makes of the components; the very same where it is none of these, or is rejected."""
    before = home(row, parts)
    kind = row["command"]
    if kind == "merge":
        return merged(parts, before, named(row["value"], row, parts), policy)
    if kind == "move":
        to = named(row["value"], row, parts)
        mine = None if before is None else [v for v in before if is_item(v, item(row))]
        if mine and to is not None and to is not before and big(to, policy) and meet(mine, to):
            return parted(parts, mine, to, row, policy)
    elif (kind == "split" or (kind == "fix" and row["listed"])) and before is not None and big(before, policy):
        among = before if kind == "split" else [v for part in parts for v in part]
        mine = [v for v in among if any(is_item(v, row["subjects"][name]) for name in row["listed"])]
        if mine and not (kind == "split" and len(mine) == len(before)):
            return parted(parts, mine, None, row, policy)
    return parts


def is_item(v: Row, number: int) -> bool:
    """Whether an item is part of a violation."""
    return any(row["no"] == number for row in v["members"])


def home(row: Row, parts: list[list[Row]]) -> list[Row] | None:
    """Return the component of a command's target."""
    return named(row["target"], row, parts) if row["target"] in row["subjects"] else None


def named(name: str, row: Row, parts: list[list[Row]]) -> list[Row] | None:
    """Return the component that a name means."""
    number = row["subjects"].get(name)
    return next((part for part in parts if any(is_item(v, number) for v in part)), None)


def big(part: list[Row], policy: Policy) -> bool:
    """Whether a component is an incident."""
    return len(part) >= policy.ladder.open_n


def meet(one: list[Row], other: list[Row]) -> bool:
    """Whether two components have a window in common."""
    a, b = (set().union(*(v["windows"] for v in part)) for part in (one, other))
    return bool(a & b)


def merged(parts: list[list[Row]], one: list[Row] | None, other: list[Row] | None, policy: Policy) -> list[list[Row]]:
    """P8, merge."""
    if one is None or other is None or one is other or not (big(one, policy) and big(other, policy)):
        return parts
    if not meet(one, other):
        return parts
    return [part for part in parts if part is not one and part is not other] + [one + other]


def parted(parts: list[list[Row]], mine: list[Row], to: list[Row] | None, row: Row, policy: Policy) -> list[list[Row]]:
    """P8: take some violations out of their components, with what follows them."""
    ids = {v["id"] for v in mine}
    out, gone = [], list(mine)
    for part in parts:
        if part is to or not any(v["id"] in ids for v in part):
            out.append(part)
            continue
        side = {v["id"]: v["id"] in ids for v in part if v["id"] in ids or v["from"] <= row["at"]}
        while links := open_links(part, side, policy):
            *_, new, old = min(links)
            side[new] = side[old]
        gone += [v for v in part if side.get(v["id"], False) and v["id"] not in ids]
        out.append([v for v in part if not side.get(v["id"], False)])
    if to is None:
        out.append(gone)
    else:
        out = [part if part is not to else [*to, *(v for v in gone if v not in to)] for part in out]
    return [part for part in out if part]


def open_links(part: list[Row], side: dict[str, bool], policy: Policy) -> list[tuple[Any, ...]]:
    """Return the links from those that have a side to those that have none."""
    return [
        (pause(a, b), distance(a, b), b["content"], a["content"], b["id"], a["id"])
        for a in part
        for b in part
        if a["id"] in side and b["id"] not in side and linked(a, b, policy)
    ]


def about(incident: Row, commands: list[Row]) -> list[Row]:
    """Return the commands whose target is this incident, through an item of what counts in it."""
    mine = [row for row in commands if row["target"][0] == "B" and row["target"] in row["subjects"]]
    return [row for row in mine if any(is_item(v, item(row)) for v in incident["members"])]


def winner(commands: list[Row], *kinds: str) -> Row | None:
    """P5, of those of some kinds; with the instant that it names, or else its own."""
    mine = [row for row in commands if row["command"] in kinds]
    if not mine:
        return None
    last = last_word(mine)
    return {**last, "instant": datetime.fromisoformat(last["value"]) if last["value"] else last["at"]}


def close_or_open(incident: Row) -> None:
    """P10."""
    said = winner(incident.get("about", []), "end", "reopen")
    over = incident["end_at"]
    if said is None:
        return
    if said["command"] == "end":
        goes_on = any(v["from"] > said["instant"] for v in incident["members"])
        if not goes_on and (over is None or over > said["instant"]):
            incident.update(state="ended", end="decided", end_at=said["instant"], end_known=said["known_at"])
    elif over is not None and incident["end"] != "lapsed" and said["at"] >= over:
        incident.update(state="quiet", end=None, end_at=None)


def declarations(incident: Row, commands: list[Row]) -> list[Row]:
    """P11."""
    opened = next((s for s in incident["steps"] if s["scenario"] == "any" and s["kind"] == "opened"), None)
    over = incident["end_at"] or ALWAYS
    about = [row for row in commands if row["command"] == "declare" and row["target"] in row["subjects"]]
    mine = [row for row in about if any(is_item(v, item(row)) for v in incident["members"])]
    steps = []
    for tier in ("1", "2", "3"):
        legal_ones = [r for r in mine if r["value"] == tier and opened and opened["at"] <= r["at"] < over]
        first: dict[str, Row] = {}
        for row in sorted(legal_ones, key=lambda r: (r["at"], r["no"])):
            first.setdefault(row["person"], row)
        needed = list(first.values())[: 1 if tier == "1" else 2]
        if opened and needed and (tier == "1" or len(needed) > 1):
            at = needed[-1]["at"]
            known = max(at, *(row["known_at"] for row in needed))
            needs = opened["needs"]
            steps.append({"kind": "declared", "tier_to": int(tier), "at": at, "known_at": known, "needs": needs})
    return steps
