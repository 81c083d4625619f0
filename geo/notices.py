"""What did late news change in an answer that had been published, from which moment, and which news was it?

Both answers are about the same moment: what was said of it then, and what is known of it now. An incident is followed
by its name, and where the name is gone, by the reports that the two have in common, as in ``geo.lineage``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pandas as pd

from geo import tables, terms
from geo.incidents import number_of
from geo.members import members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from geo.members import Members

    Answer = Mapping[str, pd.DataFrame]
    Steps = dict[tuple[str, int], pd.Timestamp]

_READ: Final = frozenset({
    "incident_id", "state", "end", "tier_eligible", "tier_effective", "tier_declared", "tier_peak", "t0_from", "t0_to",
    "last_observed", "persistence", "extent_m", "next_due", "next_due_what",
})  # fmt: skip
# The steps that a kind of notice rests on; with the end the tiers fall to 0.
_STEPS: Final = {"tier": ("eligible", "effective", "ended"), "declared": ("declared",)}


class _Incident(NamedTuple):
    """What one answer says of an incident; ``steps`` are when it took each kind of step to each tier."""

    name: str
    row: dict[str, Any]
    steps: Steps


class _Notice(NamedTuple):
    """One change; ``names`` are those under which the incident was, and is, known."""

    incident_id: str
    kind: str
    said: str
    says: str
    since: pd.Timestamp
    names: frozenset[str]


def compare(
    then: Answer,
    now: Answer,
    *,
    as_of: datetime,
    known_at: datetime,
    news: pd.DataFrame | None = None,
    other: Sequence[str] = (),
) -> pd.DataFrame:
    """Return one row of ``tables.NOTICES_TABLE`` for each change to an incident.

    Parameters
    ----------
    then, now
        The layers ``incident_points``, ``violations`` and ``reports`` (and, to tell when steps were taken,
        ``transitions``) of two assessments for the same ``as_of``: with the knowledge of the earlier publication, and
        with the present one.
    as_of
        The moment that both speak of, aware UTC.
    known_at
        The knowledge that the earlier publication rested on, aware UTC.
    news
        What ``geo.news.between`` says of the reports of the two.
    other
        Other kinds of news that there were, which are named where no report's news bears on a change.

    Returns
    -------
    DataFrame
        Sorted by incident number and kind; empty when nothing changed. Candidates are not compared.
    """
    old, new = _incidents(then), _incidents(now)
    heirs = _heirs(members(then), members(now))
    found = [
        *_gone(old, new, heirs),
        *(notice for incident in new.values() for notice in _changes(incident, _before(incident.name, old, heirs))),
    ]
    order = {kind: place for place, kind in enumerate(terms.NOTICES)}
    found.sort(key=lambda notice: (number_of(notice.incident_id), order[notice.kind], notice.said))
    frame = pd.DataFrame([notice[:5] for notice in found], columns=_Notice._fields[:5])
    bearing = _Bearing(then, now, news, other)
    told = [bearing.on(notice.names) for notice in found]
    frame = frame.assign(
        as_of=pd.Timestamp(as_of),
        known_at=pd.Timestamp(known_at),
        news=pd.Series([kinds for kinds, _ in told], dtype="str"),
        reports=pd.Series([ids for _, ids in told], dtype="str"),
    )
    return tables.conform(frame, tables.NOTICES_TABLE)


class _Bearing:
    """Tells which news bears on an incident: that of the reports that are, or were, in it."""

    def __init__(self, then: Answer, now: Answer, news: pd.DataFrame | None, other: Sequence[str]) -> None:
        self._other = ", ".join(other) or None
        self._homes: dict[str, set[str]] = {}
        self._news = [] if news is None else list(zip(news["report_id"], news["news"], strict=True))
        for answer in (then, now) if self._news else ():
            held = answer["reports"].dropna(subset=["incident_id"])
            for report, name in zip(held["report_id"], held["incident_id"], strict=True):
                self._homes.setdefault(report, set()).add(name)

    def on(self, names: frozenset[str]) -> tuple[str | None, str | None]:
        """Return kinds and reports, each joined by commas."""
        mine = [(report, kind) for report, kind in self._news if self._homes.get(report, set()) & names]
        if not mine:
            return self._other, None
        return ", ".join(sorted({kind for _, kind in mine})), ", ".join(report for report, _ in mine)


def _incidents(answer: Answer) -> dict[str, _Incident]:
    frame = pd.DataFrame(answer["incident_points"])
    frame = frame.loc[frame["state"] != "candidate", [name for name in frame if name in _READ]]
    steps = _steps(answer)
    rows = {str(row["incident_id"]): row for row in frame.to_dict("records")}
    return {
        name: _Incident(name, {str(key): row[key] for key in row}, steps.get(name, {})) for name, row in rows.items()
    }


def _steps(answer: Answer) -> dict[str, Steps]:
    """Return when each incident took each step in scenario ``any``; its end is the same in all."""
    taken: dict[str, Steps] = {}
    if "transitions" in answer:
        told = answer["transitions"]
        told = told[(told["scenario"] == "any") | (told["kind"] == "ended")].sort_values("at", kind="stable")
        for name, kind, tier, at in told[["incident_id", "kind", "tier_to", "at"]].itertuples(index=False, name=None):
            taken.setdefault(str(name), {}).setdefault((str(kind), int(tier)), at)
    return taken


def _heirs(then: Members, now: Members) -> dict[str, str]:
    """Return for each vanished name the present incident with most of its reports (ties: the lower number)."""
    home = {report: name for name, reports in now.items() for report in reports}
    heirs: dict[str, str] = {}
    for name in then.keys() - now.keys():
        shared = Counter(home[report] for report in then[name] if report in home)
        if shared:
            heirs[name] = min(shared, key=lambda heir: (-shared[heir], number_of(heir)))
    return heirs


def _before(name: str, old: Mapping[str, _Incident], heirs: dict[str, str]) -> _Incident | None:
    """Return what had been said of an incident: under its name, or under the oldest name that it took over."""
    names = [name] if name in old else sorted((gone for gone, heir in heirs.items() if heir == name), key=number_of)
    return old[names[0]] if names else None


def _gone(old: Mapping[str, _Incident], new: Mapping[str, _Incident], heirs: dict[str, str]) -> Iterator[_Notice]:
    for name in old.keys() - new.keys():
        was = old[name]
        said, since = f"{name}: {_summary(was)}", was.row["t0_from"]
        if name not in heirs:
            yield _Notice(name, "withdrawn", said, "no incident", since, frozenset({name}))
            continue
        heir = heirs[name]
        says = f"part of {heir}, which is the older name" if heir in old else f"now {heir}"
        yield _Notice(heir, "renamed", said, says, min(since, new[heir].row["t0_from"]), frozenset({name, heir}))


def _changes(new: _Incident, old: _Incident | None) -> Iterator[_Notice]:
    if old is None:
        yield _Notice(new.name, "opened", "no incident", _summary(new), new.row["t0_from"], frozenset({new.name}))
        return
    for kind, say in _SAY.items():
        said, says = say(old), say(new)
        if said != says:
            yield _Notice(new.name, kind, said, says, _since(kind, old, new), frozenset({new.name, old.name}))


def _since(kind: str, old: _Incident, new: _Incident) -> pd.Timestamp:
    """Return the moment from which what is said of an incident differs.

    That of the first step that only one of the two took then; of the end and the extent, the earlier of the two last
    observations; else the earlier T0.
    """
    if kind in _STEPS:
        one, other = ({step for step in each.steps.items() if step[0][0] in _STEPS[kind]} for each in (old, new))
        moved = [at for _, at in one ^ other]
        if moved:
            return min(moved)
    column = "last_observed" if kind in {"end", "extent"} and "last_observed" in old.row else "t0_from"
    known = [each.row[column] for each in (old, new) if pd.notna(each.row[column])]
    return pd.Timestamp(min(known, default=old.row["t0_from"]))


def _at(moment: pd.Timestamp) -> str:
    """Write an instant down; parts of a second where there are any, for they may be all that changed."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f".{moment:%f}Z" if moment.microsecond else "Z")


