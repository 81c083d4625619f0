"""Which random worlds try the rules hardest? Few places and moments, as near to every threshold as can be.

Distances are exactly at a threshold when the policy's threshold is set to a distance that was really computed; times
are drawn from sums of the policy's own delays, a second less and a second more. With ``CEASEWATCH_WORLDS=20`` in the
environment twenty times as many worlds are tried, other ones every time; without, always the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import builders
import oracle_reports
import pandas as pd
import shapely
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from geo.exemptions import Disc
from geo.theatre import Point

if TYPE_CHECKING:
    from datetime import datetime

    from geo.exemptions import Exemption
    from geo.policy import Policy, PolicyVersion
    from geo.theatre import Source, Theatre

settings.register_profile(
    "worlds",
    deadline=None,
    print_blob=True,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
PROFILE = settings.get_profile("worlds")
MORE = int(os.environ.get("CEASEWATCH_WORLDS", "1"))

SECOND = 1 / 3600
WINDOWS: tuple[tuple[tuple[float, float | None], ...], ...] = (
    ((0.0, None),),
    ((0.0, None),),
    ((0.0, 60.0),),
    ((0.0, 48.0), (48.0, None)),
    ((0.0, 60.0), (40.0, None)),
    ((0.0, 30.0), (50.0, 140.0)),
)
STEPS_KM = (0.0, 0.3, 0.9, 1.1, 5.0, 9.9999, 10.0001, 14.0, 31.0)
OFFS_KM = (0.0, 1.0, -1.0, 6.0, -14.0, 16.0, -55.0)
STEPS_H = (
    0.0,
    0.0,
    0.5,
    1.0,
    1.0 + SECOND,
    6.0,
    12.0 - SECOND,
    12.0,
    23.5,
    24.0 - SECOND,
    24.0,
    24.0 + SECOND,
    25.0,
    36.0,
)
AFTER_H = (0.0, 1.0, 6.0, 12.0, 12.0 + SECOND, 24.0, 24.0 + SECOND, 30.0, 48.0, 72.0, 73.0, 200.0)
MINUTES = (0.0, 0.0, 0.0, 0.0, 10.0, 10.0, 60.0, 600.0, 1439.0, 1500.0, 1560.0)
RADII_M = (0.0, 100.0, 100.0, 100.0, 100.0, 500.0, 500.0, 5000.0, 6000.0, 12_000.0)
SIZES = (5, 8, 12, 12, 20, 30, 40)
WHO = (
    "mission",
    "vetted",
    "media",
    "media",
    "media",
    "satellite",
    "party-l",
    "party-l-air",
    "party-r",
    "repeater",
    "graded",
    "graded",
    "rumour",
    "public",
    "public",
)
SAID = (
    "A strike on the yard of the mill.",
    " A strike ON the  yard of the mill.",
    "Two strikes on the mill's yard.",
    "Strike",
)
LINKS = ("https://example.org/a/7", "http://www.example.org/a/7/#top", "https://example.org/b")
ACTS = ("strike", "strike", "strike", "shelling", "small_arms", "missile", "presence", "heat", "response")


def tries(count: int) -> settings:
    """Return settings that try so many worlds, or as many times more as the environment asks for."""
    return settings(PROFILE, max_examples=count * MORE, derandomize=MORE == 1)


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """Everything that an assessment is a function of; printed so that a failing one can be read."""

    stored: pd.DataFrame
    coverage: pd.DataFrame
    theatre: Theatre
    policies: tuple[PolicyVersion, ...]
    as_of: datetime
    commands: pd.DataFrame | None = None

    def but(self, **changes: Any) -> World:  # noqa: ANN401 -- any field
        """Return this world with something else in it."""
        return replace(self, **changes)

    def __repr__(self) -> str:
        """Return reports, coverage, windows and what the policy changes, line by line."""
        hours = self.stored.assign(
            **{name: _hours(self.stored[name]) for name in ("observed_from", "observed_to", "known_at")},
            row=[
                f"{source}{'!' * bool(d)}"
                for source, d in zip(self.stored["source"], self.stored["disputed"], strict=True)
            ],
        )
        watched = self.coverage.assign(
            **{name: _hours(self.coverage[name]) for name in ("observed_from", "observed_to")}
        )
        windows = [(window.id, str(window.start), str(window.end)) for window in self.theatre.windows]
        policies = [(str(v.in_force_from), _changed(v.policy)) for v in self.policies]
        decided = (
            "" if self.commands is None else self.commands.drop(columns=["reason", "fault"]).to_string(index=False)
        )
        return (
            f"World at {_hours_of(self.as_of):g} h, windows {windows}, policies {policies}\n"
            f"{hours[SHOWN].to_string(index=False)}\n{watched[SHOWN_COVERAGE].to_string(index=False)}\n"
            f"{decided}"
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ANN401, FBT001 -- what hypothesis calls
        printer.text(f"{'...' if cycle else self!r}")


SHOWN = [
    "report_id", "stands_no", "row", "origin", "act", "weapon", "observed_from", "observed_to", "known_at", "lon",
    "lat", "uncertainty_m", "party_claimed", "text", "url", "reported_at", "credibility",
]  # fmt: skip
SHOWN_COVERAGE = ["observed_from", "observed_to", "lon", "lat", "uncertainty_m", "sees"]


def _hours_of(at: datetime) -> float:
    return (at - builders.START).total_seconds() / 3600


def _hours(times: pd.Series[Any]) -> list[str]:
    return [f"{_hours_of(at):.4f}" for at in times]


def _changed(policy: Policy) -> dict[str, Any]:
    """Return what differs from the honest policy, by dotted name."""
    plain, ours = builders.policy().model_dump(), policy.model_dump()
    parts = [part for part in plain if isinstance(plain[part], dict) and part not in {"acts", "weapons"}]
    return {
        f"{part}.{name}": value for part in parts for name, value in ours[part].items() if value != plain[part][name]
    }


@dataclass(frozen=True)
class Scene:
    """Where and when things may happen in a world: places as (lon, lat), moments in hours."""

    places: tuple[tuple[float, float], ...]
    moments: tuple[float, ...]


def _policies(exact: bool) -> st.SearchStrategy[dict[str, Any]]:  # noqa: FBT001 -- one switch
    """Return changes of the honest policy; without ``exact``, no threshold in metres is touched."""
    loose = st.fixed_dictionaries(
        {
            "corroboration.qualifying_status": st.sampled_from(["alleged", "alleged", "corroborated", "confirmed"]),
            "ladder.persist_reading": st.sampled_from(["window", "literal"]),
            "ladder.quiet_h": st.sampled_from([12.0, 6.0]),
            "ladder.broad_h": st.sampled_from([72.0, 36.0, 24.0]),
            "ladder.broad_reading": st.sampled_from(["earliest", "deadline"]),
            "ladder.single_vetted": st.booleans(),
            "expansion.extent_m": st.sampled_from([60_000.0, 12_000.0]),
            "expansion.depth_m": st.sampled_from([50_000.0, 15_500.0]),
            "expansion.rate_n": st.sampled_from([50, 4, 6]),
            "expansion.k": st.sampled_from([1, 2, 3]),
            "expansion.extent_growth": st.sampled_from([{"times": 2.0, "floor": 9000.0}, {"times": 1.5, "floor": 0.0}]),
            "expansion.depth_growth": st.sampled_from([{"times": 2.0, "floor": 3000.0}, {"times": 1.5, "floor": 0.0}]),
            "expansion.rate_growth": st.sampled_from([{"times": 2.0, "floor": 3.0}, {"times": 1.5, "floor": 2.0}]),
        }
    )
    tight = st.fixed_dictionaries({"grouping.weak_part_n": st.sampled_from([2, 3])})
    return st.tuples(loose, tight if exact else st.just({})).map(lambda parts: {**parts[0], **parts[1]})


OPENING = st.sampled_from([{}, {}, {}, *({"ladder.open_n": n, "ladder.open_reading": "repeated"} for n in (2, 3))])


@st.composite
def scenes(draw: st.DrawFn, windows: tuple[tuple[float, float | None], ...]) -> Scene:
    """Return few places and moments, neighbours about a threshold apart, some of them on the edges of the windows."""
    along, places = 60.0, []
    for step in draw(st.lists(st.sampled_from(STEPS_KM), min_size=3, max_size=6)):
        along += step
        places.append(builders.place(along, draw(st.sampled_from(OFFS_KM))))
    hour, moments = 1.0, []
    for gap in draw(st.lists(st.sampled_from(STEPS_H), min_size=3, max_size=8)):
        hour += gap
        moments.append(hour)
    edges = [edge + d for window in windows for edge in window if edge is not None for d in (-SECOND, 0.0, -0.5)]
    return Scene(tuple(places), (*moments, *draw(st.lists(st.sampled_from(edges), max_size=2))))


@st.composite
def rows(draw: st.DrawFn, scene: Scene, sources: tuple[str, ...] = WHO) -> dict[str, Any]:
    """Return one report somewhere in the scene."""
    source = draw(st.sampled_from(sources))
    act = draw(st.sampled_from(ACTS))
    lon, lat = draw(st.sampled_from(scene.places))
    return builders.report(
        draw(st.sampled_from(scene.moments)),
        lon=lon,
        lat=lat,
        source="firms" if act == "heat" else source,
        act=act,
        minutes=draw(st.sampled_from(MINUTES)),
        uncertainty_m=draw(st.sampled_from(RADII_M)),
        weapon=draw(st.sampled_from([None, None, None, "grad", "fpv", "unheard of", "iskander"])),
        party_claimed=draw(st.sampled_from([None, "L", "R"])),
        origin=draw(st.sampled_from([None, "anna", "boris", "clara", "party-l-air"])),
        disputed=draw(st.sampled_from([False] * 9 + [True])),
        **draw(repeating()),
    )


@st.composite
def repeating(draw: st.DrawFn) -> dict[str, Any]:
    """Return words, link, means and figures, most often none, at times those of another report."""
    if draw(st.integers(0, 2)):
        return {}
    low, high = draw(st.sampled_from([(None, None), (2, 5), (4, 4), (6, None), (None, 3), (8, 9)]))
    return {
        "text": draw(st.sampled_from([None, *SAID])),
        "url": draw(st.sampled_from([None, *LINKS])),
        "reported_at": draw(st.sampled_from([None, builders.when(1.0), builders.when(2.0)])),
        "credibility": draw(st.sampled_from([None, None, 2, 5])),
        "count_low": low,
        "count_best": draw(st.sampled_from([None, 3, 4, 7])),
        "count_high": high,
        "killed": draw(st.sampled_from([None, 0, 3])),
    }


def echoed(draw: st.DrawFn, listed: list[dict[str, Any]], sources: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the rows with some of them replaced by copies of others: the same words, or the same link, told again."""
    made = list(listed)
    pairs = st.tuples(st.integers(0, len(made) - 1), st.integers(0, len(made) - 1), st.sampled_from(["text", "url"]))
    for first, again, how in draw(st.lists(pairs, max_size=5)):
        original = {**made[first], how: made[first].get(how) or (SAID[0] if how == "text" else LINKS[0])}
        other = {"source": draw(st.sampled_from(sources)), "origin": draw(st.sampled_from([None, "dora", "boris"]))}
        if original["source"] != "firms" and first != again:
            sharper = {
                "uncertainty_m": draw(st.sampled_from(RADII_M)),
                "weapon": draw(st.sampled_from([None, "iskander"])),
            }
            made[first], made[again] = original, {**original, **other, **sharper}
    return made


