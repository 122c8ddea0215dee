"""A network that says everything five times, late and out of order, at the API itself."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from running_manager import Manager

from services import signing
from services.model.messages import Beat, Finish, Grant, Held, Progress, Report
from services.model.states import JobState
from task_manager.pipeline.reports import lose

TEXT = {"text_id": "t", "text": "Hello.", "language": "en"}


@dataclass
class Wire:
    """One signed call as it was sent, to be delivered as often as one likes."""

    manager: Manager
    name: str
    body: str
    headers: dict[str, str]

    def deliver(self) -> tuple[int, Any]:
        path = f"{self.manager.workers_url}/callbacks/v1/{self.name}"
        answer = self.manager.api.post(path, content=self.body, headers=self.headers)
        return answer.status_code, answer.json()


def _sent(manager: Manager, name: str, message: Any) -> Wire:
    body = message.model_dump_json()
    now = manager.application.store.now()
    signed = signing.sign("", message_id=f"msg_{name}", at=now, body=body)
    return Wire(manager, name, body, {**signed, "content-type": "application/json"})


def _words(manager: Manager, token: str, grant: Grant) -> dict[str, Wire]:
    driver = manager.driver
    held = Held(job=grant.job, attempt=grant.attempt)
    result = driver._said(grant)
    report = Report(job=grant.job, attempt=grant.attempt, **result)
    progress = Progress(token=token, job=grant.job, attempt=grant.attempt, number=1, fraction=0.5)
    return {
        "beat": _sent(manager, "beat", Beat(token=token, leases=[held])),
        "progress": _sent(manager, "progress", progress),
        "finish": _sent(manager, "finish", Finish(token=token, node="node-1", reports=[report])),
    }


def test_every_callback_five_times_in_any_order_has_one_effect(manager: Manager) -> None:
    task = manager.create(items=[TEXT], targets=["zh"])
    store, ports = manager.application.store, manager.application.pipeline.ports
    token, old = manager.driver.claim_stage("translate")
    manager.driver.callbacks.beat(
        Beat(token=token, leases=[Held(job=old.job, attempt=old.attempt)])
    )
    stale = _words(manager, token, old)
    lose(ports, store.job(old.job), "Nothing was heard.")
    ports.wake()
    token, new = manager.driver.claim_stage("translate")
    current = _words(manager, token, new)
    calls = [("new", *each) for each in current.items()] * 5
    calls += [("old", *each) for each in stale.items()] * 5
    random.Random(5).shuffle(calls)

    said: dict[tuple[str, str], Counter[str]] = {}
    for whose, name, wire in calls:
        status, answer = wire.deliver()
        word = answer["verdicts"][0]["status"] if name == "finish" else status
        if name == "beat":
            word = answer["leases"][0]["state"]
        said.setdefault((whose, name), Counter())[str(word)] += 1

    assert {"200": 5} == said["new", "finish"]
    assert {"409": 5} == said["old", "finish"] == said["old", "progress"]
    assert {"stale": 5} == said["old", "beat"]
    job = store.job(new.job)
    assert (JobState.SUCCEEDED, 2, 1) == (job.state, job.attempt, job.losses)
    assert "succeeded" == manager.work(task["id"])["state"]
    kinds = Counter(event.kind for event in store.events(task["id"], limit=99))
    assert 1 == kinds["cell"]
    assert kinds["progress"] <= 1


def test_fifty_posts_with_one_key_at_once_are_one_task(manager: Manager) -> None:
    def post(_: int) -> str:
        headers = {"Idempotency-Key": "once"}
        return manager.create(items=[TEXT], targets=["zh"], headers=headers)["id"]

    with ThreadPoolExecutor(50) as pool:
        ids = set(pool.map(post, range(50)))

    assert 1 == len(ids)
    assert 1 == len(manager.application.store.tasks(None, limit=99))
