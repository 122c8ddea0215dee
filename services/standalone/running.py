"""A supervisor in the foreground: signals become a stop in order, a second one an end at once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.settings import Settings
    from services.standalone.supervisor import Addresses, Supervisor

_SAME_WISH_S = 1.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopping_on_signals(supervisor: Supervisor) -> Iterator[None]:
    """Ctrl-C, TERM and a closed terminal ask the supervisor to stop; asked again a second later
    or more, it is killed, and its children go with it. (Sooner is the same wish: make and the
    terminal both pass it on.)"""
    asked_at: list[float] = []

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature of handlers
        asked_at.append(time.monotonic())
        if asked_at[-1] - asked_at[0] > _SAME_WISH_S:
            os.kill(os.getpid(), signal.SIGKILL)
        supervisor.stopping.set()

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_until_stopped(
    settings: Settings, tell: Callable[[str], None], announce: Callable[[Addresses], None]
) -> None:
    """Starts the stack, announces its addresses, and returns when a signal has stopped it."""
    from services.standalone.supervisor import Supervisor  # noqa: PLC0415  a fast start

    supervisor = Supervisor(settings, tell=tell)
    with stopping_on_signals(supervisor):
        addresses = supervisor.start()
        try:
            announce(addresses)
            supervisor.watch()
        finally:
            tell("Stopping …")
            supervisor.stop()
