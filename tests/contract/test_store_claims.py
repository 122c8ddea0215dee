"""What every store promises of the claim."""

from __future__ import annotations

from typing import Any

import pytest
from store_factories import NOW, a_failure, a_job, a_running_job

from services.model.job import Job, Lease
from services.model.states import JobState
from task_manager.store.protocol import JobChange, Store

TOKEN = "token-token-token"


def claim(store: Store, **asked: Any) -> list[Job]:
    known = {"queue": "q", "models": ["m"], "node": "n", "token": TOKEN, "limit": 1}
    return store.claim(**known | asked)


def items(jobs: list[Job]) -> list[int]:
    return [job.item for job in jobs]


def test_a_won_job_runs_under_the_token_as_its_next_attempt(store: Store) -> None:
    waiting = a_job(attempt=2, progress=0.5, progress_number=7)
    store.insert_jobs([waiting])
    before = store.now()

    (won,) = claim(store)

    assert won == store.job(waiting.id)
    assert won.claimed_at is not None
    assert before <= won.claimed_at <= store.now()
    lease = Lease(node="n", token=TOKEN, beat=0)
    assert won == a_job(
        state=JobState.RUNNING, attempt=3, lease=lease, claimed_at=won.claimed_at, open=True
    )


def test_nothing_is_won_where_nothing_waits(store: Store) -> None:
    store.insert_jobs(
        [
            a_job(0, queue="other"),
            a_job(1, due=store.now() + 3600),
            a_job(2, model="large"),
            a_running_job(3),
            a_job(4, state=JobState.DEAD, open=False),
        ]
    )

    assert claim(store, limit=9) == []


def test_jobs_are_won_by_priority_then_rank_then_due(store: Store) -> None:
    store.insert_jobs(
        [
            a_job(0, priority=9, rank=0, due=NOW - 9),
            a_job(1, priority=5, rank=1, due=NOW - 9),
            a_job(2, priority=5, rank=0, due=NOW),
            a_job(3, priority=5, rank=0, due=NOW - 1),
            a_job(4, priority=0, rank=9, due=NOW),
        ]
    )

    assert [4, 3, 2] == items(claim(store, limit=3))
    assert [1, 0] == items(claim(store, limit=3, token=TOKEN + "2"))


def test_the_same_token_gets_the_same_leases_and_nothing_new(store: Store) -> None:
    store.insert_jobs([a_job(item) for item in range(4)])
    won = claim(store, limit=2)

    assert won == claim(store, limit=2)
    assert won == claim(store, limit=9, queue="other", models=[])
    assert store.count_jobs("t")[JobState.RUNNING] == 2


def test_a_token_whose_leases_have_ended_wins_anew(store: Store) -> None:
    store.insert_jobs([a_job(0), a_job(1)])
    (won,) = claim(store)
    ended = JobChange({"state": JobState.SUCCEEDED, "open": False})
    store.move_job(won.id, state=JobState.RUNNING, attempt=1, change=ended)

    assert [1] == items(claim(store))


def test_only_jobs_of_the_nodes_models_are_won(store: Store) -> None:
    store.insert_jobs([a_job(0, model="large"), a_job(1, model="m"), a_job(2, model="")])

    assert [1, 2] == items(claim(store, limit=9))
    assert [0] == items(claim(store, models=["small", "large"], token=TOKEN + "2"))


def test_a_node_is_not_given_what_it_should_avoid_while_another_one_can_do_it(
    store: Store,
) -> None:
    store.insert_jobs([a_job(0, avoid=["x", "n"]), a_job(1, avoid=["x"])])

    assert [1] == items(claim(store, limit=9, others=["x", "y"]))
    assert [] == claim(store, token=TOKEN + "2", others=["y"])
    assert [0] == items(claim(store, token=TOKEN + "3"))


def test_a_job_that_everybody_should_avoid_is_given_to_whoever_asks(store: Store) -> None:
    store.insert_jobs([a_job(0, avoid=["x", "n"])])

    assert [0] == items(claim(store, others=["x"]))


def test_a_claim_for_no_job_is_given_the_leases_of_its_token_alone(store: Store) -> None:
    store.insert_jobs([a_job(0), a_job(1)])

    assert [] == claim(store, limit=0)
    assert claim(store) == claim(store, limit=0)


def test_a_job_with_a_history_is_won_alone(store: Store) -> None:
    store.insert_jobs([a_job(0, rank=0, history=[a_failure()]), a_job(1, rank=1)])

    assert [0] == items(claim(store, limit=9))


