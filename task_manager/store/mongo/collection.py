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

import bson
from pymongo import IndexModel, ReturnDocument, UpdateOne
from pymongo.collection import Collection as Raw
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError

from services.model.errors import DocumentTooLarge, OutOfSpace, RequestRefused
from services.model.values import Stored
from task_manager.store.documents import Document, dumps, jsonable, refuse_too_large
from task_manager.store.protocol import StoreUnavailable

M = TypeVar("M", bound=Stored)

Filter = Mapping[str, Any]
Order = Sequence[tuple[str, int]]

_DUPLICATE = 11000
_TOO_LARGE = {10334, 17419}  # the document, or what an update would make of it
_OUT_OF_SPACE = 14031


@contextmanager
def translated() -> Iterator[None]:
    """The driver's errors as ours; a duplicate key is an answer and passes."""
    try:
        yield
    except DuplicateKeyError:
        raise
    except PyMongoError as error:
        raise _ours(error) from error


def _ours(error: PyMongoError) -> RequestRefused:
    code = error.code if isinstance(error, OperationFailure) else None
    if code in _TOO_LARGE:
        return DocumentTooLarge("A document would outgrow the store: split the task.")
    if code == _OUT_OF_SPACE:
        return OutOfSpace("The database's disk is full: nothing was changed. Try again later.")
    return StoreUnavailable(f"MongoDB does not answer: {error}.")


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
        whole = {"_id": self._key(document), **document}
        refuse_too_large(self._raw.name, len(bson.encode(whole)))
        return whole

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
            update["$set"] = self._derive({"history": [line]})
        if fields:
            update["$set"] = {**self.encode(fields), **update.get("$set", {})}
        if plus_one:
            update["$inc"] = dict.fromkeys(plus_one, 1)
        if not update:
            return self.first(where)
        refuse_too_large(self._raw.name, len(bson.encode(update)))
        with translated():
            document = self._raw.find_one_and_update(
                where, update, sort=order, return_document=ReturnDocument.AFTER
            )
        return None if document is None else self.decode(document)

    def change_each(self, wheres: Iterable[Filter], fields: Mapping[str, Any]) -> None:
        """Writes the fields into each document that is as one of these say, in one call; such
        fields only as can make no document too large."""
        update = {"$set": self.encode(fields)}
        changes = [UpdateOne(where, update) for where in wheres]
        if changes:
            with translated():
                self._raw.bulk_write(changes, ordered=False)

    def rewrite(self, key: str, name: str, decide: Callable[[Document], Any]) -> M | None:
        """Writes what `decide` makes of the document into one of its fields kept as text. It is
        asked anew when somebody wrote that field in between."""
        while True:
            for stored in self.stream({"_id": key}, only=(name,)):
                text = stored.get(name)
                known = {} if text is None else {name: json.loads(text)}
                as_it_was = {"$exists": False} if text is None else text
                changed = self.change({"_id": key, name: as_it_was}, {name: decide(known)})
                if changed is not None:
                    return changed
                break
            else:
                return None

    def put(self, where: Filter, fields: Document, only_new: Document) -> None:
        """Writes the fields, or inserts a document of them with those that only a new one gets."""
        update = {"$set": fields, "$setOnInsert": only_new}
        refuse_too_large(self._raw.name, len(bson.encode(update)))
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

    def find(
        self, where: Filter, order: Order, limit: int = 0, *, without: Sequence[str] = ()
    ) -> list[M]:
        found = self.stream(where, order, without=without, limit=limit)
        return [self.decode(document) for document in found]

    def stream(
        self,
        where: Filter,
        order: Order = (),
        *,
        only: Sequence[str] = (),
        without: Sequence[str] = (),
        limit: int = 0,
    ) -> Iterator[Document]:
        """Documents as they are stored, read as far as they are asked for."""
        fields = dict.fromkeys(only, 1) | dict.fromkeys(without, 0)
        with translated():
            cursor = self._raw.find(where, fields or None, limit=limit)
            yield from cursor.sort(list(order)) if order else cursor

    def grouped(self, where: Filter, group: Document) -> list[Document]:
        with translated():
            return list(self._raw.aggregate([{"$match": where}, {"$group": group}]))

    def count(self, where: Filter, limit: int | None = None) -> int:
        options: dict[str, Any] = {} if limit is None else {"limit": limit}
        with translated():
            return self._raw.count_documents(where, **options)

    def about(self) -> int:
        """How many there are, as the server remembers it."""
        with translated():
            return self._raw.estimated_document_count()

    def delete(self, where: Filter) -> int:
        with translated():
            return self._raw.delete_many(where).deleted_count


def _only_duplicates(error: BulkWriteError) -> bool:
    details = error.details or {}
    refused = [entry.get("code") for entry in details.get("writeErrors", [])]
    return set(refused) == {_DUPLICATE} and not details.get("writeConcernErrors")
