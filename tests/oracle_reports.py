"""What is a report worth, and how far apart are two? The naive answer: a dict a report, one geodesic at a time."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import shapely
from pyproj import Geod

if TYPE_CHECKING:
    from collections.abc import Callable

    from geo.policy import Corroboration, Policy
    from geo.theatre import Source, Theatre, Window

Row: TypeAlias = dict[str, Any]
GEOD = Geod(ellps="WGS84")
ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
NOTHING = timedelta(0)
RANK = {"mission": 0, "vetted": 1, "satellite": 2, "media": 3, "party": 3, "public": 4}
GRADES = "ABCFDE"


def read(frame: pd.DataFrame, theatre: Theatre, policy: Policy) -> list[Row]:
    """Return every report as a dict, with what its source, act and time are worth."""
    return [_worth(_plain(record), theatre, policy) for record in frame.to_dict("records")]


def _plain(record: dict[Any, Any]) -> Row:
    """Return a row without pandas' kinds of missing and of time."""
    out: Row = {}
    for name, value in record.items():
        missing = not isinstance(value, list | tuple | dict) and pd.isna(value)
        out[str(name)] = None if missing else value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
    return out


def _worth(row: Row, theatre: Theatre, policy: Policy) -> Row:
    source = theatre.source(row["source"])
    if source and source.suspended_from is not None and row["known_at"] >= source.suspended_from:
        row, source = {**row, "source": f"{source.id} (suspended)"}, None
    act = policy.acts.get(row["act"]) if row["act"] else None
    group_of = source.independence_group if source else row["source"]
    states = source is not None and source.origin == "column" and row.get("origin")
    length = row["observed_to"] - row["observed_from"]
    limits = policy.corroboration
    row = {**row, "uncertainty_m": radius(row, theatre)}
    return {
        "id": row["report_id"],
        "no": row["first_no"],
        "stands": row["stands_no"],
        "known_at": row["known_at"],
        "content": row["content"],
        "from": row["observed_from"],
        "to": row["observed_to"],
        "lon": row["lon"],
        "lat": row["lat"],
        "u": row["uncertainty_m"],
        "act": row["act"],
        "family": act.family if act else None,
        "prohibited": act.prohibited if act else "never",
        "weapon": row["weapon"],
        "weapon_class": policy.weapons.get(row["weapon"]) if row["weapon"] else None,
        "party_claimed": row["party_claimed"],
        "halts": bool(act and act.response),
        "trust": source.trust if source else "public",
        "party": source.party if source and source.trust == "party" else None,
        "origin": row["origin"] if states else group_of,  # R1
        "behind": behind(row["origin"] if states else group_of, source, theatre),
        "disputed": bool(row["disputed"]),
        "coarse": length > timedelta(hours=limits.coarse_h)
        or (row["uncertainty_m"] is not None and row["uncertainty_m"] > limits.coarse_m),
        "in_zone": bool(row.get("in_zone")),
        "chainage": row.get("chainage_m"),
        "depth": row.get("distance_m"),
        "region": row.get("region_id"),
        "cell": row.get("cell"),
        **_witness(row, source, theatre, limits),
    }


def radius(row: Row, theatre: Theatre) -> float | None:
    """R4: as it says, but no less than what its point stands for by whoever declared its source."""
    stated = row["uncertainty_m"]
    for source in theatre.sources:
        for lon, lat, least in source.points:
            if row["source"] in {source.id, f"{source.id} (suspended)"} and (row["lon"], row["lat"]) == (lon, lat):
                stated = stated if row.get("footprint") else max(stated, least)
    return stated  # type: ignore[no-any-return]


def behind(origin: str, source: Source | None, theatre: Theatre) -> str | None:
    """R3: the party whose word it is, whoever carries it."""
    if source is not None and source.trust == "party":
        return source.party
    of = {each.party for each in theatre.sources if each.trust == "party" and each.independence_group == origin}
    return of.pop() if len(of) == 1 else None


def _witness(row: Row, source: Source | None, theatre: Theatre, limits: Corroboration) -> Row:
    """Return what tells copies from originals, and what the report is worth (C1 to C4)."""
    url, ref = page(row["url"]), plain(row["source_ref"])
    end = plain(re.split("[/=]", url)[-1]) if url else ""
    text = plain(row["text"])
    return {
        "source": row["source"],
        "copies": lineage(source, theatre),
        "words": text if limits.same_text_chars and len(text) >= limits.same_text_chars else None,
        "page": url,
        "ref": ref if limits.same_id_chars and len(ref) >= limits.same_id_chars else None,
        "tail": end if limits.same_id_chars and len(end) >= limits.same_id_chars else None,
        "worth": worth(source, theatre),
        "reported": row["reported_at"] or ALWAYS,
        "reliability": source.reliability if source else "F",
        "credibility": (row["credibility"] if source and source.rates and source.trust != "public" else None) or 6,
        "means": row["means"] or (source.means if source else None),
        "low": row["count_low"],
        "best": row["count_best"],
        "high": row["count_high"],
        "killed": row["killed"],
        "injured": row["injured"],
    }


