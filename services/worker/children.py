"""What the parent knows of its children: how many live, what they did, which one stands still.

No clock is compared with another's: a child lives when its file has changed since the parent
last looked, by the parent's own monotonic clock.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from services import logs
from services.worker.pulse import FOLDER_PREFIX, HELD_SUFFIX, SUFFIX, Holding, Tally

_LOOK_EVERY_S = 1.0
_GAP_S = 10.0  # a longer one in our own looking says that we slept, not they

log = logs.get(__name__)


@dataclass(slots=True)
class _Child:
    """`signature` is the file's time as last seen, `at` when it changed (monotonic seconds)."""

    signature: int
    at: float
    tally: Tally


class Children:
    """The parent's side of the pulse. `fresh_s` is how long a child counts as alive after a
    beat; one that lives but beat no more for `frozen_s` is killed, as its slot is lost and its
    lease taken by then. `mourn` is told what a child held that died; it must not block."""

    def __init__(
        self,
        folder: Path,
        *,
        fresh_s: float = 12.0,
        frozen_s: float = 60.0,
        now: Callable[[], float] = time.monotonic,
        mourn: Callable[[Holding], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._mourn = mourn
        self._fresh_s = fresh_s
        self._frozen_s = frozen_s
        self._now = now
        self._children: dict[int, _Child] = {}
        self._past = Tally()  # of those that are gone
        self._lock = threading.Lock()
        self._looked_at = self._alive_at = now()
        self._alive = 0

    def start(self) -> None:
        threading.Thread(target=self._live, name="children", daemon=True).start()

    @property
    def alive(self) -> int:
        """How many can work."""
        return self._alive

    @property
    def none_since_s(self) -> float:
        """For how long there has been none; 0 while there is one."""
        return 0.0 if self._alive else self._now() - self._alive_at

    def tally(self) -> Tally:
        """All that was ever done by this worker's children."""
        with self._lock:
            total = self._past
            for child in self._children.values():
                total = total.plus(child.tally)
            return total

    def look(self) -> None:
        """Reads what changed, forgets the dead, ends those that stand still."""
        with self._lock:
            now = self._now()
            slept, self._looked_at = now - self._looked_at > _GAP_S, now
            for path in self._folder.glob(f"*{SUFFIX}"):
                self._read(path, now)
            for pid in [pid for pid in self._children if not lives(pid)]:
                self._forget(pid)
            for child in self._children.values() if slept else ():
                child.at = now
            self._end_the_frozen(now)
            ages = [now - child.at for child in self._children.values()]
            self._alive = sum(age <= self._fresh_s for age in ages)
            if self._alive:
                self._alive_at = now

    def _read(self, path: Path, now: float) -> None:
        try:
            signature = path.stat().st_mtime_ns
            pid = int(path.stem)
            known = self._children.get(pid)
            if known is None or known.signature != signature:
                tally = Tally.model_validate_json(path.read_bytes())
                self._children[pid] = _Child(signature, now, tally)
        except (OSError, ValueError, ValidationError):
            return  # written at this moment; the next look reads it

    def _forget(self, pid: int) -> None:
        path = self._folder / f"{pid}{SUFFIX}"
        self._read(path, self._now())
        self._past = self._past.plus(self._children.pop(pid).tally)
        path.unlink(missing_ok=True)
        held = path.with_suffix(HELD_SUFFIX)
        try:
            last = Holding.model_validate_json(held.read_bytes())
        except (OSError, ValidationError):
            return  # it held nothing
        held.unlink(missing_ok=True)
        self._mourn(last)

    def _end_the_frozen(self, now: float) -> None:
        for pid, child in self._children.items():
            if now - child.at > self._frozen_s:
                log.error("child_frozen", pid=pid, silent_s=round(now - child.at))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                child.at = now  # once is enough; were it not, the next round comes

    def _live(self) -> None:
        pause = threading.Event()
        while not pause.wait(_LOOK_EVERY_S):
            try:
                self.look()
            except Exception:  # nobody else looks after the children
                log.exception("children_look_failed")


def make_folder() -> Path:
    """Where the children of this process put their files."""
    return Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-"))


def tidy(prefix: str) -> None:
    """Removes temporary folders, named by prefix and process, whose process is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        pid = folder.name.removeprefix(prefix).split("-")[0]
        if pid.isdigit() and not lives(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