def _summary(told: _Incident) -> str:
    return f"{_end(told)}, highest tier {told.row['tier_peak']}, since {_at(told.row['t0_from'])}"


def _tiers(told: _Incident) -> str:
    row = told.row
    words = f"eligible {row['tier_eligible']}, effective {row['tier_effective']}, highest {row['tier_peak']}"
    dated = [_dated(told.steps, tier) for tier in terms.TIERS if ("eligible", tier) in told.steps]
    return f"{words} ({'; '.join(dated)})" if dated else words


def _dated(steps: Steps, tier: int) -> str:
    """Say since when a tier was eligible, and since when effective, where that is another instant."""
    eligible, effective = steps["eligible", tier], steps.get(("effective", tier))
    if effective == eligible:
        return f"{tier} from {_at(eligible)}"
    return f"{tier} from {_at(eligible)}, " + (f"effective {_at(effective)}" if effective else "not effective")


def _declared(told: _Incident) -> str:
    known = told.row.get("tier_declared")
    if known is None or pd.isna(known):
        return "no tier declared"
    dated = [f"{tier} from {_at(at)}" for (kind, tier), at in sorted(told.steps.items()) if kind == "declared"]
    return f"tier {known} declared" + (f" ({'; '.join(dated)})" if dated else "")


def _t0(told: _Incident) -> str:
    return f"T0 {_at(told.row['t0_from'])} to {_at(told.row['t0_to'])}"


def _end(told: _Incident) -> str:
    if told.row["state"] != "ended":
        return "going on"
    words = {
        "ceased": "ended: ceased",
        "assumed": "ended: ceased (assumed)",
        "unresolved": "ended: unresolved",
        "lapsed": "ended: lapsed",
        "decided": "ended by a person",
    }[told.row["end"]]
    return f"{words} at {_at(told.steps['ended', 0])}" if ("ended", 0) in told.steps else words


def _persistence(told: _Incident) -> str:
    known = told.row.get("persistence")
    return "not judged yet" if known is None or pd.isna(known) else f"hostilities beyond the first window: {known}"


def _extent(told: _Incident) -> str:
    known = told.row.get("extent_m")
    return "extent unknown" if known is None or pd.isna(known) else f"extent {known / 1000:.1f} km"


def _due(told: _Incident) -> str:
    at = told.row.get("next_due")
    return "nothing due" if at is None or pd.isna(at) else f"{told.row['next_due_what']} by {_at(at)}"


_SAY: Final[dict[str, Callable[[_Incident], str]]] = {
    "tier": _tiers, "declared": _declared, "t0": _t0, "end": _end, "persistence": _persistence, "extent": _extent,
    "due": _due,
}  # fmt: skip
