"""What every request model shares: unknown fields and lax conversions are refused."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError, PydanticKnownError

from services.model.errors import Invalid
from task_manager.characters import check_characters

MOST = 2**53  # what every store and every reader of JSON can hold
_WHOLE = re.compile("-?[0-9]+")


def _digits(written: object) -> object:
    if isinstance(written, str) and not _WHOLE.fullmatch(written):
        raise PydanticKnownError("int_parsing")
    return written


def _one_line(text: str) -> str:
    try:
        check_characters(text, "")
    except Invalid as wrong:
        raise PydanticCustomError(wrong.code, wrong.message.rstrip(".")) from wrong
    return text


# For a number in an address or a header, behind its bounds: Python takes `1_0` and ` 10 ` for ten.
WHOLE = BeforeValidator(_digits)

# A name or a description that is shown in tables and logs.
Line = Annotated[str, AfterValidator(_one_line)]


class RequestModel(BaseModel):
    """A typo is an error, and `"5"` is not a number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class AnswerModel(BaseModel):
    """What we say; every field is always there."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)
