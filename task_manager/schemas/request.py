"""What every request model shares: unknown fields and lax conversions are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

MOST = 2**53  # what every store and every reader of JSON can hold


class RequestModel(BaseModel):
    """A typo is an error, and `"5"` is not a number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class AnswerModel(BaseModel):
    """What we say; every field is always there."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)
