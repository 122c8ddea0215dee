"""A worker's own `/healthz` and `/metrics`, for whoever restarts it and whoever watches it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from services import logs

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

NO_CHILD_S = 25.0  # a child that was replaced is there long before
UNHEARD_S = 35.0  # a manager that restarts is there long before
_TEXT = "text/plain; charset=utf-8"

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Condition:
    """For how long no child lived and no manager answered (seconds)."""

    childless_s: float
    unheard_s: float


def ailment(condition: Condition) -> str:
    """What is wrong, in words for an operator; empty while all is well."""
    if condition.childless_s > NO_CHILD_S:
        return f"no child can work, for {condition.childless_s:.0f} s"
    if condition.unheard_s > UNHEARD_S:
        return f"the manager has not answered for {condition.unheard_s:.0f} s"
    return ""


class HealthServer:
    """Serves both from a thread of the parent; each request reads how things stand.

    Raises OSError if the port is taken.
    """

    def __init__(
        self,
        host: str,
        port: int,
        condition: Callable[[], Condition],
        scrape: Callable[[], tuple[str, bytes]],
    ) -> None:
        self._condition = condition
        self._scrape = scrape
        self._server = make_server(host, port, self._answer, _Server, _Handler)

    @property
    def port(self) -> int:
        return self._server.server_port

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        status, kind, body = self._page(environment.get("PATH_INFO", ""))
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    def _page(self, path: str) -> tuple[str, str, bytes]:
        if path == "/healthz":
            wrong = ailment(self._condition())
            status = "503 Service Unavailable" if wrong else "200 OK"
            return status, _TEXT, f"{wrong or 'ok'}\n".encode()
        if path == "/metrics":
            return "200 OK", *self._scrape()
        return "404 Not Found", _TEXT, b"There are /healthz and /metrics.\n"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    timeout = 10.0  # one that says nothing holds no thread for ever

    def address_string(self) -> str:
        return str(self.client_address[0])  # a name would be asked of a server of names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is theirs
        log.debug("health_asked", line=format % args)
