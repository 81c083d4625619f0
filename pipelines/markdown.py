"""How is a text written down in Markdown, so that nothing in it is taken for markup?

Names, sentences and reasons come from sources, from people and from what they typed; a sign, or the end of a line, that
Markdown knows would tear a table apart, or put words where they do not belong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SIGNS: Final = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|"})


def plain(value: object) -> str:
    """Return a value as text on one line that Markdown takes for nothing else; ``None`` is nothing."""
    return "" if value is None else " ".join(str(value).split()).translate(_SIGNS)


def table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the lines of a table; ``head`` is our own, and is written as it stands."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(plain(cell) for cell in row)} |"
