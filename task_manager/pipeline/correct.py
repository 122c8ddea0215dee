"""Save a correction: one write opens the task again with it, and the rest follows from that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.model.correction import Correction
from services.model.errors import NotTerminal
from services.model.task import Task
from task_manager.pipeline.expand import expand_task
from task_manager.pipeline.orders import read
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.reopen import reopen
from task_manager.pipeline.settle import settle


def correct(ports: Ports, task_id: str, write: Callable[[Task], Correction | None]) -> Task:
    """The task with what `write` makes of it as it is, which is asked anew when somebody was first;
    without a change the task as it is. Where nothing has to be made anew it has ended again."""
    while True:
        task = read(ports, task_id)
        correction = write(task)
        if correction is None:
            return task
        refuse_to_correct(task)
        fields: dict[str, Any] = {"correction": correction, "corrections": task.corrections + 1}
        if correction.output.kind != "translation":
            fields["progress"] = 0.0
        reopened = reopen(ports, task, fields)
        if reopened is not None:
            break
    expand_task(ports, reopened)
    settle(ports, task_id)
    return read(ports, task_id)


def refuse_to_correct(task: Task) -> None:
    """Raises NotTerminal for a task that runs."""
    if not task.state.ended:
        raise NotTerminal(f"The task is {task.state}: wait until it has ended, then correct it.")
