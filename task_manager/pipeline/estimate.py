"""What a task or a queue may expect: its place, and the time until its end or its start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.model import size as sizes
from services.model.job import Job, Stage, base_queue, queue_name
from services.model.node import Node, takers
from services.model.speed import Speed
from services.model.stages import PartPlan
from services.model.states import JobState
from services.model.task import Priority, Task
from task_manager.pipeline.expand import next_rank, prepared_item
from task_manager.pipeline.forecast import NOTHING, Work, remaining, until_end, until_start
from task_manager.pipeline.legs import Stand, legs_of
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.promises import Estimate
from task_manager.pipeline.speeds import line_of, outcome
from task_manager.store.protocol import QueueDepth

CAP = 10_000  # of the jobs ahead, so many are looked at
_OWN = 200  # of a task's open jobs, so many are looked at, and stand for the rest
_RUNNING = 200
_PARTS = 500  # of items whose language is being told
_LAST = "~"  # sorts after every id
_BEHIND = 2**60  # a rank after every other


@dataclass(frozen=True, slots=True)
class QueueEstimate:
    """`starts_s` is until a job that comes now would start, `work_s` what all that waits keeps
    one slot busy, `each_s` the seconds for one second of audio or its equivalent."""

    starts_s: float | None = None
    work_s: float | None = None
    each_s: float | None = None


def of_task(ports: Ports, task: Task) -> Estimate:
    """At most a second old; nothing is expected of a task that has ended."""
    if task.state.ended or task.cancel:
        return Estimate(at=ports.store.now())
    known = ports.promises.get(task)
    if known is None:
        known = _reckoned(ports, task)
        ports.promises.keep(task, known)
    return known


def of_queue(ports: Ports, depth: QueueDepth, nodes: Sequence[Node]) -> QueueEstimate:
    """For a job of normal priority that comes now, behind all others of that priority."""
    store = ports.store
    speed = ports.speeds.anywhere(store, base_queue(depth.queue))
    if speed is None:
        return QueueEstimate()
    now = store.now()
    running = store.running_in(depth.queue, _RUNNING) if depth.running else []
    ahead = _ahead(ports, depth.queue, Priority.NORMAL) if depth.waiting else NOTHING
    everything = _ahead(ports, depth.queue, Priority.BULK) if depth.waiting else NOTHING
    slots = sum(node.capacity for node in takers(nodes, depth.queue, now))
    starts = until_start(
        ahead.seconds(speed), _left(running, speed, now), int(ahead.jobs) + depth.running, slots
    )
    uncounted = depth.waiting / everything.jobs if everything.jobs else 0.0
    return QueueEstimate(starts, everything.seconds(speed) * uncounted, speed.each)


def of_running(ports: Ports, job: Job) -> float | None:
    """How long the running attempt takes in all, as its node goes, or else all nodes."""
    node = job.lease.node if job.lease else ""
    line = line_of(job)
    store = ports.store
    speed = ports.speeds.of(store, node, line) or ports.speeds.anywhere(store, line)
    return speed.expect(job.size) if speed else None


# ── reading ──────────────────────────────────────────────────────────────────────────────────


def _reckoned(ports: Ports, task: Task) -> Estimate:
    """One look at the task's open jobs, and at the queues that they stand in and come to."""
    now = ports.store.now()
    jobs = ports.store.open_jobs(task.id, _OWN)
    mine = [job for job in jobs if not job.state.ended]
    if not mine:
        return Estimate(at=now)
    counted = task.counts.waiting + task.counts.running
    scale = max(1.0, counted / len(mine)) if len(jobs) >= _OWN else 1.0
    view = _View(ports, task, now, mine, scale)
    options = task.manifest.options
    legs = legs_of(
        view.stand(queue_name(Stage.PREPARE, label=options.node_label)),
        view.stand(queue_name(Stage.TRANSCRIBE, options.transcribe_model, options.node_label)),
        view.stand(queue_name(Stage.ASSEMBLE, label=options.node_label)),
        [(view.stand(queue), targets) for queue, targets in view.translations().items()],
    )
    expected = None if legs is None else until_end(legs)
    return Estimate(at=now, position=_position(ports, mine), expected_s=expected)


