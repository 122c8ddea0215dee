"""What both clients do with a running manager: the same suite, blocking and awaited."""

from __future__ import annotations

import inspect
import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from crooked_proxy import CrookedProxy, cut_after, lose_the_answer, refuse
from either_client import KINDS, open_client
from running_manager import PLAYED_BY_HAND, Manager, manager_of

import fanscribe
from fanscribe import AsyncFanscribe, Fanscribe, Item, TaskState
from services.client.calls import tasks as task_calls
from services.settings import Settings

TEXT = Item(text="Hello.", text_id="1", language="en")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def client(kind: str, manager: Manager) -> Iterator[Any]:
    with closing(open_client(kind, manager.url)) as made:
        yield made


@pytest.fixture
def proxy(manager: Manager) -> Iterator[CrookedProxy]:
    with closing(CrookedProxy(manager.url)) as made:
        yield made


@pytest.fixture
def far(kind: str, proxy: CrookedProxy) -> Iterator[Any]:
    """A client that reaches the manager by way of the proxy."""
    with closing(open_client(kind, proxy.url)) as made:
        yield made


@contextmanager
def working(manager: Manager, task_id: str) -> Iterator[None]:
    """The task is worked on meanwhile."""
    thread = threading.Thread(target=manager.work, args=(task_id,))
    thread.start()
    try:
        yield
    finally:
        thread.join()


# ── from audio to result ─────────────────────────────────────────────────────────────────────


def test_a_task_takes_every_kind_of_audio(client, manager, tmp_path: Path) -> None:
    file = tmp_path / "one.wav"
    file.write_bytes(b"RIFF1")
    opened = io.BytesIO(b"RIFF3")
    sent = client.upload(b"RIFF4", name="four.wav")
    task = client.submit(
        file,
        Item(b"RIFF2", text_id="two"),
        Item(opened, text_id="three"),
        sent,
        "https://example.com/five.mp3",
        Item(text="Hello.", text_id="six"),
        targets=["zh"],
        language="en",
        metadata={"order": 7},
    )
    assert task.state is TaskState.QUEUED
    assert task.metadata == {"order": 7}
    items = list(client.items(task))
    assert [item.text_id for item in items][:4] == ["one", "two", "three", "four"]
    assert [item.audio is None for item in items] == [False] * 5 + [True]


def test_a_task_is_waited_for_and_its_results_are_fetched(client, manager) -> None:
    task = client.submit(Item(b"RIFF", text_id="文 1"), TEXT, targets=["zh", "ja"], language="en")
    seen: list[TaskState] = []

    with working(manager, task.id):
        ended = client.wait(task, on_progress=lambda look: seen.append(look.state))

    assert ended.state is TaskState.SUCCEEDED
    assert seen[-1] is TaskState.SUCCEEDED
    assert client.result(task)["zh"] == {
        "文 1": {"A": "[zh] Heard 文 1."},
        "1": {"T": "[zh] Hello."},
    }
    assert list(client.result(task, languages=["ja"])) == ["ja"]
    coded = client.coded_result(task.id)
    assert (coded.complete, coded.missing, list(coded.data)) == (True, [], ["1", "3"])
    assert client.cell(task, "ja", "1", "T").text == "[ja] Hello."
    found = client.cells(task, [("zh", "1", "T"), ("zh", "1", "A")])
    assert [(cell.text_id, cell.source) for cell in found] == [("1", "T")]
    assert client.transcript(task, "文 1").text == "Heard 文 1."
    assert client.subtitles(task, "文 1", "vtt", language="zh").startswith("WEBVTT")


def test_who_waits_too_long_is_told_and_may_wait_again(client) -> None:
    task = client.submit(TEXT, targets=["zh"])
    with pytest.raises(fanscribe.WaitedTooLong) as told:
        client.wait(task, timeout_s=0.0)
    assert isinstance(told.value, TimeoutError)


def test_tasks_are_listed_over_pages(client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_calls, "_PAGE", 2)
    made = [client.submit(TEXT, targets=["zh"]).id for _ in range(5)]

    assert [task.id for task in client.tasks()] == made[::-1]
    assert [task.id for task in client.tasks(limit=3)] == made[:1:-1]
    assert list(client.tasks(state=[TaskState.FAILED, "partial"])) == []
    assert next(iter(client.tasks(state="queued"))).id == made[-1]


def test_a_task_is_cancelled_tried_again_and_deleted(client, manager) -> None:
    task = client.submit(TEXT, targets=["zh"])
    assert client.cancel(task).state is TaskState.CANCELLED
    with pytest.raises(fanscribe.Conflict) as refused:
        client.retry(task)
    assert refused.value.code == "nothing_to_retry"

    manager.driver.broken = {"zh"}
    failed = manager.work(client.submit(TEXT, targets=["zh"]).id)
    (dead,) = client.dead_jobs.list(code="engine_failed")
    assert dead.task == failed["id"]
    assert client.dead_jobs.retry([dead.task]).retried == [dead.task]

    client.delete(task)
    with pytest.raises(fanscribe.Gone):
        client.task(task)


