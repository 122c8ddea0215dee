"""The connection to MongoDB: what is demanded of each read and write, indexes, and the clock."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pymongo import IndexModel, MongoClient

from services.model.access import ApiKey, AuditLine
from services.model.job import Job
from services.model.node import Node
from services.model.pack import Pack
from services.model.preview import Preview
from services.model.remembered import Remembered
from services.model.task import Item, Task, TaskEvent, Upload
from services.model.terms import TermList
from services.model.transcript import Output
from services.model.webhook import Delivery, Endpoint
from task_manager.store.documents import Document, media_bytes, version_key
from task_manager.store.mongo.collection import Collection, translated
from task_manager.store.mongo.indexes import INDEXES

_MEASURE_EVERY_S = 30.0

_DEMANDS: dict[str, Any] = {
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "readPreference": "primary",
    "tz_aware": True,
}

_PATIENCE: dict[str, int] = {  # unless the URL says otherwise
    "wTimeoutMS": 5_000,
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 5_000,
    "waitQueueTimeoutMS": 5_000,  # the driver opens two connections at a time
    "socketTimeoutMS": 20_000,  # a server that stands still must not hold a thread for ever
}


class Database:
    """All collections of one database, with their indexes."""

    def __init__(self, url: str) -> None:
        with translated():
            self._client: MongoClient[Document] = MongoClient(url, **_options(url))
            database = self._client.get_default_database("fanscribe")
        self._tasks = Collection(
            database.tasks, Task, as_text=("manifest", "metadata", "correction"), derive=_of_task
        )
        self._items = Collection(database.items, Item)
        self._jobs = Collection(
            database.jobs, Job, as_text=("inputs", "result", "retries"), derive=_of_job
        )
        self._outputs = Collection(database.outputs, Output, as_text=("facts",))
        self._versions = Collection(database.versions, Output, key=version_key, as_text=("facts",))
        self._packs = Collection(database.packs, Pack)
        self._events = Collection(database.events, TaskEvent, key=_event_key, as_text=("data",))
        self._nodes = Collection(
            database.nodes, Node, as_text=("labels", "operator_labels", "troubles", "speeds")
        )
        self._uploads = Collection(database.uploads, Upload, key=lambda upload: str(upload["key"]))
        self._api_keys = Collection(database.api_keys, ApiKey)
        self._audit = Collection(database.audit, AuditLine)
        self._endpoints = Collection(database.endpoints, Endpoint)
        self._deliveries = Collection(database.deliveries, Delivery)
        self._term_lists = Collection(database.term_lists, TermList)
        self._previews = Collection(database.previews, Preview)
        self._translations = Collection(database.translations, Remembered)
        self._probe = database.probe
        self._measured = (0.0, float("-inf"))  # the server's time, and ours of that moment
        try:
            self._create_indexes()
        except BaseException:
            self._client.close()
            raise

    def _create_indexes(self) -> None:
        for name, indexes in INDEXES.items():
            getattr(self, f"_{name}").create_indexes([IndexModel(**index) for index in indexes])

    def now(self) -> float:
        """Milliseconds are as fine as the server's clock is."""
        server, ours = self._measured
        if time.monotonic() - ours > _MEASURE_EVERY_S:
            server, ours = self._measured = self._measure()
        return round(server + time.monotonic() - ours, 3)

    def _measure(self) -> tuple[float, float]:
        asked = time.monotonic()
        with translated():
            answer = self._client.admin.command("hello")
        return answer["localTime"].timestamp(), (asked + time.monotonic()) / 2

    def ping(self) -> None:
        self._tasks.get("")

    def try_write(self) -> None:
        """A document that nobody reads."""
        with translated():
            self._probe.update_one({"_id": 0}, {"$set": {"at": time.time()}}, upsert=True)

    def close(self) -> None:
        self._client.close()


def _options(url: str) -> dict[str, Any]:
    """What is given here would win over the URL."""
    said = {name.lower() for name in parse_qs(urlsplit(url).query)}
    patience = {name: ms for name, ms in _PATIENCE.items() if name.lower() not in said}
    return {**_DEMANDS, **patience}


def _of_task(fields: Document) -> Document:
    derived: Document = {}
    if "deleted_at" in fields:
        derived["listed"] = fields["deleted_at"] is None
    if fields.get("media_gone_at") is not None:
        derived["media_bytes"] = 0
    elif "manifest" in fields:
        derived["media_bytes"] = media_bytes(fields)
    return derived


def _of_job(fields: Document) -> Document:
    derived: Document = {}
    if "history" in fields:
        history = fields["history"]
        derived = {"alone": bool(history), "code": history[-1]["code"] if history else ""}
    if digest := (fields.get("result") or {}).get("digest"):
        derived["digest"] = digest
    return derived


def _event_key(event: Document) -> str:
    return f"{event['task_id']}/{event['number']}"
