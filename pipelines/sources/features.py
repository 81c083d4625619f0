"""Where in a GeoJSON text does each feature stand?

The text is walked down to the list of features, each of which is then decoded by itself, so that a refused one can be
kept as it was written.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from geo.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

DUPLICATE: Final = object()
"""Key under which an object says which of its names stood twice; no JSON text can have it."""
WGS84: Final = re.compile(
    r"(urn:ogc:def:crs:OGC:[0-9.]*:CRS84|(urn:ogc:def:crs:)?EPSG:[0-9.]*:?4326|OGC:CRS84)", re.IGNORECASE
)
_SPACE: Final = re.compile(r"[ \t\r\n]*")

Span = tuple[Any, int, int]


class Number(str):
    """A number as the text has it."""

    __slots__ = ()


class Constant(str):
    """``NaN``, ``Infinity`` or ``-Infinity``: not JSON, and no value."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        found[DUPLICATE] = next(name for name in names if names.count(name) > 1)
    return found


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=Number, parse_constant=Constant
)


def features(text: str, file_name: str) -> list[Span]:
    """Return each feature, decoded but unjudged, with its first and last (exclusive) character.

    Raises
    ------
    InputError
        ``json`` if the text is no GeoJSON, ``crs`` if its positions are not WGS 84 longitude and latitude.
    """
    walk = _Walk(text, file_name)
    try:
        return walk.collection()
    except json.JSONDecodeError as error:
        raise _broken(error, file_name) from None
    except RecursionError:
        raise _deep(file_name) from None


def items(text: str, file_name: str) -> list[Span]:
    """Return each item of a list, decoded but unjudged, with its first and last (exclusive) character.

    Raises
    ------
    InputError
        ``json`` if the text is no JSON list.
    """
    walk = _Walk(text, file_name)
    try:
        return walk.listed()
    except json.JSONDecodeError as error:
        raise _broken(error, file_name) from None
    except RecursionError:
        raise _deep(file_name) from None


class _Walk:
    def __init__(self, text: str, file_name: str) -> None:
        self.text = text
        self.file_name = file_name
        self.at = 0

    def collection(self) -> list[Span]:
        if self._peek() == "[":
            found = list(self._items())
        elif self._peek() == "{":
            found = self._collection_object()
        else:
            self._refuse("is no FeatureCollection, list of features or Feature")
        if self._peek():
            self._fail("Extra data")
        return found

    def listed(self) -> list[Span]:
        if self._peek() != "[":
            msg = f"{self.file_name}: is no list of objects: send it as it was exported"
            raise InputError(code="json", message=msg)
        found = list(self._items())
        if self._peek():
            self._fail("Extra data")
        return found

    def _collection_object(self) -> list[Span]:
        start = self.at
        members: dict[str, Any] = {}
        found: list[Span] = []
        for name in self._names():
            if name in members:
                self._refuse(f"has {name!r} twice")
            if name == "features" and self._peek() == "[":
                members[name] = found = list(self._items())
            else:
                members[name] = self._value()[0]
        _check_crs(members.get("crs", DUPLICATE), self.file_name)
        if members.get("type") == "FeatureCollection" and isinstance(members.get("features"), list):
            return found
        shown = f"{members.get('type')!r:.60}"
        if members.get("type") == "Feature":
            return [(members, start, self.at)]
        return self._refuse(f"is no FeatureCollection, list of features or Feature (its type is {shown})")

    def _names(self) -> Iterator[str]:
        self.at += 1
        while self._peek() != "}":
            if self._peek() != '"':
                self._fail("Expecting property name enclosed in double quotes")
            name, _, _ = self._value()
            self._expect(":")
            yield str(name)
            self._comma("}")
        self.at += 1

    def _items(self) -> Iterator[Span]:
        self.at += 1
        while self._peek() != "]":
            yield self._value()
            self._comma("]")
        self.at += 1

    def _comma(self, end: str) -> None:
        if self._peek() != end:
            self._expect(",")
            if self._peek() == end:
                self._fail("Expecting value")

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            self._fail(f"Expecting {sign!r}")
        self.at += 1

    def _peek(self) -> str:
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at
        return self.text[self.at : self.at + 1]

    def _value(self) -> Span:
        self._peek()
        start = self.at
        value, self.at = _DECODER.raw_decode(self.text, start)
        return value, start, self.at

    def _fail(self, message: str) -> NoReturn:
        raise json.JSONDecodeError(message, self.text, self.at)

    def _refuse(self, what: str) -> NoReturn:
        msg = f"{self.file_name}: {what}: send a GeoJSON FeatureCollection of Points"
        raise InputError(code="json", message=msg)


def _broken(error: json.JSONDecodeError, file_name: str) -> InputError:
    msg = f"{file_name}: no JSON: {error.msg} (line {error.lineno}, column {error.colno}): the file may be cut"
    return InputError(code="json", message=msg)


def _deep(file_name: str) -> InputError:
    return InputError(
        code="json", message=f"{file_name}: objects are nested deeper than any report: send plain features"
    )


def _check_crs(crs: Any, file_name: str) -> None:  # noqa: ANN401 -- whatever the file holds
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if crs is not DUPLICATE and not (isinstance(name, str) and WGS84.fullmatch(name)):
        said = f"{name!r:.80}" if isinstance(name, str) else "none that is known"
        msg = f"{file_name}: its crs is {said}, and must be WGS 84 (CRS84): reproject it, or leave crs out"
        raise InputError(code="crs", message=msg)
