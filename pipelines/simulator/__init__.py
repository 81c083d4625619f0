"""What would a watcher be told about a ceasefire whose truth is known?

A simulation plays a fixed set of stories on a theatre's own line, under its own policy, and writes what the theatre's
plain CSV sources would send, late, coarse, twice and wrong, together with the truth. The same arguments give the same
bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from geo.crs import ecef
from geo.errors import PolicyError
from pipelines.simulator.account import Clerk
from pipelines.simulator.cast import cast
from pipelines.simulator.coverage import declared, watches
from pipelines.simulator.noise import Background
from pipelines.simulator.rows import COLUMNS, realise
from pipelines.simulator.scenes import scenes
from pipelines.simulator.script import set_stage
from pipelines.simulator.sites import place, points
from pipelines.simulator.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from geo.policy import Policy
    from geo.theatre import Theatre
    from pipelines.simulator.cast import Cast
    from pipelines.simulator.script import Scene
    from pipelines.simulator.sites import Site

__all__ = ["Simulation", "simulate", "write"]

_LEAD_IN_H: Final = 1.0  # nothing happens in the first hour, nor in the last
_KEEP_OFF_LINKS: Final = 1.25  # from a scene to the background, and
_KEEP_OFF_M: Final = 1000.0  # so much more


@dataclass(frozen=True)
class Simulation:
    """``rows``: source id → its file, plain columns as text, in the order of their reporting; and the truth."""

    rows: dict[str, pd.DataFrame]
    truth: Truth


@dataclass(frozen=True)
class _Played:
    """A scene with its place and its begin."""

    site: Site
    begin: datetime


def simulate(
    theatre: Theatre,
    policy: Policy,
    *,
    seed: int,
    days: int,
    start: datetime | None = None,
    reports: int | None = None,
) -> Simulation:
    """Play a ceasefire of ``days`` days on a theatre.

    Parameters
    ----------
    seed
        Not negative. The same arguments give the same rows.
    start
        Aware; by default the begin of the theatre's last open window, or of its longest.
    reports
        Total number of rows: background is added around the scenes. By default there is none.

    Raises
    ------
    PolicyError
        If the time is in no single window, the sources cannot carry a violation, the policy prohibits nothing
        everywhere, or ``reports`` is less than the scenes need.
    """
    period = _period(theatre, days, start)
    company = cast(theatre, policy)
    left, right = theatre.parties
    stage = set_stage(policy, company, (left.id, right.id), np.random.default_rng([seed, 1]))
    told = scenes(stage)
    short = [scene for scene in told if _needs_h(scene, policy) <= days * 24]
    sites, no_room = place(short, theatre.baselines[0], policy, np.random.default_rng([seed, 2]))
    played = _schedule(sites, period, policy, np.random.default_rng([seed, 3]))
    clerk, frame = _perform(played, period, theatre, policy, company)
    background = _background(played, period, theatre, policy, company).rows(
        _wanted(reports, len(frame)), np.random.default_rng([seed, 4])
    )
    rows = _files([frame, background])
    account = clerk.account()
    truth = Truth(
        theatre=theatre.id,
        policy_version=policy.version,
        seed=seed,
        days=days,
        start=period[0],
        as_of=period[1],
        rows={source: len(file) for source, file in rows.items()},
        background_rows=len(background),
        left_out=(*(scene.name for scene in told if scene not in short), *no_room),
        scenes=account.scenes,
        violations=account.violations,
        incidents=account.incidents,
    )
    return Simulation(rows, truth)


def write(simulation: Simulation, folder: Path) -> list[Path]:
    """Write ``<source>.csv`` for each source and ``truth.json``; return the paths, the truth last."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for source, frame in simulation.rows.items():
        paths.append(folder / f"{source}.csv")
        paths[-1].write_bytes(frame.to_csv(index=False, lineterminator="\n").encode())
    paths.append(folder / "truth.json")
    text = json.dumps(simulation.truth.as_json(), indent=1, ensure_ascii=False)
    paths[-1].write_bytes(f"{text}\n".encode())
    return paths


