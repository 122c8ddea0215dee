"""What a node is called, who may be given work, and what a label may be."""

from __future__ import annotations

import pytest

from services.model.errors import Invalid
from services.model.labels import check_label, check_labels, check_node_id
from services.model.node import Node, Trouble, others_for, takers
from task_manager.pipeline.refusals import Refusals


@pytest.fixture
def node():
    def make(name: str = "a", **more) -> Node:
        known = {
            "kind": "whisper",
            "host": "h",
            "pid": 1,
            "queues": ["q"],
            "models": [],
            "slots": 4,
        }
        return Node(id=name, version="0", registered_at=0.0, seen_at=0.0, **{**known, **more})

    return make


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "live"),
        ({"set_aside_until": 10.0}, "live"),
        ({"set_aside_until": 10.1}, "set_aside"),
        ({"set_aside_until": 10.1, "draining": True}, "draining"),
        ({"draining": True, "lost_at": 1.0}, "lost"),
        ({"draining": True, "lost_at": 1.0, "gone": True}, "gone"),
    ],
)
def test_a_node_is_one_word(node, fields, word):
    assert node(**fields).state(10.0) == word


def test_an_operators_label_wins_and_none_hides(node):
    labelled = node(labels={"a": "1", "b": "2"}, operator_labels={"a": "9", "b": None, "c": "3"})

    assert labelled.all_labels == {"a": "9", "c": "3"}
    assert labelled.listens == ["q", "q@a=9", "q@c=3"]


@pytest.mark.parametrize(
    ("at", "jobs", "troubled"),
    [
        ([1, 2, 3], "xyz", True),
        ([1, 2, 3], "xyx", False),
        ([1, 2, 3, 4], "xyxz", True),
        ([0, 2, 3], "xyz", False),
        ([2, 3], "xy", False),
    ],
)
def test_three_different_jobs_within_the_time_are_trouble(node, at, jobs, troubled):
    troubles = [Trouble(at=when, job=job) for when, job in zip(at, jobs, strict=True)]

    assert node(troubles=troubles).is_troubled(600.0, 600.0) is troubled


@pytest.mark.parametrize(
    ("lost", "troubled"),
    [
        (["a1", "b1", "c1", "d1"], False),  # one death took all jobs of a claim with it
        (["a1", "b1", "c1", "a2", "a3"], False),  # and then the one that was to blame
        (["a1", "b1", "c1", "d2", "e2"], False),
        (["a1", "b1", "d2", "e2", "f3"], True),
        (["a1", "b2", "c3"], True),
    ],
)
def test_jobs_that_were_lost_in_one_claim_are_one_trouble(node, lost, troubled):
    troubles = [Trouble(at=1.0, job=job, token=token) for job, token in lost]

    assert node(troubles=troubles).is_troubled(2.0, 600.0) is troubled


def test_the_healthy_take_before_those_that_are_set_aside(node):
    well, ill = node("well"), node("ill", set_aside_until=10.0)

    assert takers([well, ill], "q", 0.0) == [well]
    assert takers([ill], "q", 0.0) == [ill]
    assert takers([well, ill], "q", 10.0) == [well, ill]
    assert takers([well, ill], "other", 0.0) == []


@pytest.mark.parametrize(
    "fields", [{"draining": True}, {"gone": True}, {"lost_at": 1.0}, {"children": 0}]
)
def test_who_cannot_work_takes_nothing(node, fields):
    assert takers([node(**fields)], "q", 0.0) == []


def test_others_are_those_that_are_well(node):
    nodes = [node("a"), node("b"), node("ill", set_aside_until=10.0)]

    assert [other.id for other in others_for("a", nodes, "q", 0.0)] == ["b"]
    assert others_for("a", [nodes[0], nodes[2]], "q", 0.0) == []


def test_a_node_runs_no_more_than_it_has_processes(node):
    assert [node(children=n).capacity for n in (None, 0, 3, 9)] == [4, 0, 3, 4]


@pytest.mark.parametrize("label", ["zone=b", "a.b_c-d=E.1", "0=0", f"{'a' * 63}={'b' * 63}"])
def test_a_label_is_a_name_and_a_value(label):
    assert check_label(label, "f") == label
    check_labels(dict([label.split("=")]), "f")


@pytest.mark.parametrize(
    "label", ["", "=", "a=", "=a", "a", "a=b=c", "-a=b", "a=b\n", "a" * 64 + "=b"]
)
def test_anything_else_is_none(label):
    with pytest.raises(Invalid) as refused:
        check_label(label, "options.node_label")
    assert (refused.value.code, refused.value.field) == ("bad_label", "options.node_label")


def test_the_label_at_fault_is_named():
    check_labels({"a": None}, "labels")
    for wrong in ({"ok": "1", "a b": None}, {"a b": "1"}):
        with pytest.raises(Invalid) as refused:
            check_labels(wrong, "labels")
        assert refused.value.field == "labels.a b"


@pytest.mark.parametrize("name", ["studio-whisper-9172af", "a", "Mac.local-translator-00ff00"])
def test_a_node_id_can_stand_in_an_address(name):
    check_node_id(name, "node")


@pytest.mark.parametrize("name", ["", "a/b", "a b", "..", "ä", "a?b", "a" * 128])
def test_what_cannot_is_no_node_id(name):
    with pytest.raises(Invalid, match="FANSCRIBE_NODE"):
        check_node_id(name, "node")


def test_a_refusal_is_news_once_a_minute_and_stands_that_long():
    refusals = Refusals()

    assert [refusals.note("n", "m", now) for now in (0.0, 59.0, 60.0)] == [True, False, True]
    assert refusals.stands("n", "m", 119.0)
    assert not refusals.stands("n", "m", 120.0)
    assert not refusals.stands("n", "other", 60.0)
