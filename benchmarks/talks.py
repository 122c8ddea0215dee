"""Speech whose words are known, and how far what was heard is from them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from demo.grammar import sentences
from demo.sample import expected_text
from demo.speech import SAMPLE_RATE, Audio, join, speak, voices
from services.model.transcript import Transcript, is_unspaced
from whisper_worker.check import compare

SENTENCES_A_MINUTE = 25  # more than anybody says
_AROUND = 2  # words shown on both sides of a difference


@dataclass(frozen=True)
class Talk:
    """Somebody who speaks without end, and what he says."""

    language: str
    audio: Audio
    text: str

    @property
    def seconds(self) -> float:
        return len(self.audio) / SAMPLE_RATE

    def rate(self, heard: str) -> float:
        """WER, or CER where words have no spaces between them."""
        found, _ = compare(self.text, Transcript(language=self.language, text=heard, segments=[]))
        return found.rate


def talk(language: str, seconds: float, seed: int, gaps: tuple[float, float] = (0.2, 0.8)) -> Talk:
    """Sentences and a voice that no model was trained on, with short breaks between them."""
    chance = random.Random(f"talk/{language}/{seed}")
    voice = chance.choice(voices(language, held_out=True))
    known = sentences(round(seconds / 60 * SENTENCES_A_MINUTE) + 1, seed=seed, held_out=True)
    clips, breaks, length = [], [0.3], 0.3
    for sentence in known:
        clips.append(speak(sentence.text(language), language, voice))
        breaks.append(chance.uniform(*gaps))
        length += len(clips[-1]) / SAMPLE_RATE + breaks[-1]
        if length >= seconds:
            break
    audio, _ = join(clips, breaks)
    return Talk(language, audio, expected_text(known[: len(clips)], language))


def words(text: str, language: str) -> list[str]:
    """Words, or characters where words have no spaces between them."""
    return list("".join(text.split())) if is_unspaced(language) else text.split()


def differences(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Where two texts part, each as one line with a few words around it."""
    found = []
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            was = " ".join(one[max(0, a - _AROUND) : b + _AROUND])
            given = " ".join(other[max(0, c - _AROUND) : d + _AROUND])
            found.append(f"{was!r} → {given!r}")
    return found
