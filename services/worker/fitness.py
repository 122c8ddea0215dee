"""Whether a model's files are whole and enough, before a process loads it for the first time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from services import logs
from services.model.errors import FailureClass, JobFailed
from services.model_lock import (
    LOCK_FILE,
    ModelLock,
    damaged,
    lock_of,
    read_lock,
    seen_again,
    write_lock,
)

_whole: set[Path] = set()

log = logs.get(__name__)


def check_fitness(folder: Path, needed: Sequence[str] = ()) -> None:
    """Raises JobFailed, `model_incomplete` or `model_damaged`, which another node may not share.

    A model with a lock is held to it. That costs a look at each file; where a file's time is not
    that of the lock, as in a copy, it is read once, and the lock takes the new time if it can.
    """
    if folder in _whole:
        return
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise _unfit(
            "model_incomplete",
            f"The model in {folder} lacks {', '.join(missing)}, and nothing is fetched while a job "
            "runs. Pull it again: fanscribe models pull.",
        )
    lock = read_lock(folder)
    if lock is not None:
        if bad := damaged(folder, lock):
            raise _unfit("model_damaged", _damage(folder, lock, ", ".join(bad)))
        anew = seen_again(folder, lock)
        if anew != lock:
            log.info("model_hashed", folder=str(folder))
            with contextlib.suppress(OSError):  # read-only: the next process reads them again
                write_lock(folder, anew)
    _whole.add(folder)


def note_seen(folder: Path) -> None:
    """Writes down what a model is that came without a lock, now that it could be loaded: so it is
    noticed if it becomes another. One that cannot be written to stays as it is."""
    if (folder / LOCK_FILE).exists() or not os.access(folder, os.W_OK):
        return
    with contextlib.suppress(OSError):
        write_lock(folder, lock_of(folder))
        log.info("model_noted", folder=str(folder))


def _damage(folder: Path, lock: ModelLock, names: str) -> str:
    if lock.verified:
        return (
            f"The model in {folder} is damaged: {names} is not what was pulled. Pull it again: "
            "fanscribe models pull."
        )
    return (
        f"The model in {folder} is not the one that was loaded at first: {names} has changed. If "
        f"that was meant, remove {LOCK_FILE} there; else put it there again."
    )


def _unfit(code: str, message: str) -> JobFailed:
    return JobFailed(FailureClass.RESOURCE_EXHAUSTED, code, message)
