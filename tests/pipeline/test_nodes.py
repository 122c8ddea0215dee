"""Nodes that are in trouble, drain, fall silent or have no room: who is given what instead."""

from __future__ import annotations

import pytest

from services.model.errors import FailureClass, Invalid, NotFound
from services.model.job import Lease, Stage, queue_name
from services.model.messages import Claim, Granted, NodeBeat, Register, Registered
from services.model.node import NodeState
from task_manager.pipeline import nodes
from task_manager.ticker.announce import announce
from task_manager.ticker.nodes import mark_lost
from task_manager.ticker.reap import Watch, reap

TRANSLATE = "translate.stub-nmt"
OOM = (FailureClass.RESOURCE_EXHAUSTED, "out_of_memory")


def lease_of(hand, number: int) -> Lease:
    """One of a claim of its own."""
    return Lease(node=hand.node, token=f"token-{number}")


@pytest.fixture
def settings(settings):
    settings.retry_scale = 1e-9  # every retry is due at once
    return settings


@pytest.fixture
def store(pipeline):
    return pipeline.ports.store


@pytest.fixture
def ask(pipeline):
    """Claims and gives the whole answer."""
    count = iter(range(1000))

    def claim(hand, queue: str = TRANSLATE, **more) -> Granted:
        hand.token = f"{hand.node}-token-{next(count):08d}"
        models = ["stub-whisper", "stub-nmt"]
        told = {"node": hand.node, "token": hand.token, "queue": queue, "job": "", **more}
        return pipeline.claim(Claim(models=models, **told))

    return claim


@pytest.fixture
def beat(pipeline):
    """A node says that it lives."""

    def tell(hand, **more) -> Registered:
        return pipeline.node_beat(NodeBeat(node=hand.node, **more))

    return tell


@pytest.fixture
def bells(pipeline):
    """The jobs that a look of the ticker announces."""

    def look() -> list[str]:
        rung: list[str] = []
        announce(pipeline.ports, lambda _, job: rung.append(job))
        return rung

    return look


@pytest.fixture
def put_aside(pipeline):
    def put(hand) -> None:
        for number in range(3):
            nodes.trouble(pipeline.ports, lease_of(hand, number), f"job-{number}")

    return put


def state(store, hand) -> str:
    return store.node(hand.node).state(store.now())


# ── what a node is told ──────────────────────────────────────────────────────────────────────


def test_a_node_is_told_which_queues_to_consume_and_how_much_waits_in_them(
    hand, accept, a_text, beat, settings
):
    accept([a_text], ["zh", "ja", "de"])
    settings.tick_every_s = 1e-9

    told = beat(hand)

    assert TRANSLATE in told.listen
    assert (told.due, told.draining) == (3, False)


def test_nothing_is_said_to_wait_while_the_broker_takes_no_message(
    pipeline, hand, accept, a_text, beat, settings
):
    accept([a_text], ["zh", "ja", "de"])
    settings.tick_every_s = 1e-9

    def broken(queue: str, job_id: str) -> None:
        raise ConnectionError("no broker")

    announce(pipeline.ports, broken)
    assert beat(hand).due == 0

    announce(pipeline.ports, lambda *_: None)
    assert beat(hand).due == 3


def test_a_beat_soon_after_another_reads_no_queue(hand, accept, a_text, beat):
    beat(hand)
    accept([a_text], ["zh"])

    assert beat(hand).due == 0


def test_a_label_adds_queues_to_those_a_node_listens_to(pipeline, hand, beat):
    nodes.relabel(pipeline.ports, hand.node, {"zone": "b"})

    assert {TRANSLATE, f"{TRANSLATE}@zone=b"} <= set(beat(hand).listen)


