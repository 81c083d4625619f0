"""How does a table that others publish say what the plain table says?

A ``Form`` is its columns and words in terms of the plain table's, and what it says in another manner (``derive``). The
rest is judged as in the plain table, and sentences name the file's own columns. What the theatre declares of a source
comes before what its form says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from pipelines.sources import dates
from pipelines.sources.fields import given, words
from pipelines.sources.headers import Layout
from pipelines.sources.plain import USUAL_ACT, judge
from pipelines.sources.reading import Sieve, literal
from pipelines.sources.records import split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geo.theatre import Source
    from pipelines.sources.reading import Context, Reading, Text


def _as_it_is(sieve: Sieve, context: Context, order: dates.Order) -> Mapping[str, Text]:  # noqa: ARG001 -- of one kind
    return {}


@dataclass(frozen=True)
class Form:
    """A table that is known by its columns.

    ``columns`` are the plain columns and what the table calls each (several are joined by a space); ``beside`` are
    columns of its own that ``derive`` needs; ``required`` are those of both that must be there. ``acts`` are its words
    and ``usual`` the act where it has none. Columns of ``drop`` are never kept, whatever joins their words. ``derive``
    returns the plain columns that it says in another manner, and refuses what it cannot say.
    """

    format: str
    columns: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    beside: tuple[str, ...] = ()
    acts: Mapping[str, str] = field(default_factory=dict)
    usual: str = USUAL_ACT
    drop: tuple[str, ...] = ()
    derive: Callable[[Sieve, Context, dates.Order], Mapping[str, Text]] = _as_it_is

    @property
    def layout(self) -> Layout:
        """Return its columns as they are looked for in a file."""
        return Layout(self.required, (*self.columns, *self.beside), "observed_from", own=self.columns)

    def read(self, data: bytes, context: Context) -> Reading:
        """Return what became of each record of such a table.

        Raises
        ------
        InputError
            If the file as a whole cannot be read.
        PolicyError
            If the policy lacks an act that the source states.
        """
        told = self._told(context)
        sieve = Sieve(split(data, told, self.layout))
        order = dates.settle(sieve, ("observed_from", "observed_to"), told.source.dialect.dates)
        sieve.restate(self.derive(sieve, told, order))
        return judge(sieve, told, order)

    def _told(self, context: Context) -> Context:
        """Return the context with the form's own words where the theatre has none."""
        dialect = context.source.dialect
        own = {word: act for word, act in self.acts.items() if act in context.policy.acts}
        acts = {"": self.usual, **own, **dict(dialect.acts)}
        return replace(context, source=replace(context.source, dialect=replace(dialect, acts=tuple(acts.items()))))


def radius(sieve: Sieve, column: str, source: Source) -> Text:
    """Return the radius that the source's ``place_m`` gives for each code, and refuse the codes that it lacks."""
    text = sieve.records.text(column)
    point = sieve.records.point
    known, _ = words(text, {code.casefold(): repr(metres).replace(".", point) for code, metres in source.place_m})
    listed = literal(", ".join(code for code, _ in source.place_m) or "none")
    sentence = (
        f"{column} is {{value}}, and place_m of source {literal(source.id)} has the codes {listed}: add it in "
        "theatre.toml."
    )
    sieve.refuse(~given(known), "place_precision", sentence, value=text)
    return known


def named(sieve: Sieve, column: str) -> None:
    """Refuse the rows without an id, of a table in which every row has one."""
    name = sieve.records.name(column)
    sieve.refuse(
        ~given(sieve.records.text(column)), "no_source_ref", f"{name} is empty: every row has one; export it again."
    )


def linked(sieve: Sieve, context: Context, order: dates.Order) -> Mapping[str, Text]:  # noqa: ARG001 -- of one kind
    """Derive for a table in which every row has an id and may have several links: of these the first."""
    named(sieve, "source_ref")
    return {"url": _first_link(sieve.records.text("url"))}


def _first_link(text: Text) -> Text:
    return pa.array([None if cell is None else _first(cell) for cell in text.to_pylist()], pa.string())


def _first(cell: str) -> str | None:
    return next(iter(cell.replace(",http", " http").replace(";", " ").split()), None)
