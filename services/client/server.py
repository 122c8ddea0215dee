"""Which server is talked to, with which key, and how its requests are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from services.client.errors import Unreachable
from services.client.steps import Request
from services.outbound import HttpError, never_sent

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(slots=True)
class Server:
    """One server. `patience_s`: so long a server that is busy or gone is asked again; `timeout_s`:
    so long its next bytes are waited for. `met`: somebody has answered there."""

    url: str
    key: str = field(repr=False)
    patience_s: float
    timeout_s: float
    met: bool = False

    @classmethod
    def named(cls, url: str | None, key: str | None, patience_s: float, timeout_s: float) -> Server:
        """What is not said is read from FANSCRIBE_URL and FANSCRIBE_API_KEY."""
        url = url or os.environ.get("FANSCRIBE_URL") or DEFAULT_URL
        key = os.environ.get("FANSCRIBE_API_KEY", "") if key is None else key
        return cls(url.rstrip("/"), key, patience_s, timeout_s)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Around everything that is sent or read; raises Unreachable."""
        try:
            yield
        except HttpError as error:
            raise Unreachable(
                f"No Fanscribe answers at {self.url} ({type(error).__name__}): start it with "
                "`fanscribe up`, or set FANSCRIBE_URL to where it runs.",
                arrived=not never_sent(error),
                met=self.met,
            ) from error
        self.met = True


def parts_of(request: Request) -> dict[str, Any]:
    """As the HTTP client takes them, but for a body that is made anew for each try."""
    parts: dict[str, Any] = {"headers": request.headers}
    if request.query:  # an empty one would take away what the URL has
        parts["params"] = request.query
    if request.json is not None:
        parts["json"] = request.json
    if isinstance(request.content, bytes):
        parts["content"] = request.content
    return parts
