"""Whether a model's files are whole and enough, before a process loads it for the first time."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from services import logs
from services.model.errors import FailureClass, JobFailed
from services.model_lock import damaged, read_lock, seen_again, write_lock

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
            raise _unfit(
                "model_damaged",
                f"The model in {folder} is damaged: {', '.join(bad)} is not what was pulled. Pull "
                "it again: fanscribe models pull.",
            )
        anew = seen_again(folder, lock)
        if anew != lock:
            log.info("model_hashed", folder=str(folder))
            with contextlib.suppress(OSError):  # read-only: the next process reads them again
                write_lock(folder, anew)
    _whole.add(folder)


def _unfit(code: str, message: str) -> JobFailed:
    return JobFailed(FailureClass.RESOURCE_EXHAUSTED, code, message)
