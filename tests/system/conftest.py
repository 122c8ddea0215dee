"""The stack as a person starts it: real processes on free ports, ended by their own ids."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
PATIENCE_S = 90.0
FAST = {  # a rhythm for tests: the same code, less waiting
    "FANSCRIBE_BEAT_EVERY_S": "0.5",
    "FANSCRIBE_LOST_AFTER_S": "3",
    "FANSCRIBE_TICK_EVERY_S": "0.2",
    "FANSCRIBE_ANNOUNCE_AGAIN_S": "2",
    "FANSCRIBE_EXPAND_AFTER_S": "0.5",
    "FANSCRIBE_RETRY_SCALE": "0.01",
    "FANSCRIBE_CONCURRENCY": "1",
    "FANSCRIBE_STUB_MODELS": "true",
    "FANSCRIBE_WORKER_PORT": "0",
}
UP = ["up", "--port", "0"]


def clean_environment(**more: str) -> dict[str, str]:
    """This environment without any setting of Fanscribe but those given."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("FANSCRIBE_")}
    return {**kept, "PYTHONSAFEPATH": "1", "COLUMNS": "120", "NO_COLOR": "1", **more}


def wait_for(what: str, look: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """Looks until it finds something true; fails with `what` otherwise."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"waited {patience_s:.0f} s in vain for {what}")


@dataclass(frozen=True)
class Proc:
    """A process by id and start time, so that a reused id is somebody else."""

    pid: int
    started: str
    command: str

    @classmethod
    def at(cls, pid: int) -> Proc | None:
        try:
            about = Path(f"/proc/{pid}/stat").read_text()
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            return None
        fields = about.rpartition(")")[2].split()
        return None if fields[0] == "Z" else cls(pid, fields[19], command)

    def lives(self) -> bool:
        return Proc.at(self.pid) == self

    def children(self) -> list[Proc]:
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            child = Proc.at(int(path.parent.name)) if parent == self.pid else None
            if child is not None:
                found.append(child)
        return found

    def family(self) -> list[Proc]:
        """Its descendants, grandchildren included."""
        return [each for child in self.children() for each in (child, *child.family())]


@dataclass
class Program:
    """A running `fanscribe …` with all it has printed so far."""

    process: subprocess.Popen[str]
    environment: dict[str, str]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def proc(self) -> Proc:
        found = Proc.at(self.process.pid)
        assert found is not None, f"it ended: {''.join(self.lines)}"
        return found

    def said(self, pattern: str) -> re.Match[str]:
        """The first line that fits, as soon as it is there."""

        def look() -> re.Match[str] | None:
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found
            assert self.process.poll() is None, f"it ended: {''.join(self.lines)}"
            return None

        found = wait_for(f"a line with {pattern}", look)
        assert found is not None
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends the signal, if it still runs, and waits; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@dataclass
class Stack(Program):
    """`fanscribe up`, and the client's commands against it."""

    data_dir: Path = Path()
    url: str = ""

    def wait_until_up(self) -> Stack:
        self.url = self.said(r"Fanscribe is up at (\S+)").group(1)
        return self

    def run(self, *words: str, status: int = 0) -> str:
        """The output of one command; its exit code must be `status`."""
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", *words],
            env={**self.environment, "FANSCRIBE_URL": self.url},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *words: str, status: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", status=status))

    def child(self, word: str) -> Proc:
        """The direct child whose command line holds this word."""
        return next(each for each in self.proc.children() if word in each.command)


@pytest.fixture
def start_program() -> Iterator[Callable[..., Program]]:
    """Starts `fanscribe WORDS…`; all of them are ended after the test, with their families."""
    started: list[tuple[Program, Proc]] = []

    def start(kind: type[Program], *words: str, env: dict[str, str], **more: Any) -> Program:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", *words],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        program = kind(process, env, **more)
        started.append((program, program.proc))
        return program

    yield start
    for program, proc in started:
        family = proc.family() if proc.lives() else []
        program.end(signal.SIGTERM)
        if program.process.stdout is not None:
            program.process.stdout.close()
        for each in family:
            if each.lives():
                os.kill(each.pid, signal.SIGKILL)


@pytest.fixture
def stub_stack(start_program: Callable[..., Any], tmp_path: Path) -> Callable[..., Stack]:
    """Starts `fanscribe up` with the stub models; again with the same folder goes on there."""

    def start(data_dir: Path | None = None, **settings: str) -> Stack:
        folder = data_dir or tmp_path / "data"
        env = clean_environment(**{**FAST, **settings})
        stack: Stack = start_program(
            Stack, *UP, "--data-dir", str(folder), env=env, data_dir=folder
        )
        return stack.wait_until_up()

    return start


@pytest.fixture
def demo_stack(start_program: Callable[..., Any], tmp_path: Path) -> Stack:
    """`fanscribe up` with the demo models that really hear."""
    env = clean_environment(**{**FAST, "FANSCRIBE_STUB_MODELS": "false"})
    folder = tmp_path / "data"
    words = [*UP, "--demo-models", "--data-dir", str(folder)]
    stack: Stack = start_program(Stack, *words, env=env, data_dir=folder)
    return stack.wait_until_up()


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A WAV file of that name with a few seconds of speech in it."""
    from demo import speech
    from demo.grammar import sentences

    folder = tmp_path_factory.mktemp("spoken")
    voice = speech.voices("en", held_out=True)[0]
    clips = [
        speech.speak(each.text("en"), "en", voice) for each in sentences(3, seed=7, held_out=True)
    ]
    audio, _ = speech.join(clips, [0.4] * (len(clips) + 1))

    def write(name: str) -> Path:
        path = folder / f"{name}.wav"
        speech.write_wav(path, audio)
        return path

    return write
