"""How well the promised ends of tasks hold: `python -m benchmarks.estimates`.

Starts a stack of its own with the demo models, lets it measure itself on some files, then sends
tasks of very different lengths at once. What each is promised is noted soon after it was taken and
again half-way, and compared with what it took.

Where other programs want the same cores, real engines get slower in the middle of a run, and no
promise can hold. With `--paced` the engines are stubs that take as long as a machine of their own
would: a twentieth of the audio. All else is real in both.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.one_machine import spoken, stack
from demo.speech import SAMPLE_RATE, write_wav
from services.client.calls.submitting import Item
from services.client.client import Fanscribe
from services.client.views import TaskView

TARGETS = ["zh", "de"]
LENGTHS_S = (8.0, 180.0)
PACE = 20.0  # of a paced engine: seconds of audio in one second
GOAL = 0.30
_LOOK_EVERY_S = 0.5
_PATIENCE_S = 1800.0


@dataclass
class Watched:
    """One task: when it was sent, what it was promised and when (both by our clock), its end."""

    id: str
    seconds: float
    sent_at: float
    promises: list[tuple[float, float]] = field(default_factory=list)
    ended_at: float | None = None

    def error(self, promise: tuple[float, float]) -> float:
        """How far the promise was from what came, as a share of what came."""
        assert self.ended_at is not None
        at, promised_s = promise
        took_s = max(self.ended_at - at, _LOOK_EVERY_S)
        return (promised_s - took_s) / took_s

    @property
    def first(self) -> tuple[float, float] | None:
        return self.promises[0] if self.promises else None

    @property
    def midway(self) -> tuple[float, float] | None:
        """The promise that was made nearest to the middle of its life."""
        assert self.ended_at is not None
        middle = (self.sent_at + self.ended_at) / 2
        return min(self.promises, key=lambda each: abs(each[0] - middle), default=None)


def make_files(folder: Path, count: int, seed: int) -> list[tuple[Path, float]]:
    """Spoken files whose lengths are spread evenly by ratio, in no order."""
    chance = random.Random(seed)
    low, high = LENGTHS_S
    files = []
    for number in range(count):
        audio = spoken(low * (high / low) ** (number / max(1, count - 1)), seed, chance)
        path = folder / f"{seed}-{number}.wav"
        write_wav(path, audio)
        files.append((path, len(audio) / SAMPLE_RATE))
    chance.shuffle(files)
    return files


def send(api: Fanscribe, file: Path, seconds: float) -> Watched:
    """One task of one file. The name tells a paced engine how long to take; others hear it not."""
    name = f"{file.stem} hear-{max(1, round(seconds / PACE))}s"
    task = api.submit(Item(file, text_id=name, language="en"), targets=TARGETS)
    return Watched(task.id, seconds, time.monotonic())


def watch(api: Fanscribe, tasks: Sequence[Watched]) -> None:
    """Until all have ended; every look notes what is promised."""
    end = time.monotonic() + _PATIENCE_S
    while left := [task for task in tasks if task.ended_at is None]:
        if time.monotonic() > end:
            raise SystemExit(f"{len(left)} tasks did not end")
        for task in left:
            _note(task, api.task(task.id))
        time.sleep(_LOOK_EVERY_S)


def _note(task: Watched, seen: TaskView) -> None:
    now = time.monotonic()
    if seen.state.ended:
        if seen.state != "succeeded":
            raise SystemExit(f"task {task.id} ended as {seen.state}")
        task.ended_at = now
    elif seen.expected_seconds is not None:
        task.promises.append((now, seen.expected_seconds))


def report(tasks: Sequence[Watched]) -> float:
    """Prints every task and the medians; the worse median of the two."""
    print(f"{'audio s':>8} {'took s':>7} {'promised':>9} {'error':>7} {'half-way':>9} {'error':>7}")
    errors: dict[str, list[float]] = {"first": [], "midway": []}
    for task in sorted(tasks, key=lambda each: each.sent_at):
        assert task.ended_at is not None
        cells = []
        for name, promise in (("first", task.first), ("midway", task.midway)):
            if promise is None:
                cells.append(f"{'-':>9} {'-':>7}")
                continue
            errors[name].append(abs(task.error(promise)))
            cells.append(f"{promise[1]:9.1f} {task.error(promise):+7.0%}")
        print(f"{task.seconds:8.1f} {task.ended_at - task.sent_at:7.1f} {' '.join(cells)}")
    medians = {name: statistics.median(found) for name, found in errors.items() if found}
    for name, median in medians.items():
        print(f"median error of {len(errors[name])} promises, {name}: {median:.0%}")
    return max(medians.values(), default=float("inf"))


def main() -> None:
    """Exits with 1 when the median error is over the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=30)
    parser.add_argument("--warm", type=int, default=8, help="files to measure the nodes with")
    parser.add_argument("--gap", type=float, default=0.0, help="seconds between two tasks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--paced", action="store_true", help="stub engines that take their time")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        stack(Path(name), models="stub" if options.paced else "demo") as up,
        Fanscribe(up.url) as api,
    ):
        folder = Path(name)
        watch(api, [send(api, *each) for each in make_files(folder, options.warm, 1000)])
        tasks: list[Watched] = []
        for each in make_files(folder, options.tasks, options.seed):
            tasks.append(send(api, *each))
            _note(tasks[-1], api.task(tasks[-1].id))
            time.sleep(options.gap)
        watch(api, tasks)
        worst = report(tasks)
    print(f"goal: {GOAL:.0%}")
    raise SystemExit(0 if worst <= GOAL else 1)


if __name__ == "__main__":
    main()
