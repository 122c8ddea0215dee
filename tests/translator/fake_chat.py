"""A chat service on a free port that translates `text` into `<target> text`, and plays tricks."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Lines = list[dict[str, str]]
Trick = Callable[["Handler", Lines], None]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    service: FakeChat
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        lines = json.loads(body["messages"][1]["content"])["lines"]
        found = re.search(r"into [^.(]*\((.*?)\)", body["messages"][0]["content"])
        self.target = found[1] if found else "zh"
        trick = self.service.begin(self, body, lines)
        with contextlib.suppress(ConnectionError):
            trick(self, lines)
        self.service.end()

    def log_message(self, *_: object) -> None: ...

    def translation(self, line: dict[str, str]) -> dict[str, str]:
        return {"id": line["id"], "text": f"<{self.target}> {line['text']}"}

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        named = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        for name, text in named.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(body)

    def say(self, content: Any, finish: str | None = "stop", **message: Any) -> None:
        """An answer whose message has that content; what is no text is sent as JSON."""
        if not isinstance(content, str | None):
            content = json.dumps(content, ensure_ascii=False)
        told = {"role": "assistant", "content": content, **message}
        answer = {
            "choices": [{"index": 0, "message": told, "finish_reason": finish}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10},
        }
        self.send(200, json.dumps(answer).encode())


class FakeChat:
    """Plays one trick of `tricks` a request, and then `always`."""

    def __init__(self) -> None:
        self.tricks: list[Trick] = []
        self.always: Trick = right
        self.asked: list[Lines] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []
        self.most_at_once = 0
        self.ending = threading.Event()
        self._running = 0
        self._lock = threading.Lock()
        handler = type("Ours", (Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def begin(self, handler: Handler, body: dict[str, Any], lines: Lines) -> Trick:
        with self._lock:
            self.asked.append(lines)
            self.bodies.append(body)
            self.keys.append(handler.headers.get("authorization"))
            self.paths.append(handler.path)
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
            return self.tricks.pop(0) if self.tricks else self.always

    def end(self) -> None:
        with self._lock:
            self._running -= 1

    def close(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def right(handler: Handler, lines: Lines) -> None:
    handler.say({"lines": [handler.translation(line) for line in lines]})


# ── what is wrong with the words ─────────────────────────────────────────────────────────────


def entries(change: Callable[[Lines], Any], finish: str = "stop") -> Trick:
    """The right entries, changed."""

    def trick(handler: Handler, lines: Lines) -> None:
        handler.say({"lines": change([handler.translation(line) for line in lines])}, finish)

    return trick


def written(change: Callable[[str], str], finish: str = "stop") -> Trick:
    """The right JSON as text, changed."""

    def trick(handler: Handler, lines: Lines) -> None:
        told = {"lines": [handler.translation(line) for line in lines]}
        handler.say(change(json.dumps(told)), finish)

    return trick


def said(content: Any, finish: str | None = "stop", **message: Any) -> Trick:
    return lambda handler, _: handler.say(content, finish, **message)


def echo(handler: Handler, lines: Lines) -> None:
    handler.say({"lines": lines})


def crossing(made: Lines) -> Lines:
    """Each text under the id of its neighbour."""
    texts = [line["text"] for line in made]
    return [
        {"id": line["id"], "text": text}
        for line, text in zip(made, texts[1:] + texts[:1], strict=True)
    ]


def counting(made: Lines) -> Lines:
    return [{"id": str(n), "text": line["text"]} for n, line in enumerate(made, 1)]


def if_any(word: str, trick: Trick, otherwise: Trick = right) -> Trick:
    """The trick is played on requests that hold a word."""

    def play(handler: Handler, lines: Lines) -> None:
        holds = any(word in line["text"] for line in lines)
        (trick if holds else otherwise)(handler, lines)

    return play


def if_more_than(count: int, trick: Trick) -> Trick:
    return lambda handler, lines: (trick if len(lines) > count else right)(handler, lines)


# ── what is wrong with the service ───────────────────────────────────────────────────────────


def status(code: int, said: str = "no", error_code: str | None = None, **headers: str) -> Trick:
    body = json.dumps({"error": {"message": said, "code": error_code}}).encode()
    return lambda handler, _: handler.send(code, body, **headers)


def raw(body: bytes, **headers: str) -> Trick:
    return lambda handler, _: handler.send(200, body, **headers)


def hang(handler: Handler, _: Lines) -> None:
    """Until the test ends."""
    handler.close_connection = True
    handler.service.ending.wait()


def drip(handler: Handler, _: Lines) -> None:
    """A byte now and then: no read ever times out."""
    handler.close_connection = True
    handler.send_response(200)
    handler.end_headers()
    while not handler.service.ending.wait(0.02):
        handler.wfile.write(b" ")


def reset(handler: Handler, _: Lines) -> None:
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def break_off(handler: Handler, _: Lines) -> None:
    """Half of what was announced."""
    handler.close_connection = True
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')


def flood(handler: Handler, _: Lines) -> None:
    """A body without an end."""
    handler.close_connection = True
    handler.send_response(200)
    handler.end_headers()
    while not handler.service.ending.is_set():
        handler.wfile.write(b" " * 65536)
