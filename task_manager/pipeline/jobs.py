"""Apply one event to one job: the table decides, one compare-and-set writes it."""

from __future__ import annotations

from typing import Any

from services.model.errors import FailureClass
from services.model.job import HistoryEntry, Job
from services.model.states import Answer, Event, arrow
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import JobChange


def apply(
    ports: Ports,
    job: Job,
    event: Event,
    *,
    fields: dict[str, Any] | None = None,
    history: HistoryEntry | None = None,
    beat: int | None = None,
) -> tuple[Job | None, Answer]:
    """The job after the event and what its reporter is told; None if somebody was first.

    `state` and `open` are written together here and nowhere else. An arrow that does not move
    writes at most its line of history.
    """
    way = arrow(job.state, event)
    if not way.moves:
        if history is not None and way.answer is Answer.OK:
            return _write(ports, job, JobChange(history=history), beat), way.answer
        return job, way.answer
    changes: dict[str, Any] = {**(fields or {}), "state": way.to}
    changes.setdefault("open", not way.to.ended)
    if way.to.ended:
        changes.setdefault("finished_at", ports.store.now())
    return _write(ports, job, JobChange(changes, history), beat), way.answer


def _write(ports: Ports, job: Job, change: JobChange, beat: int | None) -> Job | None:
    return ports.store.move_job(
        job.id,
        state=job.state,
        attempt=job.attempt,
        reported=job.reported,
        beat=beat,
        change=change,
    )


def cancel(ports: Ports, job: Job) -> None:
    """Closes a job that nobody wants any more; whoever was first has closed or moved it."""
    current: Job | None = job
    while current is not None and not current.state.ended:
        written, _ = apply(ports, current, Event.CANCEL, fields={"expand": "none"})
        if written is not None:
            return
        current = ports.store.job(job.id)


def sweep(ports: Ports, task_id: str) -> None:
    """Closes every open job of a task that was cancelled or deleted.

    A job that has succeeded stays open until it is expanded; its expansion writes outputs but
    its children are closed by the expansion itself, which reads the task again at its end.
    """
    while True:
        found = [job for job in ports.store.open_jobs(task_id, 500) if not job.state.ended]
        if not found:
            return
        for job in found:
            cancel(ports, job)


def entry(
    job: Job,
    failure: FailureClass,
    code: str,
    message: str,
    *,
    at: float,
    next_attempt_at: float | None,
) -> HistoryEntry:
    """One line of history for the current attempt of this job."""
    return HistoryEntry(
        attempt=job.attempt,
        at=at,
        failure=failure,
        code=code,
        message=message,
        node=job.lease.node if job.lease else None,
        next_attempt_at=next_attempt_at,
    )
