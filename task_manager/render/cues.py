"""Cuts a transcript into subtitle cues: a few short lines, each for a stretch of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.model.errors import Invalid
from services.model.transcript import Segment, Transcript
from task_manager.render.lines import clean, width, wrap

_SHORTEST_S = 0.02  # a player drops a cue that ends where it begins


@dataclass(frozen=True, slots=True)
class CueStyle:
    """How cues look: columns a line (a Chinese character takes two), lines a cue, and columns a
    second that a reader can follow; a cue that is too fast stays on until the next one."""

    max_width: int = 42
    max_lines: int = 2
    max_cps: float | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines that are shown from `start` to `end` (seconds)."""

    start: float
    end: float
    lines: Sequence[str]


def cues(transcript: Transcript, style: CueStyle) -> list[Cue]:
    """All cues in the order of the words; none begins before the one in front of it.

    Raises Invalid `no_times` for a text that nobody spoke.
    """
    cut: list[Cue] = []
    for cue in (cue for segment in transcript.segments for cue in _of_segment(segment, style)):
        start = max(cue.start, cut[-1].start) if cut else cue.start
        cut.append(Cue(start, max(cue.end, start + _SHORTEST_S), cue.lines))
    if style.max_cps:
        return list(_slowed(cut, style.max_cps))
    return cut


def _of_segment(segment: Segment, style: CueStyle) -> Iterator[Cue]:
    """The lines of a segment, a cueful at a time; each gets its share of the segment's time."""
    if not clean(segment.text):
        return
    if segment.start is None or segment.end is None:
        raise Invalid(
            "This text was never spoken, so it has no times; ask for the form txt or json.",
            code="no_times",
        )
    lines = wrap(segment.text, style.max_width)
    blocks = [
        lines[first : first + style.max_lines] for first in range(0, len(lines), style.max_lines)
    ]
    whole = sum(width("".join(block)) for block in blocks) or 1
    seconds = segment.end - segment.start
    shown = 0
    for block in blocks:
        start = segment.start + seconds * shown / whole
        shown += width("".join(block))
        yield Cue(start, segment.start + seconds * shown / whole, block)


def _slowed(cut: Sequence[Cue], max_cps: float) -> Iterator[Cue]:
    """Cues that stay on for as long as reading takes, where the next one leaves the time."""
    for number, cue in enumerate(cut):
        wanted = cue.start + width("".join(cue.lines)) / max_cps
        limit = cut[number + 1].start if number + 1 < len(cut) else wanted
        yield Cue(cue.start, max(cue.end, min(wanted, limit)), cue.lines)
