"""A MongoDB wire server in a process of its own, that can be killed, frozen and started again."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

_MAIN = "from nx_27017.nx_27017 import main; main()"


class WireServer:
    """`data` is a folder, or "memory". The port stays the same over a restart."""

    def __init__(self, folder: Path, data: str) -> None:
        self._folder, self._data = folder, data
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns when it answers."""
        files = ["--pid-file", f"{self._folder}/pid", "--log-file", f"{self._folder}/log"]
        arguments = ["--data-dir", self._data, "--port", str(self._port), *files]
        with (self._folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _MAIN, *arguments], stdout=out, stderr=out
            )
        _await_hello(self.url, self._process)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def in_memory(folder: Path) -> Iterator[str]:
    """The URL of one that keeps its databases in memory, and ends with the block."""
    server = WireServer(folder, "memory")
    try:
        server.start()
        yield server.url
    finally:
        server.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_hello(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=100) as client:
        while True:
            try:
                client.admin.command("hello")
            except PyMongoError:
                assert server.poll() is None, "the wire server ended"
                assert time.monotonic() < deadline, "the wire server does not answer"
            else:
                return
