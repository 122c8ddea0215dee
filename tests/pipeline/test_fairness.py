"""Whose turn it is: owners share fairly, priorities order the rest, and nobody waits for ever.

Everything is decided by the claim, so it is the same whatever the broker announced first.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from services.model.messages import Claim
from services.model.task import ItemSpec, Priority, Task

QUEUE = "translate.stub-nmt"
TARGETS = ["zh", "ja", "de", "fr", "es", "it", "ko", "pt", "ru", "nl"]
PRIORITIES = [Priority.URGENT, Priority.NORMAL, Priority.BULK]


@pytest.fixture
def submit(accept):
    """A task of so many jobs in one queue."""

    def make(owner: str, jobs: int = 1, **more) -> Task:
        targets = TARGETS if jobs % len(TARGETS) == 0 else ["zh"]
        count = jobs // len(targets)
        items = [ItemSpec(text_id=str(n), text="Hello.", language="en") for n in range(count)]
        return accept(items, targets, owner=owner, **more)

    return make


@pytest.fixture
def next_job(pipeline, hand):
    """Claims the best job of the queue and finishes it; the job as it was claimed."""

    def take(announced: str = ""):
        hand.tokens += 1
        token = f"fair-token-{hand.tokens:08d}"
        claim = Claim(
            node=hand.node, token=token, queue=QUEUE, job=announced,
            models=["stub-whisper", "stub-nmt"],
        )  # fmt: skip
        (grant,) = pipeline.claim(claim).grants
        job = pipeline.ports.store.job(grant.job)
        assert hand.finish(grant, token=token) == 200
        return job

    return take


def owners(next_job, count: int) -> list[str]:
    return [next_job().owner for _ in range(count)]


def test_who_has_one_job_does_not_wait_for_a_thousand_of_another(submit, next_job) -> None:
    submit("many", 1000)
    submit("one")
    assert "one" in owners(next_job, 2)


def test_two_owners_with_long_queues_take_turns(submit, next_job) -> None:
    submit("first", 30)
    submit("second", 30)
    served = owners(next_job, 20)
    assert all(a != b for a, b in pairwise(served))


def test_who_comes_late_takes_turns_from_then_on(submit, next_job) -> None:
    """What the first owner got while nobody else was there is not held against him."""
    submit("first", 50)
    owners(next_job, 10)
    submit("second", 30)
    served = owners(next_job, 20)
    assert served.count("second") == 10


def test_a_steady_trickle_does_not_starve_who_has_a_long_queue(submit, next_job) -> None:
    """One job comes and one is done each round: both owners get their half."""
    submit("long", 50)
    owners(next_job, 5)
    served = []
    for _ in range(20):
        submit("trickle")
        served += owners(next_job, 1)
    assert served.count("long") == 10
    assert served.count("trickle") == 10


def test_what_runs_already_does_not_hold_back_what_comes(submit, hand, next_job) -> None:
    """Who has a few long jobs under way waits no longer than who has none."""
    submit("busy", 10)
    for _ in range(10):
        hand.claim(QUEUE)
    submit("many", 30)
    submit("busy")
    assert "busy" in owners(next_job, 2)


def test_nobody_overtakes_himself(submit, next_job) -> None:
    """The tail of a long queue is done before what its owner sends later, for ever so long."""
    first = submit("one", 30)
    owners(next_job, 20)
    later = [submit("one").id for _ in range(5)]
    served = [next_job().task_id for _ in range(15)]
    assert served == [first.id] * 10 + later


@pytest.mark.parametrize("bell", PRIORITIES, ids=[each.name.lower() for each in PRIORITIES])
def test_the_most_urgent_is_claimed_first_whichever_bell_rings(
    submit, next_job, pipeline, bell: Priority
) -> None:
    """A broker with queues of its own order, a doubled or a late message: all the same."""
    tasks = {each: submit("one", 2, priority=each) for each in reversed(PRIORITIES)}
    (announced, _) = pipeline.ports.store.jobs_of_items(tasks[bell].id, 0, 1)
    served = [next_job(announced.id).priority for _ in range(6)]
    assert served == [0, 0, 5, 5, 9, 9]


def test_the_bell_rings_for_the_most_urgent_first(submit, pipeline) -> None:
    for each in reversed(PRIORITIES):
        submit("one", priority=each)
    store = pipeline.ports.store
    rung = store.announce_due(store.now(), QUEUE, 3, 60)
    assert [job.priority for job in rung] == PRIORITIES


def test_bulk_waits_for_as_long_as_there_is_anything_else(submit, next_job) -> None:
    """This is what bulk means; docs/operations.md says so."""
    bulk = submit("one", priority=Priority.BULK)
    served = []
    for _ in range(8):
        submit("one")
        served.append(next_job().priority)
    assert served == [Priority.NORMAL] * 8
    assert next_job().task_id == bulk.id


def test_urgent_jobs_do_not_move_the_turns_of_the_others(submit, next_job) -> None:
    submit("first", 20)
    submit("second", 20)
    submit("first", 10, priority=Priority.URGENT)
    served = owners(next_job, 30)
    assert served[:10] == ["first"] * 10
    assert served[10:].count("second") == 10
