"""When in the audio a stretch of a transcript's text was said, as near as its words tell."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from services.model.transcript import Segment, Transcript


class SpokenAt:
    """Asks by characters of the text; answers in seconds of the audio."""

    def __init__(self, transcript: Transcript) -> None:
        spans = list(_spans(transcript))
        self._starts = [span[0] for span in spans]
        self._ends = [span[1] for span in spans]
        self._times = [span[2:] for span in spans]

    def stretch(self, start: int, end: int) -> tuple[float, float] | None:
        """When [start, end) was said; None where nothing tells."""
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end) - 1
        if first > last:
            return None
        return self._times[first][0], self._times[last][1]

    def gap(self, before: int, after: int) -> tuple[float, float] | None:
        """When something would have been said between what ends at `before` and what begins at
        `after`; all of a segment, where no more is known than that it lies within."""
        last = bisect_left(self._starts, before) - 1
        following = bisect_right(self._ends, after)
        if not self._times:
            return None
        if last == following:
            return self._times[last]
        start = self._times[last][1] if last >= 0 else 0.0
        end = self._times[following][0] if following < len(self._times) else start
        return start, max(start, end)


def _spans(transcript: Transcript) -> Iterator[tuple[int, int, float, float]]:
    """[start, end) in the text and in the audio: of each word, or of segments without words."""
    at = 0
    for segment in transcript.segments:
        for text, start, end in _timed(segment):
            found = transcript.text.find(text, at) if text else -1
            if found >= 0:
                at = found + len(text)
                yield found, at, start, end


def _timed(segment: Segment) -> Iterator[tuple[str, float, float]]:
    if segment.words:
        for word in segment.words:
            yield word.text.strip(), word.start, word.end
    elif segment.start is not None and segment.end is not None:
        yield segment.text.strip(), segment.start, segment.end