def _period(theatre: Theatre, days: int, start: datetime | None) -> tuple[datetime, datetime]:
    """Begin and end of the simulation, inside one window of the ceasefire."""
    if days < 1:
        msg = f"a simulation of {days} days shows nothing; ask for at least 1, and for 10 to see every story"
        raise PolicyError(msg)
    if not theatre.windows:
        msg = f"theatre {theatre.id!r} has no ceasefire window, so nothing in it can be a violation; declare one"
        raise PolicyError(msg)
    if start is None:
        unending = [window for window in theatre.windows if window.end is None]
        longest = max(theatre.windows, key=lambda window: (window.end or window.start) - window.start)
        start = (unending[-1] if unending else longest).start
    if start.tzinfo is None:
        msg = f"the start {start} says no time zone; write {start.isoformat()}Z for UTC"
        raise PolicyError(msg)
    start = start.astimezone(UTC).replace(microsecond=0)
    end = start + timedelta(days=days)
    if not any(window.start <= start and (window.end is None or end < window.end) for window in theatre.windows):
        msg = f"theatre {theatre.id!r}: no ceasefire window holds all of {start} to {end}; give fewer days or a start"
        raise PolicyError(msg)
    return start, end


def _needs_h(scene: Scene, policy: Policy) -> float:
    """Hours until the scene is over and seen to be over."""
    quiet = 0.0 if scene.to_the_end else policy.grouping.link_gap_h + _LEAD_IN_H
    return 2 * _LEAD_IN_H + scene.hours + quiet


def _schedule(
    sites: Iterable[Site], period: tuple[datetime, datetime], policy: Policy, rng: np.random.Generator
) -> list[_Played]:
    """Give every scene its begin, to the minute."""
    start, end = period
    hours = (end - start).total_seconds() / 3600
    played = []
    for site in sites:
        free = hours - _needs_h(site.scene, policy)
        shift = _LEAD_IN_H + (free if site.scene.to_the_end else free * float(rng.random()))
        played.append(_Played(site, start + timedelta(minutes=int(shift * 60))))
    return played


def _perform(
    played: Iterable[_Played], period: tuple[datetime, datetime], theatre: Theatre, policy: Policy, company: Cast
) -> tuple[Clerk, pd.DataFrame]:
    """Write the rows of every scene, and the account of what they truly are."""
    played, baseline = list(played), theatre.baselines[0]
    watched = [watch for play in played for watch in watches(play.site, play.begin, period, baseline)]
    clerk = Clerk(theatre, policy, period[1], watched)
    frames = [declared(watched, company.clerk)]
    for play in played:
        clerk.note(play.site, play.begin)
        frames.append(realise(play.site, play.begin, baseline, theatre))
    return clerk, pd.concat(frames, ignore_index=True)


def _background(
    played: Iterable[_Played], period: tuple[datetime, datetime], theatre: Theatre, policy: Policy, company: Cast
) -> Background:
    baseline, link_m, agree = theatre.baselines[0], policy.grouping.link_m, policy.corroboration
    off_m = max(_KEEP_OFF_LINKS * link_m, agree.agree_m + agree.coarse_m) + _KEEP_OFF_M
    where = [(play.site.scene, points(play.site.scene, play.site.chainage_m, baseline)) for play in played]
    return Background(
        theatre=theatre,
        policy=policy,
        cast=company,
        start=period[0],
        hours=(period[1] - period[0]).total_seconds() / 3600,
        taken=tuple(
            (ecef(there[:, 0], there[:, 1]), max(off_m, scene.reach_m + link_m + _KEEP_OFF_M)) for scene, there in where
        ),
    )


def _wanted(reports: int | None, there: int) -> int:
    if reports is None:
        return 0
    if reports < there:
        msg = f"the scenes alone are {there} rows, so {reports} cannot hold them; ask for {there} or more"
        raise PolicyError(msg)
    return reports - there


def _files(frames: Iterable[pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Cut all rows into one file a source, in the order of their reporting."""
    rows = pd.concat([frame for frame in frames if len(frame)], ignore_index=True).astype("str")
    rows = rows.sort_values(["reported_at", "source_ref"], kind="stable")
    return {
        str(source): rows.loc[rows["source"] == source, list(COLUMNS)].reset_index(drop=True)
        for source in sorted(rows["source"].unique())
    }
