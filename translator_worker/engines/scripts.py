"""Simplified and Traditional Chinese: an engine of their own, and one around those that know one.

A model is asked in the script that it knows, and its answer is converted into the one that is
wanted; the rows of one batch may differ in that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from services.chinese import written_in
from translator_worker.engines import Engine, Row, Translation

Asked = Callable[[str, str], tuple[str, str] | None]  # source, target → what the model knows


class ScriptEngine:
    """Turns one script into the other; there is no model to it."""

    def translate(
        self,
        rows: Sequence[Row],
        *,
        beam_size: int | None,  # noqa: ARG002 - the protocol's; there is nothing to search
    ) -> list[Translation]:
        return [Translation(written_in(row.text, row.target)) for row in rows]


class InEitherScript:
    """Serves both scripts with an engine whose model may know one of them."""

    def __init__(self, engine: Engine, asked: Asked) -> None:
        self._engine = engine
        self._asked = asked

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]:
        asked = [self._known(row) for row in rows]
        made = self._engine.translate(asked, beam_size=beam_size)
        return [
            told
            if known.target == row.target
            else replace(told, text=written_in(told.text, row.target))
            for row, known, told in zip(rows, asked, made, strict=True)
        ]

    def _known(self, row: Row) -> Row:
        """The row in languages that the model knows."""
        source, target = self._asked(row.source, row.target) or (row.source, row.target)
        text = row.text if source == row.source else written_in(row.text, source)
        return replace(row, text=text, source=source, target=target)
