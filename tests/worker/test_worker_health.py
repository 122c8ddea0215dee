"""When a worker calls itself ill, and when it refuses to start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.worker.deafness import Deafness, Hearing
from services.worker.guard import UnsafeStart, refuse_unsafe_start
from services.worker.health import Condition, HealthServer, ailment

WELL = Condition(childless_s=0.0, unheard_s=1.0)
IDLE = Hearing(listens=True, due=3, busy=0, received=7)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (WELL, ""),
        (Condition(childless_s=25.0, unheard_s=35.0), ""),
        (Condition(childless_s=26.0, unheard_s=0.0), "no child"),
        (Condition(childless_s=0.0, unheard_s=36.0), "manager"),
    ],
)
def test_a_worker_says_what_is_wrong_with_it(condition: Condition, words: str) -> None:
    assert words in ailment(condition)
    assert bool(ailment(condition)) is bool(words)


def test_health_is_served_and_says_why_it_is_red() -> None:
    ill = Condition(childless_s=30.0, unheard_s=0.0)
    conditions = [WELL, ill]
    server = HealthServer("127.0.0.1", 0, lambda: conditions.pop(0), lambda: ("text/x", b"1"))
    server.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False) as client:
        first, second = client.get("/healthz"), client.get("/healthz")
        assert (first.status_code, first.text) == (200, "ok\n")
        assert (second.status_code, "no child" in second.text) == (503, True)
        scraped = client.get("/metrics")
        assert (scraped.headers["content-type"], scraped.content) == ("text/x", b"1")
        assert client.get("/else").status_code == 404
    server.stop()


class Ear:
    """A Deafness whose clock is turned by hand."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._deafness = Deafness(120.0, now=lambda: self._seconds)

    def hears(self, hearing: Hearing, seconds: int, every: int = 5) -> bool:
        """What it is told every so often; whether it was deaf at last."""
        deaf = False
        for _ in range(0, seconds, every):
            self._seconds += every
            deaf = self._deafness.look(hearing)
        return deaf


def test_a_node_is_deaf_when_work_waits_and_nothing_comes() -> None:
    ear = Ear()
    assert not ear.hears(IDLE, 120)
    assert ear.hears(IDLE, 10)


@pytest.mark.parametrize(
    "excuse",
    [
        Hearing(listens=True, due=0, busy=0, received=7),
        Hearing(listens=True, due=3, busy=1, received=7),
        Hearing(listens=False, due=3, busy=0, received=7),
        Hearing(listens=True, due=3, busy=0, received=8),
    ],
)
def test_a_node_with_an_excuse_is_not_deaf(excuse: Hearing) -> None:
    ear = Ear()
    ear.hears(IDLE, 115)
    ear.hears(excuse, 5)
    assert not ear.hears(excuse if not excuse.due or excuse.busy else IDLE, 100)


def test_a_manager_that_was_away_deafens_nobody() -> None:
    ear = Ear()
    ear.hears(IDLE, 60)
    assert not ear.hears(IDLE, 600, every=600)


def test_a_pool_that_would_hang_is_refused() -> None:
    refuse_unsafe_start("spawn", {"numpy"})
    with pytest.raises(UnsafeStart, match="spawn"):
        refuse_unsafe_start("fork", set())
    with pytest.raises(UnsafeStart, match="ctranslate2, onnxruntime"):
        refuse_unsafe_start("spawn", {"onnxruntime", "ctranslate2"})


def test_a_worker_whose_parent_has_loaded_an_engine_does_not_start(tmp_path: Path) -> None:
    code = (
        "import ctranslate2; from services.worker.launch import launch;"
        "launch('translator', 'translator_worker.app')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"FANSCRIBE_DATA_DIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode != 0
    assert "The worker's parent has imported ctranslate2" in ended.stderr
