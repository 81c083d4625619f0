"""What does the publication say of every incident, step, segment and region?

Turns the computation's values into the layers of ``geo.tables``; decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import coverage, crs, extents, incidents, lines, names, nearness, tables, terms, zones
from geo.course import Grown
from geo.standing import independent

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from pandas._libs.tslibs.nattype import NaTType

    from geo.breaches import Breach, Climb
    from geo.extents import Discs, Ground
    from geo.fronts import Baseline
    from geo.policy import Publication
    from geo.tables import Table
    from geo.theatre import Theatre
    from geo.zones import Zone


def stamp(instant_us: int | None) -> pd.Timestamp | NaTType:
    """Return µs since 1970 as an aware UTC timestamp; ``NaT`` for ``None``."""
    return pd.NaT if instant_us is None else pd.Timestamp(instant_us, unit="us", tz="UTC")


def layer(frame: pd.DataFrame, table: Table) -> gpd.GeoDataFrame:
    """Return a frame with lon and lat as a declared layer of points; rows without a place have no geometry."""
    points = np.asarray(shapely.points(frame["lon"].to_numpy(float), frame["lat"].to_numpy(float)), object)
    points[frame["lon"].isna().to_numpy()] = None
    return tables.conform(gpd.GeoDataFrame(frame, geometry=points, crs=crs.WGS84), table)


def named(frames: Sequence[pd.DataFrame], theatre: Theatre, rules: Publication) -> list[pd.DataFrame]:
    """Return reports, violations with ``place_name``, missing where none is near enough or the place is withheld."""
    columns = ([frame[name].to_numpy(float) for frame in frames] for name in ("lon", "lat", "uncertainty_m"))
    discs = map(np.concatenate, columns)  # most violations lie where a report says
    words = names.describe(theatre.places, *discs, reach_m=rules.place_name_m, inside_m=rules.place_in_m)
    words[np.concatenate([frame["withheld"].fillna(value=False).to_numpy(bool) for frame in frames])] = None
    each = np.split(words, np.cumsum([len(frame) for frame in frames])[:-1])
    return [
        frame.assign(place_name=pd.Series(own, frame.index, dtype="str"))
        for frame, own in zip(frames, each, strict=True)
    ]


def reports_layer(reports: pd.DataFrame, violations: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the layer ``reports``, in order of ledger number."""
    incident = violations.set_index("violation_id")["incident_id"]
    frame = reports.assign(incident_id=reports["violation_id"].map(incident)).sort_values("ledger_no")
    return layer(frame.reset_index(drop=True), tables.REPORTS)


def incident_areas(
    rows: pd.DataFrame, violations: pd.DataFrame, grounds: Mapping[str, Ground], discs: Discs
) -> gpd.GeoDataFrame:
    """Return the layer ``incidents``, drawn, of ``incident_rows``; candidates have no ground yet."""
    loose = _own(violations[violations["incident_id"].str.startswith("C-", na=False)])
    drawn = {name: ground.whole for name, ground in grounds.items()}
    drawn |= {str(name): extents.union(discs.drawn(at)) for name, at in loose.groupby("incident_id").groups.items()}
    whole = gpd.GeoDataFrame(rows, geometry=[drawn[name] for name in rows["incident_id"]], crs=crs.WGS84)
    return tables.conform(whole, tables.INCIDENTS)


def incident_rows(
    breaches: list[Breach], violations: pd.DataFrame, reports: pd.DataFrame, theatre: Theatre
) -> pd.DataFrame:
    """Return what is said of every incident, then of every candidate, in order of name; with lon and lat, not drawn."""
    public = reports.loc[reports["trust"] == "public"].groupby("violation_id").size()
    violations = violations.assign(public=violations["violation_id"].map(public).fillna(0).astype("int64"))
    told = _described(violations.loc[violations["incident_id"].notna()], theatre)
    stands = pd.DataFrame([_standing(breach) for breach in breaches], columns=["incident_id", *_STANDING])
    frame = told.join(stands.set_index("incident_id"))
    loose = frame.index.str.startswith("C-")
    blank = {"state": "candidate", "tier_eligible": 0, "tier_effective": 0, "tier_peak": 0, "tier_label": _LABELS[0]}
    for column, value in {**blank, "weak_link": False}.items():
        frame[column] = frame[column].where(~loose, value)
    order = sorted(frame.index, key=lambda name: (name[0], incidents.number_of(name)))
    return frame.loc[order].reset_index()


