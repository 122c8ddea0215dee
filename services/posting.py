"""Posts a webhook to a user's URL: one try, so long and no longer, and little is read of it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from services.guarded import HostUnknown, NotAllowed
from services.model.addresses import Network
from services.outbound import Client, HttpError, Response, stream_of_user

WITHIN_S = 20.0  # for all of it: the look-up, the connection, the answer
READ_BYTES = 16 * 1024  # of an answer; the rest is not waited for


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of one try. `status` is None where no answer came; then `error` says why, and
    with `final` there is no use in another one."""

    status: int | None = None
    error: str = ""
    retry_after_s: float | None = None
    final: bool = False

    @property
    def taken(self) -> bool:
        """Only 2xx is a success; a redirect is not followed."""
        return self.status is not None and 200 <= self.status < 300


def post(
    client: Client,
    url: str,
    *,
    body: str,
    headers: Mapping[str, str],
    named: Sequence[Network],
    within_s: float = WITHIN_S,
) -> Posted:
    """Never raises for what the other side does. The head of an answer counts, whatever then
    becomes of its body."""
    deadline = Deadline(within_s)
    status: int | None = None
    retry_after_s: float | None = None
    try:
        with (
            deadline,
            stream_of_user(
                client,
                "POST",
                url,
                named,
                content=body.encode(),
                headers={**headers, "Content-Type": "application/json"},
                extensions={"trace": deadline.trace},
                timeout=within_s,
            ) as response,
        ):
            status = response.status_code
            retry_after_s = _retry_after(response)
            _read_a_little(response)
    except NotAllowed as refused:
        return Posted(error=str(refused))
    except HostUnknown as unknown:
        return Posted(error=str(unknown))
    except (HttpError, OSError) as error:
        if status is None:
            late = f"No answer within {within_s:g} s."
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            return Posted(error=late if deadline.passed else said)
    if status is None:
        return Posted(error=f"No answer within {within_s:g} s.")
    return Posted(status, "" if 200 <= status < 300 else _refusal(status), retry_after_s)


def _refusal(status: int) -> str:
    if 300 <= status < 400:
        return f"HTTP {status}: redirects are not followed."
    return f"HTTP {status}."


def _read_a_little(response: Response) -> None:
    size = 0
    for chunk in response.iter_raw(READ_BYTES):
        size += len(chunk)
        if size >= READ_BYTES:
            return


def _retry_after(response: Response) -> float | None:
    """Seconds, or the time of a date, as a Retry-After says it."""
    text = response.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


class Deadline:
    """Shuts the connection when the time is over: a limit for each read alone would let a
    receiver send its answer byte by byte for ever."""

    def __init__(self, within_s: float) -> None:
        self._ends = time.monotonic() + within_s
        self._timer = threading.Timer(within_s, self._end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.passed = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Called by the client at each of its steps; a second handle on the connection outlives
        its being wrapped in TLS."""
        if event != "connection.connect_tcp.complete":
            return
        theirs = info["return_value"].get_extra_info("socket")
        with self._lock:
            self._socket = socket.fromfd(theirs.fileno(), theirs.family, theirs.type)
        if self.passed or time.monotonic() >= self._ends:
            self._end()

    def _end(self) -> None:
        self.passed = True
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
