"""kill -9 of a manager at every write of every operation, each visited; another one goes on.

    python -m benchmarks.faults.crash_points [--seed N] [--only TEXT] [--share F] [--begin N]

A dry run lists the writes of a journey. Then the journey is made once for each of them with a
manager that kills itself right before it, or after an operation's last one. By turns the manager
is started anew, or a second one was there all the time and goes on at once; what the ticker
writes is crashed without a second one, which would be first. So is what a request never came to
because the second one's ticker was first.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.dying_manager import HEARD, LOOPS, POINT, TAKEN_OVER
from benchmarks.faults.ground import Ground
from benchmarks.faults.process import Part, TookTooLong, wait_for
from benchmarks.faults.scripted import Caller, NeverAnswered, Site, Worker
from services.model.task import Task
from task_manager.store.sqlite import SqliteStore

Report = Callable[[str], None]
PLANS = ["release", "internal", "silent", "permanent"]
_ALWAYS = [
    "settle|move_job|1|before",
    "settle|move_job|2|before",
    "settle|delete_prefix|1|before",
    "settle|delete_prefix|1|after",
    "expand|write_children|1|before",
    "expand|write_children|1|after",
]  # of TAKEN_OVER, whose steps no faultless journey comes to for certain


@dataclass
class Ends:
    """The tasks of one journey."""

    done: str
    cancelled: str
    deleted: str


def journey(site: Site, name: str, is_told: Callable[[str], bool]) -> Ends:
    """Every operation once, whoever dies meanwhile. `is_told` says whether the end of a task has
    been told of: an order that comes before has other writes to do, and that would be chance."""
    client, worker = Caller(site), Worker(site, f"node-{name}", list(PLANS))
    # One list for both, so that the first translations get the plans whoever claims them. One
    # that was left for later would fail a cell for good after the only retry of the journey.
    other = Worker(site, f"spare-{name}", worker.plans, worker.acts)
    try:
        worker.register()
        other.register()

        def await_end(task: str) -> None:
            end = time.monotonic() + 60.0
            while client.state(task) in {"queued", "running"} or not is_told(task):
                if time.monotonic() > end:
                    raise NeverAnswered(f"the end of {task}")
                if not (worker.work() + other.work()):
                    time.sleep(0.02)

        done = _work_and_look_again(client, await_end, name)
        text = {"text_id": "t", "text": "Hello.", "language": "en"}
        cancelled = client.create(f"{name}-cancelled", [text])
        held = list(worker.claim())
        client.ask("POST", f"/v1/tasks/{cancelled}/cancel", wanted=[200, 409])
        for token, grant in held:
            worker.finish(token, grant)
        await_end(cancelled)
        audio = {"text_id": "a", "audio": client.upload()}
        deleted = client.create(f"{name}-deleted", [audio, text])
        held = list(worker.claim())
        client.ask("DELETE", f"/v1/tasks/{deleted}", wanted=[204, 410])
        for token, grant in held:  # it was told by its next beat, and writes nothing more
            worker.finish(token, grant, "release")
    finally:
        for each in (client, worker, other):
            each.close()
    return Ends(done, cancelled, deleted)


def _work_and_look_again(client: Caller, await_end: Callable[[str], None], name: str) -> str:
    text = {"text_id": "t", "text": "Hello.", "language": "en"}
    audio = {"text_id": "a", "audio": client.upload()}
    task = client.create(f"{name}-done", [audio, text])
    await_end(task)
    client.ask("POST", f"/v1/tasks/{task}/retry", wanted=[202, 409])
    await_end(task)
    more = {"add": ["fr"]}
    client.ask("POST", f"/v1/tasks/{task}/languages", wanted=[200, 202], json=more)
    await_end(task)
    words = {"version": 0, "text": "Good day."}
    path = f"/v1/tasks/{task}/items/t/transcript"
    client.ask("PUT", path, wanted=[200, 409], json=words)
    await_end(task)
    return task


@dataclass
class Run:
    """One seed: the points in its order, what was found, the packs of a faultless journey."""

    ground: Ground
    report: Report
    findings: list[str] = field(default_factory=list)
    packs: dict[str, str | None] = field(default_factory=dict)

    def listed(self) -> list[str]:
        """All points of a faultless journey, whose packs are kept."""
        heard = self.ground.folder / "heard"
        part = self.ground.manager(0, **{HEARD: str(heard)})
        with self._running(part, 0):
            ends = journey(self._site(1, lambda: None), "dry", self._is_told)
        with self._open() as store:
            task = store.task(ends.done)
            assert task is not None
            self.packs = _packs(store, task)
        return points_of(heard.read_text(encoding="utf-8").splitlines())

    def visit(self, point: str, name: str, *, second: bool) -> bool:
        """One journey with this death in it; whether the manager came to die."""
        dying = self.ground.manager(0, **{POINT: point})
        anew = self.ground.manager(0)
        died = False

        def mend() -> None:
            nonlocal died
            if not dying.alive:
                died = True
                if not second and not anew.alive:
                    anew.start()
                    self.ground.await_ready(anew, 0)

        with self._running(dying, 0):
            try:
                ends = journey(self._site(2 if second else 1, mend), name, self._is_told)
                died = died or not dying.alive
                self._settled(ends)
            except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
                self.findings.append(f"{point}: {error!r}")
            finally:
                anew.kill()
        return died

    def _is_told(self, task: str) -> bool:
        with self._open() as store:
            found = store.task(task)
        return found is not None and found.look_at is None

    def _settled(self, ends: Ends) -> None:
        """Looks the tasks over; the last of them may need a tick or two."""
        with self._open() as store:
            found: list[str] = []

            def well() -> bool:
                found[:] = self._wrong(store, ends)
                return not found

            try:
                wait_for("a good end", well, 15.0)
            except TookTooLong:
                self.findings.extend(found)

    def _wrong(self, store: SqliteStore, ends: Ends) -> list[str]:
        done, cancelled = store.task(ends.done), store.task(ends.cancelled)
        assert done is not None
        assert cancelled is not None
        found = [*_flaws(store, done), *_flaws(store, cancelled)]
        if done.state != "succeeded" or _packs(store, done) != self.packs:
            found.append(f"{done.id} is {done.state}: {_packs(store, done)}")
        if cancelled.state != "cancelled":
            found.append(f"{cancelled.id} is {cancelled.state}")
        if store.has_open_jobs(ends.deleted):
            found.append(f"{ends.deleted} was deleted and has open jobs")
        objects = self.ground.folder / "data" / "objects" / "tasks" / ends.deleted
        if any(path.is_file() for path in objects.rglob("*")):
            found.append(f"{ends.deleted} was deleted and has objects")
        return found

    @contextmanager
    def _running(self, part: Part, number: int) -> Iterator[None]:
        part.start()
        try:
            self.ground.await_ready(part, number)
            yield
        finally:
            part.kill()

    @contextmanager
    def _open(self) -> Iterator[SqliteStore]:
        store = self.ground.store()
        try:
            yield store
        finally:
            store.close()

    def _site(self, managers: int, mend: Callable[[], None]) -> Site:
        numbers = range(managers)
        return Site(
            [self.ground.url(number) for number in numbers],
            [self.ground.url(number, inner=True) for number in numbers],
            mend,
        )


def points_of(heard: list[str]) -> list[str]:
    """Before each write of a journey, and after the last of each operation. What the ticker
    does again and again counts for its first two times, what workers do for the first. What it
    did in the place of a request was chance, and is always visited."""
    seen: Counter[str] = Counter()
    points: list[str] = []
    last: dict[str, str] = {}
    for step in heard:
        seen[step] += 1
        operation = step.partition("|")[0]
        often = operation in {"settle", "announce"} or "success" in operation
        if step in TAKEN_OVER or seen[step] > (2 if often else 1):
            continue
        points.append(f"{step}|{seen[step]}|before")
        last[operation] = f"{step}|{seen[step]}|after"
    return [*points, *last.values(), *_ALWAYS]


def _flaws(store: SqliteStore, task: Task) -> list[str]:
    found = []
    events = store.events(task.id, limit=10_000)
    if [event.number for event in events] != list(range(1, len(events) + 1)):
        found.append(f"{task.id}: a gap in the events")
    ends = [event.data for event in events if event.kind == "state"]
    if not any(each.get("revision") == task.revision for each in ends):
        found.append(f"{task.id}: nobody told of its end")
    if store.has_open_jobs(task.id) or task.look_at is not None or task.expand != "done":
        found.append(f"{task.id}: {task.state}, and still open")
    cells = store.count_outputs(task.id)
    if task.counts.cells_done != cells or (task.state == "succeeded") != (
        cells == task.manifest.cells
    ):
        found.append(f"{task.id}: {task.state} with {cells} cells, counted {task.counts}")
    return found


def _packs(store: SqliteStore, task: Task) -> dict[str, str | None]:
    found = {name: store.pack(task.id, name) for name in task.manifest.languages}
    return {name: pack.body for name, pack in found.items() if pack is not None}


def run(
    seed: int, report: Report, *, only: str = "", share: float = 1.0, begin: int = 0
) -> list[str]:
    """Visits every point (or a share of them, drawn by the seed) in the seed's order, from the
    one with the number `begin`; what was found wrong."""
    rng = random.Random(seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"fanscribe-crash-{seed}-") as folder:
        ground = Ground(Path(folder))
        running = Run(ground, report)
        points = [point for point in running.listed() if only in point]
        chosen = [point for point in points if rng.random() < share]
        rng.shuffle(chosen)
        loops = [point for point in chosen if point.partition("|")[0] in LOOPS]
        asked = [point for point in chosen if point not in loops]
        alone, beside = [*loops, *asked[::2]], asked[1::2]
        missed = _visit_all(running, alone, begin, second=False)
        second = ground.manager(1)
        second.start()
        try:
            ground.await_ready(second, 1)
            behind = _visit_all(running, beside, begin - len(alone), second=True)
        finally:
            second.kill()
        missed += _visit_all(running, behind, 0, second=False, part="behind")
    seconds = time.monotonic() - began
    report(
        f"{len(chosen)} of {len(points)} crash points from number {begin} on, "
        f"{max(0, len(chosen) - begin) - len(missed)} visited, "
        f"{len(running.findings)} findings, {seconds:.0f} s"
    )
    return [*running.findings, *(f"{point} was never met" for point in missed)]


def _visit_all(
    running: Run, points: list[str], begin: int, *, second: bool, part: str = ""
) -> list[str]:
    """Those that no manager came to in two journeys."""
    missed = []
    how = "a second manager goes on" if second else "started anew"
    for number, point in enumerate(points):
        if number < begin:
            continue
        before = len(running.findings)
        names = [f"{part}{second:d}-{number}-{again}" for again in range(2)]
        died = any(running.visit(point, name, second=second) for name in names)
        if not died:
            missed.append(point)
        found = running.findings[before:]
        running.report(f"{point} ({how}): {'met' if died else 'NOT MET'} {found or ''}")
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", default="", help="points that hold this text")
    parser.add_argument("--share", type=float, default=1.0, help="of all points")
    parser.add_argument("--begin", type=int, default=0, help="go on with this point of the seed")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    findings = run(
        given.seed,
        lambda line: print(line, flush=True),
        only=given.only,
        share=given.share,
        begin=given.begin,
    )
    for finding in findings:
        print(f"FOUND {finding}")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
