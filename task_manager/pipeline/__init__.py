"""The one writer: every change of a task or a job is made here, each by one compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from services.model.catalog import Catalog
from services.model.correction import Correction
from services.model.messages import (
    Beat,
    BeatAnswer,
    Claim,
    Earlier,
    Finish,
    FinishAnswer,
    Granted,
    Keep,
    Kept,
    LeaseState,
    LookBack,
    Lookup,
    NodeBeat,
    Progress,
    Recalled,
    Register,
    Registered,
)
from services.model.node import Node
from services.model.retention import Retention
from services.model.task import Manifest, Target, Task
from services.model.webhook import TaskWebhook
from services.settings import Settings
from services.storage.named import NamedBuckets
from services.storage.protocol import ObjectStore
from task_manager.pipeline import (
    accept,
    claim,
    correct,
    languages,
    nodes,
    orders,
    remembering,
    reports,
    reusing,
    settle,
)
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import Store


class Pipeline:
    """What the routes call. Blocking and safe from any thread: all state is in the store."""

    def __init__(
        self, store: Store, objects: ObjectStore, catalog: Catalog, settings: Settings
    ) -> None:
        self.ports = Ports(store, objects, catalog, settings, NamedBuckets(settings))

    def accept(
        self,
        *,
        task_id: str,
        owner: str,
        manifest: Manifest,
        priority: int,
        metadata: dict[str, Any],
        idempotency_key: str | None,
        retention: Retention = Retention(),  # noqa: B008  a frozen value
        webhook: TaskWebhook | None = None,
        output_prefix: str = "",
    ) -> tuple[Task, bool]:
        return accept.accept(
            self.ports,
            task_id=task_id,
            owner=owner,
            manifest=manifest,
            priority=priority,
            metadata=metadata,
            idempotency_key=idempotency_key,
            retention=retention,
            webhook=webhook,
            output_prefix=output_prefix,
        )

    def register(self, hello: Register) -> Registered:
        return nodes.register(self.ports, hello)

    def node_beat(self, beat: NodeBeat) -> Registered | None:
        return nodes.node_beat(self.ports, beat)

    def live_nodes(self) -> list[Node]:
        return nodes.live_nodes(self.ports)

    def claim(self, asked: Claim) -> Granted:
        return claim.claim(self.ports, asked)

    def beat(self, beat: Beat) -> BeatAnswer:
        return reports.beat(self.ports, beat)

    def progress(self, told: Progress) -> LeaseState:
        return reports.progress(self.ports, told)

    def finish(self, finish: Finish) -> FinishAnswer:
        return reports.finish(self.ports, finish)

    def look_up(self, asked: Lookup) -> Recalled:
        return remembering.look_up(self.ports, asked)

    def keep(self, told: Keep) -> Kept:
        return remembering.keep(self.ports, told)

    def look_back(self, asked: LookBack) -> Earlier:
        return reusing.look_back(self.ports, asked)

    def task(self, task_id: str) -> Task:
        return orders.read(self.ports, task_id)

    def refresh(self, task: Task) -> Task:
        return settle.refresh(self.ports, task)

    def cancel(self, task_id: str) -> Task:
        return orders.cancel(self.ports, task_id)

    def retry(self, task_id: str) -> Task:
        return orders.retry(self.ports, task_id)

    def add_languages(self, task_id: str, wanted: Sequence[Target]) -> tuple[Task, bool]:
        return languages.add_languages(self.ports, task_id, wanted)

    def correct(self, task_id: str, write: Callable[[Task], Correction | None]) -> Task:
        return correct.correct(self.ports, task_id, write)

    def delete(self, task_id: str) -> None:
        orders.delete(self.ports, task_id)
