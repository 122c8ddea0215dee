from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from in_test_manager import InTestManager
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from services.model.errors import FailureClass, JobFailed, LeaseLost
from services.model.messages import INLINE_LIMIT, Grant, LeaseState
from services.model.stages import DetectSpec, Place
from services.model.transcript import Body
from services.outbound import Objects
from services.storage.local import LocalStore
from services.worker.callbacks import Manager
from services.worker.leases import Lease, Released
from services.worker.memory import Memory
from services.worker.work import Attempt

DATA = bytes(range(256)) * 20
DIGEST = sha256(DATA).hexdigest()
LONG = "語" * INLINE_LIMIT


@pytest.fixture
def lease(make_grant: Callable[..., Grant]) -> Lease:
    return Lease(make_grant(DetectSpec(pcm=Place(key="k", url=""), model="m", windows=[])))


@pytest.fixture
def attempt(
    lease: Lease, callbacks: Manager, manager: InTestManager, tmp_path: Path
) -> Iterator[Attempt]:
    folder = tmp_path / "scratch"
    folder.mkdir()
    objects = Objects()
    lease.begin()
    yield Attempt(lease, "t" * 16, folder, callbacks, objects, memory=Memory(callbacks))
    objects.close()


@pytest.fixture(params=["path", "url", "url of a server that knows no ranges"])
def stored(
    request: pytest.FixtureRequest, local_store: LocalStore, http_server: HTTPServer
) -> Place:
    """The same object, reached in three ways."""
    local_store.put("in", [DATA])
    if request.param == "path":
        return Place(key="in", url=local_store.url_to_get("in", 60), size=len(DATA), sha256=DIGEST)
    ranges = request.param == "url"

    def serve(asked: Request) -> Response:
        if ranges and asked.range:
            [(start, end)] = asked.range.ranges
            return Response(DATA[start:end], status=206)
        return Response(DATA)

    http_server.expect_request("/objects/in").respond_with_handler(serve)
    url = http_server.url_for("/objects/in")
    return Place(key="in", url=url, size=len(DATA), sha256=DIGEST)


def test_an_input_is_fetched_and_verified(attempt: Attempt, stored: Place) -> None:
    assert attempt.fetch(stored).read_bytes() == DATA
    with pytest.raises(JobFailed) as failed:
        attempt.fetch(stored.model_copy(update={"sha256": "0" * 64}))
    assert failed.value.code == "input_damaged"


def test_a_stretch_of_an_input_is_read_alone(attempt: Attempt, stored: Place) -> None:
    assert attempt.fetch_range(stored, 1000, 1010) == DATA[1000:1010]
    with pytest.raises(JobFailed):
        attempt.fetch_range(stored, 5000, 6000)


def test_a_text_is_read_from_its_object_and_verified(
    attempt: Attempt, local_store: LocalStore
) -> None:
    local_store.put("text", ["多".encode()])
    url = local_store.url_to_get("text", 60)
    digest = sha256("多".encode()).hexdigest()
    assert attempt.read(Body(key="text", sha256=digest), url) == "多"
    assert attempt.read(Body(inline="少"), None) == "少"
    with pytest.raises(JobFailed):
        attempt.read(Body(key="text", sha256="0" * 64), url)


@pytest.mark.parametrize("status", [404, 410])
def test_an_input_that_is_gone_is_permanent(
    attempt: Attempt, http_server: HTTPServer, status: int
) -> None:
    http_server.expect_request("/gone").respond_with_data("", status=status)
    for url in (http_server.url_for("/gone"), "file:///nowhere/at/all"):
        with pytest.raises(JobFailed) as failed:
            attempt.fetch(Place(key="gone", url=url))
        assert failed.value.code == "input_gone"
        assert failed.value.failure_class is FailureClass.PERMANENT


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_storage_is_tried_later(
    attempt: Attempt, http_server: HTTPServer, status: int
) -> None:
    response = Response("", status=status, headers={"Retry-After": "9"})
    http_server.expect_request("/busy").respond_with_response(response)
    with pytest.raises(JobFailed) as failed:
        attempt.fetch(Place(key="busy", url=http_server.url_for("/busy")))
    assert failed.value.failure_class is FailureClass.SERVICE_UNAVAILABLE
    assert failed.value.retry_after_s == 9.0


