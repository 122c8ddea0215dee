"""A small honest worker: it takes announcements, claims over signed HTTP, and answers by rule.

What it hears is `Heard <text id>.`, what it translates is `[<language>] <text>`; it fails where a
test tells it to.
"""

from __future__ import annotations

import queue
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from services.model.differences import Difference, Differences
from services.model.errors import FailureClass
from services.model.messages import Claim, Failure, Finish, Grant, Progress, Register, Report
from services.model.stages import (
    AssembleSpec,
    DetectResult,
    DetectSpec,
    PartPlan,
    Place,
    PrepareResult,
    PrepareSpec,
    TranscribeResult,
    TranscribeSpec,
    TranslateResult,
    TranslateSpec,
)
from services.model.transcript import Body, Check, Edits, Segment, Transcript, Word, inline
from services.worker.callbacks import Manager as Callbacks

SPEECH_MODELS = ("stub-whisper",)
TRANSLATION_MODELS = ("stub-nmt", "opencc")
PATIENCE_S = 20.0

CHECK = Check(
    wer=0.25,
    cer=0.1,
    rate=0.25,
    decides="words",
    words=Edits(hits=3, substitutions=1, insertions=0, deletions=0, length=4),
    characters=Edits(hits=18, substitutions=2, insertions=0, deletions=0, length=20),
    differences=1,
)
PLACE = Difference(
    op="substitution", expected="words", heard="birds", start=4, end=9, heard_start=6,
    heard_end=11, from_s=0.5, to_s=1.0,
)  # fmt: skip
DIFFERENCES = Differences(count=1, places=[PLACE])


class RecordingAnnouncer:
    """Keeps the announcements that a broker would carry."""

    def __init__(self) -> None:
        self.rung: queue.Queue[tuple[str, str]] = queue.Queue()

    def announce(self, name: str, job: str) -> None:
        self.rung.put((name, job))

    def close(self) -> None:
        pass


