"""`fanscribe nodes` against a running manager."""

from __future__ import annotations

import json

import pytest

from services.client.nodes import BadLabel, to_labels


def test_nodes_are_listed_with_their_states_and_labels(fanscribe) -> None:
    fanscribe("nodes", "label", "node-1", "zone=b", "rack=7")
    head, line = fanscribe("nodes").splitlines()
    assert head.split() == ["node", "state", "kind", "busy", "models", "labels"]
    assert line.split()[:4] == ["node-1", "live", "whisper", "0/4"]
    assert line.rstrip().endswith("zone=b, rack=7")


def test_a_node_is_drained_resumed_and_labelled(fanscribe) -> None:
    assert json.loads(fanscribe("nodes", "drain", "node-1", "--json"))["state"] == "draining"
    assert [each["state"] for each in json.loads(fanscribe("nodes", "--json"))] == ["draining"]
    assert json.loads(fanscribe("nodes", "resume", "node-1", "--json"))["state"] == "live"
    fanscribe("nodes", "label", "node-1", "zone=b", "old=x")
    node = json.loads(fanscribe("nodes", "label", "node-1", "zone=c", "old-", "--json"))
    assert node["labels"] == {"zone": "c"}


def test_an_unknown_node_is_said_so(fanscribe) -> None:
    assert fanscribe("nodes", "drain", "nobody", code=1) == ""


def test_a_task_that_is_submitted_may_ask_for_a_label(fanscribe, manager) -> None:
    words = ("submit", "--text", "1=Hello.", "--from", "en", "--to", "zh")
    task = manager.application.store.task(fanscribe(*words, "--node-label", "zone=b").strip())
    assert task.manifest.options.node_label == "zone=b"
    fanscribe(*words, "--node-label", "zone", code=1)


def test_labels_are_written_as_people_write_them() -> None:
    assert to_labels(["zone=b", "old-", "a=b=c"]) == {"zone": "b", "old": None, "a": "b=c"}
    with pytest.raises(BadLabel, match="NAME=VALUE"):
        to_labels(["zone"])
