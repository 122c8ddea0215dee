from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from in_test_manager import CALLS, InTestManager

from services.model.catalog import DEMO, STUBS, WHISPER, Catalog
from services.model.messages import Finish, NodeBeat, Register, Report
from services.model.stages import DetectResult
from services.models_folder import load_catalog
from services.settings import Settings
from services.worker.callbacks import Manager
from services.worker.capacity import children
from services.worker.launch import default_queues, tunables
from services.worker.node import NodeLife
from services.worker.offering import Offering
from services.worker.spool import Spool

HELLO = Register(
    node="n1", kind="whisper", host="h", pid=1, queues=["prepare"], models=[], slots=2, version="1"
)


@pytest.fixture
def life(callbacks: Manager, spool: Spool) -> Iterator[NodeLife]:
    node = NodeLife(
        HELLO,
        callbacks,
        Offering(callbacks, spool),
        beat=lambda: NodeBeat(node="n1", running=1, children=2, free_mb=512),
    )
    yield node
    node.leave()


def test_a_node_registers_beats_and_says_goodbye(manager: InTestManager, life: NodeLife) -> None:
    manager.beat_every_s = 0.02
    life.start()
    manager.wait_for(lambda: len(manager.node_beats) >= 2, "two beats")
    assert manager.registered == [HELLO]
    beat = manager.node_beats[0]
    assert (beat.running, beat.children, beat.free_mb) == (1, 2, 512)
    life.leave()
    assert manager.node_beats[-1].leaving


def test_a_node_that_was_forgotten_registers_anew(manager: InTestManager, life: NodeLife) -> None:
    manager.beat_every_s = 0.02
    life.start()
    manager.wait_for(lambda: bool(manager.node_beats), "a beat")
    manager.change(lambda: manager.unknown_nodes.add("n1"))
    manager.wait_for(lambda: len(manager.registered) == 2, "the second registration")


def test_a_node_outlives_a_beat_that_cannot_be_made(
    manager: InTestManager, callbacks: Manager, spool: Spool
) -> None:
    broken = iter([True])

    def beat() -> NodeBeat:
        if next(broken, False):
            raise RuntimeError("nobody thought of this")
        return NodeBeat(node="n1")

    manager.beat_every_s = 0.02
    node = NodeLife(HELLO, callbacks, Offering(callbacks, spool), beat=beat)
    node.start()
    manager.wait_for(lambda: bool(manager.node_beats), "the next beat")
    node.leave()


def test_a_node_waits_for_its_manager(
    manager: InTestManager, life: NodeLife, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.away = set(CALLS)
    life.start()
    manager.wait_for(lambda: len(manager.calls) >= 1, "a vain registration")
    manager.change(lambda: setattr(manager, "away", set()))
    manager.wait_for(lambda: bool(manager.registered), "the registration")


def test_what_dead_children_left_behind_is_seen_to(
    manager: InTestManager,
    life: NodeLife,
    spool: Spool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid in (dead.pid, os.getpid()):
        (tmp_path / f"fanscribe-work-{pid}-x").mkdir()
    report = Report(job="j", attempt=1, result=DetectResult(language="en", probability=1.0))
    spool.write(Finish(token="t" * 16, node="n", reports=[report])).let_go()
    manager.beat_every_s = 0.02
    life.start()
    manager.wait_for(lambda: len(manager.node_beats) >= 2, "the node lives")
    assert manager.reports == [report]
    assert not (tmp_path / f"fanscribe-work-{dead.pid}-x").exists()
    assert (tmp_path / f"fanscribe-work-{os.getpid()}-x").exists()


def test_a_worker_serves_what_its_machine_has(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "model.bin").touch()
    settings = Settings(models_dir=tmp_path)
    catalog = Catalog([*WHISPER, *STUBS])
    assert default_queues("whisper", catalog, settings) == [
        "prepare",
        "assemble",
        "transcribe.tiny",
        "transcribe.stub-whisper",
    ]
    assert default_queues("translator", catalog, settings) == ["translate.stub-nmt"]
    offered = default_queues("translator", load_catalog(settings), settings)
    assert offered == ["translate.opencc"]
    assert default_queues("translator", Catalog(DEMO[:1]), settings) == []


@pytest.mark.parametrize(("asked", "footprint", "expected"), [(3, 10**9, 3), (0, 10**9, 1)])
def test_children_are_as_many_as_asked_or_as_fit(asked: int, footprint: int, expected: int) -> None:
    settings = Settings(concurrency=asked, device="cpu")
    assert children(settings, footprint) == expected


def test_a_gpu_has_one_child() -> None:
    assert children(Settings(device="cuda"), 1) == 1


def test_what_an_operator_tells_the_allocator_stands_beside_ours_and_wins() -> None:
    ours = dict(each.split("=") for each in tunables("").split(":"))
    told = "glibc.malloc.arena_max=2:glibc.malloc.trim_threshold=0"
    both = dict(each.split("=") for each in tunables(told).split(":"))
    assert both == {**ours, "glibc.malloc.arena_max": "2", "glibc.malloc.trim_threshold": "0"}
