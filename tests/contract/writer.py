"""A process that writes tasks to the store at an address for ever, and prints the id of each one
after the store has acknowledged it: `writer.py ADDRESS`."""

from __future__ import annotations

import sys
from itertools import count

from store_factories import a_task

from services.settings import Settings
from task_manager.store.opening import open_store


def main(address: str) -> None:
    store = open_store(Settings(store_url=address))
    for number in count():
        store.insert_task(a_task(f"{number:06}", metadata={"filling": "x" * 2000}))
        print(f"{number:06}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
