"""How many jobs this machine can run at once: by cores, by memory, by GPU."""

from __future__ import annotations

import os
from pathlib import Path

from services.machine import free_memory_bytes, text_of
from services.settings import Settings

_MB = 1024 * 1024
_CHILD_MB = 150  # an interpreter with its libraries, before any model
_GPU_DEVICES = "nvidia[0-9]*"


def children(settings: Settings, footprint_mb: int) -> int:
    """P one-thread children beat one child with P threads, so: as many as fit; a GPU has one."""
    if settings.concurrency:
        return settings.concurrency
    if on_gpu(settings):
        return 1
    fitting = free_memory_mb() // (footprint_mb + _CHILD_MB)
    return max(1, min(cores(), fitting))


def on_gpu(settings: Settings) -> bool:
    seen = any(Path("/dev").glob(_GPU_DEVICES))
    return settings.device == "cuda" or (settings.device == "auto" and seen)


def cores() -> int:
    """The cores this process may use, by affinity and by the container's quota."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    count = available or os.cpu_count() or 1
    quota, _, period = text_of(Path("/sys/fs/cgroup/cpu.max")).partition(" ")
    if quota.isdigit() and period.strip().isdigit():
        count = min(count, max(1, int(quota) // int(period)))
    return count


def free_memory_mb() -> int:
    """What the machine has left, or the container if that is less."""
    return free_memory_bytes() // _MB


def memory_for_models(settings: Settings) -> int | None:
    """What a model may take just now; a GPU's memory is not known here."""
    return None if on_gpu(settings) else free_memory_mb()
