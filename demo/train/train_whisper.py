"""Train whisper-demo, from the shipped weights or from nothing.

``python -m demo.train.train_whisper --from demo/models/whisper-demo --steps 6000 --out training``

One folder holds all of it: the spoken sentences, which are made first where they are missing, a
checkpoint, and `progress.txt`. The same command goes on where it was stopped; each step is drawn
from the seed and its own number, so it goes on as if it had not been. The learning rate rises from
zero, stays flat, and falls to zero in the last 40 percent of the steps.
"""

import argparse
import itertools
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from demo.train.clips import Pool, speak
from demo.train.features import Features
from demo.train.gauge import Gauge
from demo.train.learning import WEIGHTS, Run
from demo.train.prompts import Prompter
from demo.train.restore_whisper import restore
from demo.train.scribe import Scribe, labels
from demo.train.tokens import SHIPPED, Vocabulary, load_vocabulary
from demo.train.windows import Window, compose

CHECKPOINT, PROGRESS, CLIPS = "checkpoint.pt", "progress.txt", "clips"

NEW_STAGES = (
    (0.00, {4: 1, 6: 2, 8: 1}),
    (0.10, {4: 1, 6: 2, 8: 2, 12: 1}),
    (0.30, {6: 2, 10: 2, 15: 1, 30: 3}),
    (0.50, {6: 1, 10: 1, 30: 6}),
)
"""From this share of the training on, windows of these seconds with these weights."""

STAGES = ((0.0, {6: 3, 10: 3, 30: 2}), (0.5, {6: 1, 10: 1, 30: 4}))
"""The same where the weights know their sentences: full windows are never out of sight."""

FULL_SINCE, SHIFTED, SHIFTED_LATE = 0.65, 0.7, 0.15
"""Short windows stand anywhere in the 30 s at first, later mostly at 0 as short files do."""

NEW_RATE, RATE = 2e-3, 1e-3
NEW_RISE, RISE = 150, 400  # steps; the heads, which begin anew, learn meanwhile
FALL = 0.4  # of all steps


def seconds_of(step: int, options: argparse.Namespace, chance: random.Random) -> int:
    """How long the windows of this step are."""
    stages = STAGES if options.start else NEW_STAGES
    weights = next(w for since, w in reversed(stages) if step >= since * options.steps)
    return chance.choices(list(weights), list(weights.values()))[0]


def rates_of(step: int, options: argparse.Namespace) -> tuple[float, float]:
    """The learning rates of the network and of its heads."""
    rise, most = (RISE, RATE) if options.start else (NEW_RISE, NEW_RATE)
    falling = min(1.0, (options.steps - step) / (FALL * options.steps))
    rate = (options.rate or most) * falling
    return rate * min(1.0, (step + 1) / rise), rate


def windows_of(
    step: int, pool: Pool, prompter: Prompter, options: argparse.Namespace, chance: random.Random
) -> list[Window]:
    """What is heard in this step, and what stands before each window."""
    seconds = seconds_of(step, options, chance)
    shifted = SHIFTED if step < FULL_SINCE * options.steps else SHIFTED_LATE
    windows = [
        compose(pool, chance, seconds, shifted) for _ in range(max(4, options.audio // seconds))
    ]
    for window in windows:
        window.before = prompter.draw(window, chance)
    return windows


@dataclass
class Lesson:
    """What a step is made with."""

    pool: Pool
    prompter: Prompter
    scribe: Scribe
    features: Features

    def take(self, run: Run, options: argparse.Namespace) -> dict[str, float]:
        """One step, which the seed and its number decide; the parts of its loss."""
        chance = random.Random(f"{options.seed}/{run.step}")
        windows = windows_of(run.step, self.pool, self.prompter, options, chance)
        batch = self.features.batch(windows, self.scribe, chance)
        return run.learn(batch, *rates_of(run.step, options))


def lesson_of(run: Run, pool: Pool, vocabulary: Vocabulary) -> Lesson:
    """With the labels of this run, on its device."""
    features = Features(next(run.net.parameters()).device)
    scribe = Scribe(vocabulary, run.words, run.phonemes)
    return Lesson(pool, Prompter(vocabulary, pool), scribe, features)


def train(run: Run, lesson: Lesson, options: argparse.Namespace) -> Iterator[str]:
    """Step after step; says how it goes every 25, and keeps a checkpoint every 50."""
    gauge = Gauge(lesson.scribe, lesson.features)
    began, sums = time.monotonic(), dict.fromkeys(WEIGHTS, 0.0)
    yield read(run, gauge)
    while run.step < options.steps:
        for name, part in lesson.take(run, options).items():
            sums[name] += part
        if run.step % 25 == 0:
            shown = " ".join(f"{name} {value / 25:.3f}" for name, value in sums.items())
            yield f"{run.step} {time.monotonic() - began:.0f}s {shown}"
            sums = dict.fromkeys(WEIGHTS, 0.0)
        if run.step % 50 == 0 or run.step == options.steps:
            run.save(options.out / CHECKPOINT)
        if run.step % 250 == 0 or run.step == options.steps:
            yield read(run, gauge)


def read(run: Run, gauge: Gauge) -> str:
    """A line of what the gauge says."""
    found = gauge.read(run.net)
    return f"{run.step} gauge " + ", ".join(f"{kind} {value}" for kind, value in found.items())


def opened(pool: Pool, vocabulary: Vocabulary, options: argparse.Namespace) -> Run:
    """Where the checkpoint is, or at step 0 with the weights to start from, if there are any."""
    automatic = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(automatic if options.device == "auto" else options.device)
    path = options.out / CHECKPOINT
    if path.exists():
        run = Run.load(path, device)
        if run.used != vocabulary.used:
            raise SystemExit(f"{path} is of another grammar: train into another folder.")
        return run
    torch.manual_seed(options.seed)
    clips = list(itertools.chain(pool.named, *pool.clips.values()))
    run = Run.begun(vocabulary.used, *labels(clips), device)
    if options.start:
        restore(run.net, options.start, run.used)
    return run


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder of the training")
    parser.add_argument("--from", type=Path, dest="start", help="a model to start from")
    parser.add_argument("--steps", type=int, default=6000, help="of the whole training")
    parser.add_argument("--rate", type=float, help=f"default {RATE}, {NEW_RATE} from nothing")
    parser.add_argument("--audio", type=int, default=128, help="seconds of audio a step")
    parser.add_argument("--count", type=int, default=10_000, help="sentences of each language")
    parser.add_argument("--named", type=int, default=10_000, help="sentences with a made-up name")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Speak what is missing, then train from the start or on from the checkpoint that is there."""
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = options.out / CLIPS
    for _ in speak(folder, count=options.count, named=options.named, seed=options.seed):
        pass
    pool = Pool.load(folder)
    vocabulary = load_vocabulary(options.start or SHIPPED)
    run = opened(pool, vocabulary, options)
    with (options.out / PROGRESS).open("a", encoding="utf-8", buffering=1) as progress:
        for line in train(run, lesson_of(run, pool, vocabulary), options):
            print(line, flush=True)
            progress.write(f"{line}\n")


if __name__ == "__main__":
    main()
