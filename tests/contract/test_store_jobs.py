"""What every store promises of jobs and their moves."""

from __future__ import annotations

import pytest
from store_factories import AWKWARD, NOW, a_change, a_failure, a_job, a_running_job, a_task

from services.model.chat import Usage
from services.model.errors import FailureClass
from services.model.job import Job, Lease, Stage
from services.model.states import JobState
from task_manager.store.protocol import JobChange, RunningJob, Store

TOKEN = "t" * 16


def test_a_job_comes_back_as_it_was_written(store: Store) -> None:
    job = a_running_job(
        inputs=AWKWARD,
        result=AWKWARD,
        retries={FailureClass.INTERNAL: 1},
        avoid=["n.1", "$n"],
        history=[a_failure()],
        progress=0.25,
        announced_at=NOW,
    )
    store.insert_jobs([job])

    assert store.job(job.id) == job
    assert store.job("nobody") is None


def test_a_result_is_found_again_by_its_owner_and_digest_as_long_as_it_is_there(
    store: Store,
) -> None:
    first, second = "1" * 64, "2" * 64
    for number, (task, digest, owner) in enumerate(
        [("t", first, "o"), ("u", first, "o"), ("v", second, "o"), ("w", first, "p")]
    ):
        store.insert_task(a_task(task))
        job = a_running_job(number, task_id=task, owner=owner)
        store.insert_jobs([job])
        done = a_change(
            state=JobState.SUCCEEDED, result={"digest": digest}, finished_at=NOW + number
        )
        assert store.move_job(job.id, state=JobState.RUNNING, attempt=1, change=done)
    store.insert_jobs([a_job(9, task_id="t", result={"other": 1})])

    def found(owner: str, digest: str) -> str | None:
        job = store.earlier_job(owner, digest)
        return job and job.task_id

    assert [found("o", first), found("o", second), found("p", first)] == ["u", "v", "w"]
    assert (found("p", second), found("o", "3" * 64)) == (None, None)
    store.purge_task("u")
    assert found("o", first) == "t"


def test_what_chat_services_took_is_summed_over_the_jobs_of_a_task(store: Store) -> None:
    paid = Usage(requests=2, input_tokens=300, output_tokens=40, cost=0.25)
    free = Usage(requests=1, input_tokens=50, output_tokens=5, estimated=True)
    done = a_job(3, state=JobState.SUCCEEDED, open=False, usage=free)
    store.insert_jobs([a_job(0), a_running_job(item=1), done, a_job(9, task_id="u", usage=paid)])
    store.move_job(a_job(1).id, state=JobState.RUNNING, attempt=1, change=a_change(usage=paid))

    assert store.usage("t") == paid.plus(free)
    assert store.usage("nobody") == Usage()


def test_inserting_jobs_again_never_replaces_and_adds_those_that_are_missing(store: Store) -> None:
    store.insert_jobs([a_job(0), a_job(1)])
    store.insert_jobs([a_job(0, queue="other"), a_job(1, queue="other"), a_job(2)])

    assert [a_job(0), a_job(1), a_job(2)] == store.jobs_of_items("t", 0, 9)


def test_lean_jobs_are_all_of_them_without_their_texts(store: Store) -> None:
    succeeded = {
        "state": JobState.SUCCEEDED, "open": False, "result": AWKWARD, "inputs": AWKWARD,
        "attempt": 2, "claimed_at": NOW, "finished_at": NOW + 5, "expand": "done", "size": 9.0,
    }  # fmt: skip
    at_once = a_job(1, language="zh", source="A", part=3, model="m", **succeeded)
    by_retry = a_job(2, history=[a_failure()], **succeeded)
    running = a_running_job(3, inputs=AWKWARD, progress=0.25, history=[a_failure()])
    terse = [
        a_job(4, id=f"t/{stage}", stage=stage, **succeeded)
        for stage in (Stage.DETECT, Stage.PREPARE)
    ]
    store.insert_jobs([a_job(0), at_once, by_retry, running, *terse, a_job(5), a_job(1, "other")])

    def bare(job: Job) -> Job:
        return job.model_copy(update={"result": None, "inputs": {}})

    assert store.lean_jobs("t", 1, 4) == [bare(at_once), bare(by_retry), bare(running), *terse]


