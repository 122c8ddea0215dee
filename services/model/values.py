"""The two kinds of pydantic model that everything stored or sent is made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Value(BaseModel):
    """An immutable value; unknown fields are an error, so that a typo is never lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(BaseModel):
    """An immutable document of the store; fields of newer releases are read over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def always(value: Any) -> Any:
    """The default of a field that is sent even where it stands at it: pydantic leaves out what
    equals a default, and knows of none that is made from the other fields."""
    return Field(default_factory=lambda _others: value)
