"""Kills a worker at the moment a message has left redis and nobody has heard of it yet.

Installed in every process of a stack whose topology names it as its `hook`. A file in the data
folder is one death: who takes a message first dies with it in its hands.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from kombu.transport import redis

FILE = "die-with-message"


def install() -> None:
    deliver: Any = redis.Transport._deliver  # noqa: SLF001  there is no word for this moment

    def die_or_deliver(self: Any, message: Any, queue: str) -> None:
        death = Path(os.environ["FANSCRIBE_DATA_DIR"]) / FILE
        try:
            death.unlink()
        except FileNotFoundError:
            deliver(self, message, queue)
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    redis.Transport._deliver = die_or_deliver  # type: ignore[method-assign]  # noqa: SLF001
