"""A process that claims from the store at an address until nothing is left, and prints what it
won: `claimer.py ADDRESS NAME`."""

from __future__ import annotations

import sys
from itertools import count

from services.settings import Settings
from task_manager.store.opening import open_store


def main(address: str, name: str) -> None:
    store = open_store(Settings(store_url=address))
    for number in count():
        token = f"{name}-{number:016}"
        won = store.claim(queue="q", models=[], node=name, token=token, limit=2)
        if not won:
            break
        for job in won:
            print(job.id)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
