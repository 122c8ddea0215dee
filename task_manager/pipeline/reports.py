"""Take what a worker says of an attempt: beats, progress, and the last word.

Repeats are welcome and change nothing; a lower attempt is answered 409 and commits nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from services.model import retry
from services.model.errors import FailureClass, JobFailed
from services.model.job import HistoryEntry, Job
from services.model.messages import (
    Beat,
    BeatAnswer,
    Failure,
    Finish,
    FinishAnswer,
    LeaseState,
    Progress,
    Report,
    Verdict,
)
from services.model.preview import is_preview
from services.model.states import Answer, Event, JobState
from task_manager.pipeline import jobs, limits, nodes, previews, specs
from task_manager.pipeline.expand import expand_job
from task_manager.pipeline.ports import Ports
from task_manager.store.children import NewEvent

RENEW_BELOW_S = 900.0  # of a signed URL's life
TRIES = 20  # compare-and-set rounds; each lost round means that somebody else moved the job

Status = Literal[200, 409, 410, 422]
_TO_TELL = {"expand": "pending", "open": True}  # a death is told of before the task may end
_STATUS: dict[Answer, Status] = {Answer.OK: 200, Answer.STALE: 409, Answer.CANCELLED: 410}


def beat(ports: Ports, beat: Beat) -> BeatAnswer:
    """The state of each lease; a lease that was taken back too early is given again."""
    states = [
        _lease(ports, held.job, held.attempt, beat.token, taken=ports.store.beat)
        for held in beat.leases
    ]
    return BeatAnswer(now=ports.store.now(), leases=states)


def progress(ports: Ports, told: Progress) -> LeaseState:
    """One event a callback, and none for a number that was seen."""
    state = _lease(ports, told.job, told.attempt, told.token, taken=ports.store.beat)
    if state.state == "held" and ports.store.note_progress(
        told.job, told.attempt, told.token, told.number, told.fraction
    ):
        _tell(ports, told)
    return state


def _tell(ports: Ports, told: Progress) -> None:
    job = ports.store.job(told.job)
    if job is None:
        return
    data: dict[str, Any] = {
        "stage": job.stage,
        "item": job.item,
        "part": job.part,
        "attempt": told.attempt,
        "fraction": told.fraction,
    }
    if job.language:
        data |= {"language": job.language, "source": job.source}
    elif told.language:
        data["language"] = told.language
    if told.segments:
        data["segments"] = [segment.model_dump(exclude_none=True) for segment in told.segments]
    kind = "segments" if told.segments else "progress"
    ports.store.append_event(NewEvent(job.task_id, job.owner, ports.store.now(), kind, data))
    previews.offer(ports, job, told)


def _lease(ports: Ports, job_id: str, attempt: int, token: str, *, taken: Any) -> LeaseState:
    if is_preview(job_id):
        return previews.lease(ports, job_id, attempt, token)
    for _ in range(TRIES):
        job = taken(job_id, attempt, token)
        if job is not None:
            ports.meter.beat()
            return LeaseState(job=job_id, state="held", urls=_renewed(ports, job))
        job = ports.store.job(job_id)
        if job is None or job.state is JobState.CANCELLED:
            ports.meter.callback_refused(410)
            return LeaseState(job=job_id, state="cancelled")
        if not job.is_held_by(token, attempt) or job.state is not JobState.WAITING:
            break
        jobs.apply(ports, job, Event.BEAT, fields={"losses": _uncharged(job)})
        _forgive(ports, job)
    ports.meter.callback_refused(409)
    return LeaseState(job=job_id, state="stale")


def _uncharged(job: Job) -> int:
    """The losses without the one that was charged when this lease was taken back, if it was: a
    lease that never beat cost nothing, and must not pay for an earlier one."""
    charged = job.lease is not None and job.lease.beat > 0
    return max(0, job.losses - 1) if charged else job.losses


def _forgive(ports: Ports, job: Job) -> None:
    """The node was only not heard of when the job was taken back."""
    if job.state is JobState.WAITING and job.lease is not None and job.lease.beat > 0:
        nodes.forgive(ports, job.lease.node, job.id)


def _blame(ports: Ports, job: Job) -> None:
    """What ended here while it ran says something about the node; what ended so on another node
    before, about the job: then nobody is blamed for it any more."""
    if job.state is not JobState.RUNNING or job.lease is None:
        return
    elsewhere = [node for node in job.avoid if node != job.lease.node]
    for node in elsewhere:
        nodes.forgive(ports, node, job.id)
    if not elsewhere:
        nodes.trouble(ports, job.lease, job.id)


def _renewed(ports: Ports, job: Job) -> dict[str, str]:
    """Fresh URLs once the old ones have little life left; paths never end."""
    settings = ports.settings
    if settings.objects_reached_by == "path" or job.claimed_at is None:
        return {}
    age = ports.store.now() - job.claimed_at
    if age < settings.url_expires_s - RENEW_BELOW_S:
        return {}
    task = ports.store.task(job.task_id)
    if task is None:
        return {}
    try:
        return specs.urls(specs.spec_of(ports, task, job))
    except (JobFailed, LookupError):
        return {}


def finish(ports: Ports, finish: Finish) -> FinishAnswer:
    """Each report's verdict; what succeeded is expanded before the answer."""
    verdicts = [
        Verdict(job=report.job, status=_finish(ports, finish.token, report))
        for report in finish.reports
    ]
    for verdict in verdicts:
        if verdict.status != 200:
            ports.meter.callback_refused(verdict.status)
    ports.wake()
    return FinishAnswer(now=ports.store.now(), verdicts=verdicts)


