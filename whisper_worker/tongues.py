"""Decides which language a recording is in from what some windows of it sound like; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from services.model.errors import FailureClass, JobFailed
from services.model.stages import Unsure
from whisper_worker.timeline import RATE, Span

UNKNOWN = "und"
_SURE = 0.8  # two windows that are so sure of one language need no third
_TURN = 2 * RATE  # of speech

_Vote = tuple[str, float]  # what a window sounds like, and how sure that is


def decide(votes: Iterable[_Vote]) -> _Vote:
    """The language that the windows speak for, each as far as it is sure, and how sure they are
    on average. No more votes are taken than it needs."""
    asked = 0
    shares: dict[str, float] = {}
    for language, probability in votes:
        asked += 1
        shares[language] = shares.get(language, 0.0) + probability
        if len(shares) == 1 and asked == 2 and shares[language] >= 2 * _SURE:
            break
    if not shares:
        return UNKNOWN, 0.0
    language = max(shares, key=lambda name: shares[name])
    return language, round(shares[language] / asked, 4)


def doubts(language: str, probability: float | None, threshold: float, unsure: Unsure) -> list[str]:
    """A warning where a guess is below the threshold; raises JobFailed where that was asked for."""
    if probability is None or probability >= threshold or language == UNKNOWN:
        return []
    if unsure == "warn":
        return [f"language_unsure: {language} ({probability:.2f})"]
    raise JobFailed(
        FailureClass.PERMANENT,
        "language_unsure",
        f"It sounds like {language}, but only with a probability of "
        f"{probability:.2f}: state the language, or lower language_threshold.",
    )


def turns(speech: Sequence[Span]) -> list[Span]:
    """Where the language may change: stretches of speech with a pause behind each; what is too
    short to tell a language from stays with what is said before it."""
    found: list[Span] = []
    for start, end in speech:
        short = min(end - start, found[-1][1] - found[-1][0] if found else end - start) < _TURN
        if found and short:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def runs(turns: Iterable[tuple[Span, str]]) -> Iterator[tuple[Span, str]]:
    """Neighbours in the same language as one."""
    for language, several in groupby(turns, key=lambda turn: turn[1]):
        spans = [span for span, _ in several]
        yield (spans[0][0], spans[-1][1]), language
