"""One process of the stack under test, with all it starts: killed, frozen, ended, started again.

Linux only: it reads /proc.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from services import lifeline

MARK = "FANSCRIBE_BENCH"  # in the environment of all that a stack starts
_PATIENCE_S = 30.0
# A child ends with the *thread* that started it, so one that stays starts them all.
_STARTER = ThreadPoolExecutor(1, thread_name_prefix="starter")


def inherited() -> dict[str, str]:
    """What every part gets of this process's environment. A manager that is installed finds its
    bytecode on the disk; where Python may not write any, every start would compile it anew."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FANSCRIBE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


class TookTooLong(Exception):
    """The bench waited in vain; the message says for what."""


def wait_for(what: str, look: Callable[[], object], patience_s: float = _PATIENCE_S) -> None:
    """Returns as soon as `look` finds something true; raises TookTooLong."""
    end = time.monotonic() + patience_s
    while not look():
        if time.monotonic() > end:
            raise TookTooLong(f"waited {patience_s:.0f} s in vain for {what}")
        time.sleep(0.05)


@dataclass
class Part:
    """A process by its name in the stack; it leads a session of its own."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = field(default=0)

    @property
    def pid(self) -> int:
        """Raises TookTooLong where it was never started."""
        if self.process is None:
            raise TookTooLong(f"{self.name} was never started")
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        if not self.alive:
            self.process = _STARTER.submit(self._spawn).result()
            self.starts += 1

    def _spawn(self) -> subprocess.Popen[bytes]:
        own = {lifeline.PARENT_VARIABLE: str(os.getpid())}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command,
                env={**self.environment, **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """kill -9 for it and all its children at once; returns when they are gone."""
        if self.process is None or self.process.returncode is not None:
            return
        family = [self.pid, *self.family()]
        for pid in family:
            _signal(pid, signal.SIGKILL)
        self.process.wait(_PATIENCE_S)
        wait_for(f"the end of {self.name}", lambda: not any(lives(pid) for pid in family))

    def behead(self) -> list[int]:
        """kill -9 for the process alone; the pids of its children, which should end by
        themselves."""
        orphans = self.family()
        _signal(self.pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait(_PATIENCE_S)
        return orphans

    def kill_child(self, rng: random.Random, word: str = "spawn_main") -> int | None:
        """kill -9 for one direct child whose command line holds this word; its pid."""
        found = [pid for pid in children(self.pid) if word in command(pid)]
        if not found:
            return None
        chosen = rng.choice(sorted(found))
        _signal(chosen, signal.SIGKILL)
        return chosen

    def freeze(self) -> None:
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def term(self, grace_s: float = _PATIENCE_S) -> float:
        """TERM to the process itself, as an init system does; how many seconds it took.

        Raises TookTooLong, after a kill, if it did not end within the grace.
        """
        began = time.monotonic()
        if self.process is not None and self.alive:
            self.process.terminate()
            try:
                self.process.wait(grace_s)
            except subprocess.TimeoutExpired as error:
                self.kill()
                raise TookTooLong(f"{self.name} did not end {grace_s:.0f} s after TERM") from error
        return time.monotonic() - began

    def family(self) -> list[int]:
        """Its descendants, and what else is in its session."""
        own = self.pid
        found = set(descendants(own)) | {pid for pid in _all() if _stat(pid, 3) == own}
        return sorted(found - {own})

    def _signal_all(self, number: int) -> None:
        if self.alive:
            for pid in [self.pid, *self.family()]:
                _signal(pid, number)


def tied(command: list[str]) -> list[str]:
    """A program that is not ours, ended with the bench all the same."""
    return [sys.executable, str(Path(__file__).with_name("tied.py")), *command]


def leftovers(mark: str) -> list[int]:
    """The processes that a stack with this mark has started and that still live; one that writes
    its title over its environment, as redis does, is not found this way."""
    needle = f"{MARK}={mark}".encode()
    found = []
    for pid in _all():
        with contextlib.suppress(OSError):
            if needle in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") and lives(pid):
                found.append(pid)
    return found


def children(pid: int) -> list[int]:
    return [each for each in _all() if _stat(each, 1) == pid]


def end(pids: list[int]) -> None:
    """kill -9 for each."""
    for pid in pids:
        _signal(pid, signal.SIGKILL)


def usage(pid: int) -> tuple[int, int]:
    """Resident memory in KB and open file descriptors of a process; zeros where it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * 4, len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208  names only
    except OSError:
        return 0, 0


def descendants(pid: int) -> Iterator[int]:
    for child in children(pid):
        yield child
        yield from descendants(child)


def _all() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _stat(pid: int, number: int) -> int:
    """A field of /proc/PID/stat after the name (0 the state, 1 the parent, 3 the session)."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[number])
    except (OSError, ValueError, IndexError):
        return -1


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (OSError, UnicodeDecodeError):
        return ""


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
