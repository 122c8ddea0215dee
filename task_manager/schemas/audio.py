"""The forms of OpenAI's audio API: values come as text, arrays with brackets behind their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.model.decoding import MAX_PROMPT
from services.model.errors import Invalid
from task_manager import problems
from task_manager.schemas.new_task import MAX_KEYWORDS
from task_manager.schemas.request import AnswerModel

AnswerForm = Literal["json", "text", "srt", "verbose_json", "vtt"]
Granularity = Literal["word", "segment"]

# What OpenAI's other models take, and why it is refused here.
_NOT_HERE = {
    "include": "log probabilities of tokens are not kept here",
    "chunking_strategy": "this server finds the speech by itself; leave it out or send `auto`",
    "known_speaker_names": "speakers are not told apart here",
    "known_speaker_references": "speakers are not told apart here",
}


class DetectedLanguage(AnswerModel):
    """Which language is spoken; `unknown`, `und` where nobody speaks."""

    detected_language: str = Field(examples=["english"])
    language_code: str = Field(examples=["en"], description="Whisper's code.")
    confidence: float = Field(description="0…1.")


class NewTranslation(BaseModel):
    """The form of POST /v1/audio/translations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description="One of GET /v1/models; OpenAI's names mean the preferred one.")
    prompt: str = Field(default="", max_length=MAX_PROMPT)
    response_format: AnswerForm = "json"
    temperature: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)


class NewTranscription(NewTranslation):
    """The form of POST /v1/audio/transcriptions."""

    language: str | None = None
    languages: list[str] = Field(default_factory=list, max_length=100)
    keywords: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default_factory=list, max_length=MAX_KEYWORDS
    )
    timestamp_granularities: list[Granularity] = Field(default_factory=list, max_length=2)
    stream: bool = False
    chunking_strategy: Literal["auto"] | None = None


F = TypeVar("F", bound=NewTranslation)


def read_form(kind: type[F], fields: Mapping[str, Sequence[str]]) -> F:
    """Raises Invalid, `unsupported_parameter` for what OpenAI knows and this server cannot do."""
    given: dict[str, Any] = {}
    for name, values in fields.items():
        known = name.partition("[")[0]
        if known in _NOT_HERE and (name, list(values)) != ("chunking_strategy", ["auto"]):
            raise Invalid(
                f"{known} cannot be used: {_NOT_HERE[known]}.",
                code="unsupported_parameter",
                field=known,
            )
        given[name] = values if _is_list(kind, name) else values[0]
        if len(values) > 1 and not _is_list(kind, name):
            raise Invalid("This field is given twice.", code="repeated_field", field=name)
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        code, message, field = problems.from_pydantic(error.errors())
        raise Invalid(message, code=code, field=field) from error


def _is_list(kind: type[BaseModel], name: str) -> bool:
    about = kind.model_fields.get(name)
    return about is not None and get_origin(about.annotation) is list