def test_a_short_text_stays_inline_and_a_long_one_goes_to_its_place(
    attempt: Attempt, output_place: Callable[[str], Place], local_store: LocalStore
) -> None:
    place = output_place("tasks/t1/jobs/out")
    short = attempt.keep(place, "短")
    assert (short.inline, short.key, short.size) == ("短", None, 3)
    long = attempt.keep(place, LONG)
    assert (long.inline, long.key, long.size) == (None, place.key, 3 * INLINE_LIMIT)
    assert b"".join(local_store.get(place.key)).decode() == LONG
    assert long.sha256 == sha256(LONG.encode()).hexdigest()


def test_a_result_is_put_by_url_with_its_length(attempt: Attempt, http_server: HTTPServer) -> None:
    taken: list[tuple[str, bytes, int | None]] = []

    def take(asked: Request) -> Response:
        taken.append((asked.url, asked.get_data(), asked.content_length))
        return Response("", status=201)

    http_server.expect_request("/out", method="PUT").respond_with_handler(take)
    url = http_server.url_for("/out?sig=1")
    attempt.keep(Place(key="out", url=url), LONG)
    assert taken == [(url, LONG.encode(), 3 * INLINE_LIMIT)]


def test_storing_is_tried_again_in_place(
    attempt: Attempt, http_server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.worker.work._STORE_AGAIN_S", 0.01)
    http_server.expect_oneshot_request("/out").respond_with_data("", status=503)
    http_server.expect_oneshot_request("/out").respond_with_data("", status=201)
    body = attempt.keep(Place(key="out", url=http_server.url_for("/out")), LONG)
    assert body.key == "out"


def test_a_full_storage_is_tried_again_in_place(
    attempt: Attempt, output_place: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.worker.work._STORE_AGAIN_S", 0.01)
    copy, full = shutil.copyfileobj, [errno.ENOSPC, errno.EDQUOT]

    def write(*words: Any) -> None:
        if full:
            raise OSError(full.pop(), "no room")
        copy(*words)

    monkeypatch.setattr(shutil, "copyfileobj", write)
    place = output_place("out")
    assert attempt.keep(place, LONG).key == "out"
    assert Path(place.url.removeprefix("file://")).read_text() == LONG
    full.append(errno.EIO)
    with pytest.raises(OSError, match="no room"):
        attempt.keep(place, LONG)


def test_what_waiting_for_the_storage_takes_is_not_the_works(
    attempt: Attempt, lease: Lease, http_server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lease.seconds
    lease.waited(1000.0)
    assert lease.seconds == 0.0
    assert before >= 0.0


def test_a_worker_that_leaves_hands_back_what_the_storage_does_not_take(
    attempt: Attempt, http_server: HTTPServer, told_to_leave: None
) -> None:
    http_server.expect_request("/out").respond_with_data("", status=500)
    with pytest.raises(Released):
        attempt.keep(Place(key="out", url=http_server.url_for("/out")), LONG)


def test_a_lost_lease_ends_the_storing(
    attempt: Attempt, lease: Lease, http_server: HTTPServer
) -> None:
    http_server.expect_request("/out").respond_with_data("", status=503)
    lease.learn(LeaseState(job=lease.grant.job, state="cancelled"))
    with pytest.raises(LeaseLost):
        attempt.keep(Place(key="out", url=http_server.url_for("/out")), LONG)


def test_a_renewed_url_is_used_from_then_on(
    attempt: Attempt, lease: Lease, local_store: LocalStore
) -> None:
    local_store.put("in", [DATA])
    urls = {"in": local_store.url_to_get("in", 60)}
    lease.learn(LeaseState(job=lease.grant.job, state="held", urls=urls))
    assert attempt.fetch_range(Place(key="in", url="file:///expired"), 0, 4) == DATA[:4]


def test_once_the_engine_has_finished_no_limit_counts(
    make_grant: Callable[..., Grant], lease: Lease
) -> None:
    hasty = Lease(make_grant(lease.grant.spec, soft_s=0.0, stuck_s=0.0))
    hasty.begin()
    with pytest.raises(JobFailed):
        hasty.check()
    hasty.engine_finished()
    hasty.check()
    assert not hasty.overdue()


# ── URLs of users ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fetch(lease: Lease, callbacks: Manager, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Fetches a user's URL where the operator has named this machine."""
    objects = Objects([ip_network("127.0.0.0/8")])
    lease.begin()
    attempt = Attempt(lease, "t" * 16, tmp_path, callbacks, objects, memory=Memory(callbacks))

    def fetch(url: str, most: int = 1 << 20) -> Path:
        return attempt.fetch(Place(key="", url=url, size=most, of_user=True))

    yield fetch
    objects.close()


def test_a_users_url_is_fetched_as_it_was_sent(
    fetch: Callable[..., Path], http_server: HTTPServer
) -> None:
    packed = Response(b"not gzip", headers={"Content-Encoding": "gzip"})
    http_server.expect_request("/talk one.mp3").respond_with_response(packed)
    assert fetch(http_server.url_for("/talk%20one.mp3")).read_bytes() == b"not gzip"
    ((asked, _),) = http_server.log
    assert asked.headers["Host"] == f"{http_server.host}:{http_server.port}"
    assert asked.headers["Accept-Encoding"] == "identity"


def test_a_limit_of_0_bytes_takes_all_that_a_url_gives(
    fetch: Callable[..., Path], http_server: HTTPServer
) -> None:
    http_server.expect_request("/file").respond_with_data(bytes(1 << 21))
    assert fetch(http_server.url_for("/file"), most=0).stat().st_size == 1 << 21


@pytest.mark.parametrize(
    ("answer", "failure", "code"),
    [
        (Response(status=404), "permanent", "input_gone"),
        (Response(status=410), "permanent", "input_gone"),
        (Response(status=403), "permanent", "url_refused"),
        (Response(status=204), "permanent", "url_refused"),
        (Response(status=302, headers={"Location": "/x"}), "permanent", "url_refused"),
        (Response(b""), "permanent", "empty_file"),
        (Response(bytes(1 << 20) + b"x"), "permanent", "too_large"),
        (Response(status=429, headers={"Retry-After": "9"}), "service_unavailable", None),
        (Response(status=503), "service_unavailable", None),
    ],
)
def test_what_a_users_server_answers_says_whether_to_ask_again(
    fetch: Callable[..., Path],
    http_server: HTTPServer,
    answer: Response,
    failure: str,
    code: str | None,
) -> None:
    http_server.expect_request("/file").respond_with_response(answer)
    with pytest.raises(JobFailed) as failed:
        fetch(http_server.url_for("/file"))
    assert failed.value.failure_class == failure
    assert failed.value.code == (code or "service_unavailable")


@pytest.mark.parametrize(
    ("url", "failure", "code"),
    [
        ("http://10.0.0.1/x", "permanent", "url_not_allowed"),
        ("http://nowhere.invalid/x", "network_timeout", "host_unknown"),
        ("http://127.0.0.1:1/x", "network_timeout", "network"),
    ],
)
def test_a_users_url_that_leads_nowhere_is_told_apart(
    fetch: Callable[..., Path], url: str, failure: str, code: str
) -> None:
    with pytest.raises(JobFailed) as failed:
        fetch(url)
    assert (failed.value.failure_class, failed.value.code) == (failure, code)


def test_the_limits_of_the_work_count_from_when_a_users_file_is_there(
    fetch: Callable[..., Path],
    lease: Lease,
    http_server: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    true, passed = time.monotonic, [0.0]
    monkeypatch.setattr("services.worker.leases.time.monotonic", lambda: true() + passed[0])

    def slow(_: Request) -> Response:
        passed[0] += 3600.0
        return Response(DATA)

    http_server.expect_request("/slow").respond_with_handler(slow)
    assert fetch(http_server.url_for("/slow")).read_bytes() == DATA
    lease.check()
    assert lease.seconds < 3600.0
