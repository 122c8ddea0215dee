"""Who waits for a task: each caller who comes back and each who leaves is a line of its log.

So any number of callers, on any number of managers, may wait for one task, and the last to go
takes it along.
"""

from __future__ import annotations

from contextlib import suppress

from services.model.errors import AlreadyFinished, Gone, NotFound
from services.model.task import Task
from task_manager.pipeline.orders import cancel
from task_manager.pipeline.ports import Ports
from task_manager.store.children import NewEvent

ASKED, LEFT = "asked", "left"
_PAGE = 500


def come(ports: Ports, task: Task) -> None:
    """One more waits for it, beside the one whom it was made for."""
    if not task.state.ended:
        _note(ports, task, ASKED)


def leave(ports: Ports, task: Task) -> int:
    """One does not wait any more; the number of the line that says so."""
    return _note(ports, task, LEFT)


def cancel_if_unattended(ports: Ports, task_id: str) -> None:
    """Nobody waits for it: nobody shall work on it."""
    if _waiting(ports, task_id) <= 0:
        with suppress(AlreadyFinished, NotFound, Gone):
            cancel(ports, task_id)


def _note(ports: Ports, task: Task, kind: str) -> int:
    return ports.store.append_event(NewEvent(task.id, task.owner, ports.store.now(), kind))


def _waiting(ports: Ports, task_id: str) -> int:
    waiting, after = 1, 0
    while lines := ports.store.events(task_id, after=after, limit=_PAGE):
        waiting += sum((line.kind == ASKED) - (line.kind == LEFT) for line in lines)
        after = lines[-1].number
    return waiting