def test_the_server_is_looked_at(client) -> None:
    client.ready()
    (node,) = client.nodes.list()
    assert client.nodes.drain(node.id).state == "draining"
    assert client.nodes.resume(node.id).state == "live"
    assert client.nodes.label(node.id, {"zone": "b"}).labels == {"zone": "b"}
    assert {queue.queue for queue in client.queues()} >= {"prepare"}
    assert {model.name for model in client.models()} >= {"stub-whisper"}
    assert next(each.code for each in client.languages() if each.language == "zh") == 1


# ── refusals ─────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_carries_what_the_server_says(client) -> None:
    with pytest.raises(fanscribe.Invalid) as told:
        client.submit(TEXT, targets=["kr"])
    error = told.value
    assert (error.status, error.code, error.field) == (422, "ambiguous_language", "targets.0")
    assert "ko for Korean" in str(error)
    with pytest.raises(fanscribe.NotFound):
        client.task("01nobody")


def test_without_the_right_key_nothing_is_served(kind, start) -> None:
    url = start(api_key="k" * 32, callback_secret="s" * 32).url
    with (
        closing(open_client(kind, url, key="wrong")) as client,
        pytest.raises(fanscribe.Unauthenticated),
    ):
        next(iter(client.tasks()))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "localhost:8000", "ftp://localhost"])
def test_an_address_where_nobody_ever_answered_is_told_at_once(kind, url: str) -> None:
    with (
        closing(open_client(kind, url, patience_s=1e9)) as client,
        pytest.raises(fanscribe.Unreachable, match="FANSCRIBE_URL"),
    ):
        client.queues()


# ── a bad line ───────────────────────────────────────────────────────────────────────────────


def test_a_task_whose_answer_is_lost_is_made_once(far, proxy, manager) -> None:
    proxy.tricks = [lose_the_answer]
    task = far.submit(TEXT, targets=["zh"])
    assert proxy.asked == ["POST /v1/tasks"] * 2
    assert [each.id for each in far.tasks()] == [task.id]


def test_a_webhook_whose_answer_is_lost_is_not_made_twice(far, proxy) -> None:
    proxy.tricks = [lose_the_answer]
    with pytest.raises(fanscribe.Unreachable) as told:
        far.webhooks.create("https://example.com/hook")
    assert told.value.arrived
    assert len(far.webhooks.list()) == 1


def test_a_delete_whose_answer_is_lost_has_done_its_work(far, proxy) -> None:
    task = far.submit(TEXT, targets=["zh"])
    proxy.tricks = [lose_the_answer]
    assert far.delete(task) is None


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (503, "too_busy")])
def test_who_is_refused_for_now_asks_again(far, proxy, status, code) -> None:
    proxy.tricks = [refuse(status, code), refuse(status, code)]
    far.webhooks.create("https://example.com/hook")
    assert len(proxy.asked) == 3


def test_what_may_have_been_done_is_not_done_again(far, proxy) -> None:
    proxy.tricks = [refuse(503, "store_unavailable")]
    with pytest.raises(fanscribe.NotNow) as told:
        far.webhooks.create("https://example.com/hook")
    assert told.value.request_id == "req-7"
    assert len(proxy.asked) == 1


def test_a_longer_wait_than_the_caller_has_patience_for_is_told(far, proxy) -> None:
    proxy.tricks = [refuse(429, "rate_limited", retry_after="3600")]
    with pytest.raises(fanscribe.TooMany) as told:
        far.queues()
    assert told.value.retry_after_s == 3600


def test_a_server_that_is_started_anew_is_waited_for(kind, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, announce_again_s=0.1, **PLAYED_BY_HAND)
    looked, done = threading.Event(), threading.Event()
    with (
        ExitStack() as life,
        closing(CrookedProxy(life.enter_context(manager_of(settings)).url)) as proxy,
        closing(open_client(kind, proxy.url)) as client,
    ):
        task = client.submit(TEXT, targets=["zh"])

        def restart() -> None:
            assert looked.wait(20.0)
            life.close()
            fails = len(proxy.asked) + 2
            while len(proxy.asked) < fails:
                time.sleep(0.01)
            with manager_of(settings) as second:
                proxy.target = second.url
                second.work(task.id)
                done.wait(20.0)

        thread = threading.Thread(target=restart)
        thread.start()
        ended = client.wait(task, on_progress=lambda _: looked.set())
        done.set()
        thread.join()
    assert ended.state is TaskState.SUCCEEDED


# ── events ───────────────────────────────────────────────────────────────────────────────────


