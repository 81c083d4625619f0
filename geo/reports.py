"""What does a report say, as it enters the computation?

``INTAKE`` is what a reader makes of a row; ``STORED`` is what the ledger gives back: the active revision of every item,
one row each. Times are aware UTC (``datetime64[us, UTC]``), coordinates WGS 84 degrees, counts nullable integers.
"""

from __future__ import annotations

from typing import Final

TIME: Final = "datetime64[us, UTC]"

INTAKE: Final[dict[str, str]] = {
    "row_no": "int64",  # 1-based number of the record in its file
    "kind": "str",  # report | retraction | heartbeat | outage
    "source_ref": "str",  # the source's own id of the item; missing: identity is the content
    "observed_from": TIME,
    "observed_to": TIME,  # both ends possible
    "lon": "float64",
    "lat": "float64",
    "uncertainty_m": "float64",  # radius of the footprint
    "act": "str",
    "domain": "str",  # land | air | sea
    "weapon": "str",
    "direction": "str",
    "count_low": "Int64",
    "count_best": "Int64",
    "count_high": "Int64",
    "killed": "Int64",
    "injured": "Int64",
    "party_claimed": "str",  # party id, missing: nobody is named
    "origin": "str",  # who is said to have seen it, as stated
    "reported_at": TIME,
    "text": "str",
    "url": "str",
}

STORED: Final[dict[str, str]] = {
    **{name: dtype for name, dtype in INTAKE.items() if name not in {"row_no", "kind"}},
    "report_id": "str",  # R-n, n = first_no
    "ledger_no": "int64",  # of the active revision
    "first_no": "int64",  # of the item's first revision
    "stands_no": "int64",  # of the revision since which nothing that decides has changed
    "revision": "int64",  # 1, 2, …
    "source": "str",
    "recorded_at": TIME,
    "known_at": TIME,  # of the revision ``stands_no``
    "content": "str",  # SHA-256 of the canonical content; ties are broken by it
    "disputed": "bool",  # its own source said something else under the same id
}

COVERAGE: Final[dict[str, str]] = {
    "ledger_no": "int64",
    "source": "str",
    "observed_from": TIME,
    "observed_to": TIME,
    "lon": "float64",
    "lat": "float64",
    "uncertainty_m": "float64",
    "sees": "bool",  # heartbeat: could see; outage: could not
    "known_at": TIME,
}
