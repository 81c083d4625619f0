"""Do the fast and the naive implementation say the same about any world?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import builders
import oracle
import pandas as pd
import strategies
from builders import report
from hypothesis import given
from hypothesis import strategies as st

from geo.assess import assess, place

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from strategies import World

    from geo.assess import Assessment

VIOLATION = (
    "status", "qualifying", "heat_consistent", "exemption", "count_low", "count_best", "count_high", "killed_low",
    "killed", "injured",
)  # fmt: skip
FIELDS = (
    "state", "end", "tier_eligible", "tier_effective", "tier_peak", "t0_from", "t0_to", "last_observed", "persistence",
    "weak_link", "recurrence_of", "gap_covered", "origins", "tier_declared",
)  # fmt: skip
CANDIDATE_FIELDS = ("state", "end", "tier_eligible", "tier_effective", "tier_peak")
STEP = ("incident_id", "scenario", "seq", "kind", "tier_from", "tier_to", "at", "known_at")
READING = (
    "incident_id", "scenario", "qualifying", "tier_eligible", "tier_effective", "tier_peak", "t0_from", "t0_to",
    "extent_first_m", "extent_m", "depth_first_m", "depth_m", "rate_first_n", "rate_n", "next_due", "persistence",
)  # fmt: skip
CARRIES = ("incident_id", "scenario", "seq", "report_id", "pivotal")

Said = dict["Hashable", dict[str, Any]]


def plain(value: Any) -> Any:  # noqa: ANN401 -- a cell
    """Return a cell as plain Python; missing is None."""
    if pd.isna(value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def rows(frame: pd.DataFrame, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the named columns, row by row."""
    return [{name: plain(row[name]) for name in names} for row in frame[list(names)].to_dict("records")]


def fast_says(found: Assessment) -> dict[str, Said]:
    """Return what the published layers say, keyed by name."""
    tables = found.tables
    violations = {row["violation_id"]: row for row in rows(tables["violations"], ("violation_id", *VIOLATION))}
    members = _gathered(tables["reports"], "violation_id", "report_id")
    attached = tables["violations"]["attached"].fillna(value=False).astype(bool)
    linked = _gathered(tables["violations"][~attached], "incident_id", "violation_id")
    held = _gathered(tables["violations"][attached], "incident_id", "violation_id")
    incidents = {row["incident_id"]: row for row in rows(tables["incidents"], ("incident_id", *FIELDS))}
    steps, carried = rows(tables["transitions"], STEP), rows(tables["evidence"], CARRIES)
    return {
        "violations": {
            name: {"members": members[name], **{field: row[field] for field in VIOLATION}}
            for name, row in violations.items()
        },
        "incidents": {
            name: {"members": linked.get(name, set()), "attached": held.get(name, set()), **_fields(name, row)}
            for name, row in incidents.items()
        },
        "transitions": {(row["incident_id"], row["scenario"], row["seq"]): row for row in steps},
        "scenarios": {(row["incident_id"], row["scenario"]): row for row in rows(tables["scenarios"], READING)},
        "evidence": {(row["incident_id"], row["scenario"], row["seq"], row["report_id"]): row for row in carried},
    }


def _gathered(frame: pd.DataFrame, by: str, what: str) -> dict[str, set[str]]:
    """Return the set of ``what`` for every ``by``."""
    found: dict[str, set[str]] = frame.dropna(subset=[by]).groupby(by)[what].agg(set).to_dict()
    return found


