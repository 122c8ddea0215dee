"""Receivers of webhooks, each with its own way to fail; all they get goes into the ledger."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from standardwebhooks.webhooks import WebhookVerificationError

from benchmarks.faults.client import Rest
from benchmarks.faults.ledger import Ledger
from benchmarks.faults.loop import Loop
from benchmarks.faults.notices import subject_of
from benchmarks.faults.process import TookTooLong
from benchmarks.faults.proxy import TcpProxy
from benchmarks.faults.receiver import Answer, Received, Receiver, drip, raw, reset, silence, status
from benchmarks.faults.topology import free_port
from services.model.webhook import Happening

Turn = tuple[int, Answer]  # the status that is written down (0: none), and what is done
Way = Callable[[Received], Turn]

WELL: Turn = (204, status(204))
PATH = "/hook"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
_FLOOD = _HEAD + b"x" * 10_000_000


@dataclass
class Sink:
    """One receiver. `webhook` is its id, which `rest` made and may read; it has none where tasks
    name its URL by themselves. `lives`: in the end it takes everything."""

    name: str
    url: str
    way: Way
    rest: Rest
    events: tuple[str, ...] = tuple(Happening)
    lives: bool = True
    webhook: str = ""
    secret: str = ""


class Sinks:
    """`by_name` has them all. What comes to another path than that of the webhook goes into the
    ledger under the name and the path, `well/stolen`."""

    def __init__(self, ledger: Ledger, rest: Rest) -> None:
        self.by_name: dict[str, Sink] = {}
        self._ledger = ledger
        self._rest = rest
        self._over = threading.Event()
        self._loop = Loop()
        self._receivers: list[Receiver] = []
        self._proxies: list[TcpProxy] = []
        self._closed: list[tuple[str, int]] = []

    def close(self) -> None:
        self._over.set()
        for receiver in self._receivers:
            receiver.close()
        for proxy in self._proxies:
            proxy.close()
        self._loop.close()

    # ── made ─────────────────────────────────────────────────────────────────────────────────

    def add(self, name: str, way: Way, *, lives: bool = True) -> Sink:
        """It listens; nobody is told of it yet."""
        return self._add(name, self._receive(name, 0), way, lives=lives)

    def add_behind(self, name: str, fault: Callable[[TcpProxy], None]) -> Sink:
        """One that takes everything, if the way to it were not broken until `mend`."""
        proxy = TcpProxy(self._loop, free_port(), ("127.0.0.1", self._receive(name, 0)))
        fault(proxy)
        self._proxies.append(proxy)
        return self._add(name, proxy.port, well)

    def add_closed(self, name: str) -> Sink:
        """Nobody listens at its port until `mend`."""
        port = free_port()
        self._closed.append((name, port))
        return self._add(name, port, well)

    def mend(self) -> None:
        """Who was out of reach no longer is."""
        for proxy in self._proxies:
            proxy.heal()
        for name, port in self._closed:
            self._receive(name, port)
        self._closed = []

    @property
    def webhooks(self) -> list[Sink]:
        return [sink for sink in self.by_name.values() if sink.webhook]

    def register(self, sink: Sink, *events: str, rest: Rest | None = None) -> None:
        """Makes a webhook of it. Raises TookTooLong."""
        sink.rest = rest or sink.rest
        made = sink.rest.ask("POST", "/v1/webhooks", body={"url": sink.url, "events": list(events)})
        if made is None or not made.is_success:
            raise TookTooLong(f"the webhook {sink.name} was not taken: {made and made.text}")
        view: dict[str, Any] = made.json()
        sink.webhook, sink.secret = view["id"], view["secret"]
        sink.events = events or sink.events

    # ── ways to fail ─────────────────────────────────────────────────────────────────────────

    def slowly(self) -> Way:
        """The first ones wait in vain: for a byte, for a head, for the rest of a body."""
        turns: list[Turn] = [
            (0, silence(until=self._over)),
            (0, drip(b"", until=self._over)),
            (0, drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", until=self._over)),
            (200, drip(_HEAD, until=self._over)),
        ]
        return at_first(*turns)

    # ── within ───────────────────────────────────────────────────────────────────────────────

    def _add(self, name: str, port: int, way: Way, *, lives: bool = True) -> Sink:
        made = Sink(name, f"http://127.0.0.1:{port}{PATH}", way, self._rest, lives=lives)
        self.by_name[name] = made
        return made

    def _receive(self, name: str, port: int) -> int:
        receiver = Receiver(lambda one: self._took(name, one), port)
        self._receivers.append(receiver)
        return receiver.port

    def _took(self, name: str, one: Received) -> Answer:
        sink = self.by_name[name]
        code, answer = sink.way(one)
        self._ledger.write(
            "notice",
            name=name if one.path == PATH else name + one.path,
            id=one.id,
            event=one.event,
            task=one.data.get("task_id"),
            subject=subject_of(one.event, one.data),
            signed=_is_signed(one, sink.secret),
            answer=code,
        )
        return answer


def _is_signed(one: Received, secret: str) -> bool:
    try:
        one.verified(secret)
    except WebhookVerificationError:
        return False
    return True


def well(_: Received) -> Turn:
    return WELL


def flood(_: Received) -> Turn:
    """Takes it, with an answer of 10 MB."""
    return 200, raw(_FLOOD)


def always(code: int, **headers: str) -> Way:
    return lambda _: (code, status(code, **headers))


def at_first(*turns: Turn) -> Way:
    """These, whatever comes, and then all is well."""
    left = list(turns)
    return lambda _: left.pop(0) if left else WELL


def each_at_first(*turns: Turn) -> Way:
    """These for each webhook anew, and then it is taken."""
    seen: Counter[str] = Counter()

    def way(one: Received) -> Turn:
        seen[one.id] += 1
        return turns[seen[one.id] - 1] if seen[one.id] <= len(turns) else WELL

    return way


ERRORS: tuple[Turn, ...] = tuple((code, status(code)) for code in (500, 404, 503))
RESETS: tuple[Turn, ...] = ((0, reset), (0, raw(b"")), (0, raw(b"not HTTP\r\n\r\n")))
