"""Files in parts: announced, sent in any order, looked at, completed or given up."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from hashlib import sha256

import httpx
import pytest
from running_manager import Manager, error_of

from services.storage.protocol import StorageUnavailable
from task_manager.schemas.upload import MIN_PART
from task_manager.ticker.uploads import sweep_uploads
from tests.contract.buckets import BUCKET, keys_in, s3_server, settings_of

FIRST, LAST = b"1" * MIN_PART, b"the end"
WHOLE = FIRST + LAST
RAW = {"content-type": "application/octet-stream"}


@pytest.fixture(scope="session")
def bucket_address() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def in_bucket(start: Callable[..., Manager], bucket_address: str) -> Manager:
    return start(
        objects_url=f"s3://{BUCKET}/x",
        **settings_of(bucket_address),
    )


def begun(manager: Manager, size: int = len(WHOLE), **more):
    body = {"name": "1.wav", "size": size, "part_bytes": MIN_PART, **more}
    answer = manager.api.post("/v1/uploads/parts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def send(manager: Manager, upload, number: int, data: bytes, **headers: str) -> httpx.Response:
    path = f"/v1/{upload['key']}/parts/{number}"
    return manager.api.put(path, content=data, headers={**RAW, **headers})


def look(manager: Manager, upload):
    return manager.api.get(f"/v1/{upload['key']}").json()


def complete(manager: Manager, upload, **body: str) -> httpx.Response:
    return manager.api.post(f"/v1/{upload['key']}/complete", json=body)


def test_a_file_comes_in_parts_and_a_task_names_it(shared) -> None:
    upload = begun(shared)
    assert upload["parts"] == {"part_bytes": MIN_PART, "count": 2, "direct": False, "received": []}
    assert send(shared, upload, 2, LAST).json()["size"] == len(LAST)
    assert [part["number"] for part in look(shared, upload)["parts"]["received"]] == [2]
    assert send(shared, upload, 1, FIRST).status_code == 200

    done = complete(shared, upload).json()
    assert done["complete"]
    assert (done["size"], done["sha256"]) == (len(WHOLE), sha256(WHOLE).hexdigest())
    assert done == look(shared, upload) == complete(shared, upload).json()
    task = shared.create(items=[{"audio": upload["key"]}], targets=["zh"])
    item = shared.api.get(f"/v1/tasks/{task['id']}/items").json()["items"][0]
    assert (item["text_id"], item["audio"]["size"]) == ("1", len(WHOLE))


def test_a_task_cannot_name_what_is_not_complete(shared) -> None:
    upload = begun(shared)
    refused = shared.refused(items=[{"audio": upload["key"]}], targets=["zh"])
    assert refused == (422, "upload_incomplete", "items.0.audio")


def test_the_parts_that_are_missing_are_named(shared) -> None:
    upload = begun(shared)
    send(shared, upload, 2, LAST)
    answer = complete(shared, upload)
    assert error_of(answer)[:2] == (409, "parts_missing")
    assert "whole: 1." in answer.json()["error"]["message"]
    assert not look(shared, upload)["complete"]


@pytest.mark.parametrize("data", [LAST[:-1], LAST + b"!", b""])
def test_a_part_of_another_size_is_refused(shared, data) -> None:
    upload = begun(shared)
    assert error_of(send(shared, upload, 2, data))[:2] == (422, "wrong_part_size")
    assert look(shared, upload)["parts"]["received"] == []


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_part_that_the_file_does_not_have_is_refused(shared, number) -> None:
    upload = begun(shared)
    assert error_of(send(shared, upload, number, LAST))[:2] == (422, "no_such_part")


def test_a_part_that_changed_on_its_way_is_refused(shared) -> None:
    upload = begun(shared)
    digest = base64.b64encode(sha256(LAST).digest()).decode()
    told = {"content-digest": f"sha-256=:{digest}:"}
    refused = error_of(send(shared, upload, 2, b"the END", **told))
    assert refused == (422, "wrong_checksum", "Content-Digest")
    assert send(shared, upload, 2, LAST, **told).status_code == 200


def test_a_file_that_is_not_the_one_announced_is_refused(shared) -> None:
    upload = begun(shared, size=len(LAST), sha256=sha256(b"another").hexdigest())
    send(shared, upload, 1, LAST)
    stated = {"sha256": sha256(LAST).hexdigest()}
    assert error_of(complete(shared, upload, **stated)) == (422, "wrong_checksum", "sha256")
    assert error_of(complete(shared, upload)) == (422, "wrong_checksum", "sha256")
    assert complete(shared, upload).status_code == 404


def test_what_was_given_up_is_gone_with_its_bytes(manager) -> None:
    upload = begun(manager)
    send(manager, upload, 2, LAST)
    assert manager.api.delete(f"/v1/{upload['key']}").status_code == 204
    assert manager.objects() == set()
    assert send(manager, upload, 1, FIRST).status_code == 404


def test_a_whole_upload_is_removed_and_its_tasks_keep_the_file(manager) -> None:
    key = manager.upload()
    task = manager.create(items=[{"audio": key}], targets=["zh"])
    assert manager.api.get(f"/v1/{key}").json()["complete"]
    assert manager.api.delete(f"/v1/{key}").status_code == 204
    assert manager.objects() == {f"tasks/{task['id']}/audio/0"}


def test_nothing_is_added_to_what_is_complete(shared) -> None:
    upload = begun(shared, size=len(LAST))
    send(shared, upload, 1, LAST)
    complete(shared, upload)
    assert error_of(send(shared, upload, 1, LAST))[:2] == (409, "upload_complete")


def test_local_files_have_no_urls_of_a_bucket(shared) -> None:
    upload = begun(shared)
    answer = shared.api.post(f"/v1/{upload['key']}/urls", json={})
    assert error_of(answer)[:2] == (409, "not_direct")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"size": 0}, (422, "out_of_range", "size")),
        ({"size": 5 * 1024**3 + 1}, (413, "too_large", "size")),
        ({"size": 9, "part_bytes": 1000}, (422, "out_of_range", "part_bytes")),
        ({"size": 9, "sha256": "abc"}, (422, "invalid", "sha256")),
        ({"size": 9, "name": "a\0b"}, (422, "control_character", "name")),
        ({}, (422, "required", "size")),
    ],
)
def test_an_announcement_is_checked(shared, body, expected) -> None:
    assert error_of(shared.api.post("/v1/uploads/parts", json=body)) == expected


def test_the_disk_is_looked_at_before_the_first_byte(start) -> None:
    manager = start(max_upload_bytes=2**60, min_free_bytes=0)
    body = {"size": 2**59}
    assert error_of(manager.api.post("/v1/uploads/parts", json=body))[:2] == (507, "out_of_space")


def test_old_uploads_are_swept_and_their_tasks_keep_the_file(start) -> None:
    manager = start(upload_keep_s=3600.0)
    task = manager.create(items=[{"audio": manager.upload()}], targets=["zh"])
    half = begun(manager)
    send(manager, half, 2, LAST)
    ports = manager.application.pipeline.ports
    assert sweep_uploads(ports) == 0
    ports.settings = ports.settings.model_copy(update={"upload_keep_s": -1.0})
    assert sweep_uploads(ports) == 2
    assert manager.objects() == {f"tasks/{task['id']}/audio/0"}
    assert send(manager, half, 1, FIRST).status_code == 404


def test_an_upload_that_cannot_be_swept_holds_up_no_other(start, monkeypatch) -> None:
    manager = start(upload_keep_s=3600.0)
    stuck, free = begun(manager)["key"], begun(manager)["key"]
    ports = manager.application.pipeline.ports
    ports.settings = ports.settings.model_copy(update={"upload_keep_s": -1.0})
    delete = ports.objects.delete

    def unless_stuck(key: str) -> None:
        if key == stuck:
            raise StorageUnavailable("away")
        delete(key)

    monkeypatch.setattr(ports.objects, "delete", unless_stuck)
    assert sweep_uploads(ports) == 1
    assert ports.store.upload(free) is None
    assert ports.store.upload(stuck) is not None
    monkeypatch.undo()
    assert sweep_uploads(ports) == 1


def test_parts_go_straight_to_the_bucket(in_bucket, bucket_address) -> None:
    upload = begun(in_bucket, sha256=sha256(WHOLE).hexdigest())
    assert upload["parts"]["direct"]
    signed = in_bucket.api.post(f"/v1/{upload['key']}/urls", json={}).json()
    assert [each["number"] for each in signed["urls"]] == [1, 2]
    assert signed["expires_in_seconds"] == 3600
    for each, data in zip(signed["urls"], (FIRST, LAST), strict=True):
        assert httpx.put(each["url"], content=data).is_success

    assert len(look(in_bucket, upload)["parts"]["received"]) == 2
    assert in_bucket.api.post(f"/v1/{upload['key']}/urls", json={}).json()["urls"] == []
    done = complete(in_bucket, upload).json()
    assert (done["complete"], done["sha256"]) == (True, sha256(WHOLE).hexdigest())
    assert f"x/{upload['key']}" in keys_in(bucket_address)


def test_one_part_is_one_signed_put(in_bucket) -> None:
    upload = begun(in_bucket, size=6, part_bytes=MIN_PART)
    (only,) = in_bucket.api.post(f"/v1/{upload['key']}/urls", json={"numbers": [1]}).json()["urls"]
    assert httpx.put(only["url"], content=b"abcdef").is_success
    assert complete(in_bucket, upload).json()["size"] == 6


def test_parts_may_come_through_us_to_a_bucket_as_well(in_bucket) -> None:
    upload = begun(in_bucket)
    send(in_bucket, upload, 2, LAST)
    send(in_bucket, upload, 1, FIRST)
    assert complete(in_bucket, upload).status_code == 200


def test_a_part_of_the_wrong_size_in_the_bucket_is_found_at_the_end(in_bucket) -> None:
    upload = begun(in_bucket, size=6)
    (only,) = in_bucket.api.post(f"/v1/{upload['key']}/urls", json={}).json()["urls"]
    httpx.put(only["url"], content=b"abc")
    assert error_of(complete(in_bucket, upload))[:2] == (409, "parts_missing")
