"""Which rows belong together, and which comes first?"""

from __future__ import annotations

import numpy as np

from geo.groups import Groups

ROWS = Groups.by(np.array([7, 2, 7, 2, 9]))


def test_groups_come_in_order_of_their_label() -> None:
    assert ROWS.of.tolist() == [1, 0, 1, 0, 2]
    assert len(ROWS) == 3
    assert ROWS.sizes().tolist() == [2, 2, 1]


def test_of_equals_the_row_that_comes_first_is_first() -> None:
    assert ROWS.first().tolist() == [1, 0, 4]
    assert ROWS.first(np.array([3, 3, 3, 3, 3])).tolist() == [1, 0, 4]
    assert ROWS.first(np.array([3, 3, 2, 3, 3]), np.array([0, 9, 0, 1, 0])).tolist() == [3, 2, 4]


def test_values_and_truths_are_of_the_whole_group() -> None:
    assert ROWS.least(np.array([5, 4, -1, 8, 0])).tolist() == [4, -1, 0]
    holds = np.array([True, False, True, True, False])
    assert ROWS.every(holds).tolist() == [False, True, False]
    assert ROWS.some(holds).tolist() == [True, True, False]
    assert ROWS.split("abcde") == [["b", "d"], ["a", "c"], ["e"]]


def test_places_are_counted_within_each_group() -> None:
    assert ROWS.places().tolist() == [0, 0, 1, 1, 0]
    assert ROWS.places(np.array([3, 5, 3, 4, 0])).tolist() == [0, 1, 1, 0, 0]
    assert ROWS.places(np.array([3, 5, 3, 5, 0]), np.array([9, 1, 8, 0, 0])).tolist() == [1, 1, 0, 0, 0]


def test_ranks_are_shared_by_equals() -> None:
    assert ROWS.ranks(np.array([3, 5, 3, 4, 0])).tolist() == [0, 1, 0, 0, 0]
    five = Groups.by(np.array([1, 1, 0, 1, 1, 1]))
    assert five.ranks(np.array([7, 2, 7, 7, -5, 9])).tolist() == [2, 1, 0, 2, 0, 3]


def test_groups_are_of_one_kind_where_their_rows_are_alike_one_by_one() -> None:
    groups = Groups.by(np.array([0, 0, 1, 1, 2, 3, 3, 4, 5, 5, 5]))
    code = np.array([7, -8, 7, -8, 7, -8, 7, 7, 7, -8, 7])
    assert groups.kinds(code, groups.order).tolist() == [0, 0, 1, 2, 1, 3]
    assert groups.kinds(code, np.array([0, 1, 2, 3, 4, 6, 5, 7, 8, 9, 10])).tolist() == [0, 0, 1, 0, 1, 2]
    code[3] = 9
    assert groups.kinds(code, groups.order).tolist() == [0, 1, 2, 3, 2, 4]


def test_groups_of_many_rows_are_of_one_kind_where_these_are_alike_too() -> None:
    sizes = [200, 1, 200, 200, 65, 64, 65]
    groups = Groups(np.repeat(np.arange(len(sizes)), sizes))
    code = np.arange(len(groups.of)) - np.repeat(groups.starts, sizes)
    code[groups.starts[3] + 150] = 7
    assert groups.kinds(code, groups.order).tolist() == [0, 1, 0, 2, 3, 4, 3]


def test_no_rows_make_no_groups() -> None:
    none = Groups(np.empty(0, np.int64))
    assert len(none) == 0
    assert none.first().tolist() == none.least(np.empty(0, np.int64)).tolist() == none.places().tolist() == []
    assert none.ranks(np.empty(0, np.int64)).tolist() == []
    assert none.kinds(np.empty(0, np.int64), none.order).tolist() == []
