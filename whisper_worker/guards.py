"""What an engine may have made up: signs of it in a segment, in its sound, and in a run of them;
pure.

What is flagged is left out of the text and kept beside it, so that nobody has to guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from services.model.decoding import Decoding, Guard
from services.model.transcript import Segment

_SILENT_DB = -60.0  # the loudest tenth of a second is not louder: nothing was recorded
_NO_VOICE = 0.5  # a syllable of it is speech with 0.85 and more, a noise with less than 0.45
_LOOP = re.compile(r"(.{2,60}?)\1{4,}", re.DOTALL)
_MOST = 0.6  # of the text has to be the loop
_RUN = 3  # words, or characters where there are no spaces
_FEWEST_RUNS = 10  # less says nothing
_DISTINCT = 0.5  # of the runs, at least
_TIMES = 3  # a sentence in a row
_UNSURE = -0.5  # mean log probability of a token in such a row: a chorus is heard better
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


@dataclass(frozen=True, slots=True)
class Sound:
    """What a segment was made from: its loudest tenth of a second (dBFS), and how likely a
    syllable of it is speech, where that was not asked before."""

    loudest_db: float | None = None
    voice: float | None = None


def flags(segment: Segment, decoding: Decoding, sound: Sound = Sound()) -> list[str]:
    """Why this segment should be left out, of what the caller wants it to be; empty for a good
    one."""
    signs: dict[Guard, bool] = {
        "compression_ratio": _packs(segment, decoding),
        "repetition": _repeats(segment.text),
        "no_speech": _no_speech(segment, decoding),
        "silence": sound.loudest_db is not None and sound.loudest_db < _SILENT_DB,
        "no_voice": sound.voice is not None and sound.voice < _NO_VOICE,
    }
    return [guard for guard, found in signs.items() if found and guard in decoding.guards]


@dataclass(slots=True)
class Loops:
    """Finds the same sentence in a row. Repeats are held back until it is known how many come: one
    may be said, from the third on all but the first are a loop, if the engine is unsure of them."""

    on: bool
    first: Segment | None = None
    repeats: list[Segment] = field(default_factory=list)

    def hear(self, segment: Segment) -> list[Segment]:
        """The segments that are judged by now, in order."""
        if not self.on:
            return [segment]
        if self.first is not None and _letters(segment.text) == _letters(self.first.text):
            self.repeats.append(segment)
            return []
        judged = self.rest()
        self.first = segment if _letters(segment.text) else None
        return [*judged, segment]

    def rest(self) -> list[Segment]:
        """What is held back: nothing follows it."""
        row = [self.first, *self.repeats] if self.first is not None else []
        held, self.first, self.repeats = self.repeats, None, []
        if len(row) < _TIMES or not _is_unsure(row):
            return held
        return [each.model_copy(update={"flags": [*each.flags, "loop"]}) for each in held]


def _packs(segment: Segment, decoding: Decoding) -> bool:
    most = decoding.compression_ratio_threshold
    ratio = segment.compression_ratio
    return most is not None and ratio is not None and ratio > most


def _no_speech(segment: Segment, decoding: Decoding) -> bool:
    most, least = decoding.no_speech_threshold, decoding.log_prob_threshold
    if most is None or segment.no_speech_prob is None or segment.no_speech_prob <= most:
        return False
    return least is None or (segment.avg_logprob is not None and segment.avg_logprob < least)


def _repeats(text: str) -> bool:
    text = text.strip()
    loop = _LOOP.search(text + " ")
    if loop is not None and len(loop.group(0)) > _MOST * len(text):
        return True
    letters = _letters(text)
    units = list(letters.replace(" ", "")) if _UNSPACED.search(letters) else letters.split()
    runs = [tuple(units[at : at + _RUN]) for at in range(len(units) - _RUN + 1)]
    return len(runs) >= _FEWEST_RUNS and len(set(runs)) < _DISTINCT * len(runs)


def _is_unsure(row: list[Segment]) -> bool:
    logs = [each.avg_logprob for each in row if each.avg_logprob is not None]
    return bool(logs) and sum(logs) / len(logs) < _UNSURE


def _letters(text: str) -> str:
    kept = "".join(c if c.isalnum() or c.isspace() else " " for c in text.casefold())
    return " ".join(kept.split())
