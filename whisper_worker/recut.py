"""Cuts what an engine heard anew, from its words into sentences that can be read; pure.

Engines cut where their windows end, or every 30 seconds, or in mid-sentence. A sentence goes out
as soon as it is whole: until then its words are held back.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from services.model.transcript import Alternative, Segment, Word
from whisper_worker.confidence import confidence
from whisper_worker.sentence_ends import ends_clause, ends_sentence

PAUSE_S = 1.5  # nobody stops for so long within a sentence
LONGEST_S = 15.0
LONGEST = 160  # columns, four lines of a subtitle; a Chinese character takes two

_Held = tuple[Word, Segment]  # a word, and what the engine heard it in


class Sentences:
    """Segments go in as they are heard, sentences come out. No word is lost, doubled or moved; a
    segment without words goes through as it is, behind all that was said before. Other readings
    stay whole: nobody knows which of their words belong to which sentence."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._held: list[_Held] = []

    def hear(self, segment: Segment) -> list[Segment]:
        """The sentences that are whole by now."""
        if not segment.words:
            return [*self.rest(), segment]
        before = self._held[-1][1] if self._held else segment
        other = (before.language, before.channel) != (segment.language, segment.channel)
        done = self.rest() if other else []
        self._held += [(word, segment) for word in segment.words]
        return [*done, *self._whole()]

    def rest(self) -> list[Segment]:
        """What is held back, whole or not: nothing follows."""
        left, self._held = self._held, []
        return [_sentence(left)] if left else []

    def _whole(self) -> Iterator[Segment]:
        while end := self._end():
            yield _sentence(self._held[:end])
            self._held = self._held[end:]

    def _end(self) -> int:
        """How many of the held words are a sentence; 0 if there is none yet."""
        words = [word for word, _ in self._held]
        language = self._held[-1][1].language or self._language if self._held else ""
        width = 0
        for index, word in enumerate(words):
            following = words[index + 1] if index + 1 < len(words) else None
            width += _columns(word.text)
            if index and (width > LONGEST or word.end - words[0].start > LONGEST_S):
                return _best_cut(words[:index])
            if following is not None and following.start - word.end >= PAUSE_S:
                return index + 1
            if ends_sentence(word.text, following.text if following else "", language):
                return index + 1
        return 0


def _best_cut(words: Sequence[Word]) -> int:
    """Where a sentence that is too long is cut best: behind the last clause of its last half, else
    in the longest pause there, else at its end."""
    late = range(len(words) // 2 + 1, len(words) + 1)
    clauses = [end for end in late if ends_clause(words[end - 1].text)]
    if clauses:
        return clauses[-1]
    inner = [end for end in late if end < len(words)]
    pauses = {end: words[end].start - words[end - 1].end for end in inner}
    longest = max(pauses, key=lambda end: pauses[end], default=len(words))
    return longest if pauses.get(longest, 0.0) > 0.0 else len(words)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in {"W", "F"} else 1 for c in text)


def _sentence(held: Sequence[_Held]) -> Segment:
    """One segment of these words, as sure as those that they were heard in."""
    words = [word for word, _ in held]
    sources = [segment for _, segment in held]
    if all(each is sources[0] for each in sources) and words == sources[0].words:
        sentence = sources[0]
    else:
        sentence = _blended(sources)
    cut = sentence.model_copy(
        update={
            "start": words[0].start,
            "end": max(words[0].start, words[-1].end),
            "text": "".join(word.text for word in words).strip(),
            "words": words,
            "alternatives": _alternatives(held) or None,
        }
    )
    return cut.model_copy(update={"confidence": confidence(cut)})


def _alternatives(held: Sequence[_Held]) -> list[Alternative]:
    """The other readings of what begins among these words, each with the times of what it is a
    reading of."""
    begun = [segment for word, segment in held if segment.words and word is segment.words[0]]
    return [
        other.model_copy(update={"start": segment.start, "end": segment.end})
        for segment in begun
        for other in segment.alternatives or []
    ]


def _blended(sources: Sequence[Segment]) -> Segment:
    """A mean of what is a mean, by words; the worst of the rest."""
    logs = [each.avg_logprob for each in sources if each.avg_logprob is not None]
    return Segment(
        id=sources[0].id,
        text="",
        language=sources[0].language,
        channel=sources[0].channel,
        avg_logprob=sum(logs) / len(logs) if logs else None,
        no_speech_prob=_most([each.no_speech_prob for each in sources]),
        compression_ratio=_most([each.compression_ratio for each in sources]),
        temperature=_most([each.temperature for each in sources]),
    )


def _most(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