_LABELS: Final = terms.TIER_LABELS
_READING: Final = ("next_due", "next_due_what", "persistence", "persistence_why", "growth", *Grown._fields)
_STANDING: Final = (
    "state", "end", "tier_eligible", "tier_effective", "tier_declared", "tier_peak", "tier_label", "t0_from", "t0_to",
    "t0_known_at", "t0_set_by", "next_due", "next_due_what", "persistence", "expansion", "weak_link", "recurrence_of",
    "gap_covered", "responses", "persistence_why", "growth", "extent_first_m", "depth_first_m", "depth_m",
    "rate_first_n", "rate_n",
)  # fmt: skip


def _standing(breach: Breach) -> dict[str, Any]:
    """Return what the ladder says of an incident."""
    climb = breach.any
    course = breach.course if climb is None else climb.course
    begin, surely = course.t0
    first, start = course.first_ended, course[0].t0
    eligible = breach.tier("eligible")
    expansion = [step.reason for step in breach.steps if step.kind == "eligible" and step.tier_to == len(_LABELS) - 1]
    return {
        "incident_id": breach.name,
        "state": breach.end.state,
        "end": breach.end.how,
        "tier_eligible": eligible,
        "tier_effective": breach.tier("effective"),
        "tier_declared": breach.peak("declared") or None,
        "tier_peak": breach.peak("eligible"),
        "tier_label": _LABELS[eligible],
        "t0_from": stamp(begin),
        "t0_to": stamp(surely),
        "t0_known_at": stamp(start.known_at if start else max(first.known_at, course[0].known_at)),
        "t0_set_by": start.by if start else None,
        "expansion": expansion[0] if expansion else None,
        "weak_link": breach.weak,
        "recurrence_of": breach.recurrence_of,
        "gap_covered": breach.gap_covered,
        "responses": breach.course.responses,
        **{name: value for name, value in _reading(climb).items() if name != "extent_m"},  # that is told of all of it
    }


def _reading(climb: Climb | None) -> dict[str, Any]:
    """Return what a scenario's reading says beside its tiers; nothing where it counts no violation."""
    if climb is None:
        return {name: pd.NaT if name == "next_due" else None for name in _READING}
    due = climb.due or (None, None)
    told = (stamp(due[0]), due[1], climb.persistence, climb.persistence_why, str(climb.grown))
    return dict(zip(_READING, (*told, *climb.grown), strict=True))


def scenarios(breaches: list[Breach]) -> pd.DataFrame:
    """Return the table ``scenarios``: what each reading of who fired makes of each incident."""
    rows = []
    for breach in breaches:
        for scenario, climb in breach.climbs.items():
            begin, surely = climb.course.t0
            peaks = {f"tier_{kind}": climb.peak(kind) for kind in ("eligible", "effective")}
            tiers = dict.fromkeys(peaks, 0) if breach.end.at is not None else peaks
            rows.append(
                {
                    "incident_id": breach.name,
                    "scenario": scenario,
                    "qualifying": len(climb.course),
                    **tiers,
                    "tier_peak": peaks["tier_eligible"],
                    "t0_from": stamp(begin),
                    "t0_to": stamp(surely),
                    **_reading(climb),
                    "policy_version": climb.policy_version,
                }
            )
    return tables.conform(pd.DataFrame(rows, columns=tables.SCENARIOS.names), tables.SCENARIOS)


def _own(violations: pd.DataFrame) -> pd.DataFrame:
    """Return what makes up the incidents and candidates, attached violations left out, in order of begin."""
    linked = violations["incident_id"].notna() & ~violations["attached"]
    return violations.loc[linked].sort_values(["observed_from", "content"])


def _described(whole: pd.DataFrame, theatre: Theatre) -> pd.DataFrame:
    """Return what can be said of every incident and candidate, by name; attached violations are only counted."""
    own = whole.loc[~whole["attached"]]
    first = incidents.firsts(own).set_index("incident_id")
    depth = own["distance_m"].fillna(-np.inf)
    deepest = incidents.firsts(own.loc[depth == depth.groupby(own["incident_id"]).transform("max")])
    mine, every = own.groupby("incident_id"), whole.groupby("incident_id")
    span = mine["chainage_m"].agg(["min", "max"])
    return pd.DataFrame(
        {
            "name": [name(row, theatre) for row in first.itertuples()],
            "first_observed": first["observed_from"],
            "last_observed": mine["observed_to"].max(),
            "violations": every.size(),
            "qualifying": mine["qualifying"].sum(),
            "reports": every["reports"].sum(),
            "origins": mine["origin_set"].agg(lambda sets: independent((o, v) for one in set(sets) for o, v, _ in one)),
            "reports_public": every["public"].sum(),
            "parties": _listed(own["incident_id"], own["party_claimed"].str.split("+")),
            "deepest_zone": deepest.set_index("incident_id")["zone_id"],
            "chainage_from_m": span["min"],
            "chainage_to_m": span["max"],
            "extent_m": span["max"] - span["min"],
            "segments": _listed(own["incident_id"], own["segment_id"]),
            "regions": _listed(own["incident_id"], own["region_id"]),
            "weapons": _listed(own["incident_id"], own["weapon_class"]),
            "killed": mine["killed"].sum(min_count=1),
            "injured": mine["injured"].sum(min_count=1),
            "people": np.nan,  # rasters are read for what is published
            "people_known_share": np.nan,
            **{f"violations_{domain}": _domain(whole, domain) for domain in terms.DOMAINS},
            "count_low": mine["count_low"].sum(min_count=1),
            "count_best": mine["count_best"].sum(min_count=1),
            "count_high": mine["count_high"].sum().mask(own["count_high"].isna().groupby(own["incident_id"]).any()),
            "killed_low": mine["killed_low"].sum(min_count=1),
            "injured_low": mine["injured_low"].sum(min_count=1),
            "lon": first["lon"],
            "lat": first["lat"],
        },
        index=first.index,
    )


