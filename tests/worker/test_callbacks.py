from __future__ import annotations

import pytest
from in_test_manager import InTestManager
from pytest_httpserver import HTTPServer
from werkzeug import Response

from services.model.errors import FailureClass, JobFailed
from services.model.messages import Beat, Held, NodeBeat, Progress, Register
from services.worker.callbacks import Manager, Refused

BEAT = Beat(token="t" * 16, leases=[Held(job="t1/prepare/0/-/-/0/0", attempt=1)])


def progress(number: int = 1) -> Progress:
    return Progress(token="t" * 16, job="j", attempt=1, number=number, fraction=0.5)


def test_a_call_is_signed_and_its_answer_typed(manager: InTestManager, callbacks: Manager) -> None:
    answer = callbacks.beat(BEAT)
    assert [lease.state for lease in answer.leases] == ["held"]
    assert manager.beats == [BEAT]
    assert manager.refused == 0


@pytest.mark.parametrize("shift", [7200.0, -7200.0])
def test_a_clock_that_is_hours_off_is_learnt_from_the_refusal(
    manager: InTestManager, callbacks: Manager, shift: float
) -> None:
    manager.shift = shift
    callbacks.beat(BEAT)
    callbacks.beat(BEAT)
    assert manager.refused == 1
    assert callbacks.clock.now() == pytest.approx(manager.now(), abs=60)


def test_a_wrong_secret_is_refused_for_good(manager: InTestManager) -> None:
    stranger = Manager(manager.url, "another secret")
    with pytest.raises(Refused) as refused:
        stranger.beat(BEAT)
    stranger.close()
    assert refused.value.status == 401
    assert manager.refused == 2


@pytest.mark.parametrize("state", ["stale", "cancelled"])
def test_a_progress_that_nobody_wants_says_so(
    manager: InTestManager, callbacks: Manager, state: str
) -> None:
    manager.states["j"] = state
    assert callbacks.progress(progress()).state == state


def test_a_node_that_is_not_known_is_told(manager: InTestManager, callbacks: Manager) -> None:
    manager.unknown_nodes.add("n")
    assert callbacks.node_beat(NodeBeat(node="n")) is None
    hello = Register(
        node="n", kind="whisper", host="h", pid=1, queues=[], models=[], slots=1, version="1"
    )
    callbacks.register(hello)
    assert callbacks.node_beat(NodeBeat(node="n")) is not None


def test_a_manager_that_is_away_is_a_failure_of_the_network() -> None:
    nobody = Manager("http://127.0.0.1:9", "s")
    with pytest.raises(JobFailed) as failed:
        nobody.beat(BEAT)
    nobody.close()
    assert failed.value.failure_class is FailureClass.NETWORK_TIMEOUT


def test_a_busy_managers_retry_after_is_heard(http_server: HTTPServer) -> None:
    http_server.expect_request("/callbacks/v1/beat").respond_with_response(
        Response("{}", status=503, headers={"Retry-After": "7"})
    )
    client = Manager(http_server.url_for(""), "s")
    with pytest.raises(JobFailed) as failed:
        client.beat(BEAT)
    client.close()
    assert failed.value.failure_class is FailureClass.SERVICE_UNAVAILABLE
    assert failed.value.retry_after_s == 7.0


def test_an_answer_that_is_none_is_tried_again(http_server: HTTPServer) -> None:
    http_server.expect_request("/callbacks/v1/beat").respond_with_data("<html>", status=200)
    client = Manager(http_server.url_for(""), "s")
    with pytest.raises(JobFailed) as failed:
        client.beat(BEAT)
    client.close()
    assert failed.value.failure_class is FailureClass.SERVICE_UNAVAILABLE
