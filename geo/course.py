"""What course has a breach taken: which violations, how far, how deep, how fast?

Measures alone: what they make of an incident's state is decided in ``geo.escalation``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from functools import cached_property
from itertools import compress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, overload

import numpy as np

from geo.nearness import HOUR_US

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from geo.policy import Expansion, Ladder

Figure: TypeAlias = Any  # a number, or an array of them
DAY_US: Final = 24 * HOUR_US


def us(hours: float) -> int:
    """Return hours in µs."""
    return round(hours * HOUR_US)


class SetT0(NamedTuple):
    """T0 as a person set it: its two instants and when it was known, in µs since 1970 UTC; the command's name."""

    begin: int
    surely: int
    known_at: int
    by: str


class Violation(NamedTuple):
    """What of a qualifying violation the ladder looks at; instants in µs since 1970 UTC, metres."""

    start: int
    end: int
    chainage_m: float
    distance_m: float
    weapon_class: str | None
    origins: frozenset[tuple[str, str, str]]  # (origin, voice, trust group) of each report that carries it
    parties: Mapping[str, int]  # that its reports hold responsible, each with when that was known
    known_at: int  # when it first qualified by what was known
    content: str  # breaks ties
    row: int  # where it stands in the caller's frame
    response: frozenset[str] = frozenset()  # parties whose declared response fire it is
    t0: SetT0 | None = None  # of its whole incident, if a person set it


class Measures(NamedTuple):
    """How far, deep and fast a breach has been: chainage span and depth in metres, violations begun in 24 hours.

    ``armed``: whether a weapon was used that is enough by itself. Of one moment, or arrays of one shape.
    """

    extent_m: Figure
    depth_m: Figure
    rate_n: Figure
    armed: Figure

    def at(self, n: int) -> Measures:
        """Return those of one moment."""
        return Measures(*(column[n].item() for column in self))


class Bars(NamedTuple):
    """What makes a breach a broader attack: what is enough by itself, and ``k`` of what is growth beside its base."""

    extent_m: float
    depth_m: float
    rate_n: int
    weapons: frozenset[str]
    k: int
    grown_extent_m: float
    grown_depth_m: float
    grown_rate_n: float


def by_begin(violation: Violation) -> tuple[int, str]:
    """Return the key that puts violations in order of their begin; ties are broken by content."""
    return violation.start, violation.content


def by_end(violation: Violation) -> tuple[int, str]:
    """Return the key that puts violations in order of their end; ties are broken by content."""
    return violation.end, violation.content


