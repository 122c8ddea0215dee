"""The events of all tasks of an owner over SSE: what a browser and curl expect of such a stream."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from key_holder import SECRETS, holder_of, make_key
from running_manager import Manager, error_of

from task_manager.routes import events

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}
TASK = {"items": [TEXT], "targets": ["zh"]}
URL = "/v1/events"


@dataclass
class Stream:
    """One connection, and what came of it."""

    answer: httpx.Response
    last_id: str = ""
    blocks: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lines = self.answer.iter_lines()

    def block(self) -> dict[str, str]:
        """The next block of fields; comments are not one."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and fields:
                break
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
        self.last_id = fields.get("id", self.last_id)
        return fields

    def event(self) -> tuple[str, dict[str, Any]]:
        while "data" not in (fields := self.block()):
            assert fields, "the stream has ended"
        return fields["event"], json.loads(fields["data"])

    def until_end_of(self, task: str) -> list[tuple[str, int]]:
        """Each event up to the end of this task, as task and number."""
        told = []
        while True:
            kind, data = self.event()
            told.append((data["task"], data["number"]))
            ended = kind == "state" and data["state"] == "succeeded"
            if ended and data["task"] == task:
                return told


@contextlib.contextmanager
def streaming(api: httpx.Client, headers: Any = None, **query: Any) -> Iterator[Stream]:
    with api.stream("GET", URL, headers=headers, params=query) as answer:
        assert answer.status_code == 200, answer.read()
        yield Stream(answer)


@pytest.fixture
def keyed(start) -> Manager:
    return start(**SECRETS)


def test_all_tasks_are_told_of_from_now_on(manager) -> None:
    manager.finished(**TASK)
    with streaming(manager.api) as stream:
        assert set(stream.block()) == {"id", "retry"}
        tasks = [manager.finished(**TASK)["id"] for _ in range(2)]
        told = stream.until_end_of(tasks[1])

    for task in tasks:
        numbers = [number for name, number in told if name == task]
        assert numbers == list(range(1, len(numbers) + 1))
    assert {name for name, _ in told} == set(tasks)


def test_who_began_with_the_oldest_and_saw_none_begins_there_again(manager) -> None:
    task = manager.finished(**TASK)["id"]
    with streaming(manager.api, after=0) as stream:
        begin = stream.block()["id"]
    with streaming(manager.api, {"last-event-id": begin}) as stream:
        kind, data = stream.event()
    assert (kind, data["task"], data["number"]) == ("state", task, 1)


def test_nothing_is_missed_where_nothing_happened(manager, monkeypatch) -> None:
    manager.finished(**TASK)
    with streaming(manager.api) as stream:
        newest = stream.block()["id"]
    monkeypatch.setattr(events, "_REPLAY_S", 0.0)
    with streaming(manager.api, {"last-event-id": newest}) as stream:
        task = manager.finished(**TASK)["id"]
        kind, data = stream.event()
    assert (kind, data["task"], data["number"]) == ("state", task, 1)


def test_an_event_says_what_the_task_s_own_stream_says_and_whose_it_is(manager) -> None:
    task = manager.finished(**TASK)["id"]
    with streaming(manager.api, after=0) as stream:
        kind, data = stream.event()

    assert kind == "state"
    assert data.pop("at").endswith("+00:00")
    assert data == {"task": task, "number": 1, "state": "queued"}


def test_the_stream_is_one_that_browsers_and_proxies_understand(manager) -> None:
    with streaming(manager.api) as stream:
        headers = stream.answer.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-cache"
        assert headers["x-accel-buffering"] == "no"
        assert int(stream.block()["retry"]) > 0


def test_a_page_of_an_allowed_site_may_read_it(start) -> None:
    manager = start(cors_origins="https://app.example", **SECRETS)
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization, last-event-id",
    }
    assert manager.api.options(URL, headers=asked).status_code == 200
    with streaming(manager.api, {"origin": "https://app.example"}) as stream:
        assert stream.answer.headers["access-control-allow-origin"] == "https://app.example"


@pytest.mark.parametrize("way", ["header", "query"])
def test_who_comes_again_misses_and_doubles_nothing(manager, way: str) -> None:
    with streaming(manager.api) as stream:
        first = manager.finished(**TASK)["id"]
        told = [stream.event()[1] for _ in range(2)]
    second = manager.finished(**TASK)["id"]

    last = {"last-event-id": stream.last_id}
    again = streaming(manager.api, last) if way == "header" else (
        streaming(manager.api, after=stream.last_id)
    )  # fmt: skip
    with again as stream:
        rest = stream.until_end_of(second)

    whole = [(each["task"], each["number"]) for each in told] + rest
    assert len(whole) == len(set(whole))
    for task in (first, second):
        numbers = [number for name, number in whole if name == task]
        assert numbers == list(range(1, len(numbers) + 1))


def test_who_was_cut_off_before_the_first_event_misses_nothing(manager) -> None:
    with streaming(manager.api) as stream:
        stream.block()
    task = manager.finished(**TASK)["id"]

    with streaming(manager.api, {"last-event-id": stream.last_id}) as stream:
        assert stream.until_end_of(task)[0] == (task, 1)


def test_an_id_goes_from_one_manager_to_another(start) -> None:
    one, other = start(), start()
    with streaming(one.api) as stream:
        first = one.finished(**TASK)["id"]
        told = stream.until_end_of(first)
    second = one.finished(**TASK)["id"]

    with streaming(other.api, {"last-event-id": stream.last_id}) as stream:
        rest = stream.until_end_of(second)
    assert {name for name, _ in told} == {first}
    assert {name for name, _ in rest} == {second}


def test_owners_hear_of_their_own_tasks_alone(keyed) -> None:
    with (
        holder_of(keyed, make_key(keyed, owner="acme")["key"]) as mine,
        holder_of(keyed, make_key(keyed, owner="other")["key"]) as theirs,
    ):
        keyed.work(theirs.post("/v1/tasks", json=TASK).json()["id"])
        task = mine.post("/v1/tasks", json=TASK).json()["id"]
        keyed.work(task)
        with streaming(mine, after=0) as stream:
            assert {name for name, _ in stream.until_end_of(task)} == {task}


def test_who_was_away_for_too_long_is_told_so_and_goes_on(manager) -> None:
    with streaming(manager.api, {"last-event-id": "1"}) as stream:
        kind, data = stream.event()
        assert (kind, data["code"], data["url"]) == ("missed", "events_expired", "/v1/tasks")
        task = manager.finished(**TASK)["id"]
        assert stream.until_end_of(task)[0] == (task, 1)
    with streaming(manager.api, {"last-event-id": stream.last_id}, after=1) as again:
        assert again.block()["id"] == stream.last_id


@pytest.mark.parametrize(
    ("place", "code"),
    [("x", "invalid"), ("-1", "out_of_range"), (2**60, "out_of_range"), (2**52, "unknown_event")],
)
def test_an_id_that_no_event_has_is_refused(shared, place: object, code: str) -> None:
    answer = shared.api.get(URL, headers={"last-event-id": str(place)})
    assert error_of(answer) == (422, code, "last-event-id")
    assert error_of(shared.api.get(URL, params={"after": place})) == (422, code, "after")


def test_an_open_stream_does_not_hold_up_the_end_of_the_server(start) -> None:
    manager = start()
    with streaming(manager.api) as stream:
        stream.block()
        manager.application.stopping.set()
        assert stream.block() == {}
