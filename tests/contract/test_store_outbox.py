"""What every store promises of webhooks: an outbox that loses and doubles nothing."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from store_factories import NOW, a_delivery, a_task, an_endpoint, an_output, some_children

from services.model.webhook import Delivery, Happening, Secret, Try
from task_manager.store.outbox import Lane
from task_manager.store.protocol import Store

LANE = "o/example.com"
LATER = NOW + 60


def some(store: Store, *deliveries: Delivery) -> None:
    store.insert_deliveries(deliveries)


def test_an_endpoint_comes_back_as_it_was_written(store: Store) -> None:
    endpoint = an_endpoint(
        events=list(Happening), payload="full", description="文", enabled=False,
        disabled_reason="410", disabled_at=NOW,
    )  # fmt: skip
    store.insert_endpoint(endpoint)

    assert store.endpoint("wh_1") == endpoint
    assert store.endpoint("wh_2") is None


def test_endpoints_are_those_of_their_owner(store: Store) -> None:
    for name, owner in [("wh_3", "o"), ("wh_1", "o"), ("wh_2", "p")]:
        store.insert_endpoint(an_endpoint(name, owner=owner))

    assert [each.id for each in store.endpoints("o", 9)] == ["wh_1", "wh_3"]
    assert [each.id for each in store.endpoints("o", 1)] == ["wh_1"]


def test_an_endpoint_is_changed_by_whoever_read_it_last(store: Store) -> None:
    store.insert_endpoint(an_endpoint())
    secrets = [Secret(value="whsec_2"), Secret(value="whsec_1", until=LATER)]

    changed = store.change_endpoint("wh_1", 0, {"secrets": secrets, "enabled": False})

    assert changed == an_endpoint(secrets=secrets, enabled=False, revision=1)
    assert store.endpoint("wh_1") == changed
    assert store.change_endpoint("wh_1", 0, {"enabled": True}) is None
    assert store.change_endpoint("nobody", 0, {"enabled": True}) is None


def test_a_deleted_endpoint_is_gone_and_its_log_stays(store: Store) -> None:
    store.insert_endpoint(an_endpoint())
    some(store, a_delivery())

    store.delete_endpoint("wh_1")

    assert store.endpoint("wh_1") is None
    assert store.deliveries(endpoint="wh_1", limit=9) == [a_delivery()]


def test_what_is_in_the_outbox_is_not_written_again(store: Store) -> None:
    some(store, a_delivery())
    store.claim_delivery(LANE, NOW, LATER)

    some(store, a_delivery(body="other"), a_delivery("msg_2"))

    assert store.delivery("msg_1") == a_delivery(attempt=1, due=LATER)
    assert store.delivery("msg_2") == a_delivery("msg_2")


def test_an_expansion_writes_its_deliveries(store: Store) -> None:
    store.insert_task(a_task())
    for _ in range(2):
        store.write_children(some_children())

    found = store.deliveries(task_id="t", limit=9)
    assert sorted(each.id for each in found) == ["msg_a", "msg_b"]


def test_the_first_due_delivery_of_the_lane_is_claimed_and_held(store: Store) -> None:
    some(
        store,
        a_delivery("msg_1", due=NOW + 2),
        a_delivery("msg_2", due=NOW + 1),
        a_delivery("msg_3", due=NOW - 9, lane="o/other"),
        a_delivery("msg_4", due=NOW - 9, open=False, state="delivered", ended_at=NOW),
        a_delivery("msg_5", due=NOW + 3),
    )

    claimed = [store.claim_delivery(LANE, NOW + 2, LATER) for _ in range(3)]

    assert claimed[0] == a_delivery("msg_2", due=LATER, attempt=1)
    assert claimed[1] == a_delivery("msg_1", due=LATER, attempt=1)
    assert claimed[2] is None


def test_what_nobody_told_of_in_time_is_claimed_again(store: Store) -> None:
    some(store, a_delivery())
    store.claim_delivery(LANE, NOW, LATER)

    again = store.claim_delivery(LANE, LATER, LATER + 60)

    assert again == a_delivery(attempt=2, due=LATER + 60)
    assert store.move_delivery("msg_1", state="pending", attempt=1, fields={"failures": 1}) is None


def test_two_managers_never_claim_the_same_delivery(store: Store) -> None:
    some(store, *(a_delivery(f"msg_{number:03}") for number in range(60)))

    def claim(_: int) -> list[str]:
        won = []
        while (one := store.claim_delivery(LANE, NOW, LATER)) is not None:
            won.append(one.id)
        return won

    with ThreadPoolExecutor(4) as threads:
        claimed = Counter(each for won in threads.map(claim, range(4)) for each in won)

    assert len(claimed) == 60
    assert set(claimed.values()) == {1}


def test_a_delivery_is_moved_by_whoever_claimed_it_last(store: Store) -> None:
    some(store, a_delivery())
    store.claim_delivery(LANE, NOW, LATER)
    tries = [Try(at=NOW, seconds=0.1, status=500, error="文")]
    done = {"state": "dead", "open": False, "ended_at": NOW, "tries": tries, "failures": 8}

    moved = store.move_delivery("msg_1", state="pending", attempt=1, fields=done)

    assert moved == a_delivery(attempt=1, due=LATER, **done)
    assert store.delivery("msg_1") == moved
    assert store.claim_delivery(LANE, LATER, LATER) is None
    assert store.move_delivery("msg_1", state="pending", attempt=1, fields=done) is None


def test_lanes_are_walked_one_by_one(store: Store) -> None:
    some(
        store,
        a_delivery("msg_1", lane="b", due=NOW + 5),
        a_delivery("msg_2", lane="b", due=NOW + 3),
        a_delivery("msg_3", lane="a", due=NOW + 9),
        a_delivery("msg_4", lane="c", open=False, state="dead", ended_at=NOW),
    )

    assert store.next_lane("") == Lane("a", NOW + 9)
    assert store.next_lane("a") == Lane("b", NOW + 3)
    assert store.next_lane("b") is None


def test_the_log_is_paged_newest_first(store: Store) -> None:
    dead = {"state": "dead", "open": False, "ended_at": NOW}
    some(
        store,
        a_delivery("msg_1", created_at=NOW),
        a_delivery("msg_2", created_at=NOW + 1, **dead),
        a_delivery("msg_3", created_at=NOW + 1),
        a_delivery("msg_4", created_at=NOW + 2, endpoint="wh_2", task_id="u"),
    )

    def ids(**wanted) -> list[str]:
        return [each.id for each in store.deliveries(**{"limit": 9, **wanted})]

    assert ids(endpoint="wh_1") == ["msg_3", "msg_2", "msg_1"]
    assert ids(endpoint="wh_1", limit=2) == ["msg_3", "msg_2"]
    assert ids(endpoint="wh_1", before=(NOW + 1, "msg_3")) == ["msg_2", "msg_1"]
    assert ids(endpoint="wh_1", state="dead") == ["msg_2"]
    assert ids(task_id="t", state="pending", before=(NOW + 1, "msg_3")) == ["msg_1"]
    assert ids(task_id="u") == ["msg_4"]


def test_old_deliveries_are_forgotten_some_at_a_time(store: Store) -> None:
    for number in range(5):
        ended = {"state": "dead", "open": False, "ended_at": NOW + number}
        some(store, a_delivery(f"msg_{number}", **ended))
    some(store, a_delivery("msg_9"))

    assert [store.drop_deliveries(NOW + 3, 2) for _ in range(3)] == [2, 1, 0]
    found = {each.id for each in store.deliveries(task_id="t", limit=9)}
    assert found == {"msg_3", "msg_4", "msg_9"}


def test_the_deliveries_of_a_purged_task_go_with_it(store: Store) -> None:
    for task_id in ("t", "u"):
        store.insert_task(a_task(task_id))
        some(store, a_delivery(f"msg_{task_id}", task_id=task_id))

    store.purge_task("t")

    assert store.delivery("msg_t") is None
    assert store.delivery("msg_u") is not None


def test_the_cells_of_a_language_are_counted(store: Store) -> None:
    for item in range(3):
        store.put_output(an_output(item))
    store.put_output(an_output(0, "T"))
    store.put_output(an_output(0, language="ja"))
    store.put_output(an_output(0, task_id="u"))

    assert store.count_cells("t", "zh") == 4
    assert store.count_cells("t", "de") == 0
