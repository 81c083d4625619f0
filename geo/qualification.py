"""Does a violation count, and since when has that been known?

RULES 6 to 8 of ``geo.violations``, and what of ``geo.standing`` they rest on. Most violations are carried by one of a
few sets of voices: what the policy says of a set is asked once and looked up from then on.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from geo import exemptions
from geo.nearness import Things
from geo.reports import TIME
from geo.standing import dating, judged, overruled, placing, qualifies, told_by, vouched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from pandas.api.extensions import ExtensionArray

    from geo.exemptions import Exemption
    from geo.policy import Corroboration
    from geo.standing import Carrier, Standing, Word

    Origins = frozenset[tuple[str, str, str]]

EXEMPT: Final = "exempt: "


class Case(NamedTuple):
    """The reports that carry a violation, the places of those that speak, and of those by which it is described."""

    carriers: Sequence[Carrier]
    heard: Sequence[int]
    telling: Sequence[int]

    @property
    def spoken(self) -> list[Carrier]:
        """Those by which it is described."""
        return [self.carriers[i] for i in self.telling]


class Finding(NamedTuple):
    """What a case amounts to."""

    status: str
    qualifying: bool
    why_not: str | None
    origins: int
    anchor: int | None
    qualified_at: datetime | None
    origin_set: Origins
    by_rule: str


_TYPES: Final = dict.fromkeys(Finding._fields, "str") | {
    "qualifying": "bool", "origins": "int64", "anchor": "Int64", "qualified_at": TIME, "origin_set": "object",
}  # fmt: skip


class Bench:
    """Where cases are judged by one policy and its exemptions."""

    def __init__(self, rules: Corroboration, exempted: tuple[Exemption, ...]) -> None:
        self.rules = rules
        self._exempted = exempted
        self._known: dict[frozenset[Word], Standing] = {}
        self._vouched: dict[Origins, Origins] = {}  # few are different

    def case(self, carriers: Sequence[Carrier]) -> Case:
        """Return reports with who of them speaks."""
        return Case(carriers, *told_by(carriers, self.rules))

    def by_rule(self, case: Case) -> Standing:
        """Return what the rules say of a case."""
        words = frozenset(case.carriers[i].word for i in case.heard)
        found = self._known.get(words)
        if found is None:
            found = self._known[words] = judged(words, self.rules)
        return found

    def find(self, case: Case, why: str) -> Finding:
        """Return what a case amounts to, given what else keeps it from qualifying."""
        by_rule = self.by_rule(case)
        now = overruled(case.carriers, by_rule)
        if not why and not qualifies(now.status, self.rules):
            why = f"{now.status}, while {self.rules.qualifying_status} is needed"
        status = "exempt" if why.startswith(EXEMPT) else now.status
        anchor, known = (None, None) if why else self._anchor(case)
        said = vouched(case.spoken)
        said = self._vouched.setdefault(said, said)
        return Finding(status, not why, why or None, now.voices, anchor, known, said, by_rule.status)

    def qualified(self, case: Case) -> bool:
        """Return whether a case qualifies by the rules: dated and placed by its carriers, with the status they give."""
        return qualifies(self.by_rule(case).status, self.rules) and self.counts(case)

    def _anchor(self, case: Case) -> tuple[int, datetime]:
        """Return RULE 8's ledger number, and the moment from which on the violation was known to qualify.

        Where history was imported, what has the lower number need not have been known first.
        """
        carriers = case.carriers
        helping = [ruling for one in carriers for ruling in one.rulings if qualifies(ruling.says, self.rules)]
        if len(carriers) == 1 and not helping:
            return carriers[0].stands_no, carriers[0].known_at
        known = [pd.Timestamp(ruling.known_at, unit="us", tz="UTC").to_pydatetime() for ruling in helping]

        @cache  # many came in one by one, in the same order by number and by knowledge
        def part(places: tuple[int, ...]) -> tuple[Case, bool]:
            some = case if len(places) == len(carriers) else self.case([carriers[i] for i in places])
            return some, self.qualified(some)

        return (
            self._since(part, [one.stands_no for one in carriers], [ruling.no for ruling in helping]),
            self._since(part, [one.known_at for one in carriers], known),
        )

    def _since(
        self, part: Callable[[tuple[int, ...]], tuple[Case, bool]], arrived: Sequence[Any], ruled: Sequence[Any]
    ) -> Any:  # noqa: ANN401 -- all alike
        """Return since when a case qualifies: by its carriers, and by the rulings for it, that had come in by then.

        ``part`` gives what carriers at some places amount to, and whether that qualifies by the rules.
        """
        for key in sorted({*arrived, *ruled}):
            then = tuple([i for i, own in enumerate(arrived) if own <= key])
            if not then:
                continue
            some, qualifies_alone = part(then)
            if qualifies_alone or (ruled and min(ruled) <= key and self.counts(some)):
                return key
        msg = "a violation that qualifies did so at no moment"
        raise AssertionError(msg)

    def counts(self, case: Case) -> bool:
        """Return whether what a case describes lies surely inside a window and in no exemption."""
        spoken = case.spoken
        dated = min(spoken, key=dating)
        return dated.inside != 0 and not (self._exempted and self._covered(spoken, dated))

    def _covered(self, spoken: Sequence[Carrier], dated: Carrier) -> bool:
        """Return whether a violation that these describe is exempt (RULE 10)."""
        place = min(spoken, key=placing)
        lon, lat, radius = np.array([[place.lon], [place.lat], [place.uncertainty_m]])
        thing = Things(lon, lat, radius, np.array([dated.start]), np.array([dated.end]))
        kinds = frozenset((carrier.act, carrier.family) for carrier in spoken)
        return exemptions.judge(thing, [kinds], self._exempted).exemption[0] is not None


def established(bench: Bench, cases: Iterable[Case], why: Iterable[str]) -> dict[str, ExtensionArray]:
    """Return the columns of ``Finding``, given what else keeps each violation from qualifying."""
    found = [bench.find(case, reason) for case, reason in zip(cases, why, strict=True)]
    columns = zip(*found, strict=True) if found else [()] * len(_TYPES)
    return {
        name: pd.Series(list(values), dtype=dtype).array
        for (name, dtype), values in zip(_TYPES.items(), columns, strict=True)
    }


def qualified(carriers: Sequence[Carrier], rules: Corroboration, exempted: tuple[Exemption, ...]) -> bool:
    """Return whether carriers would qualify alone, by the rules or by what people decided of them."""
    bench = Bench(rules, exempted)
    case = bench.case(carriers)
    return qualifies(overruled(carriers, bench.by_rule(case)).status, rules) and bench.counts(case)
