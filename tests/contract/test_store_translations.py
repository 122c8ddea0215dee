"""What every store promises of remembered translations."""

from __future__ import annotations

from store_factories import AWKWARD, NOW, a_remembered, a_task

from services.model.remembered import LONGEST, remembered_id
from task_manager.store.protocol import Store


def names(store: Store, *wanted: str) -> set[str]:
    return {each.id for each in store.translations([f"{name}/o" for name in wanted])}


def test_translations_come_back_as_they_were_kept(store: Store) -> None:
    long = a_remembered("2", text="文" * LONGEST)
    odd = a_remembered(id=remembered_id("a.b $x/é", "0" * 64), text=str(AWKWARD))
    store.insert_translations([a_remembered("1"), long, odd])

    found = store.translations([long.id, "none", odd.id])

    assert sorted(found, key=lambda each: each.id) == sorted([long, odd], key=lambda each: each.id)
    assert store.translations(["none"]) == []


def test_the_first_translation_of_a_sentence_stays(store: Store) -> None:
    store.insert_translations([a_remembered("1")])
    store.insert_translations([a_remembered("1", text="other", task_id="u"), a_remembered("2")])

    assert store.translations(["1/o"]) == [a_remembered("1")]
    assert names(store, "1", "2") == {"1/o", "2/o"}


def test_nothing_may_be_kept(store: Store) -> None:
    store.insert_translations([])
    assert store.count_translations() == 0


def test_the_oldest_are_dropped_first_and_none_of_today(store: Store) -> None:
    for name, age in [("1", 1.0), ("3", 3.0), ("2", 2.0), ("0", 0.0)]:
        store.insert_translations([a_remembered(name, at=NOW - age)])

    assert store.drop_translations(NOW, 2) == 2
    assert names(store, "0", "1", "2", "3") == {"0/o", "1/o"}
    assert store.drop_translations(NOW, 9) == 1
    assert store.drop_translations(NOW, 9) == 0
    assert names(store, "0", "1") == {"0/o"}


def test_translations_go_with_the_task_that_they_were_made_for(store: Store) -> None:
    for task in ("t", "u", "v"):
        store.insert_task(a_task(task))
        store.insert_translations([a_remembered(task, task_id=task)])

    store.drop_translations_of("t")
    store.purge_task("u")

    assert names(store, "t", "u", "v") == {"v/o"}


def test_it_is_known_about_how_many_there_are(store: Store) -> None:
    assert store.count_translations() == 0
    store.insert_translations(a_remembered(str(n), at=NOW + n) for n in range(9))
    assert store.count_translations() == 9

    store.drop_translations(NOW + 4, 9)

    assert store.count_translations() == 5
