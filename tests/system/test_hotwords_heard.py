"""Hotwords from the command line to the item, through real decoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.system.conftest import Stack

SAMPLE = Path(__file__).parents[2] / "demo" / "sample" / "1.mp3"


def test_terms_of_a_file_and_of_a_list_reach_the_decoder_and_the_item_tells_of_each(
    demo_stack: Stack, tmp_path: Path
) -> None:
    terms = tmp_path / "terms.txt"
    terms.write_text("violin\nZorblax\t3\n", "utf-8")
    demo_stack.run("terms", "add", "names", str(terms))

    plain = heard(demo_stack)
    by_file = heard(demo_stack, "--hotwords", str(terms), "--hotword-method", "bias")
    by_list = heard(demo_stack, "--hotwords", "names", "--hotword-method", "logit_bias")

    assert plain["hotwords"] is None
    for item in (by_file, by_list):
        assert item["hotwords"]["method"] == "bias"
        assert item["hotwords"]["applied"] == ["violin", "Zorblax"]
        assert item["hotwords"]["dropped"] == []
        assert item["text"] == plain["text"], "a bias leaves alone what nobody misheard"
    assert "violin" in plain["text"]


def test_a_list_that_is_not_there_is_refused_before_anything_is_heard(demo_stack: Stack) -> None:
    demo_stack.run("submit", str(SAMPLE), "--to", "zh", "--hotwords", "nobody-s", status=1)

    assert demo_stack.json("list") == []


def heard(stack: Stack, *words: str) -> dict[str, Any]:
    """The item of the sample, with its text."""
    shown = stack.json("submit", str(SAMPLE), "--from", "en", "--to", "zh", *words, "--wait")
    (item,) = stack.json("status", shown["task"]["id"])["items"]
    where = f"{stack.url}/v1/tasks/{shown['task']['id']}/items/{item['text_id']}/transcript"
    return {**item, "text": httpx.get(where).raise_for_status().json()["text"]}
