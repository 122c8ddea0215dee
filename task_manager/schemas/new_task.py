"""What a caller asks for: items, target languages, options."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticKnownError

from services.model.decoding import Decoding, Guard, Temperature
from services.model.export import USUAL_FORMS, Form
from services.model.stages import Unsure
from services.model.task import Segments
from task_manager.schemas.request import RequestModel
from task_manager.schemas.terms import NewGlossary, NewHotwords
from task_manager.schemas.webhook import NewTaskWebhook

MAX_TEXT_ID = 200  # characters
MAX_KEYWORDS = 1000

MAX_KEPT_S = 100 * 366 * 86_400  # what a calendar can add to any day of ours

PriorityName = Literal["urgent", "normal", "bulk"]

_REFUSED = "Not something that CTranslate2 can do: `option_not_supported`."


class AddedLanguages(RequestModel):
    """What a task that has ended is translated into as well."""

    add: list[Annotated[str, Field(max_length=100)]] = Field(
        description="Target languages; those that the task has already change nothing.",
        examples=[["fr", "es"]],
    )


class NewItem(RequestModel):
    """One entry: an audio, a reference text, or both."""

    text_id: str | None = Field(
        default=None,
        description="Your name for the item, up to 200 characters, unique in the task. By default "
        "the stem of the uploaded file's name, or the item's number.",
        examples=["文本编号1"],
    )
    audio: str | None = Field(
        default=None,
        description="The key that POST /v1/uploads answered, or a public http or https URL, which "
        "a worker fetches without following redirects, or s3://bucket/key or oss://bucket/key "
        "where the operator allows it.",
        examples=["uploads/01k9x3v0s8h2m4q6r7t5w1y3z9", "https://example.com/talks/1.mp3"],
    )
    text: str | None = Field(default=None, description="The reference text.")
    language: str | None = Field(
        default=None,
        description="The language of audio and text; needed for a text, else it is detected.",
        examples=["en"],
    )


def _one_mistake(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Of what may be written in two ways, the mistake in the way that was meant."""
    try:
        return read(value)
    except ValidationError as wrong:
        errors = wrong.errors()
        meant = [each for each in errors if not each["type"].endswith("_type")] or errors
        raise PydanticKnownError(meant[0]["type"], meant[0].get("ctx")) from wrong  # type: ignore[arg-type]


class OtherNames(RequestModel):
    """What Hugging Face's `generate` calls the options of the decoder; see docs/transcription.md
    for how they go together. The last six are refused, with the reason."""

    num_beams: int | None = Field(default=None, ge=1, le=10, description="As `beam_size`.")
    num_return_sequences: int | None = Field(default=None, ge=1, le=10, description="As `n_best`.")
    top_k: int | None = Field(default=None, ge=0, le=1000, description="As `sampling_top_k`.")
    do_sample: bool | None = Field(
        default=None,
        description="`true`: words are drawn by chance, at temperature 1 if none is given. "
        "`false`: they never are, not even where a window goes wrong.",
    )
    early_stopping: bool | None = Field(
        default=None, description="`true`: a `patience` of 1. `false`: `patience` decides."
    )
    top_p: float | None = Field(default=None, description=_REFUSED)
    min_p: float | None = Field(default=None, description=_REFUSED)
    typical_p: float | None = Field(default=None, description=_REFUSED)
    num_beam_groups: int | None = Field(default=None, description=_REFUSED)
    diversity_penalty: float | None = Field(default=None, description=_REFUSED)
    penalty_alpha: float | None = Field(default=None, description=_REFUSED)


