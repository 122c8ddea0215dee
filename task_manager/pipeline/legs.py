"""The stages that are still ahead of a task, told from how the queues stand for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.model.speed import Speed
from task_manager.pipeline.forecast import NOTHING, Leg, Work


@dataclass(frozen=True, slots=True)
class Stand:
    """How one queue stands for one task.

    `waiting` and `running` are the task's own, `ahead` waits before the last of them, `others`
    run; `own_left_s` and `others_left_s` are seconds of work that the running ones still have.
    `behind` waits there too, and what has passed this queue does not wait for it.
    """

    pool: frozenset[str] = frozenset()
    slots: int = 0
    speed: Speed | None = None
    outcome: Speed | None = None
    waiting: Work = NOTHING
    running: Work = NOTHING
    own_left_s: float = 0.0
    ahead: Work = NOTHING
    others: Work = NOTHING
    others_left_s: float = 0.0
    behind: Work = NOTHING
    not_before_s: float = 0.0

    @property
    def own(self) -> Work:
        return self.waiting.plus(self.running)


def legs_of(
    prepare: Stand, hear: Stand, assemble: Stand, translate: Sequence[tuple[Stand, int]]
) -> list[Leg] | None:
    """From prepare to translation; `translate` says for each queue how many targets it has.

    What comes out of a leg, of the task and of those before it, is put into the next. Others are
    taken to ask for as many languages as this task does. None where a leg was never measured, or
    nobody works on it.
    """
    busy = [prepare, hear, assemble]
    found: list[Leg | None] = []
    coming, before = NOTHING, NOTHING
    if prepare.own.jobs:
        found.append(_leg(prepare, NOTHING, NOTHING, busy))
        coming = prepare.own.leads_to(prepare.outcome)
        first = prepare.ahead if prepare.waiting.jobs else NOTHING
        before = first.plus(prepare.others).leads_to(prepare.outcome)
    heard = coming.plus(hear.own)
    if heard.jobs:
        found.append(_leg(hear, coming, before, busy, beside=None if coming.jobs else prepare))
    if assemble.own.jobs and assemble.speed is not None:
        found.append(_leg(assemble, NOTHING, NOTHING, busy))
    texts = heard.leads_to(hear.outcome)
    if coming.jobs or hear.waiting.jobs:
        before = before.plus(hear.ahead)
    others = before.plus(hear.others).leads_to(hear.outcome)
    for stand, targets in translate:
        own = texts.times(targets)
        if own.plus(stand.own).jobs:
            ahead = others.times(targets) if own.jobs else NOTHING
            found.append(_leg(stand, own, ahead, [stand], batches=texts.jobs))
    legs = [leg for leg in found if leg is not None]
    return legs if len(legs) == len(found) else None


def _leg(
    stand: Stand,
    coming: Work,
    before: Work,
    busy: Iterable[Stand],
    *,
    beside: Stand | None = None,
    batches: float = 1.0,
) -> Leg | None:
    """`coming` and `before` come out of the leg before, of the task and of those ahead of it.
    `beside` is a queue that the same nodes serve in turn with this one. What runs already waits
    for nobody."""
    if stand.speed is None or stand.slots <= 0:
        return None
    own = stand.waiting.plus(coming)
    if not own.jobs:
        return Leg(
            pool=stand.pool,
            slots=stand.slots,
            own_s=stand.own_left_s,
            own_jobs=stand.running.jobs,
        )
    ahead = stand.ahead.plus(before)
    ahead_s = ahead.seconds(stand.speed) + stand.others_left_s
    running = sum(each.others.jobs for each in busy if each.pool & stand.pool)
    if beside is not None and beside.speed is not None and beside.pool & stand.pool:
        turns = min(beside.behind.jobs, ahead.jobs + own.jobs)
        share = turns / beside.behind.jobs if turns else 0.0
        ahead_s += beside.behind.times(share).seconds(beside.speed) + beside.others_left_s
    return Leg(
        pool=stand.pool,
        slots=stand.slots,
        ahead_s=ahead_s,
        ahead_jobs=ahead.jobs + running,
        own_s=own.seconds(stand.speed) + stand.own_left_s,
        own_jobs=own.jobs + stand.running.jobs,
        batches=max(1.0, batches),
        not_before_s=stand.not_before_s,
    )
