"""One collection of MongoDB: documents in and out, and the few operations the store uses.

Only operators that every server of the wire protocol has: no transactions, no paths through
arrays, no array filters, no pipeline updates. Fields whose keys are the caller's, and lines of
history, are kept as JSON text, so that a key may hold a dot or a dollar.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from pymongo import IndexModel, ReturnDocument
from pymongo.collection import Collection as Raw
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from services.model.values import Stored
from task_manager.store.documents import Document, dumps, jsonable
from task_manager.store.protocol import StoreUnavailable

M = TypeVar("M", bound=Stored)

Filter = Mapping[str, Any]
Order = Sequence[tuple[str, int]]

_DUPLICATE = 11000


@contextmanager
def translated() -> Iterator[None]:
    """The driver's errors as ours; a duplicate key is an answer and passes."""
    try:
        yield
    except DuplicateKeyError:
        raise
    except PyMongoError as error:
        raise StoreUnavailable(f"MongoDB does not answer: {error}.") from error


class Collection(Generic[M]):
    """Documents of one kind. `as_text` names the fields kept as JSON text; `derive` adds to
    fields that are written what is looked for in their stead."""

    def __init__(
        self,
        raw: Raw[Document],
        kind: type[M],
        *,
        key: Callable[[Document], str] = lambda document: str(document["id"]),
        as_text: Sequence[str] = (),
        derive: Callable[[Document], Document] = lambda _: {},
    ) -> None:
        self._raw = raw
        self._kind = kind
        self._key = key
        self._as_text = as_text
        self._derive = derive

    def create_indexes(self, indexes: list[IndexModel]) -> None:
        with translated():
            self._raw.create_indexes(indexes)

    def encode(self, fields: Mapping[str, Any]) -> Document:
        document = jsonable(self._kind, fields)
        document.update(self._derive(document))
        for name in self._as_text:
            if name in document:
                document[name] = dumps(document[name])
        if "history" in document:
            document["history"] = [dumps(entry) for entry in document["history"]]
        return document

    def decode(self, stored: Document) -> M:
        document = dict(stored)
        for name in self._as_text:
            if name in document:
                document[name] = json.loads(document[name])
        if "history" in document:
            document["history"] = [json.loads(entry) for entry in document["history"]]
        return self._kind.model_validate(document)

    def whole(self, model: M) -> Document:
        document = self.encode(dict(model))
        return {"_id": self._key(document), **document}

    def insert(self, model: M) -> bool:
        """Inserts if absent; False if something with a key of it is there."""
        try:
            with translated():
                self._raw.insert_one(self.whole(model))
        except DuplicateKeyError:
            return False
        return True

    def insert_absent(self, models: Iterable[M]) -> None:
        documents = [self.whole(model) for model in models]
        if not documents:
            return
        with translated():
            try:
                self._raw.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if not _only_duplicates(error):
                    raise

    def replace(self, model: M, where: Filter) -> bool:
        """Replaces the document of that key if it is as `where` says."""
        document = self.whole(model)
        with translated():
            done = self._raw.replace_one({"_id": document["_id"], **where}, document)
        return done.matched_count > 0

    def change(
        self,
        where: Filter,
        fields: Mapping[str, Any] | None = None,
        *,
        order: Order | None = None,
        plus_one: Sequence[str] = (),
        line: Mapping[str, Any] | None = None,
    ) -> M | None:
        """The compare-and-set: the first that is as `where` says, changed. `line` is appended
        to its history."""
        update: Document = {}
        if line is not None:
            update["$push"] = {"history": dumps(line)}
            update["$set"] = {"alone": True}
        if fields:
            update["$set"] = {**self.encode(fields), **update.get("$set", {})}
        if plus_one:
            update["$inc"] = dict.fromkeys(plus_one, 1)
        if not update:
            return self.first(where)
        with translated():
            document = self._raw.find_one_and_update(
                where, update, sort=order, return_document=ReturnDocument.AFTER
            )
        return None if document is None else self.decode(document)

    def put(self, where: Filter, fields: Document, only_new: Document) -> None:
        """Writes the fields, or inserts a document of them with those that only a new one gets."""
        update = {"$set": fields, "$setOnInsert": only_new}
        with translated():
            try:
                self._raw.update_one(where, update, upsert=True)
            except DuplicateKeyError:  # somebody inserted it just now
                self._raw.update_one(where, update, upsert=True)

    def get(self, key: str) -> M | None:
        return self.first({"_id": key})

    def first(self, where: Filter, order: Order | None = None) -> M | None:
        with translated():
            document = self._raw.find_one(where, sort=order)
        return None if document is None else self.decode(document)

    def find(self, where: Filter, order: Order, limit: int = 0) -> list[M]:
        return [self.decode(document) for document in self.stream(where, order, limit=limit)]

    def stream(
        self, where: Filter, order: Order = (), *, only: Sequence[str] = (), limit: int = 0
    ) -> Iterator[Document]:
        """Documents as they are stored, read as far as they are asked for."""
        with translated():
            cursor = self._raw.find(where, list(only) or None, limit=limit)
            yield from cursor.sort(list(order)) if order else cursor

    def grouped(self, where: Filter, group: Document) -> list[Document]:
        with translated():
            return list(self._raw.aggregate([{"$match": where}, {"$group": group}]))

    def count(self, where: Filter, limit: int | None = None) -> int:
        options: dict[str, Any] = {} if limit is None else {"limit": limit}
        with translated():
            return self._raw.count_documents(where, **options)

    def delete(self, where: Filter) -> int:
        with translated():
            return self._raw.delete_many(where).deleted_count


def _only_duplicates(error: BulkWriteError) -> bool:
    details = error.details or {}
    refused = [entry.get("code") for entry in details.get("writeErrors", [])]
    return set(refused) == {_DUPLICATE} and not details.get("writeConcernErrors")