def _finish(ports: Ports, token: str, report: Report) -> Status:
    if is_preview(report.job):
        return 200 if previews.finish(ports, token, report) else 410
    for _ in range(TRIES):
        job = ports.store.job(report.job)
        if job is None:
            return 410
        refused = _refused(job, token, report)
        if refused is not None:
            return refused
        written, answer = _apply(ports, job, report)
        if written is None:
            continue
        if report.failed is not None and report.failed.code == "out_of_memory":
            _blame(ports, job)
        elif report.result is not None:
            _forgive(ports, job)
        whole = not job.version  # of corrected words most may have been there before
        if report.result is not None and written.state is JobState.SUCCEEDED and whole:
            at = written.finished_at or ports.store.now()
            ports.speeds.finished(job, report.result, seconds=report.seconds, at=at)
        if written.state.ended and written.expand == "pending":
            expand_job(ports, written)
        return _STATUS[answer]
    return 409


def _refused(job: Job, token: str, report: Report) -> Status | None:
    """The verdict on a report that is not the job's own, or was taken before; else None."""
    if report.attempt > job.attempt or not _is_report_of(job, report):
        return 422
    if job.state is JobState.CANCELLED:
        return 410
    if report.attempt < job.attempt:
        return 409
    if job.reported == report.attempt:
        return 200
    return None if job.is_held_by(token, report.attempt) else 409


def _is_report_of(job: Job, report: Report) -> bool:
    said = [report.result is not None, report.failed is not None, report.released]
    if sum(said) != 1:
        return False
    return report.result is None or report.result.stage == job.stage


def _apply(ports: Ports, job: Job, report: Report) -> tuple[Job | None, Answer]:
    if report.result is not None:
        fields: dict[str, Any] = {
            "result": report.result.model_dump(mode="json"),
            "reported": report.attempt,
            "expand": "pending",
            "open": True,
            "lease": None,
            "progress": 1.0,
            **_used(job, report),
        }
        return jobs.apply(ports, job, Event.SUCCEED, fields=fields)
    if report.failed is not None:
        return _failed(ports, job, report.failed, _used(job, report))
    fields = {
        "reported": report.attempt,
        "lease": None,
        "due": ports.store.now(),
        "announced_at": None,
        "progress": 0.0,
        "progress_number": 0,
        **_used(job, report),
    }
    if not report.unknown:
        return jobs.apply(ports, job, Event.RELEASE, fields=fields)
    line = _too_old(ports, job, report.unknown)
    fields |= {"due": line.next_attempt_at, "avoid": _avoiding(job)}
    return jobs.apply(ports, job, Event.RELEASE, fields=fields, history=line)


