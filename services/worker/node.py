"""The node's own life, in the worker's parent process: it registers, beats, tidies, leaves."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from services import logs
from services.model.errors import FanscribeError, JobFailed
from services.model.messages import NodeBeat, Register, Registered
from services.worker.callbacks import Manager
from services.worker.children import tidy
from services.worker.offering import EVERY_S, Offering
from services.worker.pulse import FOLDER_PREFIX
from services.worker.run import SCRATCH_PREFIX

_ASK_AGAIN_S = 1.0

log = logs.get(__name__)


class NodeLife:
    """A thread that keeps the manager informed and heeds what it answers.

    `beat` makes the words of a beat; `heed` gets every answer; `told` hears how each word went:
    answered, refused or unreachable.
    """

    def __init__(
        self,
        hello: Register,
        manager: Manager,
        offering: Offering,
        *,
        beat: Callable[[], NodeBeat],
        heed: Callable[[Registered], None] = lambda _: None,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._hello = hello
        self._manager = manager
        self._offering = offering
        self._beat = beat
        self._heed = heed
        self._told = told
        self._leaving = threading.Event()
        self._every_s = _ASK_AGAIN_S
        self._registered = False
        self._heard_at = time.monotonic()
        self._tidied_at = 0.0
        self._thread = threading.Thread(target=self._live, name="node", daemon=True)

    @property
    def unheard_s(self) -> float:
        """For how long the manager has not answered."""
        return time.monotonic() - self._heard_at

    def start(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        """Says goodbye, so that nobody waits for us; a manager that is away finds out itself."""
        self._leaving.set()
        if not self._thread.is_alive():
            return
        if self._thread is not threading.current_thread():
            self._thread.join()
        if self._registered:
            with contextlib.suppress(FanscribeError):
                self._manager.node_beat(NodeBeat(node=self._hello.node, leaving=True))
        tidy(SCRATCH_PREFIX)

    def _live(self) -> None:
        while not self._leaving.is_set():
            try:
                self._say()
            except FanscribeError as error:
                self._told("unreachable" if isinstance(error, JobFailed) else "refused")
                log.warning("manager_away", reason=str(error))
            except Exception:  # a node whose thread has ended would be taken for dead
                log.exception("node_look_failed")
            if time.monotonic() - self._tidied_at > EVERY_S:
                self._tidied_at = time.monotonic()
                self._tidy()
            self._leaving.wait(self._every_s)

    def _say(self) -> None:
        """Beats; a node that the manager does not know registers (anew)."""
        answer = self._manager.node_beat(self._beat()) if self._registered else None
        if answer is None:
            answer = self._manager.register(self._hello)
            self._registered = True
            log.info("registered", node=self._hello.node, queues=self._hello.queues)
        self._every_s = answer.beat_every_s
        self._heard_at = time.monotonic()
        self._told("answered")
        self._heed(answer)

    def _tidy(self) -> None:
        """What children left behind that had to end: reports, and scratch folders."""
        if self._registered:
            self._offering.adopted()
        tidy(SCRATCH_PREFIX)
        tidy(FOLDER_PREFIX)
