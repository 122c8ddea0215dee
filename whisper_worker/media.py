"""The worker's side of the decoder child: one persistent child, replaced when it dies."""

from __future__ import annotations

import json
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.model.errors import FailureClass, JobFailed

_LOOK_EVERY_S = 0.5
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Pcm:
    """What the decoder made: s16le, 16 kHz; one channel, or those that `channels` names (perhaps
    with nothing) one behind the other."""

    path: Path
    seconds: float
    declared_seconds: float | None
    coverage: float
    format: str
    warnings: list[str]
    gaps: list[tuple[float, float]]
    channels: list[str]


class DecoderDied(Exception):
    """The child ended in the middle of a file; `status` as Popen gives it."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"the decoder ended with status {status}")
        self.status = status


class Decoder:
    """Starts its child when it is first needed, or told to, and keeps it; for one thread."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Ahead of the first file, which else would wait for an interpreter to start."""
        self._living()

    def decode(
        self,
        source: Path,
        target: Path,
        max_seconds: float,
        *,
        tell: Callable[[float], None],
        apart: bool = False,
    ) -> Pcm:
        """Decodes `source` to `target`. `tell` is called twice a second at least, with how far
        it is (0…1), and may raise to stop it.

        Raises JobFailed with a code of the decoder. A file that kills two children is bad.
        """
        request = {
            "source": str(source),
            "target": str(target),
            "max_seconds": max_seconds,
            "apart": apart,
        }
        for _ in range(_TRIES):
            try:
                return _pcm(target, self._ask(request, tell))
            except DecoderDied as died:
                if died.status == -signal.SIGKILL:  # by the system, for its memory
                    raise JobFailed(
                        FailureClass.RESOURCE_EXHAUSTED,
                        "out_of_memory",
                        "The system ended the decoder, most likely for lack of memory.",
                    ) from died
        raise JobFailed(
            FailureClass.PERMANENT,
            "bad_media",
            "This file makes the decoder crash: convert it to WAV and upload it again.",
        )

    def close(self) -> None:
        """Ends the child."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def _ask(self, request: dict[str, Any], tell: Callable[[float], None]) -> dict[str, Any]:
        child = self._living()
        done = 0.0
        try:
            _send(child, request)
            while True:
                answer = _answer(child)
                if "fraction" in answer:
                    done = answer["fraction"]
                elif answer:
                    return answer
                tell(done)
        except BaseException:
            self.close()  # whatever it was at, the next file gets a fresh one
            raise

    def _living(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = subprocess.Popen(
                [sys.executable, "-m", "whisper_worker.decoder"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        return self._child


def _send(child: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    if child.stdin is None:
        raise RuntimeError("The decoder was started without a pipe.")
    try:
        child.stdin.write(json.dumps(request).encode() + b"\n")
    except BrokenPipeError as error:
        raise DecoderDied(child.wait()) from error


def _answer(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The next line, or nothing if none came in time."""
    if child.stdout is None:
        raise RuntimeError("The decoder was started without a pipe.")
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        if not selector.select(_LOOK_EVERY_S):
            return {}
    line = child.stdout.readline()
    if not line.endswith(b"\n"):
        raise DecoderDied(child.wait())
    answer: dict[str, Any] = json.loads(line)
    return answer


def _pcm(target: Path, answer: dict[str, Any]) -> Pcm:
    if "failed" in answer:
        failed = answer["failed"]
        raise JobFailed(FailureClass.PERMANENT, failed["code"], failed["message"])
    if "system" in answer:
        raise OSError(answer["system"]["errno"], answer["system"]["message"])
    done = answer["done"]
    return Pcm(
        path=target,
        seconds=done["seconds"],
        declared_seconds=done["declared_seconds"],
        coverage=done["coverage"],
        format=done["format"],
        warnings=done["warnings"],
        gaps=[(start, end) for start, end in done["gaps"]],
        channels=done["channels"],
    )
