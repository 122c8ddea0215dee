"""What Whisper may have heard in a window: every reading it gives, and which one is taken.

faster-whisper gives back the best reading only and knows fewer options than CTranslate2, so the
call of the model stands here; all around it (windows, timestamps, words) is faster-whisper's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import (
    TranscriptionOptions,
    get_compression_ratio,
    get_suppressed_tokens,
)

from services.model.decoding import MOST_NEW_TOKENS, MOST_TOKENS, Decoding
from services.model.errors import FailureClass, JobFailed
from services.model.transcript import Alternative

BEFORE = MOST_NEW_TOKENS - 1  # tokens of what was said before, terms included
_INITIAL_TIMESTAMP = 1.0  # seconds: the first word of a window begins no later
_RESET_AT = 0.5  # above this temperature a text is nothing to go on from
_PREPEND = "\"'“¿([{-"
_APPEND = "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a window; tokens are text and timestamps."""

    tokens: list[int]
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    temperature: float

    def goes_wrong(self, options: Asked) -> bool:
        """Whether the next temperature should be tried. Silence is right as it is."""
        most, least = options.compression_ratio_threshold, options.log_prob_threshold
        unsure = least is not None and self.avg_logprob < least
        if (
            unsure
            and options.silent_above is not None
            and self.no_speech_prob > options.silent_above
        ):
            return False
        return unsure or (most is not None and self.compression_ratio > most)


@dataclass
class Asked(TranscriptionOptions):  # type: ignore[misc]  # it is untyped
    """Faster-whisper's options, and those that only CTranslate2 knows. `readings` are those of
    the window that was heard last, the one that was taken first."""

    n_best: int = 1
    sampling_top_k: int = 0
    max_length: int | None = None
    silent_above: float | None = None
    readings: list[Reading] = field(default_factory=list)


class Pieces(NamedTuple):
    """A reading by its timestamps: what is where, from which frame on nothing was read, and
    whether the model says that nothing is there."""

    segments: list[dict[str, Any]]
    seek: int
    silence_follows: bool


@dataclass(frozen=True, slots=True)
class _Taken:
    """As much of CTranslate2's result as faster-whisper looks at."""

    sequences_ids: list[list[int]]
    no_speech_prob: float