def _domain(whole: pd.DataFrame, domain: str) -> pd.Series:
    """Return for every incident how many of its violations were on land, in the air or at sea."""
    return whole["domain"].eq(domain).groupby(whole["incident_id"]).sum().astype("int64")


def _listed(incident_id: pd.Series, values: pd.Series) -> pd.Series:
    """Return for every incident its different values, in order, joined by commas; a value may be a list of them."""
    pairs = pd.DataFrame({"incident_id": incident_id, "said": values}).explode("said")
    told = pairs.dropna().drop_duplicates().sort_values("said")
    return told.groupby("incident_id")["said"].agg(", ".join)


def name(first: Any, theatre: Theatre) -> str:  # noqa: ANN401 -- a row, as pandas gives it
    """Return a name for people: where along the line and on which day its first violation began."""
    day = f"{first.observed_from.day} {first.observed_from:%b %Y}"
    if not pd.isna(first.place_name):
        return f"{first.place_name}, {day}"
    if pd.isna(first.chainage_m):
        return day
    if first.withheld:
        return f"segment {first.segment_id}, {day}"
    away = first.distance_m / 1000
    sides = {party.side: f"{away:.0f} km on the {party.id} side" for party in theatre.parties}
    where = sides.get(first.side, f"{away:.0f} km off its end")
    return f"km {first.chainage_m / 1000:.0f} of the line, {where}, {day}"


def moves(breaches: list[Breach]) -> pd.DataFrame:
    """Return the table ``transitions``."""
    rows = [
        (
            *(breach.name, scenario, n + 1, step.kind, step.tier_from, step.tier_to),
            *(stamp(step.at), stamp(step.known_at), step.rule, step.reason, climb.policy_version),
        )
        for breach in breaches
        for scenario, climb in breach.climbs.items()
        for n, step in enumerate(climb.steps)
    ]
    return tables.conform(pd.DataFrame(rows, columns=tables.TRANSITIONS.names), tables.TRANSITIONS)


class Touch(NamedTuple):
    """An incident, by the rows of its violations, when it had ended (µs; ``None``: not), and its highest tier."""

    rows: Collection[int]
    ended: int | None
    tier: int


def touches(breaches: list[Breach]) -> list[Touch]:
    """Return what segments and regions have to know of each incident."""
    return [Touch(breach.rows, breach.end.at, breach.peak("eligible")) for breach in breaches]


def segments(
    touched: list[Touch], violations: pd.DataFrame, watched: pd.DataFrame, theatre: Theatre, as_of: datetime
) -> gpd.GeoDataFrame:
    """Return the layer ``segments`` with what happened on them lately, and how it was watched."""
    frame = theatre.baselines[0].segments
    recent = frame.assign(**_recent(frame["segment_id"], "segment_id", touched, violations, as_of))
    return tables.conform(coverage.beside(recent, watched), tables.SEGMENTS)


def regions(touched: list[Touch], violations: pd.DataFrame, theatre: Theatre, as_of: datetime) -> gpd.GeoDataFrame:
    """Return the layer ``regions`` with what happened in them lately."""
    frame = theatre.regions
    recent = frame.assign(**_recent(frame["region_id"], "region_id", touched, violations, as_of))
    return tables.conform(recent, tables.REGIONS)


