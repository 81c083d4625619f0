"""How does a test say only what matters to it? Small honest worlds: a policy, a theatre, reports, coverage.

Times are hours after ``START`` or aware datetimes; places are kilometres along and off the baseline (positive: left),
or degrees through ``lon`` and ``lat``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
from shapely import LineString, box

from geo.exemptions import Disc, Exemption
from geo.fronts import Baseline
from geo.policy import Policy, PolicyVersion
from geo.reports import COVERAGE, INTAKE, STORED
from geo.reviews import REVIEWS, names
from geo.theatre import Party, Source, Theatre, Window
from geo.zones import Zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

START = datetime(2026, 2, 1, tzinfo=UTC)
LINE = ((35.0, 48.0), (39.0, 48.0))  # one geodesic edge, about 298 km, walked eastwards: north is left
HONEST: dict[str, Any] = {
    "version": "test",
    "acts": {
        "strike": {"family": "any", "domain": "land", "prohibited": "everywhere"},
        "shelling": {"family": "indirect", "domain": "land", "prohibited": "everywhere"},
        "small_arms": {"family": "direct", "domain": "land", "prohibited": "everywhere"},
        "drone": {"family": "air", "domain": "air", "prohibited": "everywhere"},
        "missile": {"family": "air", "domain": "air", "prohibited": "everywhere"},
        "response": {"family": "any", "domain": "land", "prohibited": "everywhere", "response": True},
        "presence": {"family": "presence", "domain": "land", "prohibited": "in_zone"},
        "heat": {"family": "heat", "domain": "land", "prohibited": "never"},
    },
    "weapons": {
        "mortar 82": "mortar",
        "howitzer 152": "artillery",
        "grad": "rocket artillery",
        "iskander": "ballistic missile",
        "fpv": "drone",
    },
    "corroboration": {
        "agree_m": 1000.0,
        "agree_min": 60.0,
        "coarse_m": 5000.0,
        "coarse_h": 25.0,
        "qualifying_status": "alleged",
        "confirming": (("mission",), ("vetted",), ("satellite", "media")),
        "rules": ({"status": "confirmed", "voices": 2, "reliability": ("A", "B"), "means": ("imagery",)},),
        "unheard_reliability": ("E",),
        "unheard_credibility": (5,),
        "same_text_chars": 20,
        "same_id_chars": 12,
    },
    "grouping": {"link_m": 10_000.0, "link_gap_h": 24.0, "weak_part_n": 2},
    "ladder": {
        "open_reading": "any",
        "open_n": 1,
        "response_h": 24.0,
        "persist_h": 24.0,
        "persist_reading": "window",
        "quiet_h": 12.0,
        "broad_h": 72.0,
        "broad_reading": "earliest",
        "single_vetted": False,
    },
    "expansion": {
        "extent_m": 60_000.0,
        "depth_m": 50_000.0,
        "weapons": ("ballistic missile",),
        "rate_n": 50,
        "k": 2,
        "extent_growth": {"times": 2.0, "floor": 20_000.0},
        "depth_growth": {"times": 2.0, "floor": 10_000.0},
        "rate_growth": {"times": 2.0, "floor": 6.0},
    },
    "coverage": {"depth_m": 15_000.0},
    "sharing": {"delay_h": 6.0, "round_h": 1, "round_n": 1, "beside_m": 5_000.0},
    "intensity": {
        "cell_m": 1_000.0,
        "spans_h": [24, 72, 168, 720],
        "widest_m": 70_000.0,
        "weights": {"alleged": 0.5, "contested": 0.5, "corroborated": 1.0, "confirmed": 1.0},
    },
    "heat": {"heat_m": 1000.0, "before_h": 1.0, "after_h": 6.0},
    "matching": {
        "lead_share": 0.5,
        "lead_margin": 0.1,
        "bearing_deg": 5.0,
        "same_point_days": 3,
        "usual_reach_m": 8000.0,
        "reach_m": {"small_arms": 3000.0},
    },
    "publication": {
        "footprint_m": 500.0,
        "pivotal_n": 1000,
        "keep": 3,
        "place_name_m": 50_000.0,
        "place_in_m": 2000.0,
        "alert_grid_m": 10_000.0,
        "alert_age_h": 1.0,
    },
}
SOURCES = (
    Source("mission", "csv", "mission", "mission", "source", authoritative=True, radius_m=100.0),
    Source("vetted", "csv", "vetted", "vetted", "source", authoritative=True, radius_m=100.0),
    Source("media", "csv", "media", "media", "column", authoritative=False, radius_m=1000.0),
    Source("satellite", "csv", "satellite", "satellite", "source", authoritative=True, radius_m=30.0),
    Source("party-l", "csv", "party", "party-l", "source", authoritative=True, radius_m=500.0, party="L"),
    Source("party-l-air", "csv", "party", "party-l-air", "source", authoritative=True, radius_m=500.0, party="L"),
    Source("party-r", "csv", "party", "party-r", "source", authoritative=True, radius_m=500.0, party="R"),
    Source("public", "csv", "public", "public", "column", authoritative=False, radius_m=1000.0),
    Source("repeater", "csv", "media", "repeater", "source", authoritative=True, radius_m=1000.0, copies=("media",)),
    Source(
        "graded",
        "csv",
        "media",
        "graded",
        "column",
        authoritative=True,
        radius_m=100.0,
        reliability="B",
        rates=True,
        means="imagery",
    ),
    Source("rumour", "csv", "media", "rumour", "source", authoritative=True, radius_m=1000.0, reliability="E"),
    Source("firms", "csv", "satellite", "firms", "source", authoritative=True, radius_m=375.0),
)


def policy(**changes: Any) -> Policy:  # noqa: ANN401 -- a value of any field of the policy
    """Return a whole honest policy; ``policy(**{"ladder.quiet_h": 6})`` changes one value by its dotted name."""
    tree: dict[str, Any] = json.loads(json.dumps(HONEST))
    for name, value in changes.items():
        *path, leaf = name.split(".")
        branch = tree
        for step in path:
            branch = branch[step]
        branch[leaf] = value
    return Policy.model_validate(tree)


def versions(*policies: Policy, since: Sequence[float | datetime] = ()) -> tuple[PolicyVersion, ...]:
    """Return policy versions: the first was always in force, each later one from its place in ``since``."""
    starts = [None, *(when(item) for item in since)]
    return tuple(PolicyVersion(policy=item, in_force_from=at) for item, at in zip(policies, starts, strict=True))


def when(time: float | datetime) -> datetime:
    """Return an aware datetime; a number is hours after ``START``."""
    return time if isinstance(time, datetime) else START + timedelta(hours=time)


@lru_cache(maxsize=8)
def baseline(line: tuple[tuple[float, float], ...] = LINE) -> Baseline:
    """Return a baseline with segments of 10 km; lines are built once and shared."""
    return Baseline.build("base", LineString(line), segment_length_m=10_000.0, valid_from=START - timedelta(days=30))


def theatre(
    *,
    windows: Sequence[tuple[float | datetime, float | datetime | None]] = ((0.0, None),),
    line: tuple[tuple[float, float], ...] = LINE,
    zones: tuple[Zone, ...] | None = None,
    regions: gpd.GeoDataFrame | None = None,
    sources: tuple[Source, ...] = SOURCES,
    exemptions: tuple[Exemption, ...] = (),
) -> Theatre:
    """Return a small theatre: parties L and R, a straight line, a band of 15 km, three regions, twelve sources."""
    declared = [
        Window(f"w{n}", when(a), b if b is None else when(b), ("L", "R")) for n, (a, b) in enumerate(windows, 1)
    ]
    return Theatre(
        id="test",
        title="A test",
        status="illustrative",
        parties=(Party("L", "Left", "left", ("lefts",)), Party("R", "Right", "right", ("rights",))),
        windows=tuple(declared),
        baselines=(baseline(line),),
        zones=(band(),) if zones is None else zones,
        regions=boxes() if regions is None else regions,
        sources=sources,
        exemptions=exemptions,
    )


def band(zone_id: str = "band", depth_m: float = 15_000.0, **changes: Any) -> Zone:  # noqa: ANN401 -- any field of a zone
    """Return a depth band on both sides of the baseline that forbids everything to everybody."""
    fields: dict[str, Any] = {
        "kind": "band", "baseline_id": "base", "side": "both", "depth_m": depth_m, "geometry": None, "weapons": None,
        "party": None, "rule": "no heavy weapons", "valid_from": None, "valid_to": None,
    }  # fmt: skip
    return Zone(zone_id, **{**fields, **changes})


def exemption(
    begin: float | datetime,
    end: float | datetime,
    km: tuple[float, float] = (100.0, 1.0),
    **changes: Any,  # noqa: ANN401 -- any field
) -> Exemption:
    """Return a notified demining of explosions and strikes, within 2 km of a place."""
    fields: dict[str, Any] = {
        "id": "demining-1", "kind": "demining", "area": Disc(*place(*km), 2000.0),
        "acts": frozenset({"strike", "indirect"}), "notified_by": "L", "reference": "letter 7",
    }  # fmt: skip
    return Exemption(start=when(begin), end=when(end), **{**fields, **changes})


def boxes() -> gpd.GeoDataFrame:
    """Return three regions side by side: west, middle and east."""
    edges = [34.0, 36.0, 38.0, 40.0]
    return gpd.GeoDataFrame(
        {"region_id": ["west", "middle", "east"], "name": ["West", "Middle", "East"]},
        geometry=[box(a, 46.0, b, 50.0) for a, b in itertools.pairwise(edges)],
        crs="EPSG:4326",
    )


@lru_cache(maxsize=10_000)
def place(along_km: float, off_km: float, line: tuple[tuple[float, float], ...] = LINE) -> tuple[float, float]:
    """Return (lon, lat) of the place so many kilometres along the baseline, and off it to the left."""
    lon, lat = baseline(line).at(along_km * 1000.0, off_km * 1000.0)
    return lon.item(), lat.item()


def report(
    at: float | datetime = 1.0,
    km: tuple[float, float] = (100.0, 1.0),
    *,
    source: str = "mission",
    minutes: float = 0.0,
    to: float | datetime | None = None,
    **fields: Any,  # noqa: ANN401 -- any column of a stored report
) -> dict[str, Any]:
    """Return one stored report as a row; what is not said is plain: a strike, located to 100 m, known an hour later."""
    unknown = set(fields) - set(STORED)
    assert not unknown, f"no columns of a stored report: {sorted(unknown)}"
    begin = when(at)
    end = begin + timedelta(minutes=minutes) if to is None else when(to)
    lon, lat = (fields.pop("lon"), fields.pop("lat")) if "lon" in fields else place(*km)
    return {
        "source": source, "observed_from": begin, "observed_to": end, "lon": lon, "lat": lat, "uncertainty_m": 100.0,
        "act": "strike", "revision": 1, "disputed": False, **fields,
    }  # fmt: skip


def reports(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return a STORED frame; ledger numbers follow the rows' order unless a row states its own."""
    return _frame([_stored(row, n) for n, row in enumerate(rows, 1)], STORED).sort_values(
        "ledger_no", ignore_index=True
    )


