"""Which formats can a source have, and which columns has the plain table?"""

from __future__ import annotations

from typing import Final

TABLES: Final = ("acled", "cir", "csv", "firms", "geoconfirmed", "observer", "ucdp", "ushahidi", "viina")
"""Text, a record a line: their sources may declare how they write it."""
FORMATS: Final = tuple(sorted((*TABLES, "bellingcat", "geojson", "gpkg", "kml", "osint-geo-extractor", "xlsx")))
MAPPED: Final = ("csv", "xlsx")
"""Formats whose columns a source may name otherwise."""
WORDED: Final = tuple(form for form in FORMATS if form not in {"firms", "ucdp"})
"""Formats whose records are words for acts: their sources may say what their own words mean."""
PLAIN: Final = (
    "source_ref", "observed_from", "observed_to", "lon", "lat", "uncertainty_m", "act", "weapon", "direction", "count",
    "party", "origin", "reported_at", "text", "url", "killed", "injured", "observer_lon", "observer_lat", "bearing",
    "distance_near_m", "distance_far_m", "footprint", "means", "credibility",
)  # fmt: skip
SPECIAL: Final = ("retraction", "heartbeat", "outage")
"""Acts that are no reports."""
CODE_PAGES: Final = (
    "utf-8", "utf-16-le", "utf-16-be", "cp1250", "cp1251", "cp1252", "cp866", "koi8-r", "koi8-u", "iso8859-1",
    "iso8859-2", "iso8859-5", "mac-cyrillic",
)  # fmt: skip