class NewOptions(Decoding, OtherNames):
    """How the task is run."""

    model: str | None = Field(default=None, description="A speech model of GET /v1/models.")
    translate_model: str | None = Field(
        default=None, description="A translation model; by default chosen by language pair."
    )
    translate_models: dict[
        Annotated[str, Field(max_length=40)],
        Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=10)],
    ] = Field(
        default_factory=dict,
        max_length=200,
        description="By target language, or `*` for all others: translation models, of which the "
        "first that serves the pair is taken.",
        examples=[{"ja": ["chat", "nmt-demo"], "*": ["nmt-demo"]}],
    )
    word_timestamps: bool = False
    segments: Segments = Field(
        default="auto",
        description="`sentences`: segments are cut anew, from words into sentences. `engine`: as "
        "the speech model cuts. `auto`: sentences where words are timed anyway.",
    )
    spoken: list[Annotated[str, Field(max_length=100)]] = Field(
        default_factory=list,
        max_length=100,
        description="What is spoken is one of these languages, where an item states none.",
        examples=[["en", "zh"]],
    )
    language_threshold: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A language that is heard with a lower probability is unsure.",
    )
    language_unsure: Unsure = Field(
        default="warn",
        description="`warn`: the best guess is taken, and the item gets the warning "
        "`language_unsure`. `fail`: the item fails with that code.",
    )
    multilingual: bool = Field(
        default=False,
        description="Several languages in one audio: each stretch of speech is written down in "
        "the one that it sounds like. Translations are made as if all were in the item's main "
        "language.",
    )
    reuse: bool = Field(
        default=False,
        description="What was heard before in the same audio, with the same options and by the "
        "same model, in a task of yours that is still there, is taken over and not heard again.",
    )
    previews: bool = Field(
        default=False,
        description="Translate sentences while the rest of their recording is still being heard, "
        "and tell them as events `preview`. The result is the same.",
    )
    keywords: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list,
        max_length=MAX_KEYWORDS,
        description="Names and terms that the speech model shall expect. Those beyond 223 tokens "
        "are dropped and named in the item's warnings.",
        examples=[["Fanscribe", "CTranslate2"]],
    )
    hotwords: NewHotwords | None = Field(
        default=None, description="Terms by a method, of a stored list or given here."
    )
    glossary: NewGlossary | None = Field(
        default=None, description="How terms are translated, of stored lists or given here."
    )
    temperature: Annotated[
        Temperature | Annotated[list[Temperature], Field(min_length=1, max_length=10)] | None,
        WrapValidator(_one_mistake),
    ] = Field(  # type: ignore[assignment]  # what it becomes is a list
        default=None,
        description="How freely the speech model chooses its words. 0, the default, is raised by "
        "0.2 up to 1 where a window goes wrong; any other number is kept; a list is tried as it "
        "stands.",
    )
    guards: Annotated[bool | list[Guard], WrapValidator(_one_mistake)] = Field(  # type: ignore[assignment]  # what it becomes is a list
        default=True,
        description="What a segment is dropped for: all there is (`true`), nothing (`false`), or "
        "a list of names. What is dropped is kept beside the text, with flags.",
    )
    vad: bool = Field(
        default=True,
        description="Only what sounds like speech is given to the speech model.",
    )
    channels: Literal["mix", "each"] = Field(
        default="mix",
        description="`each`: the channels of a recording, up to eight, are heard apart, and every "
        "segment says which one it is from. Each one counts as audio of its own.",
    )
    check_threshold: float | None = Field(
        default=None,
        ge=0,
        description="Items with audio and text whose error rate is above it get a warning.",
    )
    check_action: Literal["flag", "fail"] = Field(
        default="flag",
        description="`fail`: items above `check_threshold` also fail with `check_failed`, in all "
        "that would be made of what was heard.",
    )
    language_spelling: Literal["canonical", "caller"] = Field(
        default="canonical", description="`caller`: results name languages as you spelt them."
    )
    output_forms: list[Form] = Field(
        default_factory=lambda: [*USUAL_FORMS],
        max_length=10,
        description="The files of each text under `output_prefix`: `srt`, `vtt` and `ass` of what "
        "was spoken, `txt` and `json` of all.",
    )
    output_bilingual: bool = Field(
        default=False,
        description="Each translation also as files with its source below it.",
    )
    node_label: str | None = Field(
        default=None,
        description="Only nodes with this label work on the task.",
        examples=["zone=b"],
    )


# The options that are written as they are where all values are text; others are JSON there.
TEXTS = {
    name
    for name, about in NewOptions.model_fields.items()
    if str in {type(value) for value in get_args(about.annotation)} | {about.annotation}
    or about.annotation == (str | None)
}


class NewRetention(RequestModel):
    """How long to keep what belongs to the task, in seconds after its end; never longer than the
    server does."""

    media_seconds: float | None = Field(
        default=None,
        ge=0,
        le=MAX_KEPT_S,
        description="The audio; transcripts and translations stay.",
    )
    results_seconds: float | None = Field(
        default=None, ge=0, le=MAX_KEPT_S, description="Everything: then the task is deleted."
    )


def _finite(metadata: dict[str, Any]) -> dict[str, Any]:
    """1e999 is JSON, but what Python makes of it is not, and could not be given back."""
    try:
        json.dumps(metadata, allow_nan=False)
    except RecursionError:  # refused as too deep, later
        pass
    except ValueError as infinite:
        raise PydanticKnownError("finite_number") from infinite
    return metadata


class NewTask(RequestModel):
    """The body of POST /v1/tasks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"text_id": "1", "audio": "uploads/01k9x3v0s8h2m4q6r7t5w1y3z9"},
                        {"text_id": "2", "text": "Good morning.", "language": "en"},
                    ],
                    "targets": ["zh", "ja", "de"],
                    "metadata": {"order": "A-17"},
                }
            ]
        }
    )

    items: list[NewItem]
    targets: list[str] = Field(examples=[["zh", "ja"]])
    language: str | None = Field(default=None, description="Of all items that state none.")
    options: NewOptions = NewOptions()
    priority: PriorityName = "normal"
    retention: NewRetention = NewRetention()
    metadata: Annotated[dict[str, Any], AfterValidator(_finite)] = Field(
        default_factory=dict, description="Up to 16 KB of yours, given back with the task."
    )
    output_prefix: str | None = Field(
        default=None,
        description="Where results are written at the end, besides being kept here: a folder in "
        "a bucket that the operator allows for it.",
        examples=["s3://results/2026/"],
    )
    webhook: NewTaskWebhook | None = Field(
        default=None, description="Where to tell of this task, beside the webhooks for all tasks."
    )
