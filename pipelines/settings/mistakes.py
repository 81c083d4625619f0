"""What is wrong with the settings, where, and what is to be done about it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from geo.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError

_OFFSET: Final = "give a date and time with its offset from UTC, such as 2026-06-01T00:00:00+03:00"
_SAY: Final[dict[str, tuple[str, str]]] = {
    "missing": ("is missing", "add it"),
    "timezone_aware": ("has no offset from UTC", _OFFSET),
    "datetime_type": ("is no date and time", _OFFSET),
    "string_type": ("is no text", "put it in quotation marks"),
    "list_type": ("is no list", "put it in square brackets"),
    "model_type": ("is no table", "write it as a table of keys and values"),
    "dict_type": ("is no table", "write it as a table of keys and values"),
    "string_too_short": ("is empty", "give it a value"),
    "too_short": ("is an empty list", "name at least one"),
}
_SHOWN: Final = 60


class Mistakes:
    """A collection of sentences; the settings stand only when it stays empty.

    Parameters
    ----------
    name
        The name of the theatre or file that the user asked for; it opens the error.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._sentences: list[str] = []

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._sentences)

    def add(self, file: str, where: str, wrong: str, todo: str) -> None:
        """Note one mistake; ``where`` is a key path or feature number, empty for the whole file."""
        place = f"{file}, {where}" if where else file
        self.quote(place, f"{wrong}; {todo}")

    def quote(self, place: str, sentence: str) -> None:
        """Note a mistake that another part of the code found and put into a sentence."""
        line = f"{place}: {sentence.rstrip('.')}."
        if line not in self._sentences:
            self._sentences.append(line)

    def add_validation(self, file: str, where: str, error: ValidationError, known: Iterable[str]) -> None:
        """Note every mistake that pydantic found; ``known`` are the keys that the place may have."""
        for item in error.errors(include_url=False):
            path = ".".join(str(part) for part in item["loc"])
            wrong, todo = _sentence(item, known)
            self.add(file, " ".join(part for part in (where, path) if part), wrong, todo)

    def settle(self) -> None:
        """Raise one ``PolicyError`` that holds every sentence, a line each, or return if there is none."""
        if not self._sentences:
            return
        count = "1 mistake" if len(self._sentences) == 1 else f"{len(self._sentences)} mistakes"
        lines = "\n".join(f"- {sentence}" for sentence in self._sentences)
        msg = f"{self._name} cannot be used, {count}:\n{lines}"
        raise PolicyError(msg)


def shown(value: object) -> str:
    """Return ``value`` as it may stand in a sentence: cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _sentence(item: Any, known: Iterable[str]) -> tuple[str, str]:  # noqa: ANN401 -- pydantic's ErrorDetails differ by kind
    if item["type"] == "extra_forbidden":
        return "is not a known key", f"correct its spelling or remove it (known: {', '.join(known)})"
    if item["type"] in _SAY:
        return _SAY[item["type"]]
    if item["type"] == "string_pattern_mismatch":
        return (
            f"{shown(item['input'])} is no id",
            "use letters, digits, dots, underscores and hyphens, a letter or digit first",
        )
    if item["type"] == "value_error":
        return str(item["ctx"]["error"]), "correct it"
    message = str(item["msg"]).removeprefix("Input ")
    return f"{message} (found {shown(item['input'])})", "correct it"
