"""How does a source write its tables, and can it be so?"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from geo.theatre import Dialect
from pipelines.settings.files import THEATRE
from pipelines.settings.formats import CODE_PAGES, FORMATS, MAPPED, PLAIN, SPECIAL, TABLES, WORDED

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.settings.declared import At, Declared, SourceEntry
    from pipelines.settings.mistakes import Mistakes

MEANT_FOR: Final = {
    "separator": TABLES,
    "encoding": TABLES,
    "decimal": TABLES,
    # Two say it in one way only, and two read dates before anybody is asked.
    "dates": tuple(form for form in FORMATS if form not in ("firms", "ucdp", "bellingcat", "osint-geo-extractor")),
    "columns": MAPPED,
    "acts": WORDED,
    "drop": TABLES,
    "ended": TABLES,
}
"""Formats for which each key has a meaning."""


def dialect(entry: SourceEntry) -> Dialect:
    """Return how a source writes, as its entry says."""
    return Dialect(
        separator=entry.separator,
        encoding=entry.encoding,
        decimal=entry.decimal,
        dates=entry.dates,
        columns=tuple((name, _listed(own)) for name, own in entry.columns.items()),
        acts=tuple(entry.acts.items()),
        drop=tuple(entry.drop),
        ended=entry.ended,
    )


def check_dialects(declared: Declared, acts: Collection[str] | None, mistakes: Mistakes) -> None:
    """Note every dialect that means nothing.

    Parameters
    ----------
    acts
        What the policy knows; ``None``: no policy at hand, acts are then taken as they are.
    """
    for source in declared.sources:
        _check_meant(source, mistakes)
        _check_signs(source, mistakes)
        _check_columns(source, mistakes)
        for word, act in source.entry.acts.items() if acts is not None else ():
            where = f"{source.where} acts {word!r}"
            _check_known(where, f"{act!r} is no act of the policy", act, (*(acts or ()), *SPECIAL), mistakes)


def _check_meant(source: At[SourceEntry], mistakes: Mistakes) -> None:
    entry = source.entry
    for key in MEANT_FOR if entry.format in FORMATS else ():
        if key in entry.model_fields_set and entry.format not in MEANT_FOR[key]:
            wrong = f"has no meaning for the format {entry.format!r}"
            mistakes.add(THEATRE, f"{source.where} {key}", wrong, "remove it")


def _check_signs(source: At[SourceEntry], mistakes: Mistakes) -> None:
    named = source.entry.encoding
    if named is not None:
        _check_known(f"{source.where} encoding", f"{named!r} is no known code page", named, CODE_PAGES, mistakes)
    if source.entry.separator == source.entry.decimal:
        wrong = "is a comma, and so is the separator"
        mistakes.add(THEATRE, f"{source.where} decimal", wrong, "say which of the two it is")


def _check_columns(source: At[SourceEntry], mistakes: Mistakes) -> None:
    for name in source.entry.columns:
        where = f"{source.where} columns {name}"
        _check_known(where, "is no column of the plain table", name, PLAIN, mistakes)
    own = {name.casefold() for each in source.entry.columns.values() for name in _listed(each)}
    for name in source.entry.drop:
        if name.casefold() in own:
            wrong = f"{name!r} is read and dropped"
            mistakes.add(THEATRE, f"{source.where} drop", wrong, "take it out of columns or of drop")


def _check_known(where: str, wrong: str, name: str, known: Collection[str], mistakes: Mistakes) -> None:
    if name not in known:
        near = get_close_matches(name, list(known), 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        mistakes.add(THEATRE, where, wrong, f"{hint}known are: {', '.join(sorted(known))}")


def _listed(own: Any) -> tuple[str, ...]:  # noqa: ANN401 -- a text or a list of texts
    return (own,) if isinstance(own, str) else tuple(own)
