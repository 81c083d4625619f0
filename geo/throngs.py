"""Which violations has a breach of which there are very many, without an object for each?

What the ladder asks of such a course it asks of columns, with the same answers; a violation is made when somebody asks
for that one.
"""

from __future__ import annotations

from functools import cached_property
from itertools import repeat, starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast, overload

import numpy as np
import pandas as pd

from geo.course import DAY_US, Course, Measures, Violation

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from numpy.typing import NDArray

    from geo.course import SetT0

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MANY: Final = 100  # violations of a breach beyond which objects are made of few of them; no result depends on it
NEVER: Final = int(np.iinfo(np.int64).max)
_NOBODY: Final = frozenset[str]()


class Columns(NamedTuple):
    """What ``geo.course.Violation`` says, one array item each, in order of begin and content."""

    start: Ints
    end: Ints
    chainage_m: Floats
    distance_m: Floats
    weapon: Ints  # its place among ``weapons``
    origins: NDArray[np.object_]
    known_at: Ints
    content: pd.api.extensions.ExtensionArray
    row: Ints
    claims: dict[str, Ints]  # since when a party is held responsible; ``NEVER``: it is not
    responds: dict[str, Bools]  # whether it is a party's declared response fire
    weapons: list[str | None]  # the different classes

    def take(self, at: slice | Ints | Bools) -> Columns:
        """Return those of some violations, in order."""
        claims, responds = ({party: each[at] for party, each in some.items()} for some in (self.claims, self.responds))
        return Columns._make([*[each[at] for each in self[:-3]], claims, responds, self.weapons])