def coverage(
    rows: Iterable[tuple[float | datetime, float | datetime, bool] | dict[str, Any]] = (),
    *,
    km: tuple[float, float] = (100.0, 1.0),
    radius_m: float = 5000.0,
) -> pd.DataFrame:
    """Return a COVERAGE frame from (from, to, sees) or whole rows; the place is ``km`` unless a row states its own."""
    return _frame([_covered(row, n, km, radius_m) for n, row in enumerate(rows, 1)], COVERAGE)


def commands(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Return a REVIEWS frame; ledger numbers follow the rows' order from 1,001, and every name is its item's own."""
    return _frame([_commanded(row, n) for n, row in enumerate(rows, 1001)], REVIEWS)


def command(
    kind: str,
    target: str,
    value: str = "",
    *,
    at: float | datetime = 100.0,
    **fields: Any,  # noqa: ANN401 -- any column of a command
) -> dict[str, Any]:
    """Return one command as a row; what is not said is plain: by one person, for a reason, known when it was given."""
    said = {"command": kind, "target": target, "value": value, "reviewer": "First Reviewer", "reason": "seen the site"}
    expires = fields.pop("expires", None)
    times = {"at": when(at), "expires": None if expires is None else when(expires)}
    return {**said, **times, **fields}


def _commanded(row: dict[str, Any], n: int) -> dict[str, Any]:
    used = names(row["target"], row["value"], row.get("violations") or "")
    known = when(row.get("known_at", row["at"]))
    return {"ledger_no": n, "subjects": {name: int(name[2:]) for name in used}, **row, "known_at": known}


def _stored(row: dict[str, Any], n: int) -> dict[str, Any]:
    first = row.get("first_no", n)
    stands = row.get("stands_no", first)
    known = when(row.get("known_at", row["observed_to"] + timedelta(hours=1)))
    numbers = {
        "first_no": first,
        "stands_no": stands,
        "ledger_no": row.get("ledger_no", stands),
        "report_id": f"R-{first}",
    }
    kept = {"source_ref": f"{row['source']}-{first}", "recorded_at": known, "content": content(row)}
    return {**kept, **row, **numbers, "known_at": known}


def content(row: dict[str, Any]) -> str:
    """Return the SHA-256 of what a row says and of who says it, without any ledger number."""
    names = [name for name in (*INTAKE, "source") if name not in {"row_no", "kind"}]
    said = {name: row[name] for name in names if row.get(name) is not None}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _covered(row: Any, n: int, km: tuple[float, float], radius_m: float) -> dict[str, Any]:  # noqa: ANN401 -- either form
    stated = dict(row) if isinstance(row, dict) else {"observed_from": row[0], "observed_to": row[1], "sees": row[2]}
    lon, lat = place(*stated.pop("km", km))
    begin, end = when(stated["observed_from"]), when(stated["observed_to"])
    plain = {
        "ledger_no": 100_000 + n,
        "source": "mission",
        "lon": lon,
        "lat": lat,
        "uncertainty_m": radius_m,
        "known_at": end,
    }
    return {**plain, **stated, "observed_from": begin, "observed_to": end}


def _frame(rows: list[dict[str, Any]], declared: dict[str, str]) -> pd.DataFrame:
    """Return exactly the declared columns, typed; what a row does not say is missing."""
    columns = {name: pd.Series([row.get(name) for row in rows], dtype=dtype) for name, dtype in declared.items()}
    return pd.DataFrame(columns)
