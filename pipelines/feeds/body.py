"""Is what a server sent the whole of what was asked for?

Half a file that looks like a whole one is worse than none: its missing rows look like quiet.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from geo.errors import CeasewatchError

if TYPE_CHECKING:
    import httpx

_GZIP: Final = 31  # zlib's code for a gzip stream of any window
_PAGE: Final = (b"<!doctype html", b"<html")
_HEAD: Final = 512  # bytes in which a page says that it is one


class NoAnswerError(CeasewatchError):
    """A feed did not answer with data; ``again``: asking again may help, at the earliest after ``wait_s`` seconds."""

    def __init__(self, reason: str, *, again: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.again = again
        self.wait_s = wait_s


async def whole_body(response: httpx.Response, max_bytes: int) -> bytes:
    """Return the body of a response, decompressed.

    Raises
    ------
    NoAnswerError
        If it is larger than ``max_bytes`` on the way or decompressed, cannot be told from a part of it, or is a page.
    """
    if "content-length" not in response.headers and response.headers.get("transfer-encoding", "").lower() != "chunked":
        msg = "the answer does not say how long it is, so that a part of it could not be told from the whole"
        raise NoAnswerError(msg)
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        parts.append(part)
    data = _plain(b"".join(parts), response.headers.get("content-encoding", "identity").lower(), max_bytes)
    _require_data(data, response.headers.get("content-type", "").lower())
    return data


def _plain(data: bytes, encoding: str, max_bytes: int) -> bytes:
    if encoding == "identity":
        return data
    if encoding not in {"gzip", "x-gzip"}:
        msg = "the answer is compressed in a way that was not asked for"
        raise NoAnswerError(msg)
    stream = zlib.decompressobj(_GZIP)
    try:
        plain = stream.decompress(data, max_bytes + 1)
    except zlib.error:
        msg = "the compressed answer is damaged"
        raise NoAnswerError(msg, again=True) from None
    if len(plain) > max_bytes:
        raise _too_large(max_bytes)
    if not stream.eof or stream.unused_data:
        msg = "the compressed answer breaks off, or goes on after its end"
        raise NoAnswerError(msg, again=True)
    return plain


def _too_large(max_bytes: int) -> NoAnswerError:
    return NoAnswerError(f"the answer is larger than {max_bytes:,} bytes (max_bytes of the feed in theatre.toml)")


def _require_data(data: bytes, kind: str) -> None:
    head = data[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if kind.startswith(("text/html", "application/xhtml")) or head.startswith(_PAGE):
        msg = "a web page came in place of data; see in a browser what it says"
        raise NoAnswerError(msg)
