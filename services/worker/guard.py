"""Refuses to start a pool in which children would inherit a model: they would hang in it.

CTranslate2, onnxruntime and CUDA do not survive a fork, and a parent that has loaded them would
also hold their memory for nothing. Children are fresh interpreters, and they alone load models.
"""

from __future__ import annotations

import sys
from collections.abc import Container

from services.model.errors import FanscribeError

ENGINES = ("ctranslate2", "onnxruntime", "faster_whisper", "torch")


class UnsafeStart(FanscribeError):
    """This process may not start children; the message says what to change."""


def refuse_unsafe_start(start_method: str, modules: Container[str] = sys.modules) -> None:
    """Raises UnsafeStart before the pool exists."""
    if start_method != "spawn":
        raise UnsafeStart(
            f"The pool would start its children by {start_method!r}. Engines hang in a process "
            "that was forked: set worker_pool_start_method to 'spawn'."
        )
    loaded = [name for name in ENGINES if name in modules]
    if loaded:
        raise UnsafeStart(
            f"The worker's parent has imported {', '.join(loaded)}. Engines hang in children of "
            "such a process: import them in the functions that use them, never at the top of a "
            "module that the parent reads."
        )
