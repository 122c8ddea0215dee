"""Offers a last word to the manager until it is taken or nobody wants it any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat

from services import logs
from services.model.errors import FailureClass, JobFailed
from services.model.messages import Failure, Finish, Report
from services.worker.callbacks import Manager, Refused
from services.worker.leases import leaving
from services.worker.spool import Spool, Spooled

EVERY_S = 30.0
_FIRST_WAITS_S = (1.0, 3.0, 10.0)  # a manager that only restarts is met soon
_LISTEN_EVERY_S = 0.5
_UNREADABLE = frozenset({400, 413, 422})

log = logs.get(__name__)


class Offering:
    """`waits` are the seconds between two offers; tests make them short."""

    def __init__(
        self, manager: Manager, spool: Spool, waits: Callable[[], Iterator[float]] | None = None
    ) -> None:
        self._manager = manager
        self._spool = spool
        self._waits = waits or (lambda: chain(_FIRST_WAITS_S, repeat(EVERY_S)))
        self._heard_again = threading.Event()

    def heard_again(self) -> None:
        """A beat got through after one that did not: what waits is offered at once."""
        self._heard_again.set()

    def finish(self, finish: Finish, *, wanted: Callable[[], bool]) -> None:
        """Blocks until the manager has taken it, `wanted` says no, or a day has passed.

        It is on disk before it is offered: should this process die, or leave, another adopts it.
        """
        spooled = self._write(finish)
        for wait in self._waits():
            self._heard_again.clear()
            if self._offer(spooled) or not wanted() or spooled.expired:
                break
            if self._rests(wait):
                spooled.let_go()
                return
        spooled.drop()

    def once(self, finish: Finish) -> None:
        """Writes it down and offers it one time; a process that must end leaves the rest."""
        spooled = self._write(finish)
        if self._offer(spooled):
            spooled.drop()
        else:
            spooled.let_go()

    def adopted(self) -> None:
        """Offers once what dead processes left behind."""
        for spooled in self._spool.adopt():
            if spooled.expired or self._offer(spooled):
                spooled.drop()
            else:
                spooled.let_go()

    def _rests(self, seconds: float) -> bool:
        """Whether the process is to leave, which ends the rest, as does a manager heard again."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._heard_again.is_set():
            if leaving.wait(min(left, _LISTEN_EVERY_S)):
                break
        return leaving.is_set()

    def _write(self, finish: Finish) -> Spooled:
        try:
            return self._spool.write(finish)
        except OSError as error:
            log.warning("spool_failed", reason=str(error))
            return Spooled.in_memory(finish)

    def _offer(self, spooled: Spooled) -> bool:
        """Whether there is nothing left to offer."""
        try:
            answer = self._manager.finish(spooled.finish)
        except JobFailed as error:
            log.warning("report_not_taken", reason=error.message)
            return False
        except Refused as error:
            if error.ahead or error.status not in _UNREADABLE:  # a newer manager will take it
                log.warning("report_not_taken", reason=str(error))
                return False
            return self._confess(spooled, str(error))
        wrong = {verdict.job for verdict in answer.verdicts if verdict.status == 422}
        return not wrong or self._confess(spooled, "The manager could not read the report.")

    def _confess(self, spooled: Spooled, reason: str) -> bool:
        """A report that cannot be taken as it is becomes a failure of ours; a failure that
        cannot be taken either is dropped."""
        reports = spooled.finish.reports
        if all(report.result is None for report in reports):
            log.error("report_dropped", reason=reason, jobs=[report.job for report in reports])
            return True
        failed = Failure(
            failure=FailureClass.INTERNAL, code="report_refused", message=reason[:2000]
        )
        spooled.rewrite(
            spooled.finish.model_copy(
                update={
                    "reports": [
                        Report(job=report.job, attempt=report.attempt, failed=failed)
                        for report in reports
                    ]
                }
            )
        )
        return self._offer(spooled)
