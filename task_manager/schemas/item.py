"""What a caller sees of an item: what was heard, and the state of each of its cells."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.model.errors import FailureClass
from services.model.glossary import GlossaryUse
from services.model.hotwords import Hinted
from services.model.transcript import Check, Segment
from task_manager.schemas.request import AnswerModel

CellState = Literal["waiting", "running", "done", "failed", "cancelled"]


class CellError(AnswerModel):
    """Why a cell has no text, or had none so far."""

    failure: FailureClass = Field(description="The class, which decides about retries.")
    code: str
    message: str
    attempts: int
    next_attempt_at: datetime | None


class CellView(AnswerModel):
    """The smallest thing that succeeds or fails by itself."""

    state: CellState
    error: CellError | None
    version: int = Field(
        description="Of its text; 0 until it, or what it was made of, is corrected."
    )
    outdated: bool = Field(
        description="Its text was made, or corrected, before the words of which it is the "
        "translation were corrected."
    )
    glossary: GlossaryUse | None = Field(
        default=None, description="What came of the glossary, once the translation is there."
    )
    flags: dict[str, int] = Field(
        default_factory=dict,
        description="What looks wrong with its translation: how many sentences have each flag.",
    )


class AudioView(AnswerModel):
    """A file that was uploaded, or the URL that a worker fetches it from (size 0, no hash)."""

    name: str
    size: int
    sha256: str
    url: str


class ItemView(AnswerModel):
    """One item. What is not known yet is null; `cells` is language → source → cell."""

    ordinal: int
    text_id: str
    audio: AudioView | None
    has_text: bool
    language: str | None = Field(
        description="Of its words, stated or heard: `en` where the speech model translates an "
        "audio without a text."
    )
    spoken_language: str | None = Field(
        description="Of its audio, stated or heard; null where there is none."
    )
    language_probability: float | None = Field(description="Of the one that was heard.")
    duration: float | None = Field(description="Seconds of audio.")
    coverage: float | None = Field(description="Decoded ÷ declared seconds; below 0.98 flagged.")
    gaps: list[tuple[float, float]] = Field(
        description="Where sound is missing: start and end in seconds, the first 100."
    )
    channels: list[str] = Field(
        description="The channels that were heard apart, by the file's own names; segments say "
        "which one by its number, from 0."
    )
    no_speech: bool | None
    engine_seconds: float | None = Field(
        description="How long speech engines worked on it, all parts together; with loading the "
        "model, where it was the first work of a process."
    )
    reused: bool = Field(
        description="Whether words were taken over from an earlier task, all or those of some "
        "parts; `engine_seconds` are of what was heard anew."
    )
    check: Check | None = Field(description="How far what was heard is from the text.")
    warnings: list[str]
    hotwords: Hinted | None = Field(description="What came of the terms, where any were given.")
    cells: dict[str, dict[str, CellView]]


class ItemPage(AnswerModel):
    """In the task's order; `next` is the `after` of the page that follows, None on the last."""

    items: list[ItemView]
    next: int | None


class TranscriptView(AnswerModel):
    """Words with their times in seconds. While the audio is still being heard `complete` is
    false and the segments are those heard so far."""

    text_id: str
    source: Literal["A", "T"]
    language: str | None = Field(description="Of these words.")
    spoken_language: str | None = Field(
        description="Of the audio that these words were heard in: another than `language` where "
        "the speech model itself translated; null for a text and for a translation."
    )
    complete: bool
    text: str
    duration: float | None
    language_probability: float | None
    no_speech: bool
    segments: list[Segment]
    dropped: list[Segment] = Field(description="What a guard left out, flagged.")
    version: int = Field(description="0 until the words are corrected.")
    corrected_by: str | None = Field(description="The id of the key that it was corrected with.")
    corrected_at: datetime | None
