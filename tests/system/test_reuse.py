"""The same audio again on the whole stack: words are taken over, as long as their task is there."""

from __future__ import annotations

from typing import Any

import httpx

from demo.sample import BUNDLED
from tests.system.conftest import Stack, wait_for

TALK = str(BUNDLED / "1.mp3")


def submit(stack: Stack, *options: str) -> tuple[str, dict[str, Any], str]:
    """The task, its item, and its transcript as it is served."""
    words = [word for each in ("reuse=true", *options) for word in ("--option", each)]
    told = stack.json("submit", TALK, "--to", "zh", *words, "--wait")
    assert told["task"]["state"] == "succeeded"
    items = f"{stack.url}/v1/tasks/{told['task']['id']}/items"
    transcript = httpx.get(f"{items}/1/transcript").raise_for_status().text
    return told["task"]["id"], httpx.get(items).json()["items"][0], transcript


def test_the_same_audio_is_heard_once_as_long_as_its_task_is_there(demo_stack: Stack) -> None:
    first, item, transcript = submit(demo_stack)
    assert (item["reused"], item["engine_seconds"] > 0) == (False, True)

    second, again, same = submit(demo_stack)
    assert (again["reused"], again["engine_seconds"]) == (True, 0)
    assert same == transcript
    assert again["language_probability"] == item["language_probability"]

    _, other, _ = submit(demo_stack, "beam_size=2")
    assert (other["reused"], other["engine_seconds"] > 0) == (False, True)

    for task in (first, second):
        demo_stack.run("rm", task)
        gone = f"{demo_stack.url}/v1/tasks/{task}"
        wait_for("its end", lambda gone=gone: httpx.get(gone).status_code in {404, 410})
    _, anew, same = submit(demo_stack)
    assert (anew["reused"], same) == (False, transcript)
