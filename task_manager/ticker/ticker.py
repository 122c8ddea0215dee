"""The loops, each with a thread of its own: announce, settle, deliver, reap, expand, nodes, …"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from services import logs
from services.queue import Announcer
from task_manager.pipeline import Pipeline
from task_manager.pipeline.expire import expire
from task_manager.pipeline.previews import LIVES_S
from task_manager.pipeline.settle import look_over, settle
from task_manager.registries import open_publisher
from task_manager.registry import EVERY_S as REGISTRY_EVERY_S
from task_manager.store.protocol import StoreUnavailable
from task_manager.ticker.announce import announce
from task_manager.ticker.deliver import Postman
from task_manager.ticker.expand import Unfinished, finish_expansions
from task_manager.ticker.nodes import mark_lost
from task_manager.ticker.orphans import sweep_orphans
from task_manager.ticker.reap import Watch, reap
from task_manager.ticker.translations import sweep_translations
from task_manager.ticker.uploads import sweep_uploads

log = logs.get(__name__)

FORGET_NODES_S = 24 * 3600.0
FORGET_DELIVERIES_S = 30 * 24 * 3600.0  # after their end
LEARN_EVERY_S = 5.0
ORPHANS_EVERY_S = 24 * 3600.0
DROP_AT_ONCE = 1_000  # lines of the audit log

_REST = 3  # times as long as a look took nobody is heard: of a flood of calls one look sees many
_REST_S = 0.05  # but at most so long


class Ticker:
    """Runs inside every manager. The pipeline's `wake` makes the first two loops, announce
    and settle, look at once; everything else waits for its tick."""

    def __init__(self, pipeline: Pipeline, announcer: Announcer) -> None:
        self._ports = pipeline.ports
        self._announcer = announcer
        self._publisher = open_publisher(pipeline.ports.settings.registry_url)
        self._postman = Postman(pipeline.ports)
        self._stopping = threading.Event()
        self._bells: list[threading.Event] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        settings = self._ports.settings
        watch = Watch(settings.lost_after_s)
        nodes = Watch(settings.lost_after_s)
        unfinished = Unfinished(settings.expand_after_s)
        tick = settings.tick_every_s
        self._loop("announce", tick, lambda: announce(self._ports, self._announcer.announce))
        self._loop("settle", tick, self._settle)
        self._ports.wake = self._wake
        self._ports.post = self._loop("deliver", tick, self._postman.look).set
        self._loop("reap", tick, lambda: reap(self._ports, watch, time.monotonic()))
        self._loop(
            "expand", tick, lambda: finish_expansions(self._ports, unfinished, time.monotonic())
        )
        self._loop("nodes", tick, lambda: mark_lost(self._ports, nodes, time.monotonic()))
        self._loop("expire", 60.0, self._expire)
        self._loop("orphans", ORPHANS_EVERY_S, lambda: sweep_orphans(self._ports))
        if self._publisher is not None:
            self._loop("registry", REGISTRY_EVERY_S, self._publish)
        self._loop("learn", LEARN_EVERY_S, lambda: self._ports.speeds.flush(self._ports.store))
        self._loop("audit", tick, lambda: self._ports.audit.flush(self._ports.store))

    def stop(self) -> None:
        """Returns when every loop has ended."""
        self._stopping.set()
        for bell in self._bells:
            bell.set()
        for thread in self._threads:
            thread.join()
        try:
            self._ports.speeds.flush(self._ports.store)
            self._ports.audit.flush(self._ports.store)
        except StoreUnavailable as away:
            log.warning("forgotten", what="speeds, audit", reason=away.message)
        self._postman.close()
        self._announcer.close()
        if self._publisher is not None:
            self._publisher.close()

    def _wake(self) -> None:
        for bell in self._bells[:2]:
            bell.set()

    def _loop(self, name: str, every_s: float, look: Callable[[], object]) -> threading.Event:
        """The bell that makes it look at once."""
        bell = threading.Event()
        self._bells.append(bell)

        def run() -> None:
            while not self._stopping.is_set():
                bell.clear()
                began = time.monotonic()
                self._ports.pulse.looked(name, every_s)
                try:
                    look()
                except Exception as error:  # noqa: BLE001 - a loop outlives whatever it meets
                    self._ports.meter.tick_failed(name)
                    if isinstance(error, StoreUnavailable):
                        self._ports.meter.store_failed()
                    log.warning("tick_failed", loop=name, error=repr(error))
                self._stopping.wait(min(_REST_S, _REST * (time.monotonic() - began)))
                if self._stopping.is_set():
                    return
                bell.wait(every_s)

        thread = threading.Thread(target=run, name=f"ticker-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return bell

    def _settle(self) -> None:
        """Every task whose time has come; one that fails does not hold up the others."""
        store = self._ports.store
        for task_id in look_over(self._ports, store.tasks_to_look_at(store.now(), 200)):
            try:
                settle(self._ports, task_id)
            except Exception as error:  # noqa: BLE001
                self._ports.meter.tick_failed("settle")
                log.warning("settle_failed", task_id=task_id, error=repr(error))
                store.note_task(task_id, {"look_at": store.now() + 5.0})

    def _publish(self) -> None:
        if self._publisher is not None:
            self._publisher.look(self._ports.store.nodes(), self._ports.store.now())

    def _expire(self) -> None:
        store, days = self._ports.store, self._ports.settings.audit_days
        store.drop_nodes(store.now() - FORGET_NODES_S)
        if days:
            while store.drop_audit(store.now() - days * 86_400, DROP_AT_ONCE) == DROP_AT_ONCE:
                pass
        sweep_uploads(self._ports)
        sweep_translations(self._ports)
        store.drop_old_previews(store.now() - LIVES_S)
        expire(self._ports)
        while store.drop_deliveries(store.now() - FORGET_DELIVERIES_S, 500) == 500:
            pass
