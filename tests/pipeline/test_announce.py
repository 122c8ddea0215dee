"""When the bell rings: for due jobs only, no more than the nodes can take, again if unheard."""

from __future__ import annotations

from collections import Counter

import pytest

from services.model.node import Node
from task_manager.ticker.announce import announce, free_slots


@pytest.fixture
def node():
    def make(name: str, slots: int, queues: list[str], **more) -> Node:
        return Node(
            id=name, kind="whisper", host="here", pid=1, queues=queues, models=[], slots=slots,
            version="0", registered_at=0.0, seen_at=0.0, **more,
        )  # fmt: skip

    return make


@pytest.fixture
def bell():
    """What was announced, in order."""
    return []


@pytest.fixture
def ring(bell):
    return lambda queue, job_id: bell.append((queue, job_id))


def test_a_running_job_takes_a_slot_of_every_queue_its_node_serves(node):
    nodes = [node("a", 2, ["prepare", "assemble"]), node("b", 1, ["prepare"])]

    assert {"prepare": 2, "assemble": 1} == free_slots(nodes, Counter({"a": 1}))


def test_a_draining_node_offers_nothing(node):
    assert {} == free_slots([node("a", 2, ["prepare"], draining=True)], Counter())


def test_no_more_is_announced_than_there_are_free_slots(pipeline, hand, accept, a_text, ring, bell):
    accept([a_text], ["zh", "ja", "de", "fr"])

    announce(pipeline.ports, ring)

    assert 2 == len(bell)


def test_without_a_node_nobody_is_called(pipeline, accept, a_text, ring, bell):
    accept([a_text], ["zh"])

    announce(pipeline.ports, ring)

    assert [] == bell


def test_a_job_is_announced_once_until_a_minute_has_passed(
    pipeline, hand, accept, a_text, ring, bell, settings
):
    accept([a_text], ["zh"])
    announce(pipeline.ports, ring)
    announce(pipeline.ports, ring)
    assert 1 == len(bell)

    settings.announce_again_s = 1e-9
    announce(pipeline.ports, ring)

    assert 2 == len(bell)


def test_a_message_that_the_broker_refused_is_sent_at_the_next_look(
    pipeline, hand, accept, a_text, ring, bell
):
    accept([a_text], ["zh"])

    def broken(queue: str, job_id: str) -> None:
        raise ConnectionError("no broker")

    assert 0 == announce(pipeline.ports, broken)
    assert 1 == announce(pipeline.ports, ring)
