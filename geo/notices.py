"""What did late news change in an answer that had been published?

Both answers are about the same moment: what was said of it then, and what is known of it now. An incident is followed
by its name, and where the name is gone, by the violations that the two have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from geo import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    Answer = Mapping[str, pd.DataFrame]

_TIERS: Final = ("tier_eligible", "tier_effective", "tier_peak")
_T0: Final = ("t0_from", "t0_to")
_END: Final = ("state", "end")


def compare(then: Answer, now: Answer, *, as_of: datetime, known_at: datetime) -> pd.DataFrame:
    """Return one row of ``tables.NOTICES_TABLE`` for each change to an incident.

    Parameters
    ----------
    then, now
        The layers ``incidents`` and ``violations`` of two assessments for the same ``as_of``: with the knowledge of
        the earlier publication, and with the present one.
    as_of
        The moment that both speak of, aware UTC.
    known_at
        The knowledge that the earlier publication rested on, aware UTC.

    Returns
    -------
    DataFrame
        Sorted by incident number and kind; empty when nothing changed. Candidates are not compared.
    """
    old, new = _incidents(then), _incidents(now)
    heirs = _heirs(_members(then), _members(now))
    rows = [
        *_gone(old, new, heirs),
        *(
            row
            for name, values in new.iterrows()
            for row in _changes(str(name), values, _before(str(name), old, heirs))
        ),
    ]
    frame = pd.DataFrame(rows, columns=["incident_id", "kind", "said", "says"])
    frame = frame.assign(as_of=pd.Timestamp(as_of), known_at=pd.Timestamp(known_at))
    order = {kind: place for place, kind in enumerate(tables.NOTICES)}
    keys = [(_number(row[0]), order[row[1]], row[2]) for row in rows]
    frame = frame.iloc[sorted(range(len(keys)), key=keys.__getitem__)].reset_index(drop=True)
    return tables.conform(frame, tables.NOTICES_TABLE)


def _number(name: str) -> int:
    return int(name.split("-", 1)[1])


def _incidents(answer: Answer) -> pd.DataFrame:
    frame = answer["incidents"]
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


def _before(name: str, old: pd.DataFrame, heirs: dict[str, str]) -> pd.Series | None:
    """Return what had been said of an incident: under its name, or under the oldest name that it took over."""
    names = [name] if name in old.index else sorted((gone for gone, heir in heirs.items() if heir == name), key=_number)
    return _row(old, names[0]) if names else None


def _row(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame.loc[[name]].iloc[0]


def _gone(old: pd.DataFrame, new: pd.DataFrame, heirs: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for name in map(str, old.index.difference(new.index)):
        said = f"{name}: {_summary(_row(old, name))}"
        if name not in heirs:
            yield name, "withdrawn", said, "no incident"
        elif heirs[name] in old.index:
            yield heirs[name], "renamed", said, f"part of {heirs[name]}, which is the older name"
        else:
            yield heirs[name], "renamed", said, f"now {heirs[name]}"


def _changes(name: str, new: pd.Series, old: pd.Series | None) -> Iterator[tuple[str, str, str, str]]:
    if old is None:
        yield name, "opened", "no incident", _summary(new)
        return
    for kind, columns, say in (("tier", _TIERS, _tiers), ("t0", _T0, _t0), ("end", _END, _end)):
        if not old[list(columns)].equals(new[list(columns)]) and say(old) != say(new):
            yield name, kind, say(old), say(new)


def _summary(row: pd.Series) -> str:
    return f"{_end(row)}, highest tier {row['tier_peak']}, since {row['t0_from']:%Y-%m-%dT%H:%M:%SZ}"


def _tiers(row: pd.Series) -> str:
    return f"eligible {row['tier_eligible']}, effective {row['tier_effective']}, highest {row['tier_peak']}"


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
