"""What espeak-ng says depends on what it said before: here nothing was."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context
from typing import Any


def by_a_fresh_voice(speak: Callable[..., Any], lines: list[tuple[object, ...]]) -> list[Any]:
    """What `speak` makes of each line, in a process of its own."""
    with get_context("spawn").Pool(1) as fresh:
        return fresh.starmap(speak, lines)
