"""What the server offers and how it is: code book, languages, models, queues, health."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from task_manager.schemas.request import AnswerModel


class CodebookView(AnswerModel):
    """Append-only: a number never changes its meaning."""

    version: int
    languages: dict[str, str] = Field(examples=[{"1": "zh", "2": "en"}])


class LanguageView(AnswerModel):
    language: str = Field(examples=["zh"])
    name: str = Field(examples=["Chinese"])
    code: int = Field(description="Its number in the code book.")
    heard: bool = Field(description="Whether an offered speech model writes it down.")
    into: list[str] = Field(description="The languages it can be translated into.")


class LanguagesView(AnswerModel):
    languages: list[LanguageView]


class ModelView(AnswerModel):
    """One model of the catalog. `offered`: used without being named. `installed`: it lies in the
    manager's own models folder. `nodes`: serving it now."""

    name: str
    kind: Literal["transcribe", "translate"]
    engine: str
    aliases: list[str] = Field(description="Other names for it.")
    languages: list[str] = Field(description="Empty: every language of GET /v1/languages.")
    pairs: list[tuple[str, str]]
    pivot: str = Field(description="The language that it goes through; empty: it goes straight.")
    hops: list[str] = Field(description="The models into the pivot and out of it.")
    memory_mb: int
    size_mb: int
    licence: str
    commercial: bool = Field(description="Whether its licence allows commercial use.")
    writes_english: bool = Field(
        description="Whether a speech model takes the option `task`: `translate`."
    )
    demo: bool
    offered: bool
    installed: bool
    verified: bool = Field(
        description="Whether the files that are installed are held to hashes that came with them. "
        "Else to those that they had when they were loaded here at first."
    )
    hub_id: str = Field(description="Where it can be pulled from; empty: not known.")
    revision: str = Field(description="The commit that is installed, else the one to pull.")
    digest: str = Field(description="Hash of all its files, where there are hashes; else empty.")
    nodes: int


class OpenAIModel(AnswerModel):
    """A model as OpenAI's clients read it; `created` is not known and 0."""

    id: str = Field(examples=["whisper-1"])
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "fanscribe"


class ModelsView(AnswerModel):
    """The catalog in `models`. `data` has the speech models that are offered, and the names of
    OpenAI's that mean the preferred one."""

    object: Literal["list"] = "list"
    data: list[OpenAIModel]
    models: list[ModelView]


class OneModelView(OpenAIModel):
    """One model by its `id`, which may be a name that stands for it."""

    model: ModelView


class QueueView(AnswerModel):
    """How a queue stands. `no_node`: it has work and nobody who could do it. Times are None while
    nothing was measured."""

    queue: str
    waiting: int
    due: int
    running: int
    oldest_due_seconds: float | None
    nodes: int
    slots: int
    no_node: bool
    expected_seconds: float | None = Field(
        description="Until a job of normal priority that comes now would start."
    )
    work_seconds: float | None = Field(description="How long what waits would keep one slot busy.")
    seconds_per_size: float | None = Field(
        description="Measured seconds of work per second of audio, or its equivalent."
    )


class QueuesView(AnswerModel):
    queues: list[QueueView]


class HealthView(AnswerModel):
    status: Literal["ok"]
    version: str
