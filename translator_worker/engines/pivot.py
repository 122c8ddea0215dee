"""Translates through a third language: one engine leads into it, one out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from translator_worker.engines import Engine, Row, Translation


class PivotEngine:
    """What looked wrong on either way is flagged at the end. What the first way lost altogether
    stays blank on the second, and nothing is invented for it."""

    def __init__(self, first: Engine, second: Engine, pivot: str) -> None:
        self._first = first
        self._second = second
        self._pivot = pivot

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]:
        into = [replace(row, target=self._pivot) for row in rows]
        middle = self._first.translate(into, beam_size=beam_size)
        out = [
            replace(row, text=half.text, source=self._pivot)
            for half, row in zip(middle, rows, strict=True)
        ]
        done = self._second.translate(out, beam_size=beam_size)
        return [
            replace(end, flags=list(dict.fromkeys([*half.flags, *end.flags])))
            for half, end in zip(middle, done, strict=True)
        ]
