"""A folder with one store, and managers on it that can be told where to die."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from benchmarks.faults.process import MARK, Part, inherited, wait_for
from benchmarks.faults.scripted import SECRET
from benchmarks.faults.topology import free_port
from services.outbound import HttpError, open_client
from task_manager.store.sqlite import SqliteStore

_SETTINGS = {
    "FANSCRIBE_STUB_MODELS": "true",
    "FANSCRIBE_CALLBACK_SECRET": SECRET,
    "FANSCRIBE_MIN_FREE_BYTES": "0",
    "FANSCRIBE_LOST_AFTER_S": "1",
    "FANSCRIBE_TICK_EVERY_S": "0.1",
    "FANSCRIBE_EXPAND_AFTER_S": "0.3",
    "FANSCRIBE_RETRY_SCALE": "0.001",
    "FANSCRIBE_LOG_LEVEL": "error",
    "FANSCRIBE_BROKER_URL": "redis://127.0.0.1:1/0",  # nobody is rung: the worker asks
}


@dataclass
class Ground:
    """A folder with one store, and up to two managers on it."""

    folder: Path
    mark: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        own = {"FANSCRIBE_DATA_DIR": str(self.folder / "data"), MARK: self.mark}
        self._base = {**inherited(), **_SETTINGS, **own}
        self.ports = [(free_port(), free_port()) for _ in range(2)]
        (self.folder / "data").mkdir(parents=True)

    def manager(self, number: int, **more: str) -> Part:
        public, inner = self.ports[number]
        ports = {"FANSCRIBE_PORT": str(public), "FANSCRIBE_WORKER_PORT": str(inner)}
        command = [sys.executable, "-m", "benchmarks.faults.dying_manager"]
        log = self.folder / f"manager-{number}.log"
        return Part(f"manager-{number}", command, {**self._base, **ports, **more}, log)

    def url(self, number: int, *, inner: bool = False) -> str:
        return f"http://127.0.0.1:{self.ports[number][inner]}"

    def await_ready(self, part: Part, number: int) -> None:
        def ready() -> bool:
            with open_client(self.url(number), read_s=2.0) as client:
                try:
                    return client.get("/healthz").status_code == 200
                except HttpError:
                    return not part.alive  # it died on its way up, which is a point as well

        wait_for(f"{part.name} ({part.log})", ready)

    def store(self) -> SqliteStore:
        return SqliteStore(self.folder / "data" / "store.sqlite")
