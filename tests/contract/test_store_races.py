"""Many threads and processes want the same jobs: each attempt has one winner."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from claimer import Won, crowd
from store_factories import a_job

from services.model.states import JobState
from task_manager.store.protocol import Store

CLAIMER = Path(__file__).with_name("claimer.py")
ATTEMPTS = 10

of_all_sizes = pytest.mark.parametrize(
    "claims", [1_000, pytest.param(10_000, marks=pytest.mark.long)]
)


def offer(store: Store, claims: int) -> list[str]:
    jobs = [a_job(item) for item in range(claims // ATTEMPTS)]
    store.insert_jobs(jobs)
    return [job.id for job in jobs]


def check(store: Store, jobs: list[str], won: Won) -> None:
    expected = list(product(jobs, range(1, ATTEMPTS + 1)))
    assert sorted(won) == sorted(expected)
    assert store.count_jobs("t")[JobState.SUCCEEDED] == len(jobs)


@of_all_sizes
def test_every_attempt_is_won_once_among_threads(store: Store, claims: int) -> None:
    jobs = offer(store, claims)

    won = crowd(store, "thread", ATTEMPTS, 8)

    check(store, jobs, won)


@of_all_sizes
def test_every_attempt_is_won_once_among_processes(store: Store, address: str, claims: int) -> None:
    jobs = offer(store, claims)

    claimers = [
        subprocess.Popen(
            [sys.executable, CLAIMER, address, name, str(ATTEMPTS)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    lines = [line for each in claimers for line in each.communicate(timeout=300)[0].splitlines()]

    assert [0, 0] == [each.returncode for each in claimers]
    check(store, jobs, [(job, int(attempt)) for job, attempt in map(str.split, lines)])
