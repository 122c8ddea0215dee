"""What is told to a user's URL: the events, who wants them, and when a delivery is tried again."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Literal

from pydantic import Field

from services.model.errors import Invalid
from services.model.values import Stored


class Happening(StrEnum):
    """What a webhook may be told of; the value is the `type` of its body."""

    TASK_SUCCEEDED = "task.succeeded"
    TASK_PARTIAL = "task.partial"
    TASK_FAILED = "task.failed"
    TASK_CANCELLED = "task.cancelled"
    ITEM_TRANSCRIBED = "item.transcribed"
    LANGUAGE_COMPLETED = "language.completed"
    JOB_DEAD = "job.dead"


PING = "webhook.ping"  # only when somebody asks for it

GOOD_NEWS = frozenset(
    {Happening.TASK_SUCCEEDED, Happening.ITEM_TRANSCRIBED, Happening.LANGUAGE_COMPLETED}
)
"""What goes to the success topic; everything else goes to the error topic."""

Payload = Literal["thin", "full"]

OF_TASK = "task"  # stands for the endpoint where a task brought its own URL
TOPICS = ("success_topic", "error_topic")  # stand for it where the operator named a topic


class Secret(Stored):
    """`whsec_…`; one that was replaced signs on until then (seconds since 1970)."""

    value: str
    until: float | None = None


class Endpoint(Stored):
    """An owner's URL for the events of all his tasks. No `events` means all of them."""

    id: str
    owner: str
    url: str
    description: str = ""
    events: list[Happening] = Field(default_factory=list)
    payload: Payload = "thin"
    secrets: list[Secret]
    created_at: float
    revision: int = 0
    enabled: bool = True
    disabled_reason: str = ""
    disabled_at: float | None = None


class TaskWebhook(Stored):
    """The URL that a task brought itself. `made`: the secret is ours and has to be told."""

    url: str
    events: list[Happening] = Field(default_factory=list)
    payload: Payload = "thin"
    secret: str = ""
    made: bool = False


class Try(Stored):
    """One try to deliver: `status` is None where no answer came, `error` says why it failed."""

    at: float
    seconds: float
    status: int | None = None
    error: str = ""


DeliveryState = Literal["pending", "delivered", "dead"]


class Delivery(Stored):
    """One event for one receiver: a line of the outbox, and later of the log.

    `body` is what is signed and sent, the same at each try. `endpoint` is the id of one, or
    stands for the task's own URL, which is kept here with its secret, or for a topic, or for the
    task's output prefix (`services.model.export`, where `body` is an `Order`). Deliveries
    of one `lane` are sent a few at a time. `attempt` rises at each claim and is the fence;
    `failures` is where in the schedule it stands; `open` means pending, and `due` when.
    """

    id: str
    owner: str
    task_id: str = ""
    event: str
    endpoint: str
    url: str = ""
    secret: str = ""
    lane: str
    body: str
    created_at: float
    state: DeliveryState = "pending"
    open: bool = True
    due: float
    attempt: int = 0
    failures: int = 0
    tries: list[Try] = Field(default_factory=list)
    ended_at: float | None = None


TRIES_KEPT = 20  # the newest; replays add to them

WAITS_S = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 36_000.0)
"""Before the second try, the third, …; with the last one gone it is given up."""
JITTER = 0.10  # up to a tenth is added
LONGEST_WAIT_S = 24 * 3600.0  # whatever a receiver asks for


def next_wait(
    failures: int,
    *,
    draw: float,
    retry_after_s: float | None = None,
    scale: float = 1.0,
    waits: Sequence[float] = WAITS_S,
) -> float | None:
    """Seconds to the next try after so many failures; None after the last.

    `draw` in [0, 1) is the caller's random number for the jitter. A longer Retry-After wins and
    is not scaled, as the table's waits are in tests.
    """
    if failures > len(waits):
        return None
    wait = waits[failures - 1] * scale * (1.0 + JITTER * draw)
    return max(wait, min(retry_after_s or 0.0, LONGEST_WAIT_S))


def delivery_id(task_id: str, event: str, subject: str, fence: int, endpoint: str) -> str:
    """`msg_` and 32 hex digits: a function of what happened and to whom it is told, so that an
    event that is written down twice is one delivery.

    `subject` is the item, the language or the job; `fence` is what rises when the same may
    happen again: the task's revision, the output's version, the job's attempt.
    """
    name = f"{task_id}\n{event}\n{subject}\n{fence}\n{endpoint}"
    return f"msg_{sha256(name.encode()).hexdigest()[:32]}"


def signing(secrets: Sequence[Secret], now: float) -> list[str]:
    """The values that sign just now, the newest first."""
    return [each.value for each in secrets if each.until is None or each.until > now]


_PREFIX = "whsec_"
SECRET_BYTES = 24
_FEWEST, _MOST = 24, 64


def secret_of(raw: bytes) -> str:
    return _PREFIX + base64.b64encode(raw).decode()


def raw_secret(secret: str) -> bytes:
    """The key inside; raises ValueError."""
    if not secret.startswith(_PREFIX):
        raise ValueError("no whsec_ in front")
    raw = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    if not _FEWEST <= len(raw) <= _MOST:
        raise ValueError("of another length")
    return raw


def check_secret(secret: str, field: str) -> str:
    """Raises Invalid, `bad_secret`."""
    try:
        raw_secret(secret)
    except (ValueError, binascii.Error) as error:
        raise Invalid(
            f"A secret is `whsec_` and {_FEWEST} to {_MOST} random bytes in base64; leave it out "
            "and one is made.",
            code="bad_secret",
            field=field,
        ) from error
    return secret
