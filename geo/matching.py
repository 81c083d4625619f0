"""Where on the line is each report, how far from it, and in which zones and region?

What is published of a footprint's centre (chainage, offset, distance, side, region) is exact; the segment and the zone
are the likeliest ones of the footprint, and named only where they lead as the policy asks for. Beside each stands its
share of the footprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from geo import borders, footprints, shapes, shares
from geo.shares import Division
from geo.threads import mapped
from geo.zones import applies, contains, in_band

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from geo.crs import Reals
    from geo.fronts import Baseline, Beside, Located
    from geo.pieces import Bools, Indices
    from geo.policy import Matching
    from geo.shares import Counted
    from geo.theatre import Theatre
    from geo.zones import Zone

    Objects = npt.NDArray[np.object_]

BLOCK: Final = 10_000  # footprints sampled together
AT_MOST: Final = 4  # blocks sampled side by side: each takes some 40 MB
SIDES: Final = np.array(["right", "none", "left"])
NOWHERE: Final = "none"  # what a share is called that lies in no zone or region


@dataclass(frozen=True, eq=False)
class _Places:
    """Distinct footprints (shape (n,)) and which zones bind their reports (shape (n, zones)).

    Each is a disc, or has its ``shape`` as text and the disc around it.
    """

    lon: Reals
    lat: Reals
    radius: Reals
    shape: Objects
    binding: Bools

    def __getitem__(self, rows: Indices | slice) -> _Places:
        return _Places(self.lon[rows], self.lat[rows], self.radius[rows], self.shape[rows], self.binding[rows])


@dataclass(frozen=True, eq=False)
class _Ground:
    """What there is to be matched with: zones the strictest first, the baselines that matter, regions by id."""

    zones: tuple[Zone, ...]
    lines: tuple[Baseline, ...]
    regions: gpd.GeoDataFrame

    @classmethod
    def of(cls, theatre: Theatre) -> _Ground:
        zones = tuple(sorted(theatre.zones, key=lambda zone: zone.strictness))
        baselines = {baseline.id: baseline for baseline in theatre.baselines}
        used = [baselines[zone.baseline_id] for zone in zones if zone.kind == "band" and zone.baseline_id is not None]
        lines = tuple(dict.fromkeys([theatre.baselines[0], *used]))
        return cls(zones, lines, theatre.regions.sort_values("region_id", kind="stable"))

    @property
    def names(self) -> dict[str, list[str]]:
        """What the codes of each question stand for."""
        return {
            "segment": self.lines[0].segments["segment_id"].tolist(),
            "zone": [*(zone.id for zone in self.zones), NOWHERE],
            "side": SIDES.tolist(),
            "region": [*self.regions["region_id"], NOWHERE],
        }


@dataclass(frozen=True, eq=False)
class _Answers:
    """What is known of distinct footprints: where their centres are, in which zones, and how they divide."""

    main: Located
    holds: Bools
    divided: dict[str, Division]


def match(reports: pd.DataFrame, theatre: Theatre, rules: Matching) -> pd.DataFrame:
    """Return reports with their place on the line, in zones and in regions.

    Parameters
    ----------
    reports
        With ``lon``, ``lat`` (WGS 84 degrees), ``uncertainty_m`` (metres, known of all that have coordinates),
        ``observed_from`` (aware UTC), ``weapon_class`` and ``party_claimed``, and where some have one ``footprint``
        (settled, see ``geo.shapes``; the other three are of the disc around it). Not changed.
    theatre
        Its first baseline is the one whose segments and chainages are given.
    rules
        When an answer leads.

    Returns
    -------
    DataFrame
        The same rows and index, with ``segment_id``, ``segment_share``, ``chainage_m``, ``offset_m``, ``distance_m``,
        ``side``, ``zone_id``, ``zone_share``, ``region_id``, ``in_zone``, ``zones``, ``side_share``, ``region_share``,
        ``ambiguous`` and ``between``. Segment and zone are those of the largest share, missing where it does not lead:
        then the report is ``ambiguous``, and ``between`` says what it lies between. ``zones`` are all zones that bind
        the report and hold its likeliest place (of the named zone, what is nearest to the centre), joined by +,
        strictest first; the first is ``zone_id``. ``in_zone``: the share that lies in any binding zone leads.
        ``offset_m`` is missing beyond the line's ends, and 0 with side ``none`` on the line itself. Without
        coordinates everything is missing, ``side`` is ``none`` and the rest false. A row's answer does not depend on
        the other rows.

    Raises
    ------
    ValueError
        If a report has coordinates, but no ``uncertainty_m``.
    """
    ground = _Ground.of(theatre)
    places, row = _distinct(reports, ground.zones)
    found = _told(places, ground, rules).reindex(row).set_axis(reports.index)
    found["side"] = found["side"].fillna("none")
    for name in ("in_zone", "ambiguous"):
        found[name] = found[name].eq(1.0)
    return reports.assign(**{str(name): column for name, column in found.items()})


def divide(reports: pd.DataFrame, theatre: Theatre) -> pd.DataFrame:
    """Return how each report's footprint divides among segments, zones, sides and regions.

    Returns
    -------
    DataFrame
        ``row`` (position in ``reports``), ``of`` (segment, zone, side or region), ``id`` (``none``: in no zone, in no
        region, or beyond the line's ends) and ``share``. The shares of a row add up to 1 in each; of a zone it is the
        share of places whose strictest zone it is. Rows without coordinates have none.
    """
    ground = _Ground.of(theatre)
    places, place = _distinct(reports, ground.zones)
    divided = _answers(places, ground).divided
    rows = pd.DataFrame({"place": place, "report": np.arange(len(place))})
    parts = [
        rows.merge(divided[of].table(names).assign(of=of), left_on="place", right_on="row")
        for of, names in ground.names.items()
    ]
    whole = pd.concat(parts, ignore_index=True).sort_values("report", kind="stable", ignore_index=True)
    return whole[["report", "of", "id", "share"]].rename(columns={"report": "row"})


def _distinct(reports: pd.DataFrame, zones: tuple[Zone, ...]) -> tuple[_Places, Indices]:
    """Return each different question once, and which of them each report asks; -1: none, for it has no coordinates."""
    placed = np.isfinite(reports["lon"].to_numpy(float)) & np.isfinite(reports["lat"].to_numpy(float))
    some = reports[placed]
    if some["uncertainty_m"].isna().any():
        msg = "a report with coordinates needs uncertainty_m: how far from them it may have been, metres"
        raise ValueError(msg)
    binding = np.array([applies(zone, some) for zone in zones], dtype=bool).reshape(len(zones), len(some)).T
    keys = some[["lon", "lat", "uncertainty_m"]].astype(float)
    shape = some["footprint"] if "footprint" in some else pd.Series(None, some.index, dtype="str")
    keys = keys.assign(binding=_alike(binding), shape=shape)
    which = keys.groupby(list(keys.columns), sort=False, dropna=False).ngroup().to_numpy(np.intp)
    first = np.unique(which, return_index=True)[1]
    lon, lat, radius = (keys[name].to_numpy(float)[first] for name in ("lon", "lat", "uncertainty_m"))
    shaped = shape.astype(object).where(shape.notna(), None).to_numpy(object)[first]
    row = np.full(len(reports), -1, dtype=np.intp)
    row[placed] = which
    return _Places(lon, lat, radius, shaped, binding[first]), row


def _told(places: _Places, ground: _Ground, rules: Matching) -> pd.DataFrame:
    """Return the answers of places, one row each; ``in_zone`` and ``ambiguous`` are 1 or 0."""
    answers, names = _answers(places, ground), ground.names
    main, divided = answers.main, answers.divided
    segment, zone = (shares.name(divided[of], rules) for of in ("segment", "zone"))
    outside = divided["zone"].share_of(np.full(len(places.lon), len(ground.zones)))
    region = divided["region"].centre
    side_share, region_share = (divided[of].share_of(divided[of].centre) for of in ("side", "region"))
    zoned = zone.leads & (zone.code < len(ground.zones))
    return pd.DataFrame(
        {
            "segment_id": _named(names["segment"], segment.code, segment.leads),
            "segment_share": np.where(segment.leads, segment.share, np.nan),
            "chainage_m": main.chainage_m,
            "offset_m": np.where((main.side == 0) & ~main.on_line, np.nan, main.distance_m * main.side),
            "distance_m": main.distance_m,
            "side": pd.Series(SIDES[main.side + 1], dtype="str"),
            "zone_id": _named(names["zone"], zone.code, zoned),
            "zone_share": np.where(zoned, zone.share, np.nan),
            "region_id": _named(names["region"], region, region < len(ground.regions)),
            "in_zone": shares.leads(1.0 - outside, outside, rules).astype(float),
            "zones": _sets(places, ground, answers, np.where(zoned, zone.code, len(ground.zones))),
            "side_share": side_share,
            "region_share": np.where(region < len(ground.regions), region_share, np.nan),
            "ambiguous": (~(segment.leads & zone.leads)).astype(float),
            "between": _between(divided, {"segment": ~segment.leads, "zone": ~zone.leads}, names),
        }
    )


def _named(names: list[str], code: Indices, said: Bools) -> pd.Series:
    return pd.Series(np.array(names, dtype=object)[code], dtype="str").where(said, None)


def _between(divided: dict[str, Division], unled: dict[str, Bools], names: dict[str, list[str]]) -> pd.Series:
    """Return what the ambiguous footprints lie between, in words."""
    told = {of: divided[of].between(rows, names[of]) for of, rows in unled.items()}
    rows = sorted(set().union(*told.values()))
    words = ["; ".join(f"{of} {each[row]}" for of, each in told.items() if row in each) for row in rows]
    return pd.Series(words, rows, dtype="str").reindex(range(len(divided["segment"].centre)))


def _sets(places: _Places, ground: _Ground, answers: _Answers, zone: Indices) -> pd.Series:
    """Return all zones that hold the place nearest to the centre whose strictest zone is ``zone``, joined by +."""
    holds = answers.holds.copy()
    holds[:, zone == len(ground.zones)] = False
    for rows in _blocks(np.flatnonzero((zone < len(ground.zones)) & (zone != answers.divided["zone"].centre)), places):
        _, within = _look(places[rows], ground)
        nearest = (_first(within) == zone[rows, None]).argmax(axis=1)
        holds[:, rows] = within[:, np.arange(len(rows)), nearest]
    ids = np.array([zone.id for zone in ground.zones], dtype=object)
    code = _alike(holds.T)
    first = np.unique(code, return_index=True)[1]
    words = pd.array(["+".join(ids[holds[:, at]]) or None for at in first], "str")
    return pd.Series(words.take(code))


def _alike(rows: Bools) -> Indices:
    """Return a number of each row of truths, shape (n, zones), from 0, equal where they are."""
    code: Indices = np.zeros(len(rows), np.intp)
    for column in rows.T:
        code = pd.factorize(2 * code + column)[0]
    return code


def _answers(places: _Places, ground: _Ground) -> _Answers:
    located = {line.id: line.locate(places.lon, places.lat) for line in ground.lines}
    main = located[ground.lines[0].id]
    holds = _holding(places, ground.zones, located)
    counted: dict[str, list[Counted]] = {of: [] for of in ground.names}
    areas = ground.regions.geometry.to_numpy()

    def beside(rows: Indices) -> dict[str, Counted]:
        line, within = _look(places[rows], ground, {key: item[rows] for key, item in located.items()})
        codes = {"segment": line.segment, "side": line.side + np.int8(1), "zone": _first(within)}
        return {of: shares.count(rows, each) for of, each in codes.items()}

    def across(rows: Indices) -> dict[str, Counted]:
        lon, lat = _samples(places[rows])
        code = borders.holding(areas, lon.ravel(), lat.ravel()).reshape(lon.shape)
        return {"region": shares.count(rows, code)}

    unsure = np.flatnonzero(_unsure(places, ground, located))
    near = np.flatnonzero(_near(shapely.boundary(areas), places))
    for work, rows in ((beside, unsure), (across, near)):
        for parts in mapped(work, _blocks(rows, places), AT_MOST):
            for of, part in parts.items():
                counted[of].append(part)
    region = borders.holding(areas, places.lon, places.lat)
    zone, side = _first(holds).astype(np.intp), main.side.astype(np.intp) + 1
    centre = {"segment": main.segment, "zone": zone, "side": side, "region": region}
    return _Answers(main, holds, {of: Division.of(centre[of], counted[of]) for of in centre})


def _blocks(rows: Indices, places: _Places) -> list[Indices]:
    """Return rows in blocks, discs apart from other shapes."""
    disc = np.array([shape is None for shape in places.shape[rows]], dtype=bool)
    kinds = (rows[disc], rows[~disc])
    return [kind[start : start + BLOCK] for kind in kinds for start in range(0, len(kind), BLOCK)]


def _samples(places: _Places) -> tuple[Reals, Reals]:
    """Return longitude and latitude of the places that stand for footprints, all discs or none; shape (n, samples)."""
    if places.shape[0] is None:
        return footprints.places(places.lon, places.lat, places.radius)
    found = [shapes.samples(text) for text in places.shape]
    return np.stack([lon for lon, _ in found]), np.stack([lat for _, lat in found])


def _look(places: _Places, ground: _Ground, centres: dict[str, Located] | None = None) -> tuple[Beside, Bools]:
    """Return what of the first baseline is nearest to the samples of footprints, and which zones hold them.

    Shapes (n, samples) and (zones, n, samples). The footprints are all discs, or none is.
    """
    located: dict[str, Beside]
    if places.shape[0] is None:
        disc = (places.lon, places.lat, places.radius)
        centres = centres or {line.id: line.locate(places.lon, places.lat) for line in ground.lines}
        located = {line.id: footprints.spread(line, *disc, centres[line.id]) for line in ground.lines}
        spots = _spread(places, ground.zones)
    else:
        lon, lat = _samples(places)
        spots = _Places(lon, lat, places.radius, places.shape, places.binding)
        located = {line.id: _folded(line.locate(lon.ravel(), lat.ravel()), lon.shape) for line in ground.lines}
    return located[ground.lines[0].id], _holding(spots, ground.zones, located)


def _folded(located: Beside, shape: tuple[int, ...]) -> Beside:
    return type(located)(*(getattr(located, name).reshape(shape) for name in located.__dataclass_fields__))


def _holding(places: _Places, zones: tuple[Zone, ...], located: Mapping[str, Beside]) -> Bools:
    """Return which zones bind and contain each place, along a first axis of zones."""
    holds = np.zeros((len(zones), *places.lon.shape), dtype=bool)
    for held, zone, binding in zip(holds, zones, places.binding.T, strict=True):
        bound: Indices | slice = slice(None) if binding.all() else np.flatnonzero(binding)
        if zone.kind == "polygon":
            held[bound] = contains(zone, places.lon[bound], places.lat[bound], None)
        else:
            held[bound] = in_band(zone, located[zone.baseline_id or ""][bound])
    return holds


def _first(holds: Bools) -> npt.NDArray[np.integer[Any]]:
    """Return the strictest zone that holds each place; the number of zones where none does."""
    count = len(holds)
    first = np.full(holds.shape[1:], count, dtype=np.min_scalar_type(count))
    for code in range(count - 1, -1, -1):
        first[holds[code]] = code
    return first


def _unsure(places: _Places, ground: _Ground, located: Mapping[str, Located]) -> Bools:
    """Return which footprints may lie in more than one segment, on two sides, or divide among zones."""
    radius, main = places.radius, ground.lines[0].id
    clear = {line.id: line.clear(places.lon, places.lat, located[line.id]) for line in ground.lines}
    unsure = (2 * radius >= clear[main]) | (radius >= located[main].distance_m)
    for zone, binding in zip(ground.zones, places.binding.T, strict=True):
        rows = np.flatnonzero(binding & (radius > 0) & ~unsure)
        if zone.kind == "polygon":
            unsure[rows] = _near(shapely.boundary(np.array([zone.geometry])), places[rows])
        elif zone.baseline_id is not None:
            at = located[zone.baseline_id].distance_m[rows]
            unsure[rows] = _straddles(zone, radius[rows], at, clear[zone.baseline_id][rows])
    return unsure & (radius > 0)


def _straddles(zone: Zone, radius: Reals, metres: Reals, clear: Reals) -> Bools:
    """Return which discs may lie partly in a band, ``metres`` from its line; see ``Baseline.clear``."""
    one_side = (radius < metres) | (zone.side == "both")
    inside = (metres + radius <= zone.depth) & one_side & (2 * radius < clear)
    return np.asarray(~(inside | (metres - radius > zone.depth)))


def _near(edges: Objects, places: _Places) -> Bools:
    """Return which footprints may reach one of some borders."""
    return borders.reaching(edges, places.lon, places.lat, places.radius)


def _spread(places: _Places, zones: tuple[Zone, ...]) -> _Places:
    """Return the samples of discs where a polygon's border needs them; elsewhere the centre stands for its disc."""
    lon, lat = (np.broadcast_to(item[:, None], (len(item), footprints.SAMPLES)) for item in (places.lon, places.lat))
    border = np.zeros(len(lon), dtype=bool)
    for code, zone in enumerate(zones):
        if zone.kind == "polygon":
            rows = np.flatnonzero(places.binding[:, code] & ~border)
            border[rows] = _near(shapely.boundary(np.array([zone.geometry])), places[rows])
    if border.any():
        lon, lat = lon.copy(), lat.copy()
        lon[border], lat[border] = footprints.places(places.lon[border], places.lat[border], places.radius[border])
    return _Places(lon, lat, places.radius, places.shape, places.binding)


def regions_at(lon: Reals, lat: Reals, regions: gpd.GeoDataFrame) -> pd.Series:
    """Return the id of the region that holds each point, borders included (ties: the lowest)."""
    ordered = regions.sort_values("region_id", kind="stable")
    code = borders.holding(ordered.geometry.to_numpy(), lon, lat)
    return _named([*ordered["region_id"], NOWHERE], code, code < len(ordered))
