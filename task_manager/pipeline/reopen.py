"""Open a task again that has ended: its end is told of first, then one write undoes it."""

from __future__ import annotations

from typing import Any

from services.model.task import Task, TaskState
from task_manager.pipeline import exports
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.settle import tell_end
from task_manager.store.children import NewEvent


def reopen(ports: Ports, task: Task, fields: dict[str, Any]) -> Task | None:
    """The task with these fields, waiting for its expansion, which its caller sees to. None if
    somebody changed it since it was read."""
    if task.awaits_export:
        task = exports.give_up_end(ports, task)
    if task.look_at is not None:  # nobody has told of its end yet, and soon it has none
        tell_end(ports, task)
    now = ports.store.now()
    opened = ports.store.move_task(
        task.id,
        task.revision,
        {
            "state": TaskState.QUEUED,
            "expire_at": None,
            "cancel": False,
            "expand": "pending",
            "finished_at": None,
            "counts_at": 0.0,
            "look_at": now + ports.settings.expand_after_s,
            **fields,
        },
    )
    if opened is not None:
        data = {"state": TaskState.QUEUED, "revision": opened.revision}
        ports.store.append_event(NewEvent(task.id, task.owner, now, "state", data))
    return opened
