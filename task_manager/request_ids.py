"""Every request has an id: the caller's own, or one that is made here. It stands on the answer, and
on every log line that was written for it."""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import logs

HEADER = "X-Request-Id"
_SANE = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")  # what a log line may hold, whoever made it


class Named:
    """Names each request before anything else looks at it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or secrets.token_hex(12)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        # Never unbound: the server, whose line about a crash comes after us, runs each request in
        # a context of its own.
        logs.bind_for_good(request_id=request_id)
        await self._app(scope, receive, named)


def _given(scope: Scope) -> str:
    """The caller's, where it is one, and a sane one."""
    given = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return given[0].decode() if len(given) == 1 and _SANE.fullmatch(given[0]) else ""
