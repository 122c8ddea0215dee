"""What a caller writes in the place of words that are there, and the versions that come of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from services.model.task import TaskState
from task_manager.schemas.request import MOST, AnswerModel, RequestModel

MOST_SEGMENTS = 10_000  # of one request
LONGEST_SEGMENT = 5_000  # characters
LONGEST_TEXT = 10_000_000  # characters; FANSCRIBE_MAX_TEXT_CHARS says less


class CorrectedSegment(RequestModel):
    """A segment by its id, with the text that it is to have; it keeps its times."""

    id: int = Field(ge=0, le=MOST)
    text: str = Field(max_length=LONGEST_SEGMENT, description="Without one the segment goes.")


class Corrected(RequestModel):
    """Source `A` is corrected by segments, source `T` by its whole text."""

    version: int = Field(ge=0, le=MOST, description="The one that was read and corrected.")
    segments: list[CorrectedSegment] | None = Field(
        default=None, min_length=1, max_length=MOST_SEGMENTS, description="Those that change."
    )
    text: str | None = Field(default=None, max_length=LONGEST_TEXT, description="The whole text.")
    overwrite: bool = Field(
        default=False,
        description="Of an item's own words: translations that somebody corrected are made anew as "
        "well, but for the sentences that stay the same.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.segments is None) == (self.text is None):
            raise ValueError("give segments or text")
        return self


class CorrectionView(AnswerModel):
    """What is saved now. While `state` is queued or running, translations are made anew."""

    text_id: str
    source: Literal["A", "T"]
    language: str
    version: int
    state: TaskState


class VersionView(AnswerModel):
    """One that there was, or is."""

    version: int
    at: datetime
    corrected_by: str | None = Field(description="A key's id; null where a model made it.")


class VersionList(AnswerModel):
    """Oldest first; the last one counts."""

    text_id: str
    source: Literal["A", "T"]
    language: str
    versions: list[VersionView]
