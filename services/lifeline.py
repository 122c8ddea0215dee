"""A process ends when the one that started it ends, however that one ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PARENT_VARIABLE = "FANSCRIBE_PARENT_PID"
_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int | None = None) -> None:
    """From now on this process is killed when its parent is gone, kill -9 included.

    `parent` is who the parent should be: if it went before we came this far, we go at once.
    On Linux the kernel does it, and it holds through an exec; note that it means the parent's
    *thread* which started us, so start children from a thread that stays. Elsewhere a thread
    looks twice a second.
    """
    expected = parent or os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(expected,), daemon=True).start()
    if os.getppid() != expected:
        os._exit(1)


def adopt_from_environment() -> None:
    """Does so if a supervisor asked for it by `FANSCRIBE_PARENT_PID`.

    The variable is meant for this process alone, so its own children do not see it.
    """
    parent = os.environ.pop(PARENT_VARIABLE, "")
    if parent.isdigit():
        end_with_parent(int(parent))


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
