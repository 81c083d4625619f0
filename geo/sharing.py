"""What may leave the cell: which breaches, on which segments, how many a day, later and coarser than it was seen?

RULE 1  What is not named in ``LEAVES`` stays: its columns are empty, and so are tables that are not named at all.
RULE 2  No place is told but whole segments: an incident's shape is the ground beside the segments that it lies on, and
        its chainages are where those begin and end. Its name says which they are.
RULE 3  Times are cut to whole ``round_h`` hours of UTC; counts go up to the next multiple of ``round_n``.
RULE 4  How the ground was watched is told of each side as a whole, beside the violations of that side, and of both
        sides alike; not of a segment.

That an answer leaves only ``delay_h`` after its moment is the business of whoever publishes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import coverage, tables
from geo.crs import WGS84, drawing_crs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.fronts import Baseline
    from geo.policy import Sharing

    Shapes = NDArray[np.object_]

_INCIDENT: Final = (
    "incident_id", "name", "state", "end", "tier_eligible", "tier_effective", "tier_declared", "tier_peak",
    "tier_label", "t0_from", "t0_to", "first_observed", "last_observed", "next_due", "next_due_what", "persistence",
    "violations", "qualifying", "parties", "deepest_zone", "chainage_from_m", "chainage_to_m", "segments",
    "regions", "recurrence_of", "violations_land", "violations_air", "violations_sea",
)  # fmt: skip
LEAVES: Final[Mapping[str, tuple[str, ...]]] = {
    "incidents": _INCIDENT,
    "incident_points": _INCIDENT,
    "incident_days": ("incident_id", "day", "valid_from", "valid_to", "violations", "tier_effective"),
    "segments": (
        "segment_id", "part", "chainage_from_m", "chainage_to_m", "violations_24h", "tier_24h", "violations_72h",
        "tier_72h", "violations_7d", "tier_7d",
    ),
    "sides": tuple(tables.BY_NAME["sides"].names),
    "zones": tuple(tables.BY_NAME["zones"].names),
    "regions": tuple(tables.BY_NAME["regions"].names),
    "transitions": (
        "incident_id", "scenario", "seq", "kind", "tier_from", "tier_to", "at", "rule", "policy_version",
    ),
    "scenarios": (
        "incident_id", "scenario", "qualifying", "tier_eligible", "tier_effective", "tier_peak", "t0_from", "t0_to",
        "next_due", "next_due_what", "persistence", "policy_version",
    ),
    "lineage": ("kind", "from_id", "to_id", "at"),
    "coverage": ("segment_id", "side", "span", "covered_h", "unseen_h", "undeclared_h", "coverage", "violations"),
    "counts": tuple(tables.COUNTS.names),
    "run": (
        "run_id", "theatre", "title", "standing", "scope", "as_of", "known_at", "hindsight", "replay", "ledger_head",
        "theatre_hash", "policy_version", "policy_hash", "version", "incidents", "candidates",
        "party_left", "party_right", "window_from",
    ),
}  # fmt: skip
_EXACT: Final = frozenset({"sides", "zones", "run"})  # agreed ground, and the cut-offs of the run
_COUNTED: Final = ("violations", "qualifying", "not_qualifying")
ALL: Final = "all"  # what the coverage of a whole side is called


def share(answer: Mapping[str, pd.DataFrame], line: Baseline, rules: Sharing) -> dict[str, pd.DataFrame]:
    """Return the declared layers with only what may leave, cut as the rules say.

    Parameters
    ----------
    answer
        Every layer of ``geo.tables`` by name.
    line
        The theatre's first baseline.
    rules
        Of the policy in force.
    """
    told = {name: _kept(answer[name], table) for name, table in tables.BY_NAME.items()}
    told["coverage"] = _sides(answer["coverage"])
    told = {name: frame if name in _EXACT else _coarser(frame, name, rules) for name, frame in told.items()}
    ground = _ground(line, rules.beside_m)
    drawn = {row.incident_id: _on(row.segments, line) for row in answer["incidents"].itertuples()}
    for name in ("incidents", "incident_points", "incident_days"):
        own = [drawn[incident] for incident in told[name]["incident_id"]]
        told[name] = _placed(told[name], own, line, ground, point=name == "incident_points")
    return {name: tables.conform(told[name], table) for name, table in tables.BY_NAME.items()}


def _kept(frame: pd.DataFrame, table: tables.Table) -> pd.DataFrame:
    """Return a layer with nothing in the columns that stay, and without rows if it is not named (RULE 1)."""
    named = LEAVES.get(table.name, ())
    rows = frame if named else frame.iloc[:0]
    return rows.assign(**{column.name: None for column in table.columns if column.name not in named})


def _coarser(frame: pd.DataFrame, name: str, rules: Sharing) -> pd.DataFrame:
    """Return a layer with whole hours and rounded counts (RULE 3)."""
    table = tables.BY_NAME[name]
    times = {
        column.name: frame[column.name].astype("datetime64[us, UTC]").dt.floor(pd.Timedelta(hours=rules.round_h))
        for column in table.columns
        if column.kind == "time" and column.name not in {"valid_from", "valid_to"}  # of days: they are whole already
    }
    counts = {
        column.name: -(-frame[column.name].astype("Int64") // rules.round_n) * rules.round_n
        for column in table.columns
        if column.name.startswith(_COUNTED)
    }
    return frame.assign(**times, **counts)


def _sides(watched: pd.DataFrame) -> pd.DataFrame:
    """Return the coverage of each side as a whole: hours are means over its segments, violations sums (RULE 4)."""
    spans = [short for short in coverage.SPANS_H if short in set(watched["span"])]
    sums = watched.groupby(["side", "span"], sort=False)
    whole = sums[["covered_h", "unseen_h", "undeclared_h"]].mean().round().assign(violations=sums["violations"].sum())
    all_of_it = sums["coverage"].agg(lambda words: set(words) == {"declared"})
    said, seen = sums[["covered_h", "unseen_h"]].sum().sum(axis=1) > 0, sums["covered_h"].sum() > 0
    word = np.select([all_of_it, ~said, ~seen], ["declared", "assumed", "unseen"], "partly")
    blank = dict.fromkeys(("violations_watched", "per_covered_h"))
    whole = whole.assign(coverage=word, segment_id=ALL, **blank).reset_index()
    order = whole["span"].map({short: place for place, short in enumerate(spans)})
    return whole.assign(order=order).sort_values(["order", "side"], kind="stable", ignore_index=True)


def _ground(line: Baseline, beside_m: float) -> Shapes:
    """Return the ground beside each segment, WGS 84, flat at its ends."""
    west, south, east, north = line.segments.total_bounds
    plane = drawing_crs((west + east) / 2, (south + north) / 2)
    drawn = line.segments.geometry.to_crs(plane).buffer(beside_m, cap_style="flat")
    return np.asarray(drawn.to_crs(WGS84).to_numpy(), object)


def _on(segments: Any, line: Baseline) -> list[int]:  # noqa: ANN401 -- missing or text
    """Return the positions of an incident's segments, in order."""
    names = set() if pd.isna(segments) else set(str(segments).split(", "))
    return np.flatnonzero(line.segments["segment_id"].isin(names)).tolist()


