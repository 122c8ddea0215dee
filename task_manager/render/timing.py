"""Says when each cue comes and goes: in order, never two at once, long enough to be read where
the talk leaves the time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from task_manager.render.limits import CueStyle

_SHORTEST_S = 0.02  # a player drops a cue that ends where it begins, and ASS counts hundredths
_LATEST_S = 1.0  # that a cue comes after its words, where two people talk at once
_BRIDGED_S = (
    0.5  # a gap that is shorter only flickers: the cue stays on for all of it but the least
)


class Need(NamedTuple):
    """When words are said, and how long it takes to read them."""

    start: float
    end: float
    reading: float


class Span(NamedTuple):
    start: float
    end: float


def spans(needs: Sequence[Need], style: CueStyle, duration: float | None) -> list[Span]:
    """One for each, in the order given, which is that of their starts. No cue is kept on beyond
    `duration`, the end of the audio, unless words are."""
    starts = _starts(needs, style)
    found = []
    for need, start, following in zip(needs, starts, [*starts[1:], None], strict=False):
        stay = start + max(style.min_duration, need.reading)
        end = min(max(need.end, stay), start + style.max_duration)
        if following is not None:
            if end > following - _BRIDGED_S:
                gap = min(style.min_gap, (following - start) / 4)
                end = min(following - gap, start + style.max_duration)
        elif duration is not None:
            end = min(end, max(need.end, duration))
        found.append(Span(start, max(end, start + _SHORTEST_S)))
    return found


def _starts(needs: Sequence[Need], style: CueStyle) -> list[float]:
    """Each with its words, or as soon as the one before it has had its least time, or has been
    read while it is said; but not much later."""
    starts = [need.start for need in needs[:1]]
    for before, need in pairwise(needs):
        last = starts[-1]
        least = style.min_duration + style.min_gap
        wait = last + max(least, min(before.reading, before.end - last))
        starts.append(max(need.start, min(wait, need.start + _LATEST_S), last + _SHORTEST_S))
    return starts
