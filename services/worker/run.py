"""One announcement from claim to last word: claim, keep alive, run the stage, report."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from services import logs
from services.model.addresses import Network
from services.model.errors import FailureClass, JobFailed, LeaseLost
from services.model.messages import Announcement, Claim, Failure, Finish, Granted, Report
from services.model.stages import Result
from services.outbound import Objects
from services.worker.appetite import Appetite
from services.worker.bundle import Bundle, BundleStage, Stage, one_by_one
from services.worker.callbacks import Manager, Refused
from services.worker.classify import classify, is_fatal
from services.worker.leases import Heart, Lease, Released, leaving
from services.worker.memory import Memory
from services.worker.model_cache import Idleness, loaded_models
from services.worker.offering import Offering
from services.worker.pulse import Pulse
from services.worker.work import Attempt, Work

SCRATCH_PREFIX = "fanscribe-work-"
_CLAIM_TRIES = 3
_FIRST_BEAT_TRIES = 12
_EXIT_CODE = 70  # our own end, so that it is told from a crash

log = logs.get(__name__)


class Runner:
    """Runs announcements, one at a time, in this process."""

    def __init__(
        self,
        *,
        node: str,
        models: Sequence[str],
        stages: Mapping[str, Stage],
        bundles: Mapping[str, BundleStage] | None = None,
        slots_of: Callable[[str], int] = lambda _: 1,
        most_size: float | None = None,
        manager: Manager,
        offering: Offering,
        pulse: Pulse | None = None,
        free_mb: Callable[[], int | None] = lambda: None,
        networks: Sequence[Network] = (),
        idleness: Idleness | None = None,
    ) -> None:
        """`bundles` are the stages that work on several jobs at once; of a queue a claim asks for
        up to `slots_of` it, together no larger than `most_size`. `free_mb` is the memory
        that models may still take, None where nobody knows; users' URLs may lead to `networks`
        beside the public ones."""
        self._node = node
        self._models = list(models)
        self._appetite = Appetite(slots_of)
        self._most_size = most_size
        self._stages = {name: one_by_one(stage) for name, stage in stages.items()}
        self._stages |= bundles or {}
        self._manager = manager
        self._offering = offering
        self._pulse = pulse or Pulse(None)
        self._free_mb = free_mb
        self._idleness = idleness or Idleness(0.0)
        self._objects = Objects(networks)
        self._memory = Memory(manager)
        self.end_process: Callable[[], None] = lambda: os._exit(_EXIT_CODE)

    def run(self, announcement: Announcement) -> None:
        """Claims, and works off what was won. Nothing is raised for what a job did wrong."""
        if self._pulse.closing():
            return  # the bell rings again elsewhere
        token = secrets.token_hex(16)
        self._pulse.asks(token)
        try:
            with self._idleness.busy():
                granted = self._claim(announcement, token)
                if granted is not None and granted.grants:
                    self._work_off(granted, token, announcement.queue)
        finally:
            self._pulse.holds(token)
        if granted is not None and granted.rest_s:
            log.info("resting", seconds=granted.rest_s)
            leaving.wait(granted.rest_s)

    def _work_off(self, granted: Granted, token: str, queue: str) -> None:
        leases = [Lease(grant) for grant in granted.grants]
        with Heart(
            self._manager,
            token,
            leases,
            every_s=granted.beat_every_s,
            on_overdue=lambda reason: self._end_overdue(leases, token, reason),
            on_deaf=lambda: self._end_deaf(leases, token),
            on_heard=self._offering.heard_again,
        ) as heart:
            if not _first_beat(heart, granted.beat_every_s):
                return  # a lease that never beat is taken back and charged to nobody
            self._hold(leases, token)
            began = time.monotonic()
            ended = [
                self._together(stage, list(some), leases, token)
                for stage, some in groupby(leases, key=lambda lease: lease.grant.spec.stage)
            ]
            self._appetite.fed(queue, sum(ended), time.monotonic() - began)

    def close(self) -> None:
        """Lets go of its connections."""
        self._objects.close()

    def _claim(self, announcement: Announcement, token: str) -> Granted | None:
        """An answer that got lost is asked for again with the same token."""
        claim = Claim(
            node=self._node,
            token=token,
            queue=announcement.queue,
            job=announcement.job,
            models=self._models,
            slots=self._appetite.of(announcement.queue),
            most_size=self._most_size,
            free_mb=self._free_mb(),
            loaded=loaded_models(),
        )
        for _ in range(_CLAIM_TRIES):
            try:
                return self._manager.claim(claim)
            except JobFailed as error:
                log.warning("claim_failed", reason=error.message)
                if leaving.wait(1.0):
                    return None
            except Refused as error:
                log.error("claim_refused", reason=str(error))  # noqa: TRY400  no trace needed
                return None
        return None

    def _together(
        self, stage: str, some: Sequence[Lease], leases: Sequence[Lease], token: str
    ) -> int:
        """Those of one stage, told of as they end; how many were not handed back."""
        works: dict[Work, Lease] = {}
        ended = 0

        @contextmanager
        def turn(shares: Mapping[Work, float]) -> Iterator[None]:
            busy = [works[work] for work in shares]
            alone = busy[0].held.model_dump() if len(busy) == 1 else {}
            for lease, share in zip(busy, shares.values(), strict=True):
                lease.begin(share)
            self._hold(leases, token)
            try:
                with logs.bind(**alone):
                    yield
            finally:
                for lease in busy:
                    lease.pause()

        def recall(wanted: Mapping[Work, Sequence[str]]) -> dict[Work, Mapping[str, str]]:
            asked = {works[work].held: digests for work, digests in wanted.items()}
            known = self._memory.recall(token, asked)
            return {work: known.get(works[work].grant.job, {}) for work in wanted}

        try:
            for lease in some:
                works[self._work(lease, token)] = lease
            for outcomes in self._stages[stage](Bundle(list(works), turn, recall)):
                for outcome in outcomes:
                    shutil.rmtree(outcome.work.folder, ignore_errors=True)
                    ended += not isinstance(outcome.ended, Released)
                self._tell([(works[each.work], each.ended) for each in outcomes], leases, token)
        except Exception as error:  # noqa: BLE001 - of the stage itself, not of an attempt
            self._tell([(lease, error) for lease in some if not lease.resolved], leases, token)
        finally:
            for work in works:
                shutil.rmtree(work.folder, ignore_errors=True)
        return ended

    def _work(self, lease: Lease, token: str) -> Work:
        folder = Path(tempfile.mkdtemp(prefix=f"{SCRATCH_PREFIX}{os.getpid()}-"))
        return Attempt(lease, token, folder, self._manager, self._objects, memory=self._memory)

    def _tell(
        self,
        ended: Sequence[tuple[Lease, Result | Exception]],
        leases: Sequence[Lease],
        token: str,
    ) -> None:
        """The last words of attempts that ended at once; the process ends if it is spent."""
        reports = []
        for lease, how in ended:
            lease.engine_finished()
            with logs.bind(**lease.held.model_dump()):
                report = _report(lease, how)
            if report is not None:
                self._pulse.count(lease.grant, report)
                reports.append(report)
        if reports:
            self._hold(leases, token)
            finish = Finish(token=token, node=self._node, reports=reports)
            told = [lease for lease, _ in ended]
            self._offering.finish(finish, wanted=lambda: any(each.state == "held" for each in told))
        for lease, _ in ended:
            lease.resolved = True
        self._hold(leases, token)
        if any(isinstance(how, Exception) and is_fatal(how) for _, how in ended):
            self._release(leases, token)
            self.end_process()

    def _end_overdue(self, leases: Sequence[Lease], token: str, reason: str) -> None:
        """The engine does not come back: say so for those it works on, and end this process."""
        reports = []
        for lease in leases:
            if lease.running and not lease.resolved:
                lease.resolved = True
                failed = Failure(failure=FailureClass.TIME_LIMIT, code="time_limit", message=reason)
                report = Report(**lease.held.model_dump(), seconds=lease.seconds, failed=failed)
                self._pulse.count(lease.grant, report)
                reports.append(report)
        if reports:
            self._offering.once(Finish(token=token, node=self._node, reports=reports))
            self._release(leases, token)
            self.end_process()

    def _end_deaf(self, leases: Sequence[Lease], token: str) -> None:
        self._hold(leases, token)
        self.end_process()

    def _release(self, leases: Sequence[Lease], token: str) -> None:
        """Hands the rest of a bundle back unharmed."""
        reports = [
            Report(job=lease.grant.job, attempt=lease.grant.attempt, released=True)
            for lease in leases
            if not lease.resolved
        ]
        for lease in leases:
            lease.resolved = True
        if reports:
            self._offering.once(Finish(token=token, node=self._node, reports=reports))
        self._hold(leases, token)

    def _hold(self, leases: Sequence[Lease], token: str) -> None:
        """Tells the parent which of them are open, and which of these are worked on."""
        still = [lease for lease in leases if lease.open]
        working = [lease.held for lease in still if lease.running]
        self._pulse.holds(token, working, [lease.held for lease in still if not lease.running])


def _report(lease: Lease, ended: Result | Exception) -> Report | None:
    """The last word of an attempt; None where nobody wants one.

    MemoryError included: one that left the task body would end the whole worker.
    """
    held = lease.held.model_dump()
    spent = {"seconds": lease.seconds, "usage": lease.usage}
    if isinstance(ended, LeaseLost):
        log.info("attempt_given_up", reason=ended.reason)
        return None
    if isinstance(ended, Released):
        log.info("attempt_handed_back")
        return Report(**held, **spent, released=True)
    if isinstance(ended, Exception):
        failure = classify(ended)
        unknown = ended if failure.failure is FailureClass.INTERNAL else None
        log.warning("attempt_failed", code=failure.code, reason=failure.message, exc_info=unknown)
        return Report(**held, **spent, failed=failure)
    return Report(**held, **spent, result=ended)


def _first_beat(heart: Heart, every_s: float) -> bool:
    """The manager hears of us before we touch an input that may kill us."""
    for _ in range(_FIRST_BEAT_TRIES):
        if heart.beat():
            return True
        if leaving.wait(every_s):
            return False
    return False