def numbered(listed: list[dict[str, Any]], revised: list[int], order: list[int]) -> list[dict[str, Any]]:
    """Give ledger numbers: first revisions arrive in ``order``, and rows in ``revised`` come again at the end."""
    made = []
    for position, row in enumerate(listed):
        first = order[position] + 1
        stands = len(listed) + 1 + revised.index(position) if position in revised else first
        known = row["observed_to"] + timedelta(minutes=7 * stands)
        made.append({**row, "first_no": first, "stands_no": stands, "revision": 1 + (stands > first), "known_at": known,
                     "direction": f"item {position}"})  # fmt: skip
    return made


@st.composite
def watches(draw: st.DrawFn, scene: Scene) -> list[dict[str, Any]]:
    """Return outages and heartbeats that begin and end at, or a day after, the scene's moments."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.sampled_from(scene.moments)) + draw(st.sampled_from([-2.0, 0.0, 6.0, 12.0]))
        lon, lat = draw(st.sampled_from(scene.places))
        hours = draw(st.sampled_from([1.0, 12.0, 24.0, 60.0]))
        found.append({
            "observed_from": begin, "observed_to": begin + hours, "lon": lon, "lat": lat,
            "source": draw(st.sampled_from(["mission", "satellite", "public"])),
            "sees": draw(st.booleans()), "uncertainty_m": draw(st.sampled_from([1000.0, 20_000.0])),
        })  # fmt: skip
    return found


@st.composite
def exempted(draw: st.DrawFn, scene: Scene) -> tuple[Exemption, ...]:
    """Return at times an exemption around one of the places, which begins and ends at the scene's moments."""
    if draw(st.booleans()):
        return ()
    begin = draw(st.sampled_from(scene.moments))
    end = begin + draw(st.sampled_from([SECOND, 1.0, 30.0, 300.0]))
    lon, lat = draw(st.sampled_from(scene.places))
    disc = Disc(lon, lat, draw(st.sampled_from([600.0, 20_000.0, 100_000.0])))
    area = (
        disc if draw(st.booleans()) else shapely.MultiPolygon([shapely.box(lon - 0.05, lat - 0.02, lon + 0.05, 50.0)])
    )
    acts = draw(
        st.sampled_from([frozenset({"any", "indirect"}), frozenset({"strike"}), frozenset({"shelling", "any"})])
    )
    return (builders.exemption(begin, end, area=area, acts=acts),)