def test_a_lean_job_keeps_up_with_the_job(store: Store) -> None:
    store.insert_jobs([a_running_job(0)])
    done = {"state": JobState.SUCCEEDED, "finished_at": NOW, "result": AWKWARD, "lease": None}
    store.move_job(a_job(0).id, state=JobState.RUNNING, attempt=1, change=a_change(**done))

    (job,) = store.lean_jobs("t", 0, 0)

    assert (job.state, job.attempt, job.finished_at, job.result) == ("succeeded", 1, NOW, None)


def test_jobs_of_items_are_those_of_the_task_from_first_to_last(store: Store) -> None:
    store.insert_jobs([a_job(item) for item in range(12)] + [a_job(3, "other")])

    assert [a_job(item) for item in (2, 3, 4)] == store.jobs_of_items("t", 2, 4)


def test_a_beat_counts_for_the_attempt_and_token_that_hold_the_job(store: Store) -> None:
    job = a_running_job()
    store.insert_jobs([job])

    assert store.beat(job.id, 1, TOKEN) == a_running_job(beat=1)
    assert store.beat(job.id, 1, TOKEN) == a_running_job(beat=2)
    assert store.beat(job.id, 0, TOKEN) is None
    assert store.beat(job.id, 1, "other") is None
    assert store.job(job.id) == a_running_job(beat=2)


def test_a_beat_on_a_job_that_was_taken_back_is_none(store: Store) -> None:
    job = a_running_job(state=JobState.WAITING)
    store.insert_jobs([job, a_job(1)])

    assert store.beat(job.id, 1, TOKEN) is None
    assert store.beat(a_job(1).id, 0, TOKEN) is None
    assert store.beat("nobody", 1, TOKEN) is None


def test_a_move_writes_its_change_when_everything_named_is_as_expected(store: Store) -> None:
    job = a_running_job(beat=3)
    store.insert_jobs([job])
    change = JobChange(
        {"state": JobState.DEAD, "open": False, "result": AWKWARD, "lease": None},
        history=a_failure(),
    )

    moved = store.move_job(
        job.id, state=JobState.RUNNING, attempt=1, beat=3, reported=0, change=change
    )

    expected = a_running_job(
        state=JobState.DEAD, open=False, result=AWKWARD, lease=None, history=[a_failure()]
    )
    assert expected == moved == store.job(job.id)


@pytest.mark.parametrize(
    "named",
    [
        {"state": JobState.WAITING, "attempt": 1},
        {"state": JobState.RUNNING, "attempt": 2},
        {"state": JobState.RUNNING, "attempt": 1, "beat": 1},
        {"state": JobState.RUNNING, "attempt": 1, "reported": 1},
    ],
)
def test_a_move_that_expects_something_else_changes_nothing(
    store: Store, named: dict[str, object]
) -> None:
    job = a_running_job()
    store.insert_jobs([job])

    assert store.move_job(job.id, **named, change=a_change(state=JobState.DEAD)) is None  # type: ignore[arg-type]
    assert store.job(job.id) == job


def test_a_move_may_only_add_a_line_of_history(store: Store) -> None:
    job = a_running_job()
    store.insert_jobs([job])

    for attempt in (1, 2):
        store.move_job(
            job.id,
            state=JobState.RUNNING,
            attempt=1,
            change=JobChange(history=a_failure(attempt)),
        )

    assert store.job(job.id) == a_running_job(history=[a_failure(1), a_failure(2)])


def test_a_move_may_write_the_history_anew_and_add_a_line(store: Store) -> None:
    lines = [a_failure(attempt) for attempt in range(4)]
    job = a_running_job(history=lines[:3])
    store.insert_jobs([job])
    change = JobChange({"history": lines[1:3]}, history=lines[3])

    store.move_job(job.id, state=JobState.RUNNING, attempt=1, change=change)

    assert store.job(job.id) == a_running_job(history=lines[1:])


def test_a_move_without_a_change_answers_the_job_if_it_is_as_expected(store: Store) -> None:
    store.insert_jobs([a_job()])

    assert store.move_job(a_job().id, state=JobState.WAITING, attempt=0, change=a_change()) == (
        a_job()
    )
    assert store.move_job("no", state=JobState.WAITING, attempt=0, change=a_change()) is None


