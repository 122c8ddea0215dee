"""Turns text and segments into the sentences that are translated, each with its times.

Whisper cuts where it breathes, a translator needs whole sentences: so segments are joined as long
as nobody pauses and cut anew at the ends of sentences. Nothing is lost and nothing is doubled;
only white space may change.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import sentencex

from services.model.transcript import Segment, is_unspaced
from services.spans import spans_in

_PAUSE_S = 2.0  # a longer silence ends a sentence, whatever the punctuation says
_LONGEST = 300  # characters; speech without punctuation is cut where a segment ends
_PLAIN = re.compile(r".+?(?:[.!?。！？]+\s*|$)")
_CLAUSE = re.compile(r"[,;:،؛、，；：](?=\s|[^\x00-\xff])|\s[-–—](?=\s)|[…—。！？.!?](?=\s)")
_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Sentence:
    """`start` and `end` in seconds, None for text that nobody spoke. `paragraph` counts the
    lines of a text from 0; `channel` is the one that it was heard on, if they were kept apart."""

    text: str
    start: float | None = None
    end: float | None = None
    paragraph: int = 0
    channel: int | None = None


def of_text(text: str, language: str) -> list[Sentence]:
    """The sentences of a text, line by line."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [
        Sentence(sentence, paragraph=number)
        for number, line in enumerate(lines)
        for sentence in split(line, language)
    ]


def of_segments(segments: Sequence[Segment], language: str) -> list[Sentence]:
    """The sentences that segments hold. One that spans several goes from the start of the first
    to the end of the last; within a segment time is shared by characters. Who speaks on one
    channel is not cut short by who speaks on another."""
    channels = dict.fromkeys(segment.channel for segment in segments)
    if len(channels) > 1:
        heard = [[each for each in segments if each.channel == channel] for channel in channels]
        apart = [each for on_one in heard for each in of_segments(on_one, language)]
        return sorted(apart, key=lambda sentence: sentence.start or 0.0)
    return [
        run.sentence(first, last)
        for run in _runs(segments, language)
        for first, last in run.bounds(language)
    ]


def split(text: str, language: str) -> list[str]:
    """The sentences of one line, white space squeezed and trimmed."""
    return [piece.strip() for piece in _pieces(_squeezed(text), language) if piece.strip()]


def within(text: str, fits: Callable[[str], bool]) -> list[str]:
    """The text, trimmed, in as few pieces as halving gives such that each fits."""
    text = text.strip()
    parts = None if fits(text) else halves(text)
    if parts is None:
        return [text]
    return [piece for half in parts for piece in within(half, fits)]


def halves(text: str) -> tuple[str, str] | None:
    """Two pieces, cut after the clause, else at the space, nearest to the middle, else in the
    middle; None for a single character. The text is trimmed."""
    if len(text) < 2:
        return None
    middle = len(text) // 2
    for pattern in (_CLAUSE, _SPACE):
        cuts = [match.end() for match in pattern.finditer(text) if match.end() < len(text)]
        near = [cut for cut in cuts if len(text) // 5 <= cut <= len(text) - len(text) // 5]
        if near:
            middle = min(near, key=lambda cut: abs(cut - len(text) // 2))
            break
    return text[:middle].strip(), text[middle:].strip()


@dataclass(frozen=True, slots=True)
class _Run:
    """Segments without a long pause, joined; `spans` say where each lies in the text."""

    text: str
    spans: Sequence[tuple[int, int, Segment]]

    def bounds(self, language: str) -> Iterator[tuple[int, int]]:
        """First and last character (exclusive) of each sentence, spaces trimmed."""
        ends = [0, *accumulate(len(piece) for piece in _pieces(self.text, language))]
        for first, last in pairwise(ends):
            for start, end in self._shortened(first, last):
                piece = self.text[start:end]
                lead = len(piece) - len(piece.lstrip())
                if piece.strip():
                    yield start + lead, start + len(piece.rstrip())

    def sentence(self, first: int, last: int) -> Sentence:
        held = [span for span in self.spans if span[1] > first and span[0] < last]
        return Sentence(
            self.text[first:last],
            _moment(held[0], first),
            _moment(held[-1], last),
            channel=held[0][2].channel,
        )

    def _shortened(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """A sentence that is too long, cut where segments begin."""
        begins = [start for start, _, _ in self.spans if first < start < last]
        for begin, following in pairwise([*begins, last]):
            if following - first > _LONGEST:
                yield first, begin
                first = begin
        yield first, last


def _runs(segments: Sequence[Segment], language: str) -> Iterator[_Run]:
    joint = "" if is_unspaced(language) else " "
    text = ""
    spans: list[tuple[int, int, Segment]] = []
    for segment in segments:
        words = _squeezed(segment.text)
        if not words:
            continue
        if spans and _pauses(spans[-1][2], segment):
            yield _Run(text, spans)
            text, spans = "", []
        text += joint if spans else ""
        spans.append((len(text), len(text) + len(words), segment))
        text += words
    if spans:
        yield _Run(text, spans)


def _pauses(one: Segment, following: Segment) -> bool:
    if one.end is None or following.start is None:
        return False
    return following.start - one.end > _PAUSE_S


def _moment(span: tuple[int, int, Segment], position: int) -> float | None:
    """The time of a character position, by its share of the segment's characters."""
    first, last, segment = span
    if segment.start is None or segment.end is None:
        return None
    if position <= first:
        return segment.start
    if position >= last:
        return segment.end
    share = (position - first) / (last - first)
    return segment.start + (segment.end - segment.start) * share


def _squeezed(text: str) -> str:
    """No white space but single spaces: sentencex panics at a line separator after a stop."""
    return " ".join(text.split())


def _pieces(line: str, language: str) -> list[str]:
    """The line cut at the ends of sentences; joined again it is the line."""
    try:
        pieces = list(sentencex.segment(language.partition("-")[0], line))
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a fault in its native code, no Exception
            raise
        pieces = _PLAIN.findall(line)
    if "".join(pieces) != line:
        pieces = [line]
    pieces = _unbroken(pieces, line)
    return _quoted(pieces) if language == "ja" else pieces


def _unbroken(pieces: Sequence[str], line: str) -> list[str]:
    """No cut through a link or a tag, whatever stops and question marks are in it."""
    ends = list(accumulate(map(len, pieces)))
    inside = {
        end
        for span in spans_in(line)
        for end in ends[bisect_right(ends, span.start) : bisect_left(ends, span.end)]
    }
    cuts = [0, *(end for end in ends if end not in inside)]
    return [line[first:last] for first, last in pairwise(cuts)]


def _quoted(pieces: Sequence[str]) -> list[str]:
    """Japanese goes on after a quotation: 「行こう。」と彼は言った。"""
    joined: list[str] = []
    for piece in pieces:
        if joined and joined[-1].endswith(("」", "』")) and piece.startswith(("と", "って")):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined
