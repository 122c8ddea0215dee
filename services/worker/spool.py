"""Last words on disk: a report is written down before it is offered, and kept until it is taken.

Whoever holds the lock on a file offers it. A file without a holder was left by a process that
died, and any worker on this disk may adopt it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from services.model.messages import Finish

KEEP_S = 24 * 3600.0
_SUFFIX = ".finish.json"


@dataclass(slots=True)
class Spooled:
    """A report that this process holds; `written_at` is the file's time (seconds since 1970)."""

    finish: Finish
    path: Path | None
    written_at: float
    _file: BinaryIO

    @classmethod
    def in_memory(cls, finish: Finish) -> Spooled:
        """Where the disk takes nothing: offered as long as this process lives."""
        return cls(finish, None, time.time(), BytesIO())

    @property
    def expired(self) -> bool:
        return time.time() - self.written_at > KEEP_S

    def rewrite(self, finish: Finish) -> None:
        """Replaces the words, in place: the lock stays with the file."""
        self.finish = finish
        self._file.seek(0)
        self._file.truncate()
        _write(self._file, finish.model_dump_json(exclude_defaults=True))

    def drop(self) -> None:
        """It was taken, or nobody wants it."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def let_go(self) -> None:
        """Leaves it to whoever adopts it."""
        self._file.close()


class Spool:
    """A folder of reports, one file each; shared by all workers of a machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def write(self, finish: Finish) -> Spooled:
        report = finish.reports[0]
        name = f"{finish.token}-{time.monotonic_ns()}"
        temporary = self._folder / f".{name}"
        file = temporary.open("x+b")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before anyone can see it
        _write(file, finish.model_dump_json(exclude_defaults=True))
        os.fsync(file.fileno())
        path = self._folder / f"{name}-{report.attempt}{_SUFFIX}"
        temporary.replace(path)
        return Spooled(finish, path, time.time(), file)

    def count(self) -> int:
        """How many reports lie here."""
        return sum(1 for _ in self._folder.glob(f"*{_SUFFIX}"))

    def said(self, token: str) -> set[str]:
        """The jobs whose last word by the holder of this token lies here."""
        found: set[str] = set()
        for path in self._folder.glob(f"{token}-*{_SUFFIX}"):
            with contextlib.suppress(OSError, ValidationError):  # taken meanwhile, or cut short
                finish = Finish.model_validate_json(path.read_bytes())
                found |= {report.job for report in finish.reports}
        return found

    def adopt(self) -> Iterator[Spooled]:
        """Every report that nobody holds, held by us from now on."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            held = _hold(path)
            if held is not None:
                yield held


def _write(file: BinaryIO, words: str) -> None:
    file.write(words.encode())
    file.flush()


def _hold(path: Path) -> Spooled | None:
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return None  # its holder was quicker
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finish = Finish.model_validate_json(file.read(), extra="ignore")  # of any release
        return Spooled(finish, path, path.stat().st_mtime, file)
    except ValidationError:
        path.unlink(missing_ok=True)  # cut short by a full disk: the lease will run out
    except OSError:
        pass  # held, or dropped while we looked
    file.close()
    return None
