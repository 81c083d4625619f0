"""Which steps of which incidents does the world have to be told?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

TOLD: Final = ("effective", "declared", "ended", "corrected", "merged")
"""Kinds of steps that are told: what is only eligible is for the cell."""


class Key(NamedTuple):
    """Which step it is, however often it is dated anew: the n-th of its kind to that tier, from 1."""

    incident_id: str
    kind: str
    tier: int
    n: int


class Step(NamedTuple):
    """A step as it is known now. ``what``: what a correction would change; ``at`` aware UTC."""

    key: Key
    seq: int
    at: pd.Timestamp
    rule: str
    reason: str
    policy_version: str
    what: str


def steps(content: Mapping[str, pd.DataFrame]) -> dict[str, list[Step]]:
    """Return the steps of each incident that are told, in order, in the reading ``any``: whoever fired."""
    ends = dict(zip(content["incidents"]["incident_id"], content["incidents"]["end"], strict=True))
    table = content["transitions"]
    told = table[(table["scenario"] == "any") & table["kind"].isin(TOLD)]
    found: dict[str, list[Step]] = {}
    seen: Counter[tuple[str, str, int]] = Counter()
    for row in told.itertuples():
        name, kind, tier = str(row.incident_id), str(row.kind), int(row.tier_to)  # type: ignore[arg-type]
        seen[name, kind, tier] += 1
        key = Key(name, kind, tier, seen[name, kind, tier])
        end = f" {ends.get(name)}" if kind == "ended" else ""
        what = f"{row.at:%Y-%m-%dT%H:%M:%SZ}{end}"
        step = Step(key, int(row.seq), row.at, row.rule, row.reason, row.policy_version, what)  # type: ignore[arg-type]
        found.setdefault(name, []).append(step)
    return found