def test_a_claim_that_leaves_work_to_others_takes_none_of_another_queue_or_state(
    store: Store,
) -> None:
    avoided = {"avoid": ["n", "x"]}
    store.insert_jobs([
        a_job(1, queue="elsewhere", **avoided),
        a_job(2, model="unknown", **avoided),
        a_job(3, state=JobState.DEAD, open=False, **avoided),
        a_job(4, due=NOW * 2, **avoided),
        a_running_job(5, **avoided),
    ])  # fmt: skip

    assert claim(store, limit=9, others=["x"]) == []


def test_a_job_with_a_history_is_passed_over_when_others_were_won(store: Store) -> None:
    store.insert_jobs([a_job(0, rank=0), a_job(1, rank=1, history=[a_failure()]), a_job(2, rank=2)])

    assert [0, 2] == items(claim(store, limit=9))


def test_a_job_that_failed_in_a_bundle_comes_back_alone(store: Store) -> None:
    store.insert_jobs([a_job(0), a_job(1)])
    won = claim(store, limit=2)
    for job in won:
        store.move_job(
            job.id,
            state=JobState.RUNNING,
            attempt=1,
            change=JobChange({"state": JobState.WAITING}, history=a_failure()),
        )

    assert [0] == items(claim(store, limit=2, token=TOKEN + "2"))


def test_a_list_ends_before_the_job_that_would_make_it_too_large(store: Store) -> None:
    store.insert_jobs([a_job(item, rank=item, size=size) for item, size in enumerate((4, 3, 2, 1))])

    assert [0, 1] == items(claim(store, limit=9, most_size=8.0))
    assert [2, 3] == items(claim(store, limit=9, most_size=8.0, token=TOKEN + "2"))


def test_the_sizes_may_be_just_as_large_as_is_asked_for(store: Store) -> None:
    store.insert_jobs([a_job(item, rank=item, size=2.0) for item in range(4)])

    assert [0, 1, 2] == items(claim(store, limit=9, most_size=6.0))


def test_a_job_that_is_too_large_is_won_by_itself(store: Store) -> None:
    store.insert_jobs([a_job(0, rank=0, size=99.0), a_job(1, rank=1, size=0.5)])

    assert [0] == items(claim(store, limit=9, most_size=5.0))


def test_no_job_is_overtaken_for_its_size(store: Store) -> None:
    store.insert_jobs([a_job(item, rank=item, size=size) for item, size in enumerate((1, 9, 1))])

    assert [0] == items(claim(store, limit=9, most_size=5.0))
    assert [1] == items(claim(store, limit=9, most_size=5.0, token=TOKEN + "2"))


def test_jobs_without_a_size_count_as_nothing(store: Store) -> None:
    store.insert_jobs([a_job(item, rank=item) for item in range(4)])

    assert [0, 1, 2, 3] == items(claim(store, limit=9, most_size=0.5))


def test_of_equals_behind_better_ones_the_announced_job_is_taken_into_the_list(
    store: Store,
) -> None:
    store.insert_jobs([a_job(0, priority=0), *(a_job(item) for item in range(1, 9))])

    assert [0, 7] == items(claim(store, announced=a_job(7).id, limit=2))


def test_the_announced_job_goes_before_its_equals(store: Store) -> None:
    store.insert_jobs([a_job(item) for item in range(5)])

    assert [3] == items(claim(store, announced=a_job(3).id))
    assert [0, 1] == items(claim(store, announced=a_job(3).id, limit=2, token=TOKEN + "2"))


def test_the_announced_job_is_preferred_among_equals_behind_better_ones(store: Store) -> None:
    store.insert_jobs([a_job(0, priority=0), *(a_job(item) for item in range(1, 5))])

    assert [0, 3, 1] == items(claim(store, announced=a_job(3).id, limit=3))


def test_the_announced_job_is_won_once(store: Store) -> None:
    store.insert_jobs([a_job(item) for item in range(4)])

    assert [2, 0, 1, 3] == items(claim(store, announced=a_job(2).id, limit=9))


def test_the_announced_job_waits_behind_better_ones(store: Store) -> None:
    store.insert_jobs([a_job(0), a_job(1, rank=1), a_job(2, due=NOW + 1)])

    assert [0] == items(claim(store, announced=a_job(1).id))
    assert [2] == items(claim(store, announced=a_job(1).id, token=TOKEN + "2"))


@pytest.mark.parametrize(
    "fields",
    [
        {"queue": "other"},
        {"model": "large"},
        {"avoid": ["n"]},
        {"state": JobState.DEAD, "open": False},
    ],
)
def test_an_announced_job_that_cannot_be_won_is_no_hindrance(
    store: Store, fields: dict[str, Any]
) -> None:
    store.insert_jobs([a_job(0), a_job(1, **fields)])

    assert [0] == items(claim(store, announced=a_job(1).id, limit=2, others=["x"]))
    assert [] == claim(store, announced="nobody", token=TOKEN + "2", others=["x"])
