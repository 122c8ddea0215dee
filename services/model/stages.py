"""What each stage of the work is given, and what it gives back; part of the wire's shapes.

Times are seconds, positions in audio are samples of 16 kHz mono unless they say otherwise.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from services.model.decoding import Decoding
from services.model.glossary import GlossaryUse, Rule
from services.model.hotwords import Hinted, Hotwords
from services.model.remembered import Digest
from services.model.transcript import Body, Check
from services.model.values import Value, always


class Place(Value):
    """An object by key, and the URL to get it from or put it to (`file:` on one machine).

    `of_user`: the URL is a user's, without a key; it may lead nowhere private, and `size` is the
    most that it may give. A spec's `output` takes the JSON of a `Transcript`, its `output_text`
    the plain text, its `output_differences` the JSON of `Differences` from the reference; each is
    used only when what goes there is over 64 KB.
    """

    key: str
    url: str
    size: int = 0
    sha256: str = ""
    of_user: bool = False


class PartPlan(Value):
    """A stretch of an item's audio, cut at silence, and the speech found in it (samples).

    `windows` are the stretches that an engine looks at one by one, each ending in a pause; of a
    plan without them the whole part is one.

    Of a channel that is heard apart it says which one (from 0), and `at` which sample of the
    object its channel begins at; channels lie one behind the other, all equally long.
    """

    start: int
    end: int
    speech: list[tuple[int, int]]
    windows: list[tuple[int, int]] = Field(default_factory=list)
    channel: int | None = None
    at: int = 0


Channels = Literal["mix", "each"]  # heard as one, or each one apart


class PrepareSpec(Value):
    """Decode the input to 16 kHz mono s16le PCM, find the speech, cut it into parts. `reference`
    is the item's text, in `language`: where nobody speaks there is no other stage to check it."""

    stage: Literal["prepare"] = always("prepare")
    audio: Place
    pcm: Place
    vad: bool = True
    channels: Channels = "mix"
    max_seconds: float  # of all channels that are heard apart together
    part_seconds: float  # items longer than this are cut into parts
    reference: str | None = None
    language: str | None = None


Unsure = Literal["warn", "fail"]  # what to do with a language that is only guessed


class DetectSpec(Value):
    """Name the language of an item that was cut into parts, from a few voiced windows of it; one
    of `among`, if any are given. Below the `threshold` it is `unsure`. `reuse`: unless it was
    named before."""

    stage: Literal["detect"] = always("detect")
    pcm: Place
    model: str
    windows: list[PartPlan]
    among: list[str] = Field(default_factory=list)
    threshold: float = 0.0
    unsure: Unsure = "warn"
    reuse: bool = False


class TranscribeSpec(Value):
    """Write down one part. `reference` is the item's text, given when `part` is the only one.

    `hotwords` are terms to expect, and how; `keywords` are such by the method `prompt`. A language
    that is not given is one of `among`, if any are; below the `threshold` it is `unsure`. If
    `multilingual`, that is the main one, and each stretch of speech is heard in the language that
    it sounds like. `reuse`: what was heard before in the same sound is taken over. With
    `previews`, progress tells the sentences that are whole."""

    stage: Literal["transcribe"] = always("transcribe")
    pcm: Place
    part: PartPlan
    parts: int = 1
    model: str
    language: str | None
    language_probability: float | None = None
    decoding: Decoding = Decoding()
    word_timestamps: bool = False
    recut: bool = False  # from words into sentences, whether or not their times are kept
    keywords: list[str] = Field(default_factory=list)
    hotwords: Hotwords | None = None
    among: list[str] = Field(default_factory=list)
    threshold: float = 0.0
    unsure: Unsure = "warn"
    multilingual: bool = False
    reuse: bool = False
    previews: bool = False
    reference: str | None = None
    output: Place
    output_text: Place
    output_differences: Place | None = None


class AssembleSpec(Value):
    """Join the parts of a transcript (`source` A, no target) or of a translation."""

    stage: Literal["assemble"] = always("assemble")
    kind: Literal["transcript", "translation"]
    language: str
    parts: list[Body]
    urls: dict[str, str]  # key → URL of each part that is not inline
    reference: str | None = None
    output: Place
    output_text: Place
    output_differences: Place | None = None


