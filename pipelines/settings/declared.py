"""What may a ``theatre.toml`` say?

One model for each kind of entry. Types are strict (no number in quotation marks), unknown keys are refused, and every
time carries its offset from UTC. Whether the entries fit together is the business of ``checks``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from geo.policy import Means, Positive, Reliability, Trust  # noqa: TC001 -- pydantic reads the annotations at run time
from pipelines.settings.files import THEATRE, is_inside
from pipelines.settings.mistakes import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.settings.mistakes import Mistakes

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Text = Annotated[str, Field(min_length=1)]


_CORNERS: Final = 4


def _area(box: list[float]) -> list[float]:
    if len(box) != _CORNERS or not (-180 <= box[0] < box[2] <= 180 and -90 <= box[1] < box[3] <= 90):  # noqa: PLR2004 -- degrees
        msg = "is no box of west, south, east and north in degrees, in this order"
        raise ValueError(msg)
    return box


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Header(_Entry):
    """The theatre itself."""

    id: Id
    title: Text
    status: Literal["illustrative", "operational"]
    area: Annotated[list[float], AfterValidator(_area)] | None = None


class PartyEntry(_Entry):
    """One side; ``side`` is the hand on which its ground lies when walking along the baseline."""

    id: Id
    name: Text
    side: Literal["left", "right"]
    aliases: list[Text] = Field(default_factory=list)


class WindowEntry(_Entry):
    """A ceasefire from ``start`` (inclusive) to ``end`` (exclusive; left out: open)."""

    id: Id
    start: AwareDatetime
    end: AwareDatetime | None = None
    declared_by: Annotated[list[str], Field(min_length=1)]


class BaselineEntry(_Entry):
    """A reference line; the first is the one whose segments are published."""

    id: Id
    file: Text
    segment_length_m: Annotated[float, Field(ge=1, allow_inf_nan=False)]
    valid_from: AwareDatetime


class RegionsEntry(_Entry):
    """The file of the regions."""

    file: Text


class ZoneEntry(_Entry):
    """A depth band along a baseline (left out: the first), or a polygon of a file with the property ``zone_id``."""

    id: Id
    kind: Literal["band", "polygon"]
    baseline: str | None = None
    side: Literal["left", "right", "both"] = "both"
    depth_m: Positive | None = None
    file: Text | None = None
    weapons: Annotated[list[str], Field(min_length=1)] | None = None
    party: str | None = None
    rule: Text
    valid_from: AwareDatetime | None = None
    valid_to: AwareDatetime | None = None
    forbids: Literal["all", "presence"]


class PointEntry(_Entry):
    """A point that stands for all the ground within ``radius_m``."""

    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    radius_m: Positive


class SourceEntry(_Entry):
    """Where reports come from; ``independence_group`` left out: the source stands alone."""

    id: Id
    format: str
    trust: Trust
    independence_group: Text | None = None
    origin: Literal["source", "column"]
    authoritative: bool
    radius_m: Positive
    time_zone: Text | None = None
    party: str | None = None
    place_m: dict[str, Positive] = Field(default_factory=dict)
    covers: list[Text] = Field(default_factory=list)
    reliability: Reliability = "F"
    rates: bool = False
    means: Means | None = None
    copies: list[str] = Field(default_factory=list)
    separator: Literal[",", ";", "\t", "|"] | None = None
    encoding: Text | None = None
    decimal: Literal[".", ","] = "."
    dates: Literal["iso", "day-first", "month-first", "judged"] = "iso"
    columns: dict[Text, Text | Annotated[list[Text], Field(min_length=1)]] = Field(default_factory=dict)
    acts: dict[str, Text] = Field(default_factory=dict)
    drop: list[Text] = Field(default_factory=list)
    ended: bool = True
    per_hour: Annotated[int, Field(ge=1)] | None = None
    suspended_from: AwareDatetime | None = None
    points: list[PointEntry] = Field(default_factory=list)


class ExemptionEntry(_Entry):
    """What was notified beforehand: on a disc, or on the ground of a file with the property ``exemption_id``."""

    id: Id
    kind: Literal["training", "demining", "works"]
    file: Text | None = None
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    radius_m: Positive | None = None
    acts: Annotated[list[Text], Field(min_length=1)]
    start: AwareDatetime
    end: AwareDatetime
    notified_by: Text
    reference: Text


class LineEntry(_Entry):
    """The line as it ran on a day."""

    file: Text
    valid_from: AwareDatetime
    source: Text


class RasterEntry(_Entry):
    """A GeoTIFF of one band; ``file`` may also be an absolute path, for one that is too large to be copied."""

    id: Id
    kind: Literal["population", "land_cover", "heat_sources"]
    file: Text
    unit: Text
    statistic: Literal["sum", "mean", "majority"] | None = None


class InboxEntry(_Entry):
    """Which dropped files are taken: those that rest for ``settle_s`` seconds and hold at most ``max_bytes``."""

    settle_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    max_bytes: Annotated[int, Field(ge=1)]


class NetworkEntry(_Entry):
    """Whom one may ask over the network, for how long in all (seconds), how often, and after which pause (seconds)."""

    hosts: Annotated[list[Text], Field(min_length=1)]
    deadline_s: Positive
    tries: Annotated[int, Field(ge=1)]
    pause_s: Positive


class FeedEntry(_Entry):
    """Where a source can be asked for its data; ``secret`` is the name of an environment variable.

    Its value goes into the header called ``header``, or without one into the place of ``{secret}`` in the address.
    """

    id: Id
    source: str
    url: Text
    max_bytes: Annotated[int, Field(ge=1)]
    stale_h: Positive
    secret: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")] | None = None


E = TypeVar("E", bound=BaseModel)


@dataclass(frozen=True)
class At(Generic[E]):
    """An entry and the place where it stands, as a sentence names it."""

    where: str
    entry: E


@dataclass
class Declared:
    """Every entry of a ``theatre.toml`` that can be read; ``ids`` also those of entries with a mistake."""

    header: Header | None = None
    regions: RegionsEntry | None = None
    parties: list[At[PartyEntry]] = field(default_factory=list)
    windows: list[At[WindowEntry]] = field(default_factory=list)
    baselines: list[At[BaselineEntry]] = field(default_factory=list)
    zones: list[At[ZoneEntry]] = field(default_factory=list)
    sources: list[At[SourceEntry]] = field(default_factory=list)
    lines: list[At[LineEntry]] = field(default_factory=list)
    rasters: list[At[RasterEntry]] = field(default_factory=list)
    exemptions: list[At[ExemptionEntry]] = field(default_factory=list)
    inbox: InboxEntry | None = None
    network: NetworkEntry | None = None
    feeds: list[At[FeedEntry]] = field(default_factory=list)
    ids: dict[str, list[str]] = field(default_factory=dict)


_HEADER: Final = tuple(Header.model_fields)
_REQUIRED: Final = ("parties", "windows", "baselines", "sources")
_KNOWN: Final = (
    *_HEADER,
    "regions",
    *_REQUIRED,
    "zones",
    "lines",
    "rasters",
    "exemptions",
    "inbox",
    "network",
    "feeds",
)


def declare(table: Mapping[str, Any], mistakes: Mistakes) -> Declared:
    """Return what a parsed ``theatre.toml`` says; whatever cannot be read is noted and left out."""
    for key in table:
        if key not in _KNOWN:
            todo = f"correct its spelling or remove it (known: {', '.join(_KNOWN)})"
            mistakes.add(THEATRE, str(key), "is not a known key", todo)
    return Declared(
        header=_read({key: table[key] for key in _HEADER if key in table}, Header, "", mistakes),
        regions=_regions(table, mistakes),
        parties=_section(table, "parties", PartyEntry, mistakes),
        windows=_section(table, "windows", WindowEntry, mistakes),
        baselines=_section(table, "baselines", BaselineEntry, mistakes),
        zones=_section(table, "zones", ZoneEntry, mistakes),
        sources=_section(table, "sources", SourceEntry, mistakes),
        lines=_section(table, "lines", LineEntry, mistakes),
        rasters=_section(table, "rasters", RasterEntry, mistakes),
        exemptions=_section(table, "exemptions", ExemptionEntry, mistakes),
        inbox=_read(table["inbox"], InboxEntry, "[inbox]", mistakes) if "inbox" in table else None,
        network=_read(table["network"], NetworkEntry, "[network]", mistakes) if "network" in table else None,
        feeds=_section(table, "feeds", FeedEntry, mistakes),
        ids={key: _ids(value) for key, value in table.items() if isinstance(value, list)},
    )


def _regions(table: Mapping[str, Any], mistakes: Mistakes) -> RegionsEntry | None:
    if "regions" not in table:
        mistakes.add(THEATRE, "[regions]", "is missing", 'add it with its file, such as file = "regions.geojson"')
        return None
    entry = _read(table["regions"], RegionsEntry, "[regions]", mistakes)
    return entry if entry is not None and _check_file(entry.file, "[regions]", mistakes) else None


def _section(table: Mapping[str, Any], name: str, model: type[E], mistakes: Mistakes) -> list[At[E]]:
    entries = table.get(name, [])
    if not isinstance(entries, list):
        mistakes.add(THEATRE, name, f"is no list of tables (found {shown(entries)})", f"write each as [[{name}]]")
        return []
    if not entries and name in _REQUIRED:
        mistakes.add(THEATRE, f"[[{name}]]", "is missing", "add at least one")
    found = []
    for number, raw in enumerate(entries, start=1):
        where = _label(name, number, raw)
        entry = _read(raw, model, where, mistakes)
        if entry is not None and (model is RasterEntry or _check_file(getattr(entry, "file", None), where, mistakes)):
            found.append(At(where, entry))
    return found


def _read(raw: object, model: type[E], where: str, mistakes: Mistakes) -> E | None:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        mistakes.add_validation(THEATRE, where, error, model.model_fields)
        return None


def _check_file(name: str | None, where: str, mistakes: Mistakes) -> bool:
    inside = name is None or is_inside(name)
    if not inside:
        wrong = f"{name!r} leads out of the theatre's folder"
        mistakes.add(THEATRE, f"{where} file", wrong, "give a relative path inside it")
    return inside


def _label(section: str, number: int, raw: object) -> str:
    name = raw.get("id") if isinstance(raw, dict) else None
    return f"[[{section}]] {name}" if isinstance(name, str) and name else f"[[{section}]] number {number}"


def _ids(entries: list[Any]) -> list[str]:
    return [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
