"""What did late news change in an answer that had been published, from which moment, and which news was it?

Both answers are about the same moment: what was said of it then, and what is known of it now. An incident is followed
by its name, and where the name is gone, by the violations that the two have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from geo import tables, terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    Answer = Mapping[str, pd.DataFrame]


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
        The layers ``incident_points`` and ``violations`` (and, to tell which news did it, ``reports``; to tell since
        when, ``transitions``) of two assessments for the same ``as_of``: with the knowledge of the earlier publication,
        and with the present one.
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
    heirs = _heirs(_members(then), _members(now))
    moved = {"tier": _moved(then, now, "eligible", "effective"), "declared": _moved(then, now, "declared")}
    found = [
        *_gone(old, new, heirs),
        *(
            notice
            for name, values in new.iterrows()
            for notice in _changes(str(name), values, _before(str(name), old, heirs), moved)
        ),
    ]
    order = {kind: place for place, kind in enumerate(terms.NOTICES)}
    found.sort(key=lambda notice: (_number(notice.incident_id), order[notice.kind], notice.said))
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


def _number(name: str) -> int:
    return int(name.split("-", 1)[1])


def _incidents(answer: Answer) -> pd.DataFrame:
    frame = answer["incident_points"]
    return frame[frame["state"] != "candidate"].set_index("incident_id")


def _members(answer: Answer) -> dict[str, frozenset[str]]:
    """Return the qualifying violations of each incident."""
    frame = answer["violations"]
    counted = frame[
        frame["qualifying"].fillna(value=False).astype(bool) & frame["incident_id"].str.startswith("B-", na=False)
    ]
    return {str(name): frozenset(group) for name, group in counted.groupby("incident_id")["violation_id"]}


def _heirs(then: dict[str, frozenset[str]], now: dict[str, frozenset[str]]) -> dict[str, str]:
    """Return for each vanished name the present incident with most of its violations (ties: the lower number)."""
    home = {violation: name for name, members in now.items() for violation in members}
    heirs: dict[str, str] = {}
    for name in then.keys() - now.keys():
        found = pd.Series(
            [home[violation] for violation in then[name] if violation in home], dtype="str"
        ).value_counts()
        if len(found):
            heirs[name] = min(found.index[found == found.max()], key=_number)
    return heirs


def _moved(then: Answer, now: Answer, *kinds: str) -> dict[str, pd.Timestamp]:
    """Return for each name the first instant at which a step of these kinds is in one answer and not in the other."""
    taken = [_taken(answer, kinds) for answer in (then, now)]
    first: dict[str, pd.Timestamp] = {}
    for name, _, _, at in taken[0] ^ taken[1]:
        first[name] = min(at, first.get(name, at))
    return first


def _taken(answer: Answer, kinds: Sequence[str]) -> set[tuple[str, str, int, pd.Timestamp]]:
    if "transitions" not in answer:
        return set()
    steps = answer["transitions"]
    steps = steps[(steps["scenario"] == "any") & steps["kind"].isin(kinds)]
    return set(steps[["incident_id", "kind", "tier_to", "at"]].itertuples(index=False, name=None))


def _before(name: str, old: pd.DataFrame, heirs: dict[str, str]) -> pd.Series | None:
    """Return what had been said of an incident: under its name, or under the oldest name that it took over."""
    names = [name] if name in old.index else sorted((gone for gone, heir in heirs.items() if heir == name), key=_number)
    return _row(old, names[0]) if names else None


def _row(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame.loc[[name]].iloc[0]


def _gone(old: pd.DataFrame, new: pd.DataFrame, heirs: dict[str, str]) -> Iterator[_Notice]:
    for name in map(str, old.index.difference(new.index)):
        row = _row(old, name)
        said = f"{name}: {_summary(row)}"
        if name not in heirs:
            yield _Notice(name, "withdrawn", said, "no incident", row["t0_from"], frozenset({name}))
            continue
        heir = heirs[name]
        says = f"part of {heir}, which is the older name" if heir in old.index else f"now {heir}"
        since = min(row["t0_from"], new["t0_from"][heir])
        yield _Notice(heir, "renamed", said, says, since, frozenset({name, heir}))


def _changes(
    name: str, new: pd.Series, old: pd.Series | None, moved: Mapping[str, Mapping[str, pd.Timestamp]]
) -> Iterator[_Notice]:
    if old is None:
        yield _Notice(name, "opened", "no incident", _summary(new), new["t0_from"], frozenset({name}))
        return
    names = frozenset({name, str(old.name)})
    begun = min(old["t0_from"], new["t0_from"])
    since = {kind: min((at[each] for each in names if each in at), default=begun) for kind, at in moved.items()}
    since["t0"] = begun
    for kind, say in _SAY.items():
        said, says = say(old), say(new)
        if said != says:
            yield _Notice(name, kind, said, says, since.get(kind, _apart(kind, old, new)), names)


def _apart(kind: str, old: pd.Series, new: pd.Series) -> pd.Timestamp:
    """Return the earlier of the two last observations, since which what is said of the end, growth and dues differs."""
    column = "last_observed" if kind in {"end", "extent"} and "last_observed" in old else "t0_from"
    known = [row[column] for row in (old, new) if pd.notna(row[column])]
    return pd.Timestamp(min(known, default=old["t0_from"]))


def _summary(row: pd.Series) -> str:
    return f"{_end(row)}, highest tier {row['tier_peak']}, since {row['t0_from']:%Y-%m-%dT%H:%M:%SZ}"


def _tiers(row: pd.Series) -> str:
    return f"eligible {row['tier_eligible']}, effective {row['tier_effective']}, highest {row['tier_peak']}"


def _declared(row: pd.Series) -> str:
    known = row.get("tier_declared")
    return "no tier declared" if known is None or pd.isna(known) else f"tier {known} declared"


def _t0(row: pd.Series) -> str:
    return f"T0 {row['t0_from']:%Y-%m-%dT%H:%M:%SZ} to {row['t0_to']:%Y-%m-%dT%H:%M:%SZ}"


def _end(row: pd.Series) -> str:
    if row["state"] != "ended":
        return "going on"
    return {
        "ceased": "ended: ceased",
        "assumed": "ended: ceased (assumed)",
        "unresolved": "ended: unresolved",
        "lapsed": "ended: lapsed",
        "decided": "ended by a person",
    }[row["end"]]


def _persistence(row: pd.Series) -> str:
    known = row.get("persistence")
    return "not judged yet" if known is None or pd.isna(known) else f"hostilities beyond the first window: {known}"


def _extent(row: pd.Series) -> str:
    known = row.get("extent_m")
    return "extent unknown" if known is None or pd.isna(known) else f"extent {known / 1000:.1f} km"


def _due(row: pd.Series) -> str:
    at = row.get("next_due")
    return "nothing due" if at is None or pd.isna(at) else f"{row['next_due_what']} by {at:%Y-%m-%dT%H:%M:%SZ}"


_SAY: Final[dict[str, Callable[[pd.Series], str]]] = {
    "tier": _tiers, "declared": _declared, "t0": _t0, "end": _end, "persistence": _persistence, "extent": _extent,
    "due": _due,
}  # fmt: skip
