"""Every shape on the wire between manager and workers; `docs/callbacks.md` is made from it.

A worker rings nobody: it gets an announcement from its queue, claims over HTTP, and reports over
HTTP. Times are seconds, positions in audio are samples of 16 kHz mono unless they say otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator

from services.model.chat import Usage
from services.model.errors import FailureClass
from services.model.remembered import LONGEST, Digest
from services.model.stages import Result, Spec
from services.model.transcript import Segment
from services.model.values import Value

PROTOCOL = 1
INLINE_LIMIT = 64 * 1024  # bytes; a larger text goes to storage and the report carries its key
MOST_SENTENCES = 256  # that are asked for, or told, by one call


class Announcement(Value):
    """The doorbell: the whole body of a broker message."""

    v: int = PROTOCOL
    queue: str
    job: str


# ── nodes ────────────────────────────────────────────────────────────────────────────────────


class Register(Value):
    """A node says hello; the answer carries the manager's time and its rhythm."""

    node: str
    kind: Literal["whisper", "translator"]
    host: str
    pid: int
    queues: list[str]
    models: list[str]
    languages: list[str] = Field(default_factory=list)
    slots: int = Field(ge=1)
    version: str
    memory_mb: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    free_mb: int | None = None
    health_url: str = ""


class Registered(Value):
    """`now` is the store's clock: sign with it, for the host's may be wrong.

    `listen` names the queues to consume from now on: none while the node drains, and while it
    is set aside those that nobody else serves. `due` is how many jobs of those queues wait to
    be taken: a node with a free slot that hears of none of them for long has lost its broker,
    and ends to be started anew.
    """

    now: float
    beat_every_s: float
    draining: bool = False
    listen: list[str] = Field(default_factory=list)
    due: int = 0


class NodeBeat(Value):
    """A node is alive; `children` of its processes can work, None where it does not know.
    `leaving` says that it will not come back."""

    node: str
    running: int = 0
    children: int | None = None
    free_mb: int | None = None
    leaving: bool = False


# ── the claim ────────────────────────────────────────────────────────────────────────────────


class Limits(Value):
    """Enforced by the worker's own clock: raise at `soft_s`, end the process at `hard_s`,
    call it stuck after `stuck_s` without progress."""

    soft_s: float
    hard_s: float
    stuck_s: float


class Grant(Value):
    """One job that the claim won, with everything for exactly this attempt."""

    job: str
    task: str
    text_id: str
    attempt: int
    spec: Spec
    limits: Limits


class Claim(Value):
    """One call per announcement. The token is made by the worker and becomes the lease token of
    all it wins; the same token gets the same leases again, for the answer may have got lost.
    Up to `slots` jobs are won, which together are no more work than `most_size`, in seconds of
    audio or their equivalent; the first is won whatever its size. `free_mb` is the memory that a
    model may take, None where the worker cannot tell, and `loaded` names the models that are in
    memory already."""

    node: str
    token: str = Field(min_length=16, max_length=64)
    queue: str
    job: str
    models: list[str]
    slots: int = Field(default=1, ge=1, le=64)
    most_size: float | None = Field(default=None, gt=0)
    free_mb: int | None = None
    loaded: list[str] = Field(default_factory=list)


class Granted(Value):
    """What the claim won; empty when the announcement was old news.

    `rest_s` is for how long this process keeps its slot empty: there is work, and another node
    shall get it.
    """

    now: float
    grants: list[Grant]
    beat_every_s: float
    draining: bool = False
    rest_s: float = 0.0


# ── reports ──────────────────────────────────────────────────────────────────────────────────


class Held(Value):
    """A lease as its holder names it."""

    job: str
    attempt: int


class Beat(Value):
    """All leases of one token are alive."""

    token: str
    leases: list[Held]


class LeaseState(Value):
    """`held`: go on. `stale`: another attempt counts (409). `cancelled`: nobody wants it (410)."""

    job: str
    state: Literal["held", "stale", "cancelled"]
    urls: dict[str, str] = Field(default_factory=dict)  # key → renewed URL, near expiry only


class BeatAnswer(Value):
    now: float
    leases: list[LeaseState]


class Progress(Value):
    """How far an attempt is. `number` rises with each one, and a number already seen adds
    nothing. `segments` are those heard since the last; `sentences`, where they are wanted, those
    that are surely whole by now, numbered from 0 in the attempt: told twice, they are the same."""

    token: str
    job: str
    attempt: int
    number: int = Field(ge=1)
    fraction: float = Field(ge=0.0, le=1.0)
    segments: list[Segment] = Field(default_factory=list)
    sentences: list[Segment] = Field(default_factory=list, max_length=MOST_SENTENCES)
    language: str | None = None


class Failure(Value):
    """Why an attempt ended without a result."""

    failure: FailureClass
    code: str = Field(max_length=100)
    message: str = Field(max_length=2000)
    retry_after_s: float | None = None


class Report(Value):
    """The last word of an attempt: exactly one of `result`, `failed` and `released`. `seconds`
    is how long it took by the worker's monotonic clock, `usage` what a chat service took for it,
    also where it failed. `unknown` says why it is released: these places of the grant are of a
    newer release than the worker."""

    job: str
    attempt: int
    seconds: float | None = Field(default=None, ge=0)
    usage: Usage | None = None
    result: Result | None = None
    failed: Failure | None = None
    released: bool = False
    unknown: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=8)


class Finish(Value):
    """The last words of one or more attempts of a claim."""

    token: str
    node: str
    reports: list[Report] = Field(min_length=1)


class Verdict(Value):
    """How one report was taken: 200 taken or known, 409 stale, 410 no longer wanted, 422 not a
    report of this job."""

    job: str
    status: Literal[200, 409, 410, 422]


class FinishAnswer(Value):
    now: float
    verdicts: list[Verdict]


# ── the translation cache ────────────────────────────────────────────────────────────────────


class Wanted(Value):
    """The sentences that an attempt would rather not translate again."""

    job: str
    attempt: int
    digests: list[Digest]


class Lookup(Value):
    """Asks for translations that are remembered, for jobs of one token."""

    token: str
    wanted: list[Wanted] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        return _bounded(self, sum(len(each.digests) for each in self.wanted))


class Recalled(Value):
    """Job → digest → translation, of those that are known. `rest_s` is for how long nothing need
    be asked or told here, because nothing is remembered."""

    known: dict[str, dict[str, str]]
    rest_s: float = 0.0


class Made(Value):
    """Translations that an attempt has made, by digest; such only as nothing looks wrong with."""

    job: str
    attempt: int
    texts: dict[Digest, Annotated[str, Field(min_length=1, max_length=LONGEST)]]


class Keep(Value):
    """Tells what may be remembered; also after the attempts have ended. A call that is lost costs
    nothing but translating again, and one that comes twice changes nothing."""

    made: list[Made] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        return _bounded(self, sum(len(each.texts) for each in self.made))


class Kept(Value):
    """How many of them are of jobs that are known here."""

    count: int
    rest_s: float = 0.0


# ── earlier results ──────────────────────────────────────────────────────────────────────────


class LookBack(Value):
    """Asks for the result of an earlier job of the same owner, by what the result depends on."""

    token: str
    job: str
    attempt: int
    digest: Digest


class Earlier(Value):
    """It, where there is one, and the URL of its transcript if that is not inline."""

    result: Result | None = None
    url: str | None = None


_Message = TypeVar("_Message", bound=Value)


def _bounded(message: _Message, count: int) -> _Message:
    if count > MOST_SENTENCES:
        raise ValueError(f"at most {MOST_SENTENCES} sentences a call, not {count}")
    return message