def _fields(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both must agree on; a candidate has no clock yet."""
    return {field: row[field] for field in (FIELDS if name.startswith("B") else CANDIDATE_FIELDS)}


def naive_says(found: dict[str, list[dict[str, Any]]]) -> dict[str, Said]:
    """Return the oracle's answer in the same shape."""
    incidents = {i["id"]: {**i, "last_observed": i.get("last")} for i in found["incidents"]}
    steps = [{**s, "incident_id": s["incident"]} for s in found["transitions"]]
    carried = [{**e, "incident_id": e["incident"], "report_id": e["report"]} for e in found["evidence"]]
    return {
        "violations": {
            v["id"]: {"members": _ids(v["members"]), **{field: v[field] for field in VIOLATION}}
            for v in found["violations"]
        },
        "incidents": {
            name: {"members": _ids(i["members"]), "attached": _ids(i["attached"]), **_fields(name, i)}
            for name, i in incidents.items()
        },
        "transitions": {(s["incident_id"], s["scenario"], s["seq"]): {name: s[name] for name in STEP} for s in steps},
        "scenarios": {
            (r["incident"], r["scenario"]): {name: r["incident" if name == "incident_id" else name] for name in READING}
            for r in found["scenarios"]
        },
        "evidence": {
            (e["incident_id"], e["scenario"], e["seq"], e["report_id"]): {name: e[name] for name in CARRIES}
            for e in carried
        },
    }


def _ids(items: list[dict[str, Any]]) -> set[str]:
    return {item["id"] for item in items}


def differences(world: World) -> list[str]:
    """Return every difference as a line: table, key, what the fast and what the naive one says."""
    matched = place(world.stored, world.theatre, world.policies, world.as_of)
    stated = matched["report_id"].map(world.stored.set_index("report_id")["uncertainty_m"])
    matched["uncertainty_m"] = matched["uncertainty_m"].where(matched["withheld"], stated)
    asked = (world.coverage, world.theatre, world.policies, world.as_of, world.commands)
    fast = fast_says(assess(world.stored, *asked))
    naive = naive_says(oracle.answer(matched, *asked))
    for key, row in fast["evidence"].items():  # where people arranged an incident, nobody tries its reports one by one
        if world.commands is not None and row["pivotal"] is None and key in naive["evidence"]:
            naive["evidence"][key]["pivotal"] = None
    return [
        f"{table} {key}: {_apart(fast[table].get(key), naive[table].get(key))}"
        for table in fast
        for key in sorted(fast[table].keys() | naive[table].keys(), key=str)
        if fast[table].get(key) != naive[table].get(key)
    ]


def _apart(fast: dict[str, Any] | None, naive: dict[str, Any] | None) -> str:
    if fast is None or naive is None:
        return "only the naive one has it" if fast is None else "only the fast one has it"
    return ", ".join(
        f"{name} is {fast[name]!r}, should be {naive[name]!r}" for name in naive if fast[name] != naive[name]
    )


@strategies.tries(8)
@given(strategies.worlds())
def test_the_two_implementations_agree_on_every_row(world: World) -> None:
    assert differences(world) == []


@strategies.tries(4)
@given(strategies.worlds(sizes=(8, 12, 20)).flatmap(strategies.belated))
def test_they_agree_where_history_was_imported(world: World) -> None:
    assert differences(world) == []


@strategies.tries(4)
@given(
    strategies.worlds(sizes=(30, 40), changes={"corroboration.qualifying_status": "alleged"}, windows=((0.0, None),))
)
def test_they_agree_on_crowded_worlds(world: World) -> None:
    assert differences(world) == []


OF_INCIDENTS = ("set_t0", "set_t0", "end", "end", "reopen", "declare", "release", "merge", "confirm")


@strategies.tries(4)
@given(strategies.worlds(sizes=(5, 8, 12)).flatmap(strategies.belated), st.data())
def test_they_agree_on_what_people_decide(world: World, data: st.DataObject) -> None:
    assert differences(data.draw(strategies.decided(world))) == []


@strategies.tries(4)
@given(strategies.worlds(sizes=(5, 8)), st.data())
def test_they_agree_on_what_people_decide_of_incidents(world: World, data: st.DataObject) -> None:
    assert differences(data.draw(strategies.decided(world, kinds=OF_INCIDENTS))) == []


def hand_made(listed: list[dict[str, Any]], as_of: float, windows: Any = ((0.0, None),), **changes: Any) -> World:  # noqa: ANN401 -- any value of the policy
    policies = builders.versions(builders.policy(**changes))
    return strategies.World(
        builders.reports(listed), builders.coverage(), builders.theatre(windows=windows), policies, builders.when(as_of)
    )


TWICE = {"ladder.open_n": 2, "ladder.open_reading": "repeated"}


def test_a_breach_that_a_person_ends_as_it_begins_was_one() -> None:
    ended = builders.commands([builders.command("end", "B-1", builders.when(1).isoformat(), at=5)])

    assert differences(hand_made([report(1)], 10).but(commands=ended)) == []


def test_no_tier_is_reached_before_the_breach_is_opened() -> None:
    missile = [report(1, source="media", weapon="iskander"), report(1, source="satellite")]

    assert differences(hand_made([*missile, report(5)], 6, **TWICE)) == []


def test_a_report_is_left_out_of_its_violation_and_of_nothing_else() -> None:
    one_origin_twice = [report(1, source="vetted"), report(1, source="vetted", minutes=600)]

    assert differences(hand_made([*one_origin_twice, report(1, source="media")], 2, **TWICE)) == []


def test_an_end_is_known_when_all_of_the_incident_is_in_every_scenario() -> None:
    listed = [report(1, party_claimed="R"), report(5, source="media", party_claimed="L", known_at=40)]

    assert differences(hand_made(listed, 60)) == []


def test_an_incident_that_lapsed_within_its_first_day_has_no_span_to_be_doubted() -> None:
    listed = [report(1), report(3, source="party-l", minutes=1439)]

    assert differences(hand_made(listed, 40, ((0.0, 10.0), (10.0, None)))) == []


def test_a_crowd_of_links_breaks_where_only_one_holds() -> None:
    row = [
        report(hour, source=source) for hour, source in ((1, "mission"), (25, "media"), (49, "vetted"), (73, "media"))
    ]

    assert differences(hand_made(row, 74)) == []


def test_the_only_report_that_names_a_party_is_pivotal_in_that_scenario() -> None:
    listed = [report(1, source="media"), report(1, source="vetted", party_claimed="L")]

    assert differences(hand_made(listed, 2)) == []


def test_whom_a_report_kept_out_of_its_violation_is_not_asked() -> None:
    other_claim = report(1, (100.3, 1), source="media", origin="boris", party_claimed="L")
    listed = [report(1, source="satellite"), report(1, source="media", origin="boris"), other_claim]

    assert differences(hand_made(listed, 2, **{"corroboration.qualifying_status": "corroborated"})) == []


def test_nobody_in_the_crowd_watches() -> None:
    watched = [{"observed_from": 0, "observed_to": 60, "sees": sees, "source": "public"} for sees in (True, False)]
    world = hand_made([report(1)], 60)

    for row in watched:
        assert differences(world.but(coverage=builders.coverage([row]))) == []
