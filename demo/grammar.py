"""The closed grammar of the demo: parallel sentences in English, Chinese, Japanese and German.

Every sentence has exactly one counterpart in each language, so a transcript and its translations
can be checked word by word. One sentence in ten, chosen by a stable hash, is held out: training
never sees it, and the sample, the tests and the evaluation use nothing else.
"""

import random
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from demo.templates import TEMPLATES

LANGUAGES: tuple[str, ...] = ("en", "zh", "ja", "de")

_HELD_OUT_ONE_IN = 10
_FULL_STOPS = {"en": ".", "zh": "。", "ja": "。", "de": "."}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence with its text in each language of the grammar."""

    texts: Mapping[str, str]

    def text(self, language: str) -> str:
        """The sentence as written in this language."""
        return self.texts[language]


def is_held_out(english: str) -> bool:
    """Whether training must never see this sentence, in whatever language."""
    return zlib.crc32(english.encode()) % _HELD_OUT_ONE_IN == 0


def sentences(count: int, *, seed: int, held_out: bool) -> list[Sentence]:
    """Distinct sentences, the same for the same seed."""
    source = random.Random(f"{seed}/{held_out}")
    found: dict[str, Sentence] = {}
    templates = [template for template, _ in TEMPLATES]
    weights = [weight for _, weight in TEMPLATES]
    while len(found) < count:
        words = source.choices(templates, weights)[0](source)
        sentence = Sentence(dict(zip(LANGUAGES, map(_finish, LANGUAGES, words), strict=True)))
        english = sentence.text("en")
        if is_held_out(english) == held_out:
            found.setdefault(english, sentence)
    return list(found.values())


def _finish(language: str, words: str) -> str:
    return words[0].upper() + words[1:] + _FULL_STOPS[language]
