"""What does an entry of the Centre for Information Resilience's map (Eyes on Russia) say?

A verified picture of an attack or its effect: the act is ``strike``, and ``arms/munition`` the weapon as stated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.sources.forms import Form, first_link, named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.sources.dates import Order
    from pipelines.sources.reading import Context, Sieve, Text

FORMAT: Final = "cir"


def _derive(sieve: Sieve, _: Context, __: Order) -> Mapping[str, Text]:
    named(sieve, "source_ref")
    return {"url": first_link(sieve.records.text("url"))}


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
    derive=_derive,
)
read: Final = FORM.read
