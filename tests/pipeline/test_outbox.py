"""Who is told of what, and what becomes of a delivery when a manager dies or sleeps over it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from crashing import Crash, Point, Tap, Tapped
from hand import Hand
from world import START, SteeredSqlite

from benchmarks.faults.receiver import Receiver, receiving, status
from services.model.catalog import STUBS, Catalog
from services.model.errors import Conflict, FailureClass
from services.model.task import Manifest, Options, Target
from services.model.webhook import OF_TASK, WAITS_S, Delivery, Endpoint, Secret, TaskWebhook
from services.posting import Posted
from services.storage.local import LocalStore
from task_manager.pipeline import Pipeline, outbox
from task_manager.pipeline.notices import FULL_BYTES
from task_manager.pipeline.settle import settle
from task_manager.ticker.deliver import HOLD_S, LaneState, Postman

SECRET = Secret(value="whsec_" + "bW1t" * 8)
EVENT = "task.succeeded"


@pytest.fixture
def steered_store(tmp_path: Path) -> Iterator[SteeredSqlite]:
    store = SteeredSqlite(tmp_path / "steered.sqlite")
    yield store
    store.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def manager(steered_store, settings, tmp_path):
    """Makes managers on the one store; they may tell this machine."""
    told = settings.model_copy(update={"private_networks": "127.0.0.1/32"})

    def make(store: object = steered_store) -> Pipeline:
        objects = LocalStore(tmp_path / "objects", access="path", base_url="", secret="")
        made = Pipeline(store, objects, Catalog(STUBS), told)
        made.ports.draw = lambda: 0.0
        return made

    return make


@pytest.fixture
def postman(manager):
    made = Postman(manager().ports)
    yield made
    made.close()


def a_webhook(store: SteeredSqlite, url: str, **fields) -> Endpoint:
    known = {"id": "wh_1", "owner": "local", "secrets": [SECRET], "created_at": START}
    endpoint = Endpoint(**{**known, "url": url, **fields})
    store.insert_endpoint(endpoint)
    return endpoint


def events_of(store, task) -> list[str]:
    return sorted(each.event for each in store.deliveries(task_id=task.id, limit=100))


# ── who is told ──────────────────────────────────────────────────────────────────────────────


def test_nobody_is_told_where_nobody_listens(pipeline, hand, accept, an_audio, settled):
    task = accept([an_audio], ["zh"])
    hand.work()
    settled(task)

    assert events_of(pipeline.ports.store, task) == []


def test_each_receiver_is_told_of_what_it_asked_for(
    pipeline, hand, accept, an_audio, a_text, settled
):
    store = pipeline.ports.store
    for name, events in [("wh_1", ["task.succeeded"]), ("wh_2", ["language.completed"])]:
        a_webhook(store, "https://example.com/", id=name, events=events)
    a_webhook(store, "https://example.com/", id="wh_3", enabled=False)
    a_webhook(store, "https://example.com/", id="wh_4", owner="other")
    own = TaskWebhook(url="https://example.org/", events=["item.transcribed"], secret="s")

    task = accept([an_audio, a_text], ["zh", "en"], webhook=own)
    hand.work()
    settled(task)

    told = store.deliveries(task_id=task.id, limit=100)
    assert sorted((each.endpoint, each.event) for each in told) == [
        (OF_TASK, "item.transcribed"),
        ("wh_1", "task.succeeded"),
        ("wh_2", "language.completed"),
        ("wh_2", "language.completed"),
    ]
    lanes = {(each.endpoint, each.lane) for each in told}
    assert (OF_TASK, "local/example.org") in lanes
    assert ("wh_1", "local/example.com") in lanes


def test_a_language_is_complete_with_its_last_cell_and_not_before(pipeline, hand, accept, a_text):
    other = a_text.model_copy(update={"text_id": "3"})
    own = TaskWebhook(url="https://example.org/", secret="s")
    task = accept([a_text, other], ["zh"], webhook=own)
    first, second = hand.claim("translate.stub-nmt"), hand.claim("translate.stub-nmt")
    tokens = [pipeline.ports.store.job(each.job).lease.token for each in (*first, *second)]

    hand.finish(first[0], token=tokens[0])
    assert events_of(pipeline.ports.store, task) == []

    hand.finish(second[0], token=tokens[1])
    assert events_of(pipeline.ports.store, task) == ["language.completed"]


def test_two_last_cells_at_once_complete_the_language_once(pipeline, accept, a_text):
    texts = [a_text.model_copy(update={"text_id": str(number)}) for number in range(8)]
    own = TaskWebhook(url="https://example.org/", secret="s")
    task = accept(texts, ["zh"], webhook=own)
    hands = [Hand(pipeline, node=f"node-{number}") for number in range(8)]
    claimed = []
    for hand in hands:
        hand.register()
        claimed.append((hand, hand.claim("translate.stub-nmt")[0]))
    threads = [threading.Thread(target=hand.finish, args=(grant,)) for hand, grant in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert events_of(pipeline.ports.store, task) == ["language.completed"]


def test_texts_that_are_long_or_cannot_be_read_are_left_to_be_fetched(
    pipeline, hand, accept, a_text, settled
):
    long = a_text.model_copy(update={"text_id": "long", "text": "x" * (FULL_BYTES + 1)})
    own = TaskWebhook(url="https://example.org/", payload="full", secret="s")
    first = accept([long], ["en", "zh"], webhook=own)
    (grant,) = hand.claim("translate.stub-nmt")
    hand.fail(grant, FailureClass.PERMANENT)
    settled(first)

    bodies = {
        each.event: json.loads(each.body)["data"]
        for each in pipeline.ports.store.deliveries(task_id=first.id, limit=9)
    }
    assert sorted(bodies) == ["job.dead", "language.completed", "task.partial"]
    assert bodies["language.completed"]["truncated"] is True
    assert bodies["task.partial"]["truncated"] is True
    assert "truncated" not in bodies["job.dead"]
    assert all("result" not in each for each in bodies.values())


def test_good_and_bad_news_go_to_their_topics(sqlite_store, settings, tmp_path, a_text):
    topics = {"success_topic": "redis://h#good", "error_topic": "redis://h#bad"}
    objects = LocalStore(tmp_path / "objects", access="path", base_url="", secret="")
    told = settings.model_copy(update=topics)
    made = Pipeline(sqlite_store, objects, Catalog(STUBS), told)
    hand = Hand(made)
    hand.register()
    world = {"owner": "local", "priority": 5, "metadata": {}, "idempotency_key": None}
    targets = [Target(language=name, spelling=name) for name in ("zh", "ja")]
    manifest = Manifest(
        items=[a_text], targets=targets, options=Options(transcribe_model="stub-whisper")
    )
    task, _ = made.accept(task_id="t1", manifest=manifest, **world)
    (grant,) = hand.claim("translate.stub-nmt")
    hand.fail(grant, FailureClass.PERMANENT)
    hand.work()
    settle(made.ports, task.id)

    told_of = {
        (each.endpoint, each.event) for each in sqlite_store.deliveries(task_id="t1", limit=9)
    }
    assert told_of == {
        ("error_topic", "job.dead"),
        ("error_topic", "task.partial"),
        ("success_topic", "language.completed"),
    }


# ── what becomes of a delivery ───────────────────────────────────────────────────────────────


def test_the_schedule_is_kept_to_the_second(manager, steered_store):
    ports = manager().ports
    a_webhook(steered_store, "https://example.com/")
    made = outbox.ping(ports, steered_store.endpoint("wh_1"))
    waits = []
    while True:
        claimed = steered_store.claim_delivery(made.lane, steered_store.at, steered_store.at + 60)
        if claimed is None:
            break
        failed = Posted(status=500, error="HTTP 500.")
        outbox.sent(ports, claimed, failed, at=steered_store.at, seconds=0.1)
        after = steered_store.delivery(made.id)
        if after.open:
            waits.append(after.due - steered_store.at)
            steered_store.at = after.due

    assert waits == list(WAITS_S)
    assert (after.state, after.failures, after.attempt, len(after.tries)) == ("dead", 8, 8, 8)
    assert sum(waits) == pytest.approx(27.6 * 3600, rel=0.01)


def test_a_delivery_that_is_pending_is_not_replayed(manager, steered_store):
    ports = manager().ports
    made = outbox.ping(ports, a_webhook(steered_store, "https://example.com/"))

    with pytest.raises(Conflict):
        outbox.replay(ports, made)


def send_next(postman: Postman, made: Delivery) -> bool:
    return postman._send_next(made.lane, LaneState(running=2))


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_manager_that_dies_over_a_delivery_leaves_it_to_another_one(
    manager, steered_store, receiver, where
):
    """It dies when the receiver has it, before or after this is written down."""
    tap = Tap()
    dying = Postman(manager(Tapped(steered_store, tap)).ports)
    going_on = Postman(manager().ports)
    made = outbox.ping(going_on._ports, a_webhook(steered_store, receiver.url))
    tap.listen(Point(1, where, "move_delivery"))

    with pytest.raises(Crash):
        send_next(dying, made)
    assert tap.names == ["claim_delivery", "move_delivery"]
    assert not send_next(going_on, made)  # it is still held
    steered_store.at += HOLD_S
    again = send_next(going_on, made)

    assert again == (where == "before")
    assert {each.id for each in receiver.received} == {made.id}
    assert len(receiver.received) == (2 if again else 1)
    assert steered_store.delivery(made.id).state == "delivered"
    for each in (dying, going_on):
        each.close()


def test_a_manager_that_slept_over_a_try_writes_nothing(manager, steered_store, receiver):
    ports = manager().ports
    made = outbox.ping(ports, a_webhook(steered_store, receiver.url))
    slept_over = steered_store.claim_delivery(made.lane, steered_store.at, steered_store.at + 60)
    steered_store.at += 60
    postman = Postman(ports)
    send_next(postman, made)

    outbox.sent(ports, slept_over, Posted(error="late"), at=0.0, seconds=0.0)

    assert steered_store.delivery(made.id).state == "delivered"
    postman.close()


def test_two_managers_never_send_the_same_delivery(manager, steered_store, receiver):
    endpoint = a_webhook(steered_store, receiver.url)
    first, second = Postman(manager().ports), Postman(manager().ports)
    sent = {outbox.ping(first._ports, endpoint).id for _ in range(40)}
    pause = threading.Event()

    while steered_store.next_lane("") is not None:
        for each in (first, second):
            each.look()
        pause.wait(0.01)

    assert sorted(each.id for each in receiver.received) == sorted(sent)
    for each in (first, second):
        each.close()


def test_a_busy_host_is_given_time(postman, steered_store, receiver):
    made = outbox.ping(postman._ports, a_webhook(steered_store, receiver.url))
    receiver.script = [status(503), status(500)]
    state = LaneState(running=2)

    postman._send_next(made.lane, state)
    assert state.slow == 1
    assert state.until > 0

    steered_store.at = steered_store.delivery(made.id).due
    postman._send_next(made.lane, state)
    assert state.slow == 0
