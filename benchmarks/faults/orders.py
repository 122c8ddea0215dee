"""Tasks to send, each with the pack that a run without faults gives.

The stub engines invent their words from the input, so the pack is known before it is made: what
they hear of a clip is learnt once from a rehearsal, and a translation is the sentence with its
language in front.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from services.model.transcript import join_texts

Pack = dict[str, dict[str, dict[str, str]]]  # language → text id → source → text
TARGETS = ("zh", "ja", "de", "fr", "es", "ru", "it", "ko", "pt", "nl", "pl", "ar", "tr")
_WHO = ("The driver", "A teacher", "My brother", "The nurse", "Our neighbour", "The pilot")
_DOES = ("waits for", "looks at", "talks about", "forgets", "remembers", "asks for")
_WHAT = ("the last train", "a red door", "the long winter", "an old song", "the quiet sea")


@dataclass(frozen=True)
class Order:
    """`name` is unique in the run and the idempotency key. `allowed` are the states it may end
    in, `expected` is the expanded pack it must have then."""

    name: str
    body: dict[str, Any]
    expected: Pack
    allowed: tuple[str, ...] = ("succeeded",)

    def but(self, *allowed: str, without: Sequence[tuple[str, str]] = ()) -> Order:
        """The same, allowed to end otherwise, and without these (language, text id) cells."""
        pack = {
            language: {
                text_id: sources
                for text_id, sources in texts.items()
                if (language, text_id) not in without
            }
            for language, texts in self.expected.items()
        }
        return replace(self, allowed=allowed, expected=pack)


@dataclass(frozen=True)
class Clip:
    """An uploaded recording, and the sentences that the stub hears in it."""

    key: str
    heard: tuple[str, ...]


@dataclass
class Maker:
    """Makes orders; the same seed makes the same ones. `clips` may be empty until rehearsed."""

    rng: random.Random
    clips: list[Clip] = field(default_factory=list)
    made: int = 0

    def text(self, *, say: int = 0, targets: int = 2, sentences: int = 2, mark: str = "") -> Order:
        """One reference text; each translation takes `say` seconds. `mark` goes into the text id,
        for the stub engines to read."""
        text_id = self._text_id("text", say=say, mark=mark)
        lines = [self.sentence() for _ in range(sentences)]
        item = {"text_id": text_id, "text": " ".join(lines), "language": "en"}
        return self._order([item], self._targets(targets), {text_id: ("T", lines)})

    def long_text(self, *, say: int = 0, chars: int = 70_000) -> Order:
        """One text of a single sentence, so long that its translation goes to storage."""
        text_id = self._text_id("long", say=say)
        words = self.sentence().removesuffix(".")
        line = " and ".join([words] * (chars // len(words)))
        item = {"text_id": text_id, "text": line, "language": "en"}
        return self._order([item], self._targets(1), {text_id: ("T", [line])})

    def clip(self, *, hear: int = 0, say: int = 0, targets: int = 2, mark: str = "") -> Order:
        """One recording; hearing it takes `hear` seconds, each translation `say`."""
        text_id = self._text_id("clip", hear=hear, say=say, mark=mark)
        clip = self.rng.choice(self.clips)
        item = {"text_id": text_id, "audio": clip.key, "language": "en"}
        return self._order([item], self._targets(targets), {text_id: ("A", list(clip.heard))})

    def mixed(self, low: int = 2, high: int = 6) -> Order:
        """A text that takes `low` to `high` seconds to translate, or a clip that takes as long to
        hear."""
        seconds = self.rng.randint(low, high)
        if self.rng.random() < 0.5:
            return self.text(say=seconds, targets=self.rng.randint(1, 2))
        return self.clip(hear=seconds, targets=self.rng.randint(1, 2))

    def sentence(self) -> str:
        return f"{self.rng.choice(_WHO)} {self.rng.choice(_DOES)} {self.rng.choice(_WHAT)}."

    def _targets(self, count: int) -> list[str]:
        return self.rng.sample(TARGETS, count)

    def _text_id(self, kind: str, *, hear: int = 0, say: int = 0, mark: str = "") -> str:
        words = [f"hear-{hear}s" if hear else "", f"say-{say}s" if say else "", mark]
        return " ".join([kind, *(word for word in words if word)])

    def _order(
        self,
        items: list[dict[str, Any]],
        targets: list[str],
        said: dict[str, tuple[str, list[str]]],
    ) -> Order:
        self.made += 1
        name = f"order-{self.made}-{self.rng.getrandbits(48):012x}"
        body = {"items": items, "targets": targets, "metadata": {"order": name}}
        return Order(name, body, _pack(said, targets))


def _pack(said: dict[str, tuple[str, list[str]]], targets: Sequence[str]) -> Pack:
    return {
        target: {
            text_id: {source: translated(sentences, target)}
            for text_id, (source, sentences) in said.items()
        }
        for target in targets
    }


def translated(sentences: Sequence[str], target: str) -> str:
    """What the stub translator makes of these sentences of one line."""
    return join_texts([f"[{target}] {sentence}" for sentence in sentences], target)


def record(folder: Path, count: int) -> list[Path]:
    """WAV files of a few seconds of speech, always the same. Takes the extra `speech`."""
    from demo import speech  # noqa: PLC0415  loads espeak-ng
    from demo.grammar import sentences  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    voice = speech.voices("en", held_out=True)[0]
    paths = []
    for number in range(count):
        clips = [
            speech.speak(each.text("en"), "en", voice)
            for each in sentences(number + 1, seed=number + 7, held_out=True)
        ]
        audio, _ = speech.join(clips, [0.4] * (len(clips) + 1))
        paths.append(folder / f"clip-{number}.wav")
        speech.write_wav(paths[-1], audio)
    return paths
