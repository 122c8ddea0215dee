"""Two managers of different releases on one store: the older one reads over what the newer one
added to a document, and leaves it there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pymongo import MongoClient
from store_factories import a_change, a_running_job, a_task

from services.model.states import JobState
from services.model.values import Value
from task_manager.store.protocol import Store
from task_manager.store.sqlite import schema


def add(address: str, collection: str, key: str, *places: str) -> None:
    """As a newer release writes it."""
    if address.startswith("sqlite://"):
        with sqlite3.connect(address.removeprefix("sqlite://")) as connection:
            for place in places:
                added = f"json_set(doc, '$.{place}', 'good')"
                connection.execute(f"UPDATE {collection} SET doc = {added} WHERE id = ?", (key,))
        connection.close()
        return
    with MongoClient[dict[str, Any]](address) as client:
        wanted = {"$set": dict.fromkeys(places, "good")}
        client.get_default_database()[collection].update_one({"_id": key}, wanted)


def raw(address: str, collection: str, key: str) -> str:
    """The document as it lies there."""
    if address.startswith("sqlite://"):
        with sqlite3.connect(address.removeprefix("sqlite://")) as connection:
            query = f"SELECT doc FROM {collection} WHERE id = ?"
            (text,) = connection.execute(query, (key,)).fetchone()
        connection.close()
        return str(text)
    with MongoClient[dict[str, Any]](address) as client:
        return str(client.get_default_database()[collection].find_one({"_id": key}))


def test_what_a_newer_release_added_is_read_over_and_stays(store: Store, address: str) -> None:
    job, task = a_running_job(), a_task()
    store.insert_task(task)
    store.insert_jobs([job])
    add(address, "jobs", job.id, "mood", "lease.mood")
    add(address, "tasks", task.id, "mood")

    assert (store.job(job.id), store.task(task.id)) == (job, task)
    assert store.beat(job.id, 1, "t" * 16) is not None
    change = a_change(state=JobState.WAITING)
    assert store.move_job(job.id, state=JobState.RUNNING, attempt=1, change=change)
    store.note_task(task.id, {"look_at": 1.0})

    assert raw(address, "jobs", job.id).count("mood") == 2
    assert raw(address, "tasks", task.id).count("mood") == 1


def shapes(kind: Any) -> Iterator[type[BaseModel]]:
    """Every model that a document is made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from shapes(field.annotation)
    for each in get_args(kind):
        yield from shapes(each)


@pytest.mark.parametrize(
    "kind",
    [each.kind for each in vars(schema).values() if isinstance(each, schema.Table)],
    ids=lambda kind: kind.__name__,
)
def test_no_part_of_a_document_refuses_what_it_does_not_know(kind: type[BaseModel]) -> None:
    assert [each for each in shapes(kind) if issubclass(each, Value)] == []
