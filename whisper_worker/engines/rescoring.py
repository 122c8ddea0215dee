"""Makes a bias felt: of the readings of a window the one that is the likeliest with it is taken.

CTranslate2's Whisper has no bias on single tokens. It gives several readings of a window, and it
says how likely any text is for the window's sound (`align`). So the readings of the beam that hold
a term gain what it is worth; then terms are put where something alike stands, and kept where the
sound, with their gain, speaks for it. A window where no term is in reach passes as it came.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from faster_whisper import WhisperModel

from whisper_worker.biasing import Bias, Swap

Tokens = list[int]

_FLOOR = 1e-10  # a probability that is rounded to 0
_LONGEST = 223  # tokens of a window


@contextmanager
def biased(model: WhisperModel, bias: Bias | None) -> Iterator[None]:
    """Within it, each window that the model reads is rescored."""
    if bias is None or not bias.terms:
        yield
        return
    plain = model.model
    model.model = _Rescored(plain, model.hf_tokenizer, bias)
    try:
        yield
    finally:
        model.model = plain


@dataclass(slots=True)
class _Reading:
    """A result of CTranslate2, as far as faster-whisper looks at it."""

    sequences_ids: list[Tokens]
    scores: list[float]
    no_speech_prob: float


class _Rescored:
    """Stands in the place of CTranslate2's Whisper."""

    def __init__(self, model: Any, tokenizer: Any, bias: Bias) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._bias = bias
        self._end = tokenizer.token_to_id("<|endoftext|>")
        self._start = tokenizer.token_to_id("<|startoftranscript|>")
        self._untimed = tokenizer.token_to_id("<|notimestamps|>")
        self._window: tuple[Any, dict[str, int]] = (None, {})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, features: Any, prompts: list[Tokens], **options: Any) -> list[_Reading]:
        """As CTranslate2's; the same sound again is another try at a window, which then counts
        in the place of the first."""
        beam = options.get("beam_size", 5)
        options["num_hypotheses"] = max(options.get("num_hypotheses", 1), beam)
        results = self._model.generate(features, prompts, **options)
        penalty = options.get("length_penalty", 1)
        readings = [self._of_beam(result, penalty) for result in results]
        self._swap(features, prompts, readings, penalty)
        window, before = self._window
        if window is features:
            self._bias.times = dict(before)
        self._window = (features, dict(self._bias.times))
        for result, reading in zip(results, readings, strict=True):
            self._bias.note(
                self._text(result.sequences_ids[0]), self._text(reading.sequences_ids[0])
            )
        return readings

    def _of_beam(self, result: Any, penalty: float) -> _Reading:
        """With the best reading in front, as it is with the gain of terms."""

        def gained(index: int) -> float:
            tokens = result.sequences_ids[index]
            worth = self._bias.worth(self._text(tokens))
            return float(result.scores[index] + worth / max(1, len(tokens)) ** penalty)

        order = range(len(result.sequences_ids))
        if any(self._bias.occurs(self._text(tokens)) for tokens in result.sequences_ids):
            order = sorted(order, key=gained, reverse=True)  # type: ignore[assignment]
        return _Reading(
            [list(result.sequences_ids[index]) for index in order],
            [result.scores[index] for index in order],
            result.no_speech_prob,
        )

    def _swap(
        self, features: Any, prompts: list[Tokens], readings: list[_Reading], penalty: float
    ) -> None:
        """Puts terms where something alike stands, as long as the sound speaks for it."""
        tries = [self._tries(reading.sequences_ids[0]) for reading in readings]
        if not any(tries):
            return
        lines = [reading.sequences_ids[0] for reading in readings]
        likely = self._likely(features, prompts, lines)
        for turn in range(max(map(len, tries))):
            others = [
                self._swapped(line, mine[turn]) if turn < len(mine) else None
                for line, mine in zip(lines, tries, strict=True)
            ]
            asked = [other or line for other, line in zip(others, lines, strict=True)]
            found = self._likely(features, prompts, asked)
            for row, other in enumerate(others):
                if (
                    other is None
                    or self._gain((other, found[row]), (lines[row], likely[row]), penalty) <= 0
                ):
                    continue
                reading = readings[row]
                moved = found[row] - likely[row]
                reading.scores[0] = _rescaled(
                    reading.scores[0], len(lines[row]), len(other), moved, penalty
                )
                reading.sequences_ids[0] = lines[row] = other
                likely[row] = found[row]

    def _gain(
        self, other: tuple[Tokens, float], line: tuple[Tokens, float], penalty: float
    ) -> float:
        def normal(tokens: Tokens, likely: float) -> float:
            worth = self._bias.worth(self._text(tokens))
            return float((likely + worth) / max(1, len(tokens)) ** penalty)

        return normal(*other) - normal(*line)

    def _tries(self, tokens: Tokens) -> list[tuple[str, Swap]]:
        """Stretches of each run of words between two times, and the run they stand in."""
        runs = [self._tokenizer.decode(run) for run in _runs(tokens, self._end)]
        return [(run, swap) for run in dict.fromkeys(runs) for swap in self._bias.swaps(run)]

    def _swapped(self, tokens: Tokens, tried: tuple[str, Swap]) -> Tokens | None:
        """The tokens with the term in them; None where an earlier one has changed that run."""
        text, swap = tried
        for run in _runs(tokens, self._end):
            if self._tokenizer.decode(run) != text:
                continue
            encoded = self._tokenizer.encode(swap.applied(text), add_special_tokens=False).ids
            at = _place(tokens, run)
            swapped = [*tokens[:at], *encoded, *tokens[at + len(run) :]]
            return swapped if len(swapped) <= _LONGEST else None
        return None

    def _likely(self, features: Any, prompts: list[Tokens], lines: Sequence[Tokens]) -> list[float]:
        """The log probability of each line's words for the sound of its row."""
        starts = [self._opening(prompt) for prompt in prompts]
        words = [
            [token for token in (*self._given(prompt), *line) if token < self._end]
            for prompt, line in zip(prompts, lines, strict=True)
        ]
        found = [0.0] * len(lines)
        for start in dict.fromkeys(map(tuple, starts)):  # languages of a batch differ
            results = self._model.align(features, list(start), words, 2 * features.shape[1])
            for row, result in enumerate(results):
                if tuple(starts[row]) == start:
                    found[row] = sum(math.log(max(p, _FLOOR)) for p in result.text_token_probs)
        return found

    def _opening(self, prompt: Tokens) -> Tokens:
        """Language and task, without what was said before."""
        behind = prompt[prompt.index(self._start) :]
        return [token for token in behind if self._start <= token < self._untimed]

    def _given(self, prompt: Tokens) -> Tokens:
        """Words that the text has to begin with."""
        behind = prompt[prompt.index(self._start) :]
        return [token for token in behind if token < self._end]

    def _text(self, tokens: Tokens) -> str:
        return str(self._tokenizer.decode([token for token in tokens if token < self._end]))


def _runs(tokens: Tokens, end: int) -> Iterator[Tokens]:
    """Runs of words, which times part."""
    run: Tokens = []
    for token in [*tokens, end]:
        if token < end:
            run.append(token)
        elif run:
            yield run
            run = []


def _place(tokens: Tokens, run: Tokens) -> int:
    return next(at for at in range(len(tokens)) if tokens[at : at + len(run)] == run)


def _rescaled(score: float, before: int, after: int, moved: float, penalty: float) -> float:
    """CTranslate2's score of a reading whose log probability moved by so much; no gain in it, so
    that the guards see how likely it is."""
    total = score * max(1, before) ** penalty + moved
    return float(total / max(1, after) ** penalty)
