"""All that one expansion writes, and in which order where it is not one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from services.model.job import Job
from services.model.task import Item, TaskEvent
from services.model.transcript import Output
from services.model.webhook import Delivery

if TYPE_CHECKING:
    from task_manager.store.protocol import Store


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A line for the log of a task; its number and position are the store's to give."""

    task_id: str
    owner: str
    at: float
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def placed(self, number: int, position: int) -> TaskEvent:
        return TaskEvent(
            task_id=self.task_id,
            owner=self.owner,
            number=number,
            position=position,
            at=self.at,
            kind=self.kind,
            data=dict(self.data),
        )


@dataclass(frozen=True, slots=True)
class Expanded:
    """Whose children are there now: those of a task, or of one of its jobs. The flag of a task is
    cleared only while its revision is this one."""

    task_id: str
    look_at: float
    revision: int | None = None
    job: str | None = None
    attempt: int = 0

    @property
    def fields(self) -> Mapping[str, Any]:
        """What is written into the task."""
        own: Mapping[str, Any] = (
            {"expand": "done", "revive": False, "added": [], "correction": None}
            if self.job is None
            else {}
        )
        return {**own, "look_at": self.look_at}


@dataclass(frozen=True, slots=True)
class Children:
    """All that one expansion brings. `versions` are outputs that are about to be replaced."""

    items: Sequence[Item] = ()
    versions: Sequence[Output] = ()
    outputs: Sequence[Output] = ()
    jobs: Sequence[Job] = ()
    events: Sequence[NewEvent] = ()
    deliveries: Sequence[Delivery] = ()


def write_one_by_one(store: Store, children: Children, expanded: Expanded | None) -> bool:
    """Items, versions and outputs before the jobs that read them, an output that is replaced before
    the one that does so; then the events and deliveries, when there
    is what they tell of; the flags last. False if the task has another revision by now, and is
    still to be expanded."""
    if children.items:
        store.insert_items(children.items)
    for version in children.versions:
        store.put_version(version)
    for output in children.outputs:
        store.put_output(output)
    if children.jobs:
        store.insert_jobs(children.jobs)
    for event in children.events:
        store.append_event(event)
    if children.deliveries:
        store.insert_deliveries(children.deliveries)
    if expanded is None:
        return True
    if expanded.job is not None:
        store.set_expanded(expanded.job, expanded.attempt)
    return store.note_task(expanded.task_id, expanded.fields, revision=expanded.revision)
