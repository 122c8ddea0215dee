"""A proxy before a manager that loses answers, refuses, and cuts streams off, as it is told."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

Trick = Callable[["Handler"], None]
_HOP = {"transfer-encoding", "connection", "content-length"}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    proxy: CrookedProxy
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.close_connection = True
        self.proxy.asked.append(f"{self.command} {self.path}")
        trick = self.proxy.tricks.pop(0) if self.proxy.tricks else pass_on
        with contextlib.suppress(OSError, httpx.HTTPError):
            trick(self)

    def log_message(self, *_: object) -> None: ...

    @contextlib.contextmanager
    def answered(self) -> Iterator[httpx.Response]:
        """The manager's answer; nothing where there is no manager."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: text for name, text in self.headers.items() if name.lower() != "host"}
        with (
            httpx.Client(base_url=self.proxy.target, timeout=20.0) as client,
            client.stream(self.command, self.path, headers=headers, content=body) as response,
        ):
            yield response

    def send_head(self, response: httpx.Response) -> None:
        self.send_response(response.status_code)
        for name, text in response.headers.items():
            if name not in _HOP:
                self.send_header(name, text)
        self.send_header("Connection", "close")
        self.end_headers()


class CrookedProxy:
    """Plays one trick of `tricks` at each request, and then passes on what comes."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.tricks: list[Trick] = []
        self.asked: list[str] = []
        answers = dict.fromkeys(
            ("do_GET", "do_POST", "do_PUT", "do_PATCH", "do_DELETE"), Handler.answer
        )
        handler = type("Ours", (Handler,), {"proxy": self, **answers})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def pass_on(handler: Handler) -> None:
    with handler.answered() as response:
        handler.send_head(response)
        for chunk in response.iter_raw():
            handler.wfile.write(chunk)


def lose_the_answer(handler: Handler) -> None:
    """The manager has done it, and nobody hears of it."""
    with handler.answered() as response:
        response.read()


def cut_after(count: int) -> Trick:
    """So many bytes of the body, and then the line goes dead in the middle of one."""

    def trick(handler: Handler) -> None:
        with handler.answered() as response:
            handler.send_response(response.status_code)
            handler.send_header("Content-Type", response.headers["content-type"])
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            left = count
            for chunk in response.iter_raw():
                handler.wfile.write(chunk[:left])
                left -= len(chunk)
                if left <= 0:
                    return

    return trick


def refuse(status: int, code: str, retry_after: str = "0") -> Trick:
    """Without asking the manager."""

    def trick(handler: Handler) -> None:
        body = b'{"error": {"code": "%s", "message": "Not now."}}' % code.encode()
        handler.rfile.read(int(handler.headers.get("content-length", 0)))
        handler.send_response(status)
        handler.send_header("Retry-After", retry_after)
        handler.send_header("X-Request-Id", "req-7")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return trick
