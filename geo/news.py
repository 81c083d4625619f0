"""What became known of the reports between two states of knowledge?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

KINDS: Final = ("late report", "correction", "retraction", "dispute")
"""A report that had not been known; one of which what decides was revised; one taken back; one that its own source
contradicts, or no longer does."""


def between(
    then: pd.DataFrame,
    now: pd.DataFrame,
    as_of: datetime | None,
    withdrawn: Mapping[str, pd.Timestamp] | None = None,
) -> pd.DataFrame:
    """Return ``report_id``, ``news`` (one of ``KINDS``), ``observed_from`` and ``known_at`` of each report with news.

    Parameters
    ----------
    then, now
        ``geo.reports.STORED``: what was known, at least ``report_id``, ``stands_no``, ``disputed``, ``observed_from``,
        ``known_at``.
    as_of
        Only news about what had begun by then, aware UTC; ``None``: all.
    withdrawn
        When it became known that a report is taken back, by ``report_id``.

    Returns
    -------
    DataFrame
        In order of the reports' numbers. ``observed_from`` is the one that is known now, of what was taken back the
        one that was known then; ``known_at`` is when the news was known, missing where ``withdrawn`` does not tell.
    """
    old, new = (frame.set_index("report_id") for frame in (then, now))
    both = old.index.intersection(new.index)
    was, stands = old.loc[both], new.loc[both]
    revised = (was["stands_no"] != stands["stands_no"]).to_numpy(bool)
    doubted = (was["disputed"] != stands["disputed"]).to_numpy(bool)
    parts = [
        (new.index.difference(old.index), "late report", new),
        (both[revised], "correction", new),
        (old.index.difference(new.index), "retraction", old),
        (both[doubted & ~revised], "dispute", new),
    ]
    rows = [source.loc[ids, ["observed_from", "known_at"]].assign(news=kind) for ids, kind, source in parts]
    found = pd.concat(rows).rename_axis("report_id").reset_index()
    when = pd.to_datetime(found["report_id"].map(dict(withdrawn or {})), utc=True)
    found["known_at"] = found["known_at"].mask(found["news"] == "retraction", when)
    if as_of is not None:
        begun = found["observed_from"] <= pd.Timestamp(as_of)
        before = (old["observed_from"].reindex(found["report_id"]) <= pd.Timestamp(as_of)).to_numpy(bool)
        found = found[begun | before]
    order = found["report_id"].str.slice(2).astype("int64").argsort(kind="stable")
    told: pd.DataFrame = found.iloc[order][["report_id", "news", "observed_from", "known_at"]]
    return told.reset_index(drop=True)
