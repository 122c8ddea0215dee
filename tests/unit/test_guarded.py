"""URLs of users against a listener that no user may reach: what gets through is a connect."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest

from services import guarded
from services.guarded import HostUnknown, NotAllowed, read_url
from services.outbound import open_client, stream_of_user

ELSEWHERE = [ip_network("192.0.2.0/24")]  # named, so that no port is refused for itself
OURS = [ip_network("127.0.0.2/32")]


class Listener:
    """Answers every connection of its address with `answer`, and counts them."""

    def __init__(self, host: str, port: int = 0, answer: bytes = b"") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.create_server((host, port), family=family)
        self.port = int(self.socket.getsockname()[1])
        self.answer = answer
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(65536) if self.answer else b"")
                connection.sendall(self.answer)

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self._thread.join()


@pytest.fixture
def private() -> Iterator[Listener]:
    """On every interface of this machine, where it has both protocols."""
    listener = Listener("0.0.0.0")
    beside = Listener("::1", listener.port)
    yield listener
    listener.requests += beside.requests
    for each in (listener, beside):
        each.close()
    assert listener.requests == [], "somebody got through"


@pytest.fixture
def listen() -> Iterator[Any]:
    made: list[Listener] = []

    def start(host: str, port: int = 0, answer: bytes = b"") -> Listener:
        made.append(Listener(host, port, answer))
        return made[-1]

    yield start
    for listener in made:
        listener.close()


URLS = """http://127.0.0.1:{port}/ http://localhost:{port}/ http://LOCALHOST:{port}/
http://localhost.:{port}/ http://127.1:{port}/ http://127.0.1:{port}/ http://2130706433:{port}/
http://0x7f000001:{port}/ http://0x7f.1:{port}/ http://0177.0.0.1:{port}/ http://0:{port}/
http://0.0.0.0:{port}/ http://127.127.127.127:{port}/ http://[::1]:{port}/ http://[::]:{port}/
http://[0:0:0:0:0:0:0:1]:{port}/ http://[::ffff:127.0.0.1]:{port}/ http://[::ffff:7f00:1]:{port}/
http://[::127.0.0.1]:{port}/ http://[::ffff:0:127.0.0.1]:{port}/ http://[64:ff9b::7f00:1]:{port}/
http://[2002:7f00:1::]:{port}/ http://[fe80::1]:{port}/ http://[fc00::1]:{port}/
http://[ff02::1]:{port}/ http://10.0.0.1:{port}/ http://172.16.0.1:{port}/
http://192.168.0.1:{port}/ http://169.254.169.254/latest/meta-data
http://100.100.100.200/latest/meta-data http://[::ffff:100.100.100.200]/latest
http://192.0.0.192/opc/v2 http://198.18.0.1/ http://224.0.0.1/ http://255.255.255.255/
http://user@127.0.0.1:{port}/ http://user:pass@localhost:{port}/ http://example.com@127.0.0.1:{port}/
http://127.0.0.1:{port}\\@example.com/ http://①②⑦.⓪.⓪.①:{port}/ http://127。0。0。1:{port}/
file:///etc/passwd ftp://127.0.0.1:{port}/ gopher://127.0.0.1:{port}/_x //127.0.0.1:{port}/
http:///x https://127.0.0.1:{port}/ https://[::1]:{port}/ unix:/run/redis.sock"""


def test_there_are_forty_ways_to_try() -> None:
    assert len(set(URLS.split())) >= 40


@pytest.mark.parametrize("url", URLS.split())
def test_no_url_of_a_user_reaches_a_private_listener(private: Listener, url: str) -> None:
    with pytest.raises((NotAllowed, HostUnknown)):  # not every system knows `localhost.`
        ask(url.format(port=private.port), ELSEWHERE)


def test_one_private_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers(monkeypatch, ["1.1.1.1", "127.0.0.1"])
    with pytest.raises(NotAllowed, match="not a public address"):
        ask("http://two.example/", ELSEWHERE)


def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once(
    private: Listener, listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = listen("127.0.0.2", 0, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    asked = answers(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
    assert ask(f"http://rebinding.example:{ours.port}/a?b=c", OURS) == (200, b"ok")
    assert asked == ["rebinding.example"]
    (request,) = ours.requests
    assert request.startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert f"Host: rebinding.example:{ours.port}\r\n".encode() in request


def test_a_redirect_is_an_answer_and_not_followed(private: Listener, listen: Any) -> None:
    to = f"http://127.0.0.1:{private.port}/"
    ours = listen(
        "127.0.0.2",
        0,
        f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode(),
    )
    assert ask(f"http://127.0.0.2:{ours.port}/", OURS) == (302, b"")
    assert len(ours.requests) == 1


def test_a_host_that_nobody_knows_is_told_apart() -> None:
    with pytest.raises(HostUnknown, match=r"nowhere\.invalid"):
        ask("http://nowhere.invalid/", [])


@pytest.mark.parametrize("url", ["http://example.com:22/", "https://example.com:6379/"])
def test_a_port_that_is_not_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed, match=r"80, 443, 8080, 8443"):
        read_url(url)


@pytest.mark.parametrize(
    "url", ["http://" + "a" * 2048, "http://a b/", "http://a\tb/", "http://a/\r\nHost: b", "", "x"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        read_url(url)


def ask(url: str, named: list[Any]) -> tuple[int, bytes]:
    with open_client(read_s=2.0) as client, stream_of_user(client, "GET", url, named) as response:
        return response.status_code, response.read()


def answers(monkeypatch: pytest.MonkeyPatch, *turns: list[str]) -> list[str]:
    """Makes the name server say these addresses, turn by turn; the names that it was asked."""
    asked: list[str] = []
    left = list(turns)

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in left.pop(0)]

    stand_in = SimpleNamespace(getaddrinfo=getaddrinfo, SOCK_STREAM=socket.SOCK_STREAM)
    monkeypatch.setattr(guarded, "socket", stand_in)
    return asked
