"""Jobs that share the engine's batches: each asks for its rows, and is answered as they are done.

What a row becomes does not depend on the rows beside it, so batches may hold rows of any jobs,
and the jobs of an owner, an item or a language are not told apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from services import logs
from services.model.stages import Result
from services.worker.bundle import Bundle, BundleStage, Outcome
from services.worker.classify import is_fatal
from services.worker.work import Work
from translator_worker.engines import Engine, Row, Translation
from translator_worker.engines.llm_requests import tokens_of

MOST_ROWS = 64  # in a batch; between two batches a job can be cancelled
MOST_TOKENS = 1024

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """The rows of a job, and who is to translate them."""

    engine: Engine
    rows: Sequence[Row]
    beam_size: int | None

    def goes_with(self, other: Asked) -> bool:
        return (self.engine, self.beam_size) == (other.engine, other.beam_size)


@dataclass(frozen=True, slots=True)
class Answered:
    """As many translations, and the engine's seconds that they took."""

    translations: Sequence[Translation]
    seconds: float


Talk = Generator[Asked, Answered, Result]  # one job: it asks at most once


def sharing_batches(begin: Callable[[Any, Work], Talk]) -> BundleStage:
    """The stage that runs the talks of all jobs of a claim, each of which may fail by itself."""

    def run(bundle: Bundle) -> Iterator[list[Outcome]]:
        jobs: list[_Job] = []
        for work in bundle.works:
            begun = _begin(begin, bundle, work)
            if isinstance(begun, Outcome):
                yield [begun]
            else:
                jobs.append(begun)
        while jobs:
            batch = next_batch(jobs)
            gone = [outcome for job in batch if (outcome := _gone(job))]
            if not gone:
                answer = _answer(bundle, batch)
                gone = [outcome for job in batch if (outcome := _take(bundle, job, answer[job]))]
            if gone:
                yield gone
            ended = {outcome.work for outcome in gone}
            jobs = [job for job in jobs if job.work not in ended]

    return run


@dataclass(slots=True, eq=False)
class _Job:
    work: Work
    talk: Talk
    asked: Asked
    done: list[Translation] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def left(self) -> Sequence[Row]:
        return self.asked.rows[len(self.done) :]


def next_batch(jobs: Sequence[_Job]) -> dict[_Job, Sequence[Row]]:
    """The next rows in the order of the jobs, as many as go into a batch, at least one. Only jobs
    of one engine and one beam size go together."""
    batch: dict[_Job, Sequence[Row]] = {}
    room, tokens = MOST_ROWS, MOST_TOKENS
    for job in takewhile(lambda job: job.asked.goes_with(jobs[0].asked), jobs):
        fitting = 0
        for row in job.left:
            tokens -= tokens_of(row.text)
            if room < MOST_ROWS and (room == 0 or tokens < 0):
                break
            room -= 1
            fitting += 1
        if job.left and not fitting:
            break
        batch[job] = job.left[:fitting]
    return batch


def _begin(begin: Callable[[Any, Work], Talk], bundle: Bundle, work: Work) -> _Job | Outcome:
    try:
        work.check()
        with bundle.turn({work: 1.0}):
            talk = begin(work.grant.spec, work)
            try:
                return _Job(work, talk, next(talk))
            except StopIteration as end:
                return Outcome(work, end.value)
    except Exception as error:  # noqa: BLE001 - whatever it is becomes a report
        return Outcome(work, error)


def _gone(job: _Job) -> Outcome | None:
    """How a job ended that may not go on: it was cancelled or took too long, or we leave."""
    try:
        job.work.check()
    except Exception as error:  # noqa: BLE001 - as above
        return Outcome(job.work, error)
    return None


def _answer(
    bundle: Bundle, batch: Mapping[_Job, Sequence[Row]]
) -> dict[_Job, Sequence[Translation] | Exception]:
    """By job what the engine made of its rows. Where it failed, each job goes through it alone,
    so that only those fail that are to blame; after an error that spends the process nobody can
    tell, and all of them are."""
    engine, beam_size = next((job.asked.engine, job.asked.beam_size) for job in batch)
    tokens = {job: 1 + sum(tokens_of(row.text) for row in rows) for job, rows in batch.items()}
    shares = {job: count / sum(tokens.values()) for job, count in tokens.items()}
    began = time.monotonic()
    try:
        with bundle.turn({job.work: share for job, share in shares.items()}):
            flat = [row for rows in batch.values() for row in rows]
            made = iter(engine.translate(flat, beam_size=beam_size))
    except Exception as error:  # noqa: BLE001 - as above
        if len(batch) == 1 or is_fatal(error):
            return dict.fromkeys(batch, error)
        log.warning("batch_failed", jobs=len(batch), reason=str(error))
        return {job: _answer(bundle, {job: rows})[job] for job, rows in batch.items()}
    seconds = time.monotonic() - began
    for job, share in shares.items():
        job.seconds += share * seconds
    return {job: [next(made) for _ in rows] for job, rows in batch.items()}


def _take(bundle: Bundle, job: _Job, answer: Sequence[Translation] | Exception) -> Outcome | None:
    """How the job ended, if it has."""
    if isinstance(answer, Exception):
        return Outcome(job.work, answer)
    job.done += answer
    try:
        with bundle.turn({job.work: 1.0}):
            if job.left:
                job.work.progress(len(job.done) / len(job.asked.rows))
                return None
            job.talk.send(Answered(job.done, job.seconds))
    except StopIteration as end:
        return Outcome(job.work, end.value)
    except Exception as error:  # noqa: BLE001 - as above
        return Outcome(job.work, error)
    raise AssertionError("a job asks at most once")
