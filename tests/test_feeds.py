"""Is a feed believed only when its answer is whole, and its silence told from quiet?"""

from __future__ import annotations

import errno
import gzip
import json
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import cells
import pytest
from commandline import ceasewatch, told
from loopback import sends, serving

from geo.errors import InputError, PolicyError
from pipelines import watch
from pipelines.feeds import fetch as fetching
from pipelines.feeds import health, rounds
from pipelines.feeds.body import NoAnswerError
from pipelines.feeds.fetch import fetch
from pipelines.feeds.health import Validators
from pipelines.ledger import LedgerBusy, LedgerDamaged
from pipelines.outcome import markdown
from pipelines.publications import Question
from pipelines.settings import Feed, Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from loopback import Server

    from pipelines.feeds.fetch import Answer
    from pipelines.feeds.rounds import Asked
    from pipelines.workspace import Workspace

KEY = "KEY"
NETWORK = Network(frozenset({"127.0.0.1"}), deadline_s=3.0, tries=3, pause_s=0.001)
BODY = b"observed_from,lon,lat\n" + b"2026-06-02T01:00Z,37.4,48.0\n" * 40


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """Return one server for all of them."""
    with serving() as made:
        yield made


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Return the server, with nothing asked yet, and no proxy between."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running.asked.clear()
    return running


def ask(server: Server, known: Validators | None = None, **changes: object) -> Answer:
    """Ask the server as a feed."""
    words = {"url": server.url(), "max_bytes": 10_000, "secret": None, "header": None, **changes}
    feed = Feed(id="f", source="csv", stale_h=9.0, **words)  # type: ignore[arg-type]
    return fetch(feed, NETWORK, known or Validators(), environment={"KEY": "s3cr3t/&x"})


# --- What is believed ---


def test_a_whole_answer_is_returned_with_what_the_server_said_of_it(server: Server) -> None:
    server.does(sends(BODY, ETag='"7"', Last_Modified="Tue, 02 Jun 2026 01:00:00 GMT"))
    answer = ask(server)
    assert answer.body == BODY
    assert answer.validators == Validators('"7"', "Tue, 02 Jun 2026 01:00:00 GMT")
    server.does(sends(b"", 304, Content_Length=""))
    assert ask(server, answer.validators).body is None
    sent = server.asked[-1][1]
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('"7"', "Tue, 02 Jun 2026 01:00:00 GMT")
    assert "if-none-match" not in server.asked[0][1]


