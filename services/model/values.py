"""The two kinds of pydantic model that everything stored or sent is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value; unknown fields are an error, so that a typo is never lost in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(BaseModel):
    """An immutable document of the store; fields of newer releases are read over."""

    model_config = ConfigDict(frozen=True, extra="ignore")
