"""Leases as their holder knows them, and the one thread that keeps them alive and in bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, Self

from services import logs
from services.model.chat import Usage
from services.model.errors import FailureClass, FanscribeError, JobFailed, LeaseLost
from services.model.messages import Beat, Grant, Held, LeaseState
from services.worker.callbacks import Manager

GRACE_S = 5.0  # between the moment a job should end by itself and the end of its process
DEAF_S = 10.0  # how long a lost attempt may run on before its process ends

leaving = threading.Event()  # set when this process is to hand back what it has not finished

log = logs.get(__name__)


class Released(FanscribeError):
    """The job goes back unharmed, and nobody is charged: its worker is going away, or others
    can have it sooner."""


class Lease:
    """One lease: what the manager last said of it, and how long its work takes.

    The limits count while it is worked on, from `begin` to `engine_finished` or `pause`, on the
    monotonic clock.
    """

    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        self.state: Literal["held", "stale", "cancelled"] = "held"
        self.urls: dict[str, str] = {}
        self.usage: Usage | None = None  # what was paid for so far
        self.resolved = False  # its last word was said, or nobody wants one
        self.running = False
        self._finished = False
        self._share = 1.0
        self._earlier_s = self._earlier_share_s = 0.0  # of the turns before this one
        self._lost_at = 0.0
        self._began_at = 0.0
        self._moved_at = 0.0
        self._waited_s = 0.0

    @property
    def seconds(self) -> float:
        """How long its work takes so far, less what it waited for a storage that was away; of
        what is done for several at once, its share."""
        now_s = self._share * (time.monotonic() - self._began_at) if self._began_at else 0.0
        return max(0.0, self._earlier_share_s + now_s - self._waited_s)

    @property
    def open(self) -> bool:
        """It is ours, and its last word is to come."""
        return not self.resolved and self.state == "held"

    @property
    def held(self) -> Held:
        return Held(job=self.grant.job, attempt=self.grant.attempt)

    def begin(self, share: float = 1.0) -> None:
        """A turn: the work is done for it, by this share."""
        self._began_at = self._moved_at = time.monotonic()
        self._share = share
        self.running = True

    def pause(self) -> None:
        """Others have their turn."""
        taken_s = time.monotonic() - self._began_at
        self._earlier_s += taken_s
        self._earlier_share_s += self._share * taken_s
        self._began_at = 0.0
        self.running = False

    def engine_finished(self) -> None:
        self.running = False
        self._finished = True

    def waited(self, seconds: float) -> None:
        """Its work was done and could not be stored; that says nothing of its speed."""
        self._waited_s += seconds

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """An input comes from somebody else's server, which says nothing of the work: the limits
        count from its end."""
        self.running = False
        yield
        self.begin()

    def moved(self) -> None:
        """Something came out: it is not stuck."""
        self._moved_at = time.monotonic()

    def used(self, usage: Usage) -> None:
        """A service was paid, whatever becomes of the work."""
        self.usage = usage if self.usage is None else self.usage.plus(usage)

    def learn(self, said: LeaseState) -> None:
        self.urls.update(said.urls)
        if said.state != "held" and self.state == "held":
            self._lost_at = time.monotonic()
        self.state = said.state

    def check(self) -> None:
        """Raises LeaseLost when somebody else has the job or nobody wants it any more,
        JobFailed(time_limit) when the work takes too long, and Released when this process goes."""
        if self.state != "held":
            raise LeaseLost(self.state)
        if leaving.is_set() and not self._finished:
            raise Released("The worker is going away.")
        reason = self._over("soft", self.grant.limits.soft_s, 0.0)
        if reason:
            raise JobFailed(FailureClass.TIME_LIMIT, "time_limit", reason)

    def overdue(self) -> str:
        """Why the process has to end for this job; empty while it need not."""
        return self._over("hard", self.grant.limits.hard_s, GRACE_S)

    def deaf(self) -> bool:
        """It was lost a while ago and its work goes on all the same."""
        lost = self.state != "held" and self.running
        return lost and time.monotonic() - self._lost_at > DEAF_S

    def _over(self, kind: str, limit_s: float, grace_s: float) -> str:
        now, stuck_s = time.monotonic(), self.grant.limits.stuck_s
        if not self.running:
            return ""
        if self._earlier_s + now - self._began_at > limit_s + grace_s:
            return f"The work took longer than its {kind} limit of {limit_s:.0f} s."
        if now - self._moved_at > stuck_s + grace_s:
            return f"Nothing came out for longer than {stuck_s:.0f} s: it was stuck."
        return ""


class Heart:
    """Beats for all leases of one token, at a rhythm that never backs off, and watches limits.

    `on_overdue` and `on_deaf` end the process, `on_heard` says that a beat got through after one
    that did not; they are called in the heart's own thread.
    """

    def __init__(
        self,
        manager: Manager,
        token: str,
        leases: Sequence[Lease],
        *,
        every_s: float,
        on_overdue: Callable[[str], None],
        on_deaf: Callable[[], None],
        on_heard: Callable[[], None],
    ) -> None:
        self._manager = manager
        self._token = token
        self._leases = leases
        self._every_s = every_s
        self._on_overdue = on_overdue
        self._on_deaf = on_deaf
        self._on_heard = on_heard
        self._unheard = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def beat(self) -> bool:
        """Tells the manager that all open leases are alive; whether it heard."""
        alive = [lease for lease in self._leases if lease.open]
        if not alive:
            return True
        try:
            said = self._manager.beat(
                Beat(token=self._token, leases=[lease.held for lease in alive])
            )
        except FanscribeError as error:
            log.warning("beat_failed", reason=str(error))
            self._unheard = True
            return False
        if self._unheard:
            self._unheard = False
            self._on_heard()
        states = {state.job: state for state in said.leases}
        for lease in alive:
            if lease.grant.job in states:
                lease.learn(states[lease.grant.job])
        return True

    def _live(self) -> None:
        due = time.monotonic() + self._every_s
        while not self._stop.wait(max(0.0, min(1.0, due - time.monotonic()))):
            if time.monotonic() >= due:
                due = time.monotonic() + self._every_s
                self.beat()
            self._watch()

    def _watch(self) -> None:
        for lease in self._leases:
            reason = "" if lease.resolved else lease.overdue()
            if reason:
                self._on_overdue(reason)
        # Cancelling one job of a bundle never ends the others' process.
        if len(self._leases) == 1 and self._leases[0].deaf():
            self._on_deaf()
