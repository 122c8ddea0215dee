"""Makes subtitle cues of what was said: a few short lines, each for a stretch of time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from task_manager.render.breaks import text_of
from task_manager.render.columns import width
from task_manager.render.cutting import cut, lines_of, merged
from task_manager.render.limits import CueStyle, Reading
from task_manager.render.pairs import Shown
from task_manager.render.talk import Talk, until
from task_manager.render.timing import Need, spans

_EASED_S = 1.0  # a piece comes no later than that after its words
_ROUNDED = 0.01  # seconds, or columns a second


@dataclass(frozen=True, slots=True)
class Cue:
    """Shown from `start` to `end` (seconds): the lines of each language, which may be none.

    `flags` name the limits that could not be held without losing words: `too_fast` for readers
    of one of the languages, `too_short`."""

    start: float
    end: float
    texts: Sequence[Sequence[str]]
    channel: int | None = None
    flags: list[str] = field(default_factory=list)

    def speeds(self) -> list[float]:
        """Columns a second, language by language."""
        return [_columns(lines) / (self.end - self.start) for lines in self.texts]


def cues(shown: Shown, style: CueStyle) -> list[Cue]:
    """All cues in the order of the words; none comes before the one in front of it has gone.

    Raises Invalid `no_times` for a text that nobody spoke.
    """
    reading = [style.reading(text.language) for text in shown.texts]
    duration = max((text.duration for text in shown.texts if text.duration), default=None)
    talks = _pieces(shown, reading, style, duration)
    texts = [
        [lines_of(*each) for each in zip(talk.tracks, _widths(reading), strict=True)]
        for talk in talks
    ]
    takes = [_takes(map(_columns, own), reading) for own in texts]
    needs = [Need(talk.start, talk.end, long) for talk, long in zip(talks, takes, strict=True)]
    found = spans(needs, style, duration)
    return [
        Cue(span.start, span.end, own, talk.channel, _flags(span.end - span.start, long, style))
        for talk, own, long, span in zip(talks, texts, takes, found, strict=True)
    ]


def _pieces(
    shown: Shown, reading: Sequence[Reading], style: CueStyle, duration: float | None
) -> list[Talk]:
    """What each cue holds, as it began; of two that began at once, the first channel's."""
    languages = [text.language for text in shown.texts]
    widths = _widths(reading)
    channels: dict[int | None, list[Talk]] = {}
    for talk in shown.talks(widths):
        channels.setdefault(talk.channel, []).append(talk)
    pieces: list[Talk] = []
    for said in channels.values():
        eased = _eased(list(_onward(said)), reading, style, duration)
        short = [piece for talk in eased for piece in cut(talk, widths, style) if piece]
        pieces += merged(list(_onward(short)), languages, widths, style)
    return sorted(pieces, key=lambda talk: talk.start)


def _onward(talks: Sequence[Talk]) -> Iterator[Talk]:
    """Without a step back in time, whatever an engine told."""
    now = 0.0
    for talk in talks:
        now = max(now, talk.start)
        yield replace(talk, start=now, end=max(now, talk.end))


def _eased(
    talks: Sequence[Talk], reading: Sequence[Reading], style: CueStyle, duration: float | None
) -> Iterator[Talk]:
    """A talk that is said faster than it is read takes of the silence behind it, before it is cut,
    so that all its pieces gain; not where it is known when each word was said."""
    for talk, following in zip(talks, [*talks[1:], None], strict=False):
        ends = [talk.end + _EASED_S]
        ends += [] if following is None else [following.start]
        ends += [] if duration is None else [max(duration, talk.end)]
        columns = [width(text_of(track)) for track in talk.tracks]
        filled = max(wide / each.max_width for wide, each in zip(columns, reading, strict=True))
        gaps = 1 + math.ceil(filled / style.max_lines)  # about, and those are no time to read
        end = min(talk.start + _takes(columns, reading) + gaps * style.min_gap, *ends)
        yield talk if talk.exact or end <= talk.end else until(talk, end)


def _widths(reading: Sequence[Reading]) -> list[int]:
    return [each.max_width for each in reading]


def _takes(columns: Iterable[int], reading: Sequence[Reading]) -> float:
    """Seconds to read the longest of the texts, which is all that anybody reads."""
    pairs = zip(columns, reading, strict=True)
    return max(wide / each.max_cps for wide, each in pairs)


def _columns(lines: Sequence[str]) -> int:
    return sum(map(width, lines))


def _flags(seconds: float, reading: float, style: CueStyle) -> list[str]:
    flags = {
        "too_fast": reading > seconds + _ROUNDED,
        "too_short": style.min_duration > seconds + _ROUNDED,
    }
    return [name for name, raised in flags.items() if raised]
