"""What every store promises of tasks and their items."""

from __future__ import annotations

import pytest
from store_factories import AWKWARD, NOW, a_job, a_pack, a_task, an_event, an_item, an_output

from services.model.task import Counts, TaskState
from task_manager.store.protocol import PendingExpansion, Store


def test_a_task_comes_back_as_it_was_written(store: Store) -> None:
    task = a_task(metadata=AWKWARD, look_at=NOW, idempotency_key="k", idempotency_digest="d")

    assert store.insert_task(task) == (task, True)
    assert store.task(task.id) == task


def test_an_unknown_task_is_none(store: Store) -> None:
    assert store.task("nobody") is None
    assert store.move_task("nobody", 0, {}) is None


def test_inserting_a_task_again_changes_nothing_and_still_means_this_one(store: Store) -> None:
    task = a_task()
    store.insert_task(task)
    moved = store.move_task(task.id, 0, {"cancel": True})

    assert store.insert_task(task) == (moved, True)


def test_an_idempotency_key_belongs_to_its_first_task(store: Store) -> None:
    first = a_task("t1", idempotency_key="k")
    store.insert_task(first)

    assert store.insert_task(a_task("t2", idempotency_key="k")) == (first, False)
    assert store.task("t2") is None
    assert store.task_by_key("o", "k") == first


def test_an_idempotency_key_is_the_owners_own(store: Store) -> None:
    store.insert_task(a_task("t1", idempotency_key="k"))
    other = a_task("t2", owner="somebody else", idempotency_key="k")

    assert store.insert_task(other) == (other, True)
    assert store.task_by_key("o", "unused") is None


def test_tasks_without_a_key_never_collide(store: Store) -> None:
    assert store.insert_task(a_task("t1"))[1]
    assert store.insert_task(a_task("t2"))[1]


def test_tasks_are_paged_newest_first_by_time_and_id(store: Store) -> None:
    for task_id, at in [("a", 1.0), ("b", 2.0), ("c", 2.0), ("d", 3.0)]:
        store.insert_task(a_task(task_id, created_at=at))

    page = store.tasks(None, limit=2)
    rest = store.tasks(None, before=(page[-1].created_at, page[-1].id), limit=9)

    assert ["d", "c"] == [task.id for task in page]
    assert ["b", "a"] == [task.id for task in rest]


def test_a_page_shows_the_owners_tasks_in_the_states_asked_for(store: Store) -> None:
    for at, (task_id, owner, state) in enumerate(
        [
            ("a", "o", TaskState.QUEUED),
            ("b", "o", TaskState.RUNNING),
            ("c", "p", TaskState.RUNNING),
            ("d", "o", TaskState.FAILED),
            ("e", "o", TaskState.QUEUED),
        ]
    ):
        store.insert_task(a_task(task_id, owner=owner, state=state, created_at=float(at)))
    open_states = [TaskState.RUNNING, TaskState.QUEUED, TaskState.QUEUED]

    assert ["e", "b", "a"] == [task.id for task in store.tasks("o", states=open_states, limit=9)]
    assert ["e", "b"] == [task.id for task in store.tasks("o", states=open_states, limit=2)]
    assert ["c", "b"] == [
        task.id for task in store.tasks(None, states=[TaskState.RUNNING], limit=9)
    ]
    assert ["e", "d", "b", "a"] == [task.id for task in store.tasks("o", limit=9)]


def test_deleted_tasks_are_on_no_page_but_can_be_read(store: Store) -> None:
    store.insert_task(a_task())
    store.move_task("t", 0, {"deleted_at": NOW})

    assert store.tasks(None, limit=9) == []
    assert store.tasks("o", states=[TaskState.QUEUED], limit=9) == []
    assert store.task("t") is not None


def test_a_move_needs_the_revision_and_raises_it(store: Store) -> None:
    store.insert_task(a_task())

    moved = store.move_task("t", 0, {"state": TaskState.RUNNING, "started_at": NOW})

    assert moved is not None
    assert (TaskState.RUNNING, NOW, 1) == (moved.state, moved.started_at, moved.revision)
    assert store.move_task("t", 0, {"state": TaskState.FAILED}) is None
    assert store.task("t") == moved


def test_a_note_leaves_the_revision_alone(store: Store) -> None:
    store.insert_task(a_task())

    store.note_task("t", {"counts": Counts(waiting=3), "progress": 0.5, "expand": "done"})

    expected = a_task(counts=Counts(waiting=3), progress=0.5, expand="done")
    assert store.task("t") == expected


def test_a_note_for_an_older_revision_is_not_written(store: Store) -> None:
    store.insert_task(a_task(look_at=NOW))
    store.move_task("t", 0, {"cancel": True})

    assert not store.note_task("t", {"look_at": None}, revision=0)
    assert store.note_task("t", {"progress": 0.5}, revision=1)
    assert store.task("t") == a_task(look_at=NOW, cancel=True, revision=1, progress=0.5)


