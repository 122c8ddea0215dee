"""A worker's side played by hand: it registers, claims, beats and answers as the test says."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.model.errors import FailureClass
from services.model.messages import Beat, Claim, Failure, Finish, Grant, Held, Register, Report
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
from task_manager.pipeline import Pipeline

QUEUES = ("prepare", "assemble", "transcribe.stub-whisper", "translate.stub-nmt")


def _body(text: str, language: str) -> tuple[Body, Body]:
    segment = Segment(id=0, start=0.0, end=1.0, text=text)
    whole = Transcript(language=language, text=text, segments=[segment])
    return inline(text), inline(whole.model_dump_json())


@dataclass
class Hand:
    """One worker, moved by the test: it claims, and answers as it is told."""

    pipeline: Pipeline
    node: str = "node-1"
    parts: int = 1
    tokens: int = field(default=0)
    token: str = ""

    def register(self) -> None:
        self.pipeline.register(
            Register(
                node=self.node, kind="whisper", host="here", pid=1, queues=list(QUEUES),
                models=["stub-whisper", "stub-nmt"], slots=2, version="0",
            )
        )  # fmt: skip

    def claim(self, queue: str, slots: int = 1, job: str = "") -> list[Grant]:
        self.tokens += 1
        self.token = f"{self.node}-token-{self.tokens:08d}"
        return self.claim_again(queue, slots, job)

    def claim_again(self, queue: str, slots: int = 1, job: str = "") -> list[Grant]:
        """The same claim with the same token: the answer got lost."""
        asked = Claim(
            node=self.node, token=self.token, queue=queue, job=job, slots=slots,
            models=["stub-whisper", "stub-nmt"],
        )  # fmt: skip
        return self.pipeline.claim(asked).grants

    def finish(self, grant: Grant, token: str | None = None, **said) -> int:
        if not said:
            said = {"result": self.result(grant)}
        report = Report(job=grant.job, attempt=grant.attempt, **said)
        finish = Finish(token=token or self.token, node=self.node, reports=[report])
        return self.pipeline.finish(finish).verdicts[0].status

    def fail(self, grant: Grant, failure: FailureClass, code: str = "oops", **more) -> int:
        said = Failure(failure=failure, code=code, message="It went wrong.", **more)
        return self.finish(grant, failed=said)

    def beat(self, grant: Grant, token: str | None = None) -> str:
        held = Held(job=grant.job, attempt=grant.attempt)
        return self.pipeline.beat(Beat(token=token or self.token, leases=[held])).leases[0].state

    def result(self, grant: Grant) -> Result:
        spec = grant.spec
        if isinstance(spec, PrepareSpec):
            cut = [PartPlan(start=n, end=n + 1, speech=[(n, n + 1)]) for n in range(self.parts)]
            info = self.pipeline.ports.objects.put(spec.pcm.key, [b"\0\0"])
            pcm = Body(key=info.key, size=info.size, sha256=info.sha256)
            return PrepareResult(pcm=pcm, seconds=3.0, parts=cut)
        if isinstance(spec, DetectSpec):
            return DetectResult(language="en", probability=0.9)
        if isinstance(spec, TranscribeSpec):
            language = spec.language or "en"
            text, transcript = _body("Heard.", language)
            return TranscribeResult(
                language=language, text=text, transcript=transcript, segments=1, runs=[(0, 1)]
            )
        if isinstance(spec, AssembleSpec):
            text, transcript = _body("Heard. " * len(spec.parts), spec.language)
            return AssembleResult(text=text, transcript=transcript, segments=1, runs=[(0, 1)])
        text, transcript = _body(f"[{spec.target_language}]", spec.target_language)
        return TranslateResult(text=text, transcript=transcript, segments=1)

    def work(self, *queues: str) -> int:
        """Does all due work of the queues, succeeding in everything; how many jobs."""
        done = 0
        while grants := [grant for queue in queues or QUEUES for grant in self.claim(queue)]:
            for grant in grants:
                token = self.pipeline.ports.store.job(grant.job).lease.token
                assert self.finish(grant, token=token) == 200
                done += 1
        return done
