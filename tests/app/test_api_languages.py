"""Languages that are added to a task that has ended, by API, client and command line."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from crooked_proxy import CrookedProxy, lose_the_answer
from either_client import KINDS, open_client
from running_manager import Manager, error_of

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


@pytest.fixture
def done(manager: Manager) -> str:
    return manager.finished(items=[TEXT], targets=["zh"])["id"]


def add(manager: Manager, task: str, *languages: str, **more):
    return manager.api.post(f"/v1/tasks/{task}/languages", json={"add": languages}, **more)


def test_a_language_is_added_and_told_of_as_a_new_end(manager, done) -> None:
    old = manager.api.get(f"/v1/tasks/{done}/result", params={"language": "zh", "form": "coded"})

    answer = add(manager, done, "jp")

    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert answer.json()["targets"] == ["zh", "ja"]
    assert answer.json()["progress"] < 1.0
    assert add(manager, done, "ja").status_code == 200  # though it runs
    assert manager.work(done)["state"] == "succeeded"
    assert manager.api.get(f"/v1/tasks/{done}/result").json() == {
        "zh": {"1": {"T": "[zh] Hello."}}, "ja": {"1": {"T": "[ja] Hello."}},
    }  # fmt: skip
    new = manager.api.get(f"/v1/tasks/{done}/result", params={"language": "zh", "form": "coded"})
    assert (new.content, new.headers["etag"]) == (old.content, old.headers["etag"])
    assert add(manager, done, "ja", "zh").status_code == 200
    assert manager.task(done)["state"] == "succeeded"


def test_what_is_wrong_with_a_language_names_its_field(manager, done) -> None:
    assert error_of(add(manager, done)) == (422, "no_targets", "add")
    assert error_of(add(manager, done, "fr", "x-klingon-")) == (422, "unknown_language", "add.1")
    assert error_of(add(manager, done, "fr", "fr")) == (422, "duplicate_target", "add.1")
    assert error_of(add(manager, done, "f\u0000")) == (422, "control_character", "add.0")
    assert error_of(add(manager, "nobody", "fr"))[:2] == (404, "not_found")
    path = f"/v1/tasks/{done}/languages"
    assert manager.api.post(path, content=b'{"add": ["fr"]}').status_code == 415
    assert error_of(manager.api.post(path, json={"add": "fr"}))[0] == 422
    assert error_of(manager.api.post(path, json={"add": ["fr"], "to": 1}))[0] == 422
    running = manager.create(items=[TEXT], targets=["zh"])["id"]
    assert error_of(add(manager, running, "fr"))[:2] == (409, "not_terminal")
    manager.api.delete(f"/v1/tasks/{done}")
    assert error_of(add(manager, done, "fr"))[:2] == (410, "gone")


def test_no_more_languages_are_added_than_a_task_may_have(start) -> None:
    manager = start(max_targets=2)
    task = manager.finished(items=[TEXT], targets=["zh"])["id"]

    assert error_of(add(manager, task, "fr", "de")) == (422, "too_many_targets", "add")
    assert add(manager, task, "fr").status_code == 202


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_whose_answer_was_lost_asks_again(manager, done, kind) -> None:
    with closing(CrookedProxy(manager.url)) as proxy, closing(open_client(kind, proxy.url)) as far:
        proxy.tricks = [lose_the_answer]
        task = far.add_languages(done, ["fr"])

    assert task.targets == ["zh", "fr"]
    assert manager.work(done)["state"] == "succeeded"


def test_the_command_line_adds_languages(manager, fanscribe, done) -> None:
    shown = json.loads(fanscribe("translate", done, "--to", "fr, de", "--json"))

    assert shown["targets"] == ["zh", "fr", "de"]
    manager.work(done)
    assert f"{done}  succeeded" in fanscribe("translate", done, "--to", "de")
    whole = json.loads(fanscribe("translate", done, "--to", "de", "--wait", "--json"))
    assert whole["result"]["de"] == {"1": {"T": "[de] Hello."}}