class Throng(Course):
    """A course as columns."""

    def __init__(self, columns: Columns, t0: SetT0 | None = None) -> None:
        self._columns, self._t0 = columns, t0

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._columns.start)

    def __iter__(self) -> Iterator[Violation]:
        """Make and yield each; to make all at once takes a tenth of the time of one by one."""
        has, n = self._columns, len(self)
        claims: list[dict[str, int]] = [{} for _ in range(n)]
        fired = [_NOBODY] * n
        for party, known in has.claims.items():
            for at in np.flatnonzero(known != NEVER).tolist():
                claims[at][party] = known[at].item()
        for party, responds in has.responds.items():
            for at in np.flatnonzero(responds).tolist():
                fired[at] |= {party}
        numbers = (has.start, has.end, has.chainage_m, has.distance_m)
        content = cast("Any", has.content).to_numpy(object).tolist()
        rest = has.known_at.tolist(), content, has.row.tolist(), fired, repeat(self._t0, n)
        weapon = [has.weapons[code] for code in has.weapon.tolist()]
        columns = (*(each.tolist() for each in numbers), weapon, has.origins.tolist(), claims, *rest)
        return starmap(Violation, zip(*columns, strict=True))

    @overload
    def __getitem__(self, at: int) -> Violation: ...
    @overload
    def __getitem__(self, at: slice) -> Course: ...
    def __getitem__(self, at: int | slice) -> Violation | Course:
        """Return one, or some that follow each other as a course."""
        return self._some(at) if isinstance(at, slice) else self._made(range(len(self))[at])

    def _made(self, n: int) -> Violation:
        has = self._columns
        claims = {party: known[n].item() for party, known in has.claims.items() if known[n] != NEVER}
        return Violation(
            start=has.start[n].item(),
            end=has.end[n].item(),
            chainage_m=has.chainage_m[n].item(),
            distance_m=has.distance_m[n].item(),
            weapon_class=has.weapons[has.weapon[n]],
            origins=has.origins[n],
            parties=claims,
            known_at=has.known_at[n].item(),
            content=cast("Any", has.content)[n],
            row=has.row[n].item(),
            response=frozenset([party for party, responds in has.responds.items() if responds[n]]),
            t0=self._t0,
        )

    def _some(self, at: slice | Bools) -> Throng:
        return Throng(self._columns.take(at), self._t0)

    def dated(self, t0: SetT0) -> Course:
        """Return the course with T0 as a person set it."""
        return Throng(self._columns, t0)

    def of_party(self, party: str | None, *, unknown: bool) -> Course:
        """Return what counts if a party fired, ``None``: whoever did; ``unknown``: also where nobody names who did."""
        has, nobody = self._columns, np.zeros(len(self), bool)
        responding = np.logical_or.reduce([nobody, *has.responds.values()])
        if party is None:
            kept = ~responding
        else:
            kept = has.claims[party] != NEVER if party in has.claims else nobody
            if unknown:
                kept = kept | ~np.logical_or.reduce([nobody, *(known != NEVER for known in has.claims.values())])
            kept = np.where(responding, has.responds.get(party, nobody), kept)
        return self if kept.all() else self._some(kept)

    def claimed(self, party: str) -> Course:
        """Return the course with each violation known when it was known that a party is held responsible for it."""
        known = self._columns.claims.get(party)
        if known is None:
            return self
        later = (known != NEVER) & (known > self._columns.known_at)
        if not later.any():
            return self
        return Throng(self._columns._replace(known_at=np.where(later, known, self._columns.known_at)), self._t0)

    @property
    def key(self) -> Hashable:
        """What courses of one incident have in common that count the same violations, known at the same time."""
        return self._columns.row.tobytes(), self._columns.known_at.tobytes()

    @property
    def starts(self) -> list[int]:
        """When each began; made anew each time, since they take much room."""
        return list(self._columns.start.tolist())

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """Where each stands in the caller's frame."""
        return tuple(self._columns.row.tolist())

    @property
    def origins(self) -> list[frozenset[tuple[str, str, str]]]:
        """Who vouches for each."""
        return list(self._columns.origins)

    @property
    def parties(self) -> set[str]:
        """The parties that are held responsible for any."""
        return {party for party, known in self._columns.claims.items() if (known != NEVER).any()}

    @property
    def responses(self) -> int:
        """How many are declared response fire."""
        fired = [np.zeros(len(self), bool), *self._columns.responds.values()]
        return int(np.logical_or.reduce(fired).sum())

    @property
    def known_at(self) -> int:
        """When all of them had qualified."""
        return int(self._columns.known_at.max())

    @cached_property
    def last(self) -> int:
        """When the last one ended."""
        return int(self._columns.end.max())

    @cached_property
    def first_ended(self) -> Violation:
        """The one that ended first: from then on it is sure that the breach had begun."""
        end = self._columns.end
        return self._of_equals(np.flatnonzero(end == end.min()), last=False)

    def begun(self, instant: int) -> Course:
        """Return the violations begun by an instant."""
        return self[: int(self._columns.start.searchsorted(instant, side="right"))]

    def since(self, instant: int) -> Course:
        """Return the violations that began at an instant or later."""
        return self[int(self._columns.start.searchsorted(instant, side="left")) :]

    def last_begun(self, instant: int) -> Violation:
        """Return, of the violations begun by an instant, the one that ended last: it shows that hostilities go on."""
        end = self._columns.end[: self._columns.start.searchsorted(instant, side="right")]
        return self._of_equals(np.flatnonzero(end == end.max()), last=True)

    def _of_equals(self, at: Ints, *, last: bool) -> Violation:
        """Return the one of the least content, or of the greatest."""
        content = list(cast("Any", self._columns.content)[at])
        return self._made(int(at[content.index(max(content) if last else min(content))]))

    def measured(self, weapons: frozenset[str]) -> Measures:
        """Return the measures of a breach when each of its violations begins, arrays of shape (n,)."""
        has = self._columns
        depth = np.fmax.accumulate(np.append(0.0, has.distance_m))[1:]
        extent = np.fmax(0.0, np.fmax.accumulate(has.chainage_m) - np.fmin.accumulate(has.chainage_m))
        rate = np.arange(1, len(self) + 1) - has.start.searchsorted(has.start - DAY_US, side="right")
        return Measures(extent, depth, rate, np.logical_or.accumulate(self._armed(weapons)))

    def _armed(self, weapons: frozenset[str]) -> Bools:
        among = np.array([weapon in weapons for weapon in self._columns.weapons], bool)
        return among[self._columns.weapon]

    def most(self, weapons: frozenset[str]) -> Measures:
        """Return measures that ``measured`` never exceeds."""
        extent, depth, n = self.spread()
        return Measures(extent, max(0.0, depth), n, bool(self._armed(weapons).any()))

    def spread(self) -> tuple[float, float, int]:
        """Return extent (m), depth (m) and number."""
        span = self._columns.chainage_m.tolist()  # lists: of what is missing Python and numpy think differently
        return max(span) - min(span), max(self._columns.distance_m.tolist()), len(self)


def ordered(columns: Columns, incident: Ints) -> Ints:
    """Return the places of violations in order of incident (a number each), begin and content."""
    order = np.lexsort((columns.start, incident))
    tied = np.zeros(len(order), bool)
    tied[1:] = (np.diff(incident[order]) == 0) & (np.diff(columns.start[order]) == 0)
    tied[:-1] |= tied[1:]
    some = order[tied]
    if len(some):  # texts are slow to put in order
        nth = np.zeros(len(order), np.int64)
        nth[some] = pd.factorize(cast("Any", columns.content)[some], sort=True)[0]
        order = np.lexsort((nth, columns.start, incident))
    return order