class Former(Value):
    """What an item's words were before they were corrected, as `text` or `transcript`, and their
    `translation`: of a sentence that is still the same it is taken over."""

    text: str | None = None
    transcript: Body | None = None
    transcript_url: str | None = None
    translation: Body
    translation_url: str | None = None


class TranslateSpec(Value):
    """Translate a run of segments `[first, last)` of a transcript, or a reference text. Where a
    term of the `glossary` stands, its translation is given."""

    stage: Literal["translate"] = always("translate")
    model: str
    source_language: str
    target_language: str
    text: str | None = None
    transcript: Body | None = None
    transcript_url: str | None = None
    first: int = 0
    last: int | None = None
    parts: int = 1
    beam_size: int | None = None  # None: what the model's own description says
    former: Former | None = None
    glossary: list[Rule] = Field(default_factory=list)
    output: Place
    output_text: Place


Spec = Annotated[
    PrepareSpec | DetectSpec | TranscribeSpec | AssembleSpec | TranslateSpec,
    Field(discriminator="stage"),
]


# ── results ──────────────────────────────────────────────────────────────────────────────────


class PrepareResult(Value):
    """`coverage` is decoded ÷ declared seconds, 1 where nothing is declared. `parts` is empty
    when nobody speaks. `gaps` are where sound is missing, in seconds of the recording; `channels`
    what the file calls those that are heard apart."""

    stage: Literal["prepare"] = always("prepare")
    pcm: Body
    seconds: float
    declared_seconds: float | None = None
    coverage: float = 1.0
    format: str = ""
    warnings: list[str] = Field(default_factory=list)
    gaps: list[tuple[float, float]] = Field(default_factory=list)
    channels: list[str] = Field(default_factory=list)
    parts: list[PartPlan]
    check: Check | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What is told of the recording beside its words."""
        return self.model_dump(include={"seconds", "coverage", "warnings", "gaps", "channels"})


class DetectResult(Value):
    """`digest` is what the answer depends on, where that is known, and `reused` whether it is that
    of an earlier job."""

    stage: Literal["detect"] = always("detect")
    language: str
    probability: float
    warnings: list[str] = Field(default_factory=list)
    digest: Digest | None = None
    reused: bool = False


class TranscribeResult(Value):
    """`runs` are the parts a translation is cut into: ranges of segments that end with a
    sentence. `language` is that of the words, and `spoken` the one that was heard where that is
    another, for the speech model itself translated; the probability is that of the heard one.
    `warnings` tell what could not be done as it was asked for. `digest` is what the words depend
    on, where that is known, and `reused` whether they are those of an earlier job."""

    stage: Literal["transcribe"] = always("transcribe")
    language: str
    spoken: str | None = None
    language_probability: float | None = None
    text: Body
    transcript: Body
    segments: int
    runs: list[tuple[int, int]]
    no_speech: bool = False
    check: Check | None = None
    differences: Body | None = None
    warnings: list[str] = Field(default_factory=list)
    hotwords: Hinted | None = None
    engine_seconds: float = 0.0
    digest: Digest | None = None
    reused: bool = False


class AssembleResult(Value):
    """What joining gave; `runs` only for a transcript."""

    stage: Literal["assemble"] = always("assemble")
    text: Body
    transcript: Body
    segments: int
    runs: list[tuple[int, int]] = Field(default_factory=list)
    no_speech: bool = False
    check: Check | None = None
    differences: Body | None = None


class TranslateResult(Value):
    """`recalled` of its sentences were not translated anew, but remembered; `flags` say how many
    have each flag."""

    stage: Literal["translate"] = always("translate")
    text: Body
    transcript: Body
    segments: int
    engine_seconds: float = 0.0
    recalled: int = 0
    glossary: GlossaryUse | None = None
    flags: dict[str, int] = Field(default_factory=dict)


Result = Annotated[
    PrepareResult | DetectResult | TranscribeResult | AssembleResult | TranslateResult,
    Field(discriminator="stage"),
]

_Result = TypeVar("_Result", bound=Value)


def as_stored(kind: type[_Result], result: Any) -> _Result:
    """A result out of the store, where a manager of a newer release may have put it: what is not
    known here is read over."""
    return kind.model_validate(result, extra="ignore")
