"""What operators see: counters and gauges on both listeners, and whether the ticker looks."""

from __future__ import annotations

import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from running_manager import Manager, error_of

from services.model.speed import Speed
from services.model.states import Event
from task_manager.fresh import Fresh
from task_manager.pipeline import jobs
from task_manager.pipeline.ports import Ports
from task_manager.pipeline.speeds import outcome
from task_manager.ticker import ticker

TEXT = {"text_id": "1", "text": "Hello.", "language": "en"}


def scrape(manager: Manager) -> dict[str, dict[tuple[str, ...], float]]:
    """name → label values in alphabetical order of their names → value."""
    answer = httpx.get(f"{manager.workers_url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def fresh_scrape(manager: Manager, name: str, labels: tuple[str, ...], wanted: float) -> None:
    """Gauges of the store may be a second old: scrapes until the value is the wanted one."""
    end = time.monotonic() + 10
    while (value := scrape(manager)[name].get(labels)) != wanted:
        assert time.monotonic() < end, (name, labels, value)
        time.sleep(0.05)


def risen(manager: Manager, name: str, labels: tuple[str, ...] = ()) -> None:
    """Scrapes until the counter is above 0."""
    end = time.monotonic() + 10
    while not scrape(manager).get(name, {}).get(labels):
        assert time.monotonic() < end, name
        time.sleep(0.05)


def test_what_became_of_attempts_is_counted_once(manager) -> None:
    manager.driver.broken = {"zh"}
    manager.finished(items=[TEXT], targets=["zh", "ja"])

    seen = scrape(manager)

    assert seen["fanscribe_attempts_total"] == {
        ("", "succeeded", "translate"): 1,
        ("permanent", "failed", "translate"): 1,
    }
    assert seen["fanscribe_dead_total"]["permanent",] == 1
    assert seen["fanscribe_dead_total"]["internal",] == 0
    assert seen["fanscribe_claims_total"]["granted",] == 2
    assert seen["fanscribe_announcements_total"][()] >= 2


def test_words_that_do_not_count_are_counted(manager) -> None:
    manager.create(items=[TEXT], targets=["zh"])
    token, (grant,) = manager.driver.claim_next()
    assert manager.driver.tell(token, grant, 1, []) == "held"
    assert manager.driver.finish("x" * 32, grant) == 409
    assert httpx.post(f"{manager.workers_url}/callbacks/v1/beat").status_code == 401

    seen = scrape(manager)

    assert seen["fanscribe_beats_total"][()] == 1
    assert seen["fanscribe_callbacks_refused_total"] == {("409",): 1, ("401",): 1}


def test_messages_that_the_broker_does_not_take_are_counted(manager, monkeypatch) -> None:
    def away(_queue: str, _job: str) -> None:
        raise OSError("the broker is away")

    monkeypatch.setattr(manager.driver.announcer, "announce", away)
    manager.create(items=[TEXT], targets=["zh"])

    risen(manager, "fanscribe_broker_errors_total")


def test_a_job_that_was_taken_back_is_counted_as_lost(start) -> None:
    manager = start(lost_after_s=0.1, tick_every_s=0.05)
    manager.create(items=[TEXT], targets=["zh"])
    manager.driver.claim_next()

    risen(manager, "fanscribe_losses_total")
    assert scrape(manager)["fanscribe_attempts_total"]["worker_lost", "lost", "translate"] >= 1


def test_a_look_of_the_ticker_that_fails_is_counted(manager) -> None:
    manager.application.store.close()
    risen(manager, "fanscribe_tick_failures_total", ("announce",))


def test_an_expansion_that_fails_is_counted_and_holds_up_nobody(start) -> None:
    manager = start(expand_after_s=0.1, tick_every_s=0.05)
    manager.create(items=[TEXT], targets=["zh"])
    _, (grant,) = manager.driver.claim_next()
    unreadable = {"result": {"no": "translation"}, "expand": "pending", "open": True}
    ports = manager.application.pipeline.ports
    jobs.apply(ports, ports.store.job(grant.job), Event.SUCCEED, fields=unreadable)

    risen(manager, "fanscribe_tick_failures_total", ("expand",))
    assert manager.finished(items=[TEXT], targets=["ja"])["state"] == "succeeded"


def test_a_task_that_cannot_be_settled_is_counted_and_holds_up_nobody(start, monkeypatch) -> None:
    settle, bad = ticker.settle, set()

    def fails(ports: Ports, task_id: str) -> None:
        if task_id in bad:
            raise ValueError("it cannot be settled")
        settle(ports, task_id)

    monkeypatch.setattr(ticker, "settle", fails)
    manager = start(tick_every_s=0.05)
    bad.add(manager.create(items=[TEXT], targets=["zh"])["id"])
    manager.driver.step()

    risen(manager, "fanscribe_tick_failures_total", ("settle",))
    assert manager.finished(items=[TEXT], targets=["ja"])["state"] == "succeeded"


def test_the_depth_of_a_queue_shows_and_what_to_scale_by(manager) -> None:
    manager.create(items=[TEXT], targets=["zh", "ja"])
    manager.driver.claim_next()
    queue = ("translate.stub-nmt",)

    fresh_scrape(manager, "fanscribe_queue_running", queue, 1)
    seen = scrape(manager)

    assert seen["fanscribe_queue_waiting"][queue] == 1
    assert seen["fanscribe_queue_due"][queue] == 1
    assert seen["fanscribe_queue_load"][queue] == 2
    assert seen["fanscribe_queue_nodes"][queue] == 1
    assert seen["fanscribe_queue_oldest_due_seconds"][queue] >= 0
    assert seen["fanscribe_queue_load"]["prepare",] == 0
    assert seen["fanscribe_open_tasks"] == {("local",): 1}


def test_nodes_show_by_state_with_their_slots_and_speed(manager) -> None:
    store = manager.application.store
    size, after = Speed().seen(100.0, 20.0), Speed().seen(100.0, 90.0)
    store.add_speeds("node-1", {"prepare": size, outcome("prepare"): after})

    fresh_scrape(manager, "fanscribe_seconds_per_audio_second", ("node-1", "prepare"), 0.2)
    seen = scrape(manager)

    assert set(seen["fanscribe_seconds_per_audio_second"]) == {("node-1", "prepare")}
    assert seen["fanscribe_nodes"]["live",] == 1
    assert seen["fanscribe_nodes"]["lost",] == 0
    assert seen["fanscribe_slots"]["whisper",] == 4
    assert seen["fanscribe_free_slots"]["whisper",] == 4


def test_the_machine_shows_what_it_has_left(shared) -> None:
    seen = scrape(shared)
    assert seen["fanscribe_free_disk_bytes"][()] > 0
    assert seen["fanscribe_free_memory_bytes"][()] > 0
    assert seen["fanscribe_store_up"][()] == 1
    assert {loop for (loop,) in seen["fanscribe_ticker_look_age_seconds"]} >= {"announce", "reap"}


def test_requests_are_timed_by_route_and_never_by_path(manager) -> None:
    for name in ("a", "b", "c"):
        manager.api.get(f"/v1/tasks/{name}")
        manager.api.get(f"/{name}")
    counts = scrape(manager)["fanscribe_http_request_seconds_count"]
    assert counts["GET", "/v1/tasks/{task_id}", "404"] == 3
    assert counts["GET", "none", "404"] == 3


def test_a_store_that_is_away_costs_its_gauges_and_nothing_else(manager) -> None:
    assert "fanscribe_nodes" in scrape(manager)
    manager.application.store.close()
    manager.application.pipeline.ports.meter.refused("queue_full")

    fresh_scrape(manager, "fanscribe_store_up", (), 0)
    seen = scrape(manager)

    assert "fanscribe_nodes" not in seen
    assert seen["fanscribe_refused_total"]["queue_full",] == 1
    assert seen["fanscribe_store_errors_total"][()] >= 1


def test_the_public_metrics_want_the_key(start) -> None:
    manager = start(api_key="k", callback_secret="s")
    assert error_of(httpx.get(f"{manager.url}/metrics"))[:2] == (401, "unauthenticated")
    assert "fanscribe_slots" in manager.api.get("/metrics").text
    assert httpx.get(f"{manager.workers_url}/metrics").status_code == 200


def test_a_manager_whose_ticker_hangs_is_not_ready(manager) -> None:
    assert manager.api.get("/readyz").status_code == 200
    pulse = manager.application.pipeline.ports.pulse
    pulse.looks["hung"] = (time.monotonic() - 80, 60.0)
    assert manager.api.get("/readyz").status_code == 200
    pulse.looks["hung"] = (time.monotonic() - 80, 1.0)

    answer = manager.api.get("/readyz")

    assert error_of(answer)[:2] == (503, "ticker_stuck")
    assert "hung" in answer.json()["error"]["message"]
    assert manager.api.get("/healthz").status_code == 200


def test_a_fresh_value_is_not_looked_at_again() -> None:
    looks: list[int] = []

    def look() -> int:
        looks.append(1)
        return len(looks)

    lasting, fleeting = Fresh(look, 3600.0), Fresh(look, 0.0)
    assert [lasting(), lasting(), lasting()] == [1, 1, 1]
    assert [fleeting(), fleeting()] == [2, 3]


def test_a_look_that_fails_is_tried_again() -> None:
    answers = iter([OSError("away"), 1])

    def look() -> int:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    fresh = Fresh(look)
    with pytest.raises(OSError, match="away"):
        fresh()
    assert fresh() == 1
