"""Sentences that were translated before their words were corrected elsewhere: taken over as they
are, so that only what changed goes to the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.model.stages import Former
from services.model.transcript import Body, Segment, Transcript
from services.sentences import Sentence, of_segments, of_text
from translator_worker.engines import Translation

Read = Callable[[Body, str | None], str]


class Known:
    """Translations by their sentence; of one that was said twice that of the same moment counts,
    else the first."""

    def __init__(self, pairs: Sequence[tuple[Sentence, Segment]] = ()) -> None:
        self._at = {(each.text, each.start): segment for each, segment in reversed(pairs)}
        self._anywhere = {each.text: segment for each, segment in reversed(pairs)}

    def find(self, sentence: Sentence) -> Translation | None:
        found = self._at.get((sentence.text, sentence.start)) or self._anywhere.get(sentence.text)
        return None if found is None else Translation(found.text, found.flags)


def known_of(former: Former | None, language: str, read: Read) -> Known:
    """What is known of the words as they were, in their language."""
    if former is None:
        return Known()
    translated = Transcript.model_validate_json(read(former.translation, former.translation_url))
    if former.transcript is None:
        sentences = of_text(former.text or "", language)
        even = len(sentences) == len(translated.segments)
        return Known(list(zip(sentences, translated.segments, strict=True)) if even else ())
    heard = Transcript.model_validate_json(read(former.transcript, former.transcript_url))
    return Known(_paired(of_segments(heard.segments, language), translated.segments))


def _paired(
    sentences: Sequence[Sentence], segments: Sequence[Segment]
) -> list[tuple[Sentence, Segment]]:
    """A translated segment has the times of its sentence, whatever was taken away around it."""
    places = {(each.start, each.end, each.channel): each for each in segments}
    return [
        (each, places[place])
        for each in sentences
        if (place := (each.start, each.end, each.channel)) in places
    ]
