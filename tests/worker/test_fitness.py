"""A model is loaded only if its files are whole and enough, and without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import settings as configuration
from services.model.errors import FailureClass, JobFailed
from services.model_lock import LOCK_FILE, ModelLock, hashed, read_lock, write_lock
from services.models_folder import load_catalog
from services.worker import fitness
from translator_worker.tasks import _load
from whisper_worker.engines.opening import _cache, open_engine

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "demo" / "models" / "whisper-demo"
FILES = ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a model `small` that was pulled."""
    folder = tmp_path / "models" / "small"
    folder.mkdir(parents=True)
    for name in [*FILES, "preprocessor_config.json"]:
        shutil.copyfile(DEMO / name, folder / name)
    write_lock(folder, ModelLock(files=[hashed(folder / name) for name in FILES]))
    monkeypatch.setenv("FANSCRIBE_MODELS_DIR", str(folder.parent))
    monkeypatch.setattr(fitness, "_whole", set())
    configuration.load.cache_clear()
    yield folder
    _cache.clear()
    configuration.load.cache_clear()


def spoil(path: Path) -> None:
    """Another content of the same size, at another time."""
    path.write_bytes(bytes(path.stat().st_size))
    os.utime(path, (1, 1))


def test_a_whole_model_is_loaded(small: Path) -> None:
    assert open_engine("small").engine.count("Hello.") > 0


@pytest.mark.parametrize("name", FILES[:2])
def test_a_damaged_model_is_not_loaded_but_pulled_again(small: Path, name: str) -> None:
    spoil(small / name)
    with pytest.raises(JobFailed, match=f"{name}.*fanscribe models pull") as failed:
        open_engine("small")
    assert failed.value.code == "model_damaged"
    assert failed.value.failure_class is FailureClass.RESOURCE_EXHAUSTED
    shutil.copyfile(DEMO / name, small / name)
    assert open_engine("small").engine.count("Hello.") > 0


def test_a_model_without_a_tokenizer_is_refused_and_no_hub_is_asked(small: Path) -> None:
    (small / "tokenizer.json").unlink()
    with pytest.raises(JobFailed, match="lacks tokenizer") as failed:
        open_engine("small")
    assert failed.value.code == "model_incomplete"


def test_a_model_that_is_not_here_names_the_command(small: Path) -> None:
    with pytest.raises(JobFailed, match="fanscribe models pull medium") as failed:
        open_engine("medium")
    assert failed.value.code == "model_missing"


def of_the_next_process(monkeypatch: pytest.MonkeyPatch) -> None:
    _cache.clear()
    monkeypatch.setattr(fitness, "_whole", set())


def test_a_model_without_a_lock_is_taken_as_it_is_and_noted(small: Path) -> None:
    (small / LOCK_FILE).unlink()
    (small / "README.md").write_text("Mine.")

    assert open_engine("small").engine.count("Hello.") > 0

    lock = read_lock(small)
    assert lock is not None
    assert not lock.verified
    assert {file.name for file in lock.files} == {*FILES, "preprocessor_config.json"}


def test_a_noted_model_that_changes_is_not_loaded_until_somebody_means_it(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (small / LOCK_FILE).unlink()
    open_engine("small")
    (small / "preprocessor_config.json").write_text('{"feature_size": 80 }')
    of_the_next_process(monkeypatch)

    with pytest.raises(JobFailed, match=f"preprocessor_config.json.*remove {LOCK_FILE}") as failed:
        open_engine("small")

    assert failed.value.code == "model_damaged"
    (small / LOCK_FILE).unlink()
    assert open_engine("small").engine.count("Hello.") > 0


def test_a_model_that_cannot_be_loaded_is_not_noted(small: Path) -> None:
    (small / LOCK_FILE).unlink()
    (small / "model.bin").write_bytes(b"half of it")
    with pytest.raises(RuntimeError):
        open_engine("small")
    assert read_lock(small) is None


def test_a_folder_that_cannot_be_written_to_is_loaded_as_it_is(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (small / LOCK_FILE).unlink()

    def read_only(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(fitness, "write_lock", read_only)
    assert open_engine("small").engine.count("Hello.") > 0
    assert read_lock(small) is None


def test_what_comes_with_fanscribe_is_not_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FANSCRIBE_DEMO_MODELS", "true")
    configuration.load.cache_clear()
    monkeypatch.setattr(fitness, "write_lock", lambda *_: pytest.fail("written"))
    assert open_engine("whisper-demo").engine.count("Hello.") > 0
    _cache.clear()
    configuration.load.cache_clear()


def test_a_copy_is_read_once_and_its_new_times_are_kept(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(small / "model.bin", (1, 1))
    before = read_lock(small)
    fitness.check_fitness(small)
    after = read_lock(small)
    assert before
    assert after
    assert after.files[0].seen_ns == 10**9
    assert after.digest == before.digest

    monkeypatch.setattr(fitness, "_whole", set())  # as in the next process
    monkeypatch.setattr("services.model_lock.hashed", lambda _: pytest.fail("read again"))
    fitness.check_fitness(small)


def test_a_lock_that_cannot_be_written_stops_nobody(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(small / "model.bin", (1, 1))

    def read_only(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(fitness, "write_lock", read_only)
    fitness.check_fitness(small)


OFFLINE = """
import socket, sys

def canary(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        print("CANARY", event, arguments[-1:], flush=True)
        raise OSError("no network here")

sys.addaudithook(canary)
import numpy as np
from services.model.decoding import Decoding
from whisper_worker.engines import Hearing
from whisper_worker.engines.opening import open_engine

engine = open_engine("small").engine
samples = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
engine.detect(samples)
print("heard", len(list(engine.transcribe(samples, "en", Hearing(Decoding().safer())))))
if "alarm" in sys.argv:
    try:
        socket.create_connection(("127.0.0.1", 9))
    except OSError:
        pass
"""


def run_offline(models: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, *words],
        env={**os.environ, "FANSCRIBE_MODELS_DIR": str(models)},
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout


def test_a_model_loads_and_hears_without_a_word_to_the_network(small: Path) -> None:
    said = run_offline(small.parent)
    assert "heard" in said
    assert "CANARY" not in said
    assert "CANARY" in run_offline(small.parent, "alarm")


def test_the_lock_is_json_that_people_can_read(small: Path) -> None:
    told = json.loads((small / LOCK_FILE).read_text(encoding="utf-8"))
    assert [file["name"] for file in told["files"]] == FILES


def test_a_translator_without_a_lock_is_noted_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(ROOT / "demo" / "models" / "nmt-demo", folder)
    monkeypatch.setenv("FANSCRIBE_MODELS_DIR", str(tmp_path))
    configuration.load.cache_clear()
    entry = load_catalog(configuration.load()).entry("mine")
    assert entry is not None

    _load(entry, configuration.load())

    lock = read_lock(folder)
    assert lock is not None
    assert {file.name for file in lock.files} > {"model.bin", "sentencepiece.model"}
    configuration.load.cache_clear()
