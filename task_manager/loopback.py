"""Without a key, only those are served who can only be on this machine."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.model.errors import Forbidden
from task_manager import problems


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class LoopbackOnly:
    """Serves this machine and nobody else, a page of another site in its browser included.

    The Host check defeats names that were made to point here, the Origin check defeats forms
    and scripts of other sites.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                _check(scope)
            except Forbidden as refused:
                await problems.refusal(refused, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _check(scope: Scope) -> None:
    headers = Headers(scope=scope)
    client = scope.get("client")
    if client is None or not is_loopback(client[0]):
        raise Forbidden(
            "Without a key only this machine is served: set FANSCRIBE_API_KEY to serve others.",
            code="forbidden_host",
        )
    if not is_loopback(_host_of("//" + headers.get("host", ""))):
        raise Forbidden(
            "Without a key only the names of this machine are served, such as 127.0.0.1 or "
            "localhost: use one of them, or set FANSCRIBE_API_KEY.",
            code="forbidden_host",
        )
    origin = headers.get("origin")
    if origin is not None and not is_loopback(_host_of(origin)):
        raise Forbidden(
            "Without a key no page of another site is served: set FANSCRIBE_API_KEY.",
            code="forbidden_origin",
        )


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