@st.composite
def spotted(draw: st.DrawFn, listed: list[dict[str, Any]]) -> tuple[Source, ...]:
    """Return the sources, where at times the points of some rows stand for more ground."""
    chosen = draw(st.lists(st.sampled_from(listed), max_size=4, unique_by=lambda row: (row["source"], row["lon"])))
    points = [
        (row["source"], Point(row["lon"], row["lat"], draw(st.sampled_from([2_000.0, 8_000.0])))) for row in chosen
    ]
    return tuple(
        replace(source, points=tuple(point for name, point in points if name == source.id))
        for source in builders.SOURCES
    )


def exact_thresholds(draw: st.DrawFn, scene: Scene) -> dict[str, Any]:
    """Return thresholds that are equal to a distance between two of the scene's places."""
    a, b = ({"lon": lon, "lat": lat} for lon, lat in draw(st.tuples(*[st.sampled_from(scene.places)] * 2)))
    metres = oracle_reports.distance(a, b)
    if metres == 0.0:
        return {}
    extent = abs(float(_along(a)) - float(_along(b)))
    return draw(
        st.sampled_from([
            {"grouping.link_m": metres},
            {"corroboration.agree_m": metres, "grouping.link_m": max(metres, 10_000.0)},
            {"corroboration.agree_m": max(0.0, metres - 200.0)},
            {"heat.heat_m": max(0.0, metres - 600.0)},
            {"expansion.extent_m": extent or 60_000.0},
            {"grouping.link_m": max(1.0, metres - 6000.0)},
        ])
    )  # fmt: skip


