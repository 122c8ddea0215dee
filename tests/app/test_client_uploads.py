"""How the client sends a large file: in parts, of which none is sent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from either_client import KINDS, open_client
from running_manager import Manager

from fanscribe import Item, UploadProgress
from services.storage.parts import PART
from services.storage.s3 import S3Store
from tests.contract.buckets import BUCKET, keys_in, s3_server, settings_of

COUNT = 3


class Broken(Exception):
    """The person at the keyboard."""


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "long.wav"
    file.write_bytes(b"".join(bytes([number]) * PART for number in range(COUNT)) + b"end")
    return file


@pytest.fixture(scope="module")
def bucket_address() -> Iterator[str]:
    with s3_server() as address:
        yield address


class Sending:
    """Sends a file, in one or several goes, and counts what went to the server."""

    def __init__(self, kind: str, manager: Manager, file: Path) -> None:
        self.client = open_client(kind, manager.url)
        self.file = file
        self.manager = manager

    def go(self, breaks_after: int = 99):
        told: list[UploadProgress] = []

        def tell(progress: UploadProgress) -> None:
            told.append(progress)
            if progress.sent and len({each.sent for each in told} - {0}) == breaks_after:
                raise Broken

        upload = self.client.upload(self.file, on_progress=tell, in_one_go=PART)
        assert told[-1].sent == told[-1].size == self.file.stat().st_size
        return upload

    def close(self) -> None:
        self.client.close()

    def parts_sent(self) -> int:
        """By way of the server."""
        line = 'route="/v1/uploads/{upload_id}/parts/{number}",status="200"'
        metrics = self.manager.api.get("/metrics").text
        return sum(
            int(float(each.rpartition(" ")[2]))
            for each in metrics.splitlines()
            if line in each and "_count{" in each
        )


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def sending(kind: str, manager: Manager, large: Path) -> Iterator[Sending]:
    with closing(Sending(kind, manager, large)) as made:
        yield made


@pytest.fixture
def to_bucket(
    kind: str, start: Callable[..., Manager], bucket_address: str, large: Path
) -> Iterator[Sending]:
    manager = start(
        objects_url=f"s3://{BUCKET}/x",
        **settings_of(bucket_address),
    )
    with closing(Sending(kind, manager, large)) as made:
        yield made


def test_a_large_file_arrives_whole(sending, large) -> None:
    upload = sending.go()
    assert upload.complete
    assert upload.sha256 == sha256(large.read_bytes()).hexdigest()
    assert (upload.name, upload.size) == ("long.wav", large.stat().st_size)


def test_what_has_come_is_not_sent_again(sending, large) -> None:
    with pytest.raises(Broken):
        sending.go(breaks_after=2)
    assert sending.parts_sent() == 2
    assert sending.go().complete
    assert sending.parts_sent() == COUNT + 1


def test_a_file_that_is_there_is_named_again(sending, large) -> None:
    first = sending.go()
    assert sending.go().key == first.key
    assert sending.parts_sent() == COUNT + 1


def test_a_file_that_a_task_has_is_sent_anew(sending, large) -> None:
    first = sending.go()
    sending.client.submit(Item(large, text_id="1"), targets=["zh"])
    assert sending.go().key != first.key


def test_a_file_that_changed_is_sent_anew(sending, large) -> None:
    with pytest.raises(Broken):
        sending.go(breaks_after=2)
    large.write_bytes(large.read_bytes()[::-1])
    upload = sending.go()
    assert upload.sha256 == sha256(large.read_bytes()).hexdigest()
    assert sending.parts_sent() == 2 + COUNT + 1


def test_an_upload_that_was_given_up_is_begun_anew(sending, large) -> None:
    with pytest.raises(Broken):
        sending.go(breaks_after=1)
    (upload,) = sending.manager.application.store.old_uploads(2e10, 9)
    sending.manager.api.delete(f"/v1/{upload.key}")
    assert sending.go().key != upload.key


def test_parts_go_straight_to_a_bucket(to_bucket, bucket_address) -> None:
    with pytest.raises(Broken):
        to_bucket.go(breaks_after=2)
    upload = to_bucket.go()
    assert to_bucket.parts_sent() == 0
    assert upload.complete
    assert f"x/{upload.key}" in keys_in(bucket_address)
    stored = to_bucket.manager.application.objects.get(upload.key)
    assert sha256(b"".join(stored)).hexdigest() == upload.sha256


def test_a_bucket_that_the_client_cannot_reach_is_no_hindrance(to_bucket, monkeypatch) -> None:
    nowhere = "http://127.0.0.1:1/nobody"
    monkeypatch.setattr(S3Store, "url_to_put_part", lambda *_: nowhere)
    assert to_bucket.go().complete
    assert to_bucket.parts_sent() == COUNT + 1
