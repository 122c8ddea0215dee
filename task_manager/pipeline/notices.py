"""What has happened to a task, put into the outbox for everybody who wants to be told.

A notice is written together with what it tells of, by steps that are done again after a crash:
expansions and the end of a task. The ids of deliveries are made of what happened, so that doing
it again adds nothing. A task that nobody listens to costs no write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from services.model.export import shown
from services.model.job import Job
from services.model.pack import dumps, expanded
from services.model.states import JobState
from services.model.task import Source, Task, TaskState
from services.model.transcript import Output
from services.model.webhook import Delivery, Happening, delivery_id
from services.storage.protocol import ObjectMissing, StorageUnavailable
from task_manager.pipeline.listeners import Listener
from task_manager.pipeline.packing import read_body, text_of
from task_manager.pipeline.ports import Ports
from task_manager.store.children import Children, Expanded

FULL_BYTES = 128 * 1024  # of texts in a full payload; longer ones are left to be fetched

_ENDS = {
    TaskState.SUCCEEDED: Happening.TASK_SUCCEEDED,
    TaskState.PARTIAL: Happening.TASK_PARTIAL,
    TaskState.FAILED: Happening.TASK_FAILED,
    TaskState.CANCELLED: Happening.TASK_CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One event. `more` reads what a full payload has beside `data`; None is too much to send."""

    event: Happening
    subject: str
    fence: int
    at: float
    data: dict[str, Any]
    more: Callable[[], dict[str, Any] | None] = dict


# ── writing them down ────────────────────────────────────────────────────────────────────────


def write_told(
    ports: Ports,
    task: Task,
    children: Children,
    done: Expanded | None = None,
    *,
    died: Job | None = None,
) -> bool:
    """Writes the children of an expansion, and whom to tell of them. A language is complete when
    its last cell is written: so these are counted after the outputs, before the flag."""
    listeners = listeners_of(ports, task)
    if not listeners:
        return ports.store.write_children(children, done)
    dead = [
        *([died] if died else []),
        *(job for job in children.jobs if job.state is JobState.DEAD),
    ]
    notices = [of_death(task, job) for job in dead]
    notices += [of_transcript(ports, task, each) for each in children.outputs if _is_heard(each)]
    filled = dict.fromkeys(each.language for each in children.outputs)
    languages = [name for name in filled if name in task.manifest.languages]
    if languages and any(each.wants(Happening.LANGUAGE_COMPLETED) for each in listeners):
        ports.store.write_children(replace(children, events=()))
        at = children.outputs[-1].created_at
        notices += [
            of_language(ports, task, name, at)
            for name in languages
            if _is_complete(ports, task, name)
        ]
        children = Children(events=children.events)
    told = deliveries(task, notices, listeners)
    written = ports.store.write_children(replace(children, deliveries=told), done)
    if told:
        ports.post()
    return written


def tell(ports: Ports, task: Task, notices: Iterable[Notice]) -> None:
    """Puts what happened into the outbox, if it is not there."""
    told = deliveries(task, notices, listeners_of(ports, task))
    if told:
        ports.store.insert_deliveries(told)
        ports.post()


def listeners_of(ports: Ports, task: Task) -> list[Listener]:
    return ports.listeners.of(ports.store, ports.settings, task)


def deliveries(
    task: Task, notices: Iterable[Notice], listeners: Sequence[Listener]
) -> list[Delivery]:
    """One for each notice and each who wants it."""
    made = []
    for notice in notices:
        wanting = [each for each in listeners if each.wants(notice.event)]
        bodies = {payload: _body(notice, payload) for payload in {one.payload for one in wanting}}
        made += [_delivery(task, notice, each, bodies[each.payload]) for each in wanting]
    return made


