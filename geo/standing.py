"""How sure is it that something happened, and who vouches for it?

RULE 1  Who speaks: every report that is not disputed, is no copy of another one here (``geo.copies``), and is neither
        of a reliability nor of a credibility that the policy leaves unheard. What the others say changes nothing as
        long as one speaks.
RULE 2  Voices are independent origins; all sources of one party are one voice, and so is who carries a party's word.
RULE 3  The first clause of the policy's table that holds gives the status. Where none does: *confirmed* when the trust
        groups that speak cover one of ``confirming``, *corroborated* by two voices, else *alleged*; *contested* where
        nobody speaks. Who carries a party's word speaks for the group of parties.
RULE 4  A violation is described by those that speak; where nobody does, by those that are neither disputed nor copies;
        where there is none of these, by all. Of those that describe it, the one with the shortest interval dates it,
        and the one with the smallest footprint places it. A party's word does either only where there is nothing but
        parties' words: else one forged instant would move T0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from geo import nearness
from geo.columns import texts
from geo.copies import originals
from geo.reports import PARTY
from geo.reviews import choose

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from geo.copies import Sign
    from geo.policy import Clause, Corroboration
    from geo.reviews import Ruling

ORDER: Final = {"alleged": 0, "corroborated": 1, "confirmed": 2}
UNRATED: Final = 6  # credibility that cannot be judged
_TEXTS: Final = ("voice", "trust", "origin", "content", "reliability", "means", "act", "family")


class Word(NamedTuple):
    """What of a report that speaks bears on the status of its violation."""

    voice: str
    group: str  # the trust group that it speaks for
    reliability: str
    credibility: int
    means: str | None


class Carrier(NamedTuple):
    """What of a report bears on the standing of its violation; instants in µs since 1970 UTC, metres, degrees."""

    voice: str
    trust: str
    disputed: bool
    stands_no: int
    known_at: datetime
    origin: str
    length_us: int
    inside: int
    content: str
    reliability: str
    credibility: int
    means: str | None
    sign: Sign | None  # ``None`` where no other report is the same statement
    start: int
    end: int
    lon: float
    lat: float
    uncertainty_m: float
    act: str
    family: str
    rulings: tuple[Ruling, ...] = ()

    @property
    def group(self) -> str:
        """The trust group that it speaks for: a party's word is a party's, whoever carries it."""
        return "party" if self.voice.startswith(PARTY) and self.trust != "public" else self.trust

    @property
    def word(self) -> Word:
        """What it is worth where it speaks."""
        return Word(self.voice, self.group, self.reliability, self.credibility, self.means)


CARRIED: Final = [
    "observed_from", "observed_to", *(name for name in Carrier._fields if name not in {"start", "end", "length_us"}),
]  # fmt: skip
"""The columns that ``carriers_of`` needs."""


class Standing(NamedTuple):
    """How well a set of reports establishes a violation."""

    status: str
    voices: int


def carriers_of(reports: pd.DataFrame) -> list[Carrier]:
    """Return what bears on the standing of their violations, in order of the rows."""
    start, end = nearness.micros(reports["observed_from"]), nearness.micros(reports["observed_to"])
    plain: dict[str, list[Any]] = {
        "start": start.tolist(),
        "end": end.tolist(),
        "length_us": (end - start).tolist(),
        "known_at": pd.DatetimeIndex(reports["known_at"]).to_pydatetime().tolist(),
        "credibility": reports["credibility"].to_numpy(np.int64, na_value=UNRATED).tolist(),
    } | {name: texts(reports[name]) for name in _TEXTS}
    columns = (plain[name] if name in plain else reports[name].tolist() for name in Carrier._fields)
    return list(map(Carrier._make, zip(*columns, strict=True)))


def firsthand(carriers: Sequence[Carrier]) -> list[int]:
    """Return the positions of those that are neither disputed nor copies of others here."""
    upright = [i for i, carrier in enumerate(carriers) if not carrier.disputed]
    signed = [(i, sign) for i in upright if (sign := carriers[i].sign) is not None]
    if signed:
        kept = {signed[place][0] for place in originals([sign for _, sign in signed])}
        upright = [i for i in upright if i in kept or carriers[i].sign is None]
    return upright


def heard(carriers: Sequence[Carrier], rules: Corroboration) -> list[int]:
    """Return the positions of those that speak (RULE 1)."""
    return told_by(carriers, rules)[0]


def speaking(carriers: Sequence[Carrier], rules: Corroboration) -> list[int]:
    """Return the positions of those by which a violation is described (RULE 4)."""
    return told_by(carriers, rules)[1]


def told_by(carriers: Sequence[Carrier], rules: Corroboration) -> tuple[list[int], list[int]]:
    """Return the positions of those that speak, and of those by which a violation is described (RULES 1 and 4)."""
    upright = firsthand(carriers)
    speak = [
        i
        for i in upright
        if carriers[i].reliability not in rules.unheard_reliability
        and carriers[i].credibility not in rules.unheard_credibility
    ]
    return speak, speak or upright or list(range(len(carriers)))


def dating(carrier: Carrier) -> tuple[bool, int, str]:
    """Return the key of which the least dates a violation (RULE 4)."""
    return carrier.voice.startswith(PARTY), carrier.length_us, carrier.content


def placing(carrier: Carrier) -> tuple[bool, float, str]:
    """Return the key of which the least places a violation (RULE 4)."""
    return carrier.voice.startswith(PARTY), carrier.uncertainty_m, carrier.content


def independent(speakers: Iterable[tuple[str, str]]) -> int:
    """Return how many independent origins there are among pairs of (origin, voice): who shares either is one."""
    kin: dict[tuple[str, str], tuple[str, str]] = {}

    def first(key: tuple[str, str]) -> tuple[str, str]:
        while kin.setdefault(key, key) != key:
            kin[key] = kin[kin[key]]
            key = kin[key]
        return key

    for origin, voice in set(speakers):
        kin[first(("origin", origin))] = first(("voice", voice))
    return sum(key == of for key, of in kin.items())


def standing(carriers: Sequence[Carrier], rules: Corroboration) -> Standing:
    """Return what a person decided of the reports that carry one violation, or else what the rules say of them."""
    return overruled(carriers, judged({carriers[i].word for i in heard(carriers, rules)}, rules))


def overruled(carriers: Sequence[Carrier], found: Standing) -> Standing:
    """Return what a person decided of reports in place of what was found by the rules, if anybody did."""
    ruled = choose((ruling for carrier in carriers for ruling in carrier.rulings), "status")
    return found if ruled is None else found._replace(status=ruled.says)


def judged(words: Collection[Word], rules: Corroboration) -> Standing:
    """Apply RULES 2 and 3 to what is said by those that speak; who says the same twice says it once."""
    voices = len({word.voice for word in words})
    groups = {word.group for word in words}
    if not words:
        return Standing("contested", 0)
    for clause in rules.rules:
        if _holds(clause, words):
            return Standing(clause.status, voices)
    if any(groups.issuperset(needed) for needed in rules.confirming):
        return Standing("confirmed", voices)
    return Standing("corroborated" if voices > 1 else "alleged", voices)


def _holds(clause: Clause, words: Collection[Word]) -> bool:
    counted = [
        each
        for each in words
        if (not clause.means or each.means in clause.means)
        and (not clause.reliability or each.reliability in clause.reliability)
        and (not clause.credibility or each.credibility in clause.credibility)
    ]
    enough = len({each.voice for each in counted}) >= clause.voices
    return enough and {each.group for each in counted}.issuperset(clause.trust)


def qualifies(status: str, rules: Corroboration) -> bool:
    """Return whether a status is at least the one that the policy asks for."""
    return status in ORDER and ORDER[status] >= ORDER[rules.qualifying_status]


def vouched(spoken: Iterable[Carrier]) -> frozenset[tuple[str, str, str]]:
    """Return (origin, voice, trust group) of each."""
    return frozenset((carrier.origin, carrier.voice, carrier.group) for carrier in spoken)
