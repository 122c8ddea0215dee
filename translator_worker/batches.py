"""Jobs that share the engine's batches: each asks for its rows, and is answered as they are done.

What a row becomes does not depend on the rows beside it, so batches may hold rows of any jobs,
and the jobs of an owner, an item or a language are not told apart. A row that is known already
goes into none.
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
from services.worker.leases import Released
from services.worker.work import Work
from translator_worker.engines import Engine, Row, Translation
from translator_worker.engines.llm_requests import tokens_of
from translator_worker.remembering import Known

MOST_ROWS = 64  # in a batch; between two batches a job can be cancelled
MOST_TOKENS = 1024
HOLD_S = 5.0  # for so long a job may wait here for its turn, then somebody else may have it

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """The rows of a job, and who is to translate them. `names` are what the rows are known by;
    without them nothing is remembered. Rows that are one `whole` are all made anew, in a batch of
    their own, unless all are known."""

    engine: Engine
    rows: Sequence[Row]
    beam_size: int | None
    names: Sequence[str] = ()
    whole: bool = False

    def goes_with(self, other: Asked) -> bool:
        return (self.engine, self.beam_size) == (other.engine, other.beam_size)


@dataclass(frozen=True, slots=True)
class Answered:
    """As many translations, the engine's seconds that they took, and how many of them were there
    already."""

    translations: Sequence[Translation]
    seconds: float
    recalled: int


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
        known = Known()
        known.recall(bundle, {job.work: job.asked.names for job in jobs})
        until = time.monotonic() + HOLD_S  # the model is loaded by now
        while jobs:
            ready = [job for job in jobs if not job.left(known)]
            ended = [_end(bundle, job, known) for job in ready] or _go_on(bundle, jobs, known)
            if time.monotonic() > until:
                ended += _handed_back(jobs, ended)
            if ended:
                yield ended
            gone = {outcome.work for outcome in ended}
            jobs = [job for job in jobs if job.work not in gone]

    return run


@dataclass(slots=True, eq=False)
class _Job:
    """`names` are one a row, `first` the first row of each, `made` those that were made for it."""

    work: Work
    talk: Talk
    asked: Asked
    names: Sequence[str] = ()
    first: Mapping[str, int] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        job = self.work.grant.job
        rows = range(len(self.asked.rows))
        self.names = self.asked.names or [f"{job} {number}" for number in rows]
        self.first = {self.names[number]: number for number in reversed(rows)}

    def left(self, known: Known) -> list[int]:
        """The rows that are still to be made."""
        missing = sorted(n for name, n in self.first.items() if known.of(self.work, name) is None)
        return list(range(len(self.names))) if missing and self.asked.whole else missing

    def answer(self, known: Known) -> Answered:
        found = [known.of(self.work, name) for name in self.names]
        recalled = sum(name not in self.made for name in self.names)
        return Answered([each for each in found if each is not None], self.seconds, recalled)


_Batch = Mapping[_Job, Sequence[int]]  # which rows of which jobs


def next_batch(jobs: Sequence[_Job], known: Known) -> _Batch:
    """The next rows in the order of the jobs, as many as go into a batch, at least one. Only jobs
    of one engine and one beam size go together."""
    head = jobs[0]
    if head.asked.whole:
        return {head: head.left(known)}
    batch: dict[_Job, list[int]] = {}
    taken: set[tuple[str, str]] = set()  # for the first job of a task that has it
    tokens = MOST_TOKENS
    for job in takewhile(lambda job: job.asked.goes_with(head.asked), jobs):
        for number in job.left(known):
            row = (job.work.grant.task, job.names[number])
            if row in taken:
                continue
            tokens -= tokens_of(job.asked.rows[number].text)
            if taken and (len(taken) == MOST_ROWS or tokens < 0):
                return batch
            taken.add(row)
            batch.setdefault(job, []).append(number)
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


def _go_on(bundle: Bundle, jobs: Sequence[_Job], known: Known) -> list[Outcome]:
    """One batch; who ended over it."""
    batch = next_batch(jobs, known)
    gone = [outcome for job in batch if (outcome := _gone(job))]
    if gone:
        return gone
    answers = _answer(bundle, batch)
    return [
        outcome
        for job, answer in answers.items()
        if (outcome := _take(bundle, job, batch[job], answer, known))
    ]


def _handed_back(jobs: Sequence[_Job], ended: Sequence[Outcome]) -> list[Outcome]:
    """What takes far longer than the manager could know keeps no others waiting."""
    gone = {outcome.work for outcome in ended}
    late = [job for job in jobs if not job.made and job.work not in gone]
    if late:
        log.info("bundle_too_long", jobs=len(late))
    return [Outcome(job.work, Released("Its claim takes too long.")) for job in late]


def _gone(job: _Job) -> Outcome | None:
    """How a job ended that may not go on: it was cancelled or took too long, or we leave."""
    try:
        job.work.check()
    except Exception as error:  # noqa: BLE001 - as above
        return Outcome(job.work, error)
    return None


def _answer(bundle: Bundle, batch: _Batch) -> dict[_Job, Sequence[Translation] | Exception]:
    """By job what the engine made of its rows. Where it failed, each job goes through it alone,
    so that only those fail that are to blame; after an error that spends the process nobody can
    tell, and all of them are."""
    engine, beam_size = next((job.asked.engine, job.asked.beam_size) for job in batch)
    rows = {job: [job.asked.rows[number] for number in some] for job, some in batch.items()}
    tokens = {job: 1 + sum(tokens_of(row.text) for row in some) for job, some in rows.items()}
    shares = {job: count / sum(tokens.values()) for job, count in tokens.items()}
    began = time.monotonic()
    try:
        with bundle.turn({job.work: share for job, share in shares.items()}):
            flat = [row for some in rows.values() for row in some]
            made = iter(engine.translate(flat, beam_size=beam_size))
    except Exception as error:  # noqa: BLE001 - as above
        if len(batch) == 1 or is_fatal(error):
            return dict.fromkeys(batch, error)
        log.warning("batch_failed", jobs=len(batch), reason=str(error))
        return {job: _answer(bundle, {job: some})[job] for job, some in batch.items()}
    seconds = time.monotonic() - began
    for job, share in shares.items():
        job.seconds += share * seconds
    return {job: [next(made) for _ in some] for job, some in rows.items()}


def _take(
    bundle: Bundle,
    job: _Job,
    numbers: Sequence[int],
    answer: Sequence[Translation] | Exception,
    known: Known,
) -> Outcome | None:
    """How the job ended, if it has."""
    if isinstance(answer, Exception):
        return Outcome(job.work, answer)
    made = dict(zip([job.names[number] for number in numbers], answer, strict=True))
    job.made.update(made)
    known.learn(job.work, made, kept=bool(job.asked.names))
    left = job.left(known)
    try:
        if left:
            with bundle.turn({job.work: 1.0}):
                job.work.progress((len(job.first) - len(left)) / len(job.first))
    except Exception as error:  # noqa: BLE001 - as above
        return Outcome(job.work, error)
    return None


def _end(bundle: Bundle, job: _Job, known: Known) -> Outcome:
    """Of a job all of whose rows are known."""
    try:
        with bundle.turn({job.work: 1.0}):
            job.talk.send(job.answer(known))
    except StopIteration as end:
        return Outcome(job.work, end.value)
    except Exception as error:  # noqa: BLE001 - as above
        return Outcome(job.work, error)
    raise AssertionError("a job asks at most once")
