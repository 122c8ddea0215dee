"""What is kept beside tasks and jobs in MongoDB: outputs, their versions, and packs."""

from __future__ import annotations

import json

from services.model.pack import Pack
from services.model.transcript import Output
from task_manager.store.documents import Document
from task_manager.store.mongo.database import Database
from task_manager.store.protocol import OutputLine
from task_manager.store.values import VersionLine


class ResultCollections(Database):
    def put_output(self, output: Output) -> bool:
        # One after the other: the wire server of the tests reads `$or` beside a key as `or`.
        older: list[Document] = [
            {"version": {"$lt": output.version}},
            {"version": output.version, "attempt": {"$lt": output.attempt}},
        ]
        if output.kind == "identity":
            same = {"version": output.version, "attempt": output.attempt}
            older.append({**same, "kind": "transcript"})
        return self._outputs.insert(output) or any(
            self._outputs.replace(output, where) for where in older
        )

    def output(self, output_id: str) -> Output | None:
        return self._outputs.get(output_id)

    def outputs(
        self,
        task_id: str,
        *,
        first: int = 0,
        last: int | None = None,
        language: str | None = None,
    ) -> list[Output]:
        where: Document = {"task_id": task_id, "item": {"$gte": first}}
        if last is not None:
            where["item"]["$lte"] = last
        if language is not None:
            where["language"] = language
        return self._outputs.find(where, [("item", 1), ("source", 1), ("language", 1)])

    def output_lines(self, task_id: str, first: int, last: int) -> list[OutputLine]:
        where = {"task_id": task_id, "item": {"$gte": first, "$lte": last}}
        order = [("item", 1), ("source", 1), ("language", 1)]
        found = self._outputs.stream(where, order, without=("text", "body", "differences"))
        return [
            OutputLine(
                item=each["item"],
                source=each["source"],
                language=each["language"],
                kind=each["kind"],
                facts=json.loads(each["facts"]),
                version=each["version"],
                corrected_by=each.get("corrected_by", ""),
            )
            for each in found
        ]

    def count_outputs(self, task_id: str) -> int:
        return self._outputs.count(
            {"task_id": task_id, "kind": {"$in": ["translation", "identity"]}}
        )

    def put_version(self, output: Output) -> None:
        self._versions.insert(output)

    def version(self, output_id: str, at_most: int) -> Output | None:
        where = {"id": output_id, "version": {"$lte": at_most}}
        return next(iter(self._versions.find(where, [("version", -1)], 1)), None)

    def version_lines(self, output_id: str) -> list[VersionLine]:
        names = ("version", "corrected_by", "created_at")
        found = self._versions.stream({"id": output_id}, [("version", 1)], only=names)
        return [VersionLine(**{name: each[name] for name in names}) for each in found]

    def put_pack(self, pack: Pack) -> bool:
        older = {"revision": {"$lt": pack.revision}}
        return self._packs.insert(pack) or self._packs.replace(pack, older)

    def pack(self, task_id: str, language: str) -> Pack | None:
        return self._packs.first({"task_id": task_id, "language": language})
