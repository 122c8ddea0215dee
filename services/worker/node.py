"""The node's own life, in the worker's parent process: it registers, beats, tidies, leaves."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from services import logs
from services.model.errors import FanscribeError
from services.model.messages import NodeBeat, Register, Registered
from services.worker.callbacks import Manager
from services.worker.offering import EVERY_S, Offering
from services.worker.run import SCRATCH_PREFIX

_ASK_AGAIN_S = 1.0

log = logs.get(__name__)


class NodeLife:
    """A thread that keeps the manager informed. `running` tells how many jobs are under way."""

    def __init__(
        self,
        hello: Register,
        manager: Manager,
        offering: Offering,
        *,
        running: Callable[[], int],
    ) -> None:
        self._hello = hello
        self._manager = manager
        self._offering = offering
        self._running = running
        self._leaving = threading.Event()
        self._every_s = _ASK_AGAIN_S
        self._registered = False
        self._tidied_at = 0.0
        self._thread = threading.Thread(target=self._live, name="node", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def leave(self) -> None:
        """Says goodbye, so that nobody waits for us; a manager that is away finds out itself."""
        self._leaving.set()
        if not self._thread.is_alive():
            return
        self._thread.join()
        if self._registered:
            with contextlib.suppress(FanscribeError):
                self._manager.node_beat(NodeBeat(node=self._hello.node, leaving=True))

    def _live(self) -> None:
        while not self._leaving.is_set():
            try:
                self._say()
            except FanscribeError as error:
                log.warning("manager_away", reason=str(error))
            if time.monotonic() - self._tidied_at > EVERY_S:
                self._tidied_at = time.monotonic()
                self._tidy()
            self._leaving.wait(self._every_s)

    def _say(self) -> None:
        """Beats; a node that the manager does not know registers (anew)."""
        answer: Registered | None = None
        if self._registered:
            beat = NodeBeat(node=self._hello.node, running=self._running())
            answer = self._manager.node_beat(beat)
        if answer is None:
            answer = self._manager.register(self._hello)
            self._registered = True
            log.info("registered", node=self._hello.node, queues=self._hello.queues)
        self._every_s = answer.beat_every_s

    def _tidy(self) -> None:
        """What children left behind that had to end: reports, and scratch folders."""
        if self._registered:
            self._offering.adopted()
        for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*"):
            pid = folder.name.removeprefix(SCRATCH_PREFIX).split("-")[0]
            if pid.isdigit() and not _lives(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
