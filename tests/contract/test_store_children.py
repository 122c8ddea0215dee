"""What every store promises of all that an expansion writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from store_factories import NOW, a_job, a_task, an_event, an_item, an_output, some_children

from services.model.states import JobState
from services.model.transcript import Body
from task_manager.store.children import Children, Expanded, write_one_by_one
from task_manager.store.protocol import Store
from task_manager.store.sqlite import SqliteStore


def _all_of(store: Store) -> list[Any]:
    return [
        *store.items("t", limit=9),
        *store.outputs("t"),
        *store.version_lines(an_output(2).id),
        *store.jobs_of_items("t", 0, 9),
        *store.events("t", limit=99),
    ]


WAYS = [lambda store, *what: store.write_children(*what), write_one_by_one]
Write = Callable[[Store, Children, Expanded | None], bool]


@pytest.mark.parametrize("write", WAYS)
def test_all_children_are_there_and_their_lines_go_on_counting(store: Store, write: Write) -> None:
    store.insert_task(a_task())
    store.append_event(an_event())
    children = some_children()

    assert write(store, children, None)

    _, *lines = store.events("t", limit=9)
    assert [2, 3] == [line.number for line in lines]
    assert ["cell", "item"] == [line.kind for line in lines]
    assert list(children.items) == store.items("t", limit=9)
    assert list(children.outputs) == store.outputs("t")
    assert [0, 1] == [line.version for line in store.version_lines(an_output(2).id)]
    assert list(children.jobs) == store.jobs_of_items("t", 0, 9)


@pytest.mark.parametrize("write", WAYS)
def test_a_task_is_expanded_with_its_children_while_its_revision_is_the_one_that_was_read(
    store: Store, write: Write
) -> None:
    store.insert_task(a_task(expand="pending", revive=True))
    store.move_task("t", 0, {"cancel": True})

    assert not write(store, Children(), Expanded("t", look_at=NOW, revision=0))
    assert "pending" == store.task("t").expand
    assert write(store, some_children(), Expanded("t", look_at=NOW, revision=1))

    task = store.task("t")
    assert ("done", False, NOW, 1) == (task.expand, task.revive, task.look_at, task.revision)


@pytest.mark.parametrize("write", WAYS)
def test_a_job_is_expanded_with_its_children_and_its_task_is_looked_at(
    store: Store, write: Write
) -> None:
    parent = a_job(9, state=JobState.SUCCEEDED, attempt=2, expand="pending")
    store.insert_task(a_task(expand="pending"))
    store.insert_jobs([parent])

    stale = Expanded("t", look_at=NOW + 1, job=parent.id, attempt=1)
    assert write(store, Children(), stale)
    assert ("pending", True) == (store.job(parent.id).expand, store.job(parent.id).open)
    assert write(store, some_children(), replace(stale, look_at=NOW, attempt=2))

    job, task = store.job(parent.id), store.task("t")
    assert ("done", False) == (job.expand, job.open)
    assert (NOW, "pending", 0) == (task.look_at, task.expand, task.revision)


def test_children_that_are_there_stay_as_they_are(store: Store) -> None:
    store.write_children(some_children())
    (won, *_) = store.claim(queue="q", models=[], node="n", token="x", limit=1)
    newer = an_output(1, kind="transcript", attempt=7)
    assert store.put_output(newer)

    store.write_children(some_children())

    assert store.job(won.id) == won
    assert JobState.RUNNING is won.state
    assert store.output(newer.id) == newer
    assert 2 == len(store.items("t", limit=9)) == len(store.jobs_of_items("t", 0, 9))


def test_children_of_which_some_are_there_become_whole(store: Store) -> None:
    store.insert_items([an_item(1)])
    store.insert_jobs([a_job(0)])

    store.write_children(replace(some_children(), outputs=[an_output(0, text=Body(inline="x"))]))

    assert [0, 1] == [item.ordinal for item in store.items("t", limit=9)]
    assert [0, 1] == [job.item for job in store.jobs_of_items("t", 0, 9)]
    assert ["x"] == [output.text.inline for output in store.outputs("t")]


def test_no_children_are_no_write(store: Store) -> None:
    store.write_children(Children())

    assert [] == _all_of(store)


def test_in_sqlite_children_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite")
    spoilt = replace(some_children(), jobs=[a_job(0), a_job(1, rank=2**70)])

    with pytest.raises(OverflowError):
        store.write_children(spoilt)

    assert [] == _all_of(store)
    store.close()
