"""Whether a recording has the same words however many parts it is cut into:
`python -m benchmarks.seams`.

Somebody speaks for half an hour. A stack of its own with the demo models hears it in one part, in
about two and six, which several workers hear at once; the words of each are held against those
of the first and against what was said.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.one_machine import stack
from benchmarks.talks import Talk, differences, talk, words
from demo.speech import write_wav
from services.client.client import Fanscribe

CUTS = (1, 2, 6)  # about
_SPARE_S = 30.0  # a part ends in a pause, so it may not be exactly its share
_SHOWN = 10


@dataclass(frozen=True)
class Cut:
    """What was heard of so many parts, and the seconds until it was there."""

    parts: int
    text: str
    segments: int
    took: float


def heard_in(parts: int, given: Talk, folder: Path) -> Cut:
    """Of about so many parts: each ends in the widest pause of its last half."""
    file = folder / "talk.wav"
    if not file.exists():
        write_wav(file, given.audio)
    longest = given.seconds / parts + _SPARE_S
    more = {"FANSCRIBE_PART_SECONDS": str(longest)}
    home = folder / str(parts)
    home.mkdir()
    with stack(home, models="demo", more=more) as up, Fanscribe(up.url) as api:
        began = time.monotonic()
        task = api.submit(file, targets=[given.language], language=given.language)
        seen = api.wait(task, slowest_s=1.0)
        took = time.monotonic() - began
        if seen.state != "succeeded" or seen.warnings:
            raise SystemExit(f"the task ended as {seen.state}, {seen.warnings}")
        jobs = seen.timings["transcribe"].jobs
        found = api.transcript(task, "talk")
    return Cut(jobs, found.text, len(found.segments), took)


def compared(given: Talk, folder: Path) -> int:
    """Prints a line a cut; how many differences there were between them."""
    said = words(given.text, given.language)
    print(f"{given.language}: {given.seconds / 60:.1f} min, {len(said)} words", flush=True)
    first: list[str] | None = None
    total = 0
    for parts in CUTS:
        cut = heard_in(parts, given, folder)
        heard = words(cut.text, given.language)
        first = heard if first is None else first
        found = differences(first, heard)
        total += len(found)
        about = f"{len(heard)} words in {cut.segments} segments, {given.rate(cut.text):.2%} wrong"
        apart = f"{len(found)} differences from 1 part, {cut.took:.0f} s"
        print(f"  {cut.parts} part{'s'[: cut.parts > 1]}: {about}, {apart}", flush=True)
        for line in found[:_SHOWN]:
            print(f"    {line}")
    return total


def main() -> None:
    """Exits with 1 when a cut made a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--language", choices=["en", "zh"], action="append")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    total = 0
    for language in options.language or ["en", "zh"]:
        with tempfile.TemporaryDirectory() as name:
            given = talk(language, options.minutes * 60, options.seed)
            total += compared(given, Path(name))
    raise SystemExit(1 if total else 0)


if __name__ == "__main__":
    main()
