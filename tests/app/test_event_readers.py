"""Readers of event streams who leave in the middle, and stores that are away meanwhile."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from asking import soon
from httpx import Client
from running_manager import PATIENCE_S, PLAYED_BY_HAND, Manager, manager_of

from services.settings import Settings
from task_manager import event_stream
from task_manager.store.children import NewEvent
from task_manager.store.protocol import StoreUnavailable

TASK = {"items": [{"text_id": "1", "text": "Hello.", "language": "en"}], "targets": ["zh"]}
RST = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset
OF_ALL, OF_ONE = "/v1/events?after=0", "/v1/tasks/{id}/events"
END = '"state":"succeeded"'


def leave(url: str, path: str, *, hears: int, abruptly: bool) -> None:
    """Asks, reads a little, and is gone."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), PATIENCE_S) as reader:
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        if hears:
            reader.recv(hears)
        if abruptly:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)


@pytest.mark.parametrize("path", [OF_ALL, OF_ONE])
def test_readers_who_leave_in_the_middle_are_no_mistake(tmp_path, path, capsys, caplog) -> None:
    with manager_of(Settings(data_dir=tmp_path, **PLAYED_BY_HAND)) as manager:
        store, task = manager.application.store, manager.create(**TASK)["id"]
        owner, told = store.task(task).owner, {"text": "x" * 10_000}
        line = NewEvent(task_id=task, owner=owner, at=store.now(), kind="segments", data=told)
        for _ in range(300):  # more than fits between us and a reader who reads nothing
            store.append_event(line)
        for number in range(24):
            hears = number % 3 * 200
            leave(manager.url, path.format(id=task), hears=hears, abruptly=number % 2 == 0)

    assert [line.getMessage() for line in caplog.records if line.levelname != "INFO"] == []
    assert capsys.readouterr().err == ""


def test_nobody_looks_for_readers_who_have_left(manager: Manager) -> None:
    feeds = manager.application.public.state.feeds
    with manager.api.stream("GET", OF_ALL) as answer:
        next(answer.iter_lines())
        soon(lambda: bool(feeds.looking))
    soon(lambda: not feeds.looking)


def test_a_stream_with_nothing_to_tell_says_that_it_lives(manager: Manager, monkeypatch) -> None:
    monkeypatch.setattr(event_stream, "PING_EVERY_S", 0.01)
    task = manager.create(**TASK)
    with manager.api.stream("GET", OF_ONE.format(id=task["id"])) as answer:
        lines = answer.iter_lines()
        while next(lines) != ": ping":
            pass
        manager.work(task["id"])
        assert any(END in line for line in lines)


@pytest.mark.parametrize("path", [OF_ALL, OF_ONE])
def test_a_stream_outlives_a_store_that_is_away_for_a_while(manager: Manager, path: str) -> None:
    """And has no gap then."""
    task = manager.create(**TASK)
    with (
        Client(base_url=manager.url, timeout=PATIENCE_S) as client,
        client.stream("GET", path.format(id=task["id"])) as answer,
    ):
        lines = answer.iter_lines()
        while '"state":"queued"' not in next(lines):
            pass
        with away(manager, "events", "owner_events") as asked:
            soon(lambda: len(asked) > 2)
        manager.work(task["id"])
        told = until_the_end(lines)
    whole = manager.application.store.events(task["id"], after=0, limit=100)
    assert [each.kind for each in whole][1:] == told


def test_who_begins_while_the_store_goes_away_is_told_all_the_same(manager: Manager) -> None:
    """The look behind the first answer is the one that fails."""
    manager.finished(**TASK)
    with contextlib.ExitStack() as outage:
        asked = outage.enter_context(away(manager, "owner_events"))
        with manager.api.stream("GET", OF_ALL) as answer:
            lines = answer.iter_lines()
            next(lines)
            soon(lambda: len(asked) > 2)
            outage.close()
            assert until_the_end(lines)[-1] == "state"


@contextlib.contextmanager
def away(manager: Manager, *names: str) -> Iterator[list[str]]:
    """These operations of the store raise; what they were asked meanwhile."""
    asked: list[str] = []

    def refusing(name: str) -> Callable[..., None]:
        def refuse(*_: object, **__: object) -> None:
            asked.append(name)
            raise StoreUnavailable("The store does not answer.")

        return refuse

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(manager.application.store, name, refusing(name))
        yield asked


def until_the_end(lines: Iterator[str]) -> list[str]:
    """The kinds of the events up to the one that says that the task has succeeded."""
    told = []
    for line in lines:
        if line.startswith("event: "):
            told.append(line.removeprefix("event: "))
        if END in line:
            return told
    raise AssertionError(told)
