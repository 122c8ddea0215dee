"""The demo model writes names as it is told, which it could only guess; nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fresh_voice import by_a_fresh_voice

from benchmarks.hotwords import Score, Spoken, clips, listener, score
from services.model.hotwords import Method
from whisper_worker.engines.faster_whisper import FasterWhisper

COUNT = 10
WAYS: list[tuple[Method, float]] = [("prompt", 1.5), ("bias", 3.0)]


class Ear:
    """Clips of one kind, and what is heard in them without help."""

    def __init__(self, engine: FasterWhisper, kind: str) -> None:
        self.engine = engine
        self.spoken: list[Spoken]
        (self.spoken,) = by_a_fresh_voice(clips, [(kind, COUNT)])
        hear = listener(engine, "prompt", 1.0)
        self.plain = [hear(replace(clip, terms=[])) for clip in self.spoken]

    def told(self, method: Method, boost: float) -> Score:
        return score(self.spoken, listener(self.engine, method, boost), self.plain)


@pytest.fixture(scope="module")
def names(demo_engine: FasterWhisper) -> Ear:
    return Ear(demo_engine, "names")


@pytest.fixture(scope="module")
def unrelated(demo_engine: FasterWhisper) -> Ear:
    return Ear(demo_engine, "unrelated")


@pytest.mark.parametrize(("method", "boost"), WAYS)
def test_most_names_that_are_told_are_written_so_and_none_that_nobody_said(
    names: Ear, method: Method, boost: float
) -> None:
    guessed = sum(
        str(clip.said) in text for clip, text in zip(names.spoken, names.plain, strict=True)
    )
    found = names.told(method, boost)
    assert found.heard > COUNT / 2 > guessed
    assert found.invented == 0


@pytest.mark.parametrize(("method", "boost"), WAYS)
def test_terms_that_nobody_says_change_nothing(
    unrelated: Ear, method: Method, boost: float
) -> None:
    found = unrelated.told(method, boost)
    assert (found.invented, found.changed) == (0, 0)
