"""One process under the supervisor: started, watched, started again with patience, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services import lifeline

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
_HEALTHY_AFTER_S = 60.0  # one that ran this long starts anew with the first wait
_KEEP_LOG_BYTES = 10 * 1024**2


@dataclass(slots=True)
class Child:
    """`starts_at` is when it may start again (monotonic seconds) after it died."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log_file: Path
    process: subprocess.Popen[bytes] | None = None
    starts_at: float | None = None
    _wait_s: float = FIRST_WAIT_S
    _started_at: float = 0.0
    _read_to: int = field(default=0)

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Starts it in a session of its own, so that a Ctrl-C at the terminal reaches only the
        supervisor, which then stops all in order."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > _KEEP_LOG_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        environment = {**self.environment, lifeline.PARENT_VARIABLE: str(os.getpid())}
        with self.log_file.open("ab") as log:
            self._read_to = log.tell()
            self.process = subprocess.Popen(  # noqa: S603  our own commands
                self.command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started_at = time.monotonic()
        self.starts_at = None

    def died(self) -> str | None:
        """How it ended, told once; None while it runs or waits for its next start."""
        if self.process is None or self.process.poll() is None:
            return None
        how = _in_words(self.process.returncode)
        self.process = None
        now = time.monotonic()
        if now - self._started_at > _HEALTHY_AFTER_S:
            self._wait_s = FIRST_WAIT_S
        self.starts_at = now + self._wait_s
        self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)
        return how

    def is_due(self) -> bool:
        return self.starts_at is not None and time.monotonic() >= self.starts_at

    def end(self, grace_s: float) -> None:
        """TERM, then KILL to its whole session after `grace_s`."""
        self.starts_at = None
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def last_lines(self, count: int = 5) -> list[str]:
        """The end of what it wrote since it was started."""
        if not self.log_file.exists():
            return []
        with self.log_file.open("rb") as log:
            log.seek(self._read_to)
            lines = deque(log.read().decode(errors="replace").splitlines(), maxlen=count)
        return [line for line in lines if line.strip()]


def _in_words(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
