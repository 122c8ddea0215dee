"""What this machine, or the container that we are in, has left: memory and disk."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_GUESS = 4 * 1024**3  # where nobody says
_CGROUP = Path("/sys/fs/cgroup")
_M_MMAP_THRESHOLD = -3  # of malloc.h
_LARGE = 1024**2
_MOST = 2**31 - 1  # that can be asked for in a running process


def free_memory_bytes(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = _CGROUP) -> int:
    """Of the machine, or of the container if that is less; a guess where neither says.

    A container is charged for the files that it has read and written, which the kernel gives
    back when memory is wanted: they count as free, as they do in the machine's MemAvailable.
    """
    amounts = []
    available = _numbers(meminfo).get("MemAvailable:")
    if available is not None:
        amounts.append(available * 1024)
    limit = text_of(cgroup / "memory.max").strip()
    used = text_of(cgroup / "memory.current").strip()
    if limit.isdigit() and used.isdigit():
        stat = _numbers(cgroup / "memory.stat")
        files = stat.get("inactive_file", 0) + stat.get("active_file", 0)
        amounts.append(max(0, int(limit) - max(0, int(used) - files)))
    return min(amounts, default=_GUESS)


def free_disk_bytes(folder: Path) -> int:
    """On the disk of the folder, or of the nearest one above it that is there."""
    there = next(each for each in (folder, *folder.parents) if each.is_dir())
    return shutil.disk_usage(there).free


def give_back_memory() -> None:
    """What was freed goes back to the kernel. The allocator of a worker's children keeps it all,
    as they are started so that it does; other C libraries decide for themselves."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
        if trim is not None:
            trim(0)


@contextmanager
def large_blocks_apart() -> Iterator[None]:
    """While a model loads, each of its tensors is read, converted and packed, and each time the
    one before is freed. Where the allocator was told to keep what is freed, large blocks go back
    to the kernel nevertheless until this ends; small ones are kept as they were told."""
    told = re.findall(r"mmap_threshold=(\d+)", os.environ.get("GLIBC_TUNABLES", ""))
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if told else None
    if mallopt is None:
        yield
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE)
    try:
        yield
    finally:
        mallopt(_M_MMAP_THRESHOLD, min(int(told[-1]), _MOST))


def text_of(path: Path) -> str:
    """A file of the kernel's; empty where there is none."""
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def _numbers(path: Path) -> dict[str, int]:
    """Its lines of a name and a number."""
    words = [line.split() for line in text_of(path).splitlines()]
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdigit()}
