"""Which rows belong together, and which of each group comes first?

A group is a set of rows; every group has a row. Nothing here looks at what the rows say: columns go in as arrays with
one item a row, and answers come out as arrays with one item a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
        return len(self.starts)

    @cached_property
    def order(self) -> Ints:
        """Return the rows in order of group, those of one group as they come."""
        return np.argsort(self.of, kind="stable")

    @cached_property
    def starts(self) -> Ints:
        """Return where in that order the rows of each group begin."""
        return np.flatnonzero(np.diff(self.of[self.order], prepend=-1))

    def first(self, *keys: NDArray[np.generic]) -> Ints:
        """Return the least row of each group by the keys; of equals the one that comes first."""
        order: Ints = np.lexsort((*reversed(keys), self.of)) if keys else self.order
        return order[self.starts]

    def least(self, values: NDArray[np.int64]) -> Ints:
        """Return the least value of each group."""
        found: Ints = np.minimum.reduceat(values[self.order], self.starts) if len(values) else values
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

    def places(self, *keys: NDArray[np.generic]) -> Ints:
        """Return at which place of its group each row comes by the keys, from 0; equals in the order they come in."""
        order = np.lexsort((*reversed(keys), self.of)) if keys else self.order
        found = np.empty(len(order), np.int64)
        found[order] = np.arange(len(order)) - np.repeat(self.starts, self.sizes())
        return found

    def ranks(self, values: NDArray[np.int64]) -> Ints:
        """Return how many different values of its group are less than that of each row."""
        order = np.lexsort((values, self.of))
        step = np.diff(values[order], prepend=values[:1]) != 0
        step[self.starts] = False
        upto, found = np.cumsum(step), np.empty(len(order), np.int64)
        found[order] = upto - np.repeat(upto[self.starts], self.sizes())
        return found
