"""What becomes of the objects that a task wants written at its end: ordered, told, given up.

They are written by the postman, as one more delivery of the outbox: it is there before anything
is written, and is tried again until the objects are there too. Only then are the task's webhooks
told of its end. An end that is undone, as by a retry, is told before, without them.
"""

from __future__ import annotations

from services import logs
from services.model.export import EVENT, EXPORT, WAITS_S, Export, Order, lane
from services.model.task import Task
from services.model.webhook import Delivery, delivery_id
from services.posting import Posted
from task_manager.pipeline.notices import of_end, tell
from task_manager.pipeline.ports import Ports

log = logs.get(__name__)

NOT_WRITTEN = "outputs_not_written"
NOT_AWAITED = "outputs_not_awaited"


def order(ports: Ports, task: Task) -> None:
    """Asks for the objects of this end, if that was not done."""
    at = task.finished_at or task.created_at
    body = Order(end=task.ends).model_dump_json()
    wanted = Delivery(
        id=id_of(task),
        owner=task.owner,
        task_id=task.id,
        event=EVENT,
        endpoint=EXPORT,
        url=task.output_prefix,
        lane=lane(task.owner, task.output_prefix),
        body=body,
        created_at=at,
        due=at,
    )
    ports.store.insert_deliveries([wanted])
    ports.post()


def id_of(task: Task) -> str:
    """Of the delivery that writes what the task left at its last end."""
    return delivery_id(task.id, EVENT, "", task.ends, EXPORT)


def conclude(ports: Ports, task: Task, export: Export) -> Task:
    """First the webhooks, then the task: while it still awaits the objects nothing of it expires,
    and its revision, by which one end is told from another, stays what it is."""
    if task.awaits_export:
        known = task.model_copy(update={"export": export})
        tell(ports, known, [of_end(ports, known)])
    current: Task | None = task
    while current is not None and current.ends == export.end:
        if ports.store.note_task(task.id, {"export": export}, revision=current.revision):
            return current.model_copy(update={"export": export})
        current = ports.store.task(task.id)
    return task


def failed(
    ports: Ports, task: Task, delivery: Delivery, reason: str, *, final: bool = False
) -> Posted:
    """A try that came to nothing; the last one is told as well."""
    final = final or delivery.failures >= len(WAITS_S)
    if final:
        log.warning("outputs_not_written", task_id=task.id, reason=reason)
        given_up = Export(end=task.ends, at=ports.store.now(), code=NOT_WRITTEN, message=reason)
        conclude(ports, task, given_up)
    return Posted(error=reason, final=final)


def give_up_end(ports: Ports, task: Task) -> Task:
    """Its end is about to be undone; the next one writes what there is then."""
    reason = "The task was opened again before they were written."
    given_up = Export(end=task.ends, at=ports.store.now(), code=NOT_AWAITED, message=reason)
    return conclude(ports, task, given_up)