def test_looks_at_many_tasks_are_put_off_unless_one_has_moved(store: Store) -> None:
    for task_id in ("a", "b", "moved"):
        store.insert_task(a_task(task_id, look_at=NOW))
    store.move_task("moved", 0, {"cancel": True})

    store.look_later({"a": 0, "b": 0, "moved": 0, "nobody": 0}, NOW + 30)
    store.look_later({}, NOW + 60)

    assert ["moved"] == [task.id for task in store.tasks_to_look_at(NOW, 9)]
    assert store.task("a") == a_task("a", look_at=NOW + 30)


def test_a_field_that_a_task_does_not_have_is_an_error(store: Store) -> None:
    store.insert_task(a_task())

    with pytest.raises(ValueError, match="proggress"):
        store.note_task("t", {"proggress": 1.0})


def test_a_task_starts_once_and_only_when_queued(store: Store) -> None:
    store.insert_task(a_task())

    assert [True, False] == [store.start_task("t", at) for at in (5.0, 6.0)]
    assert store.task("t") == a_task(state=TaskState.RUNNING, started_at=5.0)


def test_the_settle_loop_gets_what_is_to_be_looked_at_earliest_first(store: Store) -> None:
    for task_id, look_at in [("a", 3.0), ("b", 1.0), ("c", None), ("d", 9.0), ("e", 2.0)]:
        store.insert_task(a_task(task_id, look_at=look_at))

    assert ["b", "e", "a"] == [task.id for task in store.tasks_to_look_at(3.0, 9)]
    assert ["b"] == [task.id for task in store.tasks_to_look_at(3.0, 1)]


def test_pending_expansions_name_tasks_and_jobs_oldest_first(store: Store) -> None:
    store.insert_task(a_task("new", created_at=3.0))
    store.insert_task(a_task("old", created_at=1.0))
    store.insert_task(a_task("done", created_at=0.0, expand="done"))
    job = a_job(task_id="old", created_at=2.0, expand="pending")
    store.insert_jobs([job, a_job(1, expand="done"), a_job(2)])
    expected = [
        PendingExpansion("old", None),
        PendingExpansion("old", job.id),
        PendingExpansion("new", None),
    ]

    assert store.pending_expansions(9) == expected
    assert store.pending_expansions(2) == expected[:2]


def test_open_tasks_of_an_owner_are_counted_up_to_a_cap(store: Store) -> None:
    for number, state in enumerate([*TaskState, TaskState.RUNNING]):
        store.insert_task(a_task(f"t{number}", state=state))
    store.insert_task(a_task("other", owner="p"))

    assert store.count_open_tasks("o", 99) == 3
    assert store.count_open_tasks("o", 2) == 2
    assert store.count_open_tasks("nobody", 99) == 0
    store.move_task("t0", 0, {"state": TaskState.CANCELLED})
    assert store.count_open_tasks("o", 99) == 2


def test_items_are_paged_by_ordinal_and_never_replaced(store: Store) -> None:
    items = [an_item(ordinal) for ordinal in range(12)]
    store.insert_items(reversed(items))
    store.insert_items([an_item(3).model_copy(update={"text_id": "changed"})])
    store.insert_items([an_item(0, "other task")])

    assert store.items("t", limit=4) == items[:4]
    assert store.items("t", after=9, limit=4) == items[10:]
    assert store.item_by_text_id("t", "text.3") == items[3]
    assert store.item_by_text_id("t", "changed") is None


def test_inserting_nothing_is_fine(store: Store) -> None:
    store.insert_items([])
    store.insert_jobs([])


def test_a_purge_leaves_a_tombstone_without_the_texts(store: Store) -> None:
    task = a_task()
    store.insert_task(task)
    store.insert_items([an_item(0), an_item(0, "other")])
    store.insert_jobs([a_job(0), a_job(0, "other")])
    store.put_output(an_output())
    store.put_version(an_output())
    store.put_pack(a_pack())
    store.append_event(an_event())

    store.purge_task("t")
    store.purge_task("t")

    tombstone = store.task("t")
    assert tombstone is not None
    assert "Guten Tag" not in tombstone.model_dump_json()
    assert tombstone.manifest.items[0].text_id == "001"
    assert tombstone.revision == task.revision
    assert store.items("t", limit=9) == []
    assert store.jobs_of_items("t", 0, 9) == []
    assert store.outputs("t") == []
    assert store.version_lines(an_output().id) == []
    assert store.pack("t", "zh") is None
    assert store.events("t", limit=9) == []
    assert len(store.items("other", limit=9)) == len(store.jobs_of_items("other", 0, 9)) == 1


def test_tasks_whose_time_has_come_are_found_earliest_first(store: Store) -> None:
    for name, at in (("late", NOW + 9), ("second", NOW - 1), ("first", NOW - 2), ("never", None)):
        store.insert_task(a_task(name, expire_at=at))
    assert [task.id for task in store.tasks_to_expire(NOW, 9)] == ["first", "second"]
    store.note_task("first", {"expire_at": None})
    assert [task.id for task in store.tasks_to_expire(NOW, 1)] == ["second"]


def test_a_task_that_is_forgotten_is_not_known_any_more(store: Store) -> None:
    for name in ("t1", "t2"):
        store.insert_task(a_task(name))
    assert store.known_tasks(["t2", "t1", "t3"]) == {"t1", "t2"}
    store.forget_task("t1")
    assert store.known_tasks(["t2", "t1", "t3"]) == {"t2"}
    assert store.task("t1") is None