def _too_old(ports: Ports, job: Job, unknown: Sequence[str]) -> HistoryEntry:
    """A worker of an older release does not know what the job asks for; nobody is charged. The
    first time another node may have it at once, and from then on this one waits for a while."""
    now = ports.store.now()
    asked_before = job.lease is not None and job.lease.node in job.avoid
    wait_s = retry.UNKNOWN_AGAIN_S * ports.settings.retry_scale if asked_before else 0.0
    return jobs.entry(
        job,
        FailureClass.SERVICE_UNAVAILABLE,
        "worker_too_old",
        f"The worker is of an older release and does not know: {', '.join(unknown)}. Upgrade it.",
        at=now,
        next_attempt_at=now + wait_s,
    )


def _used(job: Job, report: Report) -> dict[str, Any]:
    """What was paid for all attempts so far."""
    if report.usage is None:
        return {}
    return {"usage": report.usage if job.usage is None else job.usage.plus(report.usage)}


def _failed(
    ports: Ports, job: Job, failure: Failure, used: dict[str, Any]
) -> tuple[Job | None, Answer]:
    """The retry table decides; a lost worker has a counter of its own."""
    if failure.failure is FailureClass.WORKER_LOST:
        return lose(ports, job, failure.message, reported=job.attempt)
    decision = retry.decide(
        failure.failure,
        job.retries,
        draw=ports.draw(),
        retry_after_s=failure.retry_after_s,
        scale=ports.settings.retry_scale,
    )
    now = ports.store.now()
    due = now + decision.delay_s
    line = jobs.entry(
        job,
        failure.failure,
        failure.code,
        _message(ports, job, failure),
        at=now,
        next_attempt_at=due if decision.again else None,
    )
    fields: dict[str, Any] = {"reported": job.attempt, "lease": None, **used}
    if not decision.again:
        fields |= _TO_TELL
        return jobs.apply(ports, job, Event.FAIL_FOR_GOOD, fields=fields, history=line)
    counts = {**job.retries, failure.failure: job.retries.get(failure.failure, 0) + 1}
    fields |= {
        "retries": {str(name): number for name, number in counts.items()},
        "due": due,
        "announced_at": None,
        "safer": job.safer or decision.safer,
        "avoid": _avoiding(job) if decision.other_node else job.avoid,
        "progress": 0.0,
        "progress_number": 0,
    }
    return jobs.apply(ports, job, Event.FAIL_AGAIN, fields=fields, history=line)


def _message(ports: Ports, job: Job, failure: Failure) -> str:
    if failure.failure is FailureClass.TIME_LIMIT:
        return limits.explained(ports, job, failure.message)
    return failure.message


def _avoiding(job: Job) -> list[str]:
    node = [job.lease.node] if job.lease else []
    return list(dict.fromkeys([*job.avoid, *node]))


def lose(
    ports: Ports, job: Job, message: str, *, beat: int | None = None, reported: int | None = None
) -> tuple[Job | None, Answer]:
    """No sign of life, or the child said that it had to die: run again at once, thrice at most.

    A lease that never beat is not charged: its worker may not have touched the input. Where the
    ticker takes a job back, attempt and token stay until the next claim, so that the worker may
    still be believed.
    """
    charged = job.lease is None or job.lease.beat > 0 or reported is not None
    losses = job.losses + (1 if charged else 0)
    done = {FailureClass.WORKER_LOST: losses - 1 if charged else 0}
    decision = retry.decide(FailureClass.WORKER_LOST, done, draw=0.0)
    again = decision.again or not charged
    now = ports.store.now()
    line = jobs.entry(
        job,
        FailureClass.WORKER_LOST,
        "worker_lost",
        message,
        at=now,
        next_attempt_at=now if again else None,
    )
    fields: dict[str, Any] = {
        "losses": losses,
        "avoid": _avoiding(job),
        "progress": 0.0,
        "progress_number": 0,
    }
    if reported is not None:
        fields |= {"reported": reported, "lease": None}
    fields |= {"due": now, "announced_at": None} if again else _TO_TELL
    event = Event.LOSE if again else Event.LOSE_FOR_GOOD
    written, answer = jobs.apply(ports, job, event, fields=fields, history=line, beat=beat)
    if written is not None and charged:
        _blame(ports, job)
    return written, answer
