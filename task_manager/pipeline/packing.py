"""Build the packs of a task that is about to end: one document per language."""

from __future__ import annotations

from hashlib import sha256

from services.model.pack import Pack, coded, dumps
from services.model.task import Task
from services.model.transcript import Body, Output
from services.storage import keys
from task_manager.pipeline.ports import Ports
from task_manager.store.protocol import DOCUMENT_LIMIT

INLINE_LIMIT = DOCUMENT_LIMIT - 64 * 1024  # bytes; the rest is for what stands beside the body


def write_packs(ports: Ports, task: Task, revision: int) -> int:
    """Writes one pack per target under this revision; how many cells of the task are there."""
    if not task.manifest.targets:
        return ports.store.count_outputs(task.id)
    return sum(_write_pack(ports, task, language, revision) for language in task.manifest.languages)


def _write_pack(ports: Ports, task: Task, language: str, revision: int) -> int:
    outputs = {
        (output.item, output.source): output
        for output in ports.store.outputs(task.id, language=language)
        if output.kind != "transcript"
    }
    cells: dict[str, dict[str, str]] = {}
    missing: list[tuple[str, str, str]] = []
    versions: list[tuple[str, str, str, int]] = []
    found = 0
    for ordinal, item in enumerate(task.manifest.items):
        for source in task.manifest.sources(item):
            output = outputs.get((ordinal, source))
            if output is None:
                missing.append((language, item.text_id, source))
                continue
            cells.setdefault(item.text_id, {})[source] = text_of(ports, output)
            found += 1
            if output.version:
                versions.append((language, item.text_id, source, output.version))
    body = dumps(coded({language: cells}, missing, versions))
    _put(ports, task, language, revision, body, complete=not missing)
    return found


def text_of(ports: Ports, output: Output) -> str:
    """The plain text of an output, wherever it lies."""
    return read_body(ports, output.text)


def read_body(ports: Ports, body: Body) -> str:
    if body.inline is not None or body.key is None:
        return body.inline or ""
    return b"".join(ports.objects.get(body.key)).decode()


def _put(
    ports: Ports, task: Task, language: str, revision: int, body: str, *, complete: bool
) -> None:
    raw = body.encode()
    key = None
    if len(raw) > INLINE_LIMIT:
        key = keys.pack(task.id, language, revision)
        ports.objects.put(key, [raw])
    ports.store.put_pack(
        Pack(
            id=f"{task.id}/{language}",
            task_id=task.id,
            language=language,
            revision=revision,
            complete=complete,
            body=None if key else body,
            key=key,
            size=len(raw),
            sha256=sha256(raw).hexdigest(),
        )
    )
