"""What a caller sees of an item against its text: how far, and where."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from services.model.differences import Difference
from services.model.transcript import Check
from task_manager.schemas.request import AnswerModel


class CheckView(AnswerModel):
    """The error rates of an item, and one page of the places where it and its text part."""

    text_id: str
    language: str
    check: Check
    threshold: float | None = Field(description="`check_threshold` of the task.")
    action: Literal["flag", "fail"] = Field(description="`check_action` of the task.")
    above: bool = Field(description="Whether the rate that decides is above the threshold.")
    differences: list[Difference] = Field(
        description="In order; positions are characters of the text and of the transcript, times "
        "are seconds of the audio."
    )
    next: int | None = Field(description="The `after` of the page that follows, if there is one.")
