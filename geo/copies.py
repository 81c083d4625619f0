"""Which reports say again what another one said?

A copy has no voice of its own: it goes where its original goes and changes nothing about it. Numbered rules, mirrored
in the code and in the tests:

RULE 1  Two reports are the same statement when the source of one is declared to copy the other's, or when their words,
        their links or their ids are the same. Items of one origin in one source are never the same: it knows its own.
RULE 2  Words are compared without case, width, white space and invisible signs, and only from ``same_text_chars`` on:
        "shelling" alone proves nothing. Links without scheme, ``www.``, trailing slash and fragment; the front page of
        a site proves nothing. An id of at least ``same_id_chars`` is the same when another source has it as its own id,
        or when the other's link ends in it.
RULE 3  Of the same statement one is the original: of the better trust group (a party counts as media here), then of the
        more reliable source, then of a source that copies fewer, then the one that was said first, then a party's, then
        by content. So no copy takes the voice of a mission or a vetted source, whatever it says of its date.
RULE 4  A copy is a copy of an original, never of another copy: who repeats two better ones does not make them one.
RULE 5  A source declared to copy others stands no higher than they do, so that of the two it is the copy. Only a public
        source is never an original to one that is not.
"""

from __future__ import annotations

import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from geo.columns import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from geo.policy import Corroboration
    from geo.theatre import Source

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

# A party's own statement and the medium that repeats it word for word: the first to say it is the origin.
CLASSES: Final = {"mission": 0, "vetted": 1, "satellite": 2, "media": 3, "party": 3, "public": 4}
RELIABILITY: Final = {"A": 0, "B": 1, "C": 2, "F": 3, "D": 4, "E": 5}
UNRATED: Final = "F"  # cannot be judged
NEVER_US: Final = int(np.iinfo(np.int64).max)
_INVISIBLE: Final = "Cf"
_SPACES: Final = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"  # white space of plain text
_KEYS: Final = ("words", "link", "ref", "tail")  # what tells a statement, and stands in its sign


class Sign(NamedTuple):
    """What tells a statement from another: who said it, in which words, under which link and id; and its standing."""

    source: str
    origin: str
    kin: frozenset[str]  # sources that its source is declared to copy
    words: str | None
    link: str | None
    ref: str | None
    tail: str | None  # what its link ends in
    rank: tuple[object, ...]  # the least is the original


class Ground(Protocol):
    """Where and when reports lie, by their positions."""

    def spot(self, row: int) -> Hashable:
        """Return the part of space and time that a report lies in."""

    def around(self, row: int) -> Sequence[Hashable]:
        """Return all parts where what it meets may lie."""

    def meeting(self, row: int, others: Sequence[int]) -> list[tuple[float, int]]:
        """Return the distance (m) and the position of those that agree with it in time, place and act."""


class Repute(NamedTuple):
    """What a source is worth as an original: the less, the better."""

    trust: int
    reliability: int
    copied: int


NOBODY: Final = Repute(CLASSES["public"], RELIABILITY[UNRATED], 0)


def ancestry(sources: Iterable[Source]) -> dict[str, frozenset[str]]:
    """Return which sources each source copies, also through others."""
    direct = {source.id: source.copies for source in sources}
    found = {}
    for name in direct:
        trail = [name]
        for other in trail:  # grows while it is walked
            trail.extend(dict.fromkeys(far for far in direct.get(other, ()) if far not in trail))
        found[name] = frozenset(trail[1:])
    return found


def reputes(sources: Iterable[Source]) -> dict[str, Repute]:
    """Return what each source is worth as an original (RULES 3 and 5)."""
    declared = {source.id: source for source in sources}
    kin = ancestry(declared.values())
    return {name: _repute(source, [declared[far] for far in kin[name]]) for name, source in declared.items()}


def _repute(source: Source, copied: Sequence[Source]) -> Repute:
    if source.trust == "public":
        return NOBODY._replace(reliability=RELIABILITY[source.reliability], copied=len(copied))
    known = [source, *(other for other in copied if other.trust != "public")]
    trust, reliability = (
        max(parts) for parts in zip(*((CLASSES[s.trust], RELIABILITY[s.reliability]) for s in known), strict=True)
    )
    return Repute(trust, reliability, len(copied))


def words(text: object, least: int) -> str | None:
    """Return the words of a text as they are compared; ``None`` where there are too few, or ``least`` is 0 (RULE 2)."""
    if not isinstance(text, str) or not least:
        return None
    if not text.isascii():
        plain = unicodedata.normalize("NFKC", text)
        text = "".join(sign for sign in plain if unicodedata.category(sign) != _INVISIBLE)
    said = " ".join(text.casefold().split())
    return said if len(said) >= least else None


def link(url: object) -> str | None:
    """Return a link as it is compared; ``None`` where it names no page (RULE 2)."""
    try:
        parts = urlsplit(url.strip() if isinstance(url, str) else "")
    except ValueError:
        return None
    page = parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")
    return parts.netloc.casefold().removeprefix("www.") + page if parts.netloc and page else None


def _tail(page: str | None, least: int) -> str | None:
    """Return the last part of a link, if it is long enough to be an id."""
    last = (page or "").replace("=", "/").rpartition("/")[2].casefold()
    return last if least and len(last) >= least else None


def _ref(source_ref: object, least: int) -> str | None:
    said = source_ref.strip().casefold() if isinstance(source_ref, str) else ""
    return said if least and len(said) >= least else None


