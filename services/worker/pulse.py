"""A child of the pool tells that it lives, what it did and what it holds, by files that only its
parent reads.

The first file's time is the pulse: touching it needs no room on a disk that is full. Its text is
what the child has counted, written anew after each attempt, so that a kill loses none of it. The
second is there while the child asks for leases or holds them, and names their token.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from services import logs
from services.model.messages import Grant, Held, Report
from services.model.size import RATE
from services.model.stages import PrepareResult, TranscribeSpec
from services.model.values import Stored

FOLDER_VARIABLE = "FANSCRIBE_PULSE_FOLDER"
FOLDER_PREFIX = "fanscribe-pulse-"
SUFFIX = ".pulse"
HELD_SUFFIX = ".held"
EVERY_S = 3.0
_CLOSING = "closing"  # a file: nothing new is claimed from now on

log = logs.get(__name__)


class Tally(Stored):
    """What was done: attempts by `stage outcome class`, and by stage the seconds they took and
    the seconds of audio that they worked off."""

    attempts: dict[str, int] = Field(default_factory=dict)
    work_s: dict[str, float] = Field(default_factory=dict)
    audio_s: dict[str, float] = Field(default_factory=dict)

    def plus(self, other: Tally) -> Tally:
        return Tally(
            attempts={
                key: self.attempts.get(key, 0) + other.attempts.get(key, 0)
                for key in self.attempts | other.attempts
            },
            work_s=_sums(self.work_s, other.work_s),
            audio_s=_sums(self.audio_s, other.audio_s),
        )


class Holding(Stored):
    """What a child holds under a token: leases that it works on just now, and others."""

    token: str
    working: list[Held] = Field(default_factory=list)
    others: list[Held] = Field(default_factory=list)

    @property
    def leases(self) -> list[Held]:
        return [*self.working, *self.others]


def tally_of(grant: Grant, report: Report) -> Tally:
    """One attempt as it is counted; only work with a result has a speed."""
    stage = grant.spec.stage
    if report.released:
        return Tally(attempts={f"{stage} released ": 1})
    if report.failed is not None:
        return Tally(attempts={f"{stage} failed {report.failed.failure}": 1})
    audio = _audio_s(grant, report)
    return Tally(
        attempts={f"{stage} succeeded ": 1},
        work_s={stage: report.seconds or 0.0},
        audio_s={stage: audio} if audio else {},
    )


def _audio_s(grant: Grant, report: Report) -> float:
    if isinstance(report.result, PrepareResult):
        return report.result.seconds
    if isinstance(grant.spec, TranscribeSpec):
        return (grant.spec.part.end - grant.spec.part.start) / RATE
    return 0.0


def _sums(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {key: one.get(key, 0.0) + other.get(key, 0.0) for key in one | other}


class Pulse:
    """The child's side. Without a folder, as in tests of a runner alone, it keeps all to itself."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._path = folder / f"{os.getpid()}{SUFFIX}" if folder else None
        self._tally = Tally()

    @classmethod
    def from_environment(cls) -> Pulse:
        folder = os.environ.get(FOLDER_VARIABLE)
        return cls(Path(folder) if folder else None)

    def start(self) -> None:
        """Beats in a thread of its own from now on."""
        self._write()
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()

    def closing(self) -> bool:
        """Whether the worker was told to end: what is under way may finish, nothing begins."""
        return self._folder is not None and (self._folder / _CLOSING).exists()

    def count(self, grant: Grant, report: Report) -> None:
        self._tally = self._tally.plus(tally_of(grant, report))
        self._write()

    def asks(self, token: str) -> None:
        """A claim is on its way, and whoever dies now does not know what it won."""
        if self._path is not None:
            _put(self._path.with_suffix(HELD_SUFFIX), Holding(token=token).model_dump_json())

    def holds(self, token: str, working: Sequence[Held] = (), others: Sequence[Held] = ()) -> None:
        """What is to be called lost at once, and what handed back, should this process die."""
        if self._path is None:
            return
        path = self._path.with_suffix(HELD_SUFFIX)
        holding = Holding(token=token, working=list(working), others=list(others))
        if holding.leases:
            _put(path, holding.model_dump_json())
        else:
            path.unlink(missing_ok=True)

    def _beat(self) -> None:
        pause = threading.Event()
        while self._path is not None and not pause.wait(EVERY_S):
            try:
                os.utime(self._path)
            except OSError:
                self._write()  # somebody tidied the folder of temporary files

    def _write(self) -> None:
        if self._path is not None:
            _put(self._path, self._tally.model_dump_json())


def _put(path: Path, words: str) -> None:
    temporary = path.with_name(f"{path.name}.new")
    try:
        temporary.write_text(words, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        log.warning("pulse_not_written", reason=str(error))


def close(folder: Path) -> None:
    """The parent's word to its children that nothing new begins."""
    (folder / _CLOSING).touch()
