"""What every store promises of term lists."""

from __future__ import annotations

from store_factories import NOW, a_term_list

from services.model.glossary import Entry
from services.model.hotwords import MAX_TERM, MAX_TERMS
from task_manager.store.protocol import Store


def test_a_list_comes_back_as_it_was_written(store: Store) -> None:
    full = a_term_list(
        terms=[Entry(text=f"{n:03d}{'文' * (MAX_TERM - 3)}") for n in range(MAX_TERMS)]
    )

    assert store.insert_term_list(full)

    assert store.term_list("tl_1") == full
    assert store.term_list("tl_2") is None


def test_a_second_list_of_an_id_is_not_written(store: Store) -> None:
    store.insert_term_list(a_term_list())

    assert not store.insert_term_list(a_term_list(name="another", owner="p"))

    assert store.term_list("tl_1") == a_term_list()


def test_lists_are_those_of_their_owner(store: Store) -> None:
    for name, owner in [("tl_3", "o"), ("tl_1", "o"), ("tl_2", "p")]:
        store.insert_term_list(a_term_list(name, owner=owner))

    assert [each.id for each in store.term_lists("o", 9)] == ["tl_1", "tl_3"]
    assert [each.id for each in store.term_lists("o", 1)] == ["tl_1"]


def test_a_list_is_changed_by_whoever_read_it_last(store: Store) -> None:
    store.insert_term_list(a_term_list())
    terms = [Entry(text="Nivolumab", boost=4.0)]

    changed = store.change_term_list("tl_1", 1, {"terms": terms, "changed_at": NOW + 1})

    assert changed == a_term_list(terms=terms, changed_at=NOW + 1, revision=2)
    assert store.change_term_list("tl_1", 1, {"terms": []}) is None
    assert store.change_term_list("tl_2", 1, {"terms": []}) is None
    assert store.term_list("tl_1") == changed


def test_a_deleted_list_is_gone_and_may_be_made_again(store: Store) -> None:
    store.insert_term_list(a_term_list())

    store.delete_term_list("tl_1")
    store.delete_term_list("tl_1")

    assert store.term_list("tl_1") is None
    assert store.insert_term_list(a_term_list())
