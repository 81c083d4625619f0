"""Where is compiled code kept, so that a machine compiles it once?

In the user's cache folder, under a hash of the sources that it was compiled from. ``prepare`` puts all there; where it
never ran, each loop is compiled when it is first needed, and kept. Whatever is wrong with that folder (deleted,
damaged, full, read-only) costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np
from platformdirs import user_cache_path
from shapely import LineString

from geo.agreement import Statements, searched
from geo.crs import GEOD
from geo.footprints import spread
from geo.fronts import WARM, Baseline
from geo.linking import components
from geo.nearest import nearest
from geo.nearness import Things

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from pathlib import Path

_log: Final = logging.getLogger(__name__)
MANY: Final = 50_000  # reports from which compiling pays, and loading what is compiled certainly does
REACH_M: Final = 1_000.0
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
SOURCES: Final = (
    "arcs",
    "descents",
    "kernels",
    "bonds",
    "halves",
    "sweeps",
    "searches",
    "spacing",
    "crowds",
    "woods",
    "queues",
    "partners",
)
CROWD: Final = 1_500  # so many that their pairs are searched by compiled loops, and not listed


@cache
def keep() -> None:
    """Take from the cache what is there, once a process; what is not is compiled when it is needed, and put there.

    Without a folder to keep it in, or with one of no use, nothing is kept.
    """
    _keep(lambda: {path.name.partition("-")[0] for path in place().rglob("*.nbi")})


def prepare() -> None:
    """Compile all loops that the cache does not hold, and put them there: once a machine."""
    _keep(lambda: QUESTIONS)


def _keep(wanted: Callable[[], Container[str]]) -> None:
    from geo import descents  # noqa: PLC0415 -- numba takes a while to load

    folder = place()
    for _ in range(2):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            descents.keep(str(folder))
            loops = wanted()
            for ask in [ask for loop, ask in QUESTIONS.items() if loop in loops]:
                ask()
        except Exception as error:  # noqa: BLE001 -- numba raises what it meets in a damaged cache; nobody needs one
            _log.info("compiled code in %s is of no use (%s): compiling again", folder, type(error).__name__)
            shutil.rmtree(folder, ignore_errors=True)
            descents.forget()
            WARM.clear()
        else:
            return


def place() -> Path:
    """Return the folder of what these sources compile to."""
    name = digest(files("geo").joinpath(f"{module}.py").read_bytes() for module in SOURCES)
    return user_cache_path("ceasewatch") / "compiled" / name


def digest(sources: Iterable[bytes]) -> str:
    """Return a name that changes with the sources."""
    return hashlib.sha256(b"".join(sources)).hexdigest()[:16]


def _locate() -> None:
    WARM.update(("search", "others"))
    lon, lat, line = np.array([0.5]), np.array([0.1]), _line()
    line.clear(lon, lat, line.locate(lon, lat))


def _spread() -> None:
    WARM.add("spread")
    lon, lat, line = np.array([0.5]), np.array([0.1]), _line()
    spread(line, lon, lat, np.array([1_000.0]), line.locate(lon, lat))


def _line() -> Baseline:
    return Baseline.build("short", LineString([(0, 0), (1, 0)]), segment_length_m=50_000, valid_from=BEGINNING)


def _link() -> None:
    crowds, masks = _crowds(), np.ones(2 * CROWD, np.int64)
    components(crowds, masks, REACH_M, 0)


def _agree() -> None:
    crowds, alike = _crowds(), np.arange(4)
    few = Things(*(each[:4] for each in vars(crowds).values()))
    searched(Statements(few, few.start, few.start, alike, alike, alike == 0), REACH_M, 0)


def _search() -> None:
    crowds, masks = _crowds(), np.ones(2 * CROWD, np.int64)
    nearest(crowds, crowds, (masks, masks), np.arange(2 * CROWD), REACH_M, 0)


def _crowds() -> Things:
    """Return two crowds side by side, a little too far apart to hang together."""
    metres = np.repeat([0.0, 1.1 * REACH_M], CROWD) + np.tile(np.linspace(0.0, 0.05 * REACH_M, CROWD), 2)
    none, now = np.zeros(2 * CROWD), np.zeros(2 * CROWD, np.int64)
    return Things(np.degrees(metres / GEOD.a), none, none, now, now)


# What asks for each group of loops, by the name of one of them.
QUESTIONS: Final[dict[str, Callable[[], None]]] = {
    "kernels._search": _locate, "kernels._spread": _spread, "partners.join": _agree, "sweeps.sweep": _link,
    "searches.nearest": _search,
}  # fmt: skip
