"""Cuts a transcript into the runs that are translated on their own; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.model.transcript import Segment

LONGEST_RUN = 400  # segments: some minutes of a translator's work
_SENTENCE_END = re.compile(r"[.!?。！？…؟।]['\"”’」』)\]）]*\s*$")


def cut_runs(segments: Sequence[Segment], longest: int = LONGEST_RUN) -> list[tuple[int, int]]:
    """Ranges [first, last) that cover all segments in order, each ending with a sentence where
    one ends within `longest` segments."""
    runs = []
    first = 0
    while first < len(segments):
        last = min(first + longest, len(segments))
        if last < len(segments):
            last = _sentence_end(segments, first, last)
        runs.append((first, last))
        first = last
    return runs


def _sentence_end(segments: Sequence[Segment], first: int, last: int) -> int:
    for end in range(last, first, -1):
        if _SENTENCE_END.search(segments[end - 1].text):
            return end
    return last
