"""Is every contradiction between feeds, hosts and sources told before anybody is asked?"""

from __future__ import annotations

import pytest
import small_theatre
from small_theatre import good, sentences

from geo.errors import PolicyError
from pipelines.settings import Feed, Inbox, Network, load_supply, load_theatre

NETWORK = '\n[network]\nhosts = ["Data.example.org"]\ndeadline_s = 60\ntries = 4\npause_s = 2\n'
FEED = '\n[[feeds]]\nid = "wire"\nsource = "csv"\nurl = "https://data.example.org/a.csv"\nmax_bytes = 9\nstale_h = 9\n'


def files(text: str) -> dict[str, bytes]:
    """Return a good theatre with something added."""
    return {**good(), "theatre.toml": (small_theatre.THEATRE + text).encode()}


def test_what_is_declared_is_what_is_loaded() -> None:
    declared = files("\n[inbox]\nsettle_s = 5\nmax_bytes = 100\n" + NETWORK + FEED)
    assert load_theatre(declared, "small").id == "small"
    ways = load_supply(declared, "small")
    assert ways.inbox == Inbox(5.0, 100)
    assert ways.network == Network(frozenset({"data.example.org"}), 60.0, 4, 2.0)
    assert ways.feeds == (Feed("wire", "csv", "https://data.example.org/a.csv", 9, 9.0, None, None),)
    nothing = load_supply(good(), "small")
    assert (nothing.inbox, nothing.network, nothing.feeds) == (None, None, ())


URL = 'url = "https://data.example.org/a.csv"'
KEY = 'secret = "KEY"\n'
HEADER = 'header = "X-Key"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (FEED, "[network]: is missing, which [[feeds]] need"),
        (NETWORK + FEED.replace('"csv"', '"wire"'), "[[feeds]] wire source: 'wire' is no declared source"),
        (NETWORK + FEED.replace("data.example", "evil.example"), "'evil.example.org', which is not among the hosts"),
        (NETWORK + FEED.replace("https://data", "https://me:pw@data"), "url: holds a name or password"),
        (NETWORK + FEED.replace(URL, 'url = "file:///etc/passwd"'), "url: is no address of the web"),
        (NETWORK + FEED.replace(URL, 'url = "https://[::1"'), "url: is no address"),
        (NETWORK + FEED + HEADER, "header: has no secret to carry"),
        (NETWORK + FEED + KEY, "url: needs its secret in one place"),
        (NETWORK + FEED.replace("a.csv", "{secret}") + KEY + HEADER, "url: needs its secret in one place"),
        (NETWORK + FEED.replace("a.csv", "{secret}"), "url: has a place for {secret} and names none"),
        (NETWORK + FEED.replace("https", "http") + KEY + HEADER, "would send a secret that everybody"),
        (NETWORK + FEED + 'secret = "KEY=abc"\n' + HEADER, "secret: "),
        (NETWORK + FEED + FEED, "[[feeds]] wire: stands twice"),
        ("\n[inbox]\nsettle_s = -1\nmax_bytes = 0\n", "[inbox] max_bytes: should be greater than or equal to 1"),
        (NETWORK.replace('"Data.example.org"', ""), "[network] hosts: is an empty list"),
    ],
)
def test_a_contradiction_is_told_with_what_to_do(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as found:
        load_theatre(files(text), "small")
    assert any(sentence in line for line in sentences(found.value)), found.value
    assert "pw@" not in str(found.value)
