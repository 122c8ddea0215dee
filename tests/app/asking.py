"""Callers who wait: each in a thread, while the test plays the worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from openai import OpenAI
from running_manager import PATIENCE_S, Manager

T = TypeVar("T")
AUDIO = ("talk.wav", b"RIFF of a talk")


@contextmanager
def waiting(call: Callable[[], T]) -> Iterator[Future[T]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(call)


def sdk(manager: Manager, **more: Any) -> OpenAI:
    """The official client, as its users write it."""
    given = {"api_key": "anything", "max_retries": 0, "timeout": PATIENCE_S, **more}
    return OpenAI(base_url=f"{manager.url}/v1", **given)


def answered(manager: Manager, call: Callable[[], T]) -> T:
    """What the call brings, with all its work done meanwhile."""
    with waiting(call) as asked:
        drive_until(manager, asked.done)
        return asked.result(0)


def drive_until(manager: Manager, over: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not over():
        assert time.monotonic() < end
        if manager.driver.announcer.rung.empty():
            threading.Event().wait(0.005)
        else:
            manager.driver.step()


def soon(look: Callable[[], T]) -> T:
    """What it finds, as soon as that is something."""
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < end, "waited in vain"
        threading.Event().wait(0.01)
    return found


def tasks_of(manager: Manager) -> list[Any]:
    """All tasks, newest first."""
    return manager.application.store.tasks(None, limit=100)


def kinds(manager: Manager, task_id: str) -> list[str]:
    return [line.kind for line in manager.application.store.events(task_id, limit=1000)]
