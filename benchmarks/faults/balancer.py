"""An HTTP proxy over all managers with fail-over, which misbehaves on order."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.faults.http1 import Broken, Message, answer, exchange, read_message
from benchmarks.faults.loop import Loop

_PATIENCE_S = 30.0
_AVOID_S = 1.0  # one that refused a connection is asked last for so long
Deed = Literal["duplicate", "again", "delay", "drop_answer", "refuse", "cut"]
Watch = Callable[[Message, Message | None, float, bool], None]
"""Hears of the request, the answer (None: there was none), when it was passed on (ledger's time)
and whether the caller gets the answer."""


@dataclass(slots=True)
class Mischief:
    """What is done to calls whose path ends with `path` (empty: to all), with this chance; with
    `method` only to those of that method.

    - `duplicate`: `copies` more of it go to the managers at the same time.
    - `again`: a copy of it goes to the managers `seconds` later.
    - `delay`: it is passed on `seconds` later.
    - `drop_answer`: it is passed on, and the caller's connection is closed without an answer.
    - `refuse`: 503, and nothing is passed on.
    - `cut`: the connection is closed, and nothing is passed on.

    `times` counts down to 0 where it is given; `done` counts up.
    """

    deed: Deed
    path: str = ""
    chance: float = 1.0
    times: int | None = None
    seconds: float = 0.0
    copies: int = 1
    method: str = ""
    done: int = 0


class Balancer:
    """Listens at `port` on loopback; `targets` are the ports of the managers. A call goes to the
    next one, and to another if that one takes no connection; what was begun is never repeated."""

    def __init__(
        self,
        loop: Loop,
        port: int,
        targets: Sequence[int],
        *,
        clock: Callable[[], float],
        rng: random.Random,
        watch: Watch | None = None,
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._loop = loop
        self._targets = list(targets)
        self._clock = clock
        self._rng = rng
        self._watch = watch
        self._turn = 0
        self._down: dict[int, float] = {}
        self._mischief: list[Mischief] = []
        self._later: set[asyncio.Task[None]] = set()
        self._server = loop.run(asyncio.start_server(self._serve, "127.0.0.1", port, backlog=512))

    def misbehave(self, mischief: Mischief) -> Mischief:
        """From now on; several may be in force, the first that fits and is lucky is done."""
        self._mischief.append(mischief)
        return mischief

    def behave(self) -> None:
        self._mischief.clear()

    def close(self) -> None:
        self._loop.run(self._close())

    async def _close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The stream server of 3.11 cries where it is told of a cancellation.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while (request := await read_message(reader)) is not None:
                got = await self._handle(request)
                if got is None:
                    break
                writer.write(got.bytes())
                await writer.drain()
        writer.close()

    async def _handle(self, request: Message) -> Message | None:
        """The answer for the caller; None closes its connection."""
        mischief = self._chosen(request)
        deed = mischief.deed if mischief else None
        if mischief is None or deed == "drop_answer":
            return await self._forward(request, delivered=deed is None)
        if deed == "refuse":
            return answer(503, "Service Unavailable", b'{"code":"bench","message":"refused"}')
        if deed == "delay":
            await asyncio.sleep(mischief.seconds)
        elif deed == "duplicate":
            copies = [self._forward(request, delivered=n == 0) for n in range(mischief.copies + 1)]
            return (await asyncio.gather(*copies))[0]
        elif deed == "again":
            self._send_later(request, mischief.seconds)
        return None if deed == "cut" else await self._forward(request, delivered=True)

    def _chosen(self, request: Message) -> Mischief | None:
        for each in self._mischief:
            fits = request.path.partition("?")[0].endswith(each.path) and each.times != 0
            fits = fits and each.method in {"", request.method}
            if fits and self._rng.random() < each.chance:
                each.done += 1
                each.times = None if each.times is None else each.times - 1
                return each
        return None

    def _send_later(self, request: Message, seconds: float) -> None:
        async def send() -> None:
            await asyncio.sleep(seconds)
            await self._forward(request, delivered=False)

        task = asyncio.get_running_loop().create_task(send())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _forward(self, request: Message, *, delivered: bool) -> Message | None:
        asked = self._clock()
        got = await self._ask(request)
        if self._watch is not None:
            seen = None if got is None or got.status == 502 else got
            self._watch(request, seen, asked, delivered and seen is not None)
        return got if delivered else None

    async def _ask(self, request: Message) -> Message | None:
        for port in self._order():
            try:
                return await exchange("127.0.0.1", port, request, _PATIENCE_S)
            except Broken:
                return answer(502, "Bad Gateway", b'{"code":"bench","message":"no answer"}')
            except TimeoutError:
                return None
            except OSError:
                self._down[port] = self._clock()
        return answer(502, "Bad Gateway", b'{"code":"bench","message":"no manager"}')

    def _order(self) -> list[int]:
        """In turn, those that refused lately last."""
        self._turn += 1
        start = self._turn % len(self._targets)
        turn = self._targets[start:] + self._targets[:start]
        now = self._clock()
        return sorted(turn, key=lambda port: now - self._down.get(port, -_AVOID_S) < _AVOID_S)
