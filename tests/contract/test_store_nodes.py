"""What every store promises of nodes: what they say, what is decided and what is learnt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from store_factories import NOW, a_node

from services.model.node import Trouble
from services.model.speed import Speed
from task_manager.store.protocol import Store

AWKWARD_LABELS = {"a.b": "$c", "$d": ""}
DECIDED = {
    "draining": True,
    "operator_labels": {"a.b": None, "$site": "文"},
    "troubles": [Trouble(at=NOW, job="t/1")],
    "set_aside_until": NOW + 600,
    "lost_at": NOW + 5,
}


def test_a_node_comes_back_as_it_was_written(store: Store) -> None:
    node = a_node(
        labels=AWKWARD_LABELS,
        languages=["zh"],
        memory_mb=9,
        children=2,
        free_mb=7,
        health_url="http://h:1/healthz",
        draining=True,
        set_aside_until=NOW,
        troubles=[Trouble(at=NOW, job="j")],
        operator_labels={"x.y": None},
        speeds={"transcribe.m.1": Speed(count=1.0, seconds=0.1)},
    )
    store.put_node(node)

    assert store.node("n") == node
    assert store.nodes() == [node]
    assert store.node("nobody") is None


def test_a_node_that_registers_again_keeps_what_was_decided_and_learnt(store: Store) -> None:
    speeds = {"transcribe.m": Speed(count=1.0, sizes=30.0, seconds=3.0)}
    store.put_node(a_node(labels=AWKWARD_LABELS))
    store.change_node("n", DECIDED)
    store.add_speeds("n", speeds)

    store.put_node(a_node(pid=2, children=3, lost_at=NOW))

    kept = {name: value for name, value in DECIDED.items() if name != "lost_at"}
    assert store.node("n") == a_node(pid=2, children=3, speeds=speeds, **kept)
    assert len(store.nodes()) == 1


def test_a_beat_of_a_node_tells_when_and_how_it_is(store: Store) -> None:
    store.put_node(a_node())

    beaten = store.beat_node("n", NOW + 1, 2, gone=True, children=3, free_mb=400)

    expected = a_node(seen_at=NOW + 1, running=2, gone=True, children=3, free_mb=400)
    assert beaten == store.node("n") == expected
    assert store.beat_node("nobody", NOW, 0, gone=False) is None


def test_a_node_that_beats_is_lost_no_more(store: Store) -> None:
    store.put_node(a_node())
    store.change_node("n", DECIDED)

    beaten = store.beat_node("n", NOW + 9, 0, gone=False)

    assert beaten == a_node(**{**DECIDED, "seen_at": NOW + 9, "lost_at": None})


def test_what_is_decided_of_a_node_is_written_as_it_was_said(store: Store) -> None:
    store.put_node(a_node(labels=AWKWARD_LABELS))

    assert store.change_node("n", DECIDED) == a_node(labels=AWKWARD_LABELS, **DECIDED)
    assert store.node("n") == a_node(labels=AWKWARD_LABELS, **DECIDED)
    assert store.change_node("nobody", DECIDED) is None
    assert store.node("nobody") is None


def test_a_field_that_a_node_does_not_have_is_an_error(store: Store) -> None:
    store.put_node(a_node())

    with pytest.raises(ValueError, match="drainning"):
        store.change_node("n", {"drainning": True})


def test_the_newest_troubles_of_a_node_are_kept(store: Store) -> None:
    store.put_node(a_node())
    troubles = [Trouble(at=NOW + number, job=f"t.{number}") for number in range(5)]

    changed = [store.add_trouble("n", trouble, 3) for trouble in troubles]

    assert changed[0] == a_node(troubles=troubles[:1])
    assert changed[-1] == store.node("n") == a_node(troubles=troubles[2:])
    assert store.add_trouble("nobody", troubles[0], 3) is None


def test_no_trouble_is_forgotten_when_many_add_theirs(store: Store) -> None:
    store.put_node(a_node())

    def add(number: int) -> None:
        store.add_trouble("n", Trouble(at=NOW, job=str(number)), 99)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(40)))

    node = store.node("n")
    assert node is not None
    assert sorted(range(40)) == sorted(int(trouble.job) for trouble in node.troubles)


def test_speeds_add_up_as_if_they_were_seen_one_by_one(store: Store) -> None:
    store.put_node(a_node())
    seen = [(10.0, 2.0), (30.0, 5.0), (60.0, 9.0)]
    one_by_one, since = Speed(), Speed()
    for size, seconds in seen:
        one_by_one = one_by_one.seen(size, seconds)
    for size, seconds in seen[1:]:
        since = since.plus(Speed().seen(size, seconds))

    store.add_speeds("n", {"transcribe.a.b": Speed().seen(*seen[0]), "$q": Speed(count=1.0)})
    store.add_speeds("n", {"transcribe.a.b": since})

    node = store.node("n")
    assert node is not None
    first = Speed().seen(*seen[0]).faded(0.95**2)
    assert node.speeds == {
        "transcribe.a.b": first.plus(since),
        "$q": Speed(count=1.0),
    }
    assert node.speeds["transcribe.a.b"].expect(45) == pytest.approx(one_by_one.expect(45), rel=0.1)


def test_speeds_of_a_node_that_is_not_there_are_dropped(store: Store) -> None:
    store.add_speeds("nobody", {"q": Speed(count=1.0)})

    assert store.nodes() == []


def test_no_measurement_is_lost_when_several_managers_add_theirs(store: Store) -> None:
    store.put_node(a_node())

    def add(_: int) -> None:
        store.add_speeds("n", {"q": Speed(count=0.0, seconds=1.0)})  # of no weight: nothing fades

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(40)))

    node = store.node("n")
    assert node is not None
    assert node.speeds == {"q": Speed(seconds=40.0)}


def test_nodes_that_were_not_seen_are_forgotten(store: Store) -> None:
    for node_id, seen_at in [("a", NOW - 9), ("b", NOW), ("c", NOW - 1)]:
        store.put_node(a_node(node_id, seen_at=seen_at))

    assert store.drop_nodes(NOW) == 2
    assert ["b"] == [node.id for node in store.nodes()]