def test_events_come_typed_until_the_task_has_ended(client, manager) -> None:
    task = client.submit(Item(b"RIFF", text_id="a"), targets=["zh"], language="en")
    with working(manager, task.id):
        events = list(client.events(task))
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert isinstance(events[0], fanscribe.StateChanged)
    assert isinstance(events[-1], fanscribe.StateChanged)
    assert events[-1].state is TaskState.SUCCEEDED
    (item,) = (event for event in events if isinstance(event, fanscribe.ItemTranscribed))
    (cell,) = (event for event in events if isinstance(event, fanscribe.CellDone))
    assert (item.text_id, item.language) == ("a", "en")
    assert (cell.text_id, cell.language, cell.source) == ("a", "zh", "A")
    assert list(client.events(task, after=events[-2].number)) == events[-1:]
    assert list(client.events(task, after=events[-1].number)) == []


def test_segments_come_as_they_are_heard(client, manager) -> None:
    task = client.submit(Item(b"RIFF", text_id="a"), targets=["zh"], language="en")
    token, grant = manager.driver.claim_stage("transcribe")
    manager.driver.tell(token, grant, 1, ["One.", "Two."])
    heard = next(e for e in client.events(task) if isinstance(e, fanscribe.SegmentsHeard))
    assert [segment.text for segment in heard.segments] == ["One.", "Two."]
    assert (heard.attempt, heard.fraction, heard.language) == (1, 0.5, "en")


@pytest.mark.parametrize("count", [1, 150, 400])
def test_a_stream_that_breaks_off_goes_on_where_it_was(far, proxy, manager, count) -> None:
    task = manager.finished(
        items=[{"text_id": "1", "text": "文", "language": "zh"}], targets=["en"]
    )
    whole = [event.number for event in far.events(task["id"])]
    proxy.tricks = [cut_after(count), cut_after(count)]
    assert [event.number for event in far.events(task["id"])] == whole
    assert len(whole) > 2


def first(events: Any, count: int) -> list[Any]:
    with closing(events):
        return list(islice(events, count))


def test_the_events_of_all_tasks_tell_whose_they_are(client, manager) -> None:
    text = {"text_id": "1", "text": "文", "language": "zh"}
    tasks = [manager.finished(items=[text], targets=["en"])["id"] for _ in range(2)]
    whole = [event.number for event in client.events(tasks[0])]
    events = first(client.all_events(after=0), 2 * len(whole))

    assert [event.number for event in events if event.task == tasks[0]] == whole
    assert {event.task for event in events} == set(tasks)
    rest = first(client.all_events(after=events[2].position), len(events) - 3)
    assert rest == events[3:]


def test_the_stream_of_all_tasks_goes_on_where_it_broke_off(far, proxy, manager) -> None:
    task = manager.finished(
        items=[{"text_id": "1", "text": "文", "language": "zh"}], targets=["en"]
    )
    whole = list(far.events(task["id"]))
    proxy.tricks = [cut_after(count) for count in (1, 150, 400)]
    events = first(far.all_events(after=0), len(whole))
    assert [event.number for event in events] == [event.number for event in whole]


def test_who_was_away_too_long_is_told_what_he_missed(client) -> None:
    (missed,) = first(client.all_events(after=1), 1)
    assert isinstance(missed, fanscribe.EventsMissed)
    assert missed.code == "events_expired"


def test_who_has_seen_enough_leaves(client, manager) -> None:
    task = client.submit(TEXT, targets=["zh"])
    events = client.events(task)
    assert next(events).kind == "state"
    events.close()


# ── the public face ──────────────────────────────────────────────────────────────────────────


def methods_of(client: Any) -> dict[str, tuple[inspect.Signature, str | None]]:
    """How each is called and what it says, by name, those of its groups as well."""
    found = {}
    for name in (each for each in dir(client) if not each.startswith("_")):
        value = getattr(client, name)
        if hasattr(value, "_runner"):
            found |= {f"{name}.{each}": told for each, told in methods_of(value).items()}
        elif inspect.ismethod(value) and name not in {"close", "aclose"}:
            found[name] = (inspect.signature(value), inspect.getdoc(value))
    return found


def test_both_clients_have_the_same_methods() -> None:
    with Fanscribe("http://127.0.0.1:1") as client:
        assert methods_of(client) == methods_of(AsyncFanscribe("http://127.0.0.1:1"))


def test_every_method_says_what_it_does() -> None:
    with Fanscribe("http://127.0.0.1:1") as client:
        assert [name for name, (_, words) in methods_of(client).items() if not words] == []


def test_whoever_imports_the_client_gets_no_server() -> None:
    heavy = (
        "fastapi starlette uvicorn celery kombu redis pymongo ctranslate2 numpy boto3 oss2 typer"
    )
    program = f"import fanscribe, sys; print([m for m in {heavy.split()} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_all_that_is_promised_is_there() -> None:
    assert [name for name in fanscribe.__all__ if not hasattr(fanscribe, name)] == []
