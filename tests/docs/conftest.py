"""A whole stack for the requests of the pages: real processes, and engines that start at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

READY_WITHIN_S = 120.0
# The pages show the demo models; what they say is not compared, so engines that start at once do.
CATALOG = """
[[model]]
name = "whisper-demo"
engine = "stub"

[[model]]
name = "nmt-demo"
engine = "stub"
"""


@pytest.fixture(scope="session")
def embedded_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a `fanscribe up` of our own."""
    folder = tmp_path_factory.mktemp("stack")
    catalog = folder / "models.toml"
    catalog.write_text(CATALOG, encoding="utf-8")
    outside = {name: text for name, text in os.environ.items() if not name.startswith("FANSCRIBE")}
    environment = {
        **outside,
        "FANSCRIBE_CATALOG_FILE": str(catalog),
        "FANSCRIBE_CONCURRENCY": "1",
        "FANSCRIBE_PRIVATE_NETWORKS": "127.0.0.0/8",  # receivers of webhooks are on this machine
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "up", "--demo-models", "--port", "0",
         "--data-dir", str(folder / "data")],
        cwd=Path(__file__).parents[2], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield _address(process)
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout
        process.stdout.close()


def _address(process: subprocess.Popen[str]) -> str:
    """What the stack says of itself when it is up."""
    lines: Queue[str] = Queue()
    assert process.stdout
    output = process.stdout

    def read() -> None:
        for line in output:
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    heard = []
    while True:
        try:
            heard.append(lines.get(timeout=READY_WITHIN_S))
        except Empty:
            pytest.fail("the stack did not start: " + "".join(heard))
        if found := re.search(r"is up at (http://\S+)", heard[-1]):
            return found[1]
