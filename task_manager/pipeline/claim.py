"""Who works on what: the store picks the best due jobs, the answer carries all they need."""

from __future__ import annotations

from services.model.errors import FailureClass, JobFailed
from services.model.job import Job
from services.model.messages import Claim, Grant, Granted
from services.model.node import Node
from services.model.states import Event
from services.model.task import TaskState
from task_manager.pipeline import jobs, specs
from task_manager.pipeline.nodes import live_nodes
from task_manager.pipeline.ports import Ports


def claim(ports: Ports, asked: Claim) -> Granted:
    """Leases for the best due jobs of the queue, normally the announced one.

    The claim re-reads each task after it won: a cancel that came in between is honoured.
    """
    node = ports.store.node(asked.node)
    draining = node is not None and node.draining
    won: list[Job] = []
    if not draining:
        won = ports.store.claim(
            queue=asked.queue,
            models=asked.models,
            node=asked.node,
            token=asked.token,
            limit=asked.slots,
            announced=asked.job,
            may_avoid=_others_serve(ports, asked),
        )
    grants = [grant for job in won if (grant := _grant(ports, job)) is not None]
    return Granted(
        now=ports.store.now(),
        grants=grants,
        beat_every_s=ports.settings.beat_every_s,
        draining=draining,
    )


def _others_serve(ports: Ports, asked: Claim) -> bool:
    """An avoided node serves all the same when no other live one can."""
    return any(other.id != asked.node and serves(other, asked.queue) for other in live_nodes(ports))


def serves(node: Node, queue: str) -> bool:
    return queue in node.queues and not node.draining


def _grant(ports: Ports, job: Job) -> Grant | None:
    task = ports.store.task(job.task_id)
    if task is None or task.cancel:
        jobs.cancel(ports, job)
        return None
    if task.state is TaskState.QUEUED:
        now = ports.store.now()
        if ports.store.start_task(task.id, now):
            ports.store.append_event(task.id, now, "state", {"state": TaskState.RUNNING})
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
