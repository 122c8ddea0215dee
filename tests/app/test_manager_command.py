"""`fanscribe manager` as a process: it starts, serves on both ports, and ends in order."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest


@contextmanager
def command(folder: Path, *words: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """It ends with the test, however that ends."""
    kept = {name: value for name, value in os.environ.items() if "FANSCRIBE" not in name}
    given = {f"FANSCRIBE_{name.upper()}": value for name, value in settings.items()}
    environment = {**kept, "FANSCRIBE_DATA_DIR": str(folder), **given}
    with subprocess.Popen(
        [sys.executable, "-m", "services.cli", "manager", *words],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def addresses(process: subprocess.Popen[str]) -> tuple[str, str]:
    for line in process.stderr:
        if "manager_started" in line:
            public, workers = re.findall(r"http://[0-9.]+:\d+", line)
            return public, workers
    raise AssertionError("it ended without having started")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_on_both_ports_and_ends_in_order(tmp_path, number) -> None:
    broker = f"unix://{tmp_path}/none.sock"  # nobody there: accepting does without a broker
    words = ("--port", "0", "--worker-port", "0")
    with command(tmp_path, *words, broker_url=broker, stub_models="true") as process:
        public, workers = addresses(process)
        assert httpx.get(f"{public}/readyz").status_code == 200
        assert httpx.get(f"{workers}/readyz").status_code == 200
        body = {"items": [{"text": "x", "language": "en"}], "targets": ["zh"]}
        task = httpx.post(f"{public}/v1/tasks", json=body).json()
        url = f"{public}/v1/tasks/{task['id']}/events"
        with httpx.stream("GET", url, timeout=30) as stream:
            lines = stream.iter_lines()
            assert next(lines)
            process.send_signal(number)
            for _ in lines:
                pass
        process.stderr.read()
        assert process.wait(30) == 0


def test_off_loopback_without_a_key_it_says_what_to_set_and_ends(tmp_path) -> None:
    with command(tmp_path, "--host", "0.0.0.0") as process:
        said = process.stderr.read()
        assert process.wait(30) == 2
    assert "FANSCRIBE_API_KEY and FANSCRIBE_CALLBACK_SECRET" in said
    assert "Traceback" not in said


def test_a_taken_port_ends_the_process_instead_of_serving_by_halves(tmp_path, shared) -> None:
    port = httpx.URL(shared.url).port
    with command(tmp_path, "--port", str(port), "--worker-port", "0") as process:
        process.stderr.read()
        assert process.wait(30) != 0
