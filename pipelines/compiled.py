"""Where is compiled code kept, so that a machine compiles it once?

In the user's cache folder, under a hash of the sources that it was compiled from. Whatever is wrong with that folder
(deleted, damaged, full, read-only) costs time and nothing else.
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
from geo.fronts import Baseline
from geo.linking import blocks, components
from geo.nearest import nearest
from geo.nearness import Things
from geo.shares import count

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_log: Final = logging.getLogger(__name__)
MANY: Final = 50_000  # reports from which compiling pays, and loading what is compiled certainly does
REACH_M: Final = 1_000.0
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
SOURCES: Final = ("arcs", "descents", "kernels", "bonds", "halves", "sweeps", "searches", "partners")
CROWD: Final = 1_500  # so many that their pairs are searched by compiled loops, and not listed


@cache
def keep() -> None:
    """Make all compiled loops ready, once a process: from the cache, or compiled and put there.

    Without a folder to keep them in nothing is done: each is compiled when it is needed.
    """
    from geo import descents, kernels  # noqa: PLC0415 -- numba takes a while to load

    folder = place()
    for _ in range(2):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            descents.keep(str(folder))
            _warm()
        except Exception as error:  # noqa: BLE001 -- numba raises what it meets in a damaged cache; nobody needs one
            _log.info("compiled code in %s is of no use (%s): compiling again", folder, type(error).__name__)
            shutil.rmtree(folder, ignore_errors=True)
            descents.forget()
            kernels.WARM.clear()
        else:
            return


def place() -> Path:
    """Return the folder of what these sources compile to."""
    name = digest(files("geo").joinpath(f"{module}.py").read_bytes() for module in SOURCES)
    return user_cache_path("ceasewatch") / "compiled" / name


def digest(sources: Iterable[bytes]) -> str:
    """Return a name that changes with the sources."""
    return hashlib.sha256(b"".join(sources)).hexdigest()[:16]


def _warm() -> None:
    """Ask each question once for which there are compiled loops."""
    from geo import kernels  # noqa: PLC0415 -- numba takes a while to load

    kernels.WARM.update({"locate", "spread", "count"})
    line = Baseline.build("short", LineString([(0, 0), (1, 0)]), segment_length_m=50_000, valid_from=BEGINNING)
    lon, lat = np.array([0.5]), np.array([0.1])
    found = spread(line, lon, lat, np.array([1_000.0]), line.locate(lon, lat))
    for codes in (found.segment, found.side):
        count(np.zeros(1, np.intp), codes)
    crowds, masks = _crowds(), np.ones(2 * CROWD, np.int64)
    components(crowds, masks, REACH_M, 0)
    blocks(crowds, masks, REACH_M, 0, np.zeros(2 * CROWD, np.int64))
    few, alike = crowds.start[:4], np.arange(4)
    said = Statements(Things(*(each[:4] for each in vars(crowds).values())), few, few, alike, alike, alike == 0)
    searched(said, REACH_M, 0)
    nearest(crowds, crowds, (masks, masks), np.arange(2 * CROWD), REACH_M, 0)


def _crowds() -> Things:
    """Return two crowds side by side, a little too far apart to hang together."""
    metres = np.repeat([0.0, 1.1 * REACH_M], CROWD) + np.tile(np.linspace(0.0, 0.05 * REACH_M, CROWD), 2)
    none, now = np.zeros(2 * CROWD), np.zeros(2 * CROWD, np.int64)
    return Things(np.degrees(metres / GEOD.a), none, none, now, now)
