"""Which objects does a JSON list hold, each as it was written?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.errors import InputError
from pipelines.sources.cells import Gathered
from pipelines.sources.features import DUPLICATE, items
from pipelines.sources.geojson import cell
from pipelines.sources.reading import shown
from pipelines.sources.records import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.sources.reading import Records


def gather(data: bytes, file_name: str, row: Callable[[Mapping[str, Any]], dict[str, str]]) -> Records:
    """Return the records of a list of objects, of each of which ``row`` gives the plain columns.

    Raises
    ------
    InputError
        If the file is no such list: codes ``encoding``, ``empty``, ``json``.
    """
    text = decode(data, file_name)
    found = Gathered()
    for item, start, stop in items(text, file_name):
        raw = text[start:stop].encode("utf-8", "backslashreplace")
        try:
            found.add(row(_object(item)), raw)
        except InputError as error:
            found.refuse(error.code, str(error), raw)
    return found.records(file_name)


def _object(item: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- whatever the file holds
    if not isinstance(item, dict):
        raise InputError(code="not_an_event", message="The item is no object with names and values.")
    if DUPLICATE in item:
        msg = f"The key {shown(item[DUPLICATE])} stands twice: which one holds cannot be told; remove one."
        raise InputError(code="duplicate_key", message=msg)
    return item


def plain_cell(item: Mapping[str, Any], name: str) -> str:
    """Return the text of a member that is a text, a number or null; empty where there is none."""
    return cell(name, item.get(name))


def reference(item: Mapping[str, Any]) -> str:
    """Return the id that every event has; raise ``InputError`` (``no_source_ref``) where it is empty."""
    found = plain_cell(item, "id")
    if not found:
        raise InputError(code="no_source_ref", message="id is empty: every event has one; export the file again.")
    return found


def first_link(item: Mapping[str, Any], name: str) -> str:
    """Return the first link in a member that lists them, as texts or as objects with a ``path`` or ``url``."""
    listed = item.get(name) or []
    for each in listed if isinstance(listed, list) else [listed]:
        link = (each.get("path") or each.get("url")) if isinstance(each, dict) else each
        if isinstance(link, str) and link.startswith(("http://", "https://")):
            return cell(name, link)
    return ""
