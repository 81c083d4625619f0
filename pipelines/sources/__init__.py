"""Which reader understands a source's files?

A format is a module with its name, ``FORMAT``, and ``read(data, context)``; adding one is adding the file and a line
here. What differs between sources of one format (zone, radius, precision codes) stands in the theatre.

Why a record is refused:

- its lines: ``bad_quote``, ``record_size``, ``field_size``, ``field_count``, ``nul``, ``truncated``; in GeoJSON
  ``not_a_feature``, ``geometry``, ``duplicate_key``, ``value``; in JSON lists ``not_an_event``; in KML ``elsewhere``,
  ``archive``; in XLSX ``formula``; in GeoPackages ``encoding``
- what it is: ``unknown_act``, ``no_source_ref``
- when: ``no_time``, ``time``, ``year``, ``ambiguous_date``, ``naive_time``, ``no_such_time``, ``reversed``, ``future``,
  ``date_precision`` (ACLED, UCDP)
- where: ``no_position``, ``coordinate``, ``coordinate_range``, ``null_island``, ``swapped?``, ``outside_theatre``,
  ``uncertainty``, ``place_precision`` (ACLED, UCDP, VIINA), ``pixel`` (FIRMS)
- over which ground: ``two_places``, ``not_a_report``, ``no_bearing``, ``bearing``, ``distance``, ``footprint``
- the rest: ``count``, ``casualties``, ``unknown_party``, ``means``, ``credibility``

A file that cannot be read at all raises ``InputError`` with ``encoding``, ``empty``, ``header``, ``json``, ``crs``,
``xml``, ``xml_entity``, ``xml_depth``, ``archive``, ``archive_size``, ``workbook``, ``sheet_size`` or ``geopackage``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from geo.errors import PolicyError
from pipelines.sources import (
    acled,
    bellingcat,
    cir,
    door,
    firms,
    geoconfirmed,
    geojson,
    gpkg,
    kml,
    observer,
    osint,
    plain,
    repeats,
    ucdp,
    ushahidi,
    viina,
    xlsx,
)
from pipelines.sources.reading import Context, Reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from geo.policy import Policy
    from geo.theatre import Source, Theatre

__all__ = ["READERS", "Reading", "admit", "read", "unwanted"]

READERS: Final[dict[str, Callable[[bytes, Context], Reading]]] = {
    module.FORMAT: module.read
    for module in (
        *(plain, geojson, kml, xlsx, gpkg, ucdp, firms, acled, viina, geoconfirmed, cir, ushahidi, observer),
        *(bellingcat, osint),
    )
}


FORMS: Final = {
    form.format: form for form in (acled.FORM, viina.FORM, geoconfirmed.FORM, cir.FORM, ushahidi.FORM, observer.FORM)
}
LAYOUTS: Final = {module.FORMAT: module.LAYOUT for module in (plain, ucdp, firms)} | {
    name: form.layout for name, form in FORMS.items()
}


def admit(data: bytes, source: Source, file_name: str) -> bytes:
    """Return what may be stored of a file: without the columns that its format or its source says are never kept.

    Raises
    ------
    InputError
        If there are such columns and the table cannot be read, so that nobody can say what stands where; ``header`` if
        one that the source declares is not there.
    """
    if not unwanted(source):
        return data
    form = FORMS.get(source.format)
    return door.emptied(data, source.dialect, LAYOUTS[source.format], form.drop if form else (), file_name)


def unwanted(source: Source) -> tuple[str, ...]:
    """Return the columns of a source's tables that are never kept."""
    form = FORMS.get(source.format)
    return (*(form.drop if form else ()), *source.dialect.drop) if source.format in LAYOUTS else ()


def read(
    data: bytes,
    source: Source,
    theatre: Theatre,
    policy: Policy,
    file_name: str,
    *,
    received_at: datetime | None = None,
) -> Reading:
    """Return what became of each record of a file: exactly one of taken in and refused with its reason.

    Parameters
    ----------
    data
        The whole file.
    source
        Where it comes from; its format chooses the reader.
    file_name
        For sentences only.
    received_at
        When the file came, aware: what begins later is refused. ``None``: nothing is held to lie in the future.

    Raises
    ------
    InputError
        If the file as a whole cannot be read; codes ``encoding``, ``empty``, ``header``, ``json``, ``crs``.
    PolicyError
        If nothing reads the source's format, or the policy lacks the act that a format writes.
    """
    reader = READERS.get(source.format)
    if reader is None:
        msg = f"source {source.id}: nothing reads the format {source.format!r}; known are {', '.join(sorted(READERS))}"
        raise PolicyError(msg)
    return repeats.noted(reader(data, Context(source, theatre, policy, file_name, received_at)), source, policy)