def test_a_compressed_or_chunked_answer_is_the_same_answer(server: Server) -> None:
    def chunked(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for part in (BODY[:99], BODY[99:]):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")

    for behaviour in (sends(gzip.compress(BODY), Content_Encoding="gzip"), chunked):
        server.does(behaviour)
        assert ask(server).body == BODY


def without_length(handler: BaseHTTPRequestHandler) -> None:
    sends(BODY, Content_Length="")(handler)
    handler.close_connection = True


def short(handler: BaseHTTPRequestHandler) -> None:
    sends(BODY[:500], Content_Length=str(len(BODY)))(handler)
    handler.close_connection = True


def cut_chunks(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"5\r\nabcde\r\n")
    handler.close_connection = True


WHOLE_GZIP = gzip.compress(BODY)
GZIP = {"Content_Encoding": "gzip"}


@pytest.mark.parametrize(
    ("behaviour", "why", "asked"),
    [
        (sends(b"\xef\xbb\xbf \n<!DOCTYPE html><p>sorry"), "a web page came", 1),
        (sends(BODY, Content_Type="text/html; charset=utf-8"), "a web page came", 1),
        (without_length, "does not say how long it is", 1),
        (short, "broke off", 3),
        (cut_chunks, "broke off", 3),
        (sends(WHOLE_GZIP[:-9], **GZIP), "breaks off", 3),
        (sends(WHOLE_GZIP + b"x", **GZIP), "goes on after its end", 3),
        (sends(b"nothing of the kind", **GZIP), "damaged", 3),
        (sends(BODY, Content_Encoding="br"), "was not asked for", 1),
        (sends(b"a" * 10_001), "larger than 10,000 bytes", 1),
        (sends(gzip.compress(b"a" * 5_000_000), **GZIP), "larger than 10,000 bytes", 1),
        (sends(b"", 404), "said 404", 1),
        (sends(b"", 503), "said 503", 3),
        (sends(b"", 429, Retry_After="0"), "said 429", 3),
        (sends(b"", 429, Retry_After="9" * 400), "said 429", 1),
        (sends(b"", 304, Content_Length=""), "said 304", 1),
        (sends(b"", 302, Location="http://127.0.0.2/x"), r"redirects to http://127\.0\.0\.2", 1),
        (sends(b"", 302, Location="//localhost/latest/meta-data"), "redirects to http://localhost", 1),
        (sends(b"", 302, Location="https://127.0.0.1/x"), "redirects to https", 1),
        (sends(b"", 302, Location="file:///etc/passwd"), "redirects to file", 1),
        (sends(b"", 302, Location="/data.csv"), "again and again", 5),
    ],
)
def test_an_answer_that_is_not_whole_or_no_data_is_refused_and_asked_for_again_only_where_that_can_help(
    server: Server, behaviour: Callable[[BaseHTTPRequestHandler], None], why: str, asked: int
) -> None:
    server.does(behaviour)
    with pytest.raises(NoAnswerError, match=why):
        ask(server)
    assert len(server.asked) == asked


def test_a_passing_trouble_passes(server: Server) -> None:
    server.does(sends(b"", 503), short, sends(BODY))
    assert ask(server).body == BODY


def test_pauses_grow_and_are_drawn(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(fetching.asyncio, "sleep", sleep)
    server.does(sends(b"", 503), sends(b"", 429, Retry_After="7"), sends(BODY))
    feed = Feed("f", "csv", server.url(), 10_000, 9.0, None, None)
    network = replace(NETWORK, pause_s=2.0, tries=4, deadline_s=30.0)
    fetch(feed, network, Validators(), environment={}, jitter=lambda low, high: low + (high - low) / 4)
    assert slept == [1.5, 7.0]


def test_a_redirect_on_the_host_is_followed_once_it_is_the_same_server(server: Server) -> None:
    server.does(sends(b"", 302, Location="/new.csv"), sends(BODY))
    assert ask(server, secret=KEY, header="X-Key").body == BODY
    assert [path for path, _ in server.asked] == ["/data.csv", "/new.csv"]
    assert server.asked[1][1]["x-key"] == "s3cr3t/&x"


def test_a_server_that_drips_is_left_at_the_deadline_whatever_it_still_says(server: Server) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "9999")
        handler.end_headers()
        for _ in range(100):
            try:
                handler.wfile.write(b"x")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.02)

    server.does(drip)
    feed = Feed("f", "csv", server.url(), 10_000, 9.0, None, None)
    with pytest.raises(NoAnswerError, match=r"no whole answer within 0\.2 s"):
        fetch(feed, replace(NETWORK, deadline_s=0.2), Validators())
    assert len(server.asked) == 1


def test_a_host_that_is_not_listed_is_never_asked(server: Server) -> None:
    server.does(sends(BODY))
    with pytest.raises(NoAnswerError, match="'localhost' is not among the hosts"):
        ask(server, url=f"http://localhost:{server.port}/data.csv")
    assert server.asked == []


# --- Secrets ---


def test_a_secret_goes_where_it_belongs_and_into_no_sentence_or_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.does(sends(BODY))
    ask(server, secret=KEY, url=server.url("/{secret}/data.csv"))
    assert server.asked[-1][0] == "/s3cr3t%2F%26x/data.csv"
    ask(server, secret=KEY, header="Authorization")
    assert server.asked[-1][1]["authorization"] == "s3cr3t/&x"
    server.does(sends(b"", 302, Location="http://127.0.0.2/s3cr3t"))
    for behaviour in (sends(b"", 500, Location=""), short, sends(b"", 302, Location="http://127.0.0.2/s3cr3t")):
        server.does(behaviour)
        with pytest.raises(NoAnswerError) as found:
            ask(server, secret=KEY, url=server.url("/{secret}/data.csv"))
        assert "s3cr3t" not in f"{found.value!r} {found.value.__cause__!r}"
    assert "s3cr3t" not in caplog.text


