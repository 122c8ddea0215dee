"""How sure an engine is of a segment, as one number from 0 to 1; pure."""

from __future__ import annotations

from math import exp

from services.model.transcript import Segment


def confidence(segment: Segment) -> float | None:
    """The mean probability of its words where these are known, else that of its tokens; None
    where an engine says nothing."""
    if segment.words:
        return round(sum(word.probability for word in segment.words) / len(segment.words), 3)
    if segment.avg_logprob is None:
        return None
    return round(min(1.0, exp(segment.avg_logprob)), 3)
