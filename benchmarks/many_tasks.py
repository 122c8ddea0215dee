"""What an operation costs where a million tasks are stored: `python -m benchmarks.many_tasks`.

Two SQLite stores, one with a hundred ended tasks and one with so many copies of them. Every
operation is done on both in turns, by the code that the routes call, and the medians compared.
Commits wait for the disk here as they do in the product.
"""

from __future__ import annotations

import argparse
import gc
import secrets
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.model.errors import FailureClass
from services.model.messages import (
    Beat,
    Claim,
    Failure,
    Finish,
    Grant,
    Held,
    Progress,
    Register,
    Report,
)
from services.model.stages import TranslateResult, TranslateSpec
from services.model.task import ItemSpec, Manifest, Options, Target, Task, TaskState
from services.model.transcript import Segment, Transcript, inline
from services.settings import Settings
from task_manager.app import Application, build
from task_manager.pipeline.accept import new_task_id
from task_manager.pipeline.settle import settle
from task_manager.store.sqlite.schema import EVENTS, ITEMS, JOBS, OUTPUTS, PACKS, TASKS
from task_manager.ticker.announce import announce

GOAL = 1.3
SAMPLE = 100
_FAILED_OF_TEN = 1  # of ten sample tasks
_OWNERS = 10
_PAGE = 10  # of which the small store has as many as the large one
_QUEUE, _MODEL = "translate.stub-nmt", "stub-nmt"
_COPIED = (TASKS, ITEMS, JOBS, OUTPUTS, PACKS, EVENTS)
_CACHE_KIB = 4_000_000  # while it is filled


@dataclass
class Side:
    """One store with a manager's pipeline on it, and a worker played by hand."""

    name: str
    application: Application
    token: str = ""
    task: Task | None = None
    grant: Grant | None = None
    middle: tuple[float, str] = (0.0, "")
    times: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pipeline = self.application.pipeline
        self.store = self.application.store
        self.pipeline.register(
            Register(
                node="node", kind="translator", host="here", pid=1, queues=[_QUEUE],
                models=[_MODEL], slots=1, version="0",
            )
        )  # fmt: skip

    def accept(self, number: int = 0) -> None:
        text = "The red house stands beside the old bridge."
        manifest = Manifest(
            items=[ItemSpec(text_id="1", text=text, language="en")],
            targets=[Target(language="zh", spelling="zh")],
            options=Options(transcribe_model="stub-whisper"),
        )
        self.task, _ = self.pipeline.accept(
            task_id=new_task_id(), owner=f"o{number % _OWNERS}", manifest=manifest, priority=5,
            metadata={}, idempotency_key=None,
        )  # fmt: skip

    def claim(self) -> None:
        self.token = secrets.token_hex(16)
        asked = Claim(node="node", token=self.token, queue=_QUEUE, job="", slots=1, models=[_MODEL])
        (self.grant,) = self.pipeline.claim(asked).grants

    def beat(self) -> None:
        grant = self.held
        held = Held(job=grant.job, attempt=grant.attempt)
        self.pipeline.beat(Beat(token=self.token, leases=[held]))

    def progress(self) -> None:
        told = Progress(
            token=self.token, job=self.held.job, attempt=self.held.attempt, number=1, fraction=0.5
        )
        self.pipeline.progress(told)

    def succeed(self) -> None:
        spec = self.held.spec
        assert isinstance(spec, TranslateSpec)
        segment = Segment(id=0, start=0.0, end=1.0, text="红房子。")
        whole = Transcript(language=spec.target_language, text=segment.text, segments=[segment])
        result = TranslateResult(
            text=inline(segment.text), transcript=inline(whole.model_dump_json()), segments=1
        )
        self._finish(result=result)

    def fail(self) -> None:
        why = Failure(failure=FailureClass.PERMANENT, code="bad_text", message="It went wrong.")
        self._finish(failed=why)

    def settle(self) -> None:
        settle(self.pipeline.ports, self.known.id)

    def announce(self) -> None:
        announce(self.pipeline.ports, lambda _queue, _job: None)

    @property
    def held(self) -> Grant:
        assert self.grant is not None
        return self.grant

    @property
    def known(self) -> Task:
        assert self.task is not None
        return self.task

    def _finish(self, **said: Any) -> None:
        report = Report(job=self.held.job, attempt=self.held.attempt, **said)
        asked = Finish(token=self.token, node="node", reports=[report])
        (verdict,) = self.pipeline.finish(asked).verdicts
        assert verdict.status == 200, verdict


def reads(side: Side) -> dict[str, Callable[[], object]]:
    """What is asked about a task, and about all of them."""
    store, task = side.store, side.known
    ended = (TaskState.FAILED, TaskState.PARTIAL)
    return {
        "read a task": lambda: side.pipeline.refresh(side.pipeline.task(task.id)),
        "its items": lambda: store.items(task.id, limit=100),
        "its outputs": lambda: store.outputs(task.id),
        "its pack": lambda: store.pack(task.id, "zh"),
        "its events": lambda: store.events(task.id, limit=100),
        "list the newest": lambda: store.tasks(None, limit=_PAGE),
        "list an owner's": lambda: store.tasks("o3", limit=_PAGE),
        "list failed ones": lambda: store.tasks("o0", states=ended, limit=_PAGE),
        "list from the middle": lambda: store.tasks(None, before=side.middle, limit=_PAGE),
        "list dead jobs": lambda: store.dead_page(None, limit=_PAGE),
        "depth of the queues": lambda: store.queue_depths(store.now()),
    }


