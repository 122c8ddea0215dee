"""A second owner on a stack: one manager gets a key, and who shows it is somebody else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.faults.client import Rest
from benchmarks.faults.orders import Clip, Maker
from benchmarks.faults.registry import Bench
from benchmarks.faults.traffic import Traffic, clip_files

_KEY = "bench-key"
_VARIABLE = "FANSCRIBE_API_KEY"


@contextmanager
def second_owner(bench: Bench) -> Iterator[Traffic]:
    """The other one's traffic, by the last manager; `bench.traffic` goes by the first."""
    first, last = bench.stack.managers[0], bench.stack.managers[-1]
    environment = bench.stack.parts[last].environment
    bench.stack.term(last)
    environment[_VARIABLE] = _KEY
    bench.stack.restart(last)
    everywhere = bench.traffic.rest
    bench.traffic.rest = Rest(bench.stack.url_of(first), bench.ledger)
    other = Traffic(bench.stack, Maker(random.Random(bench.rng.random())))
    other.rest.close()
    other.rest = Rest(bench.stack.url_of(last), bench.ledger, key=_KEY)
    other.make.clips = [
        Clip(other.rest.upload(path), clip.heard)  # an upload belongs to who sent it
        for path, clip in zip(clip_files(bench.stack), bench.make.clips, strict=True)
    ]
    try:
        yield other
    finally:
        other.close()
        bench.traffic.rest.close()
        bench.traffic.rest = everywhere
        bench.stack.term(last)
        del environment[_VARIABLE]
        bench.stack.restart(last)
