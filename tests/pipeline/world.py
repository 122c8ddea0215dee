"""One task in a small world: two managers on one store, two workers, a client, and a clock that
only the test moves. It is driven to any place of its journey, on from there to its end, and
looked over."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from crashing import Tap, Tapped
from hand import QUEUES, Hand

from services.model.catalog import STUBS, Catalog
from services.model.errors import FanscribeError
from services.model.export import lane
from services.model.messages import Grant
from services.model.stages import AssembleResult, AssembleSpec, Result
from services.model.states import JobState
from services.model.task import (
    AudioInput,
    ItemSpec,
    Manifest,
    Options,
    Target,
    Task,
    TaskState,
)
from services.model.transcript import Output, Segment, Transcript, inline
from services.model.webhook import OF_TASK, TaskWebhook, delivery_id
from services.settings import Settings
from services.storage.local import LocalStore
from services.storage.named import NamedBuckets
from task_manager.pipeline import Pipeline, outbox
from task_manager.pipeline.accept import new_task_id
from task_manager.pipeline.own_words import count_undone
from task_manager.pipeline.settle import PURGE_LAST_S, settle
from task_manager.store.mongo import MongoStore
from task_manager.store.sqlite import SqliteStore
from task_manager.ticker.announce import announce
from task_manager.ticker.deliver import HOLD_S
from task_manager.ticker.expand import Unfinished, finish_expansions
from task_manager.ticker.export import write
from task_manager.ticker.reap import Watch, reap

START = 1_700_000_000.0
ROUND_S = 40.0  # of the store's clock between two rounds of the ticker: every look is due again
ROUNDS = 40
KEY = "the-clients-key"


class SteeredSqlite(SqliteStore):
    """The test moves its clock. It never waits for the disk: what is tested is the order of the
    writes, not their being on disk."""

    at = START

    def _now(self, connection: Any) -> float:
        return self.at

    def _take(self) -> Any:
        connection = super()._take()
        connection.execute("PRAGMA synchronous = OFF")
        return connection


class SteeredMongo(MongoStore):
    at = START

    def now(self) -> float:
        return self.at


class FolderBuckets(NamedBuckets):
    """Every bucket is a folder; one whose writes a manager may die at."""

    def __init__(self, settings: Settings, root: Path, tap: Tap | None = None) -> None:
        super().__init__(settings)
        self._root = root
        self._tap = tap

    def _opened(self, scheme: str, bucket: str) -> Any:
        store = LocalStore(self._root, access="path", base_url="", secret="")
        return store if self._tap is None else Tapped(store, self._tap)


class Player(Hand):
    """A joined transcript is translated in two runs, so that cells are joined as well."""

    def result(self, grant: Grant) -> Result:
        result = super().result(grant)
        if isinstance(result, AssembleResult) and isinstance(grant.spec, AssembleSpec):
            heard = grant.spec.kind == "transcript"
            segments = [Segment(id=n, start=n, end=n + 1, text="Heard.") for n in range(2)]
            whole = Transcript(
                language=grant.spec.language,
                text=result.text.inline or "",
                segments=segments if heard else segments[:1],
            )
            runs = [(0, 1), (1, 2)] if heard else []
            body = inline(whole.model_dump_json())
            return result.model_copy(update={"runs": runs, "segments": 2, "transcript": body})
        return result


@dataclass(frozen=True)
class Lease:
    """What a worker holds, and the token that it shows."""

    grant: Grant
    token: str


@dataclass(frozen=True)
class Outcome:
    """What a task has come to: its state, its packs byte for byte, and each job's counters."""

    state: str
    packs: dict[str, str | None]
    jobs: dict[str, tuple[Any, ...]]


