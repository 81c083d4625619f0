"""Which violations are carried alike, so that what is found of one holds for all?

Two are when their reports, in order of arrival, are pairwise of the same voices, origins, trust groups and ratings,
became known in the same order, and all lie inside a ceasefire window; else also what dates them must be in the same
order. Most are carried in one of a few ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from geo.nearness import micros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.groups import Groups

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

_MOST: Final = 2**62  # codes are made small again only where numbers would not hold them
_TOLD: Final = ("voice", "trust", "disputed", "origin", "reliability", "credibility", "means")


class Patterns(NamedTuple):
    """How groups of reports are alike.

    ``of`` is the pattern of each group. ``order`` are all rows in order of group, those of one group as they are
    compared. ``rows`` are, in that order, the rows of one group of each pattern, one pattern after the other, cut at
    ``edges``. ``twin`` is the place among ``rows`` of the report that stands where each row stands in its own group.
    """

    of: Ints
    order: Ints
    rows: Ints
    edges: list[int]
    twin: Ints


def find(reports: pd.DataFrame, groups: Groups, alone: Bools) -> Patterns:
    """Return how groups of reports, in order of content, are alike; those that are to be ``alone`` are like no other.

    What is compared is all that ``geo.qualification`` asks of reports of which people decided nothing, of which no two
    may be the same statement, and which lie in no exemption.
    """
    apart = alone[groups.of]
    arrived = np.where(apart, 0, reports["stands_no"].to_numpy(np.int64))
    traits = np.where(apart, -1 - groups.of, _traits(reports, groups))
    place = groups.places(arrived)
    order = np.empty_like(place)
    order[groups.starts[groups.of] + place] = np.arange(len(place))
    of = groups.kinds(traits, order)
    first = np.unique(of, return_index=True)[1]
    sizes = groups.sizes()[first]
    begin = np.cumsum(sizes) - sizes
    rows = order[np.repeat(groups.starts[first] - begin, sizes) + np.arange(sizes.sum())]
    return Patterns(of, order, rows, [*begin.tolist(), len(rows)], begin[of][groups.of] + place)


def _traits(reports: pd.DataFrame, groups: Groups) -> Ints:
    """Return a number for each report, equal where they differ in nothing that bears on how a violation stands."""
    code, many = np.zeros(len(reports), np.int64), 1
    for column in _columns(reports, groups):
        wide = int(column.max(initial=0)) + 2
        if many * wide > _MOST:
            code = pd.factorize(code)[0].astype(np.int64)
            many = int(code.max(initial=0)) + 1
        code, many = code * wide + (column + 1), many * wide
    return code


def _columns(reports: pd.DataFrame, groups: Groups) -> Iterator[Ints]:
    for name in _TOLD:
        yield pd.factorize(reports[name])[0].astype(np.int64)
    inside = reports["inside"].to_numpy() != 0
    yield inside.astype(np.int64)
    yield groups.ranks(reports["stands_no"].to_numpy(np.int64))
    yield groups.ranks(micros(reports["known_at"]))
    dating = groups.places(micros(reports["observed_to"]) - micros(reports["observed_from"]))  # of like voices
    yield np.where((groups.some(inside) & groups.some(~inside))[groups.of], dating, 0)