def test_a_secret_that_is_missing_is_asked_for_by_its_name(server: Server) -> None:
    for name, environment in (("NONE", {}), ("BAD", {"BAD": "a\r\nHost: b"})):
        feed = Feed("f", "csv", server.url(), 10_000, 9.0, name, "X-Key")
        with pytest.raises(NoAnswerError, match=f"environment variable {name}"):
            fetch(feed, NETWORK, Validators(), environment=environment)
    assert server.asked == []


# --- Rounds ---

DECLARED = """
[network]
hosts = ["127.0.0.1"]
deadline_s = 3.0
tries = 2
pause_s = 0.001

[[feeds]]
id = "wire"
source = "mission"
url = "{url}"
max_bytes = 100000
stale_h = 9.0
"""


@pytest.fixture
def place(tmp_path: Path, server: Server) -> Workspace:
    """Return an empty workspace whose mission can be asked."""
    made = cells.workspace(tmp_path / "ws")
    settings = made.theatre / "theatre.toml"
    settings.write_text(settings.read_text() + DECLARED.format(url=server.url()))
    return made


def data(folder: Path, *refs: str) -> bytes:
    """Return the bytes of a file with these reports."""
    return cells.write(folder / "made.csv", [cells.row(ref, 1.0) for ref in refs]).read_bytes()


def go(place: Workspace, hours: float) -> Asked:
    """Ask the one feed at an hour."""
    (asked,) = rounds.go_round(place, cells.Clock(hours))
    return asked


def test_what_a_feed_sends_enters_the_ledger_once_and_is_asked_for_conditionally(
    place: Workspace, server: Server, tmp_path: Path
) -> None:
    server.does(sends(data(tmp_path, "a"), ETag='"1"'))
    first = go(place, 5)
    assert first.done is not None
    assert (first.done.source, first.done.file_name, first.done.batch.new) == ("mission", "wire.csv", 1)
    assert (first.health.heard, first.health.since) == ("new", cells.at(5))
    server.does(sends(b"", 304, Content_Length=""))
    assert go(place, 6).health.heard == "unchanged"
    assert server.asked[-1][1]["if-none-match"] == '"1"'
    server.does(sends(data(tmp_path, "a", "b")))
    third = go(place, 7)
    assert third.done is not None
    assert (third.done.batch.duplicate, third.done.batch.new) == (1, 1)
    assert [file.name for file in (place.path / "feeds").rglob("*") if file.is_file()] == ["wire.json"]


