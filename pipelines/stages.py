"""What did a stage do, and how long did it take?

One line in the log for each stage, to be read by people and machines alike, such as
``stage=assess seconds=0.412 reports=11 incidents=1``; the record's ``stage`` holds the same as values.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import time
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

P = ParamSpec("P")
R = TypeVar("R")

SELDOM: Final = 1_000_000
"""So many more objects must have been made than given back before Python looks for cycles.

A run makes many values that live on and hardly any cycle; looking through them took a quarter of its time.
"""
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
                with seldom_collecting():
                    result = function(*words, **more)
                    counts = count(result)
                give_back()
            except Exception as fault:
                _tell(logging.WARNING, {"stage": name, "seconds": _since(begun), "failed": type(fault).__name__})
                raise
            _tell(logging.INFO, {"stage": name, "seconds": _since(begun), **counts})
            return result

        return timed

    return wrap


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Let Python look for cycles more seldom for a while."""
    before = gc.get_threshold()
    gc.set_threshold(before[0] and max(before[0], SELDOM), *before[1:])  # 0: somebody does not want it at all
    try:
        yield
    finally:
        gc.set_threshold(*before)


def give_back() -> None:
    """Give back to the machine what memory nobody uses any more, where the C library can: it keeps much for later.

    What the next stage takes would otherwise come on top of all that this one ever took.
    """
    import pyarrow as pa  # noqa: PLC0415 -- a command that only helps need not wait for it

    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _since(begun: float) -> float:
    return round(time.perf_counter() - begun, 3)


def _tell(level: int, said: Mapping[str, object]) -> None:
    _log.log(level, " ".join(f"{name}={value}" for name, value in said.items()), extra={"stage": dict(said)})
