"""Remove objects that no document tells of, and halves of objects: left by a process that was
killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from services import logs
from services.storage import keys
from task_manager.pipeline.accept import made_at
from task_manager.pipeline.ports import Ports

log = logs.get(__name__)

OLD_S = 2 * 86_400.0  # younger ones may belong to a request that is under way
_AT_ONCE = 500
_FEW = 100


def sweep_orphans(ports: Ports) -> int:
    """How many tasks' and uploads' objects went.

    Where more is unknown than known, and not just a few, the store is not the one that these
    objects belong to: an operator has named another by mistake, and nothing is removed.
    """
    known, unknown = 0, []
    for batch in _batches(_old(ports, keys.TASKS)):
        there = ports.store.known_tasks(batch)
        known += len(there)
        unknown += [task_id for task_id in batch if task_id not in there]
    if len(unknown) > max(_FEW, known):
        log.error("orphans_left", unknown=len(unknown), known=known)
        return 0
    for task_id in unknown:
        ports.objects.delete_prefix(keys.task_prefix(task_id))
    lost = [name for name in _old(ports, keys.UPLOADS) if not ports.store.upload(keys.upload(name))]
    for name in lost if len(lost) <= max(_FEW, known) else ():
        ports.objects.delete(keys.upload(name))
    drop, before = ports.objects.drop_unfinished, _long_ago(ports)
    half = sum(drop(prefix, before) for prefix in (keys.TASKS, keys.UPLOADS))
    if unknown or lost or half:
        log.info("orphans_swept", tasks=len(unknown), uploads=len(lost), unfinished=half)
    return len(unknown) + len(lost)


def _old(ports: Ports, prefix: str) -> Iterator[str]:
    """The ids under it that tell a time long past; what we did not name is left alone."""
    before = _long_ago(ports)
    for name in ports.objects.names_under(prefix):
        made = made_at(name)
        if made is not None and made < before:
            yield name


def _long_ago(ports: Ports) -> float:
    """Whatever was begun before then is under way no more."""
    return ports.store.now() - OLD_S - ports.settings.upload_keep_s


def _batches(names: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(names, _AT_ONCE)):
        yield batch