def signs(reports: pd.DataFrame, rules: Corroboration) -> NDArray[np.object_]:
    """Return the ``Sign`` of every report, in order of the rows; ``None`` where no other can be the same."""
    least = rules.same_id_chars
    pages = _made(reports["url"], link)
    told = (
        _made(reports["text"], partial(words, least=rules.same_text_chars)),
        pages,
        _refs(reports["source_ref"], least),
        _made(pages, partial(_tail, least=least)),
    )
    some = np.flatnonzero(_shared(told) | _related(reports))
    found = np.full(len(reports), None, object)
    rows = reports[["source", "origin", "kin", "repute", "trust", "content", "first_no", "reported_at"]].iloc[some]
    said_us = rows["reported_at"].to_numpy("datetime64[us]").astype(np.int64)
    said = np.where(rows["reported_at"].isna(), NEVER_US, said_us).tolist()
    columns = (rows[name].tolist() for name in rows if name != "reported_at")
    keys = zip(*(texts(column.iloc[some]) for column in told), strict=True)
    for row, at, (said_words, page, ref, tail), source, origin, kin, repute, trust, content, number in zip(
        some.tolist(), said, keys, *columns, strict=True
    ):
        rank = (repute, at, trust != "party", content, source, number)
        found[row] = Sign(source, origin, kin, said_words, page, ref, tail, rank)
    return found


def _made(column: pd.Series, how: Callable[[object], str | None]) -> pd.Series:
    """Return what is made of each text; of equal ones once."""
    code, each = pd.factorize(column)
    made = pd.array([how(one) for one in each.tolist()], dtype="str")
    return pd.Series(made.take(code, allow_fill=True), column.index)


def _refs(refs: pd.Series, least: int) -> pd.Series:
    """Return ids as they are compared (``_ref``); almost all are different, and few are not plain."""
    if not (refs.str.isascii() | refs.isna()).all():
        return _made(refs, partial(_ref, least=least))
    said = refs.str.strip(_SPACES).str.lower()
    return said.where((said.str.len() >= least) & bool(least))


def _shared(told: Sequence[pd.Series]) -> Bools:
    """Return which reports have words, a link or an id that some other has; by words, links, refs and tails."""
    words_, link_, ref, tail = told
    found = _several(words_) | _several(link_)
    own, others = np.split(_several(pd.concat([ref, tail], ignore_index=True)), 2)
    shared: Bools = found | own | others
    return shared


def _several(texts_: pd.Series) -> Bools:
    """Return which texts are there more than once; a missing one is not."""
    return np.asarray(texts_.duplicated(keep=False) & texts_.notna(), bool)


def _related(reports: pd.DataFrame) -> Bools:
    """Return which reports are of a source that copies another one here, or is copied by one."""
    code, source = pd.factorize(reports["source"])
    first = reports["kin"].iloc[np.unique(code, return_index=True)[1]].tolist()  # alike for all of a source
    names = source.tolist()
    kin = {name: far & set(names) for name, far in zip(names, first, strict=True)}
    related = {*(name for name, far in kin.items() if far), *(name for far in kin.values() for name in far)}
    return np.array([name in related for name in names], bool)[code]


def same(one: Sign, other: Sign) -> bool:
    """Return whether two reports are the same statement (RULE 1)."""
    if one.source in other.kin or other.source in one.kin:
        return True
    if one.source == other.source:
        if one.origin == other.origin:
            return False
    elif _names(one, other) or _names(other, one):
        return True
    return one.words == other.words is not None or one.link == other.link is not None


def _names(one: Sign, other: Sign) -> bool:
    return one.ref is not None and one.ref in {other.ref, other.tail}


def originals(found: Sequence[Sign]) -> list[int]:
    """Return the positions of those that are copies of no other, best first (RULES 3 to 5)."""
    kept: list[int] = []
    known: dict[tuple[str, str | None], list[Sign]] = {}
    for i in sorted(range(len(found)), key=lambda i: found[i].rank):
        sign = found[i]
        if not any(same(sign, other) for key in _looks_for(sign) for other in known.get(key, ())):
            kept.append(i)
            for key in _answers_to(sign):
                known.setdefault(key, []).append(sign)
    return kept


def _answers_to(sign: Sign) -> Iterator[tuple[str, str | None]]:
    """Yield what a statement is found by; two that are the same find each other, though not all that do are."""
    yield "source", sign.source
    for source in sign.kin:
        yield "copies", source
    for name in _KEYS:
        if getattr(sign, name) is not None:
            yield name, getattr(sign, name)


def _looks_for(sign: Sign) -> Iterator[tuple[str, str | None]]:
    """Yield what others answer to that may be the same."""
    yield "copies", sign.source
    for source in sign.kin:
        yield "source", source
    pairs = ("words", sign.words), ("link", sign.link), ("ref", sign.ref), ("ref", sign.tail), ("tail", sign.ref)
    yield from (each for each in pairs if each[1] is not None)


def leaders(found: Sequence[Sign | None], ground: Ground) -> Ints:
    """Return the position of the original of each report, whose signs are ``found``; -1 where it is one itself.

    A report is compared only with originals before it that share something with it and lie near. Of several originals
    the nearest leads, then the least.
    """
    leader = np.full(len(found), -1)
    known: dict[tuple[Hashable, ...], list[int]] = {}
    signs = {row: sign for row, sign in enumerate(found) if sign is not None}
    for row, sign in sorted(signs.items(), key=lambda each: each[1].rank):
        around = ground.around(row)
        shared = {j for key in _looks_for(sign) for spot in around for j in known.get((*key, spot), ())}
        better = ground.meeting(row, [j for j in shared if same(sign, signs[j])])
        if better:
            leader[row] = min(better)[1]
        else:
            for key in _answers_to(sign):
                known.setdefault((*key, ground.spot(row)), []).append(row)
    return leader
