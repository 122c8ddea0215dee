"""When the bell rings: for due jobs only, no more than the nodes can take, again if unheard."""

from __future__ import annotations

from collections import Counter

import pytest

from services.model.languages import LANGUAGES
from services.model.node import Node
from task_manager.pipeline.nodes import lose
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

    assert {"prepare": 2, "assemble": 1} == free_slots(nodes, Counter({"a": 1}), 0.0)


def test_a_bundle_of_jobs_takes_one_slot(pipeline, hand, accept, a_text, ring, bell):
    accept([a_text], ["zh", "ja", "de", "fr"])
    assert 3 == len(hand.claim("translate.stub-nmt", slots=3))

    announce(pipeline.ports, ring)

    assert 1 == len(bell)


def test_a_draining_node_offers_nothing(node):
    assert {} == free_slots([node("a", 2, ["prepare"], draining=True)], Counter(), 0.0)


def test_a_node_listens_to_the_queues_of_its_labels(node):
    labelled = node("a", 2, ["prepare"], labels={"zone": "b"})

    assert {"prepare": 2, "prepare@zone=b": 2} == free_slots([labelled], Counter(), 0.0)


def test_processes_that_do_not_live_take_nothing(node):
    nodes = [node("a", 4, ["prepare"], children=0), node("b", 4, ["prepare"], children=1)]

    assert {"prepare": 1} == free_slots(nodes, Counter(), 0.0)


@pytest.mark.parametrize("silent", [{"gone": True}, {"lost_at": 1.0}])
def test_nodes_that_are_not_there_offer_nothing(node, silent):
    assert {} == free_slots([node("a", 2, ["prepare"], **silent)], Counter(), 0.0)


def test_a_node_that_is_set_aside_counts_where_nobody_else_listens(node):
    nodes = [
        node("a", 4, ["prepare", "assemble"], set_aside_until=10.0),
        node("b", 1, ["prepare"]),
    ]

    assert {"prepare": 1, "assemble": 4} == free_slots(nodes, Counter(), 9.0)
    assert {"prepare": 5, "assemble": 4} == free_slots(nodes, Counter(), 10.0)


def test_a_busy_node_is_not_replaced_by_one_that_is_set_aside(node):
    nodes = [node("a", 4, ["prepare"], set_aside_until=10.0), node("b", 1, ["prepare"])]

    assert {"prepare": 0} == free_slots(nodes, Counter({"b": 1}), 0.0)


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


def test_jobs_of_a_label_that_nobody_has_hold_up_no_others(
    pipeline, hand, accept, a_text, ring, bell
):
    languages = [language for language in LANGUAGES if language != "en"][:100]
    accept([a_text], languages, node_label="zone=b", priority=0)
    accept([a_text], ["zh"])

    announce(pipeline.ports, ring)

    assert ["translate.stub-nmt"] == [queue for queue, _ in bell]


def test_of_a_refused_batch_nothing_waits_longer_than_to_the_next_look(
    pipeline, hand, accept, a_text, ring, bell
):
    accept([a_text], ["zh", "ja"])

    def breaking(queue: str, job_id: str) -> None:
        raise ConnectionError("no broker")

    assert 0 == announce(pipeline.ports, breaking)
    assert 2 == announce(pipeline.ports, ring)


def test_a_message_that_the_broker_refused_is_sent_at_the_next_look(
    pipeline, hand, accept, a_text, ring, bell
):
    accept([a_text], ["zh"])

    def broken(queue: str, job_id: str) -> None:
        raise ConnectionError("no broker")

    assert 0 == announce(pipeline.ports, broken)
    assert 1 == announce(pipeline.ports, ring)


def test_a_job_whose_bell_brought_a_more_urgent_one_its_turn_is_rung_again(
    pipeline, hand, accept, a_text, ring, bell
):
    accept([a_text], ["zh"])
    announce(pipeline.ports, ring)
    [(queue, rung)] = bell
    accept([a_text], ["zh"], priority=0)  # after the look of the ticker: nobody rang for it

    [grant] = hand.claim(queue, job=rung)
    assert grant.job != rung
    announce(pipeline.ports, ring)

    assert [(queue, rung), (queue, rung)] == bell


def test_a_worker_that_starts_anew_hears_again_what_it_may_have_taken_with_it(
    pipeline, hand, accept, a_text, ring, bell
):
    accept([a_text], ["zh", "ja", "de", "fr"])
    announce(pipeline.ports, ring)

    hand.register()
    announce(pipeline.ports, ring)

    assert bell[:2] == bell[2:]


def test_what_a_lost_worker_may_have_taken_with_it_is_told_to_another(
    pipeline, hand, other_hand, accept, a_text, ring, bell
):
    accept([a_text], ["zh"])
    announce(pipeline.ports, ring)
    assert 1 == len(bell)

    silent = pipeline.ports.store.node(hand.node)
    assert lose(pipeline.ports, silent.id, silent.seen_at)
    announce(pipeline.ports, ring)

    assert 2 == len(bell)
