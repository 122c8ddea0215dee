"""What a user orders of a task that exists: cancel, retry, delete."""

from __future__ import annotations

from services.model import plan
from services.model.errors import AlreadyFinished, Conflict, Gone, NotFound, NotTerminal
from services.model.job import Stage
from services.model.task import Task
from task_manager.pipeline import jobs
from task_manager.pipeline.expand import expand_task
from task_manager.pipeline.own_words import is_superseded
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.reopen import reopen
from task_manager.pipeline.settle import settle

_OF_AUDIO = frozenset({Stage.PREPARE, Stage.DETECT, Stage.TRANSCRIBE})
_LOOKED_AT = 200  # dead jobs; of a task that failed all fail in much the same place


def read(ports: Ports, task_id: str) -> Task:
    """The task; raises NotFound, or Gone for one that was deleted."""
    task = ports.store.task(task_id)
    if task is None:
        raise NotFound(f"There is no task {task_id!r}.")
    if task.deleted_at is not None:
        raise Gone("This task was deleted.")
    return task


def cancel(ports: Ports, task_id: str) -> Task:
    """Sets the flag, then sweeps: waiting jobs end at once, running ones at their next word."""
    while True:
        task = read(ports, task_id)
        if task.state.ended:
            raise AlreadyFinished(f"The task has ended ({task.state}); nothing is left to cancel.")
        fields = {"cancel": True, "look_at": ports.store.now()}
        if task.cancel or ports.store.move_task(task_id, task.revision, fields) is not None:
            break
    jobs.sweep(ports, task_id)
    settle(ports, task_id)
    ports.wake()
    return read(ports, task_id)


def retry(ports: Ports, task_id: str) -> Task:
    """Opens the task again and revives what is dead; what succeeded stays as it is."""
    while True:
        task = read(ports, task_id)
        if not task.state.ended:
            raise NotTerminal(f"The task is {task.state}: wait until it has ended, or cancel it.")
        _refuse_without_hope(ports, task)
        _refuse_without_media(ports, task)
        reopened = reopen(ports, task, {"revive": True})
        if reopened is not None:
            break
    expand_task(ports, reopened)
    return read(ports, task_id)


def _refuse_without_hope(ports: Ports, task: Task) -> None:
    """Nothing failed that still counts; or only items too far from their texts, and these would be
    so again."""
    after, too_far = "", False
    while batch := ports.store.dead_jobs(task.id, after=after, limit=_LOOKED_AT):
        counting = [job for job in batch if not is_superseded(ports.store, task, job)]
        if not all(map(plan.stays_dead, counting)):
            return
        too_far = too_far or bool(counting)
        after = batch[-1].id
    if not too_far:
        raise Conflict(
            f"The task has ended ({task.state}) and nothing in it has failed.",
            code="nothing_to_retry",
        )
    raise Conflict(
        "What was heard is still too far from the text: send it anew, in a task with another "
        "model or another check_threshold.",
        code="check_failed",
    )


def _refuse_without_media(ports: Ports, task: Task) -> None:
    if task.media_gone_at is None:
        return
    if any(job.stage in _OF_AUDIO for job in ports.store.dead_jobs(task.id, limit=_LOOKED_AT)):
        raise Conflict(
            "The audio of this task was removed after its time: send the files again, in a new "
            "task.",
            code="media_gone",
        )


def delete(ports: Ports, task_id: str) -> None:
    """Cancel plus a tombstone; the media go at once, and again when the last worker has let go."""
    while True:
        task = read(ports, task_id)
        now = ports.store.now()
        fields = {"deleted_at": now, "cancel": True, "look_at": now, "expire_at": None}
        if ports.store.move_task(task_id, task.revision, fields) is not None:
            break
    settle(ports, task_id)
    ports.wake()
