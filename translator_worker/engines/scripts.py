"""Simplified and Traditional Chinese: an engine of their own, and one around those that know one.

A model is asked in the script that it knows, and its answer is converted into the one that is
wanted; the rows of one batch may differ in that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.chinese import written_in
from services.model.catalog import ModelEntry
from translator_worker.engines import Engine, Row, Translation


@dataclass(frozen=True, slots=True)
class ScriptEngine:
    """Turns one script into the other; there is no model to it."""

    def translate(
        self,
        rows: Sequence[Row],
        *,
        beam_size: int | None,  # noqa: ARG002 - the protocol's; there is nothing to search
    ) -> list[Translation]:
        return [Translation(written_in(row.text, row.target)) for row in rows]


@dataclass(frozen=True, slots=True)
class InEitherScript:
    """Serves both scripts with an engine whose model, that of the entry, may know one of them."""

    engine: Engine
    entry: ModelEntry

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]:
        asked = [self._known(row) for row in rows]
        made = self.engine.translate(asked, beam_size=beam_size)
        return [
            told
            if known.target == row.target
            else replace(told, text=written_in(told.text, row.target))
            for row, known, told in zip(rows, asked, made, strict=True)
        ]

    def _known(self, row: Row) -> Row:
        """The row in languages that the model knows."""
        source, target = self.entry.asked(row.source, row.target) or (row.source, row.target)
        text = row.text if source == row.source else written_in(row.text, source)
        return replace(row, text=text, source=source, target=target)