def body(event: str, at: float, data: dict[str, Any]) -> str:
    """What is signed and sent."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return dumps({"type": event, "timestamp": moment.replace("+00:00", "Z"), "data": data})


def _body(notice: Notice, payload: str) -> str:
    data = notice.data
    if payload == "full":
        more = _more(notice)
        data = {**data, **({"truncated": True} if more is None else more)}
    return body(notice.event, notice.at, data)


def _more(notice: Notice) -> dict[str, Any] | None:
    """A storage that is away holds up no task: what cannot be read now is fetched by whoever is
    told."""
    try:
        return notice.more()
    except (ObjectMissing, StorageUnavailable):
        return None


def _delivery(task: Task, notice: Notice, listener: Listener, written: str) -> Delivery:
    return Delivery(
        id=delivery_id(task.id, notice.event, notice.subject, notice.fence, listener.endpoint),
        owner=task.owner,
        task_id=task.id,
        event=notice.event,
        endpoint=listener.endpoint,
        url=listener.url,
        secret=listener.secret,
        lane=listener.lane,
        body=written,
        created_at=notice.at,
        due=notice.at,
    )


# ── what there is to tell ────────────────────────────────────────────────────────────────────


def of_end(ports: Ports, task: Task) -> Notice:
    """The task has ended, under its revision."""
    data = {
        **_about(task),
        "state": task.state,
        "revision": task.revision,
        "items": len(task.manifest.items),
        "targets": [_name(task, language) for language in task.manifest.languages],
        "counts": task.counts.model_dump(),
        "url": f"/v1/tasks/{task.id}",
        "result_url": f"/v1/tasks/{task.id}/result",
        "outputs": shown(task.output_prefix, task.export) if task.output_prefix else None,
    }

    def more() -> dict[str, Any] | None:
        packs = [ports.store.pack(task.id, name) for name in task.manifest.languages]
        found = [pack for pack in packs if pack is not None]
        if sum(pack.size for pack in found) > FULL_BYTES:
            return None
        names = {name: _name(task, name) for name in task.manifest.languages}
        bodies = [json.loads(pack.body) for pack in found if pack.body is not None]
        return {"result": {k: v for each in bodies for k, v in expanded(each, names).items()}}

    at = task.finished_at or task.created_at
    return Notice(_ENDS[task.state], "", task.revision, at, data, more)


def of_transcript(ports: Ports, task: Task, output: Output) -> Notice:
    """What is heard in an item is written down."""
    data = {
        **_about(task),
        "text_id": output.text_id,
        "ordinal": output.item,
        "language": output.language,
        "seconds": output.facts.get("seconds"),
        "no_speech": bool(output.facts.get("no_speech")),
        "version": output.version,
        "items_url": f"/v1/tasks/{task.id}/items",
    }

    def more() -> dict[str, Any] | None:
        small = output.text.size <= FULL_BYTES
        return {"text": read_body(ports, output.text)} if small else None

    subject = str(output.item)
    return Notice(
        Happening.ITEM_TRANSCRIBED, subject, output.version, output.created_at, data, more
    )


def of_language(ports: Ports, task: Task, language: str, at: float) -> Notice:
    """Every cell of a target language is there."""
    name = _name(task, language)
    data = {
        **_about(task),
        "language": name,
        "cells": _cells(task),
        "items_url": f"/v1/tasks/{task.id}/items",
    }

    def more() -> dict[str, Any] | None:
        found = ports.store.outputs(task.id, language=language)
        if sum(each.text.size for each in found) > FULL_BYTES:
            return None
        texts: dict[str, dict[str, str]] = {}
        for each in found:
            texts.setdefault(each.text_id, {})[each.source] = text_of(ports, each)
        return {"result": {name: texts}}

    return Notice(Happening.LANGUAGE_COMPLETED, language, 0, at, data, more)


def of_death(task: Task, job: Job) -> Notice:
    """A job has failed for good, in its newest attempt."""
    last = job.history[-1] if job.history else None
    data = {
        **_about(task),
        "job": job.id,
        "stage": job.stage,
        "text_id": task.manifest.items[job.item].text_id,
        "language": job.language or None,
        "source": job.source or None,
        "attempts": job.attempt,
        "failure": last.failure if last else None,
        "code": last.code if last else "",
        "message": last.message if last else "",
    }
    at = job.finished_at or job.created_at
    return Notice(Happening.JOB_DEAD, job.id, job.attempt, at, data)


def _about(task: Task) -> dict[str, Any]:
    return {"task_id": task.id, "metadata": task.metadata}


def _name(task: Task, language: str) -> str:
    """As the task's results show it."""
    if task.manifest.options.language_spelling == "canonical":
        return language
    return next(each.spelling for each in task.manifest.targets if each.language == language)


def _is_heard(output: Output) -> bool:
    return output.source == Source.AUDIO and output.kind != "translation"


def _cells(task: Task) -> int:
    return task.manifest.cells // len(task.manifest.languages)


def _is_complete(ports: Ports, task: Task, language: str) -> bool:
    """An output in a target language is always a cell."""
    return ports.store.count_cells(task.id, language) >= _cells(task)
