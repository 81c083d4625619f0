"""Where along the line is each scene played, so that no two have anything to do with each other?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist

from geo.crs import ecef, forward

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from geo.fronts import Baseline
    from geo.policy import Policy
    from pipelines.simulator.script import Scene

_SPREAD: Final = (4.0, 3.2, 2.0)  # separations in links, spread over the line; a short line gets the closest,
_PACKED: Final = 1.25  # and as a last resort this one, packed from its start
_STEPS: Final = 400  # places tried along the line
_NEAR_LINKS: Final = 2.0  # within so many links of the line a deed keeps its chainage
_SLACK: Final = 0.1  # of a link, lost to the line's bends


@dataclass(frozen=True)
class Site:
    """The chainage at which a scene's own zero lies, metres."""

    scene: Scene
    chainage_m: float


def place(
    scenes: Sequence[Scene], baseline: Baseline, policy: Policy, rng: np.random.Generator
) -> tuple[list[Site], list[str]]:
    """Spread the scenes over the line.

    Returns
    -------
    list of Site
        In the order of ``scenes``. Rows of different scenes lie at least 1.25 links apart, four where the line is long
        enough, and every breach hangs together at its place.
    list of str
        Names of the scenes for which the line has no room.
    """
    ground = _Ground(scenes, baseline, policy)
    shuffled = [scenes[i] for i in rng.permutation(len(scenes))]
    wishes = {
        scene.name: int((turn + float(rng.random())) / len(scenes) * _STEPS) for turn, scene in enumerate(shuffled)
    }
    found: dict[str, float] = {}
    for separation in _SPREAD:
        found = ground.attempt(wishes, separation)
        if len(found) == len(scenes):
            break
    else:
        found = max(found, ground.attempt({}, _PACKED), key=len)
    sites = [Site(scene, found[scene.name]) for scene in scenes if scene.name in found]
    return sites, [scene.name for scene in scenes if scene.name not in found]


def points(scene: Scene, chainage_m: float, baseline: Baseline) -> npt.NDArray[np.float64]:
    """Return longitude and latitude of every row of the scene, shape (n, 2)."""
    rows = scene.statements
    lon, lat = baseline.at([chainage_m + row.along_m for row in rows], [row.offset_m for row in rows])
    azimuth, metres = np.array([row.stray for row in rows]).T
    return np.column_stack(forward(lon, lat, azimuth, metres)[:2])


class _Ground:
    """Which of the places along the line suit which scene; what was found out once is kept."""

    def __init__(self, scenes: Sequence[Scene], baseline: Baseline, policy: Policy) -> None:
        self.scenes = scenes
        self.baseline = baseline
        self.policy = policy
        self._spaces: dict[tuple[str, int], npt.NDArray[np.float64] | None] = {}
        self._suits: dict[tuple[str, int], bool] = {}

    def attempt(self, wishes: Mapping[str, int], separation: float) -> dict[str, float]:
        """Give each scene the first free place at or after its wish (none: from the line's start)."""
        taken: list[tuple[npt.NDArray[np.float64], float]] = []
        found: dict[str, float] = {}
        for scene in self.scenes:
            wish = wishes.get(scene.name, 0)
            for step in (*range(wish, _STEPS), *range(wish)):
                here = self._space(scene, step)
                if here is None or not _clear(here, scene.reach_m, taken, self.policy.grouping.link_m, separation):
                    continue
                if self._suit(scene, step, here):
                    taken.append((here, scene.reach_m))
                    found[scene.name] = self._chainage(step)
                    break
        return found

    def _chainage(self, step: int) -> float:
        return step / _STEPS * self.baseline.length_m

    def _space(self, scene: Scene, step: int) -> npt.NDArray[np.float64] | None:
        """Earth-centred points of the scene there, or ``None`` where the line ends."""
        if (scene.name, step) not in self._spaces:
            here, link_m = self._chainage(step), self.policy.grouping.link_m
            along = [row.along_m for row in scene.statements]
            inside = link_m <= here + min(along) and here + max(along) <= self.baseline.length_m - link_m
            there = points(scene, here, self.baseline) if inside else None
            self._spaces[scene.name, step] = None if there is None else ecef(there[:, 0], there[:, 1])
        return self._spaces[scene.name, step]

    def _suit(self, scene: Scene, step: int, space: npt.NDArray[np.float64]) -> bool:
        if (scene.name, step) not in self._suits:
            self._suits[scene.name, step] = self._fits(scene, self._chainage(step), space)
        return self._suits[scene.name, step]

    def _fits(self, scene: Scene, chainage_m: float, space: npt.NDArray[np.float64]) -> bool:
        """Whether the line is so straight and whole there that the scene means the same as on a straight one."""
        link_m = self.policy.grouping.link_m
        keys = np.cumsum([0, *(len(deed.statements) for deed in scene.deeds)])[:-1]
        if not len(keys):
            return True
        here = points(scene, chainage_m, self.baseline)[keys]
        located = self.baseline.locate(here[:, 0], here[:, 1])
        near = np.array([abs(deed.key.offset_m) for deed in scene.deeds]) < _NEAR_LINKS * link_m
        along = np.array([deed.key.along_m for deed in scene.deeds]) + chainage_m
        straight = (np.abs(located.chainage_m - along) < _SLACK * link_m) & (located.side != 0)
        return bool(straight[near].all()) and _hangs_together(scene, space[keys], self.policy)


def _hangs_together(scene: Scene, space: npt.NDArray[np.float64], policy: Policy) -> bool:
    """Whether links with room to spare make every group of deeds one breach."""
    groups = np.array([deed.group for deed in scene.deeds])
    begin = np.array([deed.key.hour_from for deed in scene.deeds])
    end = np.array([deed.key.hour_to or deed.key.hour_from for deed in scene.deeds])
    pause = np.maximum(begin[:, None], begin[None, :]) - np.minimum(end[:, None], end[None, :])
    linked = (cdist(space, space) < (1 - _SLACK) * policy.grouping.link_m) & (pause <= policy.grouping.link_gap_h)
    return all(
        connected_components(linked[np.ix_(groups == group, groups == group)], directed=False)[0] == 1
        for group in np.unique(groups)
    )


def _clear(
    here: npt.NDArray[np.float64],
    reach_m: float,
    taken: Sequence[tuple[npt.NDArray[np.float64], float]],
    link_m: float,
    separation: float,
) -> bool:
    return all(
        cdist(here, there).min() > max(separation * link_m, reach_m + its_reach_m + 1.2 * link_m)
        for there, its_reach_m in taken
    )
