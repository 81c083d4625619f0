"""Who can have seen a breach, and whose word makes it count?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

from geo.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geo.policy import Policy
    from geo.theatre import Source, Theatre

_RANK: Final = ("mission", "vetted", "satellite", "media", "party", "public")
_LEVELS: Final = ("alleged", "corroborated", "confirmed")
_LARGEST_TEAM: Final = 3  # no policy asks for more; the search stays small


@dataclass(frozen=True)
class Witness:
    """Somebody who can have seen a breach, and the source that carries the word.

    ``origin`` is the text of the row's own column (``None``: the row has none); ``voice`` is who counts as having
    seen it.
    """

    source: str
    origin: str | None
    voice: str
    trust: str
    party: str | None


@dataclass(frozen=True)
class Cast:
    """Everybody who reports in a simulation, best first.

    ``lead`` is the smallest team whose word alone makes a violation count, ``pair`` the smallest that also carries
    the tiers above 1, ``voices`` everybody who is not public, each independent of the others. ``weak`` is one voice
    that makes nothing count by itself. ``echo`` carries copies of one post. ``clerk`` declares coverage.
    """

    lead: tuple[Witness, ...]
    pair: tuple[Witness, ...]
    voices: tuple[Witness, ...]
    weak: Witness | None
    echo: tuple[Witness, ...]
    crowd: tuple[Witness, ...]
    satellite: str | None
    clerk: str
    authoritative: frozenset[str]


def cast(theatre: Theatre, policy: Policy) -> Cast:
    """Choose who reports, by trust group and never by the name of a source.

    Raises
    ------
    PolicyError
        When no team of the theatre's plain CSV sources can make a violation count.
    """
    heard = (source for source in theatre.sources if source.format == "csv" and _is_heard(source, policy))
    sources = sorted(heard, key=lambda source: (_RANK.index(source.trust), source.id))
    voices = tuple(_independent(witness for source in sources if source.trust != "public" for witness in _of(source)))
    lead = _smallest(voices, policy, two_origins=False)
    if lead is None:
        msg = (
            f"theatre {theatre.id!r}: no set of its plain CSV sources can make a violation "
            f"{policy.corroboration.qualifying_status}; declare a mission source, or one with origin = 'column'"
        )
        raise PolicyError(msg)
    weak = next((voice for voice in reversed(voices) if not _counts((voice,), policy)), None)
    return Cast(
        lead=lead,
        pair=_smallest(voices, policy, two_origins=True) or lead,
        voices=voices,
        weak=weak,
        echo=_echo(sources, policy),
        crowd=tuple(witness for source in sources if source.trust == "public" for witness in _of(source)),
        satellite=next((source.id for source in sources if source.trust == "satellite"), None),
        clerk=lead[0].source,
        authoritative=frozenset(source.id for source in sources if source.authoritative),
    )


def standing(team: Iterable[Witness], policy: Policy) -> str:
    """Return the status that the word of ``team`` gives to a violation."""
    voices = {witness.party or witness.voice: witness.trust for witness in team}
    groups = set(voices.values())
    if any(groups.issuperset(needed) for needed in policy.corroboration.confirming):
        return "confirmed"
    return "corroborated" if len(voices) > 1 else "alleged"


def carries_higher_tiers(team: Iterable[Witness], policy: Policy) -> bool:
    """Return whether the origins of ``team`` are enough for the tiers above 1."""
    team = tuple(team)
    if policy.ladder.single_vetted and any(witness.trust in {"mission", "vetted"} for witness in team):
        return True
    return len({witness.voice for witness in team}) > 1 and len({w.party or w.voice for w in team}) > 1


def _is_heard(source: Source, policy: Policy) -> bool:
    """Return whether a source has a voice of its own: it copies nobody, and the policy listens to its like."""
    return not source.copies and source.reliability not in policy.corroboration.unheard_reliability


def _of(source: Source) -> tuple[Witness, ...]:
    """Two voices where rows name their origin, one elsewhere; sources of a party are one voice anyway."""
    party = source.party if source.trust == "party" else None
    if source.origin == "source" or party is not None:
        return (Witness(source.id, None, source.independence_group, source.trust, party),)
    names = (f"{source.independence_group} {letter}" for letter in ("A", "B"))
    return tuple(Witness(source.id, name, name, source.trust, None) for name in names)


def _independent(witnesses: Iterable[Witness]) -> Iterable[Witness]:
    seen: set[str] = set()
    for witness in witnesses:
        names = {witness.voice} | ({f"party {witness.party}"} if witness.party else set())
        if not names & seen:
            seen |= names
            yield witness


def _counts(team: tuple[Witness, ...], policy: Policy) -> bool:
    return _LEVELS.index(standing(team, policy)) >= _LEVELS.index(policy.corroboration.qualifying_status)


def _smallest(voices: tuple[Witness, ...], policy: Policy, *, two_origins: bool) -> tuple[Witness, ...] | None:
    """First team in order of size, then of trust; ``two_origins``: of at least two, who carry the higher tiers."""
    for size in range(1 + two_origins, _LARGEST_TEAM + 1):
        for team in combinations(voices, size):
            if _counts(team, policy) and (not two_origins or carries_higher_tiers(team, policy)):
                return team
    return None


def _echo(sources: list[Source], policy: Policy) -> tuple[Witness, ...]:
    """Carry one post wherever rows can name it, unless a single voice of that trust group already counts."""
    post = "one post"
    carriers = (
        Witness(source.id, post, post, source.trust, None)
        for source in reversed(sources)
        if source.origin == "column" and source.trust not in {"public", "party"}
    )
    return tuple(witness for witness in carriers if not _counts((witness,), policy))
