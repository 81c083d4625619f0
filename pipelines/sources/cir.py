"""What does an entry of the Centre for Information Resilience's map (Eyes on Russia) say?

A verified picture of an attack or its effect: the act is ``strike``, and ``arms/munition`` the weapon as stated.
"""

from __future__ import annotations

from typing import Final

from pipelines.sources.forms import Form, linked

FORMAT: Final = "cir"

FORM: Final = Form(
    FORMAT,
    {
        "source_ref": ("entry",),
        "observed_from": ("date",),
        "lon": ("lon",),
        "lat": ("lat",),
        "weapon": ("arms/munition",),
        "text": ("title", "brief description"),
        "url": ("link",),
    },
    required=("source_ref", "observed_from", "lon", "lat"),
    derive=linked,
)
read: Final = FORM.read
