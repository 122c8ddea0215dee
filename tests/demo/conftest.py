"""The tokens of the shipped model, and a few sentences spoken once for all tests."""

from __future__ import annotations

import pytest

from demo import speech
from demo.grammar import sentences
from demo.names import named_sentences
from demo.train.clips import Pool, speak_clip
from demo.train.tokens import SHIPPED, Vocabulary, load_vocabulary

SPOKEN = 6  # of each kind


@pytest.fixture(scope="session")
def shipped_vocabulary() -> Vocabulary:
    """That of training, from fewer sentences of the grammar."""
    return load_vocabulary(SHIPPED, drawn=300)


@pytest.fixture(scope="session")
def spoken_pool() -> Pool:
    """Plain sentences of both languages, and English ones with a name."""
    drawn = sentences(SPOKEN, seed=31, held_out=False)
    plain = [(each.text(language), language, "") for language in ("en", "zh") for each in drawn]
    named = [(text, "en", name) for text, name in named_sentences(SPOKEN, seed=32, held_out=False)]
    return Pool(
        speak_clip(text, language, speech.voices(language, held_out=False)[number], name)
        for number, (text, language, name) in enumerate([*plain, *named])
    )
