"""Runs a worker's parent process: Celery and its pool in the main thread, the rest around it."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import shutil
import socket
import threading
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

from billiard import active_children
from celery import Celery, signals
from celery.worker import state

from services import logs
from services.metrics import WorkerMetrics, exposition
from services.model.errors import FailureClass
from services.model.messages import (
    Claim,
    Failure,
    Finish,
    NodeBeat,
    Register,
    Registered,
    Report,
)
from services.queue import declare
from services.settings import Settings
from services.worker.app import LEAVE_SIGNAL
from services.worker.callbacks import Manager
from services.worker.capacity import memory_for_models
from services.worker.children import Children, make_folder
from services.worker.consuming import IDLE_QUEUE, Consuming
from services.worker.deafness import Deafness, Hearing
from services.worker.gauges import readings
from services.worker.guard import refuse_unsafe_start
from services.worker.health import Condition, HealthServer
from services.worker.node import NodeLife
from services.worker.offering import Offering
from services.worker.pulse import FOLDER_VARIABLE, Holding, close
from services.worker.spool import Spool

HANGS_S = 30.0  # Celery needs two to eight seconds to leave; after this it never will
DEAF_EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: whoever started us shall do so again

log = logs.get(__name__)


def serve(app: Celery, settings: Settings, hello: Register) -> int:
    """Until TERM; the exit code. Raises UnsafeStart if the pool would hang."""
    refuse_unsafe_start(app.conf.worker_pool_start_method)
    folder = make_folder()
    os.environ[FOLDER_VARIABLE] = str(folder)
    parent = Parent(app, settings, hello, folder)
    try:
        return parent.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def health_url(settings: Settings) -> str:
    """Where others reach our health; empty if it is not served."""
    if not settings.health_port:
        return ""
    anywhere = settings.health_host == "0.0.0.0"  # noqa: S104  asked, not bound
    host = socket.gethostname() if anywhere else settings.health_host
    return f"http://{host}:{settings.health_port}"


class Parent:
    """What stands around Celery: the node's life, its children's pulse, its queues, its health."""

    def __init__(self, app: Celery, settings: Settings, hello: Register, folder: Path) -> None:
        self._app = app
        self._settings = settings
        self._health = self._open_health()
        if self._health is None:  # else a registry would judge this node by another process
            hello = hello.model_copy(update={"health_url": ""})
        self._hello = hello
        self._folder = folder
        manager = self._manager = Manager(settings.manager_url, settings.callback_secrets[0])
        self._spool = Spool(settings.spool_folder)
        self._children = Children(folder, mourn=self._mourn)
        self._offering = Offering(manager, self._spool)
        self._consuming = Consuming(app)
        self._deafness = Deafness(settings.deaf_after_s)
        self._metrics = WorkerMetrics(
            node=hello.node, kind=hello.kind, version=hello.version, slots=hello.slots
        )
        self._metrics.read_with(lambda: readings(self._children.tally()))
        self._life = NodeLife(
            hello,
            manager,
            self._offering,
            beat=self._beat,
            heed=self._heed,
            told=self._metrics.beat,
        )

    def run(self) -> int:
        declare(self._app, [IDLE_QUEUE])
        if self._health is not None:
            self._health.start()
        # Celery holds receivers weakly, so these names keep them.
        receivers = self._ready, self._closing, self._left
        signals.worker_ready.connect(receivers[0])
        signals.worker_shutting_down.connect(receivers[1])
        signals.worker_shutdown.connect(receivers[2])
        # Celery warns every root user of pickled messages; ours are JSON, in a container.
        warnings.filterwarnings("ignore", message="You're running the worker with superuser")
        worker = self._app.Worker(
            hostname=f"{self._hello.kind}@{self._hello.node}",
            concurrency=self._hello.slots,
            loglevel="DEBUG" if self._settings.log_level == "debug" else "WARNING",  # its chatter
            quiet=True,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._children.start()
        worker.start()
        code: int = worker.exitcode or 0
        return code

    def _ready(self, sender: Any, **_: Any) -> None:
        self._consuming.attach(sender)
        self._life.start()

    def _closing(self, **_: Any) -> None:
        close(self._folder)
        within_s = self._settings.leave_within_s
        for after_s, act in (
            (within_s, _tell_children_to_leave),
            (within_s + HANGS_S, self._end_hanging),
        ):
            timer = threading.Timer(after_s, act)
            timer.daemon = True
            timer.start()

    def _left(self, **_: Any) -> None:
        self._life.leave()

    def _beat(self) -> NodeBeat:
        beat = NodeBeat(
            node=self._hello.node,
            running=len(state.active_requests),
            children=self._children.alive,
            free_mb=memory_for_models(self._settings),
        )
        self._metrics.stands(
            running=beat.running,
            children=beat.children,
            free_mb=beat.free_mb,
            spooled=self._spool.count(),
        )
        return beat

    def _heed(self, answer: Registered) -> None:
        self._consuming.listen(answer.listen)
        self._metrics.stands(running=len(state.active_requests), draining=answer.draining)
        hearing = Hearing(
            listens=bool(answer.listen),
            due=answer.due,
            busy=len(state.reserved_requests),
            received=sum(state.total_count.values()),
        )
        if self._deafness.look(hearing):
            self._end_deaf(answer.due)

    def _mourn(self, last: Holding) -> None:
        """A child died: what it held runs again at once, not when its silence is noticed."""
        threading.Thread(
            target=self._report_lost, args=(last,), name="mourning", daemon=True
        ).start()

    def _report_lost(self, last: Holding) -> None:
        log.warning("child_died", jobs=[held.job for held in last.leases])
        try:
            said = self._spool.said(last.token)
            self._offering.adopted()
            if reports := lost(last, said) if last.leases else self._never_begun(last.token):
                finish = Finish(token=last.token, node=self._hello.node, reports=reports)
                self._offering.once(finish)
        except Exception:  # then the silence will be noticed
            log.exception("loss_not_reported")

    def _never_begun(self, token: str) -> list[Report]:
        """It died while it asked: what it won without learning of it goes back unharmed. A token
        gets its own leases again, and in no queue there is nothing new to win."""
        again = Claim(node=self._hello.node, token=token, queue="", job="", models=[])
        return [
            Report(job=grant.job, attempt=grant.attempt, released=True)
            for grant in self._manager.claim(again).grants
        ]

    def _end_deaf(self, due: int) -> None:
        """Nothing runs here, so nothing is lost by it; a fresh process has a fresh connection."""
        log.error("deaf", due=due, for_s=self._settings.deaf_after_s, exit_code=DEAF_EXIT_CODE)
        self._end(DEAF_EXIT_CODE)

    def _end_hanging(self) -> None:
        """What children hold by now they keep on disk, or it is missed and runs again. Why Celery
        hangs nobody knows, so the log gets what each thread was at."""
        log.error("leaving_hangs", for_s=self._settings.leave_within_s + HANGS_S)
        faulthandler.dump_traceback(all_threads=True)
        self._end(0)

    def _end(self, code: int) -> None:
        """Without Celery, which may hang in its broker; the children end with us."""
        self._life.leave()
        shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(code)

    def _open_health(self) -> HealthServer | None:
        if not self._settings.health_port:
            return None
        host, port = self._settings.health_host, self._settings.health_port
        try:
            return HealthServer(host, port, self._condition, self._scrape)
        except OSError as error:
            log.warning("health_not_served", host=host, port=port, reason=str(error))
            return None

    def _condition(self) -> Condition:
        return Condition(childless_s=self._children.none_since_s, unheard_s=self._life.unheard_s)

    def _scrape(self) -> tuple[str, bytes]:
        self._children.look()
        self._beat()
        return exposition(self._metrics.registry)


def _tell_children_to_leave() -> None:
    for child in active_children():
        if child.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, LEAVE_SIGNAL)


def lost(last: Holding, said: Collection[str]) -> list[Report]:
    """What is to be said for a child that died with these leases, of which some have their last
    word on disk. Nobody can tell which of those that it worked on at once was its death: each is
    charged, and from then on claimed alone."""
    failed = Failure(
        failure=FailureClass.WORKER_LOST,
        code="worker_lost",
        message="The process that worked on it died.",
    )
    dead = [Report(**each.model_dump(), failed=failed) for each in last.working]
    unharmed = [Report(**each.model_dump(), released=True) for each in last.others]
    return [report for report in (*dead, *unharmed) if report.job not in said]
