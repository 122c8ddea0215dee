"""Two languages of the same words, sentence by sentence, so that they are shown together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from services.model.transcript import Segment, Transcript
from task_manager.render.breaks import Unit, text_of
from task_manager.render.columns import clean
from task_manager.render.talk import Talk, Track, joined, shared, spoken, talk_of, times_of


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown: one text, or two, of which the first stands above the second. `sentences`
    is the one whose segments are the sentences of both: where one was translated from the other,
    the translation."""

    texts: tuple[Transcript, ...]
    sentences: int = 0

    def is_timed(self) -> bool:
        """Whether all that it holds was spoken."""
        return None not in {each.start for text in self.texts for each in text.segments}

    def talks(self, widths: Sequence[int]) -> list[Talk]:
        """All of it with times, channel by channel. Raises Invalid `no_times`."""
        if len(self.texts) == 1:
            (only,) = self.texts
            found = [talk_of(segment, only.language, widths[0]) for segment in only.segments]
            return [talk for talk in found if talk]
        channels = dict.fromkeys(each.channel for text in self.texts for each in text.segments)
        return [talk for channel in channels for talk in self._paired(channel, widths) if talk]

    def lines(self) -> list[tuple[str, ...]]:
        """The texts side by side, without times."""
        if self.is_timed() and any(text.segments for text in self.texts):
            talks = sorted(self.talks([1 << 30] * len(self.texts)), key=lambda talk: talk.start)
            return [tuple(text_of(track) for track in talk.tracks) for talk in talks]
        apart = [text.text.splitlines() for text in self.texts]
        if len({len(lines) for lines in apart}) > 1:
            apart = [[text.text] for text in self.texts]
        lines = zip(*apart, strict=True)
        return [tuple(map(clean, each)) for each in lines if any(map(clean, each))]

    def _paired(self, channel: int | None, widths: Sequence[int]) -> Iterator[Talk]:
        """The sentences of one channel, each with what the other text has in their time."""
        one, two = self.sentences, 1 - self.sentences
        leading = [each for each in self.texts[one].segments if each.channel == channel]
        following = [each for each in self.texts[two].segments if each.channel == channel]
        times = [times_of(each) for each in leading] or [times_of(each) for each in following]
        own = [spoken(each, self.texts[one].language, widths[one]) for each in leading]
        others = _dealt(following, [start for start, _ in times], self.texts[two], widths[two])
        timed = any(each.words for each in following)
        for number, ((start, end), other) in enumerate(zip(times, others, strict=True)):
            track: Track = own[number] if own else []
            second: Track = other if timed else shared(other, start, end)
            tracks = (track, second) if one == 0 else (second, track)
            exact = timed and bool(other)
            yield Talk(start, end, tracks, channel, two if exact else one, exact)


def _dealt(
    segments: Sequence[Segment], starts: Sequence[float], text: Transcript, max_width: int
) -> list[list[Unit]]:
    """The units of segments, each to the sentence that its place in the segment falls into: the
    sentences were cut from such segments by their share of its characters."""
    begins = list(accumulate(starts, max))
    dealt: list[list[Unit]] = [[] for _ in starts]
    at = 0
    for segment in segments:
        cut = spoken(segment, text.language, max_width)
        start, end = times_of(segment)
        length = max(1, sum(len(unit.text) + unit.space for unit in cut))
        place = 0
        for unit in cut:
            middle = start + (end - start) * (place + len(unit.text) / 2) / length
            place += len(unit.text) + unit.space
            goes = max(at, bisect_right(begins, middle) - 1)
            if dealt[goes] and unit is cut[0]:
                dealt[goes] = joined(dealt[goes], [unit], text.language)
            else:
                dealt[goes].append(unit)
            at = goes
    return dealt
