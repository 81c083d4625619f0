"""How near to the truth is what we say, when the reports are noisy?

Run ``poe bench-truth`` (30 seeds) or ``poe bench-truth 5``. Breaches whose acts are known are played along the line of
``ukraine-2026``; every act is told by two or more voices, up to 2 km off its place and 15 minutes off its time; a tenth
of the reports come days late, one in twenty is taken back, one in five is posted again. They go the whole way, plain
CSV → readers → ledger → ``geo.assess``, and the answer is compared with the truth, which is grouped and climbs the
ladder without any noise, by code of its own.

Breaches that share a place lie near the thresholds of a link in space, or in time, or clear of them: the first column
says which. Where the noise is as large as what is left to the threshold, nobody can tell one breach from two.

Every figure is given twice. *As it happened*: against all acts. *As it was told*: against the acts that the reports
which still stand can establish by themselves, two independent voices or one that the policy believes alone. Of the
others nobody could have known: all but one of those who told of them took it back, and a lone voice opens nothing.
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from geo.assess import assess
from geo.crs import ecef, forward
from geo.policy import PolicyVersion
from pipelines.ledger import Ledger
from pipelines.settings import find_theatre, load_policy, load_theatre, read_folder
from pipelines.simulator.cast import Witness
from pipelines.simulator.truth import TrueViolation, climb, highest
from pipelines.sources import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.policy import Policy
    from geo.theatre import Theatre

    Generator = np.random.Generator
    Reals = np.ndarray[tuple[int], np.dtype[np.float64]]

NAME: Final = "ukraine-2026"
START: Final = datetime(2026, 6, 2, tzinfo=UTC)
DAYS: Final = 30
SITES: Final = 16  # places along the line, far from each other
SEEDS: Final = 30
STRAY_M: Final = 2000.0
STRAY_MIN: Final = 15.0
LATE, TAKEN_BACK, POSTED_AGAIN = 0.10, 0.05, 0.20
LATE_H: Final = (24.0, 120.0)
SPACE, TIME, CLEAR = "near link_m", "near link_gap", "clear of both"
KINDS: Final = (CLEAR, SPACE, TIME)
VOICES: Final = (
    ("mission", ""),
    ("satellite", ""),
    ("media", "anna"),
    ("media", "boris"),
    ("party-ua", ""),
    ("party-ru", ""),
)
OFTEN: Final = np.array([0.3, 0.1, 0.25, 0.15, 0.1, 0.1])
FIGURES: Final = (
    "index", "T0 within 30 min", "missed tier 2", "missed tier 3", "false tier 2", "false tier 3", "tier within 30 min",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Acts as they happened: hours after ``START``, metres along and off the line, degrees."""

    hour: Reals
    along_m: Reals
    off_m: Reals
    lon: Reals
    lat: Reals


@cache
def ground() -> tuple[Theatre, Policy]:
    """Return theatre and policy as they are shipped."""
    files = read_folder(find_theatre(NAME))
    return load_theatre(files, NAME), load_policy(files, NAME)


def play(kind: str, rng: Generator) -> World:
    """Let breaches happen at places far from each other, up to three of them in a row at each."""
    theatre, policy = ground()
    baseline = theatre.baselines[0]
    apart_m = baseline.length_m / SITES
    acts = [
        act
        for site in range(SITES)
        for act in _breaches(kind, (site + 0.5) * apart_m, rng, policy.grouping.link_m, policy.grouping.link_gap_h)
    ]
    kept = [act for act in acts if act[0] < DAYS * 24 - 1 and 0 <= act[1] <= baseline.length_m]
    hour, along_m, off_m = np.array(kept).T
    lon, lat = baseline.at(along_m, off_m)
    return World(hour, along_m, off_m, lon, lat)