def test_an_operators_label_outlives_a_registration_and_can_hide_the_nodes_own(pipeline, hand):
    nodes.relabel(pipeline.ports, hand.node, {"zone": "b"})
    hello = Register(
        node=hand.node, kind="whisper", host="h", pid=2, queues=[], models=[], slots=1,
        version="0", labels={"zone": "a", "disk": "ssd"},
    )  # fmt: skip
    pipeline.register(hello)
    assert nodes.find(pipeline.ports, hand.node).all_labels == {"zone": "b", "disk": "ssd"}

    nodes.relabel(pipeline.ports, hand.node, {"zone": None, "disk": None, "none": None})

    node = nodes.find(pipeline.ports, hand.node)
    assert (node.all_labels, set(node.operator_labels)) == ({}, {"zone", "disk"})


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"node": "a/b"}, "bad_node_id"),
        ({"node": ""}, "bad_node_id"),
        ({"labels": {"a": "b c"}}, "bad_label"),
        ({"labels": {"a@b": "c"}}, "bad_label"),
    ],
)
def test_a_node_with_an_odd_name_or_label_is_not_registered(pipeline, store, wrong, code):
    known = {"node": "n", "kind": "whisper", "host": "h", "pid": 1, "queues": [], "models": []}
    with pytest.raises(Invalid) as refused:
        pipeline.register(Register(**{**known, "slots": 1, "version": "0", **wrong}))

    assert refused.value.code == code
    assert store.nodes() == []


# ── draining ─────────────────────────────────────────────────────────────────────────────────


def test_a_draining_node_is_given_nothing_new_and_keeps_what_it_has(
    pipeline, hand, accept, a_text, ask, beat
):
    accept([a_text], ["zh", "ja"])
    (kept,) = hand.claim(TRANSLATE)
    nodes.drain(pipeline.ports, hand.node)

    assert [grant.job for grant in hand.claim_again(TRANSLATE)] == [kept.job]
    assert hand.finish(kept) == 200
    told = ask(hand)
    assert (told.grants, told.draining, told.rest_s) == ([], True, 0.0)
    assert (beat(hand).listen, beat(hand).draining) == ([], True)

    nodes.resume(pipeline.ports, hand.node)
    assert len(ask(hand).grants) == 1


def test_what_a_draining_node_heard_of_is_rung_again_for_somebody_else(
    pipeline, hand, other_hand, accept, a_text, ask, bells
):
    accept([a_text], ["zh"])
    (rung,) = bells()
    nodes.drain(pipeline.ports, hand.node)
    woken = []
    pipeline.ports.wake = lambda: woken.append("announce")

    assert ask(hand, job=rung).rest_s == 0.5

    assert woken
    assert bells() == [rung]
    assert [grant.job for grant in ask(other_hand, job=rung).grants] == [rung]


def test_an_unknown_node_cannot_be_ordered_anything(pipeline):
    for order in (nodes.drain, nodes.resume, nodes.find):
        with pytest.raises(NotFound):
            order(pipeline.ports, "nobody")


# ── set aside ────────────────────────────────────────────────────────────────────────────────


def test_memory_errors_of_three_jobs_set_a_node_aside(
    hand, other_hand, accept, a_text, store, ask, beat
):
    accept([a_text], ["zh", "ja", "de", "fr"])
    for _ in range(3):
        assert state(store, hand) == NodeState.LIVE
        (grant,) = hand.claim(TRANSLATE)
        hand.fail(grant, *OOM)

    assert state(store, hand) == NodeState.SET_ASIDE
    assert beat(hand).listen == []
    assert ask(hand).grants == []
    assert len(ask(other_hand).grants) == 1


def test_one_poison_file_does_not_set_a_healthy_node_aside(hand, accept, a_text, store):
    accept([a_text], ["zh"])
    for _ in range(3):
        (grant,) = hand.claim(TRANSLATE)
        hand.fail(grant, *OOM)

    assert len(store.node(hand.node).troubles) == 3
    assert state(store, hand) == NodeState.LIVE


def test_jobs_that_fail_on_a_second_node_too_are_to_blame_themselves(
    hand, other_hand, accept, a_text, store
):
    accept([a_text], ["zh", "ja", "de"])
    for _ in range(3):
        (grant,) = hand.claim(TRANSLATE)
        hand.fail(grant, *OOM)
    assert state(store, hand) == NodeState.SET_ASIDE

    held = [(other_hand.claim(TRANSLATE)[0], other_hand.token) for _ in range(3)]
    for grant, other_hand.token in held:
        other_hand.fail(grant, *OOM)

    assert [NodeState.LIVE] * 2 == [state(store, each) for each in (hand, other_hand)]
    assert store.node(hand.node).troubles == store.node(other_hand.node).troubles == []


