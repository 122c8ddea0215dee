"""The REST API as typed calls; every refusal is a ClientError with the server's own words."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from services.client.transport import ClientError, Transport
from services.client.uploading import Sender
from services.client.views import (
    DeadJobView,
    ItemView,
    ModelView,
    NodeView,
    QueueView,
    RetriedView,
    TaskView,
    TranscriptView,
    UploadView,
)

__all__ = ["Api", "ClientError"]


class Api:
    """One server. Blocking; a context manager."""

    def __init__(self, url: str, key: str = "") -> None:
        self._transport = Transport(url, key)
        self.url = self._transport.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._transport.close()

    # ── tasks ────────────────────────────────────────────────────────────────────────────────

    def upload(self, file: Path, tell: Callable[[int], None]) -> UploadView:
        """Sends a file from disk, a large one in parts; broken off and called again, it goes on
        where it was. `tell` hears of the bytes that are there."""
        return Sender(self._transport, file, tell).send()

    def create(self, body: dict[str, Any]) -> TaskView:
        """A new task, made once however often the call must be repeated."""
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        answer = self._transport.send("POST", "/v1/tasks", body, headers)
        return TaskView.model_validate(answer)

    def task(self, task_id: str) -> TaskView:
        return TaskView.model_validate(self._transport.get(_task(task_id)))

    def tasks(self, state: str | None = None, limit: int | None = None) -> Iterator[TaskView]:
        """Newest first; pages are fetched as they are needed."""
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            page = self._transport.get(
                "/v1/tasks", state=state, cursor=cursor, limit=min(left or 100, 100)
            )
            for each in page["tasks"]:
                yield TaskView.model_validate(each)
            left = None if left is None else left - len(page["tasks"])
            cursor = page["next"]
            if cursor is None:
                return

    def items(self, task_id: str) -> Iterator[ItemView]:
        """In the task's order."""
        after: int | None = None
        while True:
            page = self._transport.get(f"{_task(task_id)}/items", after=after)
            for each in page["items"]:
                yield ItemView.model_validate(each)
            after = page["next"]
            if after is None:
                return

    def cancel(self, task_id: str) -> TaskView:
        return TaskView.model_validate(self._transport.send("POST", f"{_task(task_id)}/cancel"))

    def retry(self, task_id: str) -> TaskView:
        return TaskView.model_validate(self._transport.send("POST", f"{_task(task_id)}/retry"))

    def delete(self, task_id: str) -> None:
        self._transport.send("DELETE", _task(task_id))

    # ── results ──────────────────────────────────────────────────────────────────────────────

    def result(self, task_id: str, form: str, language: str | None = None) -> Any:
        """The pack, `coded` or `expanded`, of all languages or of one."""
        return self._transport.get(f"{_task(task_id)}/result", form=form, language=language)

    def transcript(self, task_id: str, text_id: str) -> TranscriptView:
        """What was heard of an item, while it is being heard too."""
        answer = self._transport.get(f"{_item(task_id, text_id)}/transcript")
        return TranscriptView.model_validate(answer)

    def subtitles(self, task_id: str, text_id: str, form: str, language: str | None) -> str:
        return self._transport.text(
            f"{_item(task_id, text_id)}/subtitles.{form}", language=language
        )

    # ── what failed for good ─────────────────────────────────────────────────────────────────

    def dead_jobs(
        self, queue: str | None = None, code: str | None = None, limit: int | None = None
    ) -> Iterator[DeadJobView]:
        """Newest first; pages are fetched as they are needed."""
        cursor: str | None = None
        left = limit
        while left is None or left > 0:
            page = self._transport.get(
                "/v1/jobs/dead", queue=queue, code=code, cursor=cursor, limit=min(left or 100, 100)
            )
            for each in page["jobs"]:
                yield DeadJobView.model_validate(each)
            left = None if left is None else left - len(page["jobs"])
            cursor = page["next"]
            if cursor is None:
                return

    def retry_dead(
        self, tasks: list[str], queue: str | None = None, code: str | None = None
    ) -> RetriedView:
        """Retries these tasks, or without any all that have dead jobs of the queue and code."""
        wanted = {"queue": queue, "code": code}
        body: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        body |= {"tasks": tasks} if tasks else {"all": True}
        answer = RetriedView()
        while True:
            sent = self._transport.send("POST", "/v1/jobs/dead/retry", body)
            part = RetriedView.model_validate(sent)
            answer = answer.plus(part)
            if part.next is None:
                return answer
            body["cursor"] = part.next

    # ── the server ───────────────────────────────────────────────────────────────────────────

    def ready(self) -> None:
        """Raises ClientError unless the server takes tasks."""
        self._transport.get_now("/readyz")

    def nodes(self) -> list[NodeView]:
        answer = self._transport.get_now("/v1/nodes")
        return [NodeView.model_validate(each) for each in answer["nodes"]]

    def drain(self, node_id: str) -> NodeView:
        return NodeView.model_validate(self._transport.send("POST", f"{_node(node_id)}/drain"))

    def resume(self, node_id: str) -> NodeView:
        return NodeView.model_validate(self._transport.send("POST", f"{_node(node_id)}/resume"))

    def label(self, node_id: str, labels: dict[str, str | None]) -> NodeView:
        """Sets labels; None takes one away."""
        answer = self._transport.send("PATCH", _node(node_id), {"labels": labels})
        return NodeView.model_validate(answer)

    def queues(self) -> list[QueueView]:
        answer = self._transport.get("/v1/queues")
        return [QueueView.model_validate(each) for each in answer["queues"]]

    def models(self) -> list[ModelView]:
        answer = self._transport.get("/v1/models")
        return [ModelView.model_validate(each) for each in answer["models"]]


def _task(task_id: str) -> str:
    return f"/v1/tasks/{quote(task_id, safe='')}"


def _item(task_id: str, text_id: str) -> str:
    return f"{_task(task_id)}/items/{quote(text_id, safe='')}"


def _node(node_id: str) -> str:
    return f"/v1/nodes/{quote(node_id, safe='')}"
