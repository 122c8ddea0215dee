"""A cancel that comes while a real engine is at work on a window, where nothing can tell it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_whisper
from in_test_manager import InTestManager
from started_worker import QUEUE, Redis, children_of, started_worker

from services.model.decoding import Decoding
from services.model.messages import Grant
from services.queue import Announcer

pytestmark = pytest.mark.long
SLOW_QUEUE = "transcribe.tiny"
BEATS = 40  # until the model is loaded and has begun; ten a second


def test_a_cancel_ends_a_real_engine_in_the_middle_of_a_window(
    local_redis: Redis,
    manager: InTestManager,
    tmp_path: Path,
    transcribe_grant: Callable[..., Grant],
) -> None:
    """It takes minutes: every token of ten readings, again at each of ten temperatures."""
    models = tmp_path / "models"
    tiny_whisper.write(models / "tiny", width=512, layers=8, endless=True)
    slow = transcribe_grant(0)
    decoding = Decoding(beam_size=10, best_of=10, temperature=[n / 10 for n in range(10)])
    spec = slow.spec.model_copy(update={"model": "tiny", "language": "en", "decoding": decoding})
    slow = slow.model_copy(update={"spec": spec})
    following = transcribe_grant(1)
    more = {"FANSCRIBE_MODELS_DIR": str(models), "FANSCRIBE_QUEUES": f"{SLOW_QUEUE},{QUEUE}"}
    announcer = Announcer(local_redis.url)
    pause = threading.Event()
    with started_worker(local_redis.url, manager.url, tmp_path, more=more) as worker:
        manager.change(lambda: manager.grants.append(slow))
        announcer.announce(SLOW_QUEUE, slow.job)
        manager.wait_for(lambda: len(manager.beats) > BEATS, "the engine at work")
        [child] = children_of(worker.pid)
        manager.change(lambda: manager.states.update({slow.job: "cancelled"}))
        for _ in range(600):
            if child not in children_of(worker.pid):
                break
            pause.wait(0.1)
        assert child not in children_of(worker.pid), "the engine went on for a minute"
        manager.change(lambda: manager.grants.append(following))
        announcer.announce(QUEUE, following.job)
        manager.wait_for(lambda: len(manager.reports) == 1, "the next job, in a fresh child")
    announcer.close()
    assert manager.reports[0].job == following.job
    assert manager.reports[0].result is not None
    assert not manager.told or {told.job for told in manager.told} == {following.job}
