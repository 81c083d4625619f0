"""What does a row of GeoConfirmed's table say?

A geolocated picture of fighting: the act is ``clash``. ``Faction`` is who is to be seen, not who fired, so no party is
claimed. The columns of units are dropped at the door: where a unit stood is nobody's business here.
"""

from __future__ import annotations

from typing import Final

from pipelines.sources.forms import Form, linked

FORMAT: Final = "geoconfirmed"

FORM: Final = Form(
    FORMAT,
    {
        "source_ref": ("id",),
        "observed_from": ("date",),
        "lon": ("longitude",),
        "lat": ("latitude",),
        "text": ("name", "description"),
        "url": ("source",),
    },
    required=("source_ref", "observed_from", "lon", "lat"),
    usual="clash",
    drop=("Unit", "Units", "OrbatUnit", "OrbatUnits"),
    derive=linked,
)
read: Final = FORM.read
