"""Which rows of our own stand for the tables that others publish?"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import builders
from readings import source

from geo.theatre import Dialect

if TYPE_CHECKING:
    from geo.theatre import Source

ACT = {"family": "any", "domain": "land", "prohibited": "everywhere"}
POLICY = builders.policy(**{"acts.clash": ACT, "acts.explosion": ACT})
PLACES = (("1", 2000.0), ("2", 15_000.0), ("3", 60_000.0), ("STREET", 500.0), ("ADM3", 12_000.0))

# Rows of our own, with the columns as published.
ROWS: dict[str, dict[str, str]] = {
    "acled": {
        "event_id_cnty": "XXX17", "event_date": "2026-02-03", "year": "2026", "time_precision": "1",
        "disorder_type": "Political violence", "event_type": "Explosions/Remote violence",
        "sub_event_type": "Shelling/artillery/missile attack", "actor1": "Lefts", "actor2": "Rights", "iso": "0",
        "location": "Village", "latitude": "48.1", "longitude": "37.5", "geo_precision": "1", "source": "Paper; Radio",
        "notes": "Invented: shells fell on a village.", "fatalities": "2", "timestamp": "1770200000",
    },
    "viina": {
        "viina_version": "2", "event_id": "7", "event_id_1pd": "7", "date": "20260203", "time": "14:05",
        "longitude": "37.5", "latitude": "48.1", "GEO_PRECISION": "STREET", "report_id": "3", "source": "paper",
        "url": "https://example.org/3", "text": "вибухи", "lang": "ua",
    },
    "geoconfirmed": {
        "Date": "2026-02-03", "Name": "Village", "Faction": "Left", "Origin": "", "Latitude": "48.1",
        "Longitude": "37.5", "PlusCode": "", "Description": "A house on fire",
        "Source": "https://example.org/a https://example.org/b", "Geolocation": "https://example.org/g",
        "Equipment": "", "EquipmentItems": "", "Units": "7th secret brigade", "OrbatUnits": "unit 4711", "Id": "g-7",
    },
    "cir": {
        "entry": "UW7", "date": "2026-02-03", "event_group": "", "title": "Shelling",
        "brief description": "of a school",
        "lat": "48.1", "lon": "37.5", "country": "", "province": "", "district": "", "town/city": "",
        "arms/munition": "Grad", "violence level": "1", "link": "https://example.org/v", "geolocation": "",
    },
    "ushahidi": {
        "#": "12", "INCIDENT TITLE": "Shots", "INCIDENT DATE": "2026-02-03 14:05", "LOCATION": "Village",
        "DESCRIPTION": "near the school", "CATEGORY": "Shelling, Houses", "LATITUDE": "48.1", "LONGITUDE": "37.5",
        "FIRST NAME": "Forename", "LAST NAME": "Secret", "EMAIL": "reporter@example.org", "APPROVED": "YES",
        "VERIFIED": "NO",
    },
    "observer": {
        "source_ref": "o-1", "observer_lon": "37.5", "observer_lat": "48.1", "bearing": "SW", "distance_min_km": "2",
        "distance_max_km": "5", "count": "37", "act": "undetermined explosions", "direction": "", "weapon": "",
        "observed_from": "2026-02-03T14:05", "observed_to": "2026-02-03T15:00",
    },
}  # fmt: skip
FORMATS = sorted(ROWS)
ROWS |= {
    "csv": {
        "source_ref": "r-1", "observed_from": "2026-02-03T14:05Z", "lon": "37.5", "lat": "48.1", "act": "shelling",
        "count": "2-5", "text": 'one, "two"\nthree', "url": "https://example.org/r",
    },
    "firms": {
        "latitude": "48.1", "longitude": "37.5", "scan": "0.3", "track": "0.4", "acq_date": "2026-04-11",
        "acq_time": "01:34:00", "satellite": "N20", "confidence": "nominal", "version": "2.0", "frp": "2.7",
    },
    "ucdp": {
        "id": "147997", "latitude": "48.1", "longitude": "37.5", "where_prec": "2", "date_prec": "1",
        "date_start": "2026-02-03", "date_end": "2026-02-04", "best": "5", "source_headline": "", "gwnob": "",
    },
}  # fmt: skip


def by(form: str, **dialect: Any) -> Source:  # noqa: ANN401 -- any field
    """Return a source of that format, whose dialect is as given."""
    return source(form, zone="UTC", place_m=PLACES, dialect=Dialect(**dialect))


def table(form: str, *changes: dict[str, str], separator: str = ",") -> bytes:
    """Return a table with a row for each of the changes."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(ROWS[form]), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**ROWS[form], **each} for each in changes)
    return out.getvalue().encode()