def plain(text: str | None) -> str:
    """Return text without case, width, white space at ends and in rows, and invisible signs."""
    shown = "".join(c for c in unicodedata.normalize("NFKC", text or "") if unicodedata.category(c) != "Cf")
    return re.sub(r"\s+", " ", shown.casefold()).strip()


def page(url: str | None) -> str | None:
    """Return a link without scheme, www., fragment and last slashes; nothing where only a site is named."""
    found = re.fullmatch(r"\w+://(?:www\.)?([^/?#]+)([^?#]*)(\?[^#]*)?(?:#.*)?", (url or "").strip(), re.IGNORECASE)
    if not found:
        return None
    rest = found[2].rstrip("/") + (found[3] or "")
    return found[1].lower() + rest if rest else None


def lineage(source: Source | None, theatre: Theatre) -> set[str]:
    """Return the sources that one copies, and those that these copy."""
    direct = set(source.copies) if source else set()
    return direct.union(*(lineage(theatre.source(name), theatre) for name in direct))


def worth(source: Source | None, theatre: Theatre) -> tuple[int, int, int]:
    """C3: how good an original it makes, less being better; no better than what it copies."""
    if source is None:
        return 4, GRADES.index("F"), 0
    others = [other for name in lineage(source, theatre) if (other := theatre.source(name))]
    ground = [source] if source.trust == "public" else [source, *(other for other in others if other.trust != "public")]
    trust, grade = max(RANK[each.trust] for each in ground), max(GRADES.index(each.reliability) for each in ground)
    return trust, grade, len(others)


def read_coverage(frame: pd.DataFrame, theatre: Theatre) -> list[Row]:
    """Return declared coverage as dicts; nobody in the crowd watches."""
    rows = [_plain(record) for record in frame.to_dict("records")]
    names = {"from": "observed_from", "to": "observed_to", "lon": "lon", "lat": "lat", "u": "uncertainty_m"}
    kept = [row for row in rows if (source := theatre.source(row["source"])) and source.trust != "public"]
    return [{**{short: row[name] for short, name in names.items()}, "sees": row["sees"]} for row in kept]


def measured(stored: pd.DataFrame, theatre: Theatre) -> pd.DataFrame:
    """Return stored reports with the columns of matching that matter here, one point at a time (bands only)."""
    rows = [_measured(_plain(record), theatre) for record in stored.to_dict("records")]
    return stored.assign(
        **{name: [row[name] for row in rows] for name in ("chainage_m", "distance_m", "in_zone", "region_id")}
    )


def _measured(row: Row, theatre: Theatre) -> Row:
    if row["lon"] is None or row["lat"] is None:
        return {"chainage_m": None, "distance_m": None, "in_zone": False, "region_id": None}
    found = theatre.baselines[0].locate([row["lon"]], [row["lat"]])
    side = {1: "left", -1: "right", 0: "none"}[int(found.side[0])]
    depth = float(found.distance_m[0])
    point = shapely.Point(row["lon"], row["lat"])
    inside = [
        i for i, area in zip(theatre.regions.region_id, theatre.regions.geometry, strict=True) if area.covers(point)
    ]
    zones = [z for z in theatre.zones if side != "none" and z.side in {"both", side} and depth <= (z.depth_m or 0.0)]
    return {
        "chainage_m": float(found.chainage_m[0]),
        "distance_m": depth,
        "in_zone": bool(zones),
        "region_id": min(inside, default=None),
    }


@lru_cache(maxsize=100_000)
def _geodesic(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(GEOD.inv(*a, *b)[2])


def distance(a: Row, b: Row) -> float:
    """Return the geodesic metres between two centres; the order of the two never matters."""
    first, second = sorted([(a["lon"], a["lat"]), (b["lon"], b["lat"])])
    return _geodesic(first, second)


def pause(a: Row, b: Row) -> timedelta:
    """Return the smallest pause that both intervals allow."""
    earlier, later = sorted([a, b], key=lambda row: row["from"])
    return max(NOTHING, later["from"] - earlier["to"])


def surely_in(row: Row, window: Window) -> bool:
    """Whether the whole interval lies in the half-open window."""
    return window.start <= row["from"] and row["to"] < (window.end or ALWAYS)


def may_be_in(row: Row, window: Window) -> bool:
    """Whether any instant of the interval lies in the half-open window."""
    return row["to"] >= window.start and row["from"] < (window.end or ALWAYS)


def ids(test: Callable[[Row, Window], bool], row: Row, theatre: Theatre) -> set[str]:
    """Return the ids of the windows that pass the test."""
    return {window.id for window in theatre.windows if test(row, window)}