def test_a_kill_before_the_answer_is_in_the_ledger_makes_the_feed_be_asked_for_all_of_it_again(
    place: Workspace, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """Nothing after it runs."""

    def kill(*_: object) -> None:
        raise KilledError

    server.does(sends(data(tmp_path, "a"), ETag='"1"'))
    for moment in ("ingest", "_judged"):
        monkeypatch.setattr(rounds, moment, lambda *_, **__: kill())
        with pytest.raises(KilledError):
            go(place, 5)
        monkeypatch.undo()
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert go(place, 6).health.heard == "unchanged"  # it was in the ledger when the second kill came
    assert all("if-none-match" not in headers for _, headers in server.asked)
    with place.ledger() as ledger:
        assert list(ledger.reports()["source_ref"]) == ["a"]


def test_a_feed_is_stale_when_nothing_new_came_for_too_long_whatever_the_server_says(
    place: Workspace, server: Server, tmp_path: Path
) -> None:
    whole = cells.write(tmp_path / "made.csv", [cells.row("a", -2.0)]).read_bytes()  # of the past when it comes first
    server.does(sends(whole))
    assert not go(place, 0).health.stale
    for hours, behaviour, heard in (
        (8, sends(whole), "unchanged"),
        (9, sends(b"", 404), "failed"),
        (10, sends(whole.splitlines(keepends=True)[0]), "empty"),
        (11, sends(b""), "empty"),
        (12, sends(whole + b"\n"), "unchanged"),
    ):
        server.does(behaviour)
        found = go(place, hours)
        assert (found.health.heard, found.health.stale, found.turned) == (heard, hours > 9, hours == 10), hours
    assert "since 2026-06-02 00:00Z" in found.health.sentence()
    server.does(sends(data(tmp_path, "b")))
    found = go(place, 13)
    assert (found.health.heard, found.health.stale, found.turned) == ("new", False, True)
    assert health.stale(place, cells.at(21)) == ()
    assert [one.feed for one in health.stale(place, cells.at(23))] == ["wire"]


def test_the_silence_of_a_source_that_covers_ground_is_knowledge_and_a_run_says_so(
    place: Workspace, server: Server, tmp_path: Path
) -> None:
    settings = place.theatre / "theatre.toml"
    settings.write_text(settings.read_text().replace('id = "mission"\n', 'id = "mission"\ncovers = ["west"]\n', 1))
    server.does(sends(data(tmp_path, "a")))
    go(place, 2)
    server.does(sends(b"", 500))
    for hours in (10, 12, 13, 14):
        go(place, hours)
    with place.ledger() as ledger:
        spans = ledger.coverage()[["source", "observed_from", "observed_to", "sees"]].to_numpy().tolist()
    assert spans == [["mission", cells.at(a), cells.at(b), False] for a, b in ((2, 12), (12, 13), (13, 14))]
    outcome = cells.run(place, cells.Clock(40))
    assert outcome.as_dict()["stale_feeds"] == list(outcome.stale)
    assert outcome.stale[0].startswith("nothing new from feed 'wire' (source mission) since 2026-06-02 02:00Z")
    assert outcome.stale[0] in markdown(outcome)
    (end,) = outcome.incidents["end"]
    assert end == "unresolved"  # it would be ceased (assumed), had nobody been known to be silent
    assert watch.silent(place, Question(cells.at(40), cells.at(40)), cells.at(40)) == ()
    server.does(sends(data(tmp_path, "b")))
    go(place, 41)
    assert watch.silent(place, Question(cells.at(42)), cells.at(42)) == ()


def test_a_feed_that_never_answered_is_stale_from_when_it_was_first_asked(place: Workspace, server: Server) -> None:
    server.does(sends(b"", 403))
    assert not go(place, 0).health.stale
    assert go(place, 10).health.stale


def test_a_feed_whose_news_bears_a_time_still_to_come_is_stale_as_soon_as_any_other(
    place: Workspace, server: Server, tmp_path: Path
) -> None:
    server.does(sends(data(tmp_path, "a")))
    assert go(place, 9999).health.heard == "new"  # the clock had run ahead
    server.does(sends(b"", 500))
    assert [go(place, hours).health.stale for hours in (10, 18, 20)] == [False, False, True]
    assert health.stale(place, cells.at(20))[0].since == cells.at(10)


def test_another_address_is_another_feed_and_a_damaged_record_is_none(
    place: Workspace, server: Server, tmp_path: Path
) -> None:
    server.does(sends(data(tmp_path, "a"), ETag='"1"'))
    go(place, 0)
    kept = place.path / "feeds" / "wire.json"
    whole = json.loads(kept.read_text())
    damaged = (
        '{"feed": "wi',
        json.dumps(whole | {"since": None}),
        json.dumps(whole | {"since": "2026-06-02T00:00:00"}),
    )
    for text in damaged:
        kept.write_text(text)
        go(place, 1)
    settings = place.theatre / "theatre.toml"
    settings.write_text(settings.read_text().replace("/data.csv", "/other.csv"))
    go(place, 2)
    assert [(path, "if-none-match" in headers) for path, headers in server.asked] == [
        ("/data.csv", False), *[("/data.csv", False)] * len(damaged), ("/other.csv", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "ends"),
    [
        (InputError("erased", "these bytes were erased"), False),
        (PolicyError("policy.toml lacks the act heat"), False),
        (PermissionError(errno.EACCES, "Permission denied"), False),
        (LedgerBusy("somebody is writing"), True),
        (LedgerDamaged("is not as it was written"), True),
        (OSError(errno.ENOSPC, "No space left on device"), True),
    ],
)
def test_only_the_trouble_of_the_ledger_or_the_disk_ends_a_round(
    place: Workspace, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, *, ends: bool
) -> None:
    settings = place.theatre / "theatre.toml"
    other = DECLARED[DECLARED.index("[[feeds]]") :].replace('"wire"', '"other"').replace('"mission"', '"csv"')
    settings.write_text(settings.read_text() + other.format(url=server.url("/other.csv")))
    server.does(sends(data(tmp_path, "a"), ETag='"1"'))
    real = rounds.ingest

    def ingest(workspace: Workspace, file: Path, **words: object) -> object:
        if file.name == "wire.csv":
            raise fault
        return real(workspace, file, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(rounds, "ingest", ingest)
    if ends:
        with pytest.raises(type(fault)):
            list(rounds.go_round(place, cells.Clock(5)))
    else:
        wire, told = (one.health for one in rounds.go_round(place, cells.Clock(5)))
        assert (wire.heard, wire.etag, told.heard, told.etag) == ("failed", None, "new", '"1"')
        assert str(fault.args[-1]) in (wire.reason or "")
        assert json.loads((place.path / "feeds" / "wire.json").read_text())["heard"] == "failed"


def test_silence_is_declared_of_a_source_that_writes_its_own_way(place: Workspace, server: Server) -> None:
    settings = place.theatre / "theatre.toml"
    own = 'separator = ";"\nencoding = "cp1251"\ncolumns = { observed_from = ["Begin"] }'
    settings.write_text(
        settings.read_text().replace('id = "mission"\n', f'id = "mission"\ncovers = ["west"]\n{own}\n', 1)
    )
    server.does(sends(b"", 500))
    for hours in (0, 10):
        found = go(place, hours)
    assert (found.health.reason, found.health.unseen_to) == ("the server said 500 Internal Server Error", cells.at(10))
    with place.ledger() as ledger:
        assert ledger.coverage()["sees"].tolist() == [False]


def test_what_was_heard_is_kept_though_the_silence_cannot_be_recorded_and_that_it_turned_is_told_later(
    place: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.does(sends(b"", 500))
    go(place, 0)
    faults = [LedgerBusy("somebody is writing"), PolicyError("no such region")]

    def declare(*_: object) -> None:
        raise faults.pop(0)

    monkeypatch.setattr(rounds.silence, "declare", declare)
    with pytest.raises(LedgerBusy):
        go(place, 10)
    assert json.loads((place.path / "feeds" / "wire.json").read_text())["asked_at"] == cells.at(10).isoformat()
    found = go(place, 11)
    assert (found.turned, found.health.heard, found.health.unseen_to) == (True, "failed", None)
    assert (found.health.reason or "").endswith("its silence cannot be recorded: no such region")


def test_what_a_kill_left_of_an_answer_is_removed_by_the_next_round(place: Workspace, server: Server) -> None:
    left = place.path / "feeds" / "_taking" / "gone.csv"
    left.parent.mkdir(parents=True)
    left.write_bytes(BODY)
    server.does(sends(b"", 500))
    go(place, 0)
    assert not left.exists()


def test_the_command_asks_the_feeds_and_exits_3_where_one_did_not_answer(
    place: Workspace, server: Server, tmp_path: Path
) -> None:
    server.does(sends(data(tmp_path, "a")))
    result = ceasewatch("ingest", place.path)
    assert result.exit_code == 0
    assert "wire.csv (mission): 1 rows = 1 new" in result.stdout
    assert "feed wire: new" in result.stdout
    server.does(sends(b"", 410))
    result = ceasewatch("ingest", place.path, "--json")
    assert result.exit_code == 3
    (feed,) = told(result)["feeds"]
    assert (feed["heard"], feed["reason"], feed["stale"]) == ("failed", "the server said 410 Gone", False)
    assert json.loads((place.path / "feeds" / "wire.json").read_text())["heard"] == "failed"
