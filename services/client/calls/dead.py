"""Jobs that failed for good, over all tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.client.calls.reading import a, page, pages
from services.client.steps import Call, Finds, Steps, ask, call
from services.client.views import DeadJobView, RetriedView

_PAGE = 100


def jobs(
    *, queue: str | None = None, code: str | None = None, limit: int | None = None
) -> Finds[DeadJobView]:
    """Jobs that are not tried again by themselves, newest first."""

    def turn(cursor: str | None) -> Call[tuple[list[DeadJobView], str | None]]:
        size = min(limit or _PAGE, _PAGE)
        query = {"queue": queue, "code": code, "cursor": cursor, "limit": size}
        return call("GET", "/v1/jobs/dead", page(DeadJobView, "jobs"), query=query)

    return pages(turn, limit)


def retry(
    tasks: Sequence[str] | None = None, *, queue: str | None = None, code: str | None = None
) -> Steps[RetriedView]:
    """Runs again what failed in these tasks; without them, in all that have dead jobs of the queue
    and code."""
    wanted = {"queue": queue, "code": code}
    body: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    body |= {"all": True} if tasks is None else {"tasks": list(tasks)}
    answer = RetriedView()
    while True:
        part = yield from ask(
            call("POST", "/v1/jobs/dead/retry", a(RetriedView), json=body, repeatable=True)
        )
        answer = answer.plus(part)
        if part.next is None:
            return answer
        body["cursor"] = part.next
