"""What was said before of reports that a run leaves out, although its map still holds them?

What is over and out of reach of all that may come (``geo.settled``) is told as it was told. Its rows take their places
among those of what is looked at, and whatever counts all violations of a place counts these too.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd
import shapely
from pandas.api.types import union_categoricals

from geo import nearness, points
from geo.summary import Touch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.incidents import Former
    from geo.policy import Matching

ROWS: Final = (
    "incident_points", "incidents", "incident_days", "violations", "reports", "transitions", "evidence", "scenarios",
    "lineage",
)  # fmt: skip
"""Layers of which each row is about one incident or candidate, or about a violation or report that is in none."""
_BY: Final = {"violations": "violation_id", "reports": "ledger_no", "lineage": "to_id"}
_COUNTED: Final = ["qualifying", "observed_from", "segment_id", "region_id", "side"]


class Before(NamedTuple):
    """What a run has to know of the reports that it leaves out.

    ``former`` are their ended incidents. Of what the map holds none the less, ``rows`` are those of the layers of
    ``ROWS``, by name and in order, and ``points`` is what ``geo.points.days`` gives; without rows it holds nothing.
    """

    former: Former | None = None
    rows: Mapping[str, pd.DataFrame] = MappingProxyType({})
    points: pd.DataFrame | None = None


NOTHING: Final = Before()


def beside(before: Before, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a layer with what was said before, each row in its place."""
    if name not in before.rows:
        return frame
    whole = _joined(before.rows[name], frame)
    by = _BY.get(name, "incident_id")
    key = whole[by].to_numpy(np.int64) if name == "reports" else _places(whole[by])
    if (key[1:] >= key[:-1]).all():
        return whole
    return whole.iloc[np.argsort(key, kind="stable")].reset_index(drop=True)


def _joined(before: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of both; a text that is categorical in one of them is so in what is returned."""
    both = before, frame
    named = [name for name in frame if any(isinstance(each[name].dtype, pd.CategoricalDtype) for each in both)]
    whole = pd.concat([each.drop(columns=named) for each in both], ignore_index=True)
    more = {
        str(name): union_categoricals([_named(each[name]) for each in both], sort_categories=True) for name in named
    }
    return whole.assign(**more)[frame.columns]


def _named(texts: pd.Series) -> pd.Series:
    """Return texts as a categorical of texts; one without rows may have lost their type."""
    same = isinstance(texts.dtype, pd.CategoricalDtype) and texts.dtype.categories.dtype == "str"
    return texts if same else texts.astype("str").astype("category")


def pointed(before: Before, reports: pd.DataFrame, days: pd.DataFrame, rules: Matching) -> pd.DataFrame:
    """Return the layer of all reports with ``same_point_days``; ``days`` are those of what is looked at."""
    every = days if before.points is None else pd.concat([before.points, days])
    told = points.told(every, rules)
    return reports.assign(same_point_days=told.reindex(reports["report_id"]).array)


def _places(names: pd.Series) -> NDArray[np.int64]:
    """Return for each name its place: incidents come before candidates, and the lesser number comes first."""
    code, different = pd.factorize(names)
    number = different.str.slice(2).astype("int64").to_numpy()
    place = np.empty(len(different), np.int64)
    place[np.lexsort((number, different.str.startswith("C-")))] = np.arange(len(different))
    return place[code]


def counted(before: Before, violations: pd.DataFrame, touched: list[Touch]) -> tuple[pd.DataFrame, list[Touch]]:
    """Return the violations that segments and regions count, and the incidents that touch these, with those before.

    ``violations`` come first, in order, so that the rows of ``touched`` stand.
    """
    if "violations" not in before.rows:
        return violations, touched
    own = before.rows["violations"]
    shapes = own["geometry"].to_numpy(object)
    more = own[_COUNTED].assign(
        qualifying=own["qualifying"].astype(bool), lon=shapely.get_x(shapes), lat=shapely.get_y(shapes)
    )
    whole = pd.concat([violations[[*_COUNTED, "lon", "lat"]], more], ignore_index=True)
    return whole, touched + _touches(before, len(violations))


def _touches(before: Before, start: int) -> list[Touch]:
    """Return what segments and regions have to know of each incident; ``start`` is the row of its first violation."""
    violations, told, steps = (before.rows[name] for name in ("violations", "incident_points", "transitions"))
    linked = violations["incident_id"].str.startswith("B-", na=False) & ~violations["attached"].astype(bool)
    ended = steps[steps["kind"] == "ended"].groupby("incident_id")["at"].max()
    at = dict(zip(ended.index, nearness.micros(ended).tolist(), strict=True))
    tier = told.set_index("incident_id")["tier_peak"].to_dict()
    row = pd.Series(start + np.flatnonzero(linked))
    rows = row.groupby(violations.loc[linked.to_numpy(bool), "incident_id"].to_numpy(object)).agg(list)
    return [Touch(where, at.get(name), int(tier[name])) for name, where in rows.items()]