def _placed(frame: pd.DataFrame, own: list[list[int]], line: Baseline, ground: Shapes, *, point: bool) -> pd.DataFrame:
    """Return incidents with no other place than their segments (RULE 2)."""
    shapes = [_middle(line, some) if point or not some else shapely.union_all(ground[some]) for some in own]
    told: pd.DataFrame = gpd.GeoDataFrame(frame.drop(columns="geometry", errors="ignore"), geometry=shapes, crs=WGS84)
    if "name" not in told:
        return told
    first, last = ([some[at] if some else -1 for some in own] for at in (0, -1))
    begin, end = (np.append(line.segments[name], np.nan) for name in ("chainage_from_m", "chainage_to_m"))
    ids = [*line.segments["segment_id"], ""]
    names = [ids[a] + (f" to {ids[b]}" if a != b else "") or None for a, b in zip(first, last, strict=True)]
    name = pd.Series(names, told.index, dtype="str")
    return told.assign(chainage_from_m=begin[first], chainage_to_m=end[last], name=name)


def _middle(line: Baseline, some: list[int]) -> shapely.Point | None:
    """Return the middle of the middle one of some segments."""
    if not some:
        return None
    middle: shapely.Point = shapely.line_interpolate_point(
        line.segments.geometry.iloc[some[len(some) // 2]], 0.5, normalized=True
    )
    return middle
