"""What else is reported along the line, far from the scenes?

Breaches come in clusters, most of them near the line, each act told by a few of the theatre's sources. What they amount
to is not known beforehand, and nothing of it lies within reach of a scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from geo.crs import ecef, forward
from geo.errors import PolicyError
from pipelines.simulator.rows import COLUMNS

if TYPE_CHECKING:
    from datetime import datetime

    import numpy.typing as npt

    from geo.policy import Policy
    from geo.theatre import Theatre
    from pipelines.simulator.cast import Cast

    Reals = npt.NDArray[np.float64]
    Counts = npt.NDArray[np.int64]

_PER_BREACH: Final = 8.0
_MORE_REPORTS: Final = 1.2  # on average, beside the first
_DEEP_SHARE: Final = 0.03
_COARSE_SHARE: Final = 0.03  # known to some days only
_BLUR_M: Final = 300.0
_ROUNDS: Final = 60
_WEAPONS: Final = 12


@dataclass(frozen=True)
class Acts:
    """Acts of the background, one array an attribute; ``begin_h`` since the start of the simulation."""

    chainage_m: Reals
    offset_m: Reals
    begin_h: Reals
    act: npt.NDArray[np.str_]
    weapon: npt.NDArray[np.object_]
    claims: npt.NDArray[np.object_]


@dataclass(frozen=True)
class Background:
    """How the background is drawn: the theatre and its witnesses, and the ground that it keeps off."""

    theatre: Theatre
    policy: Policy
    cast: Cast
    start: datetime
    hours: float
    taken: tuple[tuple[Reals, float], ...]  # each scene's earth-centred points, shape (n, 3), and what to keep off them

    def rows(self, wanted: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return exactly ``wanted`` rows: the plain columns and ``source``, all text.

        Raises
        ------
        PolicyError
            When the scenes leave no room on the line.
        """
        frames: list[pd.DataFrame] = []
        missing, first = wanted, 0
        for turn in range(_ROUNDS):
            if missing <= 0:
                break
            # Where the scenes take up the line, more and more of the background lies behind it.
            acts = self._acts(missing, min(1.0, _DEEP_SHARE * 2**turn), rng)
            frames.append(self._told(acts, first, rng).iloc[:missing])
            missing -= len(frames[-1])
            first += len(acts.begin_h)
        if missing > 0:
            msg = f"theatre {self.theatre.id!r}: there is no room for reports beside the scenes; ask for none"
            raise PolicyError(msg)
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["source", *COLUMNS])

    def _acts(self, rows: int, deep_share: float, rng: np.random.Generator) -> Acts:
        """Draw clusters for about so many rows; what comes near a scene is dropped."""
        baseline = self.theatre.baselines[0]
        size = rng.geometric(1 / _PER_BREACH, max(1, int(rows / (_PER_BREACH * (1 + _MORE_REPORTS)))))
        breach = np.repeat(np.arange(len(size)), size)
        n = len(breach)
        centre_m, offset_m, begin_h, lasts_h = self._breaches(len(size), deep_share, rng)
        chainage = centre_m[breach] + rng.normal(0, 0.2 * self.policy.grouping.link_m, n)
        offset = offset_m[breach] + rng.normal(0, 400.0, n)
        hour = begin_h[breach] + rng.random(n) * lasts_h[breach]
        inside = (chainage >= 0) & (chainage <= baseline.length_m) & (hour < self.hours - 1.0)
        chainage, offset, hour, breach = chainage[inside], offset[inside], hour[inside], breach[inside]
        free = self._free(chainage, offset)
        kinds = [name for name, act in self.policy.acts.items() if act.prohibited == "everywhere" and not act.response]
        of_breach = rng.choice(kinds, len(size))
        return Acts(
            chainage[free],
            offset[free],
            hour[free],
            of_breach[breach[free]],
            self._weapons(int(free.sum()), rng),
            self._claims(int(free.sum()), rng),
        )

    def _breaches(self, n: int, deep_share: float, rng: np.random.Generator) -> tuple[Reals, Reals, Reals, Reals]:
        deep = rng.random(n) < deep_share
        depth = np.where(deep, rng.uniform(15_000, 100_000, n), rng.exponential(2_000, n))
        return (
            rng.random(n) * self.theatre.baselines[0].length_m,
            depth * rng.choice([-1.0, 1.0], n),
            rng.uniform(1.0, max(1.0, self.hours - 1.0), n),
            rng.exponential(10.0, n),
        )

    def _free(self, chainage: Reals, offset: Reals) -> npt.NDArray[np.bool_]:
        here = ecef(*self.theatre.baselines[0].at(chainage, offset))
        free = np.ones(len(chainage), dtype=bool)
        for points, keep_off_m in self.taken:
            free &= np.isinf(KDTree(points).query(here, distance_upper_bound=keep_off_m)[0])
        return free

    def _weapons(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.object_]:
        plain = [name for name, kind in self.policy.weapons.items() if kind not in self.policy.expansion.weapons]
        named = np.array([None, None, None, *plain[:: max(1, len(plain) // _WEAPONS)]], dtype=object)
        return named[rng.integers(0, len(named), n)]

    def _claims(self, n: int, rng: np.random.Generator) -> npt.NDArray[np.object_]:
        left, right = self.theatre.parties
        named = np.array([None, None, left.id, right.id], dtype=object)
        return named[rng.integers(0, len(named), n)]

    def _told(self, acts: Acts, first: int, rng: np.random.Generator) -> pd.DataFrame:
        """Let some of the witnesses tell each act, each a little differently."""
        witnesses = (*self.cast.voices, *self.cast.crowd)
        told = 1 + np.minimum(rng.poisson(_MORE_REPORTS, len(acts.begin_h)), len(witnesses) - 1)
        act = np.repeat(np.arange(len(told)), told)
        turn = np.arange(len(act)) - np.repeat(np.cumsum(told) - told, told)
        who = np.argsort(rng.random((len(told), len(witnesses))), axis=1)[act, turn]
        lon, lat = self._places(acts, act, rng)
        from_h = acts.begin_h[act] - rng.uniform(0, 0.25, len(act))
        to_h = acts.begin_h[act] + rng.uniform(0.02, 0.5, len(act))
        coarse = rng.random(len(act)) < _COARSE_SHARE
        to_h = np.where(coarse, from_h + 2 * self.policy.corroboration.coarse_h, to_h)
        most_m = 0.9 * self.policy.corroboration.coarse_m
        radius = np.where(coarse, 300.0, np.clip(rng.lognormal(5.9, 0.8, len(act)), 50.0, most_m))
        frame = pd.DataFrame(
            {
                "source": np.array([witness.source for witness in witnesses], dtype=object)[who],
                "source_ref": [f"background-{a}-{t}" for a, t in zip(act + first, turn, strict=True)],
                "observed_from": self._stamps(from_h),
                "observed_to": self._stamps(to_h),
                "lon": [f"{value:.6f}" for value in lon],
                "lat": [f"{value:.6f}" for value in lat],
                "uncertainty_m": [f"{value:.0f}" for value in radius],
                "act": acts.act[act],
                "weapon": acts.weapon[act],
                "direction": None,
                "count": rng.integers(1, 20, len(act)).astype(str),
                "party": acts.claims[act],
                "origin": np.array([witness.origin for witness in witnesses], dtype=object)[who],
                "reported_at": self._stamps(to_h + rng.lognormal(0.7, 1.0, len(act))),
                "text": "simulated: background",
                "url": None,
            }
        )
        return frame.astype("str")

    def _places(self, acts: Acts, act: Counts, rng: np.random.Generator) -> tuple[Reals, Reals]:
        lon, lat = self.theatre.baselines[0].at(acts.chainage_m, acts.offset_m)
        azimuth, metres = rng.uniform(0, 360, len(act)), rng.uniform(0, _BLUR_M, len(act))
        return forward(lon[act], lat[act], azimuth, metres)[:2]

    def _stamps(self, hours: Reals) -> npt.NDArray[np.str_]:
        seconds = np.datetime64(self.start.replace(tzinfo=None), "s") + np.round(hours * 3600).astype("timedelta64[s]")
        return np.char.add(np.datetime_as_string(seconds, unit="s"), "Z")
