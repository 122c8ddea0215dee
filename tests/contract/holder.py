"""A process that does to an SQLite file what others may do: `holder.py KIND PATH`.

`lock` keeps the write lock until its input ends. `write` is in the midst of a large transaction
when it says so. `limit` writes tasks under a limit of the file size, until it is refused.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
from itertools import count
from pathlib import Path

from store_factories import a_task

from services.model.errors import RequestRefused
from task_manager.store.sqlite import SqliteStore

ROOM = 3_000_000  # bytes


def lock(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    print("locked", flush=True)
    sys.stdin.read()
    connection.execute("COMMIT")


def write(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 10")  # pages, so that much is in the log already
    connection.execute("BEGIN IMMEDIATE")
    for number in range(2_000):
        row = (f"half {number}", "x" * 1_000)
        connection.execute("INSERT INTO uploads (key, doc) VALUES (?, ?)", row)
    print("writing", flush=True)
    sys.stdin.read()


def limit(path: str) -> None:
    store = SqliteStore(Path(path))
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))
    try:
        for number in count():
            store.insert_task(a_task(f"{number:06}", metadata={"filling": "x" * 2_000}))
            print(f"{number:06}", flush=True)
    except RequestRefused as error:
        print(type(error).__name__, flush=True)


if __name__ == "__main__":
    {"lock": lock, "write": write, "limit": limit}[sys.argv[1]](sys.argv[2])
