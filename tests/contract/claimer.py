"""Claim from a store until every job was won a number of times; also as a process that prints
what it won: `claimer.py ADDRESS NAME ATTEMPTS`."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from services.model.job import Job
from services.model.states import JobState
from services.settings import Settings
from task_manager.store.opening import open_store
from task_manager.store.protocol import JobChange, Store

THREADS = 4
Won = list[tuple[str, int]]


def drain(store: Store, name: str, attempts: int) -> Won:
    """The (job, attempt) of every claim that this one won; each is handed back until the last."""
    won: Won = []
    tokens = (f"{name}-{number:016}" for number in count())
    while True:
        some = store.claim(queue="q", models=[], node=name, token=next(tokens), limit=2)
        for job in some:
            won.append((job.id, job.attempt))
            _let_go(store, job, attempts)
        if not some and not store.has_open_jobs("t"):
            return won


def _let_go(store: Store, job: Job, attempts: int) -> None:
    fields = {"state": JobState.WAITING, "lease": None}
    if job.attempt == attempts:
        fields = {"state": JobState.SUCCEEDED, "open": False, "lease": None}
    change = JobChange(fields)
    moved = store.move_job(job.id, state=JobState.RUNNING, attempt=job.attempt, change=change)
    assert moved is not None, "somebody else moved a job that was won here"


def crowd(store: Store, name: str, attempts: int, threads: int) -> Won:
    """What so many threads won together."""
    with ThreadPoolExecutor(threads) as pool:
        names = [f"{name}{number}" for number in range(threads)]
        some = list(pool.map(lambda each: drain(store, each, attempts), names))
    return [win for wins in some for win in wins]


def main(address: str, name: str, attempts: str) -> None:
    store = open_store(Settings(store_url=address))
    for job, attempt in crowd(store, name, int(attempts), THREADS):
        print(job, attempt)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
