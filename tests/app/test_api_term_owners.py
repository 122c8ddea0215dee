"""Term lists are their owner's: nobody else sees, uses, changes or removes one, whether its terms
are heard or translated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import httpx
import pytest
from key_holder import SECRETS, holder_of, make_key
from running_manager import error_of

TERMS = [{"text": "Fanscribe", "translations": {"zh": "范译"}}]
TEXT = {"items": [{"text": "Good morning.", "language": "en"}], "targets": ["zh"]}


class Holders(NamedTuple):
    """Two of one owner, one of another, and the administrator; and the list that the first made."""

    maker: httpx.Client
    colleague: httpx.Client
    stranger: httpx.Client
    administrator: httpx.Client
    kept: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/v1/term-lists/{self.kept['id']}"


@pytest.fixture
def holders(start) -> Iterator[Holders]:
    keyed = start(**SECRETS)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(holder_of(keyed, make_key(keyed, owner=owner)["key"]))
            for owner in ("acme", "acme", "other")
        ]
        answer = clients[0].post("/v1/term-lists", json={"name": "products", "terms": TERMS})
        assert answer.status_code == 201, answer.text
        yield Holders(*clients, keyed.api, answer.json())


def options_of(client: httpx.Client, options: dict[str, Any]) -> dict[str, Any]:
    """Of a task that is taken with them."""
    made = client.post("/v1/tasks", json={**TEXT, "options": options})
    assert made.status_code == 202, made.text
    return client.get(f"/v1/tasks/{made.json()['id']}").json()["options"]


def test_who_holds_a_key_of_the_owner_uses_and_changes_the_list(holders: Holders) -> None:
    colleague = holders.colleague
    assert colleague.get(holders.path).json() == holders.kept
    heard = options_of(colleague, {"hotwords": {"list": "products"}})
    assert heard["hotwords"]["taken_from"] == f"{holders.kept['id']}@1"
    told = options_of(colleague, {"glossary": {"lists": [holders.kept["id"]]}})
    assert told["glossary"]["taken_from"] == [f"{holders.kept['id']}@1"]
    assert colleague.put(holders.path, json={"terms": ["a"]}).json()["revision"] == 2
    assert colleague.delete(holders.path).status_code == 204
    assert error_of(holders.maker.get(holders.path))[:2] == (404, "not_found")


@pytest.mark.parametrize("who", ["stranger", "administrator"])
def test_nobody_else_sees_changes_or_removes_a_list(holders: Holders, who: str) -> None:
    other: httpx.Client = getattr(holders, who)
    missing = other.get("/v1/term-lists/tl_none")

    assert other.get("/v1/term-lists").json() == {"term_lists": []}
    changes = {"terms": ["stolen"], "revision": 1}
    for answer in (
        other.get(holders.path),
        other.put(holders.path, json=changes),
        other.delete(holders.path),
    ):
        assert error_of(answer) == error_of(missing) == (404, "not_found", None)
        assert "products" not in answer.text
    assert holders.maker.get(holders.path).json() == holders.kept


@pytest.mark.parametrize("who", ["stranger", "administrator"])
@pytest.mark.parametrize("by", ["id", "name"])
def test_nobody_else_uses_a_list_by_its_id_or_name(holders: Holders, who: str, by: str) -> None:
    other: httpx.Client = getattr(holders, who)
    named = holders.kept[by]
    for options, field in (
        ({"hotwords": {"list": named}}, "options.hotwords.list"),
        ({"glossary": {"lists": [named]}}, "options.glossary.lists.0"),
    ):
        answer = other.post("/v1/tasks", json={**TEXT, "options": options})
        assert error_of(answer) == (422, "unknown_term_list", field)
        assert "范译" not in answer.text


def test_two_owners_have_lists_of_one_name_and_each_uses_its_own(holders: Holders) -> None:
    terms = [{"text": "Fanscribe", "translations": {"zh": "扇译"}}]
    theirs = holders.stranger.post("/v1/term-lists", json={"name": "products", "terms": terms})
    assert theirs.status_code == 201, theirs.text
    assert theirs.json()["id"] != holders.kept["id"]
    for client, expected in ((holders.maker, "范译"), (holders.stranger, "扇译")):
        found = options_of(client, {"glossary": {"lists": ["products"]}})["glossary"]["terms"]
        assert [term["translations"] for term in found] == [{"zh": expected}]
        (listed,) = client.get("/v1/term-lists").json()["term_lists"]
        assert client.get(f"/v1/term-lists/{listed['id']}").json()["terms"] == [
            {**found[0], "boost": None}
        ]


def test_a_list_that_is_named_as_the_id_of_anothers_is_its_owners_own(holders: Holders) -> None:
    body = {"name": holders.kept["id"], "terms": ["mine"]}
    made = holders.stranger.post("/v1/term-lists", json=body)
    assert made.status_code == 201, made.text

    found = options_of(holders.stranger, {"hotwords": {"list": holders.kept["id"]}})["hotwords"]

    assert [term["text"] for term in found["terms"]] == ["mine"]
    assert holders.maker.get(holders.path).json() == holders.kept