class Course(Sequence[Violation]):
    """Violations of one incident in order of their begin, whatever order they came in, and what is asked of them.

    Instants in µs since 1970 UTC.
    """

    def __init__(self, violations: Iterable[Violation], *, in_order: bool = False) -> None:
        self._violations = tuple(violations if in_order else sorted(violations, key=by_begin))

    @classmethod
    def ordered(cls, violations: Iterable[Violation]) -> Course:
        """Return violations as a course that are in order already."""
        return Course(violations, in_order=True)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._violations)

    def __iter__(self) -> Iterator[Violation]:
        """Yield each."""
        return iter(self._violations)

    @overload
    def __getitem__(self, at: int) -> Violation: ...
    @overload
    def __getitem__(self, at: slice) -> Course: ...
    def __getitem__(self, at: int | slice) -> Violation | Course:
        """Return one, or some that follow each other as a course."""
        return Course(self._violations[at], in_order=True) if isinstance(at, slice) else self._violations[at]

    def exchanged(self, row: int, other: Violation | None) -> Course:
        """Return the course without the violation of a row, if it is in it, and with another one, if there is one."""
        kept = [violation for violation in self if violation.row != row]
        if other is not None:
            insort(kept, other, key=by_begin)
        elif len(kept) == len(self):
            return self
        return Course.ordered(kept)

    def dated(self, t0: SetT0) -> Course:
        """Return the course with T0 as a person set it."""
        return Course.ordered([violation._replace(t0=t0) for violation in self])

    def of_party(self, party: str | None, *, unknown: bool) -> Course:
        """Return what counts if a party fired, ``None``: whoever did; ``unknown``: also where nobody names who did.

        Declared response fire counts for the party that fired it only.
        """
        if party is None:
            kept = [v for v in self if not v.response]
        else:
            kept = [
                v
                for v in self
                if (party in v.response if v.response else party in v.parties or (unknown and not v.parties))
            ]
        return self if len(kept) == len(self) else Course.ordered(kept)

    def claimed(self, party: str) -> Course:
        """Return the course with each violation known when it was known that a party is held responsible for it."""
        claims = [(v, v.parties.get(party, v.known_at)) for v in self]
        return Course.ordered([v if known <= v.known_at else v._replace(known_at=known) for v, known in claims])

    @property
    def key(self) -> Hashable:
        """What courses of one incident have in common that count the same violations, known at the same time."""
        return tuple([(violation.row, violation.known_at) for violation in self])

    @cached_property
    def starts(self) -> Sequence[int]:
        """When each began."""
        return [violation.start for violation in self]

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """Where each stands in the caller's frame."""
        return tuple([violation.row for violation in self])

    @property
    def origins(self) -> list[frozenset[tuple[str, str, str]]]:
        """Who vouches for each."""
        return [violation.origins for violation in self]

    @property
    def parties(self) -> set[str]:
        """The parties that are held responsible for any."""
        return {party for violation in self for party in violation.parties}

    @property
    def responses(self) -> int:
        """How many are declared response fire."""
        return sum(bool(violation.response) for violation in self)

    @property
    def known_at(self) -> int:
        """When all of them had qualified."""
        return max([violation.known_at for violation in self])

    @cached_property
    def last(self) -> int:
        """When the last one ended."""
        return max([violation.end for violation in self])

    @cached_property
    def first_ended(self) -> Violation:
        """The one that ended first: from then on it is sure that the breach had begun."""
        return min(self, key=by_end)

    @cached_property
    def t0(self) -> tuple[int, int]:
        """The earliest begin and the earliest end, or T0 as a person set it."""
        set_t0 = self[0].t0
        return (self[0].start, self.first_ended.end) if set_t0 is None else (set_t0.begin, set_t0.surely)

    def begun(self, instant: int) -> Course:
        """Return the violations begun by an instant."""
        return self[: bisect_right(self.starts, instant)]

    def since(self, instant: int) -> Course:
        """Return the violations that began at an instant or later."""
        return self[bisect_left(self.starts, instant) :]

    def last_begun(self, instant: int) -> Violation:
        """Return, of the violations begun by an instant, the one that ended last: it shows that hostilities go on."""
        return max(self.begun(instant), key=by_end)

    def measured(self, weapons: frozenset[str]) -> Measures:
        """Return the measures of a breach when each of its violations begins, arrays of shape (n,).

        ``weapons`` are the classes that are enough by themselves.
        """
        start = np.array(self.starts, np.int64)
        chainage = np.array([violation.chainage_m for violation in self])
        depth = np.fmax.accumulate(np.array([0.0, *[violation.distance_m for violation in self]]))[1:]
        extent = np.fmax(0.0, np.fmax.accumulate(chainage) - np.fmin.accumulate(chainage))
        rate = np.arange(1, len(start) + 1) - start.searchsorted(start - DAY_US, side="right")
        armed = np.logical_or.accumulate(np.array([violation.weapon_class in weapons for violation in self]))
        return Measures(extent, depth, rate, armed)

    def most(self, weapons: frozenset[str]) -> Measures:
        """Return measures that ``measured`` never exceeds."""
        span = [violation.chainage_m for violation in self]
        depth = max([0.0, *[violation.distance_m for violation in self]])
        armed = not weapons.isdisjoint([violation.weapon_class for violation in self])
        return Measures(max(span) - min(span), depth, len(self), armed)

    def first_window(self, ladder: Ladder) -> tuple[float, float, int]:
        """Return extent (m), depth (m) and number of what may lie in the first window."""
        first = self[: bisect_left(self.starts, self.t0[1] + us(ladder.persist_h))]
        return first.spread() if first else (0.0, 0.0, 0)  # a person set T0 so early

    def spread(self) -> tuple[float, float, int]:
        """Return extent (m), depth (m) and number."""
        span = [violation.chainage_m for violation in self]
        return max(span) - min(span), max([violation.distance_m for violation in self]), len(self)


