"""Apply one event to one job: the table decides, one compare-and-set writes it."""

from __future__ import annotations

from typing import Any

from services.model.errors import FailureClass
from services.model.job import HistoryEntry, Job
from services.model.states import Answer, Event, JobState, arrow
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import JobChange

_LAST_WORD = ("reported", "lease")

HISTORY_LINES = 100  # the newest; a line has at most 2,000 characters of message


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
    writes at most its line of history, and that the attempt has said its last word.
    """
    way = arrow(job.state, event)
    if not way.moves:
        said = {name: value for name, value in (fields or {}).items() if name in _LAST_WORD}
        last = job.state is JobState.WAITING and "reported" in said
        if way.answer is Answer.OK and (last or history is not None):
            return _write(ports, job, JobChange(said if last else {}, history), beat), way.answer
        return job, way.answer
    changes: dict[str, Any] = {**(fields or {}), "state": way.to}
    changes.setdefault("open", not way.to.ended)
    if way.to.ended:
        changes.setdefault("finished_at", ports.store.now())
    written = _write(ports, job, JobChange(changes, history), beat)
    if written is not None:
        _count(ports, written, event, str(history.failure) if history else "")
    return written, way.answer


_OUTCOMES = {
    Event.SUCCEED: "succeeded",
    Event.FAIL_AGAIN: "failed",
    Event.FAIL_FOR_GOOD: "failed",
    Event.LOSE: "lost",
    Event.LOSE_FOR_GOOD: "lost",
    Event.RELEASE: "released",
}


def _count(ports: Ports, job: Job, event: Event, failure: str) -> None:
    """Only what was written is counted, so a doubled word counts once."""
    if event in _OUTCOMES:
        ports.meter.attempt(job.stage, _OUTCOMES[event], failure)
    if _OUTCOMES.get(event) == "lost":
        ports.meter.lost()
    if job.state is JobState.DEAD:
        ports.meter.died(failure)


def _write(ports: Ports, job: Job, change: JobChange, beat: int | None) -> Job | None:
    return ports.store.move_job(
        job.id,
        state=job.state,
        attempt=job.attempt,
        reported=job.reported,
        beat=beat,
        change=_bounded(job, change),
    )


def _bounded(job: Job, change: JobChange) -> JobChange:
    """Losses that are not charged may go on for ever; a document must not grow with them."""
    if change.history is None or len(job.history) < HISTORY_LINES:
        return change
    newest = job.history[1 - HISTORY_LINES :]
    return JobChange({**change.fields, "history": newest}, change.history)


def cancel(ports: Ports, job: Job) -> None:
    """Closes a job that nobody wants any more, unless somebody moved it since it was read."""
    apply(ports, job, Event.CANCEL, fields={"expand": "none"})


def sweep(ports: Ports, task_id: str) -> None:
    """Closes every open job of a task that was cancelled or deleted.

    A job that has succeeded stays open until it is expanded; its expansion writes outputs but
    its children are closed by the expansion itself, which reads the task again at its end. The
    task is read after the jobs: a manager that slept must not close what a retry has revived.
    """
    ports.store.drop_previews(task_id)
    while True:
        found = [job for job in ports.store.open_jobs(task_id, 500) if not job.state.ended]
        task = ports.store.task(task_id)
        if not found or task is None or not task.cancel:
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
        started_at=job.claimed_at if job.lease else None,
        next_attempt_at=next_attempt_at,
    )
