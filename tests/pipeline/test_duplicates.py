"""Every word may come five times, in any order, with words of attempts long over: one effect."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from world import Lease, SteeredSqlite, World, a_world

from services.model.errors import FailureClass
from services.model.messages import Beat, Failure, Held, Progress
from services.model.states import JobState
from services.model.task import TaskState
from task_manager.ticker.reap import Watch, reap

TRANSLATE = "translate.stub-nmt"
OOPS = Failure(failure=FailureClass.INTERNAL, code="oops", message="It went wrong.")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = a_world(SteeredSqlite(tmp_path / "store.sqlite"), tmp_path, audio=False)
    made.begin()
    yield made
    made.close()


@dataclass(frozen=True)
class Word:
    """A callback as it may be delivered again: what is sent, and the answers it may get."""

    send: Callable[[], object]
    answers: tuple[object, ...]


def _lost(world: World) -> Lease:
    """A lease that was beaten once, and taken back."""
    (lease,) = world.claim(TRANSLATE)
    _beat(world, lease)
    reap(world.second.ports, Watch(0.0), 0.0)
    return lease


def _beat(world: World, lease: Lease) -> str:
    held = Held(job=lease.grant.job, attempt=lease.grant.attempt)
    return world.second.beat(Beat(token=lease.token, leases=[held])).leases[0].state


def _progress(world: World, lease: Lease, number: int) -> str:
    return world.second.progress(
        Progress(
            token=lease.token, job=lease.grant.job, attempt=lease.grant.attempt,
            number=number, fraction=number / 10,
        )
    ).state  # fmt: skip


def _finish(world: World, lease: Lease, **said: Any) -> Callable[[], int]:
    return lambda: world.finish(lease, **said)


@pytest.mark.parametrize("seed", range(20))
def test_words_five_times_shuffled_and_stale_have_one_effect(world: World, seed: int) -> None:
    world.accept()
    stale = _lost(world)
    (now,) = world.claim(TRANSLATE, world.other)
    assert now.grant.job == stale.grant.job
    words = [
        Word(lambda: _beat(world, now), ("held", "stale")),
        *(
            Word(lambda number=number: _progress(world, now, number), ("held", "stale"))
            for number in (1, 2, 3)
        ),
        Word(_finish(world, now), (200,)),
        Word(lambda: _beat(world, stale), ("stale",)),
        Word(_finish(world, stale), (409,)),
        Word(_finish(world, stale, failed=OOPS), (409,)),
        Word(_finish(world, stale, released=True), (409,)),
    ] * 5
    random.Random(seed).shuffle(words)

    for word in words:
        assert word.send() in word.answers

    job = world.store.job(now.grant.job)
    assert (JobState.SUCCEEDED, now.grant.attempt, 1) == (job.state, job.attempt, job.losses)
    assert 1 == len(job.history)
    told = [each.data for each in world.store.events(world.id, limit=99)]
    cells = [each for each in told if each.get("language") == job.language and "kind" in each]
    assert 1 == len(cells)
    numbers = [each["fraction"] for each in told if "fraction" in each]
    assert sorted(set(numbers)) == numbers
    world.go_on()
    assert TaskState.SUCCEEDED is world.task.state


@pytest.mark.parametrize("failure", [each for each in FailureClass if each != "worker_lost"])
def test_a_failure_five_times_is_charged_once(world: World, failure: FailureClass) -> None:
    world.accept()
    (lease,) = world.claim(TRANSLATE)
    said = Failure(failure=failure, code="oops", message="It went wrong.")

    assert [200] * 5 == [world.finish(lease, failed=said) for _ in range(5)]

    job = world.store.job(lease.grant.job)
    assert 1 == len(job.history)
    assert 1 >= sum(job.retries.values())


def test_a_late_failure_five_times_is_one_line_of_history(world: World) -> None:
    world.accept()
    lease = _lost(world)

    assert [200] * 5 == [world.finish(lease, failed=OOPS) for _ in range(5)]

    job = world.store.job(lease.grant.job)
    assert ["worker_lost", "oops"] == [line.code for line in job.history]
    assert (JobState.WAITING, {}, 1) == (job.state, job.retries, job.losses)


def test_a_lease_that_was_given_back_late_is_not_taken_up_by_a_beat_on_its_way(
    world: World,
) -> None:
    world.accept()
    lease = _lost(world)
    world.finish(lease, released=True)

    assert "stale" == _beat(world, lease)
    assert JobState.WAITING is world.store.job(lease.grant.job).state


def test_a_late_success_after_loss_and_claim_is_refused_and_the_new_one_counts(
    world: World,
) -> None:
    world.accept()
    old = _lost(world)
    (new,) = world.claim(TRANSLATE, world.other)

    assert (409, 200, 409) == (world.finish(old), world.finish(new), world.finish(old))
    assert new.grant.attempt == world.store.output(_cell(world, new)).attempt


def test_a_late_success_before_the_next_claim_is_taken_once(world: World) -> None:
    world.accept()
    lease = _lost(world)

    assert [200] * 5 == [world.finish(lease) for _ in range(5)]
    job = world.store.job(lease.grant.job)
    assert lease.grant.job not in {each.grant.job for each in world.claim(TRANSLATE, slots=9)}
    assert (JobState.SUCCEEDED, 1) == (job.state, job.attempt)


def test_an_uncharged_loss_pays_for_no_earlier_one(world: World) -> None:
    world.accept()
    _lost(world)
    (second,) = world.claim(TRANSLATE, world.other)
    reap(world.second.ports, Watch(0.0), 0.0)  # before its first beat: not charged

    assert "held" == _beat(world, second)
    assert 1 == world.store.job(second.grant.job).losses


def test_progress_that_takes_a_lease_back_is_told(world: World) -> None:
    world.accept()
    lease = _lost(world)

    assert "held" == _progress(world, lease, 1)
    assert 1 == world.store.job(lease.grant.job).progress_number
    assert "progress" in {each.kind for each in world.store.events(world.id, limit=99)}


def test_a_doubled_claim_token_wins_nothing_twice(world: World) -> None:
    world.accept()
    world.hand.claim(TRANSLATE)
    first, again = world.hand.claim_again(TRANSLATE), world.hand.claim_again(TRANSLATE)

    assert first == again
    assert 1 == len(world.store.running_jobs())


def test_fifty_requests_with_one_key_on_two_managers_are_one_task(world: World) -> None:
    managers = [world.second, world.manager()]
    start = Barrier(50)

    def ask(number: int) -> str:
        start.wait()
        return world.accept(managers[number % 2]).id

    with ThreadPoolExecutor(50) as pool:
        ids = set(pool.map(ask, range(50)))

    assert 1 == len(ids)
    assert 1 == len(world.store.tasks(None, limit=99))
    folders = world.objects.root / "tasks"
    assert not folders.exists() or {path.name for path in folders.iterdir()} <= ids


def test_twenty_workers_with_one_token_hold_one_job(world: World) -> None:
    world.accept()
    world.hand.claim("prepare")  # makes the token
    start = Barrier(20)

    def claim(_: int) -> list[str]:
        start.wait()
        return [grant.job for grant in world.hand.claim_again(TRANSLATE)]

    with ThreadPoolExecutor(20) as pool:
        won = {tuple(jobs) for jobs in pool.map(claim, range(20))}

    assert 1 == len(won)
    assert 1 == len(world.store.running_jobs())


def _cell(world: World, lease: Lease) -> str:
    job = world.store.job(lease.grant.job)
    return f"{world.id}/{job.item}/{job.source}/{job.language}"