def _recent(
    ids: pd.Series, key: str, touched: list[Touch], violations: pd.DataFrame, as_of: datetime
) -> dict[str, pd.Series]:
    """Return counts and worst tiers by place for every span."""
    columns: dict[str, pd.Series] = {}
    at = violations[key].to_numpy(object)
    for short, hours in coverage.SPANS_H.items():
        since = pd.Timestamp(as_of) - pd.Timedelta(hours=hours)
        fresh = violations.loc[violations["qualifying"] & (violations["observed_from"] > since), key]
        tier = dict.fromkeys(ids, 0)
        for one in touched:
            if one.ended is None or one.ended > nearness.instant(since.to_pydatetime()):
                for place in {at[row] for row in one.rows} & tier.keys():
                    tier[place] = max(tier[place], one.tier)
        columns[f"violations_{short}"] = ids.map(fresh.value_counts()).fillna(0).astype("Int64")
        columns[f"tier_{short}"] = ids.map(tier).astype("Int64")
    return columns


def front_line(theatre: Theatre, as_of: datetime) -> gpd.GeoDataFrame:
    """Return the layer ``front_line``: the newest usable current line not after ``as_of``, or else the baseline."""
    base, line = theatre.baselines[0], lines.newest(theatre.lines, as_of)
    if line is None:
        valid_from, source = base.valid_from, f"baseline {base.id}"
        notes = ["no current line is known: this is the baseline"]
        parts = base.parts
    else:
        valid_from, source = line.valid_from, line.source
        doubt = lines.survey(line, base).doubt
        notes = [] if doubt is None else [doubt]
        parts = lines.tidy(line.geometry)
    notes += [f"not used: {other.name}: {_wrong(other)}" for other in lines.passed_over(theatre.lines, as_of)]
    row = {
        "valid_from": [pd.Timestamp(valid_from)],
        "source": [source],
        "age_h": [(as_of - valid_from).total_seconds() / 3600],
        "note": ["; ".join(notes) or None],
    }
    geometry = shapely.MultiLineString(parts)
    return tables.conform(gpd.GeoDataFrame(row, geometry=[geometry], crs=crs.WGS84), tables.FRONT_LINE)


def _wrong(line: lines.CurrentLine) -> str:
    """Return what is wrong with a line, without what to do about it."""
    return str(line.unusable).partition(";")[0]


@dataclass(frozen=True)
class _Drawing:
    """What a zone's drawing depends on; of the line, that is its segments."""

    kind: str
    side: str
    depth_m: float | None
    ground: bytes
    line: bytes
    zone: Zone = field(compare=False)
    baseline: Baseline | None = field(compare=False)

    @classmethod
    def of(cls, zone: Zone, baseline: Baseline | None) -> Self:
        line = b"" if baseline is None else b"".join(baseline.segments.geometry.to_wkb())
        ground = b"" if zone.geometry is None else shapely.to_wkb(zone.geometry)
        return cls(zone.kind, zone.side, zone.depth_m, ground, line, zone, baseline)


@lru_cache(maxsize=64)  # that takes a good part of a second, and zones seldom change
def _drawn(drawing: _Drawing) -> shapely.MultiPolygon:
    return zones.draw(drawing.zone, drawing.baseline)


def zones_layer(theatre: Theatre) -> gpd.GeoDataFrame:
    """Return the layer ``zones``: the widest first, so that the narrower ones are drawn on top."""
    baselines = {baseline.id: baseline for baseline in theatre.baselines}
    ordered = sorted(theatre.zones, key=lambda zone: zone.strictness, reverse=True)
    rows = [
        {
            "zone_id": zone.id,
            "kind": zone.kind,
            "side": zone.side,
            "depth_m": zone.depth_m,
            "weapons": None if zone.weapons is None else ", ".join(sorted(zone.weapons)),
            "party": zone.party,
            "rule": zone.rule,
            "valid_from": pd.NaT if zone.valid_from is None else pd.Timestamp(zone.valid_from),
            "valid_to": pd.NaT if zone.valid_to is None else pd.Timestamp(zone.valid_to),
            "geometry": _drawn(_Drawing.of(zone, baselines.get(zone.baseline_id or ""))),
        }
        for zone in ordered
    ]
    frame = gpd.GeoDataFrame(rows, columns=[*tables.ZONES.names, "geometry"], geometry="geometry", crs=crs.WGS84)
    return tables.conform(frame, tables.ZONES)


def lineage(breaches: list[Breach]) -> pd.DataFrame:
    """Return the table ``lineage``: which incident takes up which ended one."""
    rows = [
        {
            "kind": "recurrence",
            "from_id": breach.recurrence_of,
            "to_id": breach.name,
            "at": stamp(breach.course[0].start),
            "known_at": stamp(max(breach.course[0].known_at, breach.course[0].start)),
            "reason": "its first violation lies where the earlier incident had ended",
        }
        for breach in breaches
        if breach.recurrence_of is not None
    ]
    return tables.conform(pd.DataFrame(rows, columns=tables.LINEAGE_TABLE.names), tables.LINEAGE_TABLE)
