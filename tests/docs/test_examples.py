"""Every example, run as a process against a running stack; and what mypy says of them."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
from pages import ROOT

from fanscribe import Fanscribe, Item
from services.model.webhook import secret_of

EXAMPLES = ROOT / "examples"
AUDIO = ROOT / "demo" / "sample" / "1.mp3"
PATIENCE_S = 60.0
NODE_20 = shutil.which("node")


def environment(stack: str, **more: str) -> dict[str, str]:
    outside = {name: text for name, text in os.environ.items() if not name.startswith("FANSCRIBE")}
    return {**outside, "FANSCRIBE_URL": stack, "PYTHONPATH": str(ROOT), **more}


def run(stack: str, *words: str) -> str:
    done = subprocess.run(
        words, env=environment(stack), capture_output=True, text=True, timeout=PATIENCE_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_is_a_test_for_every_example() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == {
        "README.md", "curl.sh", "transcribe.py", "transcribe_async.py", "transcribe.mjs",
        "receiver.py", "read_pack.py", "read_pack.mjs",
    }  # fmt: skip


def test_curl_sends_watches_and_fetches(embedded_stack: str) -> None:
    lines = run(embedded_stack, str(EXAMPLES / "curl.sh"), str(AUDIO), "zh,ja").splitlines()
    assert lines[0].startswith("task 01")
    assert lines[1:3] == ["event: cell"] * 2
    assert lines[3].startswith('{"zh":{"1":{"A":')
    assert lines[-1] == "succeeded"


def test_the_blocking_client_shows_what_is_heard_and_translated(embedded_stack: str) -> None:
    program = str(EXAMPLES / "transcribe.py")
    lines = run(embedded_stack, sys.executable, program, str(AUDIO), "--to", "zh,ja").splitlines()
    assert [line for line in lines if line.startswith("it is")][-1] == "it is succeeded"
    assert [line[:5] for line in lines[-2:]] == ["zh  1", "ja  1"]


def test_the_asynchronous_client_saves_subtitles(embedded_stack: str, tmp_path: Path) -> None:
    files = [str(shutil.copy(AUDIO, tmp_path / name)) for name in ("a.mp3", "b.mp3")]
    program = str(EXAMPLES / "transcribe_async.py")
    said = run(embedded_stack, sys.executable, program, *files, "--to", "ja")
    assert said.count("wrote ") == 2
    assert "-->" in (tmp_path / "b.ja.srt").read_text("utf-8")


@pytest.mark.skipif(NODE_20 is None, reason="there is no node here")
def test_fetch_sends_watches_and_fetches(embedded_stack: str) -> None:
    assert NODE_20
    lines = run(
        embedded_stack, NODE_20, str(EXAMPLES / "transcribe.mjs"), str(AUDIO), "zh,ja"
    ).splitlines()
    assert lines[0].startswith("task 01")
    assert [line for line in lines if line.startswith("it is")][-1] == "it is succeeded"
    assert [line[:5] for line in lines[-2:]] == ["zh  1", "ja  1"]


# ── the receiver ─────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def receiver(stack: str, secret: str) -> Iterator[tuple[str, Queue[str]]]:
    """Its URL, and the lines that it prints."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "receiver.py"), str(port)],
        env=environment(stack, WEBHOOK_SECRET=secret), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    lines: Queue[str] = Queue()
    output = process.stdout
    assert output

    def read() -> None:
        for line in output:
            lines.put(line)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        until(lines, "Uvicorn running")
        yield f"http://127.0.0.1:{port}/fanscribe", lines
    finally:
        process.terminate()
        process.wait(30)
        thread.join()
        output.close()


def until(lines: Queue[str], words: str) -> str:
    """The next line with these words."""
    while words not in (line := lines.get(timeout=PATIENCE_S)):
        pass
    return line


def test_the_receiver_takes_what_is_sent_and_fetches_the_result(embedded_stack: str) -> None:
    secret, wrong = (secret_of(secrets.token_bytes(24)) for _ in range(2))
    with Fanscribe(embedded_stack) as client, receiver(embedded_stack, secret) as (url, lines):
        webhook = client.webhooks.create(url, secret=secret)
        try:
            client.webhooks.ping(webhook.id)
            until(lines, "webhook.ping")
            text = Item(text="Hello.", text_id="1", language="en")
            task = client.submit(text, targets=["zh"])
            told = until(lines, f"task.succeeded {task.id}")
            assert "'zh'" in told

            client.webhooks.rotate(webhook.id, secret=wrong, keep_old_s=0)
            client.webhooks.ping(webhook.id)
            until(lines, "401 Unauthorized")
        finally:
            client.webhooks.delete(webhook.id)


def test_types_of_the_client_are_those_that_are_promised() -> None:
    files = [*sorted(EXAMPLES.glob("*.py")), ROOT / "tests" / "docs" / "typed_client.py"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, files)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
