"""What is over and done with for so long that the map need not hold it, and in which year was it over?

An answer is parted, never cut through: an incident or candidate is in one part with all its violations, reports, steps,
evidence and lineage. What belongs to no incident goes by its own time. Together the parts are the whole answer.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import pandas as pd

from geo import tables, tally
from geo.assess import Assessment, Layers
from geo.terms import SPANS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

GROUND: Final = ("zones", "regions", "segments")
"""Layers that a part of the past repeats; counts of the last days in them are empty."""
_OVER: Final = ("ended", "candidate")
_LATELY: Final = tuple(f"_{short}" for short, _ in SPANS)


class Gone(NamedTuple):
    """Years in which things were over, by name: incidents and candidates, violations and reports that are in none."""

    incidents: pd.Series
    violations: pd.Series
    reports: pd.Series


class Parted(NamedTuple):
    """An answer in parts: what the map holds, what was over by UTC year, and what that is."""

    window: Assessment
    past: dict[int, Assessment]
    gone: Gone


def whole(answer: Assessment) -> Parted:
    """Return an answer of which nothing is too old for the map."""
    none = pd.Series(dtype="int32")
    return Parted(answer, {}, Gone(none, none, none))


def part(answer: Assessment, since: datetime) -> Parted:
    """Return an answer in parts.

    Parameters
    ----------
    answer
        The answer, whole or cut to a region.
    since
        What was over before this instant (aware UTC) is past: an incident that had ended, without a step or an
        observation since; a candidate, or what belongs to neither, without an observation since.

    Returns
    -------
    Parted
        The map keeps the commands of people, and what was declared of coverage; ``counts`` are those of the violations
        that a part holds.
    """
    over = gone(answer, since)
    points, loose, alone = _things(answer)
    there = points, loose.index, alone.index
    kept = (set(names) - set(years.index) for names, years in zip(there, over, strict=True))
    reviews = answer.tables["reviews"]
    window = Assessment(answer.only(*kept).tables.also("reviews", lambda: reviews))
    return Parted(
        window,
        {year: _year(answer, over, year) for year in sorted({int(year) for years in over for year in years.unique()})},
        over,
    )


def gone(answer: Assessment, since: datetime) -> Gone:
    """Return what of an answer is past, as ``part`` has it."""
    _, loose, alone = _things(answer)
    begin = pd.Timestamp(since)
    return Gone(_incidents(answer, begin), _before(loose, begin), _before(alone, begin))


def _things(answer: Assessment) -> tuple[pd.Index, pd.Series, pd.Series]:
    """Return the names of incidents and candidates, and when violations in none and reports in no violation ended."""
    violations, reports = answer.tables["violations"], answer.tables["reports"]
    return (
        pd.Index(answer.tables["incident_points"]["incident_id"]),
        _ended(violations, "violation_id", violations["incident_id"].isna()),
        _ended(reports, "report_id", reports["violation_id"].isna()),
    )


def _ended(frame: pd.DataFrame, name: str, some: pd.Series) -> pd.Series:
    found: pd.Series = frame.loc[some, [name, "observed_to"]].set_index(name)["observed_to"]
    return found


def _before(over: pd.Series, since: pd.Timestamp) -> pd.Series:
    year: pd.Series = over[over < since].dt.year
    return year


def _incidents(answer: Assessment, since: pd.Timestamp) -> pd.Series:
    """Return the year in which each incident and candidate ended that is past, by name; of a candidate its last one."""
    points, violations, steps = (answer.tables[name] for name in ("incident_points", "violations", "transitions"))
    seen, stepped = violations.groupby("incident_id")["observed_to"].max(), steps.groupby("incident_id")["at"].max()
    ended = steps[steps["kind"] == "ended"].groupby("incident_id")["at"].max()
    found = pd.DataFrame({"seen": seen, "stepped": stepped}).reindex(points["incident_id"])
    latest = found["seen"].where(~(found["stepped"] > found["seen"]), found["stepped"])
    over = points["state"].isin(_OVER).to_numpy(bool) & (latest < since).to_numpy(bool)
    year: pd.Series = ended.reindex(latest.index).fillna(latest).dt.year
    return year.loc[over]


def _year(answer: Assessment, gone: Gone, year: int) -> Assessment:
    """Return what was over in a year, with the ground that it lies on."""
    cut = answer.only(*(set(years.index[years == year]) for years in gone)).tables
    blank: dict[str, Callable[[], pd.DataFrame]] = {
        name: partial(tables.empty, tables.BY_NAME[name]) for name in ("reviews", "coverage", "front_line")
    }
    ground = {name: partial(_quiet, answer, name) for name in GROUND}
    made = Layers({name: partial(cut.__getitem__, name) for name in cut} | blank | ground)
    return Assessment(made.also("counts", lambda: tally.count(cut["violations"])))


def _quiet(answer: Assessment, name: str) -> pd.DataFrame:
    """Return a layer of the ground without what happened on it lately."""
    frame, blank = answer.tables[name], tables.empty(tables.BY_NAME[name])
    lately = [column for column in blank.columns if column.endswith(_LATELY)]
    return frame.assign(**{column: blank[column].reindex(frame.index) for column in lately})
