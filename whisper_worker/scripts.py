"""Brings what was heard into the characters of its language: Whisper mixes two of Chinese."""

from __future__ import annotations

from services.chinese import pieces_written_in, written_in
from services.model.scripts import other_script
from services.model.transcript import Segment, Word


def in_its_script(segment: Segment, language: str) -> Segment:
    """The segment with its text, its words and its other readings in that language's script; times
    stay as they are."""
    if other_script(language) is None:
        return segment
    return segment.model_copy(
        update={
            "text": written_in(segment.text, language),
            "words": _words(segment.words, language) if segment.words else segment.words,
            "alternatives": [
                each.model_copy(update={"text": written_in(each.text, language)})
                for each in segment.alternatives or []
            ]
            or None,
        }
    )


def _words(words: list[Word], language: str) -> list[Word]:
    texts = pieces_written_in([word.text for word in words], language)
    return [word.model_copy(update={"text": text}) for word, text in zip(words, texts, strict=True)]
