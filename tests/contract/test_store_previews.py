"""What every store promises of previews, which stand beside all jobs."""

from __future__ import annotations

from store_factories import NOW, a_preview, a_task

from services.model.preview import Preview
from task_manager.store.protocol import Store

QUEUE = "translate.m"


def claim(store: Store, token: str = "1", limit: int = 9, **other) -> list[str]:
    asked = {"queue": QUEUE, "models": ["m"], "node": "n", **other}
    return [each.id for each in store.claim_previews(**asked, token=token, limit=limit)]


def put(store: Store, *previews: Preview) -> list[str]:
    store.insert_previews(previews)
    return [each.id for each in previews]


def test_a_preview_comes_back_as_it_was_and_is_never_replaced(store: Store) -> None:
    store.insert_previews([])
    store.insert_previews([a_preview(owner="a.b $x/é")])
    store.insert_previews([a_preview()])

    assert store.preview(a_preview().id) == a_preview(owner="a.b $x/é")
    assert store.preview("none") is None


def test_the_oldest_are_claimed_first_and_each_once(store: Store) -> None:
    late, early = put(store, a_preview(first=1, created_at=NOW + 1), a_preview(first=2))

    assert claim(store, "1", limit=1) == [early]
    assert claim(store, "2", limit=5) == [late]
    assert claim(store, "3") == []
    assert claim(store, "3", limit=0) == []


def test_a_claim_is_of_one_queue_and_of_models_that_are_there(store: Store) -> None:
    put(store, a_preview())
    assert claim(store, queue="translate.other") == []
    assert claim(store, models=[]) == []
    assert claim(store, models=["x", "m"]) == [a_preview().id]


def test_the_same_token_gets_the_same_previews_from_whatever_queue(store: Store) -> None:
    first, second, _ = put(store, *(a_preview(first=n) for n in range(3)))

    assert claim(store, "1", limit=2) == [first, second]
    assert claim(store, "1", limit=9, queue="", models=[]) == [first, second]
    held = store.preview(first)
    assert held is not None
    assert held.state == "running"
    assert held.is_held_by("1", 1)
    assert not held.is_held_by("2", 1)


def test_only_its_holder_ends_a_preview_and_only_once(store: Store) -> None:
    (name,) = put(store, a_preview())
    assert store.end_preview(name, "1") is None
    claim(store)
    assert store.end_preview(name, "2") is None
    ended = store.end_preview(name, "1")
    assert ended is not None
    assert ended.state == "ended"
    assert store.end_preview(name, "1") is None
    assert claim(store, "1") == []


def test_who_waits_unheard_of_is_found_until_it_is_stamped_or_taken(store: Store) -> None:
    first, second = put(store, a_preview(), a_preview(first=1, created_at=NOW + 1))

    def silent(before: float, limit: int = 9) -> list[str]:
        return [each.id for each in store.silent_previews(before, limit)]

    assert silent(NOW) == [first, second]
    assert silent(NOW, 1) == [first]
    assert store.stamp_preview(first, NOW)
    assert silent(NOW) == [second]
    assert silent(NOW + 1) == [second, first]
    claim(store, limit=1)
    assert not store.stamp_preview(first, NOW + 2)
    assert silent(NOW + 9) == [second]


def test_those_that_are_worked_on_or_were_may_stay(store: Store) -> None:
    ended, running, waiting, other = put(
        store, *(a_preview(first=n) for n in range(3)), a_preview(item=1)
    )
    assert claim(store, "1", limit=1) == [ended]
    assert store.end_preview(ended, "1")
    assert claim(store, "2", limit=1) == [running]

    assert store.drop_previews("t", item=0, only_waiting=True) == 1
    assert store.drop_previews("t", item=0, only_waiting=True) == 0
    left = [name for name in (ended, running, waiting, other) if store.preview(name)]
    assert left == [ended, running, other]
    assert store.drop_previews("t") == 3


def test_they_go_with_their_part_their_item_their_task_and_their_time(store: Store) -> None:
    def left(task: str = "t") -> int:
        return store.count_previews(task, 9)

    put(store, *(a_preview(item=item, part=part) for item in range(2) for part in range(2)))
    put(store, a_preview(task="u"), a_preview(task="v", created_at=NOW - 9))
    assert store.count_previews("t", 3) == 3

    assert store.drop_previews("t", item=1, part=1) == 1
    assert store.drop_previews("t", item=1, part=1) == 0
    assert left() == 3
    assert store.drop_previews("t", item=0) == 2
    assert left() == 1
    assert store.drop_previews("t") == 1
    assert store.drop_old_previews(NOW - 9) == 0
    assert store.drop_old_previews(NOW) == 1
    assert (left("u"), left("v")) == (1, 0)
    store.insert_task(a_task("u"))
    store.purge_task("u")
    assert left("u") == 0
