"""When the first translated sentences of a long recording come: `python -m benchmarks.previews`.

Somebody speaks for twenty minutes. A stack of its own with the demo models hears and translates
that as usual, another one with the option `previews`. Times are of the events, as a reader of the
task's stream gets them; how much was heard by then is the sum over the parts. What the previews
spared the translators is of the manager's metrics. Nobody else may use the machine.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.one_machine import spoken, stack
from benchmarks.talks import Talk, talk
from demo.speech import write_wav
from services.client.calls.submitting import Item, Options
from services.client.client import Fanscribe
from services.client.events import SegmentsHeard, SentencesPreviewed, TaskEvent

GOAL_S = 60.0  # of the recording are heard when the first sentence is there in another language
_WARM_S = 20.0


@dataclass
class Run:
    """One task from outside: seconds after it was sent, and seconds of the recording heard by
    then, at the `first` and the `last` event of each kind; `cells` have what was made of the
    sentences in the end, by language. Translators asked for sentences that were `known` or not."""

    first: dict[str, tuple[float, float]] = field(default_factory=dict)
    last: dict[str, tuple[float, float]] = field(default_factory=dict)
    shown: list[SentencesPreviewed] = field(default_factory=list)
    pack: Any = None
    cells: dict[str, set[tuple[float | None, str]]] = field(default_factory=dict)
    known: int = 0
    unknown: int = 0

    def follow(self, api: Fanscribe, task_id: str) -> None:
        began, heard = time.monotonic(), Heard()
        for event in api.events(task_id):
            heard.take(event)
            at = time.monotonic() - began, heard.seconds
            self.first.setdefault(event.kind, at)
            self.last[event.kind] = at
            if isinstance(event, SentencesPreviewed):
                self.shown.append(event)


@dataclass
class Heard:
    """How much of the recording was told as heard, part by part."""

    spans: dict[int, tuple[float, float]] = field(default_factory=dict)

    def take(self, event: TaskEvent) -> None:
        if isinstance(event, SegmentsHeard):
            for each in event.segments:
                start, end = each.start or 0.0, each.end or 0.0
                since, _ = self.spans.get(event.part, (start, end))
                self.spans[event.part] = since, end

    @property
    def seconds(self) -> float:
        return sum(end - start for start, end in self.spans.values())


def run(given: Talk, targets: list[str], options: Options, folder: Path) -> Run:
    """On a stack that has its models in memory."""
    folder.mkdir()
    warm, file = folder / "warm.wav", folder / "talk.wav"
    write_wav(warm, spoken(_WARM_S, 1, random.Random(1)))
    write_wav(file, given.audio)
    with stack(folder, models="demo") as up, Fanscribe(up.url) as api:
        first = [Item(warm, text_id=str(n)) for n in range(4)]
        api.wait(api.submit(*first, targets=targets, language=given.language))
        sent = Item(api.upload(file), text_id="talk")
        found, before = Run(), recalled(up.url)
        task = api.submit(sent, targets=targets, language=given.language, options=options)
        found.follow(api, task.id)
        seen = api.task(task.id)
        if seen.state != "succeeded" or seen.warnings:
            raise SystemExit(f"the task ended as {seen.state}, {seen.warnings}")
        found.known, found.unknown = (b - a for a, b in zip(before, recalled(up.url), strict=True))
        found.pack = api.result(task.id)
        found.cells = {
            language: {
                (each.start, each.text)
                for each in api.transcript(task.id, "talk", language=language).segments
            }
            for language in targets
        }
    return found


def recalled(url: str) -> tuple[int, int]:
    """Sentences that translators asked the memory for so far: known, and unknown."""
    told = httpx.get(f"{url}/metrics").raise_for_status().text
    counts = dict(re.findall(r'sentences_recalled_total\{outcome="(\w+)"\} ([\d.]+)', told))
    return int(float(counts.get("known", 0))), int(float(counts.get("unknown", 0)))


def tell(name: str, found: Run) -> None:
    print(f"{name}:")
    told = {
        "first words": found.first.get("segments"),
        "first previews": found.first.get("preview"),
        "last words": found.last.get("segments"),
        "last previews": found.last.get("preview"),
        "transcript": found.first.get("item"),
        "first cell": found.first.get("cell"),
        "last cell": found.last.get("cell"),
    }
    for what, at in told.items():
        if at is not None:
            print(f"  {what:15} after {at[0]:6.1f} s, {at[1]:6.0f} s heard")
    print(f"  memory          knew {found.known} of {found.known + found.unknown} sentences")


def main() -> None:
    """Exits with 1 when the first preview comes late, or the result is another one with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--to", default="zh,de", help="target languages")
    parser.add_argument("--beam", type=int, default=5, help="more are slower to hear with")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    given, targets = talk("en", asked.minutes * 60, asked.seed), asked.to.split(",")
    print(f"{given.seconds / 60:.1f} min into {len(targets)} languages, beam {asked.beam}")
    options: Options = {"beam_size": asked.beam}
    with tempfile.TemporaryDirectory() as name:
        plain = run(given, targets, options, Path(name) / "plain")
        tell("without previews", plain)
        early = run(given, targets, {**options, "previews": True}, Path(name) / "early")
        tell("with previews", early)
    shown = [(e.language, s.start, s.text) for e in early.shown for s in e.sentences]
    right = sum((start, text) in early.cells[language] for language, start, text in shown)
    there = sum(map(len, early.cells.values()))
    print(f"{len(shown)} of {there} sentences were previewed, {right} of them as in the result")
    same = early.pack == plain.pack
    print(f"the result is {'the same' if same else 'ANOTHER ONE'} with previews")
    heard_s = early.first.get("preview", (0.0, float("inf")))[1]
    print(f"first previews after {heard_s:.0f} s of the recording; goal: {GOAL_S:.0f} s")
    raise SystemExit(0 if heard_s <= GOAL_S and same else 1)


if __name__ == "__main__":
    main()
