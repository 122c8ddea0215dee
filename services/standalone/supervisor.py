"""Starts the whole stack as child processes, keeps them running, and takes them along."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from services.client.client import Fanscribe
from services.client.errors import ClientError
from services.model.errors import FanscribeError
from services.settings import Settings
from services.standalone.child import Child
from services.standalone.redis_child import Broker, choose

_LOOK_EVERY_S = 0.1
_READY_WITHIN_S = 120.0
_GRACE_S = 10.0


class CannotStart(FanscribeError):
    """The stack could not be started; the message says why and what helps."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stack is reached, once it is up."""

    url: str
    manager_url: str
    broker_url: str


# What opens the store, the bucket or the API: the manager's alone.
_CREDENTIALS = re.compile(
    "FANSCRIBE_(API_KEY|STORE_URL|OBJECTS_KEY_.*|SECRETS_DIR|AWS_SECRET)"
    "|(AWS|OSS)_(ACCESS_KEY|SECRET|SESSION).*"
)


class Supervisor:
    """The stack of one data folder. Use it from one thread: a child ends with the thread that
    started it."""

    def __init__(
        self,
        settings: Settings,
        *,
        tell: Callable[[str], None],
        environment: dict[str, str] | None = None,
    ) -> None:
        self._settings = settings
        self._tell = tell
        self._outside = dict(os.environ if environment is None else environment)
        self._lock: IO[str] | None = None
        self._broker: Broker | None = None
        self._children: list[Child] = []
        self.stopping = threading.Event()

    def start(self) -> Addresses:
        """Starts all and returns when the stack takes tasks. Raises CannotStart, with nothing
        left running."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> Addresses:
        self._lock = _lock(self._settings.data_dir)
        addresses = self._choose_addresses()
        environment = self._environment(addresses)
        if self._broker is not None:
            self._add("redis", self._broker.command, environment).start()
            self._broker.wait_until_ready()
        manager = self._add("manager", _command("manager"), environment)
        workers = [
            self._add(kind, _command("worker", kind), _without_credentials(environment))
            for kind in ("whisper", "translator")
        ]
        for child in (manager, *workers):
            child.start()
        self._wait_until_ready(addresses.url, workers)
        return addresses

    def watch(self) -> None:
        """Restarts what dies, with growing patience, until `stopping` is set."""
        while not self.stopping.wait(_LOOK_EVERY_S):
            for child in self._children:
                how = child.died()
                if how is not None:
                    self._tell_of(child, how)
                elif child.is_due():
                    child.start()
                    self._tell(f"{child.name} was started again")

    def stop(self) -> None:
        """Ends all in order: workers first, then the manager, then the queue."""
        self.stopping.set()
        workers = [each for each in self._children if each.name not in {"manager", "redis"}]
        rest = [each for each in self._children if each.name == "manager"]
        queue = [each for each in self._children if each.name == "redis"]
        for group in (workers, rest, queue):
            for child in group:
                if child.process is not None:
                    child.process.terminate()
            end = time.monotonic() + _GRACE_S
            for child in group:
                child.end(max(0.1, end - time.monotonic()))
        self._children.clear()
        if self._broker is not None:
            self._broker.clean_up()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def pids(self) -> dict[str, int]:
        """The running children by name."""
        return {each.name: each.pid for each in self._children if each.pid is not None}

    # ── what start needs ─────────────────────────────────────────────────────────────────────

    def _choose_addresses(self) -> Addresses:
        settings = self._settings
        port = settings.port or _free_port()
        if not _is_free(settings.host, port):
            raise CannotStart(
                f"Port {port} is taken: choose another with --port, or --port 0 for a free one."
            )
        worker_port = settings.worker_port
        if worker_port in {0, port} or not _is_free(settings.worker_host, worker_port):
            worker_port = _free_port()
        if "broker_url" not in settings.model_fields_set:
            self._broker = choose(settings.broker, settings.data_dir)
            if self._broker.warning:
                self._tell(self._broker.warning)
        return Addresses(
            url=f"http://{_reachable(settings.host)}:{port}",
            manager_url=f"http://{_reachable(settings.worker_host)}:{worker_port}",
            broker_url=self._broker.url if self._broker else settings.broker_url,
        )

    def _environment(self, addresses: Addresses) -> dict[str, str]:
        settings = self._settings
        return {
            **self._outside,
            "FANSCRIBE_DATA_DIR": str(settings.data_dir),
            "FANSCRIBE_BROKER_URL": addresses.broker_url,
            "FANSCRIBE_HOST": settings.host,
            "FANSCRIBE_PORT": addresses.url.rpartition(":")[2],
            "FANSCRIBE_WORKER_HOST": settings.worker_host,
            "FANSCRIBE_WORKER_PORT": addresses.manager_url.rpartition(":")[2],
            "FANSCRIBE_MANAGER_URL": addresses.manager_url,
            "FANSCRIBE_DEMO_MODELS": str(settings.demo_models).lower(),
            # Workers are not told of the places where secrets are, so each gets this one.
            "FANSCRIBE_CALLBACK_SECRET": settings.callback_secret.get_secret_value(),
            "PYTHONUNBUFFERED": "1",
            "PYTHONSAFEPATH": "1",  # a folder named demo where we are started is not ours
        }

    def _add(self, name: str, command: list[str], environment: dict[str, str]) -> Child:
        log_file = self._settings.data_dir / "logs" / f"{name}.log"
        child = Child(name, command, environment, log_file)
        self._children.append(child)
        return child

    def _wait_until_ready(self, url: str, workers: list[Child]) -> None:
        end = time.monotonic() + _READY_WITHIN_S
        with Fanscribe(url, self._settings.api_key.get_secret_value()) as api:
            while not _is_ready(api, {child.pid for child in workers}):
                for child in self._children:
                    how = child.died()
                    if how is not None:
                        raise CannotStart(_story(child, how))
                if time.monotonic() > end:
                    raise CannotStart(
                        f"The stack did not get ready within {_READY_WITHIN_S:.0f} s: see "
                        f"{self._settings.data_dir / 'logs'}"
                    )
                if self.stopping.wait(_LOOK_EVERY_S):
                    raise CannotStart("stopped while starting")

    def _tell_of(self, child: Child, how: str) -> None:
        wait = max(0.0, (child.starts_at or 0.0) - time.monotonic())
        self._tell(f"{_story(child, how)}\n  it starts again in {wait:.0f} s")


def _is_ready(api: Fanscribe, pids: set[int | None]) -> bool:
    try:
        api.ready()
        seen = {node.pid for node in api.nodes.list() if node.live}
    except ClientError:
        return False
    return pids <= seen


def _story(child: Child, how: str) -> str:
    lines = [f"{child.name} {how} (its log: {child.log_file})"]
    return "\n".join([*lines, *(f"  | {line}" for line in child.last_lines())])


def _without_credentials(environment: dict[str, str]) -> dict[str, str]:
    """For workers, which open files that users sent."""
    kept = environment.items()
    return {name: text for name, text in kept if not _CREDENTIALS.fullmatch(name)}


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "services.cli", *words]


def _lock(data_dir: Path) -> IO[str]:
    """The data folder belongs to one stack at a time; the kernel frees it however we end."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = (data_dir / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        holder = lock.read().strip() or "?"
        lock.close()
        raise CannotStart(
            f"{data_dir} is in use by another `fanscribe up` (pid {holder}): "
            "stop that one or choose another folder with --data-dir."
        ) from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _reachable(host: str) -> str:
    """An address that listens everywhere is reached at loopback."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104  compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
