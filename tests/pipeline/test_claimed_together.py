"""One claim for many short jobs: whose they are, how many, and what a death in it costs."""

from __future__ import annotations

from collections import Counter

import pytest

from services.model.errors import FailureClass
from services.model.messages import Claim, Finish, Held
from services.model.states import JobState
from services.model.task import ItemSpec
from services.worker.pulse import Holding
from services.worker.serving import lost
from task_manager.pipeline.reports import lose

QUEUE = "translate.stub-nmt"
A_MINUTE = 900  # characters


@pytest.fixture
def texts(accept):
    """Tasks of texts of these lengths, each of an owner of its own, into two languages."""

    def make(*lengths: int) -> None:
        for number, length in enumerate(lengths):
            item = ItemSpec(text_id="1", text="x" * length, language="en")
            accept([item], ["zh", "ja"], owner=f"owner-{number}")

    return make


@pytest.fixture
def bundle(hand):
    """A claim for as much as a worker takes at once."""

    def ask(most_size: float | None = None):
        hand.tokens += 1
        hand.token = f"{hand.node}-token-{hand.tokens:08d}"
        asked = Claim(
            node=hand.node, token=hand.token, queue=QUEUE, job="", slots=64,
            models=["stub-nmt"], most_size=most_size,
        )  # fmt: skip
        return hand.pipeline.claim(asked).grants

    return ask


@pytest.fixture
def die(hand):
    """The child dies with these leases, while it works on the first `working`."""

    def report(grants, working: int) -> None:
        held = [Held(job=grant.job, attempt=grant.attempt) for grant in grants]
        for grant in grants:
            hand.beat(grant)
        last = Holding(token=hand.token, working=held[:working], others=held[working:])
        finish = Finish(token=hand.token, node=hand.node, reports=lost(last, said=()))
        assert {verdict.status for verdict in hand.pipeline.finish(finish).verdicts} == {200}

    return report


def test_a_claim_takes_jobs_of_several_owners_tasks_and_languages(texts, bundle, pipeline) -> None:
    texts(9, 9, 9)

    grants = bundle()

    jobs = [pipeline.ports.store.job(grant.job) for grant in grants]
    assert Counter(job.owner for job in jobs) == {f"owner-{number}": 2 for number in range(3)}
    assert Counter(grant.spec.target_language for grant in grants) == {"zh": 3, "ja": 3}
    assert len({grant.task for grant in grants}) == 3


def test_each_owner_has_his_turn_in_a_bundle_too(texts, bundle, pipeline) -> None:
    texts(A_MINUTE, A_MINUTE, A_MINUTE)

    grants = bundle(most_size=180.0)

    owners = [pipeline.ports.store.job(grant.job).owner for grant in grants]
    assert sorted(owners) == ["owner-0", "owner-1", "owner-2"]


def test_a_bundle_is_no_larger_than_was_asked_for(texts, bundle) -> None:
    texts(A_MINUTE, A_MINUTE, A_MINUTE)

    assert [len(bundle(most_size=60.0 * minutes)) for minutes in (2, 1, 9)] == [2, 1, 3]


def test_a_long_text_is_claimed_by_itself(texts, bundle) -> None:
    texts(10 * A_MINUTE)

    assert [len(bundle(most_size=240.0)) for _ in range(3)] == [1, 1, 0]


def test_who_was_worked_on_when_a_child_died_comes_back_alone_and_the_others_together(
    texts, bundle, die, pipeline
) -> None:
    texts(9, 9, 9)
    grants = bundle()
    die(grants, working=2)

    store = pipeline.ports.store
    jobs = [store.job(grant.job) for grant in grants]
    assert [job.losses for job in jobs] == [1, 1, 0, 0, 0, 0]
    assert [job.alone for job in jobs] == [True, True, False, False, False, False]
    assert {job.state for job in jobs} == {JobState.WAITING}
    sizes = sorted(len(bundle()) for _ in range(4))
    assert sizes == [0, 1, 1, 4]


@pytest.mark.parametrize(
    "failure", [each for each in FailureClass if each is not FailureClass.PERMANENT]
)
def test_a_job_that_failed_in_any_way_is_claimed_alone(
    texts, bundle, hand, pipeline, failure
) -> None:
    pipeline.ports.settings.retry_scale = 1e-9
    texts(9, 9)
    first, *others = bundle()
    assert hand.fail(first, failure) == 200
    for other in others:
        assert hand.finish(other, released=True) == 200

    claims = [[grant.job for grant in bundle()] for _ in range(2)]

    assert [first.job] in claims
    assert sorted(map(len, claims)) == [1, 3]


def test_one_death_of_a_bundle_does_not_set_its_node_aside(texts, bundle, die, pipeline) -> None:
    texts(*[9] * 4)
    die(bundle(), working=8)
    store = pipeline.ports.store
    (node,) = store.nodes()
    assert len(node.troubles) == 8
    assert not node.is_set_aside(store.now())


def test_neither_does_the_poison_that_dies_thrice_then(texts, bundle, die, pipeline) -> None:
    texts(*[9] * 4)
    grants = bundle()
    poison = grants[0].job
    die(grants, working=8)
    store = pipeline.ports.store
    for _ in range(8):
        (alone,) = bundle()
        if alone.job == poison:
            die([alone], working=1)
    while store.job(poison).state is JobState.WAITING:
        (alone,) = bundle()
        die([alone], working=1)
    assert store.job(poison).state is JobState.DEAD
    (node,) = store.nodes()
    assert not node.is_set_aside(store.now())


def test_a_bundle_whose_worker_is_gone_is_charged_and_claimed_one_by_one(
    texts, bundle, hand, pipeline
) -> None:
    texts(9, 9)
    grants = bundle()
    for grant in grants:
        hand.beat(grant)
        lose(pipeline.ports, pipeline.ports.store.job(grant.job), "Not heard of.")
    assert [pipeline.ports.store.job(grant.job).losses for grant in grants] == [1] * 4
    assert [len(bundle()) for _ in range(5)] == [1, 1, 1, 1, 0]
