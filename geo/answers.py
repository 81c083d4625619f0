"""What became of each command of a person, and on what does it bear now?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo import reviews, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.reviews import Docket


def homes(reports: pd.DataFrame, violations: pd.DataFrame) -> dict[int, tuple[str, str | None]]:
    """Return violation and incident (``None``: none) of every item that is part of one, by its first number."""
    incident = {
        str(name): None if pd.isna(home) else str(home)
        for name, home in zip(violations["violation_id"], violations["incident_id"], strict=True)
    }
    kept = reports.loc[reports["violation_id"].notna()]
    return {
        int(first): (str(name), incident[str(name)])
        for first, name in zip(kept["first_no"], kept["violation_id"], strict=True)
    }


def layer(frame: pd.DataFrame, docket: Docket, reports: pd.DataFrame, violations: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``reviews``: every command with its answer, in order of the ledger."""
    ordered = frame.sort_values("ledger_no").reset_index(drop=True)
    home = homes(reports, violations) if len(ordered) else {}
    numbers = [int(no) for no in ordered["ledger_no"].tolist()]
    given = [docket.answers[no] for no in numbers]
    targets = ordered["target"].fillna("").str.strip().str.upper()
    about = dict(zip(numbers, zip(targets, ordered["subjects"], strict=True), strict=True))
    places = [_place(target, about, home) for target in targets]
    told: dict[str, list[Any]] = {
        "review_id": [f"D-{no}" for no in numbers],
        "answer": [one.answer for one in given],
        "why": [one.why for one in given],
        "violation_id": [place[0] for place in places],
        "incident_id": [place[1] for place in places],
    }
    whole = ordered.assign(**told)
    return tables.conform(whole, tables.REVIEWS)


def _place(
    target: str, about: Mapping[int, tuple[str, Mapping[str, int]]], home: Mapping[int, tuple[str, str | None]]
) -> tuple[str | None, str | None]:
    """Return the violation and the incident that a target is, or is part of, now."""
    nowhere = (None, None)
    if target.startswith("D-") and reviews.NAME.fullmatch(target):
        earlier = about.get(reviews.number(target), ("", {}))
        return nowhere if earlier[0].startswith("D-") else _place(earlier[0], about, home)
    subjects = next((each for name, each in about.values() if name == target), {})
    violation, incident = home.get(subjects.get(target, 0), nowhere)
    return (None if target.startswith("B") else violation), incident