class Whisper(WhisperModel):  # type: ignore[misc]  # it is untyped
    """Faster-whisper's model, with a call of our own."""

    def asked(
        self, decoding: Decoding, tokenizer: Tokenizer, *, words: bool, hotwords: str
    ) -> Asked:
        """What the decoder is told; nothing is left out of the text here, that is the guards'
        say."""
        silence = decoding.hallucination_silence_threshold
        return Asked(
            beam_size=decoding.beam_size,
            best_of=decoding.best_of,
            patience=decoding.patience,
            length_penalty=decoding.length_penalty,
            repetition_penalty=decoding.repetition_penalty,
            no_repeat_ngram_size=decoding.no_repeat_ngram_size,
            log_prob_threshold=decoding.log_prob_threshold,
            no_speech_threshold=None,
            compression_ratio_threshold=decoding.compression_ratio_threshold,
            condition_on_previous_text=decoding.condition_on_previous_text,
            prompt_reset_on_temperature=_RESET_AT,
            temperatures=list(decoding.temperature),
            initial_prompt=None,
            prefix=None,
            suppress_blank=decoding.suppress_blank,
            suppress_tokens=_suppressed(tokenizer, decoding.suppress_tokens),
            without_timestamps=False,
            max_initial_timestamp=_INITIAL_TIMESTAMP,
            word_timestamps=words,
            prepend_punctuations=_PREPEND,
            append_punctuations=_APPEND,
            multilingual=False,
            max_new_tokens=decoding.max_new_tokens,
            clip_timestamps=[0.0],
            hallucination_silence_threshold=silence if words else None,
            hotwords=hotwords or None,
            n_best=decoding.n_best,
            sampling_top_k=decoding.sampling_top_k,
            max_length=decoding.max_length,
            silent_above=decoding.no_speech_threshold,
        )

    def readings(
        self,
        encoded: Any,
        prompts: Sequence[Sequence[int]],
        tokenizer: Tokenizer,
        options: Asked,
        temperature: float,
    ) -> list[list[Reading]]:
        """Those of each row, the likeliest first; the prompts are of one length."""
        search: dict[str, Any] = {"beam_size": options.beam_size, "patience": options.patience}
        search["num_hypotheses"] = min(options.n_best, options.beam_size)
        if temperature > 0:
            search = {
                "beam_size": 1,
                "num_hypotheses": max(options.best_of, options.n_best),
                "sampling_topk": options.sampling_top_k,
                "sampling_temperature": temperature,
            }
        results = self.model.generate(
            encoded,
            [list(prompt) for prompt in prompts],
            length_penalty=options.length_penalty,
            repetition_penalty=options.repetition_penalty,
            no_repeat_ngram_size=options.no_repeat_ngram_size,
            max_length=_max_length(len(prompts[0]), options),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=options.suppress_blank,
            suppress_tokens=options.suppress_tokens,
            max_initial_timestamp_index=round(options.max_initial_timestamp / self.time_precision),
            **search,
        )
        return [
            _readings(result, tokenizer, options.length_penalty, temperature) for result in results
        ]

    def generate_with_fallback(
        self, encoder_output: Any, prompt: list[int], tokenizer: Tokenizer, options: Asked
    ) -> tuple[_Taken, float, float, float]:
        """One window at the first temperature that does not go wrong, else its likeliest reading
        of those that do not repeat themselves."""
        tried: list[list[Reading]] = []
        for temperature in options.temperatures:
            (found,) = self.readings(encoder_output, [prompt], tokenizer, options, temperature)
            tried.append(found)
            if not found[0].goes_wrong(options):
                break
        else:
            most = options.compression_ratio_threshold or float("inf")
            sound = [each for each in tried if each[0].compression_ratio <= most]
            tried.append(max(sound or tried, key=lambda each: each[0].avg_logprob))
        options.readings = tried[-1]
        best = options.readings[0]
        taken = _Taken([best.tokens], best.no_speech_prob)
        return taken, best.avg_logprob, temperature, best.compression_ratio

    def get_prompt(
        self,
        tokenizer: Tokenizer,
        previous_tokens: Sequence[int],
        without_timestamps: bool = False,  # noqa: FBT001, FBT002  as faster-whisper has it
        prefix: str | None = None,
        hotwords: str | None = None,
    ) -> list[int]:
        """Terms, what was said before, the task, the first words. Unlike faster-whisper's it takes
        terms beside a prefix, and all before the task fits."""
        terms = tokenizer.encode(" " + hotwords.strip())[:BEFORE] if hotwords else []
        room = BEFORE - len(terms)
        before = [*terms, *(previous_tokens[-room:] if room else [])]
        prompt = [tokenizer.sot_prev, *before] if before else []
        prompt += tokenizer.sot_sequence
        if without_timestamps:
            prompt.append(tokenizer.no_timestamps)
        if prefix:
            prompt += [] if without_timestamps else [tokenizer.timestamp_begin]
            prompt += tokenizer.encode(" " + prefix.strip())
        return prompt

    def pieces(self, tokenizer: Tokenizer, tokens: list[int], seek: int, frames: int) -> Pieces:
        """A reading of so many frames from `seek` on, cut at its timestamps."""
        segments, following, silent = self._split_segments_by_timestamps(
            tokenizer=tokenizer,
            tokens=tokens,
            time_offset=seek / self.frames_per_second,
            segment_size=frames,
            segment_duration=frames / self.frames_per_second,
            seek=seek,
        )
        return Pieces(segments, following, silent)

    def alternatives(
        self, segment: Any, tokenizer: Tokenizer, readings: Sequence[Reading]
    ) -> list[Alternative]:
        """What other readings of its window have where this segment is, each text once."""
        found: dict[str, Alternative] = {}
        frames = round(segment.end * self.frames_per_second) - segment.seek
        for reading in readings[1:]:
            pieces = self.pieces(tokenizer, reading.tokens, segment.seek, frames).segments
            inside = [
                tokenizer.decode(each["tokens"])
                for each in pieces
                if segment.start <= (each["start"] + each["end"]) / 2 < segment.end
            ]
            text = "".join(inside).strip()
            if text and text != segment.text.strip():
                found.setdefault(text, Alternative(text=text, avg_logprob=reading.avg_logprob))
        return list(found.values())


def _max_length(prompt: int, options: Asked) -> int:
    """What CTranslate2 has to be told so that just as many tokens are written as are wanted: it
    takes half of its limit, or the limit less the tokens before the text, whichever is less."""
    most = min(options.max_new_tokens or MOST_NEW_TOKENS, MOST_TOKENS - prompt)
    if options.max_length is not None:
        most = min(most, options.max_length - prompt)
    if most < 1:
        raise JobFailed(
            FailureClass.PERMANENT,
            "no_room_for_text",
            f"The prompt, the terms and the prefix take {prompt} tokens: none is left for the "
            "text. Shorten them, or raise max_length.",
        )
    return max(2 * most, most + prompt - 1)


def _readings(
    result: Any, tokenizer: Tokenizer, length_penalty: float, temperature: float
) -> list[Reading]:
    """A score is the sum over the tokens, divided by their number to the power of the penalty."""
    return [
        Reading(
            tokens=tokens,
            avg_logprob=score * len(tokens) ** length_penalty / (len(tokens) + 1),
            compression_ratio=get_compression_ratio(tokenizer.decode(tokens).strip()),
            no_speech_prob=result.no_speech_prob,
            temperature=temperature,
        )
        for tokens, score in zip(result.sequences_ids, result.scores, strict=True)
    ]


def _suppressed(tokenizer: Tokenizer, tokens: Sequence[int]) -> Sequence[int]:
    return get_suppressed_tokens(tokenizer, list(tokens)) if tokens else []
