"""The page that leads to the first pack, followed on this machine: a hub, a pull, a stack, a pack.

The hub gives out the demo model under the name of a real one, so what is heard is right; all else
is as it would be. Blocks marked `elsewhere` need a GPU or the world.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest
from pages import ROOT, blocks

sys.path.insert(0, str(ROOT / "tests" / "installing"))

from hub_server import HubServer, Revision

PAGE = ROOT / "docs" / "real-models.md"
DEMO = ROOT / "demo" / "models" / "whisper-demo"
WITHIN_S = 120.0


@pytest.fixture(scope="module")
def hub() -> Iterator[HubServer]:
    server = HubServer()
    files = {path.name: path.read_bytes() for path in DEMO.iterdir()}
    server.revisions["Systran/faster-whisper-small", "main"] = Revision(files)
    yield server
    server.close()


@pytest.fixture(scope="module")
def environment(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """That of a person who has just installed Fanscribe, with a hub nearby."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("FANSCRIBE_", "HF_"))
    }
    return {
        **kept,
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}",
        "HF_ENDPOINT": hub.endpoint,
        "FANSCRIBE_PORT": "0",
        "FANSCRIBE_WORKER_PORT": "0",
        "FANSCRIBE_CONCURRENCY": "1",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }


@pytest.fixture(scope="module")
def follow(environment: dict[str, str]) -> Callable[..., str]:
    """Runs the block of the page that has these words; what it printed."""

    def run(words: str, **more: str) -> str:
        (block,) = [each for each in blocks(PAGE, "sh") if words in each.text and not each.info]
        done = subprocess.run(
            ["bash", "-ec", block.text], env={**environment, **more}, cwd=environment["HOME"],
            capture_output=True, text=True, check=False, timeout=WITHIN_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def stack(environment: dict[str, str], follow: Callable[..., str]) -> Iterator[str]:
    """The address of what `fanscribe up` started, once the model was pulled."""
    follow("fanscribe models pull small\n")
    (block,) = [each for each in blocks(PAGE, "sh") if each.text == "fanscribe up"]
    process = subprocess.Popen(
        ["bash", "-c", f"exec {block.text}"], env=environment, cwd=environment["HOME"], text=True,
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
    lines: Queue[str] = Queue()
    assert process.stdout
    output = process.stdout
    threading.Thread(target=lambda: [lines.put(line) for line in output], daemon=True).start()
    said = ""
    try:
        while not (found := re.search(r"up at (http\S+)", said)):
            said += lines.get(timeout=WITHIN_S)
    except Empty:
        pytest.fail(f"the stack did not come up: {said}")
    return found[1]


def test_before_the_first_pull_it_says_what_to_run(environment: dict[str, str]) -> None:
    home = Path(environment["HOME"]) / "nothing"
    home.mkdir()
    done = subprocess.run(
        ["fanscribe", "up"], env={**environment, "HOME": str(home)}, capture_output=True,
        text=True, check=False, timeout=WITHIN_S,
    )  # fmt: skip
    assert done.returncode == 1
    assert "fanscribe models pull small" in done.stderr


def test_the_page_leads_to_a_pack(
    environment: dict[str, str], follow: Callable[..., str], stack: str
) -> None:
    shutil.copyfile(ROOT / "demo" / "sample" / "1.mp3", Path(environment["HOME"]) / "talk.mp3")
    said = json.loads(follow("fanscribe submit talk.mp3", FANSCRIBE_URL=stack))
    assert "three coins" in said["en"]["talk"]["A"]
    listed = subprocess.run(
        ["fanscribe", "list", "--json"], env={**environment, "FANSCRIBE_URL": stack},
        capture_output=True, text=True, check=True, timeout=WITHIN_S,
    )  # fmt: skip
    (task,) = json.loads(listed.stdout)
    said = follow("fanscribe subtitles", FANSCRIBE_URL=stack, TASK=task["id"])
    assert said.startswith("1\n00:00:0")


def test_the_page_shows_the_pulled_model(follow: Callable[..., str], stack: str) -> None:
    said = follow("fanscribe models list --here")
    row = next(line for line in said.splitlines() if line.startswith("small  "))
    assert re.search(r"installed +[0-9a-f]{12} *$", row)


def test_a_packed_model_is_brought_to_another_machine(
    environment: dict[str, str], hub: HubServer, follow: Callable[..., str], stack: str
) -> None:
    follow("tar -C")
    asked = len(hub.seen)
    other = Path(environment["HOME"]) / "elsewhere"
    said = follow("--from small.tar", FANSCRIBE_DATA_DIR=str(other))
    assert "small at c0ffee" in said
    assert "no hashes" not in said
    assert (other / "models" / "small" / "model.bin").is_file()
    assert len(hub.seen) == asked
