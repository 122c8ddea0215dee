"""Term lists of an owner: names and phrases that tasks may name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from services.client.calls.reading import a, many, nothing, quoted
from services.client.steps import NO_LONGER, Call, call
from services.client.term_views import TermListSummary, TermListView
from services.model.hotwords import Term

Terms: TypeAlias = Sequence[str | Term]


def create(name: str, terms: Terms, *, description: str = "") -> Call[TermListView]:
    """Keeps terms under a name that you have not used yet."""
    body = {"name": name, "terms": sent(terms), "description": description}
    return call("POST", "/v1/term-lists", a(TermListView), json=body)


def listed() -> Call[list[TermListSummary]]:
    """All your lists, without their terms."""
    return call("GET", "/v1/term-lists", many(TermListSummary, "term_lists"))


def get(list_id: str) -> Call[TermListView]:
    """A list with its terms."""
    return call("GET", _path(list_id), a(TermListView))


def change(
    list_id: str, terms: Terms, *, description: str = "", revision: int | None = None
) -> Call[TermListView]:
    """Other terms from now on; with a `revision` only if it is still that of the list."""
    body = {"terms": sent(terms), "description": description, "revision": revision}
    said = {name: value for name, value in body.items() if value is not None}
    return call("PUT", _path(list_id), a(TermListView), json=said)


def delete(list_id: str) -> Call[None]:
    """Tasks that were taken with it keep its terms."""
    return call("DELETE", _path(list_id), nothing, had=NO_LONGER)


def sent(terms: Terms) -> list[Any]:
    """As the server takes them."""
    return [
        each.model_dump(exclude_defaults=True) if isinstance(each, Term) else each for each in terms
    ]


def _path(list_id: str) -> str:
    return f"/v1/term-lists/{quoted(list_id)}"
