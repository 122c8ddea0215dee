"""Finished results at hand in a Redis of their own, and right whatever becomes of it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from running_manager import Manager, error_of

from services.metrics import ManagerMetrics
from services.settings import Settings, WrongSettings
from services.standalone.redis_child import Broker, choose
from task_manager.hot_cache import KEPT_S, LARGEST, HotCache, open_hot_cache

TEXTS = {
    "items": [{"text_id": "a:b 文", "text": "Hello.", "language": "en"}],
    "targets": ["zh", "ja"],
}


class Cache:
    """A redis of the test's own, which can be ended."""

    def __init__(self, broker: Broker) -> None:
        self.url = broker.url.replace("redis+socket://", "unix://")
        self._process = subprocess.Popen(broker.command)
        broker.wait_until_ready()

    @property
    def client(self) -> Redis:
        return Redis.from_url(self.url)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    broker = choose("auto", tmp_path)
    made = Cache(broker)
    yield made
    made.end()
    broker.clean_up()


@pytest.fixture
def cached(start, cache) -> Manager:
    return start(hot_cache_url=cache.url)


def outcomes(manager: Manager) -> dict[str, float]:
    registry = manager.application.pipeline.ports.meter.registry
    found = {
        name: registry.get_sample_value("fanscribe_hot_cache_total", {"outcome": name}) or 0
        for name in ("hit", "miss", "failed")
    }
    return {name: count for name, count in found.items() if count}


def read(manager: Manager, task) -> list[bytes]:
    """Everything that is kept at hand, as it is served."""
    base = f"/v1/tasks/{task['id']}/result"
    wanted = [{"language": "ja", "text_id": "a:b 文", "source": "T"}]
    answers = [
        manager.api.get(base),
        manager.api.get(base, params={"form": "coded", "language": "zh"}),
        manager.api.get(f"{base}/zh/a%3Ab%20文/T"),
        manager.api.post(f"{base}/lookup", json={"cells": wanted}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    return [answer.content for answer in answers]


def test_what_is_read_again_is_at_hand_and_the_same(cached) -> None:
    task = cached.finished(**TEXTS)
    first = read(cached, task)
    assert outcomes(cached) == {"hit": 1, "miss": 4}  # the pack of zh came twice

    assert read(cached, task) == first

    assert outcomes(cached) == {"hit": 6, "miss": 4}


def test_it_is_read_from_there(cached, cache) -> None:
    task = cached.finished(**TEXTS)
    base = f"/v1/tasks/{task['id']}/result/zh/a%3Ab%20文/T"
    cached.api.get(base)
    (key,) = cache.client.keys("*:cell:*")
    assert 0 < cache.client.ttl(key) <= KEPT_S
    cache.client.set(key, "from the cache")

    assert cached.api.get(base).json()["text"] == "from the cache"


def test_nothing_of_a_running_task_is_kept(cached, cache) -> None:
    task = cached.create(**TEXTS)
    _, grant = cached.driver.claim_stage("translate")
    language = grant.spec.target_language
    base = f"/v1/tasks/{task['id']}/result"

    assert error_of(cached.api.get(f"{base}/{language}/a%3Ab%20文/T"))[1] == "not_finished"
    assert error_of(cached.api.get(base))[1] == "not_finished"

    assert cache.client.keys() == []
    assert outcomes(cached) == {}


def test_what_was_deleted_is_not_shown_although_it_lies_there(cached, cache) -> None:
    task = cached.finished(**TEXTS)
    read(cached, task)
    assert cached.api.delete(f"/v1/tasks/{task['id']}").status_code in {202, 204}

    assert cached.api.get(f"/v1/tasks/{task['id']}/result").status_code == 410
    assert cache.client.keys()


def test_what_is_missing_is_not_remembered(cached, cache) -> None:
    task = cached.finished(**TEXTS)
    base = f"/v1/tasks/{task['id']}/result"

    assert error_of(cached.api.get(f"{base}/zh/no/T"))[1] == "unknown_text_id"
    assert error_of(cached.api.get(f"{base}/zh/a%3Ab%20文/A"))[1] == "no_such_source"

    assert cache.client.keys() == []


def test_a_cache_that_is_gone_is_left_alone_and_results_are_right(cached, cache) -> None:
    task = cached.finished(**TEXTS)
    first = read(cached, task)
    cache.end()

    assert read(cached, task) == first
    assert outcomes(cached)["failed"] == 1
    assert read(cached, task) == first
    assert outcomes(cached)["failed"] == 1


def test_a_cache_that_says_nothing_is_not_waited_for(start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        manager = start(hot_cache_url=f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        task = manager.finished(**TEXTS)
        read(manager, task)
    assert outcomes(manager)["failed"] == 1


def test_without_one_nothing_is_looked_for(shared) -> None:
    before = outcomes(shared)
    read(shared, shared.finished(**TEXTS))
    assert outcomes(shared) == before == {}


def test_too_large_a_value_is_not_kept(cache) -> None:
    hot, large = HotCache(cache.url, ManagerMetrics()), "文" * (LARGEST // 3 + 1)

    assert hot.through(("a",), lambda: large) == large
    assert hot.through(("b",), lambda: "small") == "small"

    assert [key.decode().rpartition(":")[2] for key in cache.client.scan_iter()] == ["b"]


@pytest.mark.parametrize("url", ["redis://here:6379/1", "http://cache:6379/", "cache:6379"])
def test_an_address_that_cannot_be_meant_is_refused(url) -> None:
    settings = Settings(broker_url="redis://here:6379/0", hot_cache_url=url)
    with pytest.raises(WrongSettings, match="FANSCRIBE_HOT_CACHE_URL"):
        open_hot_cache(settings, ManagerMetrics())
