"""Every shape on the wire between manager and workers; `docs/callbacks.md` is made from it.

A worker rings nobody: it gets an announcement from its queue, claims over HTTP, and reports over
HTTP. Times are seconds, positions in audio are samples of 16 kHz mono unless they say otherwise.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from services.model.errors import FailureClass
from services.model.transcript import Body, Check, Segment
from services.model.values import Value

PROTOCOL = 1
INLINE_LIMIT = 64 * 1024  # bytes; a larger text goes to storage and the report carries its key


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


class Registered(Value):
    """`now` is the store's clock: sign with it, for the host's may be wrong."""

    now: float
    beat_every_s: float
    draining: bool = False


class NodeBeat(Value):
    """A node is alive; `leaving` says that it will not come back."""

    node: str
    running: int = 0
    leaving: bool = False


# ── the claim ────────────────────────────────────────────────────────────────────────────────


class Place(Value):
    """An object by key, and the URL to get it from or put it to (`file:` on one machine).

    A spec's `output` takes the JSON of a `Transcript`, its `output_text` the plain text; each is
    used only when what goes there is over 64 KB.
    """

    key: str
    url: str
    size: int = 0
    sha256: str = ""


class PartPlan(Value):
    """A stretch of an item's audio, cut at silence, and the speech found in it (samples)."""

    start: int
    end: int
    speech: list[tuple[int, int]]


class PrepareSpec(Value):
    """Decode the input to 16 kHz mono s16le PCM, find the speech, cut it into parts."""

    stage: Literal["prepare"] = "prepare"
    audio: Place
    pcm: Place
    vad: bool = True
    max_seconds: float
    part_seconds: float  # items longer than this are cut into parts


class DetectSpec(Value):
    """Name the language of an item that was cut into parts, from its first voiced windows."""

    stage: Literal["detect"] = "detect"
    pcm: Place
    model: str
    windows: list[PartPlan]


class TranscribeSpec(Value):
    """Write down one part. `reference` is the item's text, given when `part` is the only one."""

    stage: Literal["transcribe"] = "transcribe"
    pcm: Place
    part: PartPlan
    parts: int = 1
    model: str
    language: str | None
    language_probability: float | None = None
    beam_size: int = 5
    word_timestamps: bool = False
    safer: bool = False
    reference: str | None = None
    output: Place
    output_text: Place


class AssembleSpec(Value):
    """Join the parts of a transcript (`source` A, no target) or of a translation."""

    stage: Literal["assemble"] = "assemble"
    kind: Literal["transcript", "translation"]
    language: str
    parts: list[Body]
    urls: dict[str, str]  # key → URL of each part that is not inline
    reference: str | None = None
    output: Place
    output_text: Place


class TranslateSpec(Value):
    """Translate a run of segments `[first, last)` of a transcript, or a reference text."""

    stage: Literal["translate"] = "translate"
    model: str
    source_language: str
    target_language: str
    text: str | None = None
    transcript: Body | None = None
    transcript_url: str | None = None
    first: int = 0
    last: int | None = None
    parts: int = 1
    beam_size: int | None = None  # None: what the model's own description says
    output: Place
    output_text: Place


Spec = Annotated[
    PrepareSpec | DetectSpec | TranscribeSpec | AssembleSpec | TranslateSpec,
    Field(discriminator="stage"),
]


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
    all it wins; the same token gets the same leases again, for the answer may have got lost."""

    node: str
    token: str = Field(min_length=16, max_length=64)
    queue: str
    job: str
    models: list[str]
    slots: int = Field(default=1, ge=1, le=64)


class Granted(Value):
    """What the claim won; empty when the announcement was old news."""

    now: float
    grants: list[Grant]
    beat_every_s: float
    draining: bool = False


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
    nothing. `segments` are those heard since the last."""

    token: str
    job: str
    attempt: int
    number: int = Field(ge=1)
    fraction: float = Field(ge=0.0, le=1.0)
    segments: list[Segment] = Field(default_factory=list)
    language: str | None = None


class PrepareResult(Value):
    """`coverage` is decoded ÷ declared seconds, 1 where nothing is declared. `parts` is empty
    when nobody speaks."""

    stage: Literal["prepare"] = "prepare"
    pcm: Body
    seconds: float
    declared_seconds: float | None = None
    coverage: float = 1.0
    format: str = ""
    warnings: list[str] = Field(default_factory=list)
    parts: list[PartPlan]


class DetectResult(Value):
    stage: Literal["detect"] = "detect"
    language: str
    probability: float


class TranscribeResult(Value):
    """`runs` are the parts a translation is cut into: ranges of segments that end with a
    sentence."""

    stage: Literal["transcribe"] = "transcribe"
    language: str
    language_probability: float | None = None
    text: Body
    transcript: Body
    segments: int
    runs: list[tuple[int, int]]
    no_speech: bool = False
    check: Check | None = None
    engine_seconds: float = 0.0


class AssembleResult(Value):
    """What joining gave; `runs` only for a transcript."""

    stage: Literal["assemble"] = "assemble"
    text: Body
    transcript: Body
    segments: int
    runs: list[tuple[int, int]] = Field(default_factory=list)
    no_speech: bool = False
    check: Check | None = None


class TranslateResult(Value):
    stage: Literal["translate"] = "translate"
    text: Body
    transcript: Body
    segments: int
    engine_seconds: float = 0.0


Result = Annotated[
    PrepareResult | DetectResult | TranscribeResult | AssembleResult | TranslateResult,
    Field(discriminator="stage"),
]


class Failure(Value):
    """Why an attempt ended without a result."""

    failure: FailureClass
    code: str = Field(max_length=100)
    message: str = Field(max_length=2000)
    retry_after_s: float | None = None


class Report(Value):
    """The last word of an attempt: exactly one of `result`, `failed` and `released`."""

    job: str
    attempt: int
    result: Result | None = None
    failed: Failure | None = None
    released: bool = False


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
