"""Which points stand for more ground than their reports say?

A source that looks names up puts whatever happened in a district on one point, often with a small radius or none.

RULE 1  Where the theatre says what a point of a source stands for (``Source.points``), that source's reports at exactly
        this point are known no closer than that; where it is more than the policy's ``coarse_m``, they are coarse.
RULE 2  Where it does not, and the source put something on exactly this point on many days, that is told beside each
        of these reports, and changes nothing.

Nothing else is taken from the number of rows. Reports of other weeks lie out of reach of an incident and may change
nothing about it, however many they are; and if a report were worth less because others were made at its point, then the
worse a town is shelled the quieter it would look, and who can get a few rows into a source could silence a place. What
a point stands for depends on the report alone, once somebody has said it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from geo.reports import SUSPENDED

if TYPE_CHECKING:
    from datetime import datetime

    from geo.policy import Matching
    from geo.theatre import Theatre

_POINT: Final = ["source", "lon", "lat"]


def widen(reports: pd.DataFrame, theatre: Theatre) -> pd.DataFrame:
    """Return reports with no radius below what their point is declared to stand for (RULE 1).

    A report whose ``footprint`` is no disc says itself which ground it means, and stays as it is.
    """
    if not any(source.points for source in theatre.sources):
        return reports
    least = _declared(reports, theatre)
    stated = reports["uncertainty_m"]
    wider = reports["footprint"].isna() & (least > stated)
    return reports.assign(uncertainty_m=stated.mask(wider, least)) if wider.any() else reports


def days(reports: pd.DataFrame, theatre: Theatre, rules: Matching, since: datetime | None = None) -> pd.DataFrame:
    """Return by ``report_id`` the point and the UTC day (``observed_from``) of placed reports to be told of (RULE 2).

    These are none where the policy has no number, or the point is declared, or the source gives the precision of each
    place by a code (``place_m``), and nothing that has a ground of its own, is withheld or states no act that could be
    prohibited. What began before ``since`` (aware UTC) is not among them: a run may have left it out (``geo.settled``).
    """
    coded = {source.id for source in theatre.sources if source.place_m}
    asked = reports["footprint"].isna() & ~reports["withheld"] & reports["prohibited"].isin(["everywhere", "in_zone"])
    asked &= reports["lon"].notna() & _declared(reports, theatre).isna() & ~_sources(reports).isin(coded)
    asked &= True if since is None else reports["observed_from"] >= since
    some = reports.loc[asked if rules.same_point_days else asked & False, _POINT]
    day = reports.loc[some.index, "observed_from"].dt.floor("D")
    return some.assign(source=_sources(some), day=day).set_axis(reports.loc[some.index, "report_id"])


def told(found: pd.DataFrame, rules: Matching) -> pd.Series:
    """Return by ``report_id`` on how many of the ``days`` its source used exactly its point, where it were many."""
    number = found.groupby(_POINT)["day"].transform("nunique").astype("Int64")
    many: pd.Series = number[number > rules.same_point_days]
    return many


def _declared(reports: pd.DataFrame, theatre: Theatre) -> pd.Series:
    """Return what the point of each report stands for, metres; missing where nobody said it."""
    points = [(source.id, *point) for source in theatre.sources for point in source.points]
    known = pd.DataFrame(points, columns=[*_POINT, "radius_m"]).astype({"source": "str", "lon": float, "lat": float})
    here = reports[_POINT].assign(source=_sources(reports).astype("str"))
    return here.merge(known, on=_POINT, how="left")["radius_m"].astype(float).set_axis(reports.index)


def _sources(reports: pd.DataFrame) -> pd.Series:
    """Return who sent each report, trusted still or no more."""
    return reports["source"].str.removesuffix(SUSPENDED)
