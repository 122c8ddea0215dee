"""A model that nothing uses gives its memory back, and comes again; one in use stays."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from in_test_manager import InTestManager

from services.model.decoding import Decoding
from services.model.messages import Announcement
from services.model.stages import DetectResult, DetectSpec, Place, Result, Spec
from services.worker.launch import _ALLOCATOR
from services.worker.model_cache import Idleness, ModelCache, loaded_models
from services.worker.run import Runner
from services.worker.work import Work
from whisper_worker.engines import Hearing
from whisper_worker.engines.faster_whisper import FasterWhisper

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "demo" / "models" / "whisper-demo"
ANNOUNCED = Announcement(queue="transcribe.stub-whisper", job="task1/detect/0/-/-/0/0")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def idleness(clock: Clock) -> Idleness:
    return Idleness(900.0, clock)


@pytest.fixture
def cache() -> Iterator[ModelCache[FasterWhisper]]:
    cache: ModelCache[FasterWhisper] = ModelCache()
    yield cache
    cache.clear()


def engine() -> FasterWhisper:
    return FasterWhisper(DEMO, "cpu", "default")


def test_a_model_that_idles_is_let_go_and_loads_again(
    clock: Clock, idleness: Idleness, cache: ModelCache[FasterWhisper]
) -> None:
    seen = weakref.ref(cache.get("demo", engine))
    clock.now += 899.0
    assert idleness.look() == []
    assert seen() is not None
    clock.now += 1.0
    assert "demo" in idleness.look()
    gc.collect()
    assert seen() is None
    assert "demo" not in loaded_models()
    assert idleness.look() == []

    samples = np.zeros(16_000, np.float32)
    again = cache.get("demo", engine)
    assert list(again.transcribe(samples, "en", Hearing(Decoding().safer()))) is not None
    assert "demo" in loaded_models()


def test_a_model_in_use_stays_however_long_that_takes(
    clock: Clock, idleness: Idleness, cache: ModelCache[FasterWhisper]
) -> None:
    cache.get("demo", engine)
    found: list[list[str]] = []
    with idleness.busy():
        clock.now += 10_000.0
        other = threading.Thread(target=lambda: found.append(idleness.look()))
        other.start()
        other.join(30)
        assert found == [[]]
        assert "demo" in loaded_models()
    clock.now += 899.0  # the time counts from the end of its use
    assert idleness.look() == []
    clock.now += 1.0
    assert "demo" in idleness.look()


def test_zero_means_never(clock: Clock, cache: ModelCache[FasterWhisper]) -> None:
    never = Idleness(0.0, clock)
    cache.get("demo", engine)
    clock.now += 1e9
    assert never.look() == []
    assert "demo" in loaded_models()


def test_a_runner_is_busy_from_its_claim_to_its_report(
    manager: InTestManager,
    make_runner: Callable[..., Runner],
    make_grant: Callable[..., object],
    clock: Clock,
    idleness: Idleness,
) -> None:
    cache: ModelCache[str] = ModelCache()
    held: list[bool] = []

    def work(spec: Spec, work: Work) -> Result:
        cache.get("m", lambda: "a model")
        clock.now += 10_000.0
        other = threading.Thread(target=idleness.look)
        other.start()
        other.join(30)
        held.append("m" in loaded_models())
        return DetectResult(language="en", probability=1.0)

    place = Place(key="k", url="file:///nowhere")
    manager.grants = [make_grant(DetectSpec(pcm=place, model="m", windows=[]))]
    make_runner({"detect": work}, idleness=idleness).run(ANNOUNCED)
    assert held == [True]
    clock.now += 900.0
    assert "m" in idleness.look()


ALONE = """
import sys, threading, weakref
from pathlib import Path
from services.worker.model_cache import Idleness, ModelCache
from whisper_worker.engines.faster_whisper import FasterWhisper

gone, cache = threading.Event(), ModelCache()
load = lambda: FasterWhisper(Path(sys.argv[1]), "cpu", "default")
weakref.finalize(cache.get("demo", load), gone.set)
idleness = Idleness(0.01)
idleness.start()
found = gone.wait(60)
with idleness.busy():  # not while it still lets go: the process ends after this line
    print("gone" if found else "still there")
"""


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, str(DEMO)],
        env={**os.environ, "GLIBC_TUNABLES": _ALLOCATOR, "OMP_NUM_THREADS": "1"},
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout.splitlines()[-1]


def test_a_thread_of_its_own_lets_go() -> None:
    assert run(ALONE) == "gone"


MEASURED = """
import gc, sys
from pathlib import Path
from services.worker.model_cache import Idleness, ModelCache
from whisper_worker.engines.faster_whisper import FasterWhisper

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

clock = [0.0]
cache, idleness = ModelCache(), Idleness(900.0, lambda: clock[0])
load = lambda: FasterWhisper(Path(sys.argv[1]), "cpu", "float32")
cache.get("demo", load), cache.clear()  # so that what only the first load takes does not count
before = resident()
cache.get("demo", load)
loaded = resident()
clock[0] = 900.0
assert idleness.look() == ["demo"]
print(before, loaded, resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")
def test_the_memory_goes_back_to_the_kernel_with_the_allocator_of_a_worker() -> None:
    before, loaded, after = map(int, run(MEASURED).split())
    assert loaded > before
    assert after - before < (loaded - before) / 4


PACKED = """
from pathlib import Path
import numpy as np
from services.worker.model_cache import ModelCache

def resident():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) // 1024

def load():
    read = [np.ones(2**20, np.float32) for _ in range(50)]
    return [each.copy() for each in read]

before = resident()
model = ModelCache().get("of 200 MB", load)
loaded = resident()
buffer = np.ones(2**24, np.float32)
del buffer
print(loaded - before, resident() - loaded)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")
def test_what_a_model_was_made_of_does_not_stay_beside_it() -> None:
    taken, _ = map(int, run(PACKED).split())
    assert 200 <= taken < 250


@pytest.mark.skipif(sys.platform != "linux", reason="it is read from /proc")
def test_a_loaded_model_keeps_the_memory_that_it_works_in() -> None:
    _, kept = map(int, run(PACKED).split())
    assert kept >= 60
