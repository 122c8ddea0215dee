"""Nodes are published to Consul and Nacos: against fakes of their documented HTTP interfaces."""

from __future__ import annotations

import json
import re
import socket
import threading

import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from services.model.node import Node
from services.queue import Announcer
from task_manager.registries import open_publisher
from task_manager.registry import Instance, changes, instance_of
from task_manager.ticker import Ticker

NOW = 1000.0


@pytest.fixture(scope="module")
def one_registry_server():
    server = HTTPServer(host="127.0.0.1", port=0, threaded=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def registry_server(one_registry_server):
    yield one_registry_server
    one_registry_server.check()
    one_registry_server.clear()


def a_node(name: str = "node-1", **more) -> Node:
    given = {
        "id": name,
        "kind": "whisper",
        "host": "box",
        "pid": 7,
        "queues": ["prepare", "transcribe.tiny"],
        "models": ["tiny"],
        "slots": 2,
        "version": "0.1.0",
        "labels": {"zone": "b"},
        "registered_at": NOW,
        "seen_at": NOW,
    }
    return Node(**{**given, **more})


class Calls:
    """Answers every request by `answers` (method and path → status and body), else 200, and
    notes it."""

    def __init__(self, server: HTTPServer) -> None:
        self.seen: list[Request] = []
        self.answers: dict[str, tuple[int, str]] = {}
        self.each = lambda: None
        server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    def take(self) -> list[str]:
        lines = [f"{request.method} {request.path}" for request in self.seen]
        self.seen.clear()
        return lines

    def _answer(self, request: Request) -> Response:
        request.get_data()
        self.seen.append(request)
        self.each()
        status, body = self.answers.get(f"{request.method} {request.path}", (200, "ok"))
        return Response(body, status=status)


@pytest.fixture
def calls(registry_server) -> Calls:
    return Calls(registry_server)


@pytest.fixture
def consul(registry_server, calls):
    made = open_publisher(f"consul://127.0.0.1:{registry_server.port}?token=s3cret")
    yield made
    made.close()


@pytest.fixture
def nacos(registry_server, calls):
    calls.answers["POST /nacos/v1/auth/login"] = (200, '{"accessToken":"t1","tokenTtl":18000}')
    more = "namespace=prod&username=me&password=s3cret"
    made = open_publisher(f"nacos://127.0.0.1:{registry_server.port}?{more}")
    yield made
    made.close()


def test_exactly_the_live_nodes_are_published_as_they_are_now() -> None:
    new, same, changed = a_node("new"), a_node("same"), a_node("changed", draining=True)
    gone, lost = a_node("gone", gone=True), a_node("lost", lost_at=NOW)
    left_before, told = a_node("left-before", gone=True), a_node("told", gone=True)
    forgotten = instance_of(a_node("forgotten"), NOW)
    published: dict[str, Instance | None] = {
        one.id: one
        for one in [
            *(instance_of(a_node(name), NOW) for name in ("same", "changed", "gone", "lost")),
            forgotten,
        ]
    }
    published["fanscribe-told"] = None
    todo = changes([new, same, changed, gone, lost, left_before, told], published, NOW)
    assert [one.id for one in todo.register] == ["fanscribe-new", "fanscribe-changed"]
    assert [one.id for one in todo.keep] == ["fanscribe-same"]
    withdrawn = [one.id for one in todo.withdraw]
    assert withdrawn == [
        "fanscribe-gone",
        "fanscribe-lost",
        "fanscribe-left-before",
        "fanscribe-forgotten",
    ]


def test_consul_is_told_of_a_node_that_comes_beats_and_goes(consul, calls) -> None:
    node = a_node(health_url="http://10.0.0.5:9100")
    consul.look([node], NOW)
    request = calls.seen[0]
    assert request.headers["X-Consul-Token"] == "s3cret"
    assert request.args["replace-existing-checks"] == "true"
    body = json.loads(request.get_data())
    assert (body["ID"], body["Name"]) == ("fanscribe-node-1", "fanscribe-whisper")
    assert (body["Address"], body["Port"]) == ("10.0.0.5", 9100)
    assert body["Tags"] == ["prepare", "transcribe.tiny", "zone=b"]
    assert body["Meta"] == {"node": "node-1", "version": "0.1.0", "slots": "2", "state": "live"}
    beats, health = body["Checks"]
    assert (beats["CheckID"], beats["TTL"]) == ("fanscribe-node-1:beats", "30s")
    assert health["HTTP"] == "http://10.0.0.5:9100/healthz"
    assert calls.take() == ["PUT /v1/agent/service/register"]

    consul.look([node], NOW + 5)
    assert calls.take() == ["PUT /v1/agent/check/pass/fanscribe-node-1:beats"]

    consul.look([a_node(gone=True)], NOW + 10)
    assert calls.take() == ["PUT /v1/agent/service/deregister/fanscribe-node-1"]
    consul.look([a_node(gone=True)], NOW + 15)
    assert calls.take() == []


def test_a_node_without_a_health_address_has_its_host_and_port_0(consul, calls) -> None:
    consul.look([a_node()], NOW)
    body = json.loads(calls.seen[0].get_data())
    assert (body["Address"], body["Port"], len(body["Checks"])) == ("box", 0, 1)


@pytest.mark.parametrize("answer", [(404, 'Unknown check ID "x"'), (500, 'Unknown check "x"')])
def test_a_consul_that_forgot_the_node_is_told_again(consul, calls, answer) -> None:
    consul.look([a_node()], NOW)
    calls.take()
    calls.answers["PUT /v1/agent/check/pass/fanscribe-node-1:beats"] = answer
    consul.look([a_node()], NOW + 5)
    assert calls.take() == [
        "PUT /v1/agent/check/pass/fanscribe-node-1:beats",
        "PUT /v1/agent/service/register",
    ]


def test_nacos_is_told_of_a_node_that_comes_beats_and_goes(nacos, calls) -> None:
    node = a_node(health_url="http://10.0.0.5:9100/")
    nacos.look([node], NOW)
    login, register = calls.seen
    assert dict(login.form) == {"username": "me", "password": "s3cret"}
    assert register.args["accessToken"] == "t1"
    form = register.form
    names = {
        "serviceName": "fanscribe-whisper",
        "groupName": "DEFAULT_GROUP",
        "clusterName": "DEFAULT",
        "ip": "10.0.0.5",
        "port": "9100",
        "ephemeral": "true",
        "namespaceId": "prod",
    }
    assert names.items() <= dict(form).items()
    metadata = json.loads(form["metadata"])
    assert (metadata["node"], metadata["tags"]) == ("node-1", "prepare,transcribe.tiny,zone=b")
    assert calls.take() == ["POST /nacos/v1/auth/login", "POST /nacos/v1/ns/instance"]

    calls.answers["PUT /nacos/v1/ns/instance/beat"] = (
        200,
        '{"clientBeatInterval":5000,"code":10200,"lightBeatEnabled":true}',
    )
    nacos.look([node], NOW + 5)
    beat = calls.seen[0]
    assert {**names, "accessToken": "t1"}.items() <= dict(beat.args).items()
    told = json.loads(beat.args["beat"])
    assert told["serviceName"] == "DEFAULT_GROUP@@fanscribe-whisper"
    assert (told["ip"], told["port"]) == ("10.0.0.5", 9100)
    assert calls.take() == ["PUT /nacos/v1/ns/instance/beat"]

    nacos.look([a_node(health_url="http://10.0.0.5:9100/", gone=True)], NOW + 10)
    assert names.items() <= dict(calls.seen[0].args).items()
    assert calls.take() == ["DELETE /nacos/v1/ns/instance"]


def test_a_nacos_that_forgot_the_node_is_told_again(nacos, calls) -> None:
    nacos.look([a_node()], NOW)
    calls.take()
    calls.answers["PUT /nacos/v1/ns/instance/beat"] = (200, '{"code": 20404}')
    nacos.look([a_node()], NOW + 5)
    assert calls.take() == ["PUT /nacos/v1/ns/instance/beat", "POST /nacos/v1/ns/instance"]


def test_nacos_can_tell_nodes_of_one_host_apart(nacos, calls) -> None:
    nacos.look([a_node("node-1"), a_node("node.2")], NOW)
    clusters = [request.form.get("clusterName") for request in calls.seen[1:]]
    assert clusters == ["fanscribe-node-1", "fanscribe-node-2"]


def test_a_token_that_ran_out_is_fetched_anew(nacos, calls) -> None:
    nacos.look([a_node()], NOW)
    calls.take()
    calls.answers["PUT /nacos/v1/ns/instance/beat"] = (403, "token expired")
    nacos.look([a_node()], NOW + 5)
    calls.answers["PUT /nacos/v1/ns/instance/beat"] = (200, '{"code":10200}')
    nacos.look([a_node()], NOW + 10)
    assert calls.take() == [
        "PUT /nacos/v1/ns/instance/beat",
        "POST /nacos/v1/auth/login",
        "PUT /nacos/v1/ns/instance/beat",
    ]


def test_a_registry_that_is_away_is_logged_once_without_secrets_and_told_later(
    nacos, calls
) -> None:
    calls.answers["POST /nacos/v1/auth/login"] = (503, "not now")
    with capture_logs() as lines:
        for at in (0, 5, 10):
            nacos.look([a_node()], NOW + at)
    assert calls.take() == ["POST /nacos/v1/auth/login"] * 3
    assert [line["event"] for line in lines] == ["registry_away"]
    assert "s3cret" not in str(lines)
    calls.answers["POST /nacos/v1/auth/login"] = (200, '{"accessToken":"t1"}')
    with capture_logs() as lines:
        nacos.look([a_node()], NOW + 15)
    assert calls.take() == ["POST /nacos/v1/auth/login", "POST /nacos/v1/ns/instance"]
    assert [line["event"] for line in lines] == ["registry_back"]


def test_nobody_listening_is_away_too() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    publisher = open_publisher(f"consul://127.0.0.1:{port}?token=s3cret")
    assert publisher is not None
    with capture_logs() as lines:
        publisher.look([a_node()], NOW)
    publisher.close()
    assert [line["event"] for line in lines] == ["registry_away"]
    assert "s3cret" not in str(lines)


def test_an_address_of_no_known_registry_is_refused_without_repeating_it() -> None:
    assert open_publisher("") is None
    with pytest.raises(ValueError, match="neither consul") as refused:
        open_publisher("etcd://me:s3cret@host:1")
    assert "s3cret" not in str(refused.value)


def test_a_manager_publishes_the_nodes_that_register(
    registry_server, calls, pipeline, hand
) -> None:
    told = threading.Event()
    calls.each = told.set
    ports = pipeline.ports
    url = f"consul://127.0.0.1:{registry_server.port}"
    ports.settings = ports.settings.model_copy(update={"registry_url": url})
    ticker = Ticker(pipeline, Announcer("redis://127.0.0.1:1/0"))  # nothing is due: never called
    ticker.start()
    assert told.wait(30)
    ticker.stop()
    assert json.loads(calls.seen[0].get_data())["ID"] == "fanscribe-node-1"
