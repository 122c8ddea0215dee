"""An engine around another, which flags what is not translated, or not into its language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.spans import spans_in
from translator_worker.engines import Engine, Row, Translation
from translator_worker.engines.other_language import is_other_language, is_untranslated

UNTRANSLATED = "untranslated"
OTHER_LANGUAGE = "other_language"


@dataclass(frozen=True, slots=True)
class JudgedEngine:
    """The words stay as they are: a flag says only that somebody should look."""

    engine: Engine

    def translate(self, rows: Sequence[Row], *, beam_size: int | None) -> list[Translation]:
        made = self.engine.translate(rows, beam_size=beam_size)
        return [_judged(row, each) for row, each in zip(rows, made, strict=True)]


def _judged(row: Row, made: Translation) -> Translation:
    if UNTRANSLATED in made.flags:  # a chat model's, which was asked again for it
        return made
    if is_untranslated(row.text, made.text, row.source, row.target):
        return replace(made, flags=[*made.flags, UNTRANSLATED])
    if is_other_language(_without_terms(row, made.text), row.source, row.target):
        return replace(made, flags=[*made.flags, OTHER_LANGUAGE])
    return made


def _without_terms(row: Row, translation: str) -> str:
    """A glossary may ask for words of any language."""
    if row.terms is None:
        return translation
    for span in row.terms.spans_in(row.text, spans_in(row.text)):
        translation = translation.replace(span.put, " ")
    return translation
