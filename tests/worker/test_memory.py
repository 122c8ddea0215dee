"""What a worker's process asks of the translation cache, and that nothing hangs on it."""

from __future__ import annotations

import threading
import time

import pytest
from in_test_manager import InTestManager
from pytest_httpserver import HTTPServer

from services.model.messages import MOST_SENTENCES, Held
from services.worker.callbacks import Manager
from services.worker.memory import Memory

TOKEN = "t" * 16
HELD = Held(job="t1/translate/0/zh/A/0/0", attempt=2)
OTHER = Held(job="t1/translate/1/zh/A/0/0", attempt=1)
DIGESTS = [f"{n:064x}" for n in range(2 * MOST_SENTENCES + 1)]


@pytest.fixture
def memory(callbacks: Manager) -> Memory:
    return Memory(callbacks)


def told(manager: InTestManager) -> dict[str, str]:
    return {
        name: text
        for keep in manager.kept
        for made in keep.made
        for name, text in made.texts.items()
    }


def test_what_is_known_is_recalled(manager: InTestManager, memory: Memory) -> None:
    manager.memory = {DIGESTS[0]: "a", DIGESTS[2]: "c"}

    assert memory.recall(TOKEN, {HELD: DIGESTS[:2]}) == {HELD.job: {DIGESTS[0]: "a"}}

    (asked,) = manager.lookups
    assert (asked.token, asked.wanted[0].job, asked.wanted[0].attempt) == (TOKEN, HELD.job, 2)


def test_all_jobs_of_a_claim_are_asked_for_by_one_call(
    manager: InTestManager, memory: Memory
) -> None:
    jobs = [Held(job=f"j{n}", attempt=1) for n in range(64)]
    manager.memory = {DIGESTS[3]: "x"}

    known = memory.recall(TOKEN, {held: DIGESTS[n : n + 4] for n, held in enumerate(jobs)})

    assert [job for job, texts in known.items() if texts] == ["j0", "j1", "j2", "j3"]
    (asked,) = manager.lookups
    assert [(each.job, len(each.digests)) for each in asked.wanted] == [(h.job, 4) for h in jobs]


def test_many_are_asked_for_in_calls_of_as_many_as_one_may_hold(
    manager: InTestManager, memory: Memory
) -> None:
    manager.memory = dict.fromkeys(DIGESTS, "x")

    known = memory.recall(TOKEN, {OTHER: DIGESTS[:3], HELD: DIGESTS})

    assert known == {OTHER.job: dict.fromkeys(DIGESTS[:3], "x"), HELD.job: manager.memory}
    sizes = [[len(each.digests) for each in asked.wanted] for asked in manager.lookups]
    assert sizes == [[3, MOST_SENTENCES - 3], [MOST_SENTENCES], [4]]


def test_nothing_is_asked_where_there_is_nothing_to_ask(
    manager: InTestManager, memory: Memory
) -> None:
    assert memory.recall(TOKEN, {HELD: []}) == {HELD.job: {}}
    assert manager.lookups == []


def test_what_was_made_is_told_soon_and_together(manager: InTestManager, memory: Memory) -> None:
    memory.remember(HELD, {DIGESTS[0]: "a"})
    memory.remember(OTHER, {DIGESTS[1]: "b"})
    manager.wait_for(lambda: len(told(manager)) == 2, "both were told")

    assert [[each.job for each in keep.made] for keep in manager.kept] == [[HELD.job, OTHER.job]]
    memory.remember(HELD, dict.fromkeys(DIGESTS[2:], "c"))
    manager.wait_for(lambda: len(told(manager)) == len(DIGESTS), "all were told")


def wait_until_it_rests(memory: Memory) -> None:
    deadline, pause = time.monotonic() + 60.0, threading.Event()
    while not memory.rests:
        assert time.monotonic() < deadline, "it was not left alone"
        pause.wait(0.01)


@pytest.mark.parametrize("call", ["lookup", "keep"])
def test_a_manager_that_fails_is_left_alone_and_everything_is_translated(
    manager: InTestManager, memory: Memory, call: str
) -> None:
    manager.away = {f"translations/{call}"}
    name = f"translations/{call}"
    if call == "lookup":
        assert memory.recall(TOKEN, {HELD: DIGESTS}) == {HELD.job: {}}
    else:
        memory.remember(HELD, {DIGESTS[0]: "a"})
        wait_until_it_rests(memory)
    manager.away = set()

    assert memory.recall(TOKEN, {HELD: DIGESTS}) == {HELD.job: {}}
    memory.remember(HELD, {DIGESTS[0]: "a"})
    assert manager.calls == [name]


def test_a_manager_of_an_older_release_has_no_such_call_and_is_left_alone(
    http_server: HTTPServer, callbacks: Manager
) -> None:
    http_server.clear()
    memory = Memory(callbacks)

    assert memory.recall(TOKEN, {HELD: DIGESTS}) == {HELD.job: {}}
    assert memory.recall(TOKEN, {HELD: DIGESTS}) == {HELD.job: {}}

    assert [request.path for request, _ in http_server.log] == ["/callbacks/v1/translations/lookup"]


def test_a_manager_that_is_not_there_is_left_alone(http_server: HTTPServer) -> None:
    nowhere = Manager("http://127.0.0.1:9", "")

    assert Memory(nowhere).recall(TOKEN, {HELD: DIGESTS}) == {HELD.job: {}}

    nowhere.close()


def test_where_nothing_is_remembered_nobody_asks_again(
    manager: InTestManager, memory: Memory
) -> None:
    manager.memory_rest_s = 600.0

    memory.recall(TOKEN, {HELD: DIGESTS})
    memory.recall(TOKEN, {HELD: DIGESTS[:1]})
    memory.remember(HELD, {DIGESTS[0]: "a"})

    assert manager.calls == ["translations/lookup"]
