"""A user's server for webhooks: it keeps what it gets, and answers as it is told."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

from benchmarks.faults.process import wait_for
from benchmarks.faults.proxy import RST

PATIENCE_S = 20.0

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> str:
        return str(json.loads(self.body)["type"])

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data

    def verified(self, secret: str) -> Any:
        """By the library of the specification; raises for a signature that does not hold."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Answers with `script`, one after the other, and then as `choose` says, or with 204."""

    def __init__(self, choose: Callable[[Received], Answer] | None = None, port: int = 0) -> None:
        self.script: list[Answer] = []
        self.received: list[Received] = []
        self.at_once: Counter[str] = Counter()  # most requests of an id that were open together
        self._choose = choose or (lambda _: status(204))
        self._open: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def events(self) -> list[str]:
        return [each.event for each in self.received]

    def wait(self, count: int) -> list[Received]:
        """What came, once it is so many. Raises TookTooLong."""
        wait_for(f"{count} webhooks", lambda: len(self.received) >= count, PATIENCE_S)
        return list(self.received)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.close_connection = True
                size = int(self.headers["content-length"])
                body = self.rfile.read(size)
                if len(body) < size:  # it broke off: nobody was told anything
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                with contextlib.suppress(OSError):
                    receiver._took(Received(headers, body, self.path))(self)
                receiver._left(headers["webhook-id"])

            def log_message(self, *_: object) -> None: ...

        return Handler

    def _took(self, one: Received) -> Answer:
        with self._lock:
            self.received.append(one)
            self._open[one.id] += 1
            self.at_once[one.id] = max(self.at_once[one.id], self._open[one.id])
            return self.script.pop(0) if self.script else self._choose(one)

    def _left(self, message_id: str) -> None:
        with self._lock:
            self._open[message_id] -= 1


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    made = Receiver()
    try:
        yield made
    finally:
        made.close()


# ── how it may answer ────────────────────────────────────────────────────────────────────────


def status(code: int, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def raw(*pieces: bytes) -> Answer:
    """Writes these, and hangs up."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        for piece in pieces:
            handler.wfile.write(piece)

    return answer


def drip(head: bytes, *, until: threading.Event) -> Answer:
    """The head, and then a byte at a time, until it is told to end or nobody listens."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(head)
        while not until.wait(0.02):
            handler.wfile.write(b"x")

    return answer


def silence(*, until: threading.Event) -> Answer:
    """Not a byte, on a connection that stands."""

    def answer(_: BaseHTTPRequestHandler) -> None:
        until.wait()

    return answer


def reset(handler: BaseHTTPRequestHandler) -> None:
    """An Answer: the connection ends with RST."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    os.close(handler.connection.detach())  # close() alone would wait for what reads from it
