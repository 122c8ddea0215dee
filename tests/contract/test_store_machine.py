"""Any order of claims, beats, reports, losses, cancels, revivals and crashes, against a model.

Whoever moves a job looked at it some time before, as the pipeline and the ticker do: the look
may be old news by then, and the store must say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from model_of_jobs import FAILURES, REPORTS, Known, claim, seen
from store_factories import NOW, a_failure, a_job, a_task

from services.model.job import Job
from services.model.states import Event, JobState, arrow
from services.settings import Settings
from task_manager.store.opening import open_store
from task_manager.store.protocol import JobChange, PendingExpansion, Store

PARENTS, ALL = 3, 6  # the parent's child is PARENTS items after it
tokens = st.sampled_from(["one", "two", "three"])
EVENTS = [event for event in Event if event not in {Event.CLAIM, Event.CANCEL}]


class Jobs(RuleBasedStateMachine):
    """Each run plays with a task, an owner and a queue of its own in one store."""

    looks = Bundle("looks")
    leases = looks.filter(lambda look: look.lease is not None)
    runs = count()

    def __init__(self, opened: list[Store], reopen: Callable[[], None]) -> None:
        super().__init__()
        self.opened, self.reopen = opened, reopen
        self.name = f"run{next(self.runs)}"
        self.known: dict[int, Known] = {}
        self.owners: dict[tuple[int, int], str] = {}
        self.before: dict[int, Known] = {}
        self.did: set[Event] = set()
        self.steps = 0

    @property
    def store(self) -> Store:
        return self.opened[0]

    def job(self, item: int) -> Job:
        return a_job(item, self.name, rank=item, owner=self.name, queue=self.name)

    def some(self, state: JobState) -> bool:
        return any(job.state is state for job in self.known.values())

    @initialize()
    def accept(self) -> None:
        self.store.insert_task(a_task(self.name, owner=self.name, expand="done"))
        self.insert(0, PARENTS - 1)

    @precondition(lambda self: self.steps % 7 == 0)
    @rule(first=st.integers(0, PARENTS - 1), last=st.integers(0, PARENTS - 1))
    def insert(self, first: int, last: int) -> None:
        """An expansion that ran before, did not get far, or did both."""
        self._insert(range(first, last + 1))

    def _insert(self, some: range) -> None:
        self.store.insert_jobs([self.job(item) for item in some])
        self.known = {item: Known() for item in some} | self.known

    @precondition(lambda self: self.some(JobState.WAITING) or self.some(JobState.RUNNING))
    @rule(target=looks, token=tokens, limit=st.integers(1, 3))
    def claim(self, token: str, limit: int) -> Any:
        token = f"{self.name}-{token}"
        won = self.store.claim(queue=self.name, models=[], node="n", token=token, limit=limit)
        expected = claim(self.known, token, limit)
        assert expected == [job.item for job in won]
        for job in won:
            assert seen(job) == self.known[job.item]
            owner = self.owners.setdefault((job.item, job.attempt), token)
            assert owner == token, "an attempt has one owner for ever"
        self.did.add(Event.CLAIM)
        return multiple(*won)

    @precondition(lambda self: self.some(JobState.RUNNING))
    @rule(look=leases, right=st.booleans())
    def beat(self, look: Job, *, right: bool) -> None:
        token = look.lease.token if look.lease and right else "nobody's"
        beaten = self.store.beat(look.id, look.attempt, token)
        job = self.known[look.item]
        assert (beaten is not None) is job.held(look.attempt, token)
        if beaten is not None:
            self.known[look.item] = job.beaten()

    @precondition(lambda self: self.some(JobState.RUNNING))
    @rule(look=leases, number=st.integers(1, 3))
    def progress(self, look: Job, number: int) -> None:
        token = look.lease.token if look.lease else ""
        noted = self.store.note_progress(look.id, look.attempt, token, number, 0.5)
        job = self.known[look.item]
        assert noted is (job.held(look.attempt, token) and job.number < number)
        if noted:
            self.known[look.item] = replace(job.beaten(), number=number)

    @rule(target=looks, data=st.data())
    def act(self, data: st.DataObject) -> Job:
        """Somebody looks and moves at once; what was seen is kept for those who come late."""
        look = self.look(data)
        self.move(
            look, data.draw(st.sampled_from(_possible(look) or [None])), minding_the_beat=False
        )
        return look

    @rule(data=st.data(), faster=st.integers(1, 3), minding_the_beat=st.booleans())
    def act_overtaken(self, data: st.DataObject, faster: int, *, minding_the_beat: bool) -> None:
        """Between one's look and move, others look at the same job and move it."""
        look = self.look(data)
        for _ in range(faster):
            (fresh,) = self.store.jobs_of_items(self.name, look.item, look.item)
            event = data.draw(st.sampled_from(_possible(fresh) or [None]))
            self.move(fresh, event, minding_the_beat=False)
        event = data.draw(st.sampled_from(_possible(look) or [None]))
        self.move(look, event, minding_the_beat=minding_the_beat)

    @precondition(lambda self: self.steps % 9 == 0)  # seldom, for it ends all play
    @rule(target=looks, data=st.data())
    def cancel(self, data: st.DataObject) -> Job:
        look = data.draw(st.sampled_from(self.store.jobs_of_items(self.name, 0, ALL)))
        self.move(look, None if look.state.ended else Event.CANCEL, minding_the_beat=False)
        return look

    @precondition(lambda self: self.some(JobState.RUNNING))
    @rule(target=looks, data=st.data())
    def fall_silent(self, data: st.DataObject) -> Job:
        """What is taken back too early can still be heard of: the look is of such a job."""
        found = self.store.jobs_of_items(self.name, 0, ALL)
        running = [job for job in found if job.state is JobState.RUNNING]
        look = data.draw(st.sampled_from(running))
        self.move(look, Event.LOSE, minding_the_beat=True)
        (lost,) = self.store.jobs_of_items(self.name, look.item, look.item)
        return lost

    @rule(look=looks, data=st.data(), minding_the_beat=st.booleans())
    def act_late(self, look: Job, data: st.DataObject, *, minding_the_beat: bool) -> None:
        """By somebody who looked a while ago; the same look twice is a doubled report."""
        event = data.draw(st.sampled_from(_possible(look) or [None]))
        self.move(look, event, minding_the_beat=minding_the_beat)

    def look(self, data: st.DataObject, *, pending: bool = False) -> Job:
        """At one of the jobs that may still move."""
        found = self.store.jobs_of_items(self.name, 0, ALL)
        if pending:
            return data.draw(st.sampled_from([job for job in found if job.expand == "pending"]))
        return data.draw(st.sampled_from([job for job in found if _possible(job)] or found))

    def move(self, look: Job, event: Event | None, *, minding_the_beat: bool) -> None:
        if event is None:
            return
        beat = look.lease.beat if look.lease and minding_the_beat else None
        moved = self.store.move_job(
            look.id,
            state=look.state,
            attempt=look.attempt,
            reported=look.reported,
            beat=beat,
            change=_change(look, event),
        )
        job = self.known[look.item]
        same = (job.state, job.attempt, job.reported) == (look.state, look.attempt, look.reported)
        assert (moved is not None) is (same and beat in {None, job.beat})
        if moved is not None:
            self.known[look.item] = job.after(event)
            self.did.add(event)

    @precondition(lambda self: any(job.expand == "pending" for job in self.known.values()))
    @rule(target=looks, data=st.data(), crash=st.booleans())
    def expand_now(self, data: st.DataObject, *, crash: bool) -> Job:
        look = self.look(data, pending=True)
        self.expand(look, crash=crash)
        return look

    @rule(look=looks)
    def expand_late(self, look: Job) -> None:
        if look.expand == "pending":
            self.expand(look, crash=False)

    def expand(self, look: Job, *, crash: bool) -> None:
        """Children first, then the mark; a crash in between leaves the expansion pending."""
        if look.item < PARENTS:
            self._insert(range(look.item + PARENTS, look.item + PARENTS + 1))
        if not crash:
            self.store.set_expanded(look.id, look.attempt)
            self.known[look.item] = self.known[look.item].expanded(look.attempt)

    @precondition(lambda self: self.steps % 7 == 1)
    @rule()
    def open_anew(self) -> None:
        self.reopen()

    def tally(self) -> None:
        """Every count is the model's, so none is ever negative or stale."""
        states = [job.state for job in self.known.values()]
        assert self.store.count_jobs(self.name) == {s: states.count(s) for s in JobState}
        open_ones = [item for item, job in self.known.items() if job.open]
        waiting = states.count(JobState.WAITING)
        assert self.store.count_waiting(self.name, self.name, 99) == waiting
        assert self.store.has_open_jobs(self.name) is bool(open_ones)
        running = [job for job in self.store.running_jobs() if f"{self.name}/" in job.id]
        assert len(running) == states.count(JobState.RUNNING)
        assert len(self.store.dead_page(self.name, limit=99)) == states.count(JobState.DEAD)
        depths = {depth.queue: depth for depth in self.store.queue_depths(NOW)}
        depth = depths.get(self.name)
        told = (depth.waiting, depth.running) if depth else (0, 0)
        assert told == (states.count(JobState.WAITING), states.count(JobState.RUNNING))
        pending = {self.job(i).id for i, job in self.known.items() if job.expand == "pending"}
        expansions = self.store.pending_expansions(99)
        mine = {found.job_id for found in expansions if found.task_id == self.name}
        assert mine == pending
        assert all(isinstance(found, PendingExpansion) for found in expansions)

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        stored = {job.item: job for job in self.store.jobs_of_items(self.name, 0, ALL)}
        now = {item: seen(job) for item, job in stored.items()}
        assert now == self.known
        assert {i: job.open for i, job in stored.items()} == {i: j.open for i, j in now.items()}
        for item, before in self.before.items():
            self._became(before, now[item])
        self.before, self.did = now, set()
        self.steps += 1
        if self.steps % 5 == 0:
            self.tally()

    def _became(self, before: Known, after: Known) -> None:
        rose = after.attempt - before.attempt
        assert rose == 0 or (rose == 1 and Event.CLAIM in self.did)
        if before.state.ended and after.state is not before.state:
            assert (before.state, after.state) == (JobState.DEAD, JobState.WAITING)
            assert Event.REVIVE in self.did

    def teardown(self) -> None:
        if self.known:
            self.tally()
        self.store.purge_task(self.name)