def test_other_failures_are_not_the_nodes_trouble(hand, accept, a_text, store):
    accept([a_text], ["zh"])
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.RESOURCE_EXHAUSTED, "no_space")
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, FailureClass.NETWORK_TIMEOUT)

    assert store.node(hand.node).troubles == []


def test_troubles_of_long_ago_do_not_count(pipeline, hand, store, settings):
    settings.set_aside_s = 1e-9
    for number in range(5):
        nodes.trouble(pipeline.ports, lease_of(hand, number), f"job-{number}")

    assert state(store, hand) == NodeState.LIVE


def test_a_node_that_was_set_aside_serves_where_nobody_else_can(
    pipeline, hand, other_hand, accept, a_text, put_aside, ask, beat, bells
):
    accept([a_text], ["zh", "ja"])
    put_aside(hand)
    assert beat(hand).listen == []

    nodes.drain(pipeline.ports, other_hand.node)

    assert TRANSLATE in beat(hand).listen
    assert len(bells()) == 2
    assert len(ask(hand).grants) == 1


def test_two_nodes_that_are_set_aside_both_serve(hand, other_hand, accept, a_text, put_aside, ask):
    accept([a_text], ["zh", "ja"])
    put_aside(hand)
    put_aside(other_hand)

    assert [len(ask(each).grants) for each in (hand, other_hand)] == [1, 1]


def test_a_loss_is_a_trouble_and_a_worker_that_comes_back_in_time_is_forgiven(
    pipeline, hand, accept, a_text, store
):
    accept([a_text], ["zh", "ja", "de"])
    held = []
    for _ in range(3):
        (grant,) = hand.claim(TRANSLATE)
        assert hand.beat(grant) == "held"
        held.append((grant, hand.token))
    watch = Watch(lost_after_s=2.0)
    for at in (0.0, 1.0, 2.0):
        reap(pipeline.ports, watch, at)
    assert state(store, hand) == NodeState.SET_ASIDE

    grant, token = held[0]
    assert hand.beat(grant, token) == "held"
    assert state(store, hand) == NodeState.LIVE
    grant, token = held[1]
    assert hand.finish(grant, token) == 200

    assert [each.job for each in store.node(hand.node).troubles] == [held[2][0].job]


def test_a_lease_that_never_beat_is_no_trouble(pipeline, hand, accept, a_text, store):
    accept([a_text], ["zh"])
    hand.claim(TRANSLATE)
    watch = Watch(lost_after_s=1.0)
    for at in (0.0, 1.0):
        reap(pipeline.ports, watch, at)

    assert store.node(hand.node).troubles == []


# ── nodes that a job should avoid ────────────────────────────────────────────────────────────


def test_an_avoided_node_rests_and_the_bell_rings_for_another(
    hand, other_hand, accept, a_text, ask, bells
):
    accept([a_text], ["zh"])
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, *OOM)
    (rung,) = bells()

    told = ask(hand, job=rung)

    assert (told.grants, told.rest_s) == ([], 0.5)
    assert bells() == [rung]
    assert len(ask(other_hand).grants) == 1


def test_the_bell_that_an_avoided_node_heard_rings_again_not_that_of_an_older_job(
    hand, other_hand, accept, a_text, ask, bells
):
    accept([a_text], ["zh", "ja"])
    for grant in ask(hand, slots=2).grants:
        hand.fail(grant, *OOM)
    rung = bells()
    assert len(rung) == 2

    for heard in rung:
        assert ask(hand, job=heard).rest_s == 0.5
        assert bells() == [heard]


def test_an_avoided_node_does_not_rest_while_the_others_are_busy(
    hand, other_hand, accept, a_text, ask, beat, bells
):
    accept([a_text], ["zh"])
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, *OOM)
    (rung,) = bells()
    beat(other_hand, running=2)

    assert ask(hand, job=rung).rest_s == 0.0
    assert bells() == [rung]


