"""What is kept beside tasks and jobs in SQLite: outputs, their versions, and packs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.model.pack import Pack
from services.model.transcript import Output
from task_manager.store.documents import Document
from task_manager.store.protocol import OutputLine
from task_manager.store.sqlite.database import Database, Decide
from task_manager.store.sqlite.schema import OUTPUTS, PACKS, VERSIONS
from task_manager.store.values import VersionLine


class ResultTables(Database):
    def put_output(self, output: Output) -> bool:
        return self._put(OUTPUTS, output, older_than(output))

    def output(self, output_id: str) -> Output | None:
        return self._get(OUTPUTS, output_id)

    def outputs(
        self,
        task_id: str,
        *,
        first: int = 0,
        last: int | None = None,
        language: str | None = None,
    ) -> list[Output]:
        terms, values = ["task_id = ?", "item >= ?"], list[Any]([task_id, first])
        for term, value in (("item <= ?", last), ("language = ?", language)):
            if value is not None:
                terms.append(term)
                values.append(value)
        rest = f"WHERE {' AND '.join(terms)} ORDER BY item, source, language"
        return self._find(OUTPUTS, rest, *values)

    def output_lines(self, task_id: str, first: int, last: int) -> list[OutputLine]:
        rows = self._rows(
            "SELECT item, source, language, kind, facts, version, corrected_by FROM outputs"
            " WHERE task_id = ? AND item BETWEEN ? AND ? ORDER BY item, source, language",
            task_id,
            first,
            last,
        )
        return [
            OutputLine(item, source, language, kind, json.loads(facts), version, corrected_by)
            for item, source, language, kind, facts, version, corrected_by in rows
        ]

    def count_outputs(self, task_id: str) -> int:
        ((count,),) = self._rows(
            "SELECT count(*) FROM outputs WHERE task_id = ? AND kind <> 'transcript'", task_id
        )
        return int(count)

    def put_version(self, output: Output) -> None:
        self._insert(VERSIONS, [output])

    def version(self, output_id: str, at_most: int) -> Output | None:
        rest = "WHERE id = ? AND version <= ? ORDER BY version DESC LIMIT 1"
        return next(iter(self._find(VERSIONS, rest, output_id, at_most)), None)

    def version_lines(self, output_id: str) -> list[VersionLine]:
        rows = self._rows(
            "SELECT version, corrected_by, created_at FROM versions WHERE id = ? ORDER BY version",
            output_id,
        )
        return [VersionLine(*row) for row in rows]

    def put_pack(self, pack: Pack) -> bool:
        def decide(stored: Document) -> Mapping[str, Any] | None:
            return dict(pack) if stored["revision"] < pack.revision else None

        return self._put(PACKS, pack, decide)

    def pack(self, task_id: str, language: str) -> Pack | None:
        rest = "WHERE task_id = ? AND language = ?"
        return next(iter(self._find(PACKS, rest, task_id, language)), None)


def older_than(output: Output) -> Decide:
    def decide(stored: Document) -> Mapping[str, Any] | None:
        there, given = (stored["version"], stored["attempt"]), (output.version, output.attempt)
        more = there == given and (stored["kind"], output.kind) == ("transcript", "identity")
        return dict(output) if there < given or more else None

    return decide
