"""A chat service that translates: how the operator's catalog describes it, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from services.model.values import Stored, Value

_URL = re.compile(r"https?://[^/\s?#@]+(?:/[^\s?#]*)?", re.ASCII)
_OURS = frozenset({"model", "messages", "response_format", "stream", "n"})


class Usage(Stored):
    """What requests took, in tokens as the service counts them. `cost` is in the currency of the
    catalog's prices, None where it has none. `estimated` says that the service did not count all
    of them, and that our own estimate stands for those."""

    requests: int = Field(default=0, ge=0)
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cost: float | None = Field(default=None, ge=0)
    estimated: bool = False

    def plus(self, other: Self) -> Self:
        """Both together; the cost is of those that have a price."""
        costs = [each.cost for each in (self, other) if each.cost is not None]
        return type(self)(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=sum(costs) if costs else None,
            estimated=self.estimated or other.estimated,
        )


def total(usages: Iterable[Usage]) -> Usage:
    """All of them together."""
    found = Usage()
    for usage in usages:
        found = found.plus(usage)
    return found


class ChatService(Value):
    """Where an OpenAI-compatible chat endpoint is, and how it is to be asked.

    `url` is what `/chat/completions` follows, `key` the name of a key in the setting `llm_keys`,
    empty for a service that wants none. `answers` says how it is made to answer in JSON: by our
    schema, by the promise of some object, or by the prompt alone. One child asks up to `parallel`
    times at once; a request holds lines of up to `max_tokens` by our estimate, and up to
    `max_lines`, between `context` lines before and after; its answer must be there within
    `timeout_s`. Prices are for a million tokens. `body` is added to each request.
    """

    url: str
    model: str = Field(min_length=1)
    key: str = Field(default="", pattern=r"^[\w.-]*$")
    answers: Literal["json_schema", "json_object", "text"] = "json_object"
    parallel: int = Field(default=4, ge=1, le=64)
    max_tokens: int = Field(default=1500, ge=50, le=100_000)
    max_lines: int = Field(default=40, ge=1, le=500)
    context: int = Field(default=3, ge=0, le=50)
    timeout_s: float = Field(default=60.0, gt=0, le=3600)
    price_in: float | None = Field(default=None, ge=0)
    price_out: float | None = Field(default=None, ge=0)
    instructions: str = ""  # the operator's own words in the prompt, such as a tone
    body: dict[str, Any] = Field(default_factory=lambda: {"temperature": 0})

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        if not _URL.fullmatch(url):
            raise ValueError("write http:// or https://, a host, and the path before /chat")
        return url.rstrip("/").removesuffix("/chat/completions")

    @field_validator("body")
    @classmethod
    def _is_not_ours(cls, body: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(_OURS & body.keys()):
            raise ValueError(f"{', '.join(taken)} is written by Fanscribe itself")
        return body

    @property
    def priced(self) -> bool:
        """Whether it is known what its tokens cost."""
        return self.price_in is not None and self.price_out is not None

    def used(self, input_tokens: int, output_tokens: int, *, estimated: bool) -> Usage:
        """What one request took."""
        cost = None
        if self.price_in is not None and self.price_out is not None:
            cost = (input_tokens * self.price_in + output_tokens * self.price_out) / 1e6
        return Usage(
            requests=1,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost=cost,
            estimated=estimated,
        )