@dataclass
class World:
    store: Any
    objects: LocalStore
    settings: Settings
    audio: bool = True
    webhook: bool = False  # somebody wants to be told of everything
    exports: bool = False  # what comes of it is wanted in a bucket, too
    languages: tuple[str, ...] = ("zh", "ja", "en")
    tap: Tap = field(default_factory=Tap)
    held: list[Lease] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    retries: int = 0

    def __post_init__(self) -> None:
        self.pipeline = self.manager(tapped=True)  # the one that dies, or is held up
        self.second = self.manager()  # the one that goes on
        self.hand = Player(self.second, parts=2)
        self.other = Player(self.second, node="node-2", parts=2)

    def begin(self) -> None:
        self.objects.put("uploads/u1", [b"mp3"])
        self._hello()

    def manager(self, *, tapped: bool = False) -> Pipeline:
        store = Tapped(self.store, self.tap) if tapped else self.store
        objects = Tapped(self.objects, self.tap) if tapped else self.objects
        made = Pipeline(store, objects, Catalog(STUBS), self.settings)
        made.ports.draw = lambda: 0.0
        made.ports.buckets = FolderBuckets(self.settings, self.bucket, self.tap if tapped else None)
        return made

    @property
    def bucket(self) -> Path:
        return self.objects.root.parent / "bucket"

    def close(self) -> None:
        self.store.close()

    # ── what a client does ───────────────────────────────────────────────────────────────────

    def accept(self, pipeline: Pipeline | None = None) -> Task:
        """A new request with the same Idempotency-Key, as a client repeats it."""
        task, _ = (pipeline or self.second).accept(
            task_id=new_task_id(), manifest=self._manifest(), priority=5, metadata={},
            idempotency_key=KEY, owner="local",
            webhook=TaskWebhook(url="https://example.com/", secret="s") if self.webhook else None,
            output_prefix="s3://bucket/done" if self.exports else "",
        )  # fmt: skip
        self.acknowledged.add(task.id)
        return task

    def _manifest(self) -> Manifest:
        items = [ItemSpec(text_id="2", text="Hello.", language="en")]
        if self.audio:
            info = self.objects.head("uploads/u1")
            audio = AudioInput(key=info.key, size=info.size, sha256="00", name="1.mp3")
            items.insert(0, ItemSpec(text_id="1", audio=audio))
        return Manifest(
            items=items,
            targets=[Target(language=name, spelling=name) for name in self.languages],
            options=Options(transcribe_model="stub-whisper"),
        )

    @property
    def task(self) -> Task | None:
        """The one task of the world."""
        return self.store.task_by_key("local", KEY)

    @property
    def id(self) -> str:
        assert self.task is not None
        return self.task.id

    # ── what workers do ──────────────────────────────────────────────────────────────────────

    def claim(self, queue: str, hand: Hand | None = None, *, slots: int = 1) -> list[Lease]:
        hand = hand or self.hand
        return [Lease(grant, hand.token) for grant in hand.claim(queue, slots)]

    def advance(self, stage: str, nth: int = 1, **wanted: Any) -> Lease:
        """Works until the nth job of this stage (and of these fields) is claimed, and holds it."""
        while True:
            found = [lease for queue in QUEUES for lease in self.claim(queue)]
            assert found, f"no {stage} job comes"
            for lease in found:
                job = self.store.job(lease.grant.job)
                fits = all(getattr(job, name) == value for name, value in wanted.items())
                nth -= job.stage == stage and fits
                if nth == 0 and job.stage == stage and fits and not self.held:
                    self.held.append(lease)
                else:
                    assert self.finish(lease) == 200
            if self.held:
                return self.held[0]

    def finish(self, lease: Lease, pipeline: Pipeline | None = None, **said: Any) -> int:
        hand = Player(pipeline or self.second, parts=2)
        said = said or {"result": self.hand.result(lease.grant)}
        return hand.finish(lease.grant, token=lease.token, **said)

    def work(self) -> None:
        """Both workers do all that is due, and succeed."""
        while leases := [
            lease
            for depth in self.store.queue_depths(self.store.now())
            for hand in (self.hand, self.other)
            if depth.due
            for lease in self.claim(depth.queue, hand, slots=8)
        ]:
            for lease in leases:
                assert self.finish(lease) in {200, 409, 410}

    def finish_held(self) -> None:
        """The workers are alive, and keep offering what they have."""
        for lease in self.held:
            assert self.finish(lease) in {200, 409, 410}
        self.held.clear()

    # ── what time does ───────────────────────────────────────────────────────────────────────

    def round(self, pipeline: Pipeline | None = None) -> None:
        """One tick of every loop of a manager that sees each running job as silent."""
        ports = (pipeline or self.second).ports
        finish_expansions(ports, Unfinished(0.0), 0.0)
        reap(ports, Watch(0.0), 0.0)
        announce(ports, unheard)
        for task in ports.store.tasks_to_look_at(ports.store.now(), 200):
            settle(ports, task.id)
        self.write_due(pipeline)
        self.look()

    def write_due(self, pipeline: Pipeline | None = None) -> None:
        """What the postman does with what is wanted in a bucket."""
        ports, name = (pipeline or self.second).ports, lane("local", "s3://bucket/")
        now = self.store.now()
        while claimed := ports.store.claim_delivery(name, now, now + HOLD_S):
            done, posted = write(ports, claimed, HOLD_S, lambda: False)
            if posted is not None:
                outbox.sent(ports, done, posted, at=now, seconds=0.0)

    def pass_time(self, seconds: float = ROUND_S) -> None:
        self.store.at += seconds
        self._hello()

    def _hello(self) -> None:
        for hand in (self.hand, self.other):
            hand.register()

    def go_on(self) -> None:
        """Everybody does what they always do, until nothing is left to do."""
        for _ in range(ROUNDS):
            self.finish_held()
            self.work()
            self.round()
            task = self.task
            open_lane = self.exports and self.store.next_lane("local/s3") is not None
            if task is None or (task.look_at is None and task.expand == "done" and not open_lane):
                return
            self.pass_time(ROUND_S if task.deleted_at is None else PURGE_LAST_S)
        raise AssertionError(f"the task is stuck: {self.task!r}, {self._open()!r}")

    def _open(self) -> list[Any]:
        return self.store.open_jobs(self.id, 100)

    # ── what must be true ────────────────────────────────────────────────────────────────────

    def look(self) -> None:
        """Attempts only rise. What a manager that slept writes again of a task that was purged
        begins anew, and is purged again."""
        if self.task is None or self.task.deleted_at is not None:
            return
        for job in self.store.jobs_of_items(self.id, 0, 10):
            assert job.attempt >= self.attempts.get(job.id, 0), job
            self.attempts[job.id] = job.attempt

    def check(self) -> Outcome | None:
        """Looks the ended task over; what it has come to, None where there is no task."""
        self.look()
        task = self.task
        if task is None:
            assert not self.acknowledged
            return None
        assert self.acknowledged <= {task.id}
        assert self.store.pending_expansions(10) == []
        if task.deleted_at is not None:
            self._check_purged(task)
            return Outcome("deleted", {}, {})
        assert task.state.ended, task
        assert not self.store.has_open_jobs(task.id)
        self._check_events(task)
        self._check_cells(task)
        if self.webhook:
            self._check_told(task)
        if self.exports:
            self._check_exported(task)
        return Outcome(task.state, self._packs(task), self._jobs(task))

    def _check_purged(self, task: Task) -> None:
        assert task.purged_at is not None
        assert self.store.jobs_of_items(task.id, 0, 10) == []
        assert self.store.items(task.id, limit=10) == []
        assert self.store.outputs(task.id) == []
        assert self.store.version_lines(f"{task.id}/0/T/zh") == []
        assert task.correction is None
        assert self.store.events(task.id, limit=10) == []
        assert self.store.deliveries(task_id=task.id, limit=10) == []
        assert all(self.store.pack(task.id, name) is None for name in ("zh", "ja", "en"))
        assert not list((self.objects.root / "tasks").glob(f"{task.id}/**/*"))

    def _check_events(self, task: Task) -> None:
        events = self.store.events(task.id, limit=1000)
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        ends = self.ends()
        assert (ends[-1]["state"], ends[-1]["revision"]) == (task.state, task.revision), ends
        assert len({each["revision"] for each in ends}) <= 1 + self.retries, f"two ends: {ends}"

    def _check_told(self, task: Task) -> None:
        """One delivery for each thing that happened, and none for anything else."""
        lines = self.store.deliveries(task_id=task.id, limit=1000)
        told = [each for each in lines if each.endpoint == OF_TASK]
        heard = [(each.item, version) for each in self.store.outputs(task.id)
                 if each.source == "A" and each.kind != "translation"
                 for version in self._versions(each)]  # fmt: skip
        cells = task.manifest.cells // len(task.manifest.languages)
        full = [name for name in task.manifest.languages
                if self.store.count_cells(task.id, name) == cells]  # fmt: skip
        happened = {
            *(("item.transcribed", str(item), version) for item, version in heard),
            *(("language.completed", name, 0) for name in full),
            *((f"task.{each['state']}", "", each["revision"]) for each in self.ends()),
        }
        wanted = {delivery_id(task.id, *each, OF_TASK) for each in happened}
        assert {each.id for each in told if each.event != "job.dead"} == wanted, told
        jobs = self.store.jobs_of_items(task.id, 0, 10)
        died = {n: {delivery_id(task.id, "job.dead", job.id, n, OF_TASK) for job in jobs
                    if n <= job.attempt} for n in range(9)}  # fmt: skip
        deaths = {each.id for each in told if each.event == "job.dead"}
        dead = {delivery_id(task.id, "job.dead", job.id, job.attempt, OF_TASK)
                for job in jobs if job.state is JobState.DEAD}  # fmt: skip
        assert dead <= deaths <= set().union(*died.values()), (dead, deaths)

    def _versions(self, output: Output) -> list[int]:
        """All that there were of it, one after the other."""
        kept = [line.version for line in self.store.version_lines(output.id)]
        assert [*kept, output.version] == sorted({*kept, output.version})
        return [*kept, output.version]

    def _check_exported(self, task: Task) -> None:
        """What lies in the bucket is what the index, the task and its webhook say, and no more."""
        assert task.export is not None
        assert (task.export.end, task.export.code) == (task.ends, "")
        found = {
            path.relative_to(self.bucket).as_posix(): path.read_text()
            for path in self.bucket.rglob("*")
            if path.is_file()
        }
        folder = f"done/{task.id}/"
        index = json.loads(found[f"{folder}index.json"])
        listed = [*index["keys"], *(key for each in index["items"] for key in each["keys"])]
        assert sorted([*listed, f"{folder}index.json"]) == sorted(found) == sorted(task.export.keys)
        assert (f"{folder}error.json" in found) == (task.state is not TaskState.SUCCEEDED)
        assert index["state"] == task.state
        if self.webhook:
            event = f"task.{task.state}"
            told = self.store.delivery(delivery_id(task.id, event, "", task.revision, OF_TASK))
            outputs = json.loads(told.body)["data"]["outputs"]
            assert outputs["state"] in {"written"} | ({"failed"} if self.retries else set())

    def ends(self) -> list[dict[str, Any]]:
        """What the log says of the task's end, or ends."""
        events = self.store.events(self.id, limit=1000)
        told = [event.data for event in events if event.kind == "state"]
        return [each for each in told if TaskState(each["state"]).ended]

    def _check_cells(self, task: Task) -> None:
        outputs = [each for each in self.store.outputs(task.id) if each.kind != "transcript"]
        jobs = self.store.jobs_of_items(task.id, 0, 10)
        assert len(outputs) == self.store.count_outputs(task.id)
        done = len(outputs) - count_undone(self.store, task)
        assert (done == task.manifest.cells) == (task.state is TaskState.SUCCEEDED)
        assert task.counts.cells_done == done, task.counts
        for output in outputs:
            self._versions(output)
        for state in JobState:
            assert getattr(task.counts, state) == sum(job.state is state for job in jobs)

    def _packs(self, task: Task) -> dict[str, str | None]:
        found = {name: self.store.pack(task.id, name) for name in task.manifest.languages}
        assert all(pack.revision == task.revision for pack in found.values()), found
        return {name: pack.body for name, pack in found.items()}

    def _jobs(self, task: Task) -> dict[str, tuple[Any, ...]]:
        """What was charged to each job, by its id without the task's."""
        return {
            job.id.partition("/")[2]: (
                job.state, job.attempt, job.losses, dict(job.retries), len(job.history),
            )
            for job in self.store.jobs_of_items(task.id, 0, 10)
        }  # fmt: skip


@cache
def _settings() -> Settings:
    return Settings(
        stub_models=True, retry_scale=1.0, expand_after_s=0.0, output_prefixes="s3://bucket"
    )


def a_world(store: Any, folder: Path, **about: Any) -> World:
    objects = LocalStore(folder / "objects", access="path", base_url="", secret="")
    return World(store, objects, _settings(), **about)


def unheard(_queue: str, _job: str) -> None:
    """The bell rings, and nobody listens: workers come by themselves."""


def refused(call: Any, *args: Any) -> bool:
    """Whether what was asked is refused, as it may be when somebody else was first."""
    try:
        call(*args)
    except FanscribeError:
        return True
    return False
