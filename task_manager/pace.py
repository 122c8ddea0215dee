"""How large a body may be and how slowly it may come; judged while it is read, whatever is said
of it.

Routes whose body is read as a whole have a small bound on it, since the framework reads it before
it knows who calls. A route that streams says so with `as_file`.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import anyio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.settings import Settings

MAX_BODY = 4 * 1024 * 1024  # bytes of a body that a public route reads as a whole
MAX_CALLBACK = 64 * 1024 * 1024  # of one that a worker sends
DRAIN = 16 * 1024 * 1024  # bytes read on after a refusal, so that the caller gets to see it
DRAIN_S = 2.0  # … unless they come slowly
_PLACE = "fanscribe.body"
_CLOSING = {"Connection": "close"}  # nobody reads the rest


@dataclass(slots=True)
class Body:
    """One body while it comes. `waited_s` counts only the time that we waited for the caller."""

    receive: Receive
    within_s: float
    most: float
    slowest: float = math.inf  # bytes a second that the caller is given more time for
    waited_s: float = 0.0
    size: int = 0
    over: bool = False

    async def __call__(self) -> Message:
        """Raises HTTPException 408 or 413."""
        if self.over:
            return await self.receive()
        began = time.monotonic()
        left_s = self.within_s + self.size / self.slowest - self.waited_s
        with anyio.move_on_after(max(0.0, left_s)) as waiting:
            message = await self.receive()
        if waiting.cancelled_caught:
            self.over = True
            raise HTTPException(408, headers=_CLOSING)
        self.waited_s += time.monotonic() - began
        self.size += len(message.get("body", b""))
        self.over = not message.get("more_body", False)
        if self.size > self.most:
            await self._let_go()
            raise HTTPException(413, headers=_CLOSING)
        return message

    async def _let_go(self) -> None:
        """Reads on for a while, so that the refusal is not lost in a reset of the connection."""
        most = self.size + DRAIN
        with anyio.move_on_after(DRAIN_S):
            while not self.over and self.size < most:
                message = await self.receive()
                self.size += len(message.get("body", b""))
                self.over = not message.get("more_body", False)
        self.over = True


class Paced:
    """Hands the application a body that keeps to the bounds."""

    def __init__(self, app: ASGIApp, settings: Settings, most: int) -> None:
        self._app = app
        self._settings = settings
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        body = Body(receive, self._settings.body_within_s, self._most)
        scope[_PLACE] = body
        await self._app(scope, body, send)


def as_file(request: Request) -> None:
    """This body is a file: whoever reads it counts its bytes, and it may come more slowly."""
    body: Body | None = request.scope.get(_PLACE)
    if body is not None:
        settings: Settings = request.app.state.settings
        body.most, body.slowest = math.inf, settings.slowest_upload


def up_to(request: Request, most: int) -> None:
    """This body, read as a whole, may have so many bytes."""
    body: Body | None = request.scope.get(_PLACE)
    if body is not None:
        body.most = most


def _has_body(scope: Scope) -> bool:
    names = dict(scope["headers"])
    return b"transfer-encoding" in names or names.get(b"content-length", b"0") != b"0"