def _position(ports: Ports, jobs: Sequence[Job]) -> int | None:
    waiting = [job for job in jobs if job.state is JobState.WAITING]
    if not waiting:
        return None
    order = list(Stage)
    first = min(waiting, key=lambda job: (order.index(job.stage), _place(job)))
    return ports.store.jobs_ahead(first, CAP)[0]


@dataclass(frozen=True, slots=True)
class _View:
    """The store as one task sees it. `scale` is how many jobs each of `mine` stands for."""

    ports: Ports
    task: Task
    now: float
    mine: Sequence[Job]
    scale: float

    def stand(self, queue: str) -> Stand:
        """How a queue stands for the task."""
        ports, now, line = self.ports, self.now, base_queue(queue)
        speed = ports.speeds.anywhere(ports.store, line)
        here = [job for job in self.mine if job.queue == queue]
        waiting = [job for job in here if job.state is JobState.WAITING]
        running = [job for job in here if job.state is JobState.RUNNING]
        own = {job.id for job in running}
        others = [job for job in ports.store.running_in(queue, _RUNNING) if job.id not in own]
        pool = takers(ports.speeds.nodes(ports.store), queue, now)
        return Stand(
            pool=frozenset(node.id for node in pool),
            slots=sum(node.capacity for node in pool),
            speed=speed,
            outcome=ports.speeds.anywhere(ports.store, outcome(line)),
            waiting=_work(waiting).plus(self._undetected(here)).times(self.scale),
            running=_work(running).times(self.scale),
            own_left_s=_left(running, speed, now),
            ahead=self._ahead_of(queue, waiting),
            others=_work(others),
            others_left_s=_left(others, speed, now),
            behind=NOTHING if waiting else _ahead(ports, queue, self.task.priority),
            not_before_s=max((job.due - now for job in waiting), default=0.0),
        )

    def translations(self) -> Counter[str]:
        """Queue → how many translations each transcript will have there; those of other texts
        wait there already."""
        manifest = self.task.manifest
        choose = self.ports.choosing(manifest.options)
        spoken = next((item.language for item in manifest.items if item.audio), None) or "en"
        heard = manifest.options.decoding.language(spoken)
        queues = Counter(
            queue_name(Stage.TRANSLATE, model, manifest.options.node_label)
            for target in manifest.languages
            if target != heard and (model := choose(heard, target))
        )
        for job in self.mine:
            if job.stage is Stage.TRANSLATE:
                queues.setdefault(job.queue, 0)
        return queues

    def _ahead_of(self, queue: str, waiting: Sequence[Job]) -> Work:
        """What stands before the last of the task's waiting jobs and is not its own; where none
        waits yet, what stands there now before a job that would come."""
        if not waiting:
            rank = next_rank(self.ports, self.task.owner, queue, self.task.priority)
            return _ahead(self.ports, queue, self.task.priority, rank)
        last = max(waiting, key=_place)
        count, size = self.ports.store.jobs_ahead(last, CAP)
        own = _work(job for job in waiting if job is not last)
        return Work(max(0.0, count - own.jobs), max(0.0, size - own.size))

    def _undetected(self, here: Sequence[Job]) -> Work:
        """What is written down once its language was told."""
        parts: list[PartPlan] = []
        for job in here:
            if job.stage is Stage.DETECT and len(parts) < _PARTS:
                with suppress(LookupError):  # it was purged since
                    parts += prepared_item(self.ports, job.task_id, job.item).parts
        return Work(len(parts), sum(sizes.of_part(part) for part in parts))


def _place(job: Job) -> tuple[int, int, float, str]:
    return job.priority, job.rank, job.due, job.id


def _ahead(ports: Ports, queue: str, priority: int, rank: int = _BEHIND) -> Work:
    """What waits before a job that would come now."""
    probe = Job(
        id=_LAST, task_id="", stage=Stage.PREPARE, item=0, owner="", queue=queue,
        priority=priority, rank=rank, created_at=0.0, due=1e12,
    )  # fmt: skip
    return Work(*ports.store.jobs_ahead(probe, CAP))


def _work(jobs: Iterable[Job]) -> Work:
    chosen = list(jobs)
    return Work(len(chosen), sum(job.size for job in chosen))


def _left(running: Iterable[Job], speed: Speed | None, now: float) -> float:
    """Seconds of work that running jobs still have to do."""
    if speed is None:
        return 0.0
    return sum(
        remaining(speed.expect(job.size) or 0.0, now - (job.claimed_at or now), job.progress)
        for job in running
    )
