"""Which rows belong together, and which of each group comes first?

A group is a set of rows; every group has a row. Nothing here looks at what the rows say: columns go in as arrays with
one item a row, and answers come out as arrays with one item a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Groups:
    """The number of the group of each row, from 0 without a gap."""

    of: Ints

    @classmethod
    def by(cls, label: Ints) -> Self:
        """Put rows of the same label together; groups come in order of label."""
        return cls(np.unique(label, return_inverse=True)[1].astype(np.int64))

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self._starts)

    @cached_property
    def _order(self) -> Ints:
        return np.argsort(self.of, kind="stable")

    @cached_property
    def _starts(self) -> Ints:
        """Return where the rows of each group begin, the rows in order of group."""
        return np.flatnonzero(np.diff(self.of[self._order], prepend=-1))

    def first(self, *keys: NDArray[np.generic]) -> Ints:
        """Return the least row of each group by the keys; of equals the one that comes first."""
        order: Ints = np.lexsort((*reversed(keys), self.of)) if keys else self._order
        return order[self._starts]

    def least(self, values: NDArray[np.int64]) -> Ints:
        """Return the least value of each group."""
        found: Ints = np.minimum.reduceat(values[self._order], self._starts) if len(values) else values
        return found

    def every(self, holds: Bools) -> Bools:
        """Return of which groups all rows hold."""
        return ~self.some(~holds)

    def some(self, holds: Bools) -> Bools:
        """Return of which groups some row holds."""
        return np.bincount(self.of[holds], minlength=len(self)) > 0

    def sizes(self) -> Ints:
        """Return the number of rows of each group."""
        return np.bincount(self.of, minlength=len(self)).astype(np.int64)

    def split(self, values: Sequence[T]) -> list[list[T]]:
        """Return the values of each group, as they come."""
        found: list[list[T]] = [[] for _ in range(len(self))]
        for group, value in zip(self.of.tolist(), values, strict=True):
            found[group].append(value)
        return found

    def marked(self, places: Sequence[Sequence[int]]) -> Bools:
        """Return which rows stand at the places that are given for each group, counted within the group."""
        first = np.repeat(self._starts, [len(each) for each in places])
        found = np.zeros(len(self.of), bool)
        found[self._order[first + np.fromiter(chain.from_iterable(places), np.int64, len(first))]] = True
        return found
