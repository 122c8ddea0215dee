"""Celery's pool with a real child, turned by hand as Celery's event loop turns it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import billiard
import pytest
from kombu.asynchronous import Hub, set_event_loop

from services.queue import make_app
from services.worker.pool import Pool


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A pool of one child; `turn(until)` lets the loop run until that holds."""
    monkeypatch.setenv("FORKED_BY_MULTIPROCESSING", "1")  # the pool sets it, and for good
    app = make_app("memory://")
    hub = Hub()
    set_event_loop(hub)
    options = {"threads": False, "putlocks": False, "soft_timeout": None, "timeout": None}
    pool = Pool(1, app=app, forking_enable=False, initargs=(app, "test"), **options)
    pool.start()
    pool.register_with_event_loop(hub)
    hub.call_repeatedly(0.05, pool.maintain_pool)
    loop = hub.create_loop()

    def until(holds: Any) -> Pool:
        give_up = time.monotonic() + 60.0
        while not holds(pool):
            assert time.monotonic() < give_up
            next(loop)
        return pool

    yield until
    pool.terminate()
    hub.close()
    set_event_loop(None)
    billiard.set_start_method("fork", force=True)


def test_a_child_is_a_slot_from_when_it_can_be_given_work(turn: Any) -> None:
    pool = turn(lambda _: True)
    assert (len(pool._pool._pool), pool.num_processes) == (1, 0)
    turn(lambda pool: pool.num_processes == 1)

    (child,) = pool._pool._pool
    os.kill(child.pid, signal.SIGKILL)
    turn(lambda pool: child not in pool._pool._pool and len(pool._pool._pool) == 1)
    assert pool.num_processes == 0
    turn(lambda pool: pool.num_processes == 1)