def _possible(look: Job) -> list[Event]:
    """What the pipeline would do with a job that looks like this."""
    moving = [event for event in EVENTS if arrow(look.state, event).moves]
    told = REPORTS | {Event.BEAT}  # refused where nobody holds the job
    return [event for event in moving if look.lease is not None or event not in told]


def _change(look: Job, event: Event) -> JobChange:
    """What the pipeline writes for the event."""
    state = arrow(look.state, event).to
    fields: dict[str, Any] = {"state": state, "open": not state.ended}
    if event in REPORTS:
        fields |= {"reported": look.attempt, "lease": None}
    if event is Event.SUCCEED:
        fields |= {"expand": "pending", "open": True, "result": {"n": 1}}
    if event is Event.CANCEL:
        fields |= {"expand": "none"}
    if event is Event.REVIVE:
        fields |= {"lease": None, "losses": 0}
    history = a_failure(look.attempt) if event in FAILURES else None
    return JobChange(fields, history)


@pytest.mark.parametrize(
    ("runs", "steps"), [(40, 50), pytest.param(600, 100, marks=pytest.mark.long)]
)
def test_any_order_of_moves_keeps_to_the_model(address: str, runs: int, steps: int) -> None:
    opened = [open_store(Settings(store_url=address))]

    def reopen() -> None:
        opened.pop().close()
        opened.append(open_store(Settings(store_url=address)))

    play = settings(
        max_examples=runs if address.startswith("sqlite") else runs // 4,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(lambda: Jobs(opened, reopen), settings=play)
    finally:
        opened.pop().close()
