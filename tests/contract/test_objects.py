"""What every object store keeps to: local files, S3 and Aliyun OSS."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator
from hashlib import md5, sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from services.model.errors import Conflict, Forbidden, Invalid
from services.settings import Settings
from services.signing import sign_url
from services.storage.local import LocalStore
from services.storage.opening import open_objects
from services.storage.oss import OssStore
from services.storage.parts import PART
from services.storage.protocol import ObjectInfo, ObjectMissing, ObjectStore, StorageUnavailable
from services.storage.s3 import S3Store
from tests.contract.buckets import BUCKET, KEY_ID, KEY_SECRET, oss_server, s3_server

KEY = "tasks/t1/audio/0"


@pytest.fixture
def local_store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "objects", access="path", base_url="", secret="")


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(scope="session")
def oss_address() -> Iterator[str]:
    with oss_server() as address:
        yield address


@pytest.fixture
def s3_store(s3_address: str) -> S3Store:
    prefix = secrets.token_hex(4)
    return S3Store(BUCKET, prefix, endpoint=s3_address, key_id=KEY_ID, key_secret=KEY_SECRET)


@pytest.fixture
def oss_store(oss_address: str) -> OssStore:
    prefix = secrets.token_hex(4)
    return OssStore(BUCKET, prefix, endpoint=oss_address, key_id=KEY_ID, key_secret=KEY_SECRET)


@pytest.fixture(params=["local", "s3", "oss"])
def objects(request: pytest.FixtureRequest) -> ObjectStore:
    store: ObjectStore = request.getfixturevalue(f"{request.param}_store")
    return store


def test_what_was_put_is_got(objects: ObjectStore) -> None:
    info = objects.put(KEY, [b"ab", b"", b"cdef"])
    assert info == ObjectInfo(KEY, 6, sha256(b"abcdef").hexdigest())
    assert b"".join(objects.get(KEY)) == b"abcdef"
    assert objects.head(KEY).size == 6


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, None, b"abcdef"),
        (2, None, b"cdef"),
        (1, 3, b"bc"),
        (0, 0, b""),
        (4, 99, b"ef"),
        (6, None, b""),
        (7, 9, b""),
    ],
)
def test_a_range_is_half_open(
    objects: ObjectStore, start: int, end: int | None, expected: bytes
) -> None:
    objects.put(KEY, [b"abcdef"])
    assert b"".join(objects.get(KEY, start, end)) == expected


def test_a_second_put_replaces_the_first(objects: ObjectStore) -> None:
    objects.put(KEY, [b"long and old"])
    objects.put(KEY, [b"new"])
    assert b"".join(objects.get(KEY)) == b"new"


def test_a_put_that_breaks_off_leaves_nothing(objects: ObjectStore) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        objects.put(KEY, broken())
    with pytest.raises(ObjectMissing):
        objects.head(KEY)
    assert objects.delete_prefix("tasks/t1/") == 0


@pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, 3 * PART])
def test_a_long_stream_arrives_whole(objects: ObjectStore, size: int) -> None:
    data = random.Random(size).randbytes(size)
    chunks = (data[start : start + 100_001] for start in range(0, size, 100_001))
    assert objects.put(KEY, chunks) == ObjectInfo(KEY, size, sha256(data).hexdigest())
    assert b"".join(objects.get(KEY)) == data
    assert b"".join(objects.get(KEY, PART - 2, PART + 2)) == data[PART - 2 : PART + 2]


def test_a_long_stream_that_breaks_off_leaves_nothing(objects: ObjectStore) -> None:
    def broken() -> Iterator[bytes]:
        yield bytes(2 * PART + 1)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        objects.put(KEY, broken())
    with pytest.raises(ObjectMissing):
        objects.head(KEY)


def test_a_copy_is_the_same_object_under_another_key(objects: ObjectStore) -> None:
    objects.put(KEY, [b"abc"])
    assert objects.copy(KEY, "tasks/t2/audio/0").size == 3
    objects.delete(KEY)
    assert b"".join(objects.get("tasks/t2/audio/0")) == b"abc"


def test_what_is_not_there_is_missing_before_the_first_byte(objects: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        objects.get(KEY)
    with pytest.raises(ObjectMissing):
        objects.head(KEY)
    with pytest.raises(ObjectMissing):
        objects.copy(KEY, "tasks/t2/audio/0")
    objects.delete(KEY)


def test_a_prefix_takes_what_is_under_it_and_nothing_beside_it(objects: ObjectStore) -> None:
    for key in ("tasks/t1/audio/0", "tasks/t1/jobs/prepare/0/1/pcm", "tasks/t10/audio/0"):
        objects.put(key, [b"x"])
    assert objects.delete_prefix("tasks/t1/") == 2
    assert objects.delete_prefix("tasks/t1/") == 0
    assert objects.head("tasks/t10/audio/0").size == 1


FIRST, LAST = bytes(PART), b"the end"


def test_parts_make_an_object_in_whatever_order_they_come(objects: ObjectStore) -> None:
    upload = objects.begin_parts(KEY)
    last = objects.put_part(KEY, upload, 2, [LAST])
    first = objects.put_part(KEY, upload, 1, [FIRST])

    assert objects.parts(KEY, upload) == [first, last]
    assert objects.end_parts(KEY, upload, [first, last]).size == PART + len(LAST)
    assert b"".join(objects.get(KEY)) == FIRST + LAST


def test_a_part_that_comes_again_replaces_the_first(objects: ObjectStore) -> None:
    upload = objects.begin_parts(KEY)
    objects.put_part(KEY, upload, 1, [b"wrong"])
    again = objects.put_part(KEY, upload, 1, [b"right"])

    assert objects.parts(KEY, upload) == [again]
    objects.end_parts(KEY, upload, [again])
    assert b"".join(objects.get(KEY)) == b"right"


def test_a_part_that_breaks_off_leaves_the_one_before(objects: ObjectStore) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise Invalid("gone")

    upload = objects.begin_parts(KEY)
    whole = objects.put_part(KEY, upload, 1, [LAST])
    with pytest.raises(Invalid):
        objects.put_part(KEY, upload, 1, broken())
    assert objects.parts(KEY, upload) == [whole]


def test_a_part_is_known_by_the_hash_of_its_bytes(objects: ObjectStore) -> None:
    upload = objects.begin_parts(KEY)
    kind = sha256 if isinstance(objects, LocalStore) else md5
    assert objects.put_part(KEY, upload, 1, [LAST]).etag.lower() == kind(LAST).hexdigest()
    assert objects.parts(KEY, upload)[0].etag.lower() == kind(LAST).hexdigest()


def test_nothing_shows_under_the_key_before_the_end(objects: ObjectStore) -> None:
    upload = objects.begin_parts(KEY)
    objects.put_part(KEY, upload, 1, [LAST])
    with pytest.raises(ObjectMissing):
        objects.head(KEY)
    assert objects.delete_prefix("tasks/t1/") == 0


def test_parts_that_were_dropped_are_gone(objects: ObjectStore) -> None:
    upload = objects.begin_parts(KEY)
    part = objects.put_part(KEY, upload, 1, [LAST])
    objects.drop_parts(KEY, upload)
    objects.drop_parts(KEY, upload)

    with pytest.raises(ObjectMissing):
        objects.parts(KEY, upload)
    if isinstance(objects, LocalStore):  # moto answers 500 here, where a bucket says NoSuchUpload
        with pytest.raises(ObjectMissing):
            objects.end_parts(KEY, upload, [part])
        with pytest.raises(ObjectMissing):
            objects.put_part(KEY, upload, 1, [LAST])


def test_parts_that_were_joined_are_not_joined_again(objects: ObjectStore) -> None:
    upload = objects.begin_parts(KEY)
    parts = [objects.put_part(KEY, upload, 1, [LAST])]
    objects.end_parts(KEY, upload, parts)
    with pytest.raises(ObjectMissing):
        objects.parts(KEY, upload)
    assert b"".join(objects.get(KEY)) == LAST


def test_what_was_begun_long_ago_is_forgotten_under_its_prefix(objects: ObjectStore) -> None:
    upload = objects.begin_parts(KEY)
    objects.put_part(KEY, upload, 1, [LAST])
    assert objects.drop_unfinished("tasks/", 0.0) == 0
    if not isinstance(objects, LocalStore):
        assert objects.drop_unfinished("uploads/", time.time() + 60) == 0
    assert len(objects.parts(KEY, upload)) == 1

    assert objects.drop_unfinished("tasks/", time.time() + 60) == 1
    with pytest.raises(ObjectMissing):
        objects.parts(KEY, upload)
    assert objects.drop_unfinished("tasks/", time.time() + 60) == 0


def test_what_a_killed_process_was_writing_is_forgotten(local_store: LocalStore) -> None:
    local_store.put("uploads/whole", [b"x"])
    (local_store.root / "uploads" / ".part-0123").write_bytes(b"half")
    assert local_store.drop_unfinished("uploads/", time.time() - 60) == 0
    assert local_store.drop_unfinished("uploads/", time.time() + 60) == 1
    assert sorted(each.name for each in (local_store.root / "uploads").iterdir()) == ["whole"]


def test_of_two_parts_that_came_at_once_under_one_number_one_counts(
    local_store: LocalStore,
) -> None:
    upload = local_store.begin_parts(KEY)
    folder = next(local_store.root.glob(f".part-{upload}"))
    local_store.put_part(KEY, upload, 1, [b"one way"])
    other = sha256(b"another").hexdigest()
    (folder / f"00001-{other}").write_bytes(b"another")  # as if neither had seen the other's file
    [part] = local_store.parts(KEY, upload)
    assert local_store.end_parts(KEY, upload, [part]).size == 7


def test_local_files_are_joined_by_us_alone(local_store: LocalStore) -> None:
    upload = local_store.begin_parts(KEY)
    with pytest.raises(Conflict) as refused:
        local_store.url_to_put_part(KEY, upload, 1, 60)
    assert refused.value.code == "not_direct"
    with pytest.raises(Forbidden):
        local_store.parts(KEY, "../" + upload)


def test_the_names_under_a_prefix_are_told_once_each(objects: ObjectStore) -> None:
    for key in ("tasks/t1/audio/0", "tasks/t1/audio/1", "tasks/t2/audio/0", "uploads/u1"):
        objects.put(key, [b"x"])
    assert sorted(objects.names_under("tasks/")) == ["t1", "t2"]
    assert list(objects.names_under("uploads/")) == ["u1"]
    assert list(objects.names_under("nothing/")) == []


@pytest.mark.parametrize(
    "key", ["../x", "a/../../x", "/etc/passwd", "a//b", "", ".", "a/./b", "a/", "a\0b"]
)
def test_no_key_leads_out_of_the_root(local_store: LocalStore, key: str) -> None:
    with pytest.raises(Forbidden):
        local_store.put(key, [b"x"])
    with pytest.raises(Forbidden):
        local_store.head(key)


def test_no_symlink_is_followed(local_store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (local_store.root / "link").symlink_to(tmp_path / "secret")
    (local_store.root / "folder").symlink_to(tmp_path)
    for key in ("link", "folder/secret"):
        with pytest.raises(Forbidden):
            local_store.get(key)


def test_a_local_object_by_path_is_a_file_url(local_store: LocalStore) -> None:
    local_store.put(KEY, [b"x"])
    assert local_store.url_to_get(KEY, 60) == (local_store.root / KEY).as_uri()
    assert local_store.url_to_put(KEY, 60) == (local_store.root / KEY).as_uri()


def test_a_local_object_by_url_is_signed_for_one_method(tmp_path: Path) -> None:
    store = LocalStore(tmp_path, access="url", base_url="http://manager:8001/", secret="s")
    store.put(KEY, [b"x"])
    address = urlsplit(store.url_to_get(KEY, 60))
    query = parse_qs(address.query)
    assert (address.netloc, address.path) == ("manager:8001", f"/objects/{KEY}")
    expires = int(query["expires"][0])
    assert query["signature"] == [sign_url("s", method="GET", key=KEY, expires=expires)]
    assert query["signature"] != [sign_url("s", method="PUT", key=KEY, expires=expires)]


def test_the_settings_choose_the_store(tmp_path: Path) -> None:
    store = open_objects(Settings(objects_url=(tmp_path / "with space").as_uri()))
    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / "with space"


def test_the_settings_choose_a_bucket() -> None:
    settings = Settings(
        objects_url="s3://media/a/b",
        objects_endpoint="http://127.0.0.1:1",
        objects_key_id="k",
        objects_key_secret=SecretStr("s"),
    )
    assert isinstance(open_objects(settings), S3Store)
    settings = settings.model_copy(update={"objects_url": "oss://media/a/b"})
    assert isinstance(open_objects(settings), OssStore)


@pytest.mark.parametrize("address", ["gs://bucket/prefix", "file://host/x", "s3:///x", "oss://"])
def test_a_store_without_an_adapter_is_refused_with_what_to_do(address: str) -> None:
    with pytest.raises(Invalid, match="file:///a/folder") as refused:
        open_objects(Settings(objects_url=address))
    assert refused.value.code == "objects_unsupported"


def test_oss_without_an_endpoint_is_refused_with_what_to_do() -> None:
    with pytest.raises(Invalid, match="FANSCRIBE_OBJECTS_ENDPOINT") as refused:
        open_objects(Settings(objects_url="oss://media"))
    assert refused.value.code == "objects_endpoint_missing"


@pytest.fixture(params=["s3", "oss"])
def bucket(request: pytest.FixtureRequest) -> ObjectStore:
    store: ObjectStore = request.getfixturevalue(f"{request.param}_store")
    return store


def test_a_signed_url_puts_and_gets_without_credentials(bucket: ObjectStore) -> None:
    assert httpx.put(bucket.url_to_put(KEY, 60), content=b"abcdef").is_success
    got = httpx.get(bucket.url_to_get(KEY, 60), headers={"Range": "bytes=1-2"})
    assert (got.status_code, got.content) == (206, b"bc")
    assert httpx.get(bucket.url_to_get("tasks/t1/audio/1", 60)).status_code == 404


def test_parts_go_to_a_bucket_by_signed_urls(bucket: ObjectStore) -> None:
    upload = bucket.begin_parts(KEY)
    for number, data in ((1, FIRST), (2, LAST)):
        url = bucket.url_to_put_part(KEY, upload, number, 60)
        assert httpx.put(url, content=data).is_success
    bucket.end_parts(KEY, upload, bucket.parts(KEY, upload))
    assert b"".join(bucket.get(KEY, PART - 1)) == b"\0" + LAST


def test_an_oss_url_is_signed_for_one_method_and_one_key(oss_store: OssStore) -> None:
    url = oss_store.url_to_put(KEY, 60)
    assert httpx.get(url).status_code == 403
    assert httpx.put(url.replace("audio/0", "audio/1"), content=b"x").status_code == 403
    assert httpx.put(oss_store.url_to_put(KEY, -1), content=b"x").status_code == 403


@pytest.mark.parametrize("kind", [S3Store, OssStore])
def test_a_bucket_that_does_not_answer_is_unavailable(kind: type[S3Store | OssStore]) -> None:
    store = kind("media", endpoint="http://127.0.0.1:1", key_id="k", key_secret="s")
    with pytest.raises(StorageUnavailable) as refused:
        store.head(KEY)
    assert (refused.value.status, refused.value.code) == (503, "storage_unavailable")


@pytest.mark.parametrize("kind", [S3Store, OssStore])
def test_a_bucket_that_is_not_there_is_no_missing_object(
    request: pytest.FixtureRequest, kind: type[S3Store | OssStore]
) -> None:
    name = "s3_address" if kind is S3Store else "oss_address"
    address = request.getfixturevalue(name)
    store = kind("elsewhere", endpoint=address, key_id=KEY_ID, key_secret=KEY_SECRET)
    with pytest.raises(StorageUnavailable, match="NoSuchBucket"):
        store.put(KEY, [b"x"])
