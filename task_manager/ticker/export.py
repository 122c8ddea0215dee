"""Write the objects that a task wants under its output prefix: a stretch at a time, item by item,
then those of the whole task, and an index last."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from services import logs
from services.model.errors import Invalid
from services.model.export import KEYS_TOLD, Export, Order
from services.model.task import Task
from services.model.webhook import Delivery
from services.posting import Posted
from services.storage.protocol import StorageUnavailable
from task_manager.exported import Exported, File, Listed
from task_manager.pipeline import exports, outbox
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import StoreUnavailable

log = logs.get(__name__)

AT_ONCE = 4  # files of one text, which are written side by side


def write(
    ports: Ports, delivery: Delivery, hold_s: float, enough: Callable[[], bool]
) -> tuple[Delivery, Posted | None]:
    """Goes on where the delivery is, until all is written, something fails, or it is `enough` for
    once. After each text the claim holds for `hold_s` more, and after each item it is written
    down how far it is.

    What came of it is None where nobody wants it any more, or it goes on later. A second writer
    that took over writes the same bytes under the same keys.
    """
    task = _task(ports, delivery)
    if task is None:
        return delivery, None
    try:
        writing = _Writing(ports, task, delivery, hold_s)
    except Invalid as refused:  # by now; it was not when the task came
        return delivery, exports.failed(ports, task, delivery, refused.message, final=True)
    posted: Posted | None
    try:
        posted = writing.go_on(enough)
    except StorageUnavailable as away:
        posted = exports.failed(ports, task, writing.delivery, away.message)
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("export_failed", task_id=task.id)
        posted = exports.failed(ports, task, writing.delivery, "They could not be written.")
    return writing.delivery, posted


def _task(ports: Ports, delivery: Delivery) -> Task | None:
    """The task, if this end of it is still wanted."""
    task = ports.store.task(delivery.task_id)
    if task is None or task.deleted_at is not None:
        outbox.drop(ports, delivery, "The task was deleted.")
        return None
    if not task.state.ended or task.ends != Order.model_validate_json(delivery.body).end:
        outbox.drop(ports, delivery, "The task was retried.")
        return None
    return task


class _Writing:
    """The objects of one task, in one folder of a bucket. Raises Invalid for a prefix that is not
    allowed."""

    def __init__(self, ports: Ports, task: Task, delivery: Delivery, hold_s: float) -> None:
        self._ports = ports
        self._task = task
        self._hold_s = hold_s
        self.delivery = delivery
        self._exported = Exported(ports.store, ports.objects, task)
        self._objects, folder = ports.buckets.output_folder(task.output_prefix)
        self._folder = f"{folder}{task.id}/"

    def go_on(self, enough: Callable[[], bool]) -> Posted | None:
        """None where somebody else took it over, or it goes on later."""
        first = Order.model_validate_json(self.delivery.body).item
        for ordinal in range(first, len(self._task.manifest.items)):
            if enough():
                outbox.hold(self._ports, self.delivery, self._ports.store.now())
                return None
            if not self._item(ordinal):
                return None
        # Read again: what a retry makes of it must not be written over by what was.
        task = _task(self._ports, self.delivery)
        if task is None:
            return None
        exports.conclude(self._ports, task, self._rest())
        return Posted(status=200)

    def _item(self, ordinal: int) -> bool:
        """Whether it is still ours to write."""
        for files in self._exported.of_item(ordinal):
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(self._put, files))
            if outbox.hold(self._ports, self.delivery, self._until()) is None:
                return False
        body = Order(end=self._task.ends, item=ordinal + 1).model_dump_json()
        moved = outbox.go_on(self._ports, self.delivery, body, self._until())
        self.delivery = moved or self.delivery
        return moved is not None

    def _until(self) -> float:
        return self._ports.store.now() + self._hold_s

    def _rest(self) -> Export:
        names = []
        for file in self._exported.of_task():
            self._put(file)
            if file.chunks is not None:
                names.append(file.name)
        listed = Listed()
        index = self._exported.index(self._folder, names, listed)
        self._put(index)
        listed.add([self._folder + index.name])
        few = listed.count <= KEYS_TOLD
        return Export(
            end=self._task.ends,
            at=self._ports.store.now(),
            count=listed.count,
            index=self._folder + index.name,
            keys=listed.keys if few else [self._folder + name for name in (*names, index.name)],
        )

    def _put(self, file: File) -> None:
        key = self._folder + file.name
        if file.chunks is None:
            self._objects.delete(key)
        else:
            self._objects.put(key, file.chunks, file.media_type)
