"""Where is compiled code kept, so that a machine compiles it once?

In the user's cache folder, under a hash of the sources that it was compiled from. Whatever is wrong with that folder
(deleted, damaged, full, read-only) costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import numpy as np
from platformdirs import user_cache_path
from shapely import LineString

from geo.footprints import spread
from geo.fronts import Baseline

if TYPE_CHECKING:
    from collections.abc import Iterable

_log: Final = logging.getLogger(__name__)
MANY: Final = 50_000  # reports from which compiling pays, and loading what is compiled certainly does
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
_SOURCES: Final = ("arcs.py", "descents.py", "kernels.py")


@cache
def keep() -> None:
    """Make the kernels ready, once a process: from the cache, or compiled and put there."""
    folder = (
        user_cache_path("ceasewatch")
        / "compiled"
        / digest(files("geo").joinpath(name).read_bytes() for name in _SOURCES)
    )
    for _ in range(2):
        try:
            _warm(str(folder))
        except Exception as error:  # noqa: BLE001 -- numba raises what it meets in a damaged cache; nobody needs one
            _log.info("compiled code in %s is of no use (%s): compiling again", folder, type(error).__name__)
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return


def digest(sources: Iterable[bytes]) -> str:
    """Return a name that changes with the sources."""
    return hashlib.sha256(b"".join(sources)).hexdigest()[:16]


def _warm(folder: str) -> None:
    """Put one place and one disc to a short line, so that both kernels are there."""
    from geo import kernels  # noqa: PLC0415 -- numba takes a while to load

    kernels.keep(folder)
    kernels.WARM.update({"locate", "spread"})
    line = Baseline.build("short", LineString([(0, 0), (1, 0)]), segment_length_m=50_000, valid_from=BEGINNING)
    lon, lat = np.array([0.5]), np.array([0.1])
    spread(line, lon, lat, np.array([1_000.0]), line.locate(lon, lat))
