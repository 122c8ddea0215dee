"""Nodes by API: how they are, and what an operator can order them."""

from __future__ import annotations

import pytest
from running_manager import error_of

from services.model.job import Stage, queue_name
from services.model.node import Trouble
from services.model.speed import Speed
from task_manager.pipeline.speeds import outcome

NODE = "/v1/nodes/node-1"
TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


def patch(manager, path: str = NODE, **labels: str | None):
    return manager.api.patch(path, json={"labels": labels})


def test_a_node_tells_all_that_is_known_of_it(manager) -> None:
    store = manager.application.store
    store.beat_node("node-1", store.now(), 1, gone=False, children=3, free_mb=700)
    store.add_speeds("node-1", {
        "transcribe.stub-whisper": Speed().seen(10.0, 2.5),
        outcome("transcribe.stub-whisper"): Speed().seen(10.0, 7.0),
    })  # fmt: skip

    node = manager.api.get(NODE).json()

    assert (node["state"], node["live"], node["slots"], node["free"]) == ("live", True, 4, 2)
    assert (node["children"], node["free_mb"], node["running"]) == (3, 700, 1)
    assert node["speeds"] == {"transcribe.stub-whisper": 0.25}
    assert (node["troubles"], node["set_aside_until"], node["lost_at"]) == ([], None, None)
    assert manager.api.get("/v1/nodes").json()["nodes"] == [node]


def test_a_drained_node_has_no_free_slot_until_it_is_resumed(manager) -> None:
    drained = manager.api.post(f"{NODE}/drain")
    assert drained.status_code == 200
    assert (drained.json()["state"], drained.json()["free"]) == ("draining", 0)
    assert manager.api.get(NODE).json() == drained.json()

    manager.driver.register()
    assert manager.api.get(NODE).json()["state"] == "draining"

    resumed = manager.api.post(f"{NODE}/resume").json()
    assert (resumed["state"], resumed["free"]) == ("live", 4)


def test_a_resumed_node_has_no_troubles(manager) -> None:
    store = manager.application.store
    store.add_trouble("node-1", Trouble(at=store.now(), job="t/prepare/0"), 9)
    store.change_node("node-1", {"set_aside_until": store.now() + 600})
    node = manager.api.get(NODE).json()
    assert (node["state"], node["troubles"][0]["job"]) == ("set_aside", "t/prepare/0")

    node = manager.api.post(f"{NODE}/resume").json()

    assert (node["state"], node["troubles"], node["set_aside_until"]) == ("live", [], None)


def test_labels_are_set_and_taken_away(manager) -> None:
    assert patch(manager, zone="b", rack="7").json()["labels"] == {"zone": "b", "rack": "7"}
    assert patch(manager, rack=None).json()["labels"] == {"zone": "b"}
    assert manager.api.get(NODE).json()["labels"] == {"zone": "b"}


@pytest.mark.parametrize("labels", [{"a b": "c"}, {"a": ""}, {"a": "x@y"}, {"": "x"}, {"-": None}])
def test_what_is_no_label_is_refused(shared, labels) -> None:
    answer = shared.api.patch(NODE, json={"labels": labels})
    assert error_of(answer)[:2] == (422, "bad_label")
    assert shared.api.get(NODE).json()["labels"] == {}


def test_a_change_that_is_no_such_request_is_refused(shared) -> None:
    assert error_of(shared.api.patch(NODE, json={"slots": 9}))[0] == 422
    answer = shared.api.patch(NODE, content=b"{}", headers={"content-type": "text/plain"})
    assert error_of(answer)[:2] == (415, "unsupported_content_type")


def test_an_unknown_node_is_404_everywhere(shared) -> None:
    path = "/v1/nodes/nobody"
    answers = [
        shared.api.get(path),
        shared.api.post(f"{path}/drain"),
        shared.api.post(f"{path}/resume"),
        patch(shared, path, zone="b"),
    ]
    assert {error_of(answer)[:2] for answer in answers} == {(404, "unknown_node")}


@pytest.mark.parametrize("label", ["zone", "=b", "zone=", "zone=b=c", "zo ne=b", "zone=ä", ""])
def test_a_task_that_asks_for_what_is_no_label_is_refused(shared, label) -> None:
    told = shared.refused(items=[TEXT], targets=["zh"], options={"node_label": label})
    assert told == (422, "bad_label", "options.node_label")


def test_a_task_may_ask_for_a_label_that_no_node_has_yet(manager) -> None:
    task = manager.create(items=[TEXT], targets=["zh"], options={"node_label": "zone=b"})
    name = queue_name(Stage.TRANSLATE, "stub-nmt", "zone=b")
    queues = {each["queue"]: each for each in manager.api.get("/v1/queues").json()["queues"]}
    assert (queues[name]["waiting"], queues[name]["no_node"]) == (1, True)
    assert manager.task(task["id"])["no_node"] == [name]

    patch(manager, zone="b")

    assert manager.task(task["id"])["no_node"] == []
    manager.api.post(f"{NODE}/drain")
    assert manager.task(task["id"])["no_node"] == [name]
    manager.api.post(f"{NODE}/resume")
    assert manager.work(task["id"])["state"] == "succeeded"


def test_a_form_may_ask_for_a_label(manager) -> None:
    form = {"texts": '{"1": "Hello."}', "language": "en", "targets": "zh", "node_label": "zone=b"}
    sent = [(name, (None, value)) for name, value in form.items()]
    answer = manager.api.post("/v1/tasks", files=sent)
    assert answer.status_code == 202
    task = manager.application.store.task(answer.json()["id"])
    assert task.manifest.options.node_label == "zone=b"