class Grown(NamedTuple):
    """What a breach measured in its first window, and what it has come to: metres, and violations in 24 hours."""

    extent_first_m: float
    extent_m: float
    depth_first_m: float
    depth_m: float
    rate_first_n: int
    rate_n: int

    def __str__(self) -> str:
        """Return it as a sentence."""
        extent = f"extent {self.extent_first_m / 1000:.1f} → {self.extent_m / 1000:.1f} km"
        depth = f"depth {self.depth_first_m / 1000:.1f} → {self.depth_m / 1000:.1f} km"
        return f"{extent}, {depth}, rate {self.rate_first_n} → {self.rate_n} in 24 h"


def grown(course: Course, ladder: Ladder) -> Grown:
    """Return how a breach has grown since its first window; rate is the most that began in any 24 hours."""
    every = course.measured(frozenset())
    extent, depth, rate = course.first_window(ladder)
    now = every.at(-1)
    return Grown(extent, now.extent_m, depth, now.depth_m, rate, every.rate_n.max().item())


def bars(base: tuple[float, float, int], rules: Expansion) -> Bars:
    """Return what makes a broader attack of a breach with this extent (m), depth (m) and number in its first window."""
    grown = [
        max(rule.times * first, rule.floor)
        for first, rule in zip(base, (rules.extent_growth, rules.depth_growth, rules.rate_growth), strict=True)
    ]
    return Bars(rules.extent_m, rules.depth_m, rules.rate_n, frozenset(rules.weapons), rules.k, *grown)


def absolute(now: Measures, than: Bars) -> tuple[Figure, Figure, Figure, Figure]:
    """Return which absolute thresholds a breach has reached: extent, depth, rate, weapon."""
    return now.extent_m >= than.extent_m, now.depth_m >= than.depth_m, now.rate_n >= than.rate_n, now.armed


def ratios(now: Measures, than: Bars) -> tuple[Figure, Figure, Figure]:
    """Return in which ratios to its first window a breach has grown: extent, depth, rate."""
    return now.extent_m >= than.grown_extent_m, now.depth_m >= than.grown_depth_m, now.rate_n >= than.grown_rate_n


def growth(grew: Course, base: tuple[float, float, int], rules: Expansion) -> list[str]:
    """Return what makes these a broader attack, each with its figures; empty: they are none.

    ``base`` is extent (m), depth (m) and number of the first window.
    """
    (extent, depth, rate), than = base, bars(base, rules)
    now = grew.measured(than.weapons).at(-1)
    armed = than.weapons.intersection([violation.weapon_class for violation in grew])
    broad = (
        f"extent {now.extent_m / 1000:.1f} km ≥ {rules.extent_m / 1000:g} km",
        f"depth {now.depth_m / 1000:.1f} km ≥ {rules.depth_m / 1000:g} km",
        f"rate {now.rate_n} ≥ {rules.rate_n} in 24 h",
        f"weapon {', '.join(sorted(armed))}",
    )
    ratio = (
        f"extent {extent / 1000:.1f} → {now.extent_m / 1000:.1f} km",
        f"depth {depth / 1000:.1f} → {now.depth_m / 1000:.1f} km",
        f"rate {rate} → {now.rate_n} in 24 h",
    )
    grown = list(compress(ratio, ratios(now, than)))
    return [*compress(broad, absolute(now, than)), *(grown if len(grown) >= rules.k else [])]
