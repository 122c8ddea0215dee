"""Terms as a caller names them, and the lists that are kept of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from services.model.glossary import MAX_TRANSLATION, Entry
from services.model.hotwords import BOOST, LEAST_BOOST, MAX_TERM, MAX_TERMS, MOST_BOOST
from task_manager.schemas.request import MOST, AnswerModel, RequestModel

MAX_NAME = 100  # characters
MAX_LISTS = 100  # of an owner
MAX_NAMED = 20  # lists, by one task

_Boost = Annotated[float, Field(ge=LEAST_BOOST, le=MOST_BOOST)]
_Text = Annotated[str, Field(min_length=1, max_length=MAX_TERM)]
_Tag = Annotated[str, Field(max_length=40)]
_Translation = Annotated[str, Field(min_length=1, max_length=MAX_TRANSLATION)]


class NewTerm(RequestModel):
    """A name or a phrase: how much it is expected, and how it is translated."""

    text: _Text
    boost: _Boost | None = Field(
        default=None, description="Of this term as a hotword; else that of all."
    )
    language: _Tag | None = Field(
        default=None, description="The language that it is a term of; none: of any."
    )
    translations: dict[_Tag, _Translation] = Field(
        default_factory=dict, max_length=200, description="By target language."
    )
    keep: bool = Field(
        default=False,
        description="It stays as it stands in every language that `translations` does not name.",
    )
    case_sensitive: bool = Field(
        default=False, description="Only where it is written so, in capitals and small letters."
    )


def _kind(given: Any) -> str:
    return "text" if isinstance(given, str) else "term"


_Term = Annotated[
    Annotated[_Text, Tag("text")] | Annotated[NewTerm, Tag("term")], Discriminator(_kind)
]
_Terms = Annotated[
    list[_Term],
    Field(max_length=MAX_TERMS, examples=[["Fanscribe", {"text": "CTranslate2", "boost": 3.0}]]),
]


class NewHotwords(RequestModel):
    """Names and terms that the speech model shall expect."""

    terms: _Terms = Field(default_factory=list, description="Besides those of the list.")
    list: str | None = Field(
        default=None,
        max_length=MAX_NAME,
        description="A list of yours, by id or name. Its terms are copied when the task is taken.",
        examples=["products"],
    )
    method: Literal["prompt", "bias", "prompt_injection", "logit_bias"] = Field(
        default="prompt",
        description="`prompt` (or `prompt_injection`): the terms stand before each window. "
        "`bias` (or `logit_bias`): readings of a window with a term in it gain.",
    )
    boost_factor: _Boost = Field(
        default=BOOST,
        description="How many times as likely each token of a term counts; `bias` only.",
    )


class NewGlossary(RequestModel):
    """How terms are translated."""

    terms: _Terms = Field(
        default_factory=list,
        description="With `translations`, or with `keep`. They go before those of the lists.",
    )
    lists: Annotated[
        list[Annotated[str, Field(max_length=MAX_NAME)]], Field(max_length=MAX_NAMED)
    ] = Field(
        default_factory=list,
        description="Lists of yours, by id or name. Those of their terms that have a translation "
        "are copied when the task is taken.",
        examples=[["products"]],
    )


class ChangedTermList(RequestModel):
    """What a list holds from now on; its name stays."""

    terms: _Terms
    description: str = Field(default="", max_length=200)
    revision: int | None = Field(
        default=None, ge=1, le=MOST, description="Only if it is still that of the list."
    )


class NewTermList(RequestModel):
    """A list under a name that the owner has not used yet."""

    name: str = Field(min_length=1, max_length=MAX_NAME, examples=["products"])
    terms: _Terms
    description: str = Field(default="", max_length=200)


class TermListSummary(AnswerModel):
    id: str = Field(examples=["tl_9f0c52b7a1d84e63c0de11aa"])
    name: str
    description: str
    count: int = Field(description="How many terms it has.")
    revision: int = Field(description="Rises with each change.")
    created_at: datetime
    changed_at: datetime


class TermListView(TermListSummary):
    terms: list[Entry]


class TermLists(AnswerModel):
    """All of the caller's, without their terms."""

    term_lists: list[TermListSummary]
