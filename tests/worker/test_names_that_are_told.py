"""The demo model writes names as it is told, which it could only guess; nothing else changes."""

from __future__ import annotations

from multiprocessing import get_context

import pytest

from benchmarks.hotwords import Spoken, clips, listener, score
from services.model.hotwords import Method
from whisper_worker.engines.faster_whisper import FasterWhisper

COUNT = 10
WAYS: list[tuple[Method, float]] = [("prompt", 1.5), ("bias", 3.0)]


def said(kind: str) -> list[Spoken]:
    """What espeak-ng says depends on what it said before, so nothing was: a process of its own."""
    with get_context("spawn").Pool(1) as fresh:
        return fresh.apply(clips, (kind, COUNT))


def untold(engine: FasterWhisper, spoken: list[Spoken]) -> list[str]:
    """The texts without help."""
    hear = listener(engine, "prompt", 1.0)
    return [hear(Spoken(clip.samples, clip.text, terms=[], said=None)) for clip in spoken]


@pytest.fixture(scope="module")
def named() -> list[Spoken]:
    return said("names")


@pytest.fixture(scope="module")
def unrelated() -> list[Spoken]:
    return said("unrelated")


@pytest.mark.parametrize(("method", "boost"), WAYS)
def test_most_names_that_are_told_are_written_so_and_none_that_nobody_said(
    demo_engine: FasterWhisper, named: list[Spoken], method: Method, boost: float
) -> None:
    plain = untold(demo_engine, named)
    guessed = sum(str(clip.said) in text for clip, text in zip(named, plain, strict=True))
    found = score(named, listener(demo_engine, method, boost), plain)
    assert found.heard > COUNT / 2 > guessed
    assert found.invented == 0


@pytest.mark.parametrize(("method", "boost"), WAYS)
def test_terms_that_nobody_says_change_nothing(
    demo_engine: FasterWhisper, unrelated: list[Spoken], method: Method, boost: float
) -> None:
    plain = untold(demo_engine, unrelated)
    found = score(unrelated, listener(demo_engine, method, boost), plain)
    assert (found.invented, found.changed) == (0, 0)
