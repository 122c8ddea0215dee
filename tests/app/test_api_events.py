"""Events over SSE: in order, without gaps, from where the reader was, and an end."""

from __future__ import annotations

import json
import threading

from httpx import Client
from running_manager import error_of

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


def read(manager, task_id: str, headers: dict[str, str] | None = None, **query):
    """All events until the stream ends, as (id, kind, data)."""
    events, current = [], {}
    url = f"/v1/tasks/{task_id}/events"
    with manager.api.stream("GET", url, params=query, headers=headers) as answer:
        if answer.status_code == 204:
            return events
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                current[name] = value
            elif "data" in current:
                events.append((int(current["id"]), current["event"], json.loads(current["data"])))
                current = {}
    return events


def test_a_finished_task_tells_its_whole_story_and_the_stream_ends(manager) -> None:
    item = {"text_id": "1", "audio": manager.upload()}
    task = manager.finished(items=[item], targets=["zh", "de"])
    events = read(manager, task["id"])
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    states = [data["state"] for _, kind, data in events if kind == "state"]
    assert states == ["queued", "running", "succeeded"]
    cells = {(data["language"], data["source"]) for _, kind, data in events if kind == "cell"}
    assert cells == {("zh", "A"), ("de", "A")}
    assert all(data["at"].endswith("+00:00") for _, _, data in events)


def test_a_reader_goes_on_where_it_was(shared) -> None:
    task = shared.finished(items=[TEXT], targets=["zh"])
    whole = read(shared, task["id"])
    assert read(shared, task["id"], headers={"last-event-id": "2"}) == whole[2:]
    assert read(shared, task["id"], after=2) == whole[2:]
    assert read(shared, task["id"], after=10_000) == []


def test_a_browser_that_has_seen_the_end_is_told_not_to_come_again(shared) -> None:
    task = shared.finished(items=[TEXT], targets=["zh"])
    url, (*_, (last, _, _)) = f"/v1/tasks/{task['id']}/events", read(shared, task["id"])

    again = shared.api.get(url, headers={"last-event-id": str(last)})
    assert (again.status_code, again.content) == (204, b"")
    assert shared.api.get(url, params={"after": last}).status_code == 204
    assert read(shared, task["id"], after=last - 1)[-1][0] == last


def test_a_task_that_works_again_is_told_of_again(manager) -> None:
    manager.driver.broken = {"zh"}
    task = manager.finished(items=[TEXT], targets=["zh"])
    last = read(manager, task["id"])[-1][0]
    manager.driver.broken = set()
    assert manager.api.post(f"/v1/tasks/{task['id']}/retry").status_code == 202
    manager.work(task["id"])

    told = [data["state"] for _, kind, data in read(manager, task["id"], after=last)
            if kind == "state"]  # fmt: skip
    assert told == ["queued", "running", "succeeded"]


def test_segments_come_while_the_task_runs_and_the_stream_ends_with_it(manager) -> None:
    task = manager.create(items=[{"text_id": "1", "audio": manager.upload()}], targets=["zh"])
    heard = threading.Event()
    seen = []

    def follow() -> None:
        with (
            Client(base_url=manager.url, timeout=20) as client,
            client.stream("GET", f"/v1/tasks/{task['id']}/events") as answer,
        ):
            for line in answer.iter_lines():
                seen.append(line)
                if "Live words." in line:
                    heard.set()

    follower = threading.Thread(target=follow)
    follower.start()
    token, grant = manager.driver.claim_stage("transcribe")
    manager.driver.tell(token, grant, 1, ["Live words."])
    assert heard.wait(20)
    manager.driver.finish(token, grant)
    manager.work(task["id"])
    follower.join(20)
    assert not follower.is_alive()
    assert any('"state":"succeeded"' in line for line in seen)


def test_the_stream_ends_when_the_task_is_deleted(manager) -> None:
    task = manager.create(items=[TEXT], targets=["zh"])
    manager.api.post(f"/v1/tasks/{task['id']}/cancel")
    assert read(manager, task["id"])[-1][2]["state"] == "cancelled"


def test_events_of_a_task_that_is_not_there_or_from_nowhere_are_refused(shared) -> None:
    assert error_of(shared.api.get("/v1/tasks/x/events"))[:2] == (404, "not_found")
    task = shared.create(items=[TEXT], targets=["zh"])
    url = f"/v1/tasks/{task['id']}/events"
    answer = shared.api.get(url, headers={"last-event-id": "x"})
    assert error_of(answer)[0] == 422


def test_an_open_stream_does_not_hold_up_the_end_of_the_server(start) -> None:
    manager = start()
    task = manager.create(items=[TEXT], targets=["zh"])
    with manager.api.stream("GET", f"/v1/tasks/{task['id']}/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        manager.application.stopping.set()
        assert list(lines)[-1] == ""
