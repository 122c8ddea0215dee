"""How answers become values, and paths are made of what callers name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from services.client.steps import Call, Finds, Found, ask
from services.client.views import TaskView, UploadView
from services.model.values import Stored
from services.outbound import Response

V = TypeVar("V", bound=Stored)

Task: TypeAlias = str | TaskView
"""A task, or its id."""


def a(kind: type[V]) -> Callable[[Response], V]:
    """One value."""
    return lambda response: kind.model_validate_json(response.content)


def many(kind: type[V], name: str) -> Callable[[Response], list[V]]:
    """The list under that name."""
    return lambda response: [kind.model_validate(each) for each in response.json()[name]]


def page(kind: type[V], name: str) -> Callable[[Response], tuple[list[V], Any]]:
    """The list under that name, and what names the page that follows, or None."""

    def read(response: Response) -> tuple[list[V], Any]:
        body = response.json()
        return [kind.model_validate(each) for each in body[name]], body["next"]

    return read


def nothing(_: Response) -> None:
    return None


def pages(turn: Callable[[Any], Call[tuple[list[V], Any]]], limit: int | None = None) -> Finds[V]:
    """One after the other, up to `limit`; `turn` asks for the page of that name, None being the
    first. A page is asked for when its first entry is wanted."""
    name = None
    left = limit
    while left is None or left > 0:
        entries, name = yield from ask(turn(name))
        for entry in entries[:left]:
            yield Found(entry)
        left = None if left is None else left - len(entries)
        if name is None:
            return


def path_of(task: Task) -> str:
    return f"/v1/tasks/{quoted(task if isinstance(task, str) else task.id)}"


def path_of_upload(upload: str | UploadView) -> str:
    return f"/v1/{quote(upload if isinstance(upload, str) else upload.key)}"


def quoted(name: str) -> str:
    """As one piece of a path; one of dots alone would be taken for a folder."""
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")
