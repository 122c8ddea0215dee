"""An engine around another, which sees to it that links, placeholders, markup and numbers survive.

A model gets a sentence with a placeholder for each span, a chat model gets it as it is. Where the
translation lacks something, the words go again, piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from translator_worker.engines import Engine, Row, Translation
from translator_worker.numbers import numbers_in, numbers_lost
from translator_worker.protecting import Masked, Piece, masked, pieces, rejoined, restored, stands
from translator_worker.spans import Span, besides, spans_in

IN_PIECES = "in_pieces"  # the flag of a sentence that was translated so
NUMBER_LOST = "number_lost"  # which a chat model may have written as a word


class ProtectedEngine:
    """Loses nothing, whatever the engine inside makes of it. `masks`: by placeholders."""

    def __init__(self, engine: Engine, *, masks: bool) -> None:
        self._engine = engine
        self._masks = masks

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]:
        sentences = [_Sentence.of(row, masks=self._masks) for row in rows]
        made = self._engine.translate([each.asked for each in sentences], beam_size=beam_size)
        whole = [each.whole(answer) for each, answer in zip(sentences, made, strict=True)]
        lost = [each.cut() for each, answer in zip(sentences, whole, strict=True) if answer is None]
        words = [row for each in lost for row in each.rows()]
        told = iter(self._engine.translate(words, beam_size=beam_size) if words else [])
        again = iter([each.joined(told) for each in lost])
        return [next(again) if answer is None else answer for answer in whole]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A row on its way; `masked` is None where it goes as it is."""

    row: Row
    spans: Sequence[Span]
    masked: Masked | None

    @classmethod
    def of(cls, row: Row, *, masks: bool) -> _Sentence:
        spans = spans_in(row.text)
        return cls(row, spans, masked(row.text, spans) if masks else None)

    @property
    def asked(self) -> Row:
        """What the engine is to translate: nothing where all that stands there is protected."""
        if self._is_bare():
            return _row("", self.row)
        return self.row if self.masked is None else _row(self.masked.text, self.row)

    def whole(self, made: Translation) -> Translation | None:
        """None where something was lost on the way."""
        if self._is_bare():
            return Translation(self.row.text)
        if self.masked is not None:
            text = restored(self.masked, made.text, self.row.text, self.spans)
            lost = text is None or numbers_lost(self.row.text, text)
            return None if lost or text is None else Translation(text, made.flags)
        if not stands(self.spans, made.text):
            return None
        lost = numbers_lost(self.row.text, made.text)
        return Translation(made.text, [*made.flags, NUMBER_LOST]) if lost else made

    def cut(self) -> _Cut:
        spans = besides(self.spans, numbers_in(self.row.text))
        return _Cut(self.row, spans, pieces(self.row.text, spans))

    def _is_bare(self) -> bool:
        return bool(self.spans) and not any(
            piece.words for piece in pieces(self.row.text, self.spans)
        )


@dataclass(frozen=True, slots=True)
class _Cut:
    """The same, in pieces."""

    row: Row
    spans: Sequence[Span]
    pieces: Sequence[Piece]

    def rows(self) -> list[Row]:
        return [_row(piece.words, self.row) for piece in self.pieces if piece.words]

    def joined(self, told: Iterator[Translation]) -> Translation:
        parts = [next(told) if piece.words else Translation("") for piece in self.pieces]
        flags = dict.fromkeys([*(flag for part in parts for flag in part.flags), IN_PIECES])
        text = rejoined(
            self.pieces,
            [part.text for part in parts],
            self.spans,
            source=self.row.source,
            target=self.row.target,
        )
        return Translation(text, list(flags))


def _row(text: str, row: Row) -> Row:
    return Row(text, row.source, row.target)