def test_a_move_can_write_a_whole_lease_and_retry_counts(store: Store) -> None:
    job = a_job()
    store.insert_jobs([job])
    fields = {
        "state": JobState.RUNNING,
        "lease": Lease(node="n", token=TOKEN, beat=4),
        "retries": {FailureClass.NETWORK_TIMEOUT: 2},
        "avoid": ["n"],
    }

    moved = store.move_job(job.id, state=JobState.WAITING, attempt=0, change=JobChange(fields))

    assert moved == a_job(**fields)
    assert store.beat(job.id, 0, TOKEN) is not None


def test_a_progress_counts_once_and_only_forwards(store: Store) -> None:
    job = a_running_job()
    store.insert_jobs([job])

    assert store.note_progress(job.id, 1, TOKEN, 2, 0.5)
    assert not store.note_progress(job.id, 1, TOKEN, 2, 0.6)
    assert not store.note_progress(job.id, 1, TOKEN, 1, 0.1)
    assert not store.note_progress(job.id, 1, "other", 3, 0.6)
    assert not store.note_progress(job.id, 2, TOKEN, 3, 0.6)
    assert store.job(job.id) == a_running_job(beat=1, progress=0.5, progress_number=2)


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.DEAD])
def test_an_expansion_that_is_done_closes_the_job_of_its_attempt(
    store: Store, state: JobState
) -> None:
    job = a_job(state=state, expand="pending", attempt=2)
    store.insert_jobs([job])

    store.set_expanded(job.id, 1)
    assert store.job(job.id) == job

    store.set_expanded(job.id, 2)
    assert store.job(job.id) == a_job(state=state, expand="done", attempt=2, open=False)


def test_an_expansion_never_closes_a_job_that_was_revived(store: Store) -> None:
    job = a_job(expand="pending", attempt=2)
    store.insert_jobs([job])

    store.set_expanded(job.id, 2)

    assert store.job(job.id) == job


def test_the_ticker_sees_the_attempt_and_the_lease_of_what_runs(store: Store) -> None:
    running = a_running_job(beat=7)
    store.insert_jobs([running, a_job(1), a_job(2, state=JobState.DEAD, open=False)])

    assert store.running_jobs() == [RunningJob(running.id, 1, 7, "n", running.lease.token)]


def test_open_jobs_are_those_whose_flag_is_set(store: Store) -> None:
    jobs = [
        a_job(0),
        a_running_job(1),
        a_job(2, state=JobState.SUCCEEDED, expand="pending"),
        a_job(3, state=JobState.SUCCEEDED, open=False),
    ]
    store.insert_jobs([*jobs, a_job(0, "closed", state=JobState.DEAD, open=False)])

    assert jobs[:3] == store.open_jobs("t", 9)
    assert jobs[:2] == store.open_jobs("t", 2)
    assert store.has_open_jobs("t")
    assert not store.has_open_jobs("closed")
    assert not store.has_open_jobs("nobody")


def test_a_job_that_is_closed_is_open_no_more(store: Store) -> None:
    store.insert_jobs([a_job()])
    fields = {"state": JobState.CANCELLED, "open": False}
    store.move_job(a_job().id, state=JobState.WAITING, attempt=0, change=JobChange(fields))

    assert not store.has_open_jobs("t")
    assert store.count_waiting("o", "q", 9) == 0


def test_dead_jobs_are_paged_by_id(store: Store) -> None:
    dead = sorted(
        (a_job(item, state=JobState.DEAD, open=False) for item in range(12)),
        key=lambda job: job.id,
    )
    store.insert_jobs([*dead, a_job(99)])

    assert dead[:5] == store.dead_jobs("t", limit=5)
    assert dead[5:] == store.dead_jobs("t", after=dead[4].id, limit=50)


def test_a_field_that_a_job_does_not_have_is_an_error(store: Store) -> None:
    store.insert_jobs([a_job()])

    with pytest.raises(ValueError, match="sate"):
        store.move_job(a_job().id, state=JobState.WAITING, attempt=0, change=a_change(sate="x"))
