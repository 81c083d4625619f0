"""What does an address answer, asked with patience and without trust?

Only hosts that the theatre lists are asked. Everything together has one deadline, a server that drips included. A
redirect is followed on the same host only. No sentence, log line or record holds the address with its secret.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import httpx

from pipelines.feeds.body import NoAnswerError, whole_body
from pipelines.feeds.health import Validators
from pipelines.settings.supply import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.settings import Feed, Network

_UNCHANGED: Final = 304
_OK: Final = 200
_BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_HOPS: Final = 5  # as browsers, more is a loop


@dataclass(frozen=True)
class Answer:
    """What came back; ``body`` ``None``: what is known already has not changed."""

    body: bytes | None
    validators: Validators


def fetch(
    feed: Feed,
    network: Network,
    known: Validators,
    *,
    environment: Mapping[str, str] = os.environ,
    jitter: Callable[[float, float], float] = random.uniform,
) -> Answer:
    """Ask a feed, several times if that can help.

    Parameters
    ----------
    feed
        Where, and how much at most.
    network
        Which hosts may be asked, for how long in all, and how often.
    known
        Of the answer before.
    environment
        Holds the secret.
    jitter
        Draws a number between two: pauses are drawn, so that many clients do not come back at once.

    Raises
    ------
    NoAnswerError
        If no whole answer came in time; its text says why, without any secret.
    """
    _mute()
    request = _request(feed, known, environment)
    return asyncio.run(_within(request, feed, network, known, jitter))


class _Muted(logging.Filter):
    """Lets pass no line below a warning: httpx writes every address that it asks into its log, secrets included."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


_MUTED: Final = _Muted()


def _mute() -> None:
    for name in ("httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy"):
        logging.getLogger(name).addFilter(_MUTED)  # adding it again changes nothing


def _request(feed: Feed, known: Validators, environment: Mapping[str, str]) -> httpx.Request:
    headers = {"Accept-Encoding": "gzip", "User-Agent": "ceasewatch", **known.headers()}
    if feed.secret is None:
        return _get(feed.url, headers)
    secret = environment.get(feed.secret, "")
    if not secret:
        msg = f"its secret is missing: set the environment variable {feed.secret}"
        raise NoAnswerError(msg)
    if not (secret.isascii() and secret.isprintable()):
        msg = f"the environment variable {feed.secret} holds signs that cannot be sent"
        raise NoAnswerError(msg)
    if feed.header is not None:
        return _get(feed.url, {**headers, feed.header: secret})
    return _get(feed.url.replace(SECRET, quote(secret, safe="")), headers)


def _get(url: str, headers: Mapping[str, str]) -> httpx.Request:
    try:
        return httpx.Request("GET", url, headers=headers)
    except httpx.InvalidURL:
        msg = "its address is none; correct url in theatre.toml"
        raise NoAnswerError(msg) from None


async def _within(
    request: httpx.Request, feed: Feed, network: Network, known: Validators, jitter: Callable[[float, float], float]
) -> Answer:
    last: NoAnswerError | None = None
    try:
        async with (
            asyncio.timeout(network.deadline_s),
            httpx.AsyncClient(timeout=network.deadline_s / network.tries) as client,
        ):
            for number in range(network.tries):
                try:
                    return await _once(client, request, feed, network, known)
                except NoAnswerError as why:
                    last = why
                if not last.again or number + 1 == network.tries or last.wait_s > network.deadline_s:
                    break
                await asyncio.sleep(max(last.wait_s, network.pause_s * 2**number * jitter(0.5, 1.5)))
    except TimeoutError:
        before = f"; the try before: {last}" if last else ""
        msg = f"no whole answer within {network.deadline_s:g} s{before}"
        raise NoAnswerError(msg, again=True) from None
    raise last or NoAnswerError("was not asked")


async def _once(
    client: httpx.AsyncClient, request: httpx.Request, feed: Feed, network: Network, known: Validators
) -> Answer:
    try:
        return await _follow(client, request, feed, network, known)
    except httpx.TimeoutException:
        msg = "the server kept silent for too long"
    except httpx.ConnectError:
        msg = "the server cannot be reached"
    except httpx.HTTPError as fault:  # its text may hold the address
        msg = f"the answer broke off or was none ({type(fault).__name__})"
    raise NoAnswerError(msg, again=True)


async def _follow(
    client: httpx.AsyncClient, request: httpx.Request, feed: Feed, network: Network, known: Validators
) -> Answer:
    for _ in range(_HOPS):
        _require_listed(request.url, network)
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code == _OK:
                said = Validators(response.headers.get("etag"), response.headers.get("last-modified"))
                return Answer(await whole_body(response, feed.max_bytes), said)
            if response.status_code == _UNCHANGED and known.headers():
                return Answer(None, known)
            request = _onward(request, response)
        finally:
            await response.aclose()
    msg = "redirects again and again"
    raise NoAnswerError(msg)


def _require_listed(url: httpx.URL, network: Network) -> None:
    if url.host.lower() not in network.hosts:
        msg = f"{url.host!r} is not among the hosts of [network] in theatre.toml"
        raise NoAnswerError(msg)


def _onward(request: httpx.Request, response: httpx.Response) -> httpx.Request:
    """Return the next request of a redirect, or say why there is none."""
    code = response.status_code
    if not response.has_redirect_location:
        wait = response.headers.get("retry-after", "")
        msg = f"the server said {code} {response.reason_phrase}".rstrip()
        raise NoAnswerError(msg, again=code in _BUSY, wait_s=float(wait) if wait.isdecimal() else 0.0)
    try:
        to = request.url.join(response.headers["location"])
    except (httpx.InvalidURL, ValueError):
        msg = "redirects to something that is no address"
        raise NoAnswerError(msg) from None
    here = request.url
    if (to.scheme, to.host, to.port) != (here.scheme, here.host, here.port):
        msg = f"redirects to {to.scheme}://{to.host}; if that is meant, correct the address in theatre.toml"
        raise NoAnswerError(msg)
    headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
    return httpx.Request("GET", to, headers=headers)
