"""Every class of failure is tried again exactly as often, and as late, as its row says; nobody
waits inside the broker; and what fails in one language leaves the others whole."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from world import SteeredSqlite, World, a_world

from services.model.errors import FailureClass as F
from services.model.messages import Failure
from services.model.retry import JITTER, TIERS
from services.model.states import JobState
from services.model.task import TaskState
from services.queue import Announcer, queue_at
from task_manager.ticker.announce import announce
from task_manager.ticker.reap import Watch, reap

TRANSLATE = "translate.stub-nmt"
SCALE = 0.01
TWELVE = ("zh", "ja", "de", "fr", "es", "it", "pt", "ru", "ko", "ar", "hi", "tr")


def _world(folder: Path, *, audio: bool, languages: tuple[str, ...]) -> World:
    made = a_world(SteeredSqlite(folder / "store.sqlite"), folder, audio=audio, languages=languages)
    made.settings = made.settings.model_copy(update={"retry_scale": SCALE})
    made.second = made.hand.pipeline = made.other.pipeline = made.manager()
    made.begin()
    return made


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = _world(tmp_path, audio=False, languages=("zh", "en"))
    yield made
    made.close()


@pytest.fixture
def twelve(tmp_path: Path) -> Iterator[World]:
    made = _world(tmp_path, audio=True, languages=TWELVE)
    yield made
    made.close()


def _fail(world: World, failure: F, **more: object) -> str:
    """The one job fails once; its id. It is due, and it is not due a moment earlier."""
    jobs = world.store.jobs_of_items(world.id, 0, 0)
    (job,) = jobs
    if job.due > world.store.at:
        world.store.at = job.due - 0.001
        assert [] == world.claim(TRANSLATE) + world.claim(TRANSLATE, world.other)
        world.store.at = job.due
    world.hand.register()
    world.other.register()
    (lease,) = world.claim(TRANSLATE) or world.claim(TRANSLATE, world.other)
    world.store.at += 1.0
    said = Failure(failure=failure, code="oops", message="It went wrong.", **more)
    assert 200 == world.finish(lease, failed=said)
    return job.id


@pytest.mark.parametrize("failure", [each for each in F if each is not F.WORKER_LOST])
def test_a_class_is_retried_exactly_as_often_as_its_row_says_then_it_is_dead(
    world: World, failure: F
) -> None:
    world.accept()
    tier = TIERS[failure]
    for number in range(tier.retries):
        job = world.store.job(_fail(world, failure))
        assert (JobState.WAITING, number + 1) == (job.state, job.retries[failure])
        assert pytest.approx(world.store.at + tier.delay_s * SCALE) == job.due
    job = world.store.job(_fail(world, failure))

    assert (JobState.DEAD, tier.retries + 1) == (job.state, job.attempt)
    lines = [line.next_attempt_at for line in job.history]
    assert lines[-1] is None
    assert sorted(lines[:-1]) == lines[:-1]
    assert all(later > line.at for line, later in zip(job.history, lines[:-1], strict=False)) or (
        tier.delay_s == 0.0
    )


def test_every_class_has_retries_of_its_own(world: World) -> None:
    world.accept()
    mixed = [F.NETWORK_TIMEOUT, F.SERVICE_UNAVAILABLE, F.INTERNAL, F.TIME_LIMIT]
    for failure in mixed:
        job = world.store.job(_fail(world, failure))
        assert JobState.WAITING is job.state

    assert dict.fromkeys(mixed, 1) == job.retries
    assert 0 == job.losses


def test_the_wait_grows_by_a_tenth_at_most(world: World) -> None:
    world.accept()
    world.second.ports.draw = random.Random(7).random
    delays = []
    for _ in range(TIERS[F.RESOURCE_EXHAUSTED].retries):
        job = world.store.job(_fail(world, F.RESOURCE_EXHAUSTED))
        delays.append(job.due - world.store.at)

    wait = TIERS[F.RESOURCE_EXHAUSTED].delay_s * SCALE
    assert all(wait <= delay <= wait * (1 + JITTER) + 1e-6 for delay in delays)
    assert len(set(delays)) == len(delays)


def test_a_longer_retry_after_of_a_busy_service_wins_unscaled(world: World) -> None:
    world.accept()
    job = world.store.job(_fail(world, F.SERVICE_UNAVAILABLE, retry_after_s=77.0))

    assert pytest.approx(world.store.at + 77.0) == job.due


def test_a_retry_after_the_time_limit_is_safer(world: World) -> None:
    world.accept()
    job = world.store.job(_fail(world, F.TIME_LIMIT))

    assert (True, True) == (job.safer, job.due <= world.store.at)


def test_losses_have_a_counter_of_their_own_and_the_third_is_the_end(world: World) -> None:
    world.accept()
    _fail(world, F.NETWORK_TIMEOUT)
    for losses in (1, 2):
        job = world.store.job(_fail(world, F.WORKER_LOST))
        assert (JobState.WAITING, losses) == (job.state, job.losses)
    job = world.store.job(_fail(world, F.WORKER_LOST))

    assert (JobState.DEAD, 3, {F.NETWORK_TIMEOUT: 1}) == (job.state, job.losses, job.retries)


def test_a_job_that_waits_is_announced_when_it_is_due_and_not_before(world: World) -> None:
    world.accept()
    job = world.store.job(_fail(world, F.NETWORK_TIMEOUT))
    rung: list[str] = []

    def ring(_: str, job_id: str) -> None:
        rung.append(job_id)

    announce(world.second.ports, ring)
    assert [] == rung
    world.store.at = job.due
    world.hand.register()
    announce(world.second.ports, ring)
    assert [job.id] == rung


def test_an_announcement_of_a_retry_carries_no_time(world: World) -> None:
    world.accept()
    job = world.store.job(_fail(world, F.NETWORK_TIMEOUT))
    world.store.at = job.due
    world.hand.register()
    announcer = Announcer("memory://")
    announce(world.second.ports, announcer.announce)
    announcer.close()

    with Connection("memory://") as broker:
        message = broker.SimpleQueue(queue_at("memory://", TRANSLATE)).get(timeout=5)
        message.ack()
    assert (None, None, 0) == tuple(message.headers[name] for name in ("eta", "expires", "retries"))


@pytest.mark.parametrize("seed", range(5))
def test_eleven_languages_are_done_although_one_fails_and_translators_die(
    twelve: World, seed: int
) -> None:
    """Translators are lost at random, no job thrice; one language fails whoever tries it."""
    rng = random.Random(seed)
    twelve.accept()
    while (task := twelve.task) is not None and not task.state.ended:
        leases = [
            lease
            for depth in twelve.store.queue_depths(twelve.store.now())
            for hand in (twelve.hand, twelve.other)
            for lease in twelve.claim(depth.queue, hand, slots=3)
        ]
        for lease in leases:
            job = twelve.store.job(lease.grant.job)
            if job.language == "ko":
                said = Failure(failure=F.INTERNAL, code="oops", message="Never in this one.")
                twelve.finish(lease, failed=said)
            elif job.stage == "translate" and job.losses < 2 and rng.random() < 0.4:
                twelve.hand.beat(lease.grant, token=lease.token)  # and is never heard of again
            else:
                assert 200 == twelve.finish(lease)
        reap(twelve.second.ports, Watch(0.0), 0.0)
        twelve.round()
        twelve.pass_time()
    outcome = twelve.check()

    assert TaskState.PARTIAL == outcome.state
    dead = {name: job for name, job in outcome.jobs.items() if job[0] is JobState.DEAD}
    assert {f"translate/{item}/ko/{source}/{part}/0" for item, source, part in
            [(0, "A", 0), (0, "A", 1), (1, "T", 0)]} == set(dead)  # fmt: skip
    assert 1 == len(twelve.ends())


def test_a_part_that_fails_is_heard_again_alone_and_joined_in_its_place(twelve: World) -> None:
    twelve.hand.parts = twelve.other.parts = 3
    twelve.accept()
    (lease,) = twelve.claim("prepare")
    twelve.finish(lease)
    (lease,) = twelve.claim("transcribe.stub-whisper")
    twelve.finish(lease, result=twelve.hand.result(lease.grant))  # the language
    hands = (twelve.hand, twelve.other, twelve.hand)
    leases = [lease for hand in hands for lease in twelve.claim("transcribe.stub-whisper", hand)]
    held = [twelve.store.job(lease.grant.job) for lease in leases]
    assert [0, 1, 2] == [job.part for job in held], "all are heard at once"
    assert ["node-1", "node-2", "node-1"] == [job.lease.node for job in held]

    said = Failure(failure=F.NETWORK_TIMEOUT, code="oops", message="It went wrong.")
    assert 200 == twelve.finish(leases[1], failed=said)
    for lease in (leases[2], leases[0]):
        assert 200 == twelve.finish(lease)
    assert [] == twelve.claim("assemble"), "one part is missing"

    twelve.store.at = twelve.store.job(leases[1].grant.job).due
    (again,) = twelve.claim("transcribe.stub-whisper", slots=3)
    assert (leases[1].grant.job, 2) == (again.grant.job, again.grant.attempt)
    assert 200 == twelve.finish(again)
    (joining,) = twelve.claim("assemble")
    kept = [twelve.store.job(lease.grant.job) for lease in leases]
    assert [1, 2, 1] == [job.attempt for job in kept]
    assert [job.result["transcript"] for job in kept] == [
        body.model_dump(mode="json") for body in joining.grant.spec.parts
    ]
