"""A manager as it runs in earnest: uvicorn on free ports, SQLite, local files, its ticker; only
the broker is a list, and the worker is the driver."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
from driver import PATIENCE_S, Driver, RecordingAnnouncer

from services.settings import Settings
from services.worker.callbacks import Manager as Callbacks
from task_manager.app import Application, build
from task_manager.serving import Listener, listener
from task_manager.ticker import Ticker

PLAYED_BY_HAND = {"stub_models": True, "lost_after_s": 86_400.0}  # the driver never beats
END_STATES = {"succeeded", "partial", "failed", "cancelled"}


@dataclass
class Manager:
    """One running manager, with a client and a worker of its own."""

    application: Application
    url: str
    workers_url: str
    api: httpx.Client
    driver: Driver

    def create(self, status: int = 202, headers: dict[str, str] | None = None, **body):
        answer = self.api.post("/v1/tasks", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def refused(self, **body) -> tuple[int, str, str | None]:
        return error_of(self.api.post("/v1/tasks", json=body))

    def upload(self, content: bytes = b"RIFF", name: str = "1.wav") -> str:
        headers = {"content-type": "audio/wav"}
        answer = self.api.post(
            "/v1/uploads", content=content, params={"name": name}, headers=headers
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["key"]

    def task(self, task_id: str):
        answer = self.api.get(f"/v1/tasks/{task_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def work(self, task_id: str):
        """Drives until the task has ended; the task."""
        end = time.monotonic() + PATIENCE_S
        while (task := self.task(task_id))["state"] not in END_STATES:
            assert time.monotonic() < end, task
            if self.driver.announcer.rung.empty():
                time.sleep(0.005)  # the ticker is awake: it settles, or rings again
            else:
                self.driver.step()
        return task

    def finished(self, **body):
        """A new task, driven to its end."""
        return self.work(self.create(**body)["id"])

    def objects(self) -> set[str]:
        root = self.application.settings.data_dir / "objects"
        return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def error_of(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and field of a refusal, whose envelope must be whole."""
    body = answer.json()
    assert set(body) == {"error"}, body
    assert set(body["error"]) <= {"code", "message", "field"}
    assert body["error"]["message"]
    return answer.status_code, body["error"]["code"], body["error"].get("field")


@contextlib.contextmanager
def serving(*servers: Listener) -> Iterator[list[str]]:
    """The servers in one loop in a thread, as in the process; their addresses."""

    async def serve() -> None:
        await asyncio.gather(*(server.serve() for server in servers))

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    end = time.monotonic() + PATIENCE_S
    while not all(server.started for server in servers):
        assert thread.is_alive()
        assert time.monotonic() < end
        time.sleep(0.002)
    try:
        yield [server.address for server in servers]
    finally:
        for server in servers:
            server.should_exit = True
        thread.join()


@contextlib.contextmanager
def manager_of(settings: Settings) -> Iterator[Manager]:
    application = build(settings)
    announcer = RecordingAnnouncer()
    ticker = Ticker(application.pipeline, announcer)
    key = settings.api_key.get_secret_value()
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with contextlib.ExitStack() as stack:
        stack.callback(application.store.close)
        stack.callback(application.ticker.stop)
        apps = (application.public, application.workers)
        servers = [listener(app, "127.0.0.1", 0) for app in apps]
        url, workers_url = stack.enter_context(serving(*servers))
        stack.callback(application.stopping.set)
        api = stack.enter_context(httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S))
        callbacks = Callbacks(workers_url, settings.callback_secrets[0])
        stack.callback(callbacks.close)
        driver = Driver(callbacks, announcer)
        driver.register()
        ticker.start()
        stack.callback(ticker.stop)
        yield Manager(application, url, workers_url, api, driver)
