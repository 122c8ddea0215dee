"""Remove what has had its time: media first, then whole tasks, then their tombstones."""

from __future__ import annotations

from services import logs
from services.model.task import Task
from services.storage import keys
from task_manager.pipeline.orders import delete
from task_manager.pipeline.ports import Ports

log = logs.get(__name__)

_AT_ONCE = 200
AGAIN_S = 300.0


def expire(ports: Ports) -> int:
    """All that is due; how many tasks it was about. One that cannot be done now is met again
    later, and holds up no other."""
    done = 0
    while due := ports.store.tasks_to_expire(ports.store.now(), _AT_ONCE):
        for task in due:
            try:
                _expire(ports, task)
            except Exception as error:  # noqa: BLE001
                log.warning("expire_failed", task_id=task.id, error=repr(error))
                later = ports.store.now() + AGAIN_S
                ports.store.note_task(task.id, {"expire_at": later}, revision=task.revision)
        done += len(due)
    return done


def _expire(ports: Ports, task: Task) -> None:
    now = ports.store.now()
    if task.purged_at is not None:
        ports.store.forget_task(task.id)
    elif task.awaits_export:  # which reads what would be removed
        ports.store.note_task(task.id, {"expire_at": now + AGAIN_S}, revision=task.revision)
    elif _is_due(task.retention.results_until(task.finished_at), now):
        log.info("task_expired", task_id=task.id)
        delete(ports, task.id)
    else:
        _remove_media(ports, task, now)


def _remove_media(ports: Ports, task: Task, now: float) -> None:
    """Said first, by compare-and-set, so that nobody retries what is going; done again after a
    break, for the time is only moved on at the end."""
    if task.media_gone_at is None:
        said = ports.store.move_task(task.id, task.revision, {"media_gone_at": now})
        if said is None:
            return  # a retry or a delete was first
        task = said
    for prefix in keys.media_prefixes(task.id):
        ports.objects.delete_prefix(prefix)
    after = task.retention.next_at(task.finished_at or now, media_gone=True)
    ports.store.note_task(task.id, {"expire_at": after}, revision=task.revision)


def _is_due(at: float | None, now: float) -> bool:
    return at is not None and at <= now
