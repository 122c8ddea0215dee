"""Any order of claims, beats, moves and expansions against a model that fits on a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_factories import a_failure, a_job

from services.model.states import JobState
from task_manager.store.protocol import JobChange
from task_manager.store.sqlite import SqliteStore

JOBS = 4
items = st.integers(0, JOBS - 1)
attempts = st.integers(0, 3)
tokens = st.sampled_from(["one", "two", "three"])


@dataclass
class Known:
    """What a job must look like."""

    state: JobState = JobState.WAITING
    attempt: int = 0
    token: str | None = None
    beat: int = 0
    failures: int = 0
    expand: str = "none"

    @property
    def open(self) -> bool:
        return not self.state.ended or self.expand == "pending"

    def held(self, attempt: int, token: str) -> bool:
        return (self.state, self.attempt, self.token) == (JobState.RUNNING, attempt, token)


class Jobs(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.store = SqliteStore(Path(self.folder.name) / "store.sqlite")
        self.jobs = [a_job(item, rank=item) for item in range(JOBS)]
        self.known = [Known() for _ in self.jobs]
        self.store.insert_jobs(self.jobs)

    @rule(token=tokens, limit=st.integers(1, 3))
    def claim(self, token: str, limit: int) -> None:
        won = self.store.claim(queue="q", models=[], node="n", token=token, limit=limit)
        expected = self._expected_claim(token, limit)
        assert expected == [job.item for job in won]
        assert all(job.state is JobState.RUNNING for job in won)

    def _expected_claim(self, token: str, limit: int) -> list[int]:
        running = [i for i, job in enumerate(self.known) if job.held(job.attempt, token)]
        if running:
            return running
        chosen: list[int] = []
        for item, job in enumerate(self.known):
            if job.state is not JobState.WAITING or len(chosen) == limit:
                continue
            if job.failures and chosen:
                continue
            chosen.append(item)
            if job.failures:
                break
        for item in chosen:
            job = self.known[item]
            job.state, job.token, job.beat = JobState.RUNNING, token, 0
            job.attempt += 1
        return chosen

    @rule(item=items, attempt=attempts, token=tokens)
    def beat(self, item: int, attempt: int, token: str) -> None:
        job = self.known[item]
        taken = self.store.beat(self.jobs[item].id, attempt, token)
        assert (taken is not None) is job.held(attempt, token)
        job.beat += job.held(attempt, token)

    @rule(item=items, attempt=attempts)
    def succeed(self, item: int, attempt: int) -> None:
        fields = {"state": JobState.SUCCEEDED, "expand": "pending", "open": True}
        if self._move(item, JobState.RUNNING, attempt, JobChange(fields)):
            self.known[item].state, self.known[item].expand = JobState.SUCCEEDED, "pending"

    @rule(item=items, attempt=attempts)
    def fail(self, item: int, attempt: int) -> None:
        change = JobChange({"state": JobState.WAITING}, history=a_failure(attempt))
        if self._move(item, JobState.RUNNING, attempt, change):
            self.known[item].state = JobState.WAITING
            self.known[item].failures += 1

    @rule(item=items, attempt=attempts, state=st.sampled_from(list(JobState)[:2]))
    def die(self, item: int, attempt: int, state: JobState) -> None:
        if self._move(item, state, attempt, JobChange({"state": JobState.DEAD, "open": False})):
            self.known[item].state = JobState.DEAD

    @rule(item=items, attempt=attempts)
    def revive(self, item: int, attempt: int) -> None:
        change = JobChange({"state": JobState.WAITING, "open": True})
        if self._move(item, JobState.DEAD, attempt, change):
            self.known[item].state = JobState.WAITING

    def _move(self, item: int, state: JobState, attempt: int, change: JobChange) -> bool:
        job = self.known[item]
        moved = self.store.move_job(self.jobs[item].id, state=state, attempt=attempt, change=change)
        assert (moved is not None) is ((job.state, job.attempt) == (state, attempt))
        return moved is not None

    @rule(item=items, attempt=attempts)
    def expand(self, item: int, attempt: int) -> None:
        self.store.set_expanded(self.jobs[item].id, attempt)
        job = self.known[item]
        if job.state.ended and job.attempt == attempt and job.expand == "pending":
            job.expand = "done"

    @rule()
    def open_the_store_anew(self) -> None:
        self.store.close()
        self.store = SqliteStore(Path(self.folder.name) / "store.sqlite")

    @rule()
    def insert_again(self) -> None:
        self.store.insert_jobs(self.jobs)

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        if not hasattr(self, "store"):
            return
        for stored, job in zip(self.store.jobs_of_items("t", 0, JOBS), self.known, strict=True):
            lease = stored.lease
            seen = (lease.token, lease.beat) if lease else (None, 0)
            assert (stored.state, stored.attempt) == (job.state, job.attempt)
            assert seen == (job.token, job.beat)
            assert (len(stored.history), stored.expand) == (job.failures, job.expand)
            assert stored.open is job.open
        assert self.store.count_open("o", "q", 99) == sum(job.open for job in self.known)
        assert len(self.store.running_jobs()) == self._count(JobState.RUNNING)
        assert len(self.store.dead_jobs("t", limit=99)) == self._count(JobState.DEAD)

    def _count(self, state: JobState) -> int:
        return sum(job.state is state for job in self.known)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


Jobs.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_any_order_of_moves_keeps_to_the_model = Jobs.TestCase
