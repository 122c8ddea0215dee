"""What every store promises of the list of dead jobs."""

from __future__ import annotations

import pytest
from store_factories import NOW, a_failure, a_job, a_running_job

from services.model.job import Job
from services.model.states import JobState
from task_manager.store.protocol import JobChange, Store


def a_dead_job(item: int, at: float, *codes: str, **fields: object) -> Job:
    history = [a_failure().model_copy(update={"code": code}) for code in codes]
    known = {"state": JobState.DEAD, "open": False, "finished_at": at, "history": history}
    return a_job(item, **known | fields)


@pytest.fixture
def dead(store: Store) -> list[Job]:
    """Newest first; two of them died at the same time."""
    jobs = [
        a_dead_job(0, NOW + 9, "timeout", "gone"),
        a_dead_job(3, NOW + 5, "timeout", owner="p"),
        a_dead_job(2, NOW + 5, "gone", "timeout", queue="other"),
        a_dead_job(1, NOW + 1, "gone", owner="p", queue="other"),
        a_dead_job(4, NOW),
    ]
    alive = a_job(5, history=[a_failure()], finished_at=NOW)
    succeeded = a_job(6, state=JobState.SUCCEEDED, open=False, finished_at=NOW)
    store.insert_jobs([*sorted(jobs, key=lambda job: job.item), alive, succeeded])
    return jobs


def test_dead_jobs_are_paged_newest_first(store: Store, dead: list[Job]) -> None:
    pages, before = list[list[Job]](), None
    while page := store.dead_page(None, before=before, limit=2):
        pages.append(page)
        before = (page[-1].finished_at or 0.0, page[-1].id)

    assert [dead[:2], dead[2:4], dead[4:]] == pages


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"owner": "o"}, [0, 2, 4]),
        ({"owner": "p"}, [3, 1]),
        ({"owner": None, "queue": "other"}, [2, 1]),
        ({"owner": None, "code": "timeout"}, [3, 2]),
        ({"owner": "o", "queue": "q", "code": "gone"}, [0]),
        ({"owner": "o", "before": (NOW + 9, "")}, [2, 4]),
        ({"owner": "nobody"}, []),
    ],
)
@pytest.mark.usefixtures("dead")
def test_dead_jobs_are_found_by_owner_queue_and_the_code_of_the_last_failure(
    store: Store, asked: dict[str, object], expected: list[int]
) -> None:
    found = store.dead_page(**asked, limit=9)  # type: ignore[arg-type]

    assert expected == [job.item for job in found]


def test_a_job_is_on_the_page_from_its_death_to_its_revival(store: Store) -> None:
    job = a_running_job()
    store.insert_jobs([job])
    killed = JobChange(
        {"state": JobState.DEAD, "open": False, "finished_at": NOW}, history=a_failure()
    )
    store.move_job(job.id, state=JobState.RUNNING, attempt=1, change=killed)

    assert [job.id] == [dead.id for dead in store.dead_page("o", code="timeout", limit=9)]

    revived = JobChange({"state": JobState.WAITING, "open": True, "finished_at": None})
    store.move_job(job.id, state=JobState.DEAD, attempt=1, change=revived)

    assert store.dead_page(None, limit=9) == []


def test_a_history_that_is_written_anew_tells_its_own_last_code(store: Store) -> None:
    (job,) = jobs = [a_dead_job(0, NOW, "timeout")]
    store.insert_jobs(jobs)

    store.move_job(job.id, state=JobState.DEAD, attempt=0, change=JobChange({"history": []}))

    assert store.dead_page(None, code="timeout", limit=9) == []
    assert len(store.dead_page(None, limit=9)) == 1
