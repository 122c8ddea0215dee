"""What every store promises of queues: announcements, counts and depths."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from store_factories import NOW, a_job, a_running_job

from services.model.states import JobState
from task_manager.store.protocol import QueueDepth, Store


def test_due_jobs_are_announced_in_claim_order_and_not_again_at_once(store: Store) -> None:
    store.insert_jobs(
        [
            a_job(0, priority=9),
            a_job(1, rank=2),
            a_job(2, rank=1),
            a_job(3, due=NOW + 100),
            a_job(4, queue="other"),
            a_running_job(5),
        ]
    )

    first = store.announce_due(NOW, "q", 2, 60)
    second = store.announce_due(NOW + 1, "q", 9, 60)

    assert [2, 1] == [job.item for job in first]
    assert [NOW, NOW] == [job.announced_at for job in first]
    assert [0] == [job.item for job in second]
    assert store.announce_due(NOW + 2, "q", 9, 60) == []


def test_an_announcement_that_nobody_took_is_made_again(store: Store) -> None:
    store.insert_jobs([a_job(announced_at=NOW)])

    assert store.announce_due(NOW + 60, "q", 9, 60) == []
    assert store.announce_due(NOW + 61, "q", 9, 60) == [a_job(announced_at=NOW + 61)]


def test_a_job_that_became_due_after_its_stamp_is_announced(store: Store) -> None:
    store.insert_jobs([a_job(due=NOW + 5, announced_at=NOW)])

    assert store.announce_due(NOW + 4, "q", 9, 60) == []
    assert len(store.announce_due(NOW + 5, "q", 9, 60)) == 1


def test_of_many_tickers_only_one_announces_a_job(store: Store) -> None:
    store.insert_jobs([a_job(item) for item in range(40)])

    def announce(ticker: int) -> list[int]:
        return [job.item for job in store.announce_due(NOW + ticker, "q", 40, 60)]

    with ThreadPoolExecutor(8) as tickers:
        announced = [item for some in tickers.map(announce, range(8)) for item in some]

    assert list(range(40)) == sorted(announced)


def test_a_stamp_is_cleared_by_the_one_who_made_it(store: Store) -> None:
    job = a_job()
    store.insert_jobs([job])
    store.announce_due(NOW + 1, "q", 9, 60)

    store.unannounce(job.id, NOW)
    assert store.job(job.id) == a_job(announced_at=NOW + 1)

    store.unannounce(job.id, NOW + 1)
    assert store.job(job.id) == job


def test_jobs_are_counted_by_state(store: Store) -> None:
    store.insert_jobs([a_job(0), a_job(1), a_running_job(2), a_job(0, "other")])

    expected = dict.fromkeys(JobState, 0) | {JobState.WAITING: 2, JobState.RUNNING: 1}
    assert expected == store.count_jobs("t")


def test_waiting_jobs_of_an_owner_in_a_queue_are_counted_up_to_a_cap(store: Store) -> None:
    store.insert_jobs(
        [
            *(a_job(item) for item in range(5)),
            a_running_job(5),
            a_job(6, owner="p"),
            a_job(7, queue="other"),
            a_job(8, open=False, state=JobState.DEAD),
        ]
    )

    assert store.count_waiting("o", "q", 100) == 5
    assert store.count_waiting("o", "q", 4) == 4
    assert store.count_waiting("nobody", "q", 4) == 0


def test_queue_depths_tell_what_waits_what_is_due_and_since_when(store: Store) -> None:
    store.insert_jobs(
        [
            a_job(0, due=NOW - 5),
            a_job(1, due=NOW - 9),
            a_job(2, due=NOW + 9),
            a_running_job(3),
            a_running_job(4, queue="busy"),
            a_job(5, queue="later", due=NOW + 1),
            a_job(6, queue="over", state=JobState.SUCCEEDED, open=False),
        ]
    )

    depths = sorted(store.queue_depths(NOW), key=lambda depth: depth.queue)

    assert depths == [
        QueueDepth("busy", waiting=0, due=0, running=1, oldest_due=None),
        QueueDepth("later", waiting=1, due=0, running=0, oldest_due=None),
        QueueDepth("q", waiting=3, due=2, running=1, oldest_due=NOW - 9),
    ]


def test_queues_that_hold_waiting_jobs_are_named_once_each(store: Store) -> None:
    assert store.waiting_queues() == []
    store.insert_jobs(
        [
            a_job(0),
            a_job(1),
            a_running_job(2, queue="busy"),
            a_job(3, queue="later", due=NOW + 1),
            a_job(4, queue="over", state=JobState.SUCCEEDED, open=False),
            a_job(5, queue="later@zone=b"),
        ]
    )

    assert store.waiting_queues() == ["later", "later@zone=b", "q"]


def test_the_front_of_a_queue_is_its_first_due_job_of_that_priority(store: Store) -> None:
    store.insert_jobs(
        [
            a_job(0, rank=7),
            a_job(1, rank=5),
            a_job(2, rank=1, priority=9),
            a_job(3, rank=2, due=NOW + 1e9),
            a_job(4, rank=3, queue="other"),
            a_running_job(5, rank=4),
        ]
    )

    assert store.front_rank("q", 5) == 5
    assert store.front_rank("q", 9) == 1
    assert store.front_rank("q", 0) == 0
    assert store.front_rank("empty", 5) == 0


def test_jobs_ahead_are_the_waiting_ones_of_its_queue_that_stand_before_it(store: Store) -> None:
    mine = a_job(5, rank=2, size=9.0)
    store.insert_jobs(
        [
            mine,
            a_job(0, priority=0, rank=9, size=1.5),
            a_job(1, rank=1, due=NOW + 99, size=2.5),
            a_job(2, rank=2, due=NOW - 1, size=4.0),
            a_job(4, rank=2, size=8.0),
            a_job(6, rank=2, size=16.0),
            a_job(7, priority=9, size=32.0),
            a_job(8, priority=0, queue="other", size=64.0),
            a_running_job(9, priority=0, size=128.0),
        ]
    )

    assert store.jobs_ahead(mine, 99) == (4, 16.0)
    assert store.jobs_ahead(mine, 2) == (2, 4.0)
    assert store.jobs_ahead(a_job(0, priority=0, rank=9), 99) == (0, 0.0)
    assert store.jobs_ahead(a_job(0, queue="empty"), 99) == (0, 0.0)


def test_what_runs_in_a_queue_is_listed_up_to_a_limit(store: Store) -> None:
    running = [a_running_job(item) for item in range(3)]
    store.insert_jobs([*running, a_job(3), a_running_job(4, queue="other")])

    assert running == sorted(store.running_in("q", 9), key=lambda job: job.item)
    assert len(store.running_in("q", 2)) == 2
    assert store.running_in("empty", 9) == []