def _breaches(
    kind: str, at_m: float, rng: Generator, link_m: float, gap_h: float
) -> Iterator[tuple[float, float, float]]:
    """Yield the acts of up to three breaches, each so far, or so late, after the one before as ``kind`` says."""
    hour, here_m = float(rng.uniform(2, 200)), at_m
    for _ in range(int(rng.integers(1, 4))):
        acts = list(_breach(hour, here_m, rng))
        yield from acts
        hours, places = np.array([act[0] for act in acts]), np.array([act[1] for act in acts])
        if kind == SPACE:  # at the same time, beside it
            hour, here_m = hour + float(rng.uniform(0, 6)), places.max() + link_m * float(rng.uniform(0.8, 1.6))
        elif kind == TIME:
            hour = hours.max() + gap_h * float(rng.uniform(0.8, 1.4))
        else:
            hour = hours.max() + gap_h * float(rng.uniform(1.5, 3.0))


def _breach(hour: float, at_m: float, rng: Generator) -> Iterator[tuple[float, float, float]]:
    """Yield the acts of one breach; one in six becomes a broader attack on its second day."""
    lasts_h = float(rng.choice([0.0, 8.0, 20.0, 40.0, 90.0]))
    grows = lasts_h > 30.0 and rng.random() < 0.5
    off_m = float(rng.normal(0, 2000))
    now = 0.0
    while now <= lasts_h:
        wide_m = 14_000.0 if grows and now > 26.0 else 1000.0
        yield hour + now, at_m + float(rng.uniform(-wide_m, wide_m)), off_m + float(rng.normal(0, 300))
        now += float(rng.exponential(0.5 if wide_m > 1000.0 else 3.0)) + 0.05


def tell(world: World, rng: Generator) -> pd.DataFrame:
    """Return every row that is sent about the acts; ``act_no`` says about which."""
    rows = [row for n in range(len(world.hour)) for row in _told(world, n, rng)]
    frame = pd.DataFrame(rows)
    bearing, metres = rng.uniform(0, 360, len(frame)), STRAY_M * np.sqrt(rng.random(len(frame)))
    where = frame["act_no"].to_numpy()
    frame["lon"], frame["lat"] = forward(world.lon[where], world.lat[where], bearing, metres)[:2]
    frame["source_ref"] = [f"r{n}" for n in range(len(frame))]
    again = frame.loc[(frame["source"] == "media") & (rng.random(len(frame)) < POSTED_AGAIN / OFTEN[2:4].sum())]
    again = again.assign(source="csv", source_ref=again["source_ref"] + " again", known_h=again["known_h"] + 1.0)
    back = frame.loc[(rng.random(len(frame)) < TAKEN_BACK) & (frame["source"] != "media")]
    back = back.assign(act="retraction", known_h=back["known_h"] + rng.uniform(1, 48, len(back)))
    return pd.concat([frame, again, back], ignore_index=True)


def _told(world: World, n: int, rng: Generator) -> Iterator[dict[str, object]]:
    chosen = rng.choice(len(VOICES), size=min(len(VOICES), 2 + int(rng.poisson(0.8))), replace=False, p=OFTEN)
    for who in chosen:
        source, origin = VOICES[who]
        late_h = float(rng.uniform(*LATE_H)) if rng.random() < LATE else float(rng.exponential(2.0))
        begin, end = world.hour[n] - rng.random() * STRAY_MIN / 60, world.hour[n] + rng.random() * STRAY_MIN / 60
        yield {
            "act_no": n, "source": source, "origin": origin, "act": "shelling", "from_h": begin, "to_h": end,
            "known_h": end + late_h,
        }  # fmt: skip


def hear(rows: pd.DataFrame, folder: Path) -> dict[str, pd.DataFrame]:
    """Take the rows through readers and a ledger, and assess their end with what was known then."""
    theatre, policy = ground()
    at = _moment(DAYS * 24.0)
    plain = rows.assign(
        observed_from=[_moment(hour).isoformat() for hour in rows["from_h"]],
        observed_to=[_moment(hour).isoformat() for hour in rows["to_h"]],
        reported_at=[_moment(hour).isoformat() for hour in rows["known_h"]],
        uncertainty_m=STRAY_M,
    ).drop(columns=["act_no", "from_h", "to_h"])
    with Ledger.create(folder / "ledger.sqlite", replay=True, recorded_at=at) as ledger:
        for name, file in plain.sort_values("known_h").groupby("source"):
            source = theatre.source(str(name))
            assert source is not None
            data = file.drop(columns=["source", "known_h"]).to_csv(index=False).encode()
            reading = read(data, source, theatre, policy, f"{name}.csv")
            ledger.append(
                reading, source=source, file_name=f"{name}.csv", sha256=f"{name:x<64}", recorded_at=at, known="reported"
            )
        return assess(ledger.reports(at), ledger.coverage(at), theatre, (PolicyVersion(policy=policy),), at).tables


