"""By which ways do files come in by themselves, and within which limits?

``[inbox]`` holds for files that somebody drops, ``[network]`` and ``[[feeds]]`` for those that are asked for. Only the
name of a secret stands here, never the secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pipelines.settings.declared import Declared, declare
from pipelines.settings.files import THEATRE, parse_toml
from pipelines.settings.mistakes import Mistakes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.settings.declared import At, FeedEntry, NetworkEntry

HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
SECRET: Final = "{secret}"  # noqa: S105 -- the place for one


@dataclass(frozen=True)
class Inbox:
    """A file is taken when it rests for ``settle_s`` seconds and holds at most ``max_bytes``."""

    settle_s: float
    max_bytes: int


@dataclass(frozen=True)
class Network:
    """Hosts that may be asked, in lower case; ``deadline_s`` for all tries of a feed, ``pause_s`` after the first."""

    hosts: frozenset[str]
    deadline_s: float
    tries: int
    pause_s: float


@dataclass(frozen=True)
class Feed:
    """Where a source's data can be asked for; silent for longer than ``stale_h`` hours it is stale.

    ``url`` has ``{secret}`` in the place of a secret that belongs into it; ``secret`` names an environment variable.
    """

    id: str
    source: str
    url: str
    max_bytes: int
    stale_h: float
    secret: str | None
    header: str | None


@dataclass(frozen=True)
class Supply:
    """All the ways; ``None`` and nothing: there is none of the kind."""

    inbox: Inbox | None
    network: Network | None
    feeds: tuple[Feed, ...]


def load_supply(files: Mapping[str, bytes], name: str) -> Supply:
    """Return the ways that a theatre's files declare.

    Raises
    ------
    PolicyError
        With every mistake in ``theatre.toml``, a line each.
    """
    mistakes = Mistakes(name)
    table = parse_toml(files, THEATRE, mistakes)
    declared = Declared() if table is None else declare(table, mistakes)
    check_supply(declared, mistakes)
    mistakes.settle()
    inbox, network = declared.inbox, declared.network
    return Supply(
        Inbox(inbox.settle_s, inbox.max_bytes) if inbox else None,
        Network(_hosts(network), network.deadline_s, network.tries, network.pause_s) if network else None,
        tuple(Feed(**feed.entry.model_dump()) for feed in declared.feeds),
    )


def _hosts(network: NetworkEntry) -> frozenset[str]:
    return frozenset(host.lower() for host in network.hosts)


def check_supply(declared: Declared, mistakes: Mistakes) -> None:
    """Note every contradiction between feeds, hosts and sources."""
    if declared.feeds and declared.network is None:
        todo = "add it with the hosts that may be asked, deadline_s, tries and pause_s"
        mistakes.add(THEATRE, "[network]", "is missing, which [[feeds]] need", todo)
    hosts = _hosts(declared.network) if declared.network else None
    for feed in declared.feeds:
        _check_feed(feed, hosts, declared.ids.get("sources", []), mistakes)


def _check_feed(feed: At[FeedEntry], hosts: frozenset[str] | None, sources: list[str], mistakes: Mistakes) -> None:
    where, entry = feed.where, feed.entry
    if entry.source not in sources:
        todo = f"use one of: {', '.join(sorted(sources)) or 'none'}"
        mistakes.add(THEATRE, f"{where} source", f"{entry.source!r} is no declared source", todo)
    wrong = _address(entry, hosts)
    if wrong is not None:
        mistakes.add(THEATRE, f"{where} url", *wrong)
    if entry.header is not None and entry.secret is None:
        mistakes.add(THEATRE, f"{where} header", "has no secret to carry", "name the environment variable as secret")


def _address(entry: FeedEntry, hosts: frozenset[str] | None) -> tuple[str, str] | None:
    """Return what is wrong with an address and what to do; it is never shown, as a secret may stand in it."""
    try:
        url = urlsplit(entry.url)
        host, _ = (url.hostname or "").lower(), url.port
    except ValueError:
        return "is no address", "write it as https://host/path"
    if url.scheme not in {"http", "https"} or not host:
        return "is no address of the web", "write it as https://host/path"
    if url.username is not None or url.password is not None:
        return "holds a name or password", "name an environment variable as secret, and its header"
    if hosts is not None and host not in hosts:
        return f"asks {host!r}, which is not among the hosts of [network]", "add it there, if it may be asked"
    return _secrecy(entry, url.scheme, host)


def _secrecy(entry: FeedEntry, scheme: str, host: str) -> tuple[str, str] | None:
    places = entry.url.count(SECRET)
    if entry.secret is None:
        return (f"has a place for {SECRET} and names none", "add secret") if places else None
    if (places == 1) == (entry.header is not None):
        return f"needs its secret in one place: {SECRET} in it, or header", "give one of them"
    if SECRET in entry.url.split("/", 3)[2]:
        return "has the secret in the name of the host", "put it behind the host"
    if scheme != "https" and host not in HERE:
        return "would send a secret that everybody on the way can read", "write https"
    return None
