"""How is work done side by side?

By threads, for what lets go of the interpreter while it computes: compiled loops, and numpy on long arrays. No result
depends on how many there are.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(work: Callable[[Item], Result], items: Iterable[Item], at_most: int | None = None) -> list[Result]:
    """Return what work makes of each item, in their order; ``at_most`` so many at a time, else as many as help."""
    with ThreadPoolExecutor(at_most) as pool:
        return list(pool.map(work, items))
