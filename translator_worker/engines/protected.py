"""An engine around another, which sees to it that what is protected survives, and terms are kept.

A model gets a sentence with a placeholder for each span, a chat model gets it as it is. Where the
translation lacks something, the words go again, piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from services.spans import Span, besides, spans_in
from translator_worker.engines import Engine, Row, Translation
from translator_worker.glossary import composed, missed
from translator_worker.numbers import numbers_in, numbers_lost
from translator_worker.protecting import (
    Masked,
    Piece,
    gaps,
    masked,
    pieces,
    rejoined,
    restored,
    stands,
)

IN_PIECES = "in_pieces"  # the flag of a sentence that was translated so
NUMBER_LOST = "number_lost"  # which a chat model may have written as a word
TERM_MISSING = "glossary_term_missing"  # in the form that the glossary has, at least


@dataclass(frozen=True, slots=True)
class ProtectedEngine:
    """Loses nothing, whatever the engine inside makes of it. `masks`: by placeholders."""

    engine: Engine
    masks: bool

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]:
        sentences = [_Sentence.of(row, masks=self.masks) for row in rows]
        made = self.engine.translate([each.asked for each in sentences], beam_size=beam_size)
        whole = [each.whole(answer) for each, answer in zip(sentences, made, strict=True)]
        lost = [each.cut() for each, answer in zip(sentences, whole, strict=True) if answer is None]
        words = [row for each in lost for row in each.rows()]
        told = iter(self.engine.translate(words, beam_size=beam_size) if words else [])
        again = iter([each.joined(told) for each in lost])
        done = [next(again) if answer is None else answer for answer in whole]
        return [each.judged(answer) for each, answer in zip(sentences, done, strict=True)]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A row on its way. `spans` have to stand in its translation, `terms` should; `masked` is None
    where it goes as it is."""

    row: Row
    spans: Sequence[Span]
    terms: Sequence[Span]
    masked: Masked | None

    @classmethod
    def of(cls, row: Row, *, masks: bool) -> _Sentence:
        row = replace(row, text=composed(row.text)) if row.terms else row
        spans = spans_in(row.text)
        terms = row.terms.spans_in(row.text, spans) if row.terms else []
        if not masks:
            return cls(row, spans, terms, None)
        spans = besides(spans, terms)
        return cls(row, spans, terms, masked(row.text, spans))

    @property
    def asked(self) -> Row:
        """What the engine is to translate: nothing where all that stands there is protected."""
        if self._is_bare():
            return replace(self.row, text="")
        return self.row if self.masked is None else replace(self.row, text=self.masked.text)

    def whole(self, made: Translation) -> Translation | None:
        """None where something was lost on the way, of which a number is none in a chat."""
        if self._is_bare():
            return self.cut().joined(iter(()), flagged=False)
        if self.masked is None:
            return made if stands(self.spans, made.text) else None
        text = restored(self.masked, made.text, self.row.text, self.spans)
        return None if text is None or self._lacks_number(text) else replace(made, text=text)

    def cut(self) -> _Cut:
        spans = besides(self.spans, numbers_in(self.row.text))
        return _Cut(self.row, spans, pieces(self.row.text, spans))

    def judged(self, made: Translation) -> Translation:
        """With flags for what is still missing."""
        flags = [TERM_MISSING] if missed(self.terms, made.text) else []
        if self.masked is None and self._lacks_number(made.text):
            flags.append(NUMBER_LOST)
        return replace(made, flags=[*made.flags, *flags])

    def _lacks_number(self, translation: str) -> bool:
        """A number of a term or a link is the business of these."""
        spans = besides(self.spans, self.terms) if self.masked is None else self.spans
        return numbers_lost("\n".join(gaps(self.row.text, spans)), translation)

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
        return [replace(self.row, text=piece.words) for piece in self.pieces if piece.words]

    def joined(self, told: Iterator[Translation], *, flagged: bool = True) -> Translation:
        parts = [next(told) if piece.words else Translation("") for piece in self.pieces]
        flags = dict.fromkeys(flag for part in parts for flag in part.flags)
        text = rejoined(
            self.pieces,
            [part.text for part in parts],
            self.spans,
            source=self.row.source,
            target=self.row.target,
        )
        return Translation(text, [*flags, IN_PIECES] if flagged else list(flags))
