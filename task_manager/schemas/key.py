"""Keys as they are asked for and shown; the key itself is answered once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from services.model.access import Scope
from task_manager.schemas.request import MOST, AnswerModel, Line, RequestModel

Count = Annotated[int, Field(ge=1, le=1_000_000)]


class KeyLimits(RequestModel):
    """What a key may use; null is as much as the server takes."""

    per_second: Count | None = Field(default=None, description="Requests.")
    per_minute: Count | None = Field(default=None, description="Requests.")
    at_once: Count | None = Field(default=None, description="Requests under way.")
    open_tasks: Count | None = Field(default=None, description="Of the owner, over all its keys.")
    stored_bytes: Annotated[int, Field(ge=1, le=MOST)] | None = Field(
        default=None, description="Of the owner's uploads and media, over all its keys."
    )


class NewKey(RequestModel):
    """A key to be made."""

    name: Line = Field(min_length=1, max_length=100, description="For people; need not be unique.")
    owner: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")] = Field(
        description="Whose tasks it makes and sees; several keys may share one."
    )
    scopes: list[Annotated[Scope, Field(strict=False)]] = Field(
        min_length=1, max_length=4, description="What it may do; admin is everything."
    )
    expires_in_s: Annotated[int, Field(ge=1, le=100 * 366 * 86_400)] | None = Field(
        default=None, description="Seconds from now; null: never."
    )
    limits: KeyLimits = KeyLimits()


class KeyView(AnswerModel):
    """All that is known of a key; `id` is its beginning."""

    id: str
    name: str
    owner: str
    scopes: list[Scope]
    limits: KeyLimits
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None = Field(description="The last use, give or take a minute.")


class MadeKey(KeyView):
    """The one answer that holds the key itself: it cannot be had again."""

    key: str


class KeyPage(AnswerModel):
    keys: list[KeyView]
    next: str | None = Field(description="The cursor of the next page.")
