"""A worker and a client that play one journey through every operation, and never give up.

The journey: a task of audio and text that is released, fails, is lost, fails for good and is
retried; a task that is cancelled; a task that is deleted. Every call is repeated, at any manager
that answers, until one has taken it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from services.model.errors import FailureClass, JobFailed
from services.model.messages import (
    Beat,
    Claim,
    Failure,
    Finish,
    Grant,
    Held,
    Progress,
    Register,
    Report,
)
from services.model.stages import (
    AssembleResult,
    AssembleSpec,
    DetectResult,
    DetectSpec,
    PartPlan,
    PrepareResult,
    PrepareSpec,
    Result,
    TranscribeResult,
    TranscribeSpec,
    TranslateResult,
)
from services.model.transcript import Body, Segment, Transcript, inline
from services.outbound import Client, HttpError, Response, open_client
from services.worker.callbacks import Manager

T = TypeVar("T")

QUEUES = ("prepare", "transcribe.stub-whisper", "assemble", "translate.stub-nmt")
MODELS = ["stub-whisper", "stub-nmt"]
SECRET = "bench"  # noqa: S105  of a stack that lives for a minute
PATIENCE_S = 30.0
_PAUSE_S = 0.05


class NeverAnswered(Exception):
    """Nobody took a call, or a task did not come to its end; the message says which."""


@dataclass
class Site:
    """Where the managers listen, the dying one first; `mend` starts one anew where the script
    says so, and is called whenever nobody answered."""

    public: Sequence[str]
    inner: Sequence[str]
    mend: Callable[[], None]

    def until(self, what: str, tries: Sequence[Callable[[], T | None]]) -> T:
        """The first answer of any manager that is not None."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for attempt in tries:
                try:
                    answer = attempt()
                except (HttpError, JobFailed):
                    continue
                if answer is not None:
                    return answer
            self.mend()
            time.sleep(_PAUSE_S)
        raise NeverAnswered(what)


class Caller:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._clients = [open_client(url, read_s=10.0) for url in site.public]

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def ask(self, method: str, path: str, *, wanted: Sequence[int], **more: Any) -> Response:
        """The first answer with a wanted status. A refusal with 409 or 410 of what was asked
        before means that it was done, so callers list those as well."""

        def attempt(client: Client) -> Response | None:
            answer: Response = client.request(method, path, **more)
            if answer.status_code in {400, 404, 422} and answer.status_code not in wanted:
                raise NeverAnswered(f"{method} {path}: {answer.status_code} {answer.text}")
            return answer if answer.status_code in wanted else None

        tries = [partial(attempt, client) for client in self._clients]
        return self._site.until(f"{method} {path}", tries)

    def create(self, key: str, items: list[dict[str, Any]]) -> str:
        body = {"items": items, "targets": ["zh", "ja"], "options": {"model": "stub-whisper"}}
        headers = {"Idempotency-Key": key}
        answer = self.ask("POST", "/v1/tasks", wanted=[202], json=body, headers=headers)
        return str(answer.json()["id"])

    def upload(self) -> str:
        kind = {"content-type": "audio/mpeg"}
        answer = self.ask("POST", "/v1/uploads", wanted=[201], content=b"ID3", headers=kind)
        return str(answer.json()["key"])

    def state(self, task: str) -> str:
        return str(self.ask("GET", f"/v1/tasks/{task}", wanted=[200]).json()["state"])


@dataclass
class Worker:
    """Claims what is due and answers; `plans` are what becomes of the first translations."""

    site: Site
    name: str
    plans: list[str] = field(default_factory=list)
    acts: dict[str, str] = field(default_factory=dict)
    tokens: int = 0

    def __post_init__(self) -> None:
        self._managers = [Manager(url, SECRET) for url in self.site.inner]

    def close(self) -> None:
        for manager in self._managers:
            manager.close()

    def call(self, what: str, method: str, message: Any) -> Any:
        tries = [partial(getattr(manager, method), message) for manager in self._managers]
        return self.site.until(what, tries)

    def register(self) -> None:
        hello = Register(
            node=self.name, kind="whisper", host="here", pid=1, queues=list(QUEUES),
            models=MODELS, slots=8, version="0",
        )  # fmt: skip
        self.call("register", "register", hello)

    def claim(self) -> Iterator[tuple[str, Grant]]:
        """All that is due, each with its token."""
        for queue in QUEUES:
            self.tokens += 1
            token = f"{self.name}-{self.tokens:016d}"
            asked = Claim(node=self.name, token=token, queue=queue, job="", models=MODELS, slots=4)
            for grant in self.call("claim", "claim", asked).grants:
                yield token, grant

    def work(self) -> int:
        """One round over all queues; how many jobs there were."""
        won = list(self.claim())
        for token, grant in won:
            self._answer(token, grant)
        return len(won)

    def beat(self, token: str, grant: Grant) -> str:
        held = Held(job=grant.job, attempt=grant.attempt)
        answer = self.call("beat", "beat", Beat(token=token, leases=[held]))
        return str(answer.leases[0].state)

    def _answer(self, token: str, grant: Grant) -> None:
        self.beat(token, grant)
        if grant.spec.stage == "translate" and grant.job not in self.acts and self.plans:
            self.acts[grant.job] = self.plans.pop(0)
        act = self.acts.get(grant.job, "") if grant.attempt == 1 else ""
        if act == "silent":
            return
        if grant.spec.stage == "transcribe":
            heard = Segment(id=0, start=0.0, end=1.0, text="Heard.")
            told = Progress(
                token=token, job=grant.job, attempt=grant.attempt, number=1, fraction=0.5,
                segments=[heard],
            )  # fmt: skip
            self.call("progress", "progress", told)
        self.finish(token, grant, act)

    def finish(self, token: str, grant: Grant, act: str = "") -> int:
        said: dict[str, Any] = {"released": True} if act == "release" else {}
        if act in set(FailureClass):
            failure = FailureClass(act)
            said = {"failed": Failure(failure=failure, code="bench", message="As it was told.")}
        said = said or {"result": result_of(grant)}
        report = Report(job=grant.job, attempt=grant.attempt, **said)
        finish = Finish(token=token, node=self.name, reports=[report])
        return int(self.call("finish", "finish", finish).verdicts[0].status)


def result_of(grant: Grant) -> Result:
    """The same for the same job, whoever asks."""
    spec = grant.spec
    if isinstance(spec, PrepareSpec):
        path = Path(unquote(urlsplit(spec.pcm.url).path))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0\0")
        parts = [PartPlan(start=n, end=n + 1, speech=[(n, n + 1)]) for n in range(2)]
        return PrepareResult(pcm=Body(key=spec.pcm.key, size=2), seconds=3.0, parts=parts)
    if isinstance(spec, DetectSpec):
        return DetectResult(language="en", probability=0.9)
    if isinstance(spec, TranscribeSpec):
        text, whole = _bodies("Heard.", "en")
        return TranscribeResult(
            language="en", text=text, transcript=whole, segments=1, runs=[(0, 1)]
        )
    if isinstance(spec, AssembleSpec):
        text, whole = _bodies("Heard. " * len(spec.parts), spec.language)
        return AssembleResult(text=text, transcript=whole, segments=1, runs=[(0, 1)])
    text, whole = _bodies(f"[{spec.target_language}]", spec.target_language)
    return TranslateResult(text=text, transcript=whole, segments=1)


def _bodies(text: str, language: str) -> tuple[Body, Body]:
    segment = Segment(id=0, start=0.0, end=1.0, text=text)
    whole = Transcript(language=language, text=text, segments=[segment])
    return inline(text), inline(whole.model_dump_json())
