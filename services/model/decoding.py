"""How a speech model writes down what it hears: every option with its range and default.

One value, the same for a task, for the part of it that a worker gets, and for the engine;
`docs/transcription.md` is made from it. `task_manager/decode_options.py` says which of these go
together, and which names others have for them.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from services.model.values import Stored

MAX_PROMPT = 10_000  # characters
MAX_PREFIX = 500
MOST_NEW_TOKENS = 224  # a window's text has half of Whisper's 448 positions
MOST_TOKENS = 448

Mode = Literal["sequential", "batched"]
Task = Literal["transcribe", "translate"]
Guard = Literal["compression_ratio", "repetition", "loop", "no_speech", "silence", "no_voice"]
GUARDS: tuple[Guard, ...] = get_args(Guard)
LADDER = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

_BATCHED = (
    "batched: several windows were heard at once; one that went wrong was not tried again, and "
    "none saw the text before it"
)

Temperature = Annotated[float, Field(ge=0, le=1)]
TokenId = Annotated[int, Field(ge=-1, lt=60_000)]


class Decoding(Stored):
    """The options of the decoder. A window is up to 30 s of audio and ends in a pause."""

    mode: Mode = Field(
        default="sequential",
        description="`sequential`: one window after the other. `batched`: several at once.",
    )
    batch_size: int = Field(
        default=8, ge=1, le=64, description="How many windows are heard at once, batched only."
    )
    task: Task = Field(
        default="transcribe",
        description="`translate`: the speech model itself writes English, whatever is spoken.",
    )
    beam_size: int = Field(
        default=5,
        ge=1,
        le=10,
        description="How many readings are followed at once; used at temperature 0.",
    )
    best_of: int = Field(
        default=5,
        ge=1,
        le=10,
        description="How many readings are drawn, of which the likeliest is taken; used above "
        "temperature 0.",
    )
    n_best: int = Field(
        default=1,
        ge=1,
        le=10,
        description="How many readings of each segment are given back at most; those beside the "
        "best are its `alternatives`.",
    )
    patience: float = Field(
        default=1.0,
        ge=1,
        le=4,
        description="The search ends after `beam_size` × `patience` finished readings.",
    )
    length_penalty: float = Field(
        default=1.0,
        ge=-2,
        le=4,
        description="A reading's score is divided by its length to this power: 0 favours short "
        "readings.",
    )
    repetition_penalty: float = Field(
        default=1.0, ge=0.5, le=4, description="Above 1, tokens that were written are less likely."
    )
    no_repeat_ngram_size: int = Field(
        default=0, ge=0, le=50, description="No run of so many tokens comes twice; 0: any may."
    )
    temperature: list[Temperature] = Field(
        default=list(LADDER),
        min_length=1,
        max_length=10,
        description="How freely words are chosen. The next one of the list is tried where a "
        "window goes wrong.",
    )
    sampling_top_k: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="Above temperature 0, only so many of the likeliest tokens are drawn from; "
        "0: all.",
    )
    compression_ratio_threshold: float | None = Field(
        default=2.4,
        ge=1,
        le=20,
        description="Text that packs better than this repeats itself: the next temperature is "
        "tried, and the guard `compression_ratio` drops it.",
    )
    log_prob_threshold: float | None = Field(
        default=-1.0,
        ge=-20,
        le=0,
        description="Below this mean log probability of its tokens a window goes wrong.",
    )
    no_speech_threshold: float | None = Field(
        default=0.6,
        ge=0,
        le=1,
        description="Above this probability of silence, and below `log_prob_threshold`, the "
        "guard `no_speech` drops a segment.",
    )
    hallucination_silence_threshold: float | None = Field(
        default=None,
        gt=0,
        le=30,
        description="Seconds of silence around words that look made up, from which on they are "
        "passed over. Needs `word_timestamps`.",
    )
    prompt: str = Field(
        default="",
        max_length=MAX_PROMPT,
        description="Words that the speech model takes for what was said right before; it reads "
        "the last 223 tokens of them, before each window.",
        examples=["A talk about Kubernetes operators."],
    )
    prefix: str = Field(
        default="",
        max_length=MAX_PREFIX,
        description="The words that the text of the recording begins with.",
    )
    condition_on_previous_text: bool = Field(
        default=False,
        description="Each window sees the text of the one before. Terms are spelt alike, and a "
        "mistake goes on.",
    )
    max_new_tokens: int | None = Field(
        default=None,
        ge=1,
        le=MOST_NEW_TOKENS,
        description="The most tokens that are written for a window.",
    )
    max_length: int | None = Field(
        default=None,
        ge=8,
        le=MOST_TOKENS,
        description="The most tokens of a window with those before its text.",
    )
    suppress_tokens: list[TokenId] = Field(
        default=[-1],
        max_length=1000,
        description="Numbers of tokens that are never written; -1 stands for the model's own "
        "list of signs that nobody speaks.",
    )
    suppress_blank: bool = Field(
        default=True, description="A window's text does not begin with a blank."
    )
    guards: list[Guard] = Field(
        default=list(GUARDS),
        max_length=20,
        description="What a segment is dropped for. What is dropped is kept beside the text, "
        "with flags.",
    )

    @property
    def samples(self) -> bool:
        """Whether words are drawn by chance at the first try."""
        return self.temperature[0] > 0

    def language(self, spoken: str) -> str:
        """What is written where that language is spoken."""
        return "en" if self.task == "translate" else spoken

    @property
    def warnings(self) -> list[str]:
        """What was given up, for the one who asked for it."""
        return [_BATCHED] if self.mode == "batched" else []

    def safer(self) -> Decoding:
        """The same with a sure end, at the cost of quality: one reading, tried once."""
        one = {"beam_size": 1, "best_of": 1, "n_best": 1, "patience": 1.0}
        return self.model_copy(update={**one, "temperature": self.temperature[:1]})


def ladder(temperature: float | None) -> list[float]:
    """What one number means: 0 rises where a window goes wrong, any other is kept."""
    return [temperature] if temperature else list(LADDER)
