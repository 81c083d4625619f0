"""How do programs that read no GeoPackage take a publication?

As GeoJSON (RFC 7946), a layer a file, or as a table of events in the columns of ACLED. Both are made from what was
published; nothing is computed anew.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import shapely

from pipelines.outcome import caveats, records, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS: Final = 6  # of a degree: a tenth of a metre
_ACLED: Final = (
    "event_id_cnty", "event_date", "year", "time_precision", "disorder_type", "event_type", "sub_event_type", "actor1",
    "assoc_actor_1", "inter1", "actor2", "assoc_actor_2", "inter2", "interaction", "civilian_targeting", "iso",
    "region", "country", "admin1", "admin2", "admin3", "location", "latitude", "longitude", "geo_precision", "source",
    "source_scale", "notes", "fatalities", "tags", "timestamp",
)  # fmt: skip
_REMOTE: Final = "Explosions/Remote violence"
_OTHER: Final = ("Strategic developments", "Other")
_KINDS: Final = {
    "strike": (_REMOTE, "Shelling/artillery/missile attack"),
    "shelling": (_REMOTE, "Shelling/artillery/missile attack"),
    "explosion": (_REMOTE, "Shelling/artillery/missile attack"),
    "missile": (_REMOTE, "Shelling/artillery/missile attack"),
    "naval_fire": (_REMOTE, "Shelling/artillery/missile attack"),
    "response_fire": (_REMOTE, "Shelling/artillery/missile attack"),
    "airstrike": (_REMOTE, "Air/drone strike"),
    "drone": (_REMOTE, "Air/drone strike"),
    "small_arms": ("Battles", "Armed clash"),
    "assault": ("Battles", "Armed clash"),
    "clash": ("Battles", "Armed clash"),
}
_SPANS: Final = ((pd.Timedelta(days=1), 1), (pd.Timedelta(days=7), 2))  # ACLED's codes: a day, a week, else a month
_RADII: Final = ((5_000.0, 1), (25_000.0, 2))  # likewise: a town, its surroundings, else a region; metres
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_INNER: Final = re.compile(r"([;|\t\r\n][\s'\"]*)(?=[=+\-@])")
"""Where a new cell begins with a sign of a formula if the file is split at another sign than the comma."""


def geojson(table: pd.DataFrame, name: str, run: Mapping[str, Any]) -> str:
    """Return a layer as a FeatureCollection: WGS 84, times as ISO 8601 text, with the run that it is of.

    A row without a place has the geometry ``null``. The same input gives the same text.
    """
    shapes = table["geometry"] if "geometry" in table else [None] * len(table)
    told = records(table.drop(columns="geometry", errors="ignore"))
    features = [
        {"type": "Feature", "geometry": _geometry(shape), "properties": row}
        for shape, row in zip(shapes, told, strict=True)
    ]
    about = records(pd.DataFrame([run]))[0]
    whole = {"type": "FeatureCollection", "name": name, "run": about, "features": features}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def _geometry(shape: object) -> object:
    if shape is None or shapely.is_empty(shape):  # type: ignore[call-overload]
        return None
    tidy = shapely.transform(shape, lambda places: places.round(_DIGITS))  # type: ignore[call-overload]
    return json.loads(shapely.to_geojson(shapely.orient_polygons(tidy)))


def acled(violations: pd.DataFrame, reports: pd.DataFrame, regions: pd.DataFrame, run: Mapping[str, Any]) -> str:
    """Return the located violations as CSV in the columns of ACLED, one an event, in order of time.

    Who is held responsible is a claim and stands in ``actor1``; what ACLED alone knows stays empty. A cell that a
    spreadsheet would take for a formula begins with an apostrophe.
    """
    sources = reports.groupby("violation_id")["source"].agg(lambda each: "; ".join(sorted(set(each))))
    latest = reports.groupby("violation_id")["recorded_at"].max()
    names = dict(zip(regions["region_id"], regions["name"], strict=True))
    told = io.StringIO()
    writer = csv.DictWriter(told, _ACLED, restval="", lineterminator="\r\n")
    writer.writeheader()
    placed = violations[violations["geometry"].notna()] if "geometry" in violations else violations.head(0)
    for row in rows(placed.sort_values(["observed_from", "violation_id"], kind="stable")):
        voice, when = sources.get(row["violation_id"]), latest.get(row["violation_id"])
        event = _event(row, names, run)
        event |= {"source": voice, "timestamp": None if when is None else int(when.timestamp())}
        writer.writerow({name: plain(value) for name, value in event.items()})
    return told.getvalue()


def _event(row: Mapping[str, Any], regions: Mapping[str, str], run: Mapping[str, Any]) -> dict[str, object]:
    kind, detail = _KINDS.get(row["act"] or "strike", _OTHER)
    begin, end = row["observed_from"], row["observed_to"]
    said = [
        *caveats(run),
        row["status"],
        "counts" if row["qualifying"] else f"does not count: {row['why_not'] or ''}",
        f"{row['reports']} reports of {row['origins']} origins",
        f"observed {begin:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}",
    ]
    return {
        "event_id_cnty": row["violation_id"],
        "event_date": f"{begin:%Y-%m-%d}",
        "year": begin.year,
        "time_precision": next((code for most, code in _SPANS if end - begin <= most), 3),
        "disorder_type": "Strategic developments" if (kind, detail) == _OTHER else "Political violence",
        "event_type": kind,
        "sub_event_type": detail,
        "actor1": row["party_claimed"],
        "admin1": regions.get(row["region_id"] or "", ""),
        "location": row["place_name"],
        "latitude": round(row["geometry"].y, _DIGITS),
        "longitude": round(row["geometry"].x, _DIGITS),
        "geo_precision": next((code for most, code in _RADII if _radius(row["uncertainty_m"]) <= most), 3),
        "notes": "; ".join(said),
        "fatalities": row["killed"],
        "tags": row["incident_id"],
    }


def _radius(metres: float | None) -> float:
    """Return a radius; an unknown one is beyond all."""
    return math.inf if metres is None or math.isnan(metres) else metres


def plain(value: object) -> object:
    """Return a cell's value: a text that a spreadsheet would run is made a text again, whatever stands before it.

    So is what would begin a cell of its own if semicolons, tabs, bars or line ends were taken to part cells, as
    spreadsheets do in half of Europe, whatever is quoted.
    """
    if value is None or value is pd.NA:
        return ""
    if not isinstance(value, str):
        return value
    return _INNER.sub(r"\1'", f"'{value}" if _is_formula(value) else value)


def plain_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts no spreadsheet runs; numbers and missing values are left as they are."""
    texts = [name for name, dtype in frame.dtypes.items() if pd.api.types.is_string_dtype(dtype)]
    return frame.assign(**{str(name): frame[name].map(plain, na_action="ignore") for name in texts})


def _is_formula(text: str) -> bool:
    """Whether a text begins like a formula, behind whatever is not seen; a tab or return before it is one already."""
    seen = next((sign for sign in text if sign in _FORMULA or unicodedata.category(sign)[0] not in "ZC"), "")
    return bool(seen) and unicodedata.normalize("NFKC", seen) in _FORMULA
