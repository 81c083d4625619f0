"""What does a detection of NASA FIRMS (VIIRS or MODIS) say?

Heat in one pixel at one instant, UTC. The footprint is the pixel, ``scan`` by ``track`` (km), and the radius half its
diagonal; where they are empty, the source's radius (the format does not say which instrument's pixel it is). Times are
HHMM, in which exports lose leading zeros (``35`` is 00:35), or HH:MM, or HH:MM:SS. Detections have no ids of their own:
``source_ref`` is satellite, date, time, latitude and longitude.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geo.shapes import Pixel
from pipelines.sources import times
from pipelines.sources.fields import decimal, given, joined, matches
from pipelines.sources.headers import Layout
from pipelines.sources.places import positions
from pipelines.sources.reading import Sieve, constant
from pipelines.sources.records import split

if TYPE_CHECKING:
    from pipelines.sources.reading import Context, Reading, Reals, Records, Text

FORMAT: Final = "firms"
ACT: Final = "heat"
REQUIRED: Final = ("latitude", "longitude", "scan", "track", "acq_date", "acq_time", "satellite")
LAYOUT: Final = Layout(REQUIRED, (*REQUIRED, "confidence", "frp"), "acq_date")
WIDEST_KM: Final = 10.0  # MODIS at the edge of its swath is below 5


def read(data: bytes, context: Context) -> Reading:
    """Return what became of each detection of a file.

    Raises
    ------
    InputError
        If the file as a whole cannot be read.
    PolicyError
        If the policy lacks the act that the format writes.
    """
    records = split(data, context, LAYOUT)
    sieve = Sieve(records)
    instant = _acquired(records)
    sentence = "acq_date or acq_time is empty: every detection has both; export the file again."
    sieve.refuse(~given(instant), "no_time", sentence)
    seen = times.read(sieve, "acq_date with acq_time", instant, context.source)
    lon, lat = positions(sieve, context.theatre, ("longitude", "latitude"))
    sides = _sides(sieve)
    half_m = np.hypot(*sides) * 1000 / 2
    radius = np.where(np.isnan(half_m), context.source.radius_m, half_m)
    return sieve.close(
        {
            **constant(len(records), ACT, context.policy),
            "source_ref": _reference(records, instant),
            "observed_from": seen.first,
            "observed_to": seen.last,
            "lon": lon,
            "lat": lat,
            "uncertainty_m": radius,
            "footprint": _pixels(lon, lat, sides),
            "text": _text(records),
        }
    )


def _acquired(records: Records) -> Text:
    date, time = records.text("acq_date"), records.text("acq_time")
    digits = pc.utf8_lpad(time, 4, "0")
    colon = pc.binary_join_element_wise(pc.utf8_slice_codeunits(digits, 0, 2), pc.utf8_slice_codeunits(digits, 2), ":")
    clock = pc.if_else(pa.array(matches(time, "^[0-9]{1,4}$")), colon, time)
    whole = pc.binary_join_element_wise(date, clock, "T")
    return pc.binary_join_element_wise(whole, pa.scalar("Z"), "")


def _reference(records: Records, instant: Text) -> Text:
    # 0130, 130, 01:30 and 01:30:00 are one time, and must make one detection.
    moment = pc.replace_substring_regex(instant, pattern="(:00)?Z$", replacement="")
    parts = [records.text("satellite"), pc.replace_substring(moment, "T", "|")]
    return pc.binary_join_element_wise(*parts, records.text("latitude"), records.text("longitude"), "|")


def _sides(sieve: Sieve) -> tuple[Reals, Reals]:
    """Return scan and track in km."""
    sides = []
    for name in ("scan", "track"):
        text = sieve.records.text(name)
        km, bad = decimal(text, sieve.records.point)
        sentence = (
            f"{name} says {{value}}, and must be the pixel's side in km, above 0 and up to 10: export the file again."
        )
        sieve.refuse(bad | (km <= 0) | (km > WIDEST_KM), "pixel", sentence, value=text)
        sides.append(km)
    return sides[0], sides[1]


def _pixels(lon: Reals, lat: Reals, sides: tuple[Reals, Reals]) -> Text:
    """Return the footprint of each detection whose place and sides are known."""
    whole = zip(lon.tolist(), lat.tolist(), *((side * 1000).tolist() for side in sides), strict=True)
    return pa.array([str(Pixel(*each)) if np.isfinite(each).all() else None for each in whole], pa.string())


def _text(records: Records) -> Text:
    said = pc.binary_join_element_wise(pa.scalar("confidence"), records.text("confidence"), " ")
    power = pc.binary_join_element_wise(records.text("frp"), pa.scalar("MW"), " ")
    return joined(said, power, ", ")
