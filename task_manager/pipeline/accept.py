"""Take a request: one insert of one document, and from then on nothing is lost."""

from __future__ import annotations

import secrets
import time
from hashlib import sha256
from itertools import product
from typing import Any

from services import logs
from services.model.errors import IdempotencyMismatch, Invalid, RequestRefused, TooLarge
from services.model.pack import dumps
from services.model.retention import Retention
from services.model.task import Manifest, Task
from services.model.webhook import TaskWebhook
from services.storage import keys
from services.storage.protocol import ObjectMissing
from task_manager.pipeline.expand import expand_task
from task_manager.pipeline.ports import Ports
from task_manager.store.children import NewEvent
from task_manager.store.protocol import StoreUnavailable

MANIFEST_LIMIT = 10 * 1024 * 1024  # bytes of JSON; a document of the store stays below 12 MB
_ID_LENGTH = 26
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32

log = logs.get(__name__)


def new_task_id() -> str:
    """26 lower-case characters: 48 bits of milliseconds, then 80 random bits; sorts by time."""
    number = (int(time.time() * 1000) << 80) | secrets.randbits(80)
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(_ID_LENGTH)))


def made_at(task_id: str) -> float | None:
    """Seconds since 1970, to the millisecond; None for what is no id of ours."""
    if len(task_id) != _ID_LENGTH or not set(task_id) <= set(_ALPHABET):
        return None
    number = 0
    for character in task_id:
        number = (number << 5) | _ALPHABET.index(character)
    return (number >> 80) / 1000


def request_digest(
    manifest: Manifest,
    priority: int,
    metadata: dict[str, Any],
    retention: Retention,
    webhook: TaskWebhook | None = None,
    *,
    output_prefix: str = "",
) -> str:
    """What makes two requests the same: the canonical manifest with the files' hashes; never
    the raw bytes of the request, nor the keys under which the files happen to lie, unless nobody
    knows their hashes."""
    content = manifest.model_dump(mode="json")
    for item in content["items"]:
        if item["audio"] and item["audio"]["sha256"]:
            del item["audio"]["key"]
    asked = [content, priority, metadata, retention.model_dump(exclude_none=True)]
    if webhook is not None:
        asked.append(webhook.model_dump(mode="json", exclude={"secret"} if webhook.made else None))
    if output_prefix:
        asked.append(output_prefix)
    return sha256(dumps(asked).encode()).hexdigest()


def accept(
    ports: Ports,
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
    """The task, and whether this request made it.

    False means that the key's earlier task is answered. Raises IdempotencyMismatch when that
    one was another request, and Invalid for a pair that no model serves.
    """
    refuse_too_large(manifest)
    refuse_unserved(ports, manifest)
    now = ports.store.now()
    wanted = (manifest, priority, metadata, retention, webhook)
    digest = request_digest(*wanted, output_prefix=output_prefix) if idempotency_key else None
    manifest = adopt(ports, task_id, manifest)
    task, made = _insert(
        ports,
        Task(
            id=task_id,
            owner=owner,
            created_at=now,
            manifest=manifest,
            priority=priority,
            metadata=metadata,
            idempotency_key=idempotency_key,
            idempotency_digest=digest,
            webhook=webhook,
            output_prefix=output_prefix,
            look_at=now + ports.settings.expand_after_s,
            retention=retention.within(ports.settings.retention),
        ),
    )
    if not made:
        ports.objects.delete_prefix(keys.task_prefix(task_id))
        if task.idempotency_digest != digest:
            raise IdempotencyMismatch(
                "This Idempotency-Key belongs to another request: use a new key for a new task."
            )
        return task, False
    queued = NewEvent(task_id, task.owner, now, "state", {"state": task.state})
    try:
        expand_task(ports, task, [queued])
    except Exception as error:  # noqa: BLE001  the task is stored: the ticker goes on from here
        log.warning("expansion_left", task_id=task_id, reason=repr(error))
    return task, True


class Unsure(StoreUnavailable):
    """The task may have been stored all the same, or may be yet: its inputs have to stay."""


def _insert(ports: Ports, task: Task) -> tuple[Task, bool]:
    """Raises Unsure where the answer got lost: a server that stood still may do what it was told
    when it goes on. So it is with whatever nobody foresaw: only a refusal is a clear no."""
    try:
        return ports.store.insert_task(task)
    except StoreUnavailable as error:
        raise Unsure(error.message) from error
    except RequestRefused:
        raise
    except Exception as error:
        log.exception("insert_failed", task_id=task.id)
        raise Unsure("Whether the task was stored is not known: send the same again.") from error


def adopt(ports: Ports, task_id: str, manifest: Manifest) -> Manifest:
    """The manifest with every audio under the task's own prefix, so that it lives and dies with
    the task; object first, document second. Raises Invalid for an upload that is gone."""
    prefix = keys.task_prefix(task_id)
    items = []
    for ordinal, item in enumerate(manifest.items):
        if item.audio is None or item.audio.url or item.audio.key.startswith(prefix):
            items.append(item)
            continue
        key = keys.audio(task_id, ordinal)
        try:
            ports.objects.copy(item.audio.key, key)
        except ObjectMissing as missing:
            raise Invalid(
                "This upload is gone: upload the file again and use its new key.",
                code="unknown_upload",
                field=f"items.{ordinal}.audio",
            ) from missing
        items.append(item.model_copy(update={"audio": item.audio.model_copy(update={"key": key})}))
    return manifest.model_copy(update={"items": items})


def refuse_too_large(manifest: Manifest) -> None:
    """The manifest lies in the task's document, and a document has a limit."""
    size = len(manifest.model_dump_json().encode())
    if size > MANIFEST_LIMIT:
        raise TooLarge(
            f"The items and texts of this task take {size} bytes; up to {MANIFEST_LIMIT} fit: "
            "spread them over several tasks.",
            code="manifest_too_large",
            field="items",
        )


def refuse_unserved(ports: Ports, manifest: Manifest) -> None:
    """A stated source language that some target cannot be reached from is refused at once."""
    choose = ports.choosing(manifest.options)
    for number, item in enumerate(manifest.items):
        for source, target in product(manifest.stated(item), manifest.languages):
            if source == target or choose(source, target) is not None:
                continue
            served = ", ".join(ports.catalog.served(source)) or "nothing"
            raise Invalid(
                f"No configured model translates {source} into {target}; "
                f"from {source} it can be: {served}.",
                code="pair_not_served",
                field=f"items.{number}.language",
            )
