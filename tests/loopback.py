"""How does a test stand for a server that does whatever it likes?"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Server:
    """What it was asked, and what it does about it; the last behaviour stays."""

    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    behaviours: list[Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/data.csv") -> str:
        """Return an address of it."""
        return f"http://127.0.0.1:{self.port}{path}"

    def does(self, *behaviours: Callable[[BaseHTTPRequestHandler], None]) -> None:
        """Behave like this from now on, one request after the other."""
        self.behaviours[:] = behaviours

    def behave(self, handler: BaseHTTPRequestHandler) -> None:
        """Do what comes next."""
        self.asked.append((handler.path, {name.lower(): value for name, value in handler.headers.items()}))
        (self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0])(handler)


@contextmanager
def serving() -> Iterator[Server]:
    """Give a server on this machine."""
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told.behave(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        told.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def sends(body: bytes, code: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return the behaviour of sending a body with its length; underscores in names of headers are dashes."""

    def behave(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            if value:
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return behave
