"""Does a run that leaves out what is settled say what a run says that assesses everything?

Both are computed and held against each other, layer by layer and value by value; nothing is published here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from pipelines import reuse, reviews
from pipelines.recall import recall
from pipelines.watch import compare, compose, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.publications import Question
    from pipelines.recall import Recalled
    from pipelines.watch import Composed
    from pipelines.workspace import Clock, Workspace

_SHOWN: Final = 5


class MismatchError(RuntimeError):
    """A run that left out what is settled says something else than the whole one."""


def check(workspace: Workspace, question: Question, *, version: str, clock: Clock) -> int | None:
    """Return how many reports a run leaves out that says the same as with them; ``None``: it leaves out none.

    Raises
    ------
    MismatchError
        If it says something else, or the files of the past do.
    """
    reviews.heed(workspace, clock)
    at = clock()
    recalled = recall(workspace, question, version=version, at=at)
    answer = judge(recalled.now, question.as_of)
    if recalled.kept is None or reuse.is_off(recalled.kept, answer):
        return None
    less = compose(recalled, answer, compare(recalled, answer))
    anew = recall(workspace, question, version=version, at=at, anew=True)
    answer = judge(anew.now, question.as_of)
    found = list(_differ(recalled, less, compose(anew, answer, compare(anew, answer))))
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        path = reuse.place(workspace, reuse.WINDOW).parent
        msg = (
            f"left out what is settled, and with it: {'; '.join(found[:_SHOWN])}{more}. Nothing is published. "
            f"Delete {path}: the next run assesses everything"
        )
        raise MismatchError(msg)
    return len(anew.now.reports) - len(recalled.now.reports)


def _differ(recalled: Recalled, less: Composed, full: Composed) -> Iterator[str]:
    yield from differences(less.layers, full.layers)
    if less.sent() != full.sent():
        yield f"messages differ: {sorted(less.sent().files.keys() ^ full.sent().files.keys()) or 'in what they say'}"
    written = {f"{year}.gpkg": str(held["run"]["run_id"].iloc[0]) for year, held in (full.past or {}).items()}
    stands = dict(recalled.kept.files) if recalled.kept else {}
    if full.past is not None and written != stands:
        yield f"files of the past would be other ones: {', '.join(min(written.items() ^ stands.items()))}"


def differences(less: Mapping[str, pd.DataFrame], full: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Yield a sentence for each column of each layer that does not hold the same, with the first row that differs."""
    for layer in sorted(less.keys() | full.keys()):
        one, other = less[layer], full[layer]
        if len(one) != len(other) or list(one.columns) != list(other.columns):
            yield f"layer {layer} has {len(one)} rows, the whole run {len(other)}"
            continue
        for name in one.columns:
            a, b = _values(one[name]), _values(other[name])
            rows = np.flatnonzero([not _same(x, y) for x, y in zip(a, b, strict=True)])
            if len(rows) or one[name].dtype != other[name].dtype:
                first = int(rows[0]) if len(rows) else 0
                said = f"{a[first]!r}, the whole run {b[first]!r}" if len(rows) else "is of another type"
                yield f"layer {layer}, row {first + 1} ({one.iloc[first, 0]!s}), column {name}: {said}"


def _values(column: pd.Series[Any]) -> list[Any]:
    return list(shapely.to_wkb(column.to_numpy(object))) if column.name == "geometry" else column.to_list()


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401 -- values of cells
    return bool(pd.isna(other)) if pd.isna(one) else not pd.isna(other) and bool(one == other)
