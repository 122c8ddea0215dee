"""A whole stack whose translator asks a chat service, with the key in the workers' settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from task_manager.store.sqlite import SqliteStore
from tests.system.conftest import Stack, wait_for

sys.path.insert(0, str(Path(__file__).parents[1] / "translator"))
import fake_chat as fake

StartStack = Callable[..., Stack]
CATALOG = """
[[model]]
name = "chat"
kind = "translate"
engine = "llm"
languages = ["en", "de", "ja"]

[model.chat]
url = "{url}"
model = "some-model"
key = "fake"
max_lines = 2
price_in = 1.0
price_out = 5.0
"""


@pytest.fixture
def fake_chat() -> Iterator[fake.FakeChat]:
    service = fake.FakeChat()
    yield service
    service.close()


@pytest.fixture
def chat_stack(
    stub_stack: StartStack, tmp_path: Path, fake_chat: fake.FakeChat
) -> Callable[..., Stack]:
    def start(**settings: str) -> Stack:
        catalog = tmp_path / "catalog.toml"
        catalog.write_text(CATALOG.format(url=fake_chat.url))
        return stub_stack(FANSCRIBE_CATALOG_FILE=str(catalog), **settings)

    return start


def test_a_task_is_translated_by_the_chat_service_though_it_stumbles(
    chat_stack: Callable[..., Stack], fake_chat: fake.FakeChat, spoken: Callable[[str], Path]
) -> None:
    fake_chat.tricks = [fake.status(503), fake.entries(lambda made: made[1:]), fake.said("Sure!")]
    stack = chat_stack(FANSCRIBE_LLM_KEYS="fake=k-1")
    text = "note=One is here. Two is there. Three is gone."
    told = stack.json(
        "submit", str(spoken("talk")), "--text", text, "--from", "en", "--to", "de,zh", "--wait"
    )
    assert told["task"]["state"] == "succeeded"
    german = told["result"]["de"]
    assert german["note"] == {"T": "<de> One is here. <de> Two is there. <de> Three is gone."}
    assert german["talk"]["A"].startswith("<de> ")
    assert told["result"]["zh"]["note"]["T"].startswith("[zh] One is here.")  # not the chat's pair
    assert set(fake_chat.keys) == {"Bearer k-1"}
    answered = len(fake_chat.asked) - 1  # but for the 503
    assert told["task"]["usage"] == {
        "requests": answered,
        "input_tokens": 100 * answered,
        "output_tokens": 10 * answered,
        "cost": pytest.approx(150e-6 * answered),
        "estimated": False,
    }


def test_a_line_that_is_always_refused_fails_its_cell_and_no_other(
    chat_stack: Callable[..., Stack], fake_chat: fake.FakeChat
) -> None:
    fake_chat.always = fake.if_any("poison", fake.said("I cannot help with that."))
    stack = chat_stack(FANSCRIBE_LLM_KEYS="fake=k-1")
    words = ["--text", "1=All is well. This is poison.", "--text", "2=All is well."]
    told = stack.json("submit", *words, "--from", "en", "--to", "de", "--wait", status=3)
    assert told["result"]["de"] == {"2": {"T": "<de> All is well."}}
    assert [line["code"] for line in told["task"]["attempts"]] == ["llm_refused"]
    assert told["task"]["usage"]["requests"] == len(fake_chat.asked)  # what failed was paid for too


def test_a_text_that_is_sent_again_is_not_paid_for_again(
    chat_stack: Callable[..., Stack], fake_chat: fake.FakeChat
) -> None:
    stack = chat_stack(FANSCRIBE_LLM_KEYS="fake=k-1")
    words = ("submit", "--text", "note=One is here. Two is there.", "--from", "en", "--to", "de")
    store = SqliteStore(stack.data_dir / "store.sqlite")
    first = stack.json(*words, "--wait")
    wait_for("both sentences to be remembered", lambda: store.count_translations() == 2)
    asked = len(fake_chat.asked)

    again = stack.json(*words, "--wait")

    assert again["result"] == first["result"]
    assert len(fake_chat.asked) == asked
    assert (first["task"]["usage"]["requests"], again["task"]["usage"]) == (asked, None)
    store.close()


def test_a_stored_glossary_reaches_every_engine_and_what_was_missed_is_told(
    chat_stack: Callable[..., Stack], fake_chat: fake.FakeChat, tmp_path: Path
) -> None:
    stack = chat_stack(FANSCRIBE_LLM_KEYS="fake=k-1")
    table = tmp_path / "terms.tsv"
    table.write_text("term\tde\tzh\nhere\tda\t这里\nThree\tThree\t三\n", "utf-8")
    stack.json("terms", "add", "words", str(table))
    text = "1=One is here, at https://x.example. Three is gone."
    told = stack.json(
        "submit", "--text", text, "--from", "en", "--to", "de,zh", "--glossary", "words", "--wait"
    )
    assert (
        told["result"]["zh"]["1"]["T"] == "[zh] One is 这里, at https://x.example.[zh] 三 is gone."
    )
    asked = [json.loads(body["messages"][1]["content"]) for body in fake_chat.bodies]
    assert asked[0]["terms"] == {"here": "da", "Three": "Three"}
    assert told["task"]["warnings"] == [
        {"text_id": "1", "warning": "glossary_term_missing: here (de)"}
    ]
    (item,) = httpx.get(f"{stack.url}/v1/tasks/{told['task']['id']}/items").json()["items"]
    assert item["cells"]["de"]["T"]["glossary"]["applied"] == [{"term": "Three", "times": 1}]
    assert item["cells"]["zh"]["T"]["glossary"] == {
        "sentences": 2,
        "applied": [{"term": "here", "times": 1}, {"term": "Three", "times": 1}],
        "missed": [],
        "more": 0,
    }
