"""Tells how far a training is, on sentences, names and voices that it never has.

Each reading is the loss of a token, and for the kinds with a made-up name in them how often all of
its tokens would be written: `alone` by the sound only, `told` with the name among the terms before
the window. `plain` has to stay what it is in the shipped model, and `unrelated`, which has ten
terms that nobody says, the same as `plain`.
"""

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from demo import speech
from demo.grammar import sentences
from demo.names import named_sentences, names, sisters
from demo.train.clips import Clip, speak_clip
from demo.train.features import Features
from demo.train.prompts import written
from demo.train.scribe import IGNORE, Scribe
from demo.train.whisper_net import WhisperNet
from demo.train.windows import RATE, Window

CLIPS = 16  # of each kind
TERMS = 10
SECONDS = 12
BEFORE_S, BEHIND_S = 0.2, 0.4
SEED = 50


@dataclass(frozen=True)
class Reading:
    """Of one kind of windows; `right` of `names` would be written as they are spelt."""

    loss: float
    right: int = 0
    names: int = 0

    def __str__(self) -> str:
        counted = f" ({self.right}/{self.names})" if self.names else ""
        return f"{self.loss:.3f}{counted}"


class Gauge:
    """The same windows each time."""

    def __init__(self, scribe: Scribe, features: Features) -> None:
        self._scribe, self._features = scribe, features
        named = [_clip(*each) for each in named_sentences(CLIPS, seed=SEED, held_out=True)]
        drawn = sentences(CLIPS, seed=SEED, held_out=True)
        plain = {
            language: [_clip(each.text(language), language=language) for each in drawn]
            for language in ("en", "zh")
        }
        self._kinds = {
            **{f"plain {language}": list(map(_window, of)) for language, of in plain.items()},
            "unrelated": [
                self._after_terms(clip, number) for number, clip in enumerate(plain["en"])
            ],
            "alone": list(map(_window, named)),
            "told": [self._after_terms(clip, number) for number, clip in enumerate(named)],
        }

    def _after_terms(self, clip: Clip, number: int) -> Window:
        drawn = names(TERMS + 1, seed=SEED + 1 + number, held_out=True)
        alike = {clip.name, *sisters(clip.name)} if clip.name else set()
        others = [other for other in drawn if other not in alike]
        terms = [*others[: TERMS - 1], clip.name or others[-1]]
        random.Random(number).shuffle(terms)
        window = _window(clip)
        window.before = written(self._scribe.vocabulary, terms, [])
        return window

    @torch.no_grad()
    def read(self, net: WhisperNet) -> dict[str, Reading]:
        """By kind."""
        return {kind: self._read(net, windows) for kind, windows in self._kinds.items()}

    def _read(self, net: WhisperNet, windows: list[Window]) -> Reading:
        batch = self._features.batch(windows, self._scribe, random.Random(SEED))
        logits, *_ = net(batch.mel, batch.first, batch.inputs)
        kept = batch.targets != IGNORE
        likely = logits.log_softmax(-1).gather(-1, (batch.targets * kept)[..., None])[..., 0]
        right = logits.argmax(-1) == batch.targets
        found = [
            self._name_is_right(row, targets, window)
            for row, targets, window in zip(right, batch.targets, windows, strict=True)
            if window.spans[0][2].name
        ]
        return Reading(-float(likely[kept].mean()), sum(found), len(found))

    def _name_is_right(self, right: Tensor, targets: Tensor, window: Window) -> bool:
        vocabulary = self._scribe.vocabulary
        name = vocabulary.numbers(vocabulary.encode(f" {window.spans[0][2].name}"))
        row = targets.tolist()
        at = next(at for at in range(len(row)) if row[at : at + len(name)] == name)
        return bool(right[at : at + len(name)].all())


def _clip(text: str, name: str = "", *, language: str = "en") -> Clip:
    return speak_clip(text, language, speech.voices(language, held_out=True)[0], name)


def _window(clip: Clip) -> Window:
    """The sentence by itself, as a short file has it."""
    audio = np.zeros(SECONDS * RATE, np.float32)
    start, length = round(BEFORE_S * RATE), len(clip.audio)
    audio[start : start + length] = clip.audio / np.float32(32768)
    end = (start + length) / RATE
    heard = min(len(audio), round((end + BEHIND_S) * RATE))
    return Window(clip.language, audio, heard, 0, [(BEFORE_S, end, clip, True)])