def test_an_avoided_node_serves_where_it_is_the_only_one(hand, accept, a_text, ask):
    accept([a_text], ["zh"])
    (grant,) = hand.claim(TRANSLATE)
    hand.fail(grant, *OOM)

    assert len(ask(hand).grants) == 1


def test_a_job_that_every_node_should_avoid_still_runs(hand, other_hand, accept, a_text, ask):
    accept([a_text], ["zh"])
    for each in (hand, other_hand):
        (grant,) = ask(each).grants
        each.fail(grant, *OOM)

    assert len(ask(hand).grants) == 1


# ── memory ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "won"),
    [
        ({"free_mb": 49}, 0),
        ({"free_mb": 50}, 1),
        ({"free_mb": 0, "loaded": ["stub-nmt"]}, 1),
        ({"free_mb": 0, "loaded": ["stub-whisper"]}, 0),
        ({}, 1),
    ],
)
def test_a_model_is_given_only_where_it_fits_or_is_loaded(hand, accept, a_text, ask, said, won):
    accept([a_text], ["zh"])

    told = ask(hand, **said)

    assert (len(told.grants), told.rest_s) == (won, 0.0)


def test_a_job_without_a_model_needs_no_room(hand, accept, an_audio, ask):
    accept([an_audio], ["zh"])

    assert len(ask(hand, "prepare", free_mb=0).grants) == 1


def test_what_has_no_room_here_is_rung_again_for_another_but_not_for_ever(
    hand, other_hand, accept, a_text, ask, bells
):
    accept([a_text], ["zh"])
    (rung,) = bells()

    assert ask(hand, job=rung, free_mb=1).rest_s == 0.5
    assert bells() == [rung]
    assert ask(other_hand, job=rung, free_mb=1).rest_s == 0.0
    assert bells() == []


def test_a_node_without_room_is_not_waited_for_by_one_that_should_be_avoided(
    hand, other_hand, accept, a_text, ask
):
    accept([a_text], ["zh"])
    (grant,) = ask(hand).grants
    hand.fail(grant, *OOM)
    assert ask(hand).grants == []
    assert ask(other_hand, free_mb=1).grants == []

    assert len(ask(hand).grants) == 1


# ── silence ──────────────────────────────────────────────────────────────────────────────────


def test_a_silent_node_is_marked_lost_once_and_a_beat_takes_the_mark_away(
    pipeline, hand, store, beat
):
    watch = Watch(lost_after_s=25.0)
    looks = [mark_lost(pipeline.ports, watch, at) for at in (0, 9, 18, 25, 26)]
    assert looks == [0, 0, 0, 1, 0]
    assert state(store, hand) == NodeState.LOST
    assert pipeline.live_nodes() == []

    beat(hand)

    assert state(store, hand) == NodeState.LIVE


def test_a_gap_in_the_managers_own_looking_marks_nobody(pipeline, hand):
    watch = Watch(lost_after_s=25.0)

    assert [mark_lost(pipeline.ports, watch, at) for at in (0, 9, 600, 609)] == [0, 0, 0, 0]


def test_a_node_that_beats_is_never_lost(pipeline, hand, beat):
    watch = Watch(lost_after_s=25.0)
    for at in range(0, 90, 9):
        beat(hand)
        assert mark_lost(pipeline.ports, watch, at) == 0


def test_a_node_that_left_is_gone_and_not_lost(pipeline, hand, store, beat):
    beat(hand, leaving=True)
    watch = Watch(lost_after_s=25.0)

    assert [mark_lost(pipeline.ports, watch, at) for at in (0, 9, 18, 27)] == [0, 0, 0, 0]
    assert state(store, hand) == NodeState.GONE


def test_a_job_that_asks_for_a_label_is_done_where_it_is(
    pipeline, hand, other_hand, accept, a_text, ask
):
    labelled = queue_name(Stage.TRANSLATE, "stub-nmt", "zone=b")
    nodes.relabel(pipeline.ports, other_hand.node, {"zone": "b"})
    accept([a_text], ["zh"], node_label="zone=b")

    assert [ask(hand, queue).grants for queue in (TRANSLATE, labelled)] == [[], []]
    assert len(ask(other_hand, labelled).grants) == 1
