"""What does the file of a quarantined row say once a person has mended it?

Bytes in, bytes out: a file of its own with this one record, which the reader of its source then judges like any other.
In a table it is the header line and the row, in GeoJSON a collection of one feature. For a file that is neither, the
person says the whole row, in the columns of the plain table.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from geo.errors import InputError, PolicyError
from geo.theatre import Dialect
from pipelines.sources.door import END
from pipelines.sources.headers import SEPARATORS
from pipelines.sources.records import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.theatre import Source

PLAIN: Final = "csv"
_PLACE: Final = ("lon", "lat")
_DISC: Final = (*_PLACE, "uncertainty_m")
_ALIKE: Final = (
    "source_ref", *_DISC, "weapon", "direction", "origin", "text", "url", "killed", "injured", "footprint", "means",
    "credibility",
)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def mended(
    file: bytes, raw: bytes | None, source: Source, *, row: str | None, changes: Mapping[str, str]
) -> tuple[bytes, Source]:
    """Return a file with one record, mended, and the source as which it is to be read.

    Parameters
    ----------
    file
        The file that the row came in.
    raw
        The row's own bytes, as they wait in quarantine.
    source
        Where it comes from.
    row
        The mended row whole, in the form of the file; ``None``: the row as it came.
    changes
        Values by column (in GeoJSON by property; ``lon`` and ``lat`` move the point), set after that.

    Raises
    ------
    PolicyError
        If the row cannot be mended like that; the text says how it can.
    """
    said = row if row is not None else None if raw is None else raw.decode(errors="replace")
    if source.format == "geojson":
        return _feature(said, changes), source
    header = _header(file, source)
    if header is None:
        return _whole(row, changes), replace(source, format=PLAIN)
    return _line(header, said, changes, source), source


def columns(said: Mapping[str, str]) -> dict[str, str]:
    """Return in the columns of the plain table what a row says in those of the intake (times: µs since 1970)."""
    found = {name: said[name] for name in _ALIKE if name in said}
    for name in ("observed_from", "observed_to", "reported_at"):
        if name in said:
            found[name] = (_EPOCH + timedelta(microseconds=int(said[name]))).isoformat()
    found["act"] = said.get("act", "") if said["kind"] == "report" else said["kind"]
    found["count"] = _count(*(said.get(f"count_{name}") for name in ("low", "best", "high")))
    if "party_claimed" in said:
        found["party"] = said["party_claimed"]
    return {name: text for name, text in found.items() if text and not (name in _DISC and "footprint" in said)}


def _count(low: str | None, best: str | None, high: str | None) -> str:
    if low is None:
        return "" if best is None else f"~{best}"
    if high is None:
        return f">{int(low) - 1}"
    return low if low == high else f"{low}-{high}"


def table(said: Mapping[str, str]) -> bytes:
    """Return a plain table of one row."""
    out = io.StringIO()
    csv.writer(out, lineterminator=END).writerows([list(said), list(said.values())])
    return out.getvalue().encode()


def restated(said: Mapping[str, str], source: Source, changes: Mapping[str, str]) -> tuple[bytes, Source]:
    """Return a plain table of one row that had been understood, mended, and the source as which it is to be read."""
    plain = dict.fromkeys(("observed_from", *_PLACE), "") | {**said, **changes}
    return table(plain), replace(source, format=PLAIN, dialect=Dialect())


def _feature(said: str | None, changes: Mapping[str, str]) -> bytes:
    try:
        feature: dict[str, Any] = json.loads(_need(said))
        properties = feature["properties"] = dict(feature.get("properties") or {})
    except (ValueError, TypeError, AttributeError) as error:
        msg = f"the feature cannot be read ({error}); give it whole and mended with --row"
        raise PolicyError(msg) from error
    place = [changes[name] for name in _PLACE if name in changes]
    properties.update({name: value for name, value in changes.items() if name not in _PLACE})
    if place:
        if len(place) < len(_PLACE):
            msg = "a point has two coordinates: set both lon and lat"
            raise PolicyError(msg)
        feature["geometry"] = {"type": "Point", "coordinates": [_number(value) for value in place]}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False).encode()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        msg = f"{text!r} is no number: write decimal degrees with a point, such as 37.8042"
        raise PolicyError(msg) from None


def _header(file: bytes, source: Source) -> str | None:
    """Return the first line of a table that is not blank; ``None`` if the file is no text with separators."""
    try:
        text = decode(file, "", source.dialect.encoding)
    except InputError:
        return None
    line = next((line for line in text.splitlines() if line.strip()), "")
    is_table = line.isprintable() or "\t" in line
    return line if is_table and not line.lstrip().startswith(("<", "{", "[")) else None


def _line(header: str, said: str | None, changes: Mapping[str, str], source: Source) -> bytes:
    line = _need(said).strip("\r\n")
    if changes:
        separator = _separator(header, source)
        names = [name.strip().lower() for name in _cells(header, separator)]
        cells = _cells(line, separator)
        unknown = sorted(set(changes) - set(names))
        if unknown:
            msg = f"the file has no column {', '.join(unknown)}; it has: {', '.join(names)}"
            raise PolicyError(msg)
        if len(cells) != len(names):
            fields = f"the row has {len(cells)} fields and the header {len(names)}"
            msg = f"{fields}, so that its columns cannot be told; give the whole row with --row"
            raise PolicyError(msg)
        out = io.StringIO()
        writer = csv.writer(out, delimiter=separator, lineterminator=END)
        writer.writerow([changes.get(name, cell) for name, cell in zip(names, cells, strict=True)])
        line = out.getvalue().removesuffix(END)
    return f"{header}\n{line}\n".encode("utf-8-sig")  # whose mark decides, whatever encoding is declared


def _whole(row: str | None, changes: Mapping[str, str]) -> bytes:
    if row is not None or not changes:
        msg = (
            "its file is no table in text, so the row has no line to mend: say all of it in the columns of the plain "
            "table, with --set observed_from=… --set lon=… --set lat=… and so on"
        )
        raise PolicyError(msg)
    return table(changes)


def _need(said: str | None) -> str:
    if said is None:
        msg = "its own text was erased on order; give the whole row with --row"
        raise PolicyError(msg)
    return said


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line, newline=""), delimiter=separator, strict=True), [])
    except csv.Error as error:
        msg = f"its quotes are broken ({error}); give the whole row with --row"
        raise PolicyError(msg) from error


def _separator(header: str, source: Source) -> str:
    return source.dialect.separator or max(SEPARATORS, key=header.count)
