"""The store's time: the host's clock, but never set back while the machine is up.

What is due stands in the file as a time of day. Were the host's clock set back, all of it would
have to wait until that time comes again. So every write keeps, in its own transaction, by how much
the host's clock is ahead of the machine's time since boot, and that never falls until the next
boot. A clock that was ahead for a while leaves the store ahead of it; nothing waits for that.
"""

from __future__ import annotations

import sqlite3
import time
from functools import cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_JITTER_S = 0.5  # a step that is smaller is not worth a write

CREATE = "CREATE TABLE clock (boot TEXT PRIMARY KEY NOT NULL, booted_at REAL NOT NULL)"
_READ = "SELECT booted_at FROM clock WHERE boot = ?"
_KEEP = (
    "INSERT INTO clock (boot, booted_at) VALUES (?, ?)"
    " ON CONFLICT (boot) DO UPDATE SET booted_at = max(booted_at, excluded.booted_at)"
)
_FORGET = "DELETE FROM clock WHERE boot != ?"


def now(connection: sqlite3.Connection) -> float:
    """Seconds since 1970."""
    wall = time.time()
    boot = boot_id()
    kept = connection.execute(_READ, (boot,)).fetchone() if boot else None
    return wall if kept is None else max(wall, kept[0] + _up_s())


def keep(connection: sqlite3.Connection) -> None:
    """To be called in every transaction that may write a time."""
    boot = boot_id()
    if not boot:
        return
    booted_at = time.time() - _up_s()
    kept = connection.execute(_READ, (boot,)).fetchone()
    if kept is None:
        connection.execute(_FORGET, (boot,))
    if kept is None or booted_at > kept[0] + _JITTER_S:
        connection.execute(_KEEP, (boot, booted_at))


@cache
def boot_id() -> str:
    """Empty where the system does not say; then the host's clock is believed as it is."""
    try:
        return _BOOT.read_text().strip() if hasattr(time, "CLOCK_BOOTTIME") else ""
    except OSError:
        return ""


def _up_s() -> float:
    """Seconds since boot, those in which the machine slept included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