@dataclass
class Driver:
    """Works off what is announced. `languages` says what is heard in which text id; jobs of the
    target languages in `broken` fail for good; text ids in `unreadable` are no media. It knows
    its `speech_models` and all translation models."""

    callbacks: Callbacks
    announcer: RecordingAnnouncer
    node: str = "node-1"
    speech_models: Sequence[str] = SPEECH_MODELS
    languages: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    failure: FailureClass = FailureClass.PERMANENT
    warnings: list[str] = field(default_factory=list)  # of the speech engine
    flags: list[str] = field(default_factory=list)  # of each translated sentence
    texts: dict[tuple[str, str], str] = field(default_factory=dict)  # (language, text) → text
    check: Check = CHECK  # of what was heard in an item with a text
    differences: Differences = DIFFERENCES

    @property
    def models(self) -> list[str]:
        return [*self.speech_models, *TRANSLATION_MODELS]

    def register(self) -> None:
        hearing = [f"transcribe.{model}" for model in self.speech_models]
        translating = [f"translate.{model}" for model in TRANSLATION_MODELS]
        queues = ["prepare", "assemble", *hearing, *translating]
        self.callbacks.register(
            Register(
                node=self.node, kind="whisper", host="here", pid=1, queues=queues,
                models=self.models, slots=4, version="0",
            )
        )  # fmt: skip

    def claim_next(self) -> tuple[str, list[Grant]]:
        """Waits for an announcement and claims; the token and what it won."""
        name, job = self.announcer.rung.get(timeout=PATIENCE_S)
        token = secrets.token_hex(16)
        claim = Claim(node=self.node, token=token, queue=name, job=job, models=self.models, slots=1)
        return token, self.callbacks.claim(claim).grants

    def step(self) -> None:
        token, grants = self.claim_next()
        for grant in grants:
            self.finish(token, grant)

    def claim_stage(self, stage: str) -> tuple[str, Grant]:
        """Works on until a job of that stage is won, and keeps it."""
        while True:
            token, grants = self.claim_next()
            for grant in grants:
                if grant.spec.stage == stage:
                    return token, grant
                self.finish(token, grant)

    def finish(self, token: str, grant: Grant) -> int:
        report = Report(job=grant.job, attempt=grant.attempt, **self._said(grant))
        answer = self.callbacks.finish(Finish(token=token, node=self.node, reports=[report]))
        return answer.verdicts[0].status

    def tell(self, token: str, grant: Grant, number: int, texts: list[str]) -> str:
        """One progress report with segments; what the lease's state is."""
        segments = [
            Segment(id=place, start=float(place), end=place + 1.0, text=text)
            for place, text in enumerate(texts, start=number * 10)
        ]
        told = Progress(
            token=token, job=grant.job, attempt=grant.attempt, number=number, fraction=0.5,
            segments=segments, language="en",
        )  # fmt: skip
        return self.callbacks.progress(told).state

    def _detected(self, text_id: str) -> DetectResult:
        return DetectResult(language=self.languages.get(text_id, "en"), probability=0.8)

    def _said(self, grant: Grant) -> dict[str, object]:
        spec = grant.spec
        if isinstance(spec, PrepareSpec) and grant.text_id in self.unreadable:
            return {"failed": self._failure("bad_media", "This is no audio that can be read.")}
        if isinstance(spec, TranslateSpec) and spec.target_language in self.broken:
            return {"failed": self._failure("engine_failed", "The engine gave up.")}
        return {"result": self._result(grant)}

    def _failure(self, code: str, message: str) -> Failure:
        return Failure(failure=self.failure, code=code, message=message)

    def _result(self, grant: Grant):
        spec = grant.spec
        if isinstance(spec, PrepareSpec):
            samples = 16_000 * 3
            pcm = _put(spec.pcm, b"\0\0" * samples)
            part = PartPlan(start=0, end=samples, speech=[(0, samples)])
            return PrepareResult(pcm=pcm, seconds=3.0, declared_seconds=3.0, parts=[part])
        if isinstance(spec, DetectSpec):
            return self._detected(grant.text_id)
        if isinstance(spec, TranscribeSpec):
            heard = spec.language or self.languages.get(grant.text_id, "en")
            language = spec.decoding.language(heard)
            text = self.texts.get((language, grant.text_id), f"Heard {grant.text_id}.")
            checked = spec.reference is not None
            plain, whole = _bodies(text, language, words=spec.word_timestamps)
            return TranscribeResult(
                language=language, spoken=None if language == heard else heard,
                language_probability=0.9, text=plain, transcript=whole,
                segments=1, runs=[(0, 1)], warnings=self.warnings,
                check=self.check if checked else None,
                differences=inline(self.differences.model_dump_json()) if checked else None,
            )  # fmt: skip
        assert isinstance(spec, TranslateSpec), f"the driver has no rule for {spec.stage}"
        assert not isinstance(spec, AssembleSpec)
        text = spec.text
        if text is None:
            text = Transcript.model_validate_json(spec.transcript.inline).text
        made = self.texts.get((spec.target_language, text), f"[{spec.target_language}] {text}")
        plain, whole = _bodies(made, spec.target_language, flags=self.flags)
        flags = dict.fromkeys(self.flags, 1)
        return TranslateResult(text=plain, transcript=whole, segments=1, flags=flags)


def _bodies(
    text: str, language: str, *, words: bool = False, flags: Sequence[str] = ()
) -> tuple[Body, Body]:
    timed = [
        Word(start=0.5 + number, end=1.0 + number, text=f" {word}", probability=0.9)
        for number, word in enumerate(text.split() if words else ())
    ]
    segment = Segment(id=0, start=0.5, end=2.5, text=text, words=timed or None, flags=[*flags])
    whole = Transcript(language=language, text=text, segments=[segment], duration=3.0)
    return inline(text), inline(whole.model_dump_json())


def _put(place: Place, content: bytes) -> Body:
    path = Path(unquote(urlsplit(place.url).path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Body(key=place.key, size=len(content))
