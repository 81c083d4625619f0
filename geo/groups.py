"""Which rows belong together, and which of each group comes first?

A group is a set of rows; every group has a row. Nothing here looks at what the rows say: columns go in as arrays with
one item a row, and answers come out as arrays with one item a group.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self, TypeVar

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

T = TypeVar("T")
_LONG: Final = 64  # rows of a group that are compared all at once, and not place by place; no result depends on it


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
        """Return the least row of each group by the keys, none of them NaN; of equals the one that comes first."""
        group, left = self.of[self.order], np.ones(len(self.of), bool)
        for key in keys if len(group) else ():  # to sort by all keys takes several times as long
            value = key[self.order]
            least = np.minimum.reduceat(np.where(left, value, value.max()), self.starts)
            left &= value == least[group]
        some = np.flatnonzero(left)
        found: Ints = self.order[some[np.flatnonzero(np.diff(group[some], prepend=-1))]]
        return found

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
        order = self._accompanied(*keys)
        found = np.zeros(len(self.of), np.int64)
        found[order] = np.arange(len(order)) - _begins(np.diff(self.of[order], prepend=-1) != 0)
        return found

    def ranks(self, values: NDArray[np.int64]) -> Ints:
        """Return how many different values of its group are less than that of each row."""
        order = self._accompanied(values)
        group, value = self.of[order], values[order]
        fresh = np.diff(group, prepend=-1) != 0
        upto = np.cumsum(~fresh & (np.diff(value, prepend=value[:1]) != 0))
        found = np.zeros(len(self.of), np.int64)
        found[order] = upto - upto[_begins(fresh)]
        return found

    def kinds(self, code: Ints, order: Ints) -> Ints:
        """Return a number of each group, from 0 as they come, equal where the codes of its rows are.

        ``order`` are all rows in order of group; in it those of a group are compared.
        """
        code, sizes = pd.factorize(code)[0].astype(np.int64), self.sizes()
        many = int(code.max(initial=0)) + 1
        kind = pd.factorize(sizes * many + code[order[self.starts]])[0].astype(np.int64)
        some, place, known = np.flatnonzero((sizes > 1) & (sizes <= _LONG)), 1, len(kind)
        while len(some):
            longer = pd.factorize(kind[some] * many + code[order[self.starts[some] + place]])[0]
            kind[some] = known + longer
            known, place = known + len(some), place + 1
            some = some[sizes[some] > place]
        whole: dict[bytes, int] = {}
        for group in np.flatnonzero(sizes > _LONG).tolist():  # seldom many, and of as many rows as there are
            rows = order[self.starts[group] : self.starts[group] + sizes[group]]
            kind[group] = known + whole.setdefault(code[rows].tobytes(), len(whole))
        return pd.factorize(kind)[0].astype(np.int64)

    def _accompanied(self, *keys: NDArray[np.generic]) -> Ints:
        """Return the rows of groups of several in order of group, then of the keys."""
        some = np.flatnonzero((self.sizes() > 1)[self.of])
        group = self.of[some]
        found: Ints = some[np.lexsort((*(key[some] for key in reversed(keys)), group))]
        return found


def _begins(fresh: Bools) -> Ints:
    """Return for each row where those begin that it goes on with."""
    return np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))