def _along(place: dict[str, float]) -> float:
    return builders.baseline().locate([place["lon"]], [place["lat"]]).chainage_m.item()


@st.composite
def worlds(
    draw: st.DrawFn,
    *,
    sizes: tuple[int, ...] = SIZES,
    exact: bool = True,
    changes: dict[str, Any] | None = None,
    windows: tuple[tuple[float, float | None], ...] | None = None,
    sources: tuple[str, ...] = WHO,
    two_policies: bool = True,
) -> World:
    """Return a random world; ``changes`` hold for its policy whatever is drawn."""
    edges = windows or draw(st.sampled_from(WINDOWS))
    scene = draw(scenes(edges))
    size = draw(st.sampled_from(sizes))
    listed = echoed(draw, draw(st.lists(rows(scene, sources), min_size=size, max_size=size)), sources)
    order = draw(st.permutations(range(len(listed))))
    revised = draw(st.lists(st.integers(0, len(listed) - 1), max_size=3, unique=True))
    opening = draw(OPENING)
    drawn = {**draw(_policies(exact)), **opening, **(exact_thresholds(draw, scene) if exact else {}), **(changes or {})}
    as_of = max(scene.moments) + draw(st.sampled_from(AFTER_H)) - draw(st.sampled_from([0.0, 0.0, 24.0]))
    return World(
        stored=builders.reports(numbered(listed, revised, order)),
        coverage=builders.coverage(draw(watches(scene))),
        theatre=builders.theatre(windows=edges, sources=draw(spotted(listed)), exemptions=draw(exempted(scene))),
        policies=_versions(draw, builders.policy(**drawn), drawn, scene)
        if two_policies
        else builders.versions(builders.policy(**drawn)),
        as_of=builders.when(as_of),
    )


