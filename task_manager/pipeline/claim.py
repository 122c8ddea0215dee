"""Who works on what: the store picks the best due jobs, the answer carries all they need."""

from __future__ import annotations

from services import logs
from services.model.errors import FailureClass, JobFailed
from services.model.job import Job, Stage, base_queue
from services.model.messages import Claim, Grant, Granted
from services.model.node import Node, others_for
from services.model.states import Event, JobState
from services.model.task import TaskState
from task_manager.pipeline import jobs, previews, specs
from task_manager.pipeline.ports import Ports
from task_manager.store.children import NewEvent

log = logs.get(__name__)

REST_S = 0.5  # enough for somebody else to hear the next bell, which rings at once


def claim(ports: Ports, asked: Claim) -> Granted:
    """Leases for the best due jobs of the queue, normally the announced one.

    A node that drains, or is set aside while another one can do the work, is given nothing new;
    but the same token gets the same leases in any case. The claim re-reads each task after it
    won: a cancel that came in between is honoured.
    """
    nodes = ports.store.nodes()
    node = next((each for each in nodes if each.id == asked.node), None)
    others = _others(ports, asked, nodes)
    barred = node is not None and _is_barred(ports, node, asked.queue, others)
    models = _fitting(ports, asked)
    won = ports.store.claim(
        queue=asked.queue,
        models=models,
        node=asked.node,
        token=asked.token,
        limit=0 if barred else asked.slots,
        most_size=asked.most_size,
        announced=asked.job,
        others=[other.id for other in others],
    )
    if won and asked.job not in {job.id for job in won}:
        _ring_again(ports, asked.job)
    grants = [grant for job in won if (grant := _grant(ports, job)) is not None]
    rest_s = 0.0 if won else _rest(ports, asked, models, others, barred=barred)
    if not won and not rest_s:
        grants = previews.claim(ports, asked, models, barred=barred)
    ports.meter.claimed("granted" if grants else "barred" if barred else "empty")
    return Granted(
        now=ports.store.now(),
        grants=grants,
        beat_every_s=ports.settings.beat_every_s,
        draining=node is not None and node.draining,
        rest_s=rest_s,
    )


def _others(ports: Ports, asked: Claim, nodes: list[Node]) -> list[Node]:
    """Who else could do it. A node that had no room for the model lately does not count, or two
    nodes would wait for each other: one that should avoid the job, and one that cannot load."""
    now = ports.store.now()
    _, _, model = base_queue(asked.queue).partition(".")
    found = others_for(asked.node, nodes, asked.queue, now)
    return [other for other in found if not ports.refusals.stands(other.id, model, now)]


def _is_barred(ports: Ports, node: Node, queue: str, others: list[Node]) -> bool:
    """Also from the queue of a label that was taken away while the bell was on its way."""
    if node.draining or (queue != base_queue(queue) and queue not in node.listens):
        return True
    return bool(others) and node.is_set_aside(ports.store.now())


def _fitting(ports: Ports, asked: Claim) -> list[str]:
    """The models that are loaded or have room; all of them where the worker cannot tell."""
    return [model for model in asked.models if _fits(ports, asked, model)]


def _fits(ports: Ports, asked: Claim, model: str) -> bool:
    entry = ports.catalog.entry(model)
    if entry is None or asked.free_mb is None or model in asked.loaded:
        return True
    if entry.memory_mb <= asked.free_mb:
        return True
    if base_queue(asked.queue).partition(".")[2] == model and ports.refusals.note(
        asked.node, model, ports.store.now()
    ):
        log.warning(
            "model_does_not_fit",
            node=asked.node,
            model=model,
            memory_mb=entry.memory_mb,
            free_mb=asked.free_mb,
        )
    return False


def _ring_again(ports: Ports, job_id: str) -> Job | None:
    """Its bell was heard and did not bring its turn: while it still waits it is announced anew,
    instead of a minute later. None if it does not wait."""
    job = ports.store.job(job_id)
    if job is None or job.state is not JobState.WAITING:
        return None
    if job.announced_at is not None:
        ports.store.unannounce(job.id, job.announced_at)
    return job


def _rest(
    ports: Ports, asked: Claim, models: list[str], others: list[Node], *, barred: bool
) -> float:
    """For how long the asker keeps still where it was refused what another node could take.

    The job whose bell it heard loses its stamp, so that the bell rings again at once; those of
    others are still on their way. Where nobody else is able, the stamp stays and rings in its own
    time. A slot that rests is one less for all others' jobs: so it does not rest for long.
    """
    left = _ring_again(ports, asked.job) if others else None
    if left is None or not any(other.free for other in others):
        return 0.0
    unfit = bool(left.model) and left.model not in models
    if not (barred or unfit or asked.node in left.avoid):
        return 0.0
    ports.wake()
    return REST_S


def _grant(ports: Ports, job: Job) -> Grant | None:
    task = ports.store.task(job.task_id)
    if task is None or task.cancel:
        jobs.cancel(ports, job)
        return None
    if job.stage is Stage.TRANSCRIBE and job.attempt > 1 and task.manifest.options.previews:
        ports.store.drop_previews(task.id, item=job.item, part=job.part)  # of what is said anew
    if task.state is TaskState.QUEUED:
        now = ports.store.now()
        if ports.store.start_task(task.id, now):
            running = {"state": TaskState.RUNNING}
            ports.store.append_event(NewEvent(task.id, task.owner, now, "state", running))
    try:
        return specs.grant(ports, task, job)
    except JobFailed as failed:
        _refuse(ports, job, failed.failure_class, failed.code, failed.message)
    except LookupError as missing:
        _refuse(ports, job, FailureClass.PERMANENT, "input_gone", str(missing))
    return None


def _refuse(ports: Ports, job: Job, failure: FailureClass, code: str, message: str) -> None:
    """A job that cannot even be handed out dies here, and its task goes on without it."""
    now = ports.store.now()
    line = jobs.entry(job, failure, code, message, at=now, next_attempt_at=None)
    fields = {"reported": job.attempt, "lease": None}
    jobs.apply(ports, job, Event.FAIL_FOR_GOOD, fields=fields, history=line)
    ports.store.note_task(job.task_id, {"look_at": now})
    ports.wake()
