"""What did a backtest show: how many breaches, how high, how soon known, how often revised, and when was it quiet?

Everything here is counted from the rows of ``geo.steps``; nothing is decided anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from geo import tables, terms
from geo.steps import GONE, INCIDENTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from geo.theatre import Window

_HOUR_S: Final = 3600
_QUANTILES: Final = {"median": 0.5, "90 %": 0.9, "longest": 1.0}


def names(steps: pd.DataFrame, revisions: pd.DataFrame) -> pd.DataFrame:
    """Return one row of ``geo.steps.INCIDENTS`` for each name that was ever said, in order of its number.

    Parameters
    ----------
    steps, revisions
        ``geo.steps.STEPS`` and ``geo.steps.REVISIONS``, whole.
    """
    if steps.empty:
        return tables.empty(INCIDENTS)
    rows = steps.sort_values("as_of", kind="stable").groupby("incident_id")
    first, last = rows.first(), rows.last()
    state = rows["state"].agg(lambda states: states.iloc[-1])
    revised = revisions["incident_id"].value_counts()
    told = pd.DataFrame(
        {
            "name": last["name"],
            "said_from": first["as_of"],
            "said_to": last["as_of"],
            "state": state,
            "tier_peak": last["tier_peak"],
            "t0_from": last["t0_from"],
            "last_observed": last["last_observed"],
            "first_t0_from": first["t0_from"],
            "opened_known_at": first["opened_known_at"],
            "warned_after_h": _hours(first["opened_known_at"] - last["t0_from"]),
            "revisions": revised.reindex(first.index).fillna(0),
        }
    ).reset_index(names="incident_id")
    order = told["incident_id"].str.slice(2).astype("int64").argsort(kind="stable")
    return tables.conform(told.iloc[order].reset_index(drop=True), INCIDENTS)


def summarise(
    told: pd.DataFrame, revisions: pd.DataFrame, windows: Sequence[Window], moments: Sequence[datetime]
) -> dict[str, Any]:
    """Return the account as plain values: counts, hours, aware times.

    Parameters
    ----------
    told
        What ``names`` returns.
    revisions
        ``geo.steps.REVISIONS``.
    windows
        The ceasefire windows: only inside them can it be quiet.
    moments
        The steps, ascending, aware UTC.
    """
    kept = told[told["state"] != GONE]
    lasted = _hours(kept["last_observed"] - kept["t0_from"])
    longest = kept.iloc[int(lasted.to_numpy().argmax())] if len(kept) else None
    return {
        "steps": len(moments),
        "from": pd.Timestamp(moments[0]),
        "to": pd.Timestamp(moments[-1]),
        "incidents": len(kept),
        "names_gone": int((told["state"] == GONE).sum()),
        "tiers": {tier: int((kept["tier_peak"] == tier).sum()) for tier in terms.TIERS[1:]},
        "longest": None
        if longest is None
        else {
            "incident_id": longest["incident_id"],
            "name": longest["name"],
            "from": longest["t0_from"],
            "to": longest["last_observed"],
            "hours": float(lasted.max()),
        },
        "warned_after_h": _spread(kept["warned_after_h"]),
        "revisions": {
            "all": len(revisions),
            "incidents_revised": int((kept["revisions"] > 0).sum()),
            "by_change": _counts(revisions["kind"]),
            "by_news": _counts(revisions["news"].dropna().str.split(", ").explode()),
        },
        "quiet": quiet(kept, windows, moments),
    }


def quiet(kept: pd.DataFrame, windows: Sequence[Window], moments: Sequence[datetime]) -> list[dict[str, Any]]:
    """Return the spans of the windows in which no incident was going on, the longest first: from, to, days.

    An incident goes on from its T0 to its last qualifying observation. That nothing is known of a span does not say
    that nothing happened in it.
    """
    edges = pd.Timestamp(moments[0]), pd.Timestamp(moments[-1])
    spans = kept[["t0_from", "last_observed"]].sort_values("t0_from").itertuples(index=False, name=None)
    loud = [(pd.Timestamp(a), pd.Timestamp(b)) for a, b in spans]
    found = []
    for window in windows:
        begin = max(edges[0], pd.Timestamp(window.start))
        end = edges[1] if window.end is None else min(edges[1], pd.Timestamp(window.end))
        for a, b in [*loud, (end, end)]:
            if begin < min(a, end):
                found.append((begin, min(a, end)))
            begin = max(begin, b)
    found.sort(key=lambda span: (span[0] - span[1], span[0]))
    return [{"from": a, "to": b, "days": float((b - a) / pd.Timedelta(days=1))} for a, b in found]


def beside(told: pd.DataFrame, periods: pd.DataFrame, moments: Sequence[datetime]) -> list[dict[str, Any]]:
    """Return for each period what opened in it, and in the time of the same length before it.

    Parameters
    ----------
    told
        What ``names`` returns.
    periods
        ``period``, ``start`` and ``end`` (aware UTC; missing: until the next period begins, or the last step).
    moments
        The steps; periods that begin outside of them are left out, and what lies before the first is not counted.
    """
    edges = pd.Timestamp(moments[0]), pd.Timestamp(moments[-1])
    opened = told.loc[told["state"] != GONE, "t0_from"].sort_values()
    ordered = periods.sort_values("start")
    following = ordered["start"].shift(-1).fillna(edges[1])
    rows = []
    for name, start, end, after in zip(ordered["period"], ordered["start"], ordered["end"], following, strict=True):
        if not edges[0] <= start < edges[1]:
            continue
        stop = min(edges[1], after if pd.isna(end) else end)
        length = stop - start
        before = opened[(opened >= start - length) & (opened < start)]
        within = opened[(opened >= start) & (opened < stop)]
        rows.append(
            {
                "period": str(name),
                "from": start,
                "to": stop,
                "days": float(length / pd.Timedelta(days=1)),
                "opened": len(within),
                "opened_before": None if start - length < edges[0] else len(before),
                "days_to_first": float((within.iloc[0] - start) / pd.Timedelta(days=1)) if len(within) else None,
            }
        )
    return rows


def _hours(spans: pd.Series) -> pd.Series:
    hours: pd.Series = spans.dt.total_seconds() / _HOUR_S
    return hours


def _spread(hours: pd.Series) -> dict[str, float] | None:
    known = hours.dropna().to_numpy(float)
    return {word: float(np.quantile(known, share)) for word, share in _QUANTILES.items()} if len(known) else None


def _counts(values: pd.Series) -> dict[str, int]:
    return {str(value): int(n) for value, n in values.value_counts().sort_index().items()}