def _moment(hour: float) -> datetime:
    return START + timedelta(seconds=round(hour * 3600))


def breaches(world: World) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the true breach of every act: what hangs together within the policy's links, without any noise."""
    rules = ground()[1].grouping
    space = cdist(ecef(world.lon, world.lat), ecef(world.lon, world.lat))  # a chord: 10 km differ by less than a metre
    linked = (space <= rules.link_m) & (np.abs(world.hour[:, None] - world.hour) <= rules.link_gap_h)
    return connected_components(linked, directed=False)[1]


def true_tiers(world: World, breach: np.ndarray[tuple[int], np.dtype[np.int64]]) -> dict[int, dict[int, float]]:
    """Return for every true breach the hour at which each tier became eligible."""
    theatre, policy = ground()
    everybody = tuple(Witness(name, None, name, name, None) for name in ("mission", "media"))
    located = theatre.baselines[0].locate(world.lon, world.lat)
    out: dict[int, dict[int, float]] = {}
    for name in np.unique(breach):
        acts = [
            TrueViolation(
                str(n), "", 0, _moment(world.hour[n]), _moment(world.hour[n]), world.lon[n], world.lat[n],
                located.chainage_m[n], located.distance_m[n], None, (), (), (), heat_consistent=False, who=everybody,
            )
            for n in np.flatnonzero(breach == name)
        ]  # fmt: skip
        over = max(act.observed_to for act in acts) + policy.link_gap
        at = _moment(DAYS * 24.0)
        steps = climb(acts, policy, at, over if over < at else None)
        out[int(name)] = {s.tier: (s.at - START).total_seconds() / 3600 for s in steps if s.kind == "eligible"}
        assert highest(steps, "eligible") == max(out[int(name)])
    return out


def measure(task: tuple[str, int]) -> dict[str, float]:
    """Return how near one seed came to its truth."""
    kind, seed = task
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    world = play(kind, rng)
    rows = tell(world, rng)
    with tempfile.TemporaryDirectory() as folder:
        tables = hear(rows, Path(folder))
    truth = breaches(world)
    act_no = rows.drop_duplicates("source_ref").set_index("source_ref")["act_no"]
    told = tables["reports"].assign(act_no=lambda table: table["source_ref"].map(act_no))
    told = told.assign(breach=truth[told["act_no"].to_numpy()], found=told["incident_id"].fillna(told["report_id"]))
    out = {"index": float(adjusted_rand_score(told["breach"], told["found"])), "breaches": float(truth.max() + 1)}
    known = established(told, rows)
    less = World(*(getattr(world, name)[known] for name in ("hour", "along_m", "off_m", "lon", "lat")))
    heard = told.loc[told["act_no"].isin(known)]
    ours = breaches(less)
    heard = heard.assign(breach=ours[np.searchsorted(known, heard["act_no"].to_numpy())])
    as_told = _compared(less, ours, heard, tables)
    return {**out, **_compared(world, truth, told, tables), **{f"{name}, told": as_told[name] for name in as_told}}


