"""One announcement from claim to last word: claim, keep alive, run the stage, report."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from services import logs
from services.model.addresses import Network
from services.model.errors import FailureClass, JobFailed, LeaseLost
from services.model.messages import Announcement, Claim, Failure, Finish, Granted, Report
from services.model.stages import Result
from services.outbound import Objects
from services.worker.callbacks import Manager, Refused
from services.worker.classify import classify, is_fatal
from services.worker.leases import Heart, Lease, Released, leaving
from services.worker.memory import Memory
from services.worker.model_cache import Idleness, loaded_models
from services.worker.offering import Offering
from services.worker.pulse import Pulse
from services.worker.work import Attempt, Work

Stage = Callable[[Any, Work], Result]  # each takes the spec of its own name

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
        slots: int,
        stages: Mapping[str, Stage],
        manager: Manager,
        offering: Offering,
        pulse: Pulse | None = None,
        free_mb: Callable[[], int | None] = lambda: None,
        networks: Sequence[Network] = (),
        idleness: Idleness | None = None,
    ) -> None:
        """`free_mb` is the memory that models may still take, None where nobody knows; users'
        URLs may lead to `networks` beside the public ones."""
        self._node = node
        self._models = list(models)
        self._slots = slots
        self._stages = stages
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
                    self._work_off(granted, token)
        finally:
            self._pulse.holds(token, ())
        if granted is not None and granted.rest_s:
            log.info("resting", seconds=granted.rest_s)
            leaving.wait(granted.rest_s)

    def _work_off(self, granted: Granted, token: str) -> None:
        leases = [Lease(grant) for grant in granted.grants]
        with Heart(
            self._manager,
            token,
            leases,
            every_s=granted.beat_every_s,
            on_overdue=lambda lease, reason: self._end_for(lease, leases, token, reason),
            on_deaf=lambda: self._end_deaf(leases, token),
        ) as heart:
            if not _first_beat(heart, granted.beat_every_s):
                return  # a lease that never beat is taken back and charged to nobody
            self._hold(leases, token)
            for lease in leases:
                self._attempt(lease, leases, token)

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
            slots=self._slots,
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

    def _attempt(self, lease: Lease, leases: Sequence[Lease], token: str) -> None:
        grant = lease.grant
        with logs.bind(job=grant.job, attempt=grant.attempt):
            report, fatal = self._outcome(lease, token)
            if report is not None:
                report = report.model_copy(update={"seconds": lease.seconds, "usage": lease.usage})
                self._pulse.count(grant, report)
                finish = Finish(token=token, node=self._node, reports=[report])
                self._offering.finish(finish, wanted=lambda: lease.state == "held")
            lease.resolved = True
            self._hold(leases, token)
        if fatal:
            self._release(leases, token)
            self.end_process()

    def _outcome(self, lease: Lease, token: str) -> tuple[Report | None, bool]:
        """The last word of an attempt, and whether this process is spent.

        MemoryError included: one that left the task body would end the whole worker.
        """
        grant = lease.grant
        held = {"job": grant.job, "attempt": grant.attempt}
        try:
            result = self._run_stage(lease, token)
        except LeaseLost as lost:
            log.info("attempt_given_up", reason=lost.reason)
            return None, False
        except Released:
            log.info("attempt_handed_back")
            return Report(**held, released=True), False
        except Exception as error:  # whatever it is becomes a report
            failure = classify(error)
            unknown = failure.failure is FailureClass.INTERNAL
            log.warning(
                "attempt_failed", code=failure.code, reason=failure.message, exc_info=unknown
            )
            return Report(**held, failed=failure), is_fatal(error)
        return Report(**held, result=result), False

    def _run_stage(self, lease: Lease, token: str) -> Result:
        lease.check()
        folder = Path(tempfile.mkdtemp(prefix=f"{SCRATCH_PREFIX}{os.getpid()}-"))
        try:
            lease.begin()
            work = Attempt(lease, token, folder, self._manager, self._objects, memory=self._memory)
            return self._stages[lease.grant.spec.stage](lease.grant.spec, work)
        finally:
            lease.engine_finished()
            shutil.rmtree(folder, ignore_errors=True)

    def _end_for(self, lease: Lease, leases: Sequence[Lease], token: str, reason: str) -> None:
        """The engine does not come back: say so for it, and end this process."""
        lease.resolved = True
        failed = Failure(failure=FailureClass.TIME_LIMIT, code="time_limit", message=reason)
        report = Report(**lease.held.model_dump(), seconds=lease.seconds, failed=failed)
        self._pulse.count(lease.grant, report)
        self._offering.once(Finish(token=token, node=self._node, reports=[report]))
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
        """Tells the parent which of them are open."""
        self._pulse.holds(token, [lease.held for lease in leases if lease.open])


def _first_beat(heart: Heart, every_s: float) -> bool:
    """The manager hears of us before we touch an input that may kill us."""
    for _ in range(_FIRST_BEAT_TRIES):
        if heart.beat():
            return True
        if leaving.wait(every_s):
            return False
    return False
