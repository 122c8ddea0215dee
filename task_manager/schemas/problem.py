"""The one envelope of every error."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ProblemDetail(BaseModel):
    """What went wrong: `code` for programs, `message` for people, `field` where it stands."""

    code: str = Field(description="Stable; made for programs.")
    message: str = Field(description="Says what to do about it.")
    field: str | None = Field(
        default=None, description="The part of the request that is meant, as a dotted path."
    )
    type: str | None = Field(default=None, description="Only on OpenAI's routes.")
    param: str | None = Field(default=None, description="`field`, on OpenAI's routes.")


class Problem(BaseModel):
    """The body of every answer from 400 up."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": {
                        "code": "ambiguous_language",
                        "message": "'kr' is ambiguous: kr is Kanuri; write ko for Korean.",
                        "field": "targets.1",
                    }
                }
            ]
        }
    )

    error: ProblemDetail
