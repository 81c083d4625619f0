"""What did a stage do, and how long did it take?

One line in the log for each stage, to be read by people and machines alike, such as
``stage=assess seconds=0.412 reports=11 incidents=1``; the record's ``stage`` holds the same as values.
"""

from __future__ import annotations

import logging
import time
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

P = ParamSpec("P")
R = TypeVar("R")

_log: Final = logging.getLogger(__name__)


def _nothing(_: object) -> Mapping[str, int]:
    return {}


def stage(
    name: str, count: Callable[[Any], Mapping[str, int]] = _nothing
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator for a function that is a stage.

    Parameters
    ----------
    name
        What the stage is called.
    count
        Says of the result how many of what it holds.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def timed(*words: P.args, **more: P.kwargs) -> R:
            begun = time.perf_counter()
            try:
                result = function(*words, **more)
            except Exception as fault:
                _tell(logging.WARNING, {"stage": name, "seconds": _since(begun), "failed": type(fault).__name__})
                raise
            _tell(logging.INFO, {"stage": name, "seconds": _since(begun), **count(result)})
            return result

        return timed

    return wrap


def _since(begun: float) -> float:
    return round(time.perf_counter() - begun, 3)


def _tell(level: int, said: Mapping[str, object]) -> None:
    _log.log(level, " ".join(f"{name}={value}" for name, value in said.items()), extra={"stage": dict(said)})
