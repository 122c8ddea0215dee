"""How much work a job is, in seconds of audio or their equivalent, told from its plan alone."""

from __future__ import annotations

from collections.abc import Sequence

from services.model.stages import PartPlan
from services.model.transcript import Body

RATE = 16_000  # samples a second
BYTES_A_SECOND = 16_000  # of a file that is not opened yet: 128 kbit/s
CHARACTERS_A_SECOND = 15  # of speech that is written down
WINDOW_S = 30.0  # what an engine looks at in one go
DETECT_WINDOWS = 5  # that the language of an item is told from at most
_UNKNOWN_S = 600.0
_BYTES_A_CHARACTER = 1.5  # of a text that is too long to stand in its document


def of_file(size_bytes: int) -> float:
    """Of a prepare job: what its bytes would be at a usual rate, at least a second; a file that
    lies elsewhere (0 bytes) is taken for ten minutes."""
    return max(1.0, size_bytes / BYTES_A_SECOND) if size_bytes else _UNKNOWN_S


def of_windows(parts: Sequence[PartPlan]) -> float:
    """Of a detect job, if no two windows agree at once."""
    windows = sum(len(part.windows) or 1 for part in parts)
    return WINDOW_S * min(windows, DETECT_WINDOWS)


def of_part(part: PartPlan) -> float:
    """Of a transcribe job: the speech in the part, for the silence between is not listened to."""
    return sum(end - start for start, end in part.speech) / RATE


def of_joining(parts: int) -> float:
    """Of an assemble job: a part is quickly read."""
    return float(parts)


def of_text(text: Body, share: float = 1.0) -> float:
    """Of a translate job, which takes a share of a text."""
    written = text.size / _BYTES_A_CHARACTER if text.inline is None else len(text.inline)
    return share * written / CHARACTERS_A_SECOND


def shares(runs: Sequence[tuple[int, int | None]]) -> list[float]:
    """What each run of segments is of the whole; a run without an end is all of it."""
    lengths = [1 if last is None else last - first for first, last in runs]
    total = sum(lengths)
    return [length / total if total > 0 else 1.0 / len(runs) for length in lengths]
