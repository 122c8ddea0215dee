"""What an engine may have made up: signs of it in a segment; pure.

What is flagged is left out of the text and kept beside it, so that nobody has to guess.
"""

from __future__ import annotations

import re

from services.model.transcript import Segment

_COMPRESSION = 2.4  # text that packs better than this repeats itself
_NO_SPEECH = 0.6
_UNSURE = -1.0  # mean log probability of a token
_LOOP = re.compile(r"(.{2,60}?)\1{4,}", re.DOTALL)
_MOST = 0.6  # of the text has to be the loop


def flags(segment: Segment) -> list[str]:
    """Why this segment should be left out; empty for a good one."""
    found = []
    if segment.compression_ratio is not None and segment.compression_ratio > _COMPRESSION:
        found.append("compression_ratio")
    silent = segment.no_speech_prob is not None and segment.no_speech_prob > _NO_SPEECH
    if silent and segment.avg_logprob is not None and segment.avg_logprob < _UNSURE:
        found.append("no_speech")
    if _repeats(segment.text):
        found.append("repetition")
    return found


def _repeats(text: str) -> bool:
    loop = _LOOP.search(text.strip() + " ")
    return loop is not None and len(loop.group(0)) > _MOST * len(text.strip())
