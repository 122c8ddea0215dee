"""A worker's surroundings: a manager over real HTTP, local objects, a spool, a runner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_whisper
from in_test_manager import SECRET, InTestManager
from pytest_httpserver import HTTPServer
from started_worker import Redis

import demo
from demo import speech
from services.model.decoding import Decoding
from services.model.messages import Grant, Limits
from services.model.stages import PartPlan, Place, PrepareSpec, Spec, TranscribeSpec
from services.outbound import Objects
from services.storage.local import LocalStore
from services.worker.callbacks import Manager
from services.worker.leases import Lease, leaving
from services.worker.memory import Memory
from services.worker.offering import Offering
from services.worker.run import Runner, Stage
from services.worker.spool import Spool
from services.worker.work import Attempt
from whisper_worker.engines.faster_whisper import FasterWhisper

RATE = 16_000


@pytest.fixture(scope="session")
def one_http_server() -> Iterator[HTTPServer]:
    server = HTTPServer(host="127.0.0.1", port=0, threaded=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def http_server(one_http_server: HTTPServer) -> Iterator[HTTPServer]:
    yield one_http_server
    one_http_server.clear()


@pytest.fixture
def manager(http_server: HTTPServer) -> InTestManager:
    return InTestManager(http_server)


@pytest.fixture
def told_to_leave() -> Iterator[None]:
    """This process is a child that shall go."""
    leaving.set()
    yield
    leaving.clear()


@pytest.fixture
def local_store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "objects", access="path", base_url="", secret="")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def callbacks(manager: InTestManager) -> Iterator[Manager]:
    client = Manager(manager.url, SECRET)
    yield client
    client.close()


@pytest.fixture
def make_runner(callbacks: Manager, spool: Spool) -> Iterator[Callable[..., Runner]]:
    made: list[Runner] = []

    def make(
        stages: dict[str, Stage], slots: int = 4, waits: float = 0.01, **more: object
    ) -> Runner:
        runner = Runner(
            node="node-1",
            models=["stub-whisper"],
            slots_of=lambda _: slots,
            stages=stages,
            manager=callbacks,
            offering=Offering(callbacks, spool, waits=lambda: iter([waits] * 2000)),
            **more,
        )
        made.append(runner)
        return runner

    yield make
    for runner in made:
        runner.close()


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets the clock of all limits run ahead."""
    true, passed = time.monotonic, [0.0]
    monkeypatch.setattr("services.worker.leases.time.monotonic", lambda: true() + passed[0])

    def pass_time(seconds: float) -> None:
        passed[0] += seconds

    return pass_time


@pytest.fixture
def make_grant() -> Callable[..., Grant]:
    def make(
        spec: Spec,
        *,
        job: str = "task1/transcribe/0/-/-/0/0",
        attempt: int = 1,
        text_id: str = "1",
        soft_s: float = 60.0,
        hard_s: float = 90.0,
        stuck_s: float = 60.0,
    ) -> Grant:
        limits = Limits(soft_s=soft_s, hard_s=hard_s, stuck_s=stuck_s)
        return Grant(
            job=job, task="task1", text_id=text_id, attempt=attempt, spec=spec, limits=limits
        )

    return make


@pytest.fixture
def local_redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def transcribe_grant(
    make_grant: Callable[..., Grant],
    put_pcm: Callable[..., Place],
    output_place: Callable[[str], Place],
) -> Callable[..., Grant]:
    """A job for the stub: eight seconds of audio, two segments."""

    def make(number: int, **more: object) -> Grant:
        spec = TranscribeSpec(
            pcm=put_pcm(8.0),
            part=PartPlan(start=0, end=128_000, speech=[(0, 128_000)]),
            model="stub-whisper",
            language=None,
            decoding=Decoding(guards=[]),  # they know what a stub makes up
            output=output_place(f"tasks/task1/out-{number}.json"),
            output_text=output_place(f"tasks/task1/out-{number}.txt"),
        )
        return make_grant(spec, job=f"task1/transcribe/{number}/-/-/0/0", **more)

    return make


@pytest.fixture
def put_pcm(local_store: LocalStore) -> Callable[..., Place]:
    """Stores seconds of a quiet tone as PCM."""

    def put(seconds: float, key: str = "tasks/task1/pcm") -> Place:
        moments = np.arange(round(seconds * 16_000)) / 16_000
        samples = (1000 * np.sin(2 * np.pi * 220 * moments)).astype("<i2")
        info = local_store.put(key, [samples.tobytes()])
        url = local_store.url_to_get(key, 60)
        return Place(key=key, url=url, size=info.size, sha256=info.sha256)

    return put


@pytest.fixture
def output_place(local_store: LocalStore) -> Callable[[str], Place]:
    def place(key: str) -> Place:
        return Place(key=key, url=local_store.url_to_put(key, 60))

    return place


@pytest.fixture
def make_work(
    callbacks: Manager, make_grant: Callable[..., Grant], tmp_path: Path
) -> Iterator[Callable[..., Attempt]]:
    objects = Objects()

    def make(spec: Spec, **more: object) -> Attempt:
        lease = Lease(make_grant(spec, **more))
        lease.begin()
        return Attempt(lease, "t" * 16, tmp_path, callbacks, objects, memory=Memory(callbacks))

    yield make
    objects.close()


@pytest.fixture
def make_prepare(output_place: Callable[[str], Place]) -> Callable[..., PrepareSpec]:
    def make(audio: Place, **more: object) -> PrepareSpec:
        fields = {"max_seconds": 3600.0, "part_seconds": 300.0, **more}
        place = output_place("tasks/task1/jobs/pcm")
        return PrepareSpec.model_validate({"audio": audio, "pcm": place, **fields})

    return make


@pytest.fixture
def make_transcribe(
    put_pcm: Callable[..., Place], output_place: Callable[[str], Place]
) -> Callable[..., TranscribeSpec]:
    """Of 30 s, where somebody speaks from 10 to 14 and from 20 to 24."""

    def make(**more: object) -> TranscribeSpec:
        spoken = [(10 * RATE, 14 * RATE), (20 * RATE, 24 * RATE)]
        fields = {
            "pcm": put_pcm(30.0),
            "part": PartPlan(start=0, end=30 * RATE, speech=spoken),
            "model": "stub-whisper",
            "language": None,
            "output": output_place("tasks/task1/out.json"),
            "output_text": output_place("tasks/task1/out.txt"),
            **more,
        }
        return TranscribeSpec.model_validate(fields)

    return make


@pytest.fixture(scope="session")
def spoken() -> np.ndarray:
    """2 s of silence, a sentence, 3 s of silence, a sentence, 2 s of silence."""
    voice = speech.voices("en", held_out=False)[0]
    clip = speech.speak("The meeting starts at nine in the morning.", "en", voice)
    samples, _ = speech.join([clip, clip], [2.0, 3.0, 2.0])
    return samples


@pytest.fixture(scope="session")
def tiny_engine(tmp_path_factory: pytest.TempPathFactory) -> FasterWhisper:
    folder = tiny_whisper.write(tmp_path_factory.mktemp("models") / "tiny")
    return FasterWhisper(folder, "cpu", "default")


@pytest.fixture(scope="session")
def samples() -> np.ndarray:
    return np.random.default_rng(2).normal(0, 0.1, 40 * 16_000).astype(np.float32)


@pytest.fixture(scope="session")
def demo_engine() -> FasterWhisper:
    folder = Path(demo.__file__).parent / "models" / "whisper-demo"
    return FasterWhisper(folder, "cpu", "default")
