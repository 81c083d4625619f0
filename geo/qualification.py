"""Does a violation count, and since when has that been known?

RULES 6 to 8 of ``geo.violations``, and what of ``geo.standing`` they rest on. Most violations are carried in one of a
few ways (``geo.patterns``): one of each is judged, and stands for all others.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from geo import exemptions, patterns
from geo.nearness import Things
from geo.reports import TIME
from geo.standing import carriers_of, dating, judged, overruled, placing, qualifies, told_by, vouched

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

    from geo.exemptions import Exemption
    from geo.groups import Groups
    from geo.policy import Corroboration
    from geo.standing import Carrier, Standing, Word

    Bools = NDArray[np.bool_]
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
        self.exempted = exempted
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
        return dated.inside != 0 and not (self.exempted and self._covered(spoken, dated))

    def _covered(self, spoken: Sequence[Carrier], dated: Carrier) -> bool:
        """Return whether a violation that these describe is exempt (RULE 10)."""
        place = min(spoken, key=placing)
        lon, lat, radius = np.array([[place.lon], [place.lat], [place.uncertainty_m]])
        thing = Things(lon, lat, radius, np.array([dated.start]), np.array([dated.end]))
        kinds = frozenset((carrier.act, carrier.family) for carrier in spoken)
        return exemptions.judge(thing, [kinds], self.exempted).exemption[0] is not None


def qualified(carriers: Sequence[Carrier], rules: Corroboration, exempted: tuple[Exemption, ...]) -> bool:
    """Return whether carriers would qualify alone, by the rules or by what people decided of them."""
    bench = Bench(rules, exempted)
    case = bench.case(carriers)
    return qualifies(overruled(carriers, bench.by_rule(case)).status, rules) and bench.counts(case)


class Cases:
    """What carries each violation, and what that amounts to."""

    def __init__(self, reports: pd.DataFrame, groups: Groups, bench: Bench) -> None:
        """Take the reports (``geo.standing.CARRIED``), in order of content, in a group a violation."""
        self._bench, self._groups = bench, groups
        self._alike = alike = patterns.find(reports, groups, singular(reports, groups, bench))
        self._numbers, self._known = reports["stands_no"].to_numpy(np.int64), reports["known_at"].array
        carriers = carriers_of(reports.iloc[alike.rows])
        self._cases = [bench.case(carriers[a:b]) for a, b in pairwise(alike.edges)]

    @property
    def telling(self) -> Bools:
        """Which reports describe their violation."""
        found = np.zeros(len(self._alike.rows), bool)
        for begin, case in zip(self._alike.edges, self._cases, strict=False):
            found[[begin + place for place in case.telling]] = True
        return found[self._alike.twin]

    def established(self, why: Sequence[str]) -> dict[str, ExtensionArray]:
        """Return the columns of ``Finding``, given what else keeps each violation from qualifying."""
        code, reasons = pd.factorize(np.array(why, object))
        asked, which = np.unique(self._alike.of * (len(reasons) + 1) + code, return_inverse=True)
        keys = [divmod(key, len(reasons) + 1) for key in asked.tolist()]
        cases = [self._cases[pattern] for pattern, _ in keys]
        found = [self._bench.find(case, reasons[reason]) for case, (_, reason) in zip(cases, keys, strict=True)]
        columns = zip(*found, strict=True) if found else [()] * len(_TYPES)
        table = {
            name: pd.Series(list(values), dtype=dtype).array[which]
            for (name, dtype), values in zip(_TYPES.items(), columns, strict=True)
        }
        # What a finding took from one of its carriers, the others take from the one in the same place.
        for name, own, theirs in (("anchor", self._numbers, "stands_no"), ("qualified_at", self._known, "known_at")):
            told = [[getattr(one, theirs) for one in case.carriers] for case in cases]
            said = [getattr(finding, name) for finding in found]
            places = [each.index(one) if one in each else -1 for one, each in zip(said, told, strict=True)]
            at = np.array(places, np.int64)[which]
            some = np.flatnonzero(at >= 0)
            table[name][some] = own[self._alike.order[self._groups.starts[some] + at[some]]]
        return table


def singular(reports: pd.DataFrame, groups: Groups, bench: Bench) -> Bools:
    """Return which groups are to be judged by themselves: more bears on them than ``geo.patterns`` compares."""
    ruled = reports["rulings"].to_numpy(object).astype(bool)
    signed = groups.of[reports["sign"].notna().to_numpy()]
    found: Bools = groups.some(ruled) | (np.bincount(signed, minlength=len(groups)) > 1) | bool(bench.exempted)
    return found