def one_round(side: Side, timed: Callable[[Side, str, Callable[[], object]], None]) -> None:
    """Three tasks: one succeeds, one fails and is retried, one is cancelled."""
    timed(side, "accept", side.accept)
    timed(side, "announce", side.announce)
    timed(side, "claim", side.claim)
    timed(side, "beat", side.beat)
    timed(side, "progress", side.progress)
    timed(side, "succeed", side.succeed)
    timed(side, "end and pack", side.settle)
    assert side.pipeline.task(side.known.id).state is TaskState.SUCCEEDED
    for name, read in reads(side).items():
        timed(side, name, read)
    timed(side, "delete", lambda: side.pipeline.delete(side.known.id))

    side.accept()
    side.claim()
    timed(side, "fail for good", side.fail)
    side.settle()
    timed(side, "retry", lambda: side.pipeline.retry(side.known.id))
    timed(side, "cancel", lambda: side.pipeline.cancel(side.known.id))
    assert side.pipeline.task(side.known.id).state is TaskState.CANCELLED


def make_sample(side: Side) -> None:
    """A hundred tasks that have ended, one in ten of them failed."""
    for number in range(SAMPLE):
        side.accept(number)
        side.claim()
        (side.fail if number % 10 < _FAILED_OF_TEN else side.succeed)()
        side.settle()


def multiply(path: Path, times: int) -> None:
    """Stores each task, with all that belongs to it, `times` times under other names and older."""
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA synchronous = OFF")
    store.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    store.execute("CREATE TEMP TABLE copies (k INTEGER PRIMARY KEY)")
    store.executemany("INSERT INTO copies VALUES (?)", ((k,) for k in range(1, times)))
    ids = [name for (name,) in store.execute("SELECT id FROM tasks").fetchall()]
    for done, name in enumerate(ids):
        store.execute("BEGIN")
        for table in _COPIED:
            store.execute(_copy(table.name, [*table.columns, "doc"]), {"name": name})
        store.execute("COMMIT")
        if (done + 1) % (SAMPLE // 10) == 0:
            print(
                f"{(done + 1) * times:>12,} tasks, {path.stat().st_size / 1e9:.1f} GB", flush=True
            )
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def _copy(table: str, columns: list[str]) -> str:
    """The statement; a task's id keeps its place in time and gets the number of the copy."""
    other = "substr(:name, 1, 10) || printf('%06d', k) || substr(:name, 17)"
    written = {name: f"replace({name}, :name, {other})" for name in columns}
    for name in {"created_at", "finished_at"} & {*columns}:
        written[name] = f"{name} - k"
    if table == "tasks":
        dated = "json_set(doc, '$.created_at', created_at - k)"
        written["doc"] = f"replace({dated}, :name, {other})"
    for name, kept in written.items():
        if name not in {"created_at", "finished_at", "doc"}:
            # `replace` makes text of numbers and nothing of nothing.
            written[name] = f"CASE typeof({name}) WHEN 'text' THEN {kept} ELSE {name} END"
    key = "id" if table == "tasks" else "task_id"
    values = ", ".join(written[name] for name in columns)
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {values} FROM {table}, copies WHERE {key} = :name"  # noqa: S608


@contextmanager
def side(name: str, folder: Path, times: int) -> Iterator[Side]:
    settings = Settings(data_dir=folder, stub_models=True)
    application = build(settings)
    made = Side(name, application)
    make_sample(made)
    if times > 1:
        multiply(folder / "store.sqlite", times)
    middle = made.store.tasks(None, limit=SAMPLE // 2)[-1]
    made.middle = (middle.created_at - times // 2, middle.id)
    yield made
    application.store.close()


def timed(side: Side, name: str, act: Callable[[], object]) -> None:
    began = time.perf_counter()
    act()
    side.times.setdefault(name, []).append(time.perf_counter() - began)


def report(small: Side, large: Side) -> float:
    """Prints both medians of every operation; the worst ratio."""
    print(f"{'':22}{small.name:>14}{large.name:>14}{'ratio':>8}")
    worst = 0.0
    for name, times in small.times.items():
        few, many = statistics.median(times), statistics.median(large.times[name])
        worst = max(worst, many / few)
        print(f"{name:22}{few * 1e3:11.2f} ms{many * 1e3:11.2f} ms{many / few:8.2f}")
    return worst


def main() -> None:
    """Exits with 1 when an operation's ratio is over the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="for the stores (8 GB); a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        with (
            side(f"{SAMPLE} tasks", folder / "small", 1) as small,
            side(f"{options.tasks:,}", folder / "large", options.tasks // SAMPLE) as large,
        ):
            gc.disable()
            for number in range(options.rounds):
                for each in (small, large) if number % 2 else (large, small):
                    one_round(each, timed)
            worst = report(small, large)
    print(f"worst {worst:.2f}, goal {GOAL}")
    raise SystemExit(0 if worst <= GOAL else 1)


if __name__ == "__main__":
    main()
