"""Tells which sentences of a part are surely whole while more of it is still being heard; pure.

A sentence is whole when the next one has begun, and no quotation or bracket is open that could
still make one of the two. They are cut as a translator cuts the whole transcript: so what is
translated of them early is what will be asked for later, but for the few that later words change.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.model.transcript import Segment
from services.sentences import Sentence, of_segments

LONGEST_WAIT = 2000  # characters without a sure end, of which the start is not waited for any more
AT_ONCE = 16  # sentences that go out together, …
EVERY_S = 5.0  # … or those of so long; the first goes out at once

_PAIRS = ("()", "[]", "{}", "“”", "«»", "„“", "「」", "『』", "（）", "‘’", "‚‘")
_EVEN = '"'
_SPACE = re.compile(r"\s")


class Finished:
    """Segments go in as they are heard, whole sentences come out, numbered from 0."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._tail: list[Segment] = []
        self._number = 0
        self._torn = False  # whether the tail begins in the middle of a sentence

    def hear(self, segments: Sequence[Segment]) -> list[Segment]:
        """The sentences that are whole by now, and were not before."""
        self._tail.extend(segments)
        found = of_segments(self._tail, self._language)
        sure = _sure(found)
        whole = found[1:sure] if self._torn else found[:sure]
        if sure:
            self._tail, self._torn = _behind(self._tail, found[:sure], found[sure]), False
        if sum(len(each.text) for each in self._tail) > LONGEST_WAIT:
            self._tail, self._torn = self._tail[-1:], True
        done = [_segment(each, self._number + n) for n, each in enumerate(whole)]
        self._number += len(done)
        return done


class Batches:
    """Sentences that wait to go out together; time is the caller's."""

    def __init__(self) -> None:
        self._waiting: list[Segment] = []
        self._last: float | None = None

    def take(self, sentences: Sequence[Segment], at: float) -> list[Segment]:
        """Those that go out now, as of `at`."""
        self._waiting.extend(sentences)
        early = self._last is not None and at - self._last < EVERY_S
        if not self._waiting or (early and len(self._waiting) < AT_ONCE):
            return []
        going, self._waiting, self._last = self._waiting, [], at
        return going


def _sure(found: Sequence[Sentence]) -> int:
    """How many of the sentences are whole: up to the last end where nothing is open. While one
    of the quotation marks that open and close alike is without its other, nobody knows which of
    them open."""
    if sum(each.text.count(_EVEN) for each in found) % 2:
        return 0
    sure, text = 0, ""
    for number, sentence in enumerate(found[:-1], 1):
        text += sentence.text
        if not _is_open(text):
            sure, text = number, ""
    return sure


def _is_open(text: str) -> bool:
    """Whether something was opened in it that is not closed: then stops may be within it."""
    if text.count(_EVEN) % 2:
        return True
    return any(text.count(pair[0]) > text.count(pair[1]) for pair in _PAIRS)


def _behind(
    segments: Sequence[Segment], gone: Sequence[Sentence], following: Sentence
) -> list[Segment]:
    """What is left of the segments without these sentences, to the letter; the first of them
    begins where the sentence does that follows."""
    letters = sum(len(_SPACE.sub("", each.text)) for each in gone)
    left = list(segments)
    while letters >= (held := len(_SPACE.sub("", left[0].text))):
        letters -= held
        left.pop(0)
    if letters:
        places = [n for n, character in enumerate(left[0].text) if not _SPACE.match(character)]
        rest = left[0].text[places[letters] :]
        left[0] = left[0].model_copy(update={"text": rest, "start": following.start})
    return left


def _segment(sentence: Sentence, number: int) -> Segment:
    return Segment(
        id=number,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        channel=sentence.channel,
    )
