"""How values become documents: the little that both adapters must do alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from services.model.errors import DocumentTooLarge
from services.model.node import Trouble
from services.model.speed import Speed
from services.model.values import Stored
from task_manager.store.protocol import DOCUMENT_LIMIT

Document = dict[str, Any]

KEPT_OF_NODES = {"draining", "operator_labels", "troubles", "set_aside_until", "speeds"}
"""What a node that registers does not know of itself."""


def jsonable(kind: type[Stored], fields: Mapping[str, Any]) -> Document:
    """Fields as plain JSON values; a name that the document does not have is a ValueError."""
    unknown = fields.keys() - kind.model_fields.keys()
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    plain: Document = to_jsonable_python(dict(fields))
    return plain


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def refuse_too_large(name: str, size: int) -> None:
    """Raises DocumentTooLarge before a server does, which would say so as a failure of its own."""
    if size > DOCUMENT_LIMIT:
        raise DocumentTooLarge(
            f"A document for {name} has {size} bytes, and the store takes {DOCUMENT_LIMIT}:"
            " split the task into smaller ones."
        )


def media_bytes(task: Document) -> int:
    """The size of the media that a task came with, while they are there."""
    if task.get("media_gone_at") is not None:
        return 0
    items = task["manifest"]["items"]
    return sum(int(item["audio"]["size"]) for item in items if item.get("audio"))


def version_key(output: Document) -> str:
    """Under which an output is kept when another replaces it."""
    return f"{output['id']}/{output['version']}"


def without_texts(manifest: Document) -> Document:
    """The manifest of a purged task: what was asked for, but not in whose words."""
    items = [{**item, "text": None} for item in manifest["items"]]
    return {**manifest, "items": items}


def newest_troubles(node: Document, trouble: Trouble, keep: int) -> list[Document]:
    """The troubles of a stored node with one more, of which the newest stay."""
    troubles = [*node.get("troubles", []), trouble.model_dump(mode="json")]
    return troubles[-keep:]


def speeds_with(node: Document, measured: Mapping[str, Speed]) -> dict[str, Speed]:
    """The speeds of a stored node with those that were measured since."""
    known = {queue: Speed.model_validate(line) for queue, line in node.get("speeds", {}).items()}
    return known | {queue: known.get(queue, Speed()).then(new) for queue, new in measured.items()}
