"""How long does something take, and how is it told?"""

from __future__ import annotations

import resource
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(work: Callable[[], Any], times: int = 1) -> tuple[Any, float, float]:
    """Return the answer, and the least seconds by the clock and of all processors; Python collects as in a command."""
    from pipelines.stages import seldom_collecting  # noqa: PLC0415 -- the parent process needs none of it

    wall, busy, answer = float("inf"), float("inf"), None
    with seldom_collecting():
        for _ in range(times):
            begin, used = time.perf_counter(), time.process_time()
            answer = work()
            wall, busy = min(wall, time.perf_counter() - begin), min(busy, time.process_time() - used)
    return answer, wall, busy


def peak() -> float:
    """Return the largest resident set of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