def established(told: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the acts that the reports which still stand can establish, in order."""
    theatre, policy = ground()
    origin = rows.drop_duplicates("source_ref").set_index("source_ref")["origin"]
    named = told["source_ref"].map(origin).fillna("")
    voice = named.where(named != "", told["source"])
    trust = told["source"].map({source.id: source.trust for source in theatre.sources})
    found = pd.DataFrame({"act": told["act_no"], "voice": voice, "trust": trust}).groupby("act").agg(set)
    alone = policy.corroboration.confirming
    kept = [len(own.voice) > 1 or any(own.trust.issuperset(each) for each in alone) for own in found.itertuples()]  # type: ignore[attr-defined]
    return found.index[kept].to_numpy(np.int64)


def _compared(world: World, truth: np.ndarray, told: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> dict[str, float]:  # type: ignore[type-arg]
    """Follow every true breach to the incident that holds most of its reports, and the other way round."""
    tiers = true_tiers(world, truth)
    steps = tables["transitions"]
    steps = steps.loc[(steps["scenario"] == "any") & (steps["kind"] == "eligible")]
    hours = (steps["at"] - START).dt.total_seconds() / 3600
    found = {
        name: dict(zip(own["tier_to"], hours[own.index], strict=True)) for name, own in steps.groupby("incident_id")
    }
    home = told.groupby("breach")["found"].agg(lambda names: names.value_counts().index[0])
    real = told.groupby("found")["breach"].agg(lambda names: names.value_counts().index[0])
    opened = tables["incidents"].set_index("incident_id")
    started = {b: abs(_t0_off(opened, home[b], world.hour[truth == b].min())) <= 0.5 for b in home.index}
    pairs = [(tiers[b][t], found.get(home[b], {}).get(t)) for b in home.index for t in tiers[b] if t > 1]
    both = [abs(one - other) <= 0.5 for one, other in pairs if other is not None]
    return {
        "T0 within 30 min": float(np.mean(list(started.values()))),
        **{
            f"missed tier {t}": float(sum(t in tiers[b] and t not in found.get(home[b], {}) for b in home.index))
            for t in (2, 3)
        },
        **{
            f"false tier {t}": float(
                sum(t in own and t not in tiers.get(real.get(name, -1), {}) for name, own in found.items())
            )
            for t in (2, 3)
        },
        "tier within 30 min": float(np.mean(both)) if both else 1.0,
        "true tier 2": float(sum(2 in own for own in tiers.values())),
        "true tier 3": float(sum(3 in own for own in tiers.values())),
    }


def _t0_off(opened: pd.DataFrame, name: str, hour: float) -> float:
    """Return hours between the truth and the farther end of T0; endless where no incident was opened."""
    if name not in opened.index or pd.isna(opened.loc[name, "t0_from"]):
        return np.inf
    ends = [(opened.loc[name, column] - START).total_seconds() / 3600 for column in ("t0_from", "t0_to")]
    return max(ends, key=lambda end: abs(end - hour)) - hour


def main(seeds: int) -> None:
    """Print the table: medians over the seeds, and the worst of them."""
    days = seeds * DAYS
    sys.stdout.write(
        f"{seeds} seeds of {DAYS} days; tiers: how many in 1,000 simulated days (in brackets: how many were true)\n\n"
        "| breaches | against | index, median (worst) | T0 within 30 min | missed tier 2 | missed tier 3 |"
        " false tier 2 | false tier 3 | tier times within 30 min |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n"
    )
    with ProcessPoolExecutor(2) as pool:
        for kind in KINDS:
            table = pd.DataFrame(pool.map(measure, [(kind, seed) for seed in range(seeds)]))
            index = f"{table['index'].median():.3f} ({table['index'].min():.3f})"
            for against, told, same in (("as it happened", "", index), ("as it was told", ", told", "")):
                sys.stdout.write(f"| {kind} | {against} | {same} |{_row(table, told, days)}\n")
            sys.stdout.flush()


def _row(table: pd.DataFrame, told: str, days: int) -> str:
    """Return the figures against one of the truths as cells."""
    rate = {name: 1000 * table[name + told].sum() / days for name in FIGURES if name.startswith(("missed", "false"))}
    true = {tier: 1000 * table[f"true tier {tier}{told}"].sum() / days for tier in (2, 3)}
    return (
        f" {table['T0 within 30 min' + told].mean():.1%} |"
        f" {rate['missed tier 2']:.1f} (of {true[2]:.0f}) | {rate['missed tier 3']:.1f} (of {true[3]:.0f}) |"
        f" {rate['false tier 2']:.1f} | {rate['false tier 3']:.1f} | {table['tier within 30 min' + told].mean():.1%} |"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
