"""At which tier was each incident, and from when to when?

The steps of the reading ``any`` folded over valid time, as they are known now.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd


class Spell(NamedTuple):
    """An incident eligible for ``tier`` from ``begin`` (inclusive) to ``end`` (exclusive), aware UTC."""

    begin: pd.Timestamp
    end: pd.Timestamp
    tier: int


def spells(transitions: pd.DataFrame, as_of: pd.Timestamp) -> Mapping[str, list[Spell]]:
    """Return the spells of each incident in order of time; what has not ended lasts until ``as_of``."""
    told = transitions[transitions["scenario"] == "any"]
    steps: dict[str, list[tuple[str, int, pd.Timestamp]]] = defaultdict(list)
    for name, kind, tier, at in zip(
        told["incident_id"], told["kind"], told["tier_to"].astype(int), told["at"], strict=True
    ):
        steps[name].append((kind, tier, at))
    return {name: list(_fold(found, as_of)) for name, found in steps.items()}


def _fold(steps: Iterable[tuple[str, int, pd.Timestamp]], as_of: pd.Timestamp) -> Iterator[Spell]:
    since, level = None, 0
    for kind, tier, at in steps:
        if kind in {"effective", "declared"}:
            continue
        if since is not None and at > since:
            yield Spell(since, at, level)
        since, level = (None, 0) if kind == "ended" else (at, tier)
    if since is not None and since <= as_of:
        yield Spell(since, as_of, level)


def at(found: Mapping[str, list[Spell]], moment: pd.Timestamp) -> dict[str, int]:
    """Return the tier of each incident that was going on at ``moment``, or had begun just then."""
    return {name: spell.tier for name, each in found.items() for spell in each if spell.begin <= moment <= spell.end}
