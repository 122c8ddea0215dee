"""What mypy makes of the client: never run, only read, by test_examples."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import assert_type

from fanscribe import (
    AsyncFanscribe,
    CellText,
    CodedResult,
    CorrectionView,
    DeliveryView,
    Fanscribe,
    Item,
    ItemView,
    Result,
    RetriedView,
    SegmentsHeard,
    TaskEvent,
    TaskState,
    TaskView,
    TranscriptView,
    UploadView,
    VersionView,
    WebhookWithSecret,
)


def blocking(client: Fanscribe) -> None:
    task = client.submit("1.mp3", b"RIFF", Item(text="Hi.", language="en"), targets=["zh"])
    assert_type(task, TaskView)
    assert_type(task.state, TaskState)
    assert_type(client.wait(task, timeout_s=3.0), TaskView)
    assert_type(client.tasks(state="failed", limit=3), Generator[TaskView, None, None])
    assert_type(client.add_languages(task, ["fr"]), TaskView)
    assert_type(client.items(task.id), Generator[ItemView, None, None])
    assert_type(client.events(task, after=3), Generator[TaskEvent, None, None])
    assert_type(client.result(task), Result)
    assert_type(client.coded_result(task), CodedResult)
    assert_type(client.cells(task, [("zh", "1", "A")]), list[CellText])
    assert_type(client.transcript(task, "1"), TranscriptView)
    assert_type(client.correct(task, "1", {0: "Hi."}, version=0), CorrectionView)
    assert_type(client.versions(task, "1"), list[VersionView])
    assert_type(client.subtitles(task, "1", "vtt"), str)
    assert_type(client.upload("1.mp3"), UploadView)
    assert_type(client.webhooks.create("https://example.com"), WebhookWithSecret)
    assert_type(client.webhooks.deliveries("wh_1"), Generator[DeliveryView, None, None])
    assert_type(client.dead_jobs.retry(["01"]), RetriedView)
    for event in client.events(task):
        if isinstance(event, SegmentsHeard):
            assert_type(event.segments[0].text, str)


async def awaiting(client: AsyncFanscribe) -> None:
    task = await client.submit("1.mp3", targets=["zh"])
    assert_type(task, TaskView)
    assert_type(await client.wait(task), TaskView)
    assert_type(client.tasks(), AsyncGenerator[TaskView, None])
    async for event in client.events(task):
        assert_type(event, TaskEvent)
    assert_type(await client.result(task), Result)
    assert_type(await client.webhooks.rotate("wh_1"), WebhookWithSecret)


def wrong(client: Fanscribe) -> None:
    client.submit("1.mp3")  # type: ignore[call-arg]
    client.submit(3, targets=["zh"])  # type: ignore[arg-type]
    client.submit("1.mp3", targets=["zh"], options={"beam": 3})  # type: ignore[arg-type]
    client.subtitles("01", "1", "doc")  # type: ignore[arg-type]
    client.wait("01").status  # type: ignore[attr-defined]  # noqa: B018