def _versions(draw: st.DrawFn, first: Policy, drawn: dict[str, Any], scene: Scene) -> tuple[PolicyVersion, ...]:
    """Return one version, or at times two with other delays, the second in force from one of the scene's moments."""
    if draw(st.integers(0, 3)):
        return builders.versions(first)
    other = {
        "version": "later",
        "ladder.persist_h": 12.0,
        "ladder.broad_h": 36.0,
        "ladder.quiet_h": 8.0,
        "expansion.rate_n": 3,
    }
    second = builders.policy(**{**drawn, **other})
    return builders.versions(first, second, since=[draw(st.sampled_from(scene.moments))])


def renumbered(stored: pd.DataFrame, order: list[int]) -> pd.DataFrame:
    """Return the same reports as if they had arrived in another order; ``order`` is the place of every row."""
    again = stored["stands_no"].to_numpy() > stored["first_no"].to_numpy()
    first = [place + 1 for place in order]
    late = sorted((place, row) for row, place in enumerate(order) if again[row])
    stands = {row: len(order) + n for n, (_, row) in enumerate(late, 1)}
    last = [stands.get(row, first[row]) for row in range(len(order))]
    numbers = {"first_no": first, "stands_no": last, "ledger_no": last, "report_id": [f"R-{n}" for n in first]}
    return stored.assign(**numbers).astype(stored.dtypes.to_dict()).sort_values("ledger_no", ignore_index=True)


LATE_H = (0.0, 0.0, 0.1, 1.0, 7.0, 30.0, 80.0)


@st.composite
def belated(draw: st.DrawFn, world: World) -> World:
    """Return the world with reports that came in late, whatever their numbers say: as history that was imported."""
    late = [timedelta(hours=draw(st.sampled_from(LATE_H)), seconds=n) for n in range(len(world.stored))]
    return world.but(stored=world.stored.assign(known_at=world.stored["observed_to"] + pd.to_timedelta(late)))


SAID = (
    "confirm", "confirm", "refute", "refute", "exempt", "attribute", "merge", "split", "move", "set_t0", "declare",
    "declare", "end", "reopen", "fix", "fix", "release",
)  # fmt: skip
PEOPLE = ("First Reviewer", "Second Reviewer", " anna  EXAMPLE")


@st.composite
def decided(draw: st.DrawFn, world: World, numbers: list[int] | None = None, kinds: tuple[str, ...] = SAID) -> World:
    """Return the world with commands of a few people about a few items of it, legal ones and others."""
    some = numbers or world.stored["first_no"].tolist()
    items = st.sampled_from(draw(st.lists(st.sampled_from(some), min_size=1, max_size=6)))
    moments = [_hours_of(at.to_pydatetime()) for at in world.stored["observed_to"]]
    listed = [
        _said(draw, kind, items, moments, n)
        for n, kind in enumerate(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=8)), 1001)
    ]
    return world.but(commands=builders.commands(listed))


def _said(draw: st.DrawFn, kind: str, items: st.SearchStrategy[int], moments: list[float], n: int) -> dict[str, Any]:
    """Return one command."""
    letter = {"refute": "VVR", "fix": "VB"}.get(
        kind, "V" if kind in {"confirm", "exempt", "attribute", "move"} else "B"
    )
    target = f"{draw(st.sampled_from(letter))}-{draw(items)}"
    if kind == "release" and draw(st.booleans()):
        target = f"D-{draw(st.integers(1001, n))}"
    at = draw(st.sampled_from(moments)) + draw(st.sampled_from([-1.0, 0.0, 1.0, 12.0, 25.0]))
    back = draw(st.sampled_from([0.0, 5.0, 20.0]))
    moment = builders.when(at - back).isoformat()
    values = {
        "attribute": st.sampled_from(["L", "R", "unknown"]),
        "merge": items.map(lambda number: f"B-{number}"),
        "move": items.map(lambda number: f"B-{number}"),
        "set_t0": st.just(moment),
        "declare": st.sampled_from(["1", "2", "2", "3"]),
        "end": st.sampled_from(["", moment]),
        "fix": st.sampled_from(["", "confirmed", "refuted"]),
    }
    several = kind == "split" or (kind == "fix" and target.startswith("B"))
    return builders.command(
        kind,
        target,
        draw(values.get(kind, st.just(""))) if not several else "",
        at=at,
        expires=draw(st.sampled_from([None, None, None, at + 10.0])),
        reviewer=draw(st.sampled_from(PEOPLE)),
        violations=" ".join(f"V-{number}" for number in draw(st.lists(items, max_size=3))) if several else None,
    )
