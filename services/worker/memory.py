"""What a worker's process asks of what the manager remembers, and what it tells it.

Nothing waits for that and nothing fails for it: where it does not answer soon, or is not there,
it is left alone for a while, and everything is translated and heard.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from queue import Empty, Full, Queue

from services import logs
from services.model.errors import FanscribeError
from services.model.messages import (
    MOST_SENTENCES,
    Earlier,
    Held,
    Keep,
    LookBack,
    Lookup,
    Made,
    Wanted,
)
from services.worker.callbacks import Manager, Refused

_AFTER_FAILURE_S = 30.0
_AFTER_REFUSAL_S = 600.0  # as by a manager of an older release, which has no such call
_GATHER_S = 0.3  # what is told within so long goes by one call
_WAITING = 256  # words that wait to be told; what is more is forgotten

log = logs.get(__name__)


class Memory:
    """Of one process; the words that it tells go out in a thread of their own."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._not_before = 0.0
        self._waiting: Queue[Made] = Queue(_WAITING)
        self._teller: threading.Thread | None = None

    def recall(self, token: str, wanted: Mapping[Held, Sequence[str]]) -> dict[str, dict[str, str]]:
        """By job the translations that are known of those wanted for it, by digest."""
        known: dict[str, dict[str, str]] = {held.job: {} for held in wanted}
        for some in _lookups(wanted):
            if self.rests:
                break
            try:
                answer = self._manager.look_up(Lookup(token=token, wanted=some))
            except FanscribeError as error:
                self._leave_alone(error)
                break
            self._rest(answer.rest_s)
            for each in some:
                known[each.job] |= answer.known.get(each.job, {})
        return known

    def earlier(self, token: str, held: Held, digest: str) -> Earlier:
        """The result of an earlier job that depended on the same."""
        if self.rests:
            return Earlier()
        try:
            asked = LookBack(token=token, job=held.job, attempt=held.attempt, digest=digest)
            return self._manager.look_back(asked)
        except FanscribeError as error:
            self._leave_alone(error)
            return Earlier()

    def remember(self, held: Held, texts: Mapping[str, str]) -> None:
        """What was translated, for others; it is told soon, or not at all."""
        if self.rests:
            return
        lines = list(texts.items())
        for first in range(0, len(lines), MOST_SENTENCES):
            some = dict(lines[first : first + MOST_SENTENCES])
            with contextlib.suppress(Full):
                self._waiting.put_nowait(Made(job=held.job, attempt=held.attempt, texts=some))
        if self._teller is None:
            self._teller = threading.Thread(target=self._tell, name="memory", daemon=True)
            self._teller.start()

    def _tell(self) -> None:
        pause = threading.Event()
        while True:
            first = self._waiting.get()
            pause.wait(_GATHER_S)
            for some in _calls([first, *self._drained()]):
                if self.rests:
                    break
                try:
                    self._rest(self._manager.keep(Keep(made=some)).rest_s)
                except Exception as error:  # noqa: BLE001 - the thread outlives whatever it meets
                    self._leave_alone(error)

    def _drained(self) -> Iterator[Made]:
        try:
            while True:
                yield self._waiting.get_nowait()
        except Empty:
            return

    @property
    def rests(self) -> bool:
        """Whether it is left alone for now."""
        return time.monotonic() < self._not_before

    def _rest(self, seconds: float) -> None:
        if seconds:
            self._not_before = time.monotonic() + seconds

    def _leave_alone(self, error: Exception) -> None:
        pause_s = _AFTER_REFUSAL_S if isinstance(error, Refused) else _AFTER_FAILURE_S
        log.info("memory_left_alone", reason=str(error), seconds=pause_s)
        self._rest(pause_s)


def _lookups(wanted: Mapping[Held, Sequence[str]]) -> Iterator[list[Wanted]]:
    """In their order, as many in a call as it may hold."""
    every = [(held, digest) for held, digests in wanted.items() for digest in digests]
    for first in range(0, len(every), MOST_SENTENCES):
        some: dict[Held, list[str]] = {}
        for held, digest in every[first : first + MOST_SENTENCES]:
            some.setdefault(held, []).append(digest)
        yield [
            Wanted(job=held.job, attempt=held.attempt, digests=digests)
            for held, digests in some.items()
        ]


def _calls(told: Sequence[Made]) -> Iterator[list[Made]]:
    """In their order, as many in a call as it may hold."""
    some: list[Made] = []
    for made in told:
        if some and sum(len(each.texts) for each in [*some, made]) > MOST_SENTENCES:
            yield some
            some = []
        some.append(made)
    yield some
