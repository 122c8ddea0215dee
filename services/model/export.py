"""What a task leaves under the prefix that it named: the names, the order to write, the outcome."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from services.model.values import Stored

Form = Literal["srt", "vtt", "ass", "txt", "json"]
"""Of a file with the words of an item."""

USUAL_FORMS: tuple[Form, ...] = ("txt", "json", "srt", "vtt")

EXPORT = "export"  # stands for the endpoint of a delivery that writes objects
EVENT = "task.outputs"  # its event; no webhook is told of it

WAITS_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
"""Before the second try, the third, … of those in a row that write nothing; with the last one
gone it is given up, and the task's webhooks are told so."""

KEYS_TOLD = 100  # as many keys are told one by one; more are found in the index

PACK, ERROR, INDEX = "pack.json", "error.json", "index.json"

_NAME = 60  # characters of a text id in a key


class Order(Stored):
    """What the body of such a delivery holds: for which end of the task, counted from 1, and
    the ordinal of the item that is written next."""

    end: int
    item: int = 0


def from_start(body: str) -> str:
    """The same order with nothing done yet."""
    return Order(end=Order.model_validate_json(body).end).model_dump_json()


class Export(Stored):
    """How the writing for one end of a task came out, at the time `at`. With a `code` it was given
    up. `keys` are all that were written, or, of many, those of the whole task; `index` is the key
    of the object that lists all."""

    end: int
    at: float
    count: int = 0
    index: str = ""
    keys: list[str] = Field(default_factory=list)
    code: str = ""
    message: str = ""


def shown(prefix: str, export: Export | None) -> dict[str, Any]:
    """As callers and webhooks see it; while there is nothing to see yet, its state is `pending`."""
    found = export or Export(end=0, at=0.0)
    state = "pending" if export is None else "failed" if export.code else "written"
    return {
        "prefix": prefix,
        "state": state,
        "count": found.count,
        "index": found.index or None,
        "keys": found.keys,
        "error": {"code": found.code, "message": found.message} if found.code else None,
    }


def lane(owner: str, prefix: str) -> str:
    """What is written to one bucket for one owner is written a little at a time."""
    parts = urlsplit(prefix)
    return f"{owner}/{parts.scheme}://{parts.netloc}"


def is_lane(name: str) -> bool:
    """No host of a webhook looks so."""
    return "://" in name


def item_folder(ordinal: int, text_id: str) -> str:
    """`items/0007-<text id>/`: the number keeps it apart, the text id is there to be read, with
    an underscore for whatever a store or a shell might trip over."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in text_id[:_NAME])
    return f"items/{ordinal:04}-{name}/"


def cell_name(language: str, source: str, form: str, *, below: str | None = None) -> str:
    """`zh.A.srt`, or `zh_en.A.srt` with the source below."""
    shown = language if below is None else f"{language}_{below}"
    return f"{shown}.{source}.{form}"
